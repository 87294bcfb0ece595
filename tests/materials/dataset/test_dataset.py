import json
import logging
import shutil

import pytest
import torch

from easel.graphics.files import FileError
from easel.graphics.image import imread, imwrite
from easel.materials.dataset.dataset import PBRDataset
from easel.materials.dataset.views import VIEWS_FILE
from easel.materials.maps import MaterialMaps


def opened(folder, **options):
    return PBRDataset(folder / "input", folder / "output", **{"image_size": (32, 32), **options})


def names(dataset):
    return [entry.name for entry in dataset.entries]


def change_metadata(folder, **changes):
    path = folder / "input" / "render_metadata.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


# What comes out


def test_the_arguments_of_the_predecessor(write_dataset):
    folder = write_dataset()
    dataset = PBRDataset(
        input_dir=str(folder / "input"),
        output_dir=str(folder / "output"),
        metadata_path=str(folder / "input" / "render_metadata.json"),
        transform_mean=[0.5] * 3,
        transform_std=[0.5] * 3,
        image_size=(32, 32),
        use_dirty=False,
        curriculum_mode=0,
    )
    inputs, targets = dataset[0]
    assert len(dataset) == 4 and inputs.shape == (3, 3, 32, 32) and targets.shape == (4, 3, 32, 32)
    assert inputs.min() < -0.2 and inputs.abs().max() <= 1


def test_targets_are_the_four_maps_in_their_order_and_ranges(write_dataset):
    folder = write_dataset(bits=16)
    _, targets = opened(folder)[0]
    maps = MaterialMaps.load(folder / "output" / "material_0")
    assert torch.allclose(targets[0], maps.albedo, atol=1e-4)
    assert torch.allclose(targets[1], maps.roughness.expand(3, -1, -1), atol=1e-4)
    assert torch.allclose(targets[2], maps.metallic.expand(3, -1, -1), atol=1e-4)
    assert torch.allclose(targets[3], maps.normal, atol=1e-4)
    assert torch.allclose(targets[3].norm(dim=0), torch.ones(32, 32), atol=1e-5)
    assert torch.equal(MaterialMaps.from_targets(targets).to_targets(), targets)


@pytest.mark.parametrize("bits", [8, 16])
def test_photos_are_rectified(write_dataset, bits):
    sample = opened(write_dataset(bits=bits)).sample(1)
    error = ((sample.photos - sample.maps.albedo).abs() * sample.valid).sum() / (3 * sample.valid.sum())
    assert error < 0.006
    assert sample.valid.mean() > 0.95 and sample.cameras[0, 2] == pytest.approx(1.2)
    assert (sample.id, sample.source, sample.material) == ("sample_0001", "clean", "material_1")


def test_what_a_photo_does_not_show_is_zero(write_dataset):
    dataset = opened(write_dataset())
    inputs, _ = dataset[1]
    assert (inputs * (1 - dataset.sample(1).valid)).abs().sum() == 0


def test_sizes_differ_as_asked(write_dataset):
    inputs, targets = opened(write_dataset(), image_size=(16, 24), output_size=64)[0]
    assert inputs.shape == (3, 3, 16, 24) and targets.shape == (4, 3, 64, 64)
    assert torch.allclose(targets[3].norm(dim=0), torch.ones(64, 64), atol=1e-5)


def test_mixed_sizes_on_disk(write_dataset):
    folder = write_dataset()
    roughness = folder / "output" / "material_0" / "roughness.png"
    imwrite(roughness, imread(roughness, channels=1), size=(48, 48))
    photo = folder / "input" / "clean" / "sample_0000" / "1.png"
    imwrite(photo, imread(photo, channels=3), size=(50, 50))
    sample = opened(folder).sample(0)
    assert sample.photos.shape == (3, 3, 32, 32) and sample.maps.size == (32, 32)


