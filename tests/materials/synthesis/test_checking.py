import json
import shutil
from pathlib import Path

import pytest
import torch

from easel.graphics.files import FileError
from easel.graphics.image import imread, imwrite
from easel.materials.dataset.dataset import PBRDataset
from easel.materials.synthesis.checking import check, take_stock
from easel.materials.synthesis.photo_setups import PhotoSetups
from easel.materials.synthesis.render_dataset import DatasetPlan, Procedural, make

PLAN = DatasetPlan(Procedural(0, 2), PhotoSetups(views=2, size=16, p_dirty=0.0), map_size=32)
MATERIAL = PLAN.collection.name(1)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    out = tmp_path_factory.mktemp("pristine")
    list(make(PLAN, out, range(2)))
    return out


@pytest.fixture
def data(pristine, tmp_path):
    shutil.copytree(pristine, tmp_path / "data")
    return tmp_path / "data"


def problems(data, views=2):
    stock = take_stock(data / "input", data / "output", views=views)
    return [*stock.problems, *(problem for _, found in check(stock, workers=2) for problem in found)]


def rewrite(path, change):
    """The picture at `path`, changed as a tensor (h, w, c)."""
    imwrite(path, change(imread(path, channels=0, device="cpu")))


def change_json(path, change):
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))


def test_what_was_rendered_has_no_problems(data):
    assert problems(data) == []


def flip_green(normals):
    return torch.stack([normals[..., 0], 1 - normals[..., 1], normals[..., 2]], dim=-1)


SAMPLE, MAPS = Path("input/clean/sample_0001"), Path("output") / MATERIAL
METADATA = Path("input/render_metadata.json")
SPOILED = {
    "no metadata": lambda d: (d / METADATA).unlink(),
    "unreadable metadata": lambda d: (d / METADATA).write_text("[" * 100_000),
    "sample not listed": lambda d: change_json(d / METADATA, lambda record: record.pop("sample_0001")),
    "sample without photos": lambda d: change_json(d / METADATA, lambda record: record.update(sample_0009=MATERIAL)),
    "no material's name": lambda d: change_json(d / METADATA, lambda record: record.update(sample_0001="../up")),
    "no such material": lambda d: change_json(d / METADATA, lambda record: record.update(sample_0001="oak")),
    "orphan": lambda d: shutil.copytree(d / MAPS, d / "output" / "oak"),
    "left over": lambda d: shutil.copytree(d / MAPS, d / "output" / ".oak.sample_0003.partial"),
    "stray folder": lambda d: (d / "input/clean/new").mkdir(),
    "missing photos": lambda d: (d / SAMPLE / "1.png").unlink(),
    "damaged file": lambda d: (d / SAMPLE / "1.png").write_bytes((d / SAMPLE / "1.png").read_bytes()[:-30]),
    "wrong channels": lambda d: rewrite(d / SAMPLE / "0.png", lambda picture: picture[..., :1]),
    "mixed sizes": lambda d: rewrite(d / SAMPLE / "0.png", lambda picture: picture[:8]),
    "unusable views.json": lambda d: (d / SAMPLE / "views.json").write_text("{}"),
    "contradiction": lambda d: shutil.copy(d / SAMPLE / "0.png", d / SAMPLE / "2.png"),
    "missing maps": lambda d: (d / MAPS / "metallic.png").unlink(),
    "zero normals": lambda d: rewrite(d / MAPS / "normal.png", torch.zeros_like),
    "non-unit normals": lambda d: rewrite(d / MAPS / "normal.png", lambda n: n * 0.6 + 0.2),
    "inward normals": lambda d: rewrite(d / MAPS / "normal.png", lambda n: 1 - n),
    "DirectX normals": lambda d: rewrite(d / MAPS / "normal.png", flip_green),
}


@pytest.mark.parametrize("kind", SPOILED)
def test_every_problem_is_found_and_said_in_one_line(data, kind):
    SPOILED[kind](data)
    found = problems(data)
    assert kind in {problem.kind for problem in found}
    for problem in found:
        assert "\n" not in problem.reason and len(problem.reason) < 500 and problem.reason[-1] in ".?"


SPOILED_MAPS = {
    "a truncated map": (lambda d: (d / "albedo.png").write_bytes((d / "albedo.png").read_bytes()[:99]), "damaged file"),
    "an empty map": (lambda d: (d / "albedo.png").write_bytes(b""), "damaged file"),
    "a map of another size": (lambda d: rewrite(d / "albedo.png", lambda p: p[:16]), "mixed sizes"),
    "a grey albedo": (lambda d: rewrite(d / "albedo.png", lambda p: p[..., :1]), "wrong channels"),
    "packed maps": (lambda d: rewrite(d / "roughness.png", lambda p: torch.rand(32, 32, 3)), "wrong channels"),
}


@pytest.mark.parametrize("what", SPOILED_MAPS)
def test_maps_are_looked_at(data, what):
    spoil, kind = SPOILED_MAPS[what]
    spoil(data / MAPS)
    assert kind in {problem.kind for problem in problems(data)}


def test_one_fault_is_one_problem(data):
    (data / SAMPLE / "1.png").write_bytes(b"not a picture at all")
    (found,) = problems(data)
    assert found.kind == "damaged file" and found.path == str(data / SAMPLE / "1.png")


def test_grey_maps_may_be_stored_in_colour(data):
    rewrite(data / MAPS / "roughness.png", lambda picture: picture.expand(-1, -1, 3))
    assert problems(data) == []


def test_a_camera_must_fit_its_photo(data):
    for photo in ("0.png", "1.png"):
        rewrite(data / SAMPLE / photo, lambda picture: picture[:8, :8])
    assert [problem.kind for problem in problems(data)] == ["contradiction"] * 2
    (data / SAMPLE / "views.json").unlink()  # a sample without it is one of unknown cameras
    assert problems(data) == []


def test_more_photos_may_be_asked_for(data):
    assert {problem.kind for problem in problems(data, views=3)} == {"missing photos"}


def test_an_empty_dataset_is_said(tmp_path):
    assert {problem.kind for problem in problems(tmp_path)} == {"no metadata", "no samples"}


def test_hostile_names_lead_nowhere(data):
    change_json(data / METADATA, lambda r: r.update({"../../etc": "..", "sample_0003": "a\0b", "x" * 10_000: 7}))
    found = problems(data)
    assert len(found) >= 4 and all(len(problem.path) < 500 and "\0" not in problem.path for problem in found)


# What the dataset takes and what the check complains of


def rename_photos(*names):
    """Photos of a phone: other numbers, and nothing known of the cameras."""

    def change(data):
        (data / SAMPLE / "views.json").unlink()
        for number, name in enumerate(names):
            (data / SAMPLE / f"{number}.png").rename(data / SAMPLE / name)

    return change


def add_photos(count, content=None):
    """Copies of the first photo up to `count`, the last of them with other content."""

    def change(data):
        (data / SAMPLE / "views.json").unlink()
        for number in range(2, count):
            shutil.copy(data / SAMPLE / "0.png", data / SAMPLE / f"{number}.png")
        if content is not None:
            (data / SAMPLE / f"{count - 1}.png").write_bytes(content)

    return change


def add_alpha(data):
    rewrite(data / SAMPLE / "0.png", lambda picture: torch.cat([picture, torch.ones_like(picture[..., :1])], dim=-1))


def damage_middle(data):
    path = data / SAMPLE / "0.png"
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    path.write_bytes(bytes(whole))


def store_as_jpeg(name):
    def change(data):
        picture = imread(data / MAPS / f"{name}.png", channels=0, device="cpu")
        (data / MAPS / f"{name}.png").unlink()
        imwrite(data / MAPS / f"{name}.jpg", picture)

    return change


ODD = {
    "photos 5 and 6": (rename_photos("5.png", "6.png"), True),
    "a gap": (rename_photos("0.png", "41.png"), True),
    "zeros in front": (rename_photos("00.png", "01.png"), True),
    "a third photo": (add_photos(3), True),
    "one photo": (lambda d: (d / SAMPLE / "views.json").unlink() or (d / SAMPLE / "1.png").unlink(), False),
    "named by words": (rename_photos("left.png", "right.png"), False),
    "JPEG alone": (rename_photos("0.jpg", "1.jpg"), False),
    "capitals": (rename_photos("0.PNG", "1.PNG"), False),
    "another picture beside them": (lambda d: (d / SAMPLE / "preview.png").write_bytes(b"no photo"), True),
    "notes beside them": (lambda d: (d / SAMPLE / "notes.jpg").write_bytes(b"no photo"), True),
    "a damaged third photo": (add_photos(3, b"no photo"), False),
    "a damaged photo beyond those that are read": (add_photos(17, b"no photo"), True),
    "alpha": (add_alpha, True),
    "grey photos": (lambda d: rewrite(d / SAMPLE / "0.png", lambda picture: picture[..., :1]), False),
    "a photo damaged in the middle": (damage_middle, False),
    "an empty photo": (lambda d: (d / SAMPLE / "0.png").write_bytes(b""), False),
    "no views.json": (lambda d: (d / SAMPLE / "views.json").unlink(), True),
    "a listed photo is gone": (lambda d: (d / SAMPLE / "1.png").rename(d / SAMPLE / "7.png"), False),
    "an empty views.json": (lambda d: (d / SAMPLE / "views.json").write_text(""), False),
    "a JPEG albedo": (store_as_jpeg("albedo"), True),
    "no metallic": (lambda d: (d / MAPS / "metallic.png").unlink(), False),
    "a damaged normal": (lambda d: (d / MAPS / "normal.png").write_bytes(b"no map"), False),
    "a material above": (lambda d: change_json(d / METADATA, lambda record: record.update(sample_0001="..")), False),
    "not in the metadata": (lambda d: change_json(d / METADATA, lambda record: record.pop("sample_0001")), False),
}
"""Folder → how it is made, and whether training can use it."""


def can_be_used(data):
    """Whether the dataset lists the sample and reads it."""
    dataset = PBRDataset(data / "input", data / "output", image_size=16, num_views=2)
    names = [listed.id for listed in dataset.entries]
    if SAMPLE.name not in names:
        return False
    try:
        dataset.sample(names.index(SAMPLE.name))
    except (FileError, OSError):
        return False
    return True


@pytest.mark.parametrize("folder", ODD)
def test_the_check_complains_of_a_sample_where_the_dataset_does_not_take_it(data, folder):
    change, usable = ODD[folder]
    change(data)
    assert can_be_used(data) == usable
    assert (problems(data) == []) == usable