def test_plain_photos_are_what_the_files_say(write_dataset):
    folder = write_dataset(cameras=False)
    sample = opened(folder, rectify="none", image_size=64).sample(2)
    stored = imread(folder / "input" / "clean" / "sample_0002" / "1.png", channels=3)
    assert torch.allclose(sample.photos[1], stored.movedim(-1, 0), atol=1e-6)
    assert sample.cameras.isnan().all() and sample.valid.all()


def test_photos_are_rectified_by_corners(write_dataset):
    folder = write_dataset(samples=2)
    expected = [opened(folder).sample(index) for index in range(2)]
    unit = torch.tensor([[0, 1, 1], [1, 1, 1], [1, 0, 1], [0, 0, 1.0]])
    for entry in opened(folder).entries:
        corners = {}
        for shot in entry.shots:
            places = unit @ shot.camera.uv_to_pixel().T
            corners[shot.file] = (places[:, :2] / places[:, 2:]).tolist()
        (folder / "input" / "clean" / entry.id / "corners.json").write_text(json.dumps(corners))
    dataset = opened(folder, rectify="corners")
    for index, known in enumerate(expected):
        assert torch.allclose(dataset.sample(index).photos, known.photos, atol=0.01)
    (folder / "input" / "clean" / "sample_0001" / "corners.json").write_text(
        '{"0.png": [[0, 0], [9, 9], [9, 0], [0, 9]]}'
    )
    with pytest.raises(FileError, match=r"corners\.json.*clockwise"):
        opened(folder, rectify="corners", strict=True)


def test_without_cameras_photos_that_match_nothing_stay_as_they_are(write_dataset):
    folder = write_dataset(cameras=False, samples=1)
    for photo in (folder / "input").rglob("*.png"):
        imwrite(photo, torch.full((40, 40, 3), 0.5))
    sample = opened(folder).sample(0)
    assert sample.valid.all() and sample.cameras.isnan().all()
    assert "no photo matches the albedo" in sample.notes[-1]


def test_what_memory_holds_is_what_the_disk_gives(write_dataset):
    folder = write_dataset()
    kept, read = opened(folder), opened(folder, cache_mib=0)
    kept.sample(0)
    for one, other in zip(kept[0], read[0], strict=True):
        assert torch.equal(one, other)
    for path in (folder / "input" / "clean").rglob("*.png"):
        path.unlink()
    kept.sample(0)
    with pytest.raises(FileNotFoundError):
        read.sample(0)


# Curricula and split


def test_curricula(write_dataset):
    folder = write_dataset(samples=3, sources=("clean", "dirty"))
    shutil.rmtree(folder / "input" / "dirty" / "sample_0001")
    shutil.rmtree(folder / "input" / "clean" / "sample_0002")
    assert names(opened(folder)) == ["sample_0000/clean", "sample_0001/clean"]
    mixed = ["sample_0000/clean", "sample_0000/dirty", "sample_0001/clean", "sample_0002/dirty"]
    assert names(opened(folder, curriculum_mode=1)) == mixed
    dirty = ["sample_0000/dirty", "sample_0002/dirty"]
    assert names(opened(folder, curriculum_mode=2)) == names(opened(folder, use_dirty=True)) == dirty
    assert names(opened(folder, curriculum_mode=1, use_dirty=True)) == mixed


def test_samples_come_in_the_order_of_their_numbers(write_dataset):
    folder = write_dataset(samples=3)
    clean = folder / "input" / "clean"
    for old, new in (("sample_0000", "sample_10"), ("sample_0001", "sample_9")):
        (clean / old).rename(clean / new)
        change_metadata(folder, **{new: "material_0"})
    assert names(opened(folder)) == ["sample_0002/clean", "sample_9/clean", "sample_10/clean"]


@pytest.mark.slow
def test_no_material_is_trained_on_and_validated(write_dataset):
    folder = write_dataset(samples=12, materials=6, views=1, sources=("clean", "dirty"))
    options = {"num_views": 1, "val_ratio": 0.34, "curriculum_mode": 1}
    train, val, both = (opened(folder, split=split, **options) for split in ("train", "val", None))
    materials = [{entry.material for entry in dataset.entries} for dataset in (train, val)]
    assert materials[0].isdisjoint(materials[1]) and len(materials[1]) == 2
    assert sorted(names(train) + names(val)) == sorted(names(both))
    # The same materials, whatever the curriculum takes and whatever is damaged.
    assert {entry.material for entry in opened(folder, split="val", **{**options, "curriculum_mode": 2}).entries} == (
        materials[1]
    )


def test_what_is_left_out_is_told_by_one_split_alone(write_dataset, caplog):
    folder = write_dataset(samples=4, materials=4, views=1)
    (folder / "input/clean/sample_0009").mkdir()
    for number in range(3):
        (folder / f"input/clean/sample_000{number}/0.png").write_bytes(b"damaged")
    splits = [opened(folder, split=split, num_views=1, val_ratio=0.5) for split in ("train", "val")]
    told = [problem.name for dataset in splits for problem in dataset.report.left_out]
    assert sorted(told) == [f"sample_000{number}/clean" for number in (0, 1, 2, 9)]
    assert sum(dataset.report.used for dataset in splits) == 1


def test_one_material_alone_is_not_validated(write_dataset):
    folder = write_dataset(materials=1)
    assert len(opened(folder, split="val")) == 0 and len(opened(folder, split="train")) == 4


# What is wrong


def test_without_metadata(write_dataset):
    folder = write_dataset()
    (folder / "input" / "render_metadata.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"render_metadata\.json"):
        opened(folder)


@pytest.mark.parametrize(("curriculum", "source"), [(0, "clean"), (1, "clean"), (1, "dirty"), (2, "dirty")])
def test_without_the_renders_of_the_curriculum(write_dataset, curriculum, source):
    folder = write_dataset(sources=("clean", "dirty"))
    shutil.rmtree(folder / "input" / source)
    with pytest.raises(FileNotFoundError, match=f"curriculum {curriculum} requires {source} renders"):
        opened(folder, curriculum_mode=curriculum)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"curriculum_mode": 3}, "curriculum is 0"),
        ({"rectify": "magic"}, "rectify is one of"),
        ({"image_size": 0}, "image_size is a height"),
        ({"transform_std": (1, 1)}, "have 3 numbers"),
        ({"transform_std": (1, 1, 0)}, "above 0"),
        ({"val_ratio": 1, "split": "val"}, "val_ratio"),
    ],
)
def test_arguments_out_of_range(write_dataset, options, message):
    with pytest.raises(ValueError, match=message):
        opened(write_dataset(samples=1), **options)


def lose_photo(folder):
    (folder / "input/clean/sample_0001/1.png").unlink()
    (folder / "input/clean/sample_0001" / VIEWS_FILE).unlink()


def lose_listed_photo(folder):
    imwrite(folder / "input/clean/sample_0001/7.png", torch.rand(8, 8, 3))
    (folder / "input/clean/sample_0001/1.png").unlink()


def truncate(path):
    return lambda folder: (folder / path).write_bytes((folder / path).read_bytes()[:-200])


TROUBLES = {
    "unlisted": (lambda folder: (folder / "input/clean/sample_0007").mkdir(), KeyError, "sample_0007", "metadata"),
    "no photo": (lose_photo, FileNotFoundError, r"has 2 photos \(0.png, 2.png\), this dataset wants 3", "photos"),
    "listed photo": (lose_listed_photo, FileNotFoundError, r"1\.png: views.json lists this photo", "photos"),
    "cut photo": (truncate("input/clean/sample_0001/2.png"), FileError, r"sample_0001/2\.png", "photos"),
    "grey photo": (
        lambda folder: imwrite(folder / "input/clean/sample_0001/0.png", torch.rand(8, 8)),
        FileError,
        r"0\.png.*3 channels",
        "photos",
    ),
    "views.json": (
        lambda folder: (folder / "input/clean/sample_0001/views.json").write_text("[1]"),
        FileError,
        r"views\.json",
        "photos",
    ),
    "three maps": (lambda folder: (folder / "output/material_1/metallic.png").unlink(), FileError, "metallic", "maps"),
    "cut map": (truncate("output/material_1/albedo.png"), FileError, r"material_1/albedo\.png", "maps"),
    "grey normal": (
        lambda folder: imwrite(folder / "output/material_1/normal.png", torch.rand(8, 8)),
        FileError,
        r"normal\.png.*3 channels",
        "maps",
    ),
    "no normals": (
        lambda folder: imwrite(folder / "output/material_1/normal.png", torch.zeros(32, 32, 3)),
        FileError,
        "every normal in it is zero",
        "maps",
    ),
    "no folder": (
        lambda folder: change_metadata(folder, sample_0055="material_0"),
        FileNotFoundError,
        "sample_0055.*neither",
        "folder",
    ),
    "list": (
        lambda folder: change_metadata(folder, sample_0001=["material_1"]),
        ValueError,
        "name of a folder",
        "name",
    ),
    "above": (lambda folder: change_metadata(folder, sample_0001=".."), ValueError, "name of a folder", "name"),
    "away": (lambda folder: change_metadata(folder, sample_0001="../../etc"), ValueError, "name of a folder", "name"),
    "long": (lambda folder: change_metadata(folder, sample_0001="ü" * 200), ValueError, "name of a folder", "name"),
    "half": (lambda folder: change_metadata(folder, sample_0001="\ud800"), ValueError, "name of a folder", "name"),
    "nul": (lambda folder: change_metadata(folder, sample_0001="a\0b"), ValueError, "name of a folder", "name"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_cannot_be_used_is_counted_or_with_strict_raised(write_dataset, caplog, trouble):
    make, error, message, kind = TROUBLES[trouble]
    folder = write_dataset(samples=2)
    make(folder)
    with caplog.at_level(logging.WARNING, "easel"):
        dataset = opened(folder)
    assert names(dataset) in (["sample_0000/clean"], ["sample_0000/clean", "sample_0001/clean"])
    assert sum(dataset.report.counts.values()) == 1 and kind in dataset.report.summary()
    assert len(caplog.records) == 1 and "1 sample left out" in caplog.text and "\n" not in caplog.messages[0]
    with pytest.raises(error, match=message):
        opened(folder, strict=True)


def test_nothing_left(write_dataset):
    folder = write_dataset()
    for number in range(2):
        (folder / "output" / f"material_{number}" / "normal.png").unlink()
    reasons = (
        r"No samples found: curriculum 0 requires clean renders .*4 samples left out: 4 without usable maps.*normal"
    )
    with pytest.raises(ValueError, match=reasons):
        opened(folder)


@pytest.mark.parametrize("text", ["", "[]", "nul", "[" * 100_000, '{"sample_0000": NaN}', b"\xff\xfe", '"sample_0000"'])
def test_metadata_that_is_none(write_dataset, text):
    folder = write_dataset(samples=1)
    (folder / "input" / "render_metadata.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(FileError, match=r"render_metadata\.json") as caught:
        opened(folder)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_metadata_without_end(write_dataset, monkeypatch):
    folder = write_dataset(samples=1)
    monkeypatch.setattr("easel.materials.dataset.listing.MOST_METADATA_BYTES", 1000)
    change_metadata(folder, sample_0001="x" * 2000)
    with pytest.raises(FileError, match="it is larger than"):
        opened(folder)


def test_names_in_the_metadata_that_lead_elsewhere_are_not_followed(write_dataset):
    folder = write_dataset(samples=1)
    hostile = ["../../sample_0", "x" * 5000, "ü" * 200, "half a \ud800", "/etc", ""]
    change_metadata(folder, **dict.fromkeys(hostile, "material_0"))
    report = opened(folder).report
    assert report.counts == {"without a folder": len(hostile)} and all(
        len(problem.line) < 300 for problem in report.left_out
    )
