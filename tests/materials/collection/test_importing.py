"""Import: everything is either taken whole or told why not, and nothing leaves the destination."""

import json
import os
import shutil
from functools import cache

import numpy as np
import pytest
import torch
from PIL import Image

from easel.cli import main
from easel.graphics.files import FileError
from easel.graphics.image import imread, imwrite
from easel.materials.collection.importing import MANIFEST, ImportOptions, import_materials
from easel.materials.collection.procedural import procedural
from easel.materials.maps import MaterialMaps

SIZE = 32


@cache
def made(seed: int, size: int) -> MaterialMaps:
    return procedural(seed, size, "rusted_metal")


def save(folder, names: dict[str, str], seed: int = 0, size: int = SIZE) -> MaterialMaps:
    """The maps of a made material under other names."""
    maps = made(seed, size)
    for name, file in names.items():
        channels = maps[name].shape[0]
        imwrite(folder / file, maps.picture(name)[..., :channels])
    return maps


MATSYNTH = {name: f"{file}.png" for name, file in zip(
    ("albedo", "roughness", "metallic", "normal"), ("basecolor", "roughness", "metallic", "normal"), strict=True
)}  # fmt: skip


def ambient(name: str) -> dict[str, str]:
    words = {"albedo": "Color", "roughness": "Roughness", "metallic": "Metalness", "normal": "NormalGL"}
    return {key: f"{name}_1K-PNG_{word}.png" for key, word in words.items()}


def near(one: MaterialMaps, other: MaterialMaps, tolerance: float = 0.02) -> bool:
    return all((one[name] - other[name]).abs().max() < tolerance for name in one)


def test_sites_and_their_names(tmp_path):
    source, out = tmp_path / "in", tmp_path / "out"
    matsynth = save(source / "Metal" / "rust_01", MATSYNTH, 1)
    (source / "Metal" / "rust_01" / "metadata.json").write_text(
        json.dumps({"name": "rust", "license": "CC0", "source": "https://example.org/rust", "tags": [1]})
    )
    cg = save(source / "Metal049A_1K-PNG", ambient("Metal049A"), 2)
    haven = save(source / "rusty_metal_02", {"albedo": "rusty_metal_02_diff_1k.png"}, 3)
    packed = torch.cat([torch.ones(1, SIZE, SIZE), haven.roughness, haven.metallic]).permute(1, 2, 0)
    imwrite(source / "rusty_metal_02" / "rusty_metal_02_arm_1k.png", packed)
    directx = haven.picture("normal") * torch.tensor([1.0, -1, 1]) + torch.tensor([0.0, 1, 0])
    imwrite(source / "rusty_metal_02" / "rusty_metal_02_nor_dx_1k.png", directx)

    report = import_materials(source, out)

    assert not report.left_out
    assert {material.name for material in report.taken} == {"metal_rust_01", "metal049a_1k_png", "rusty_metal_02"}
    assert near(MaterialMaps.load(out / "metal_rust_01"), matsynth)
    assert near(MaterialMaps.load(out / "metal049a_1k_png"), cg)
    assert near(MaterialMaps.load(out / "rusty_metal_02"), haven)
    rust = next(material for material in report.taken if material.name == "metal_rust_01")
    assert (rust.licence, rust.origin) == ("CC0", "https://example.org/rust")
    assert rust.files["albedo"] == "Metal/rust_01/basecolor.png"
    notes = next(material for material in report.taken if material.name == "rusty_metal_02").notes
    assert any("turned up" in note for note in notes) and any("roughness from green" in note for note in notes)
    written = json.loads((out / MANIFEST).read_text())
    assert [material["name"] for material in written["taken"]] == [
        "metal049a_1k_png",
        "metal_rust_01",
        "rusty_metal_02",
    ]


def test_glossiness_is_turned_and_a_missing_metallic_is_zero(tmp_path):
    maps = save(tmp_path / "in" / "wood", {"albedo": "albedo.png", "normal": "n.png"})
    imwrite(tmp_path / "in" / "wood" / "gloss.png", 1 - maps.picture("roughness")[..., :1])
    (material,) = import_materials(tmp_path / "in", tmp_path / "out").taken
    loaded = MaterialMaps.load(tmp_path / "out" / "wood")
    assert (loaded.roughness - maps.roughness).abs().max() < 0.01
    assert not loaded.metallic.any()
    assert "no metallic map: 0" in material.notes
    report = import_materials(tmp_path / "in", tmp_path / "all", ImportOptions(require_all=True))
    assert [left.reason for left in report.left_out] == ["no file for metallic"]


def break_missing(folder):
    (folder / "roughness.png").unlink()


def break_truncated(folder):
    content = (folder / "normal.png").read_bytes()
    (folder / "normal.png").write_bytes(content[: len(content) // 2])


def break_shape(folder):
    imwrite(folder / "basecolor.png", torch.rand(16, SIZE, 3))


def break_tiny(folder):
    for name in MATSYNTH.values():
        imwrite(folder / name, imread(folder / name, channels=0, device="cpu", size=(8, 8)))


def break_normal(folder):
    imwrite(folder / "normal.png", torch.zeros(SIZE, SIZE, 3))


def break_grey_normal(folder):
    imwrite(folder / "normal.png", torch.ones(SIZE, SIZE, 1))


def break_udim(folder):
    for name in ("albedo", "normal"):
        shutil.copy(folder / MATSYNTH[name], folder / f"{name}_1001.png")
        shutil.copy(folder / MATSYNTH[name], folder / f"{name}_1002.png")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (break_missing, "no file for roughness"),
        (break_truncated, "normal.png"),
        (break_shape, "square"),
        (break_tiny, "16 texels"),
        (break_normal, "no normal map"),
        (break_grey_normal, "three channels"),
        (break_udim, "UDIM tiles (1001, 1002)"),
    ],
)
def test_what_does_not_fit_is_left_out_with_its_reason_and_nothing_is_written(tmp_path, fault, words):
    save(tmp_path / "in" / "bad", MATSYNTH)
    fault(tmp_path / "in" / "bad")
    report = import_materials(tmp_path / "in", tmp_path / "out")
    assert not report.taken
    (left,) = report.left_out
    assert left.place == "bad" and words in left.reason and "\n" not in left.reason
    assert os.listdir(tmp_path / "out") == [MANIFEST]


def test_copies_are_taken_once(tmp_path):
    for name in ("a", "b"):
        save(tmp_path / "in" / name, MATSYNTH)
    report = import_materials(tmp_path / "in", tmp_path / "out")
    assert [material.name for material in report.taken] == ["a"]
    assert [left.reason for left in report.left_out] == ["the same files as a"]


def test_several_materials_in_one_folder(tmp_path):
    for seed, name in enumerate(("oak", "pine")):
        save(tmp_path / "in", {key: f"{name}_{key}.png" for key in MATSYNTH}, seed)
    names = {material.name for material in import_materials(tmp_path / "in", tmp_path / "out").taken}
    assert names == {"oak", "pine"}


def test_a_second_run_skips_overwrites_or_only_looks(tmp_path):
    source, out = tmp_path / "in", tmp_path / "out"
    save(source / "a", MATSYNTH, 1)
    assert import_materials(source, out, ImportOptions(dry_run=True)).taken and not out.exists()
    import_materials(source, out)
    again = import_materials(source, out)
    assert [left.reason for left in again.left_out] == ["a is already there"]
    assert [material["name"] for material in json.loads((out / MANIFEST).read_text())["taken"]] == ["a"]
    new = save(source / "a", MATSYNTH, 2)
    assert import_materials(source, out, ImportOptions(overwrite=True)).taken
    assert near(MaterialMaps.load(out / "a"), new)
    assert sorted(os.listdir(out)) == ["a", MANIFEST]


def test_sizes_bits_links_and_trees(tmp_path):
    source = tmp_path / "in"
    maps = save(source / "x" / "a", MATSYNTH, 1, 64)
    import_materials(source, tmp_path / "small", ImportOptions(resize=32, flatten=False))
    assert MaterialMaps.load(tmp_path / "small" / "x" / "a").size == (32, 32)
    import_materials(source, tmp_path / "linked", ImportOptions(link=True))
    linked = tmp_path / "linked" / "x_a" / "albedo.png"
    assert linked.stat().st_ino == (source / "x" / "a" / "basecolor.png").stat().st_ino
    imwrite(source / "x" / "a" / "roughness.png", maps.picture("roughness")[..., :1], bits=16)
    imwrite(source / "x" / "a" / "basecolor.jpg", maps.picture("albedo"))
    (source / "x" / "a" / "basecolor.png").unlink()
    import_materials(source, tmp_path / "kept", ImportOptions(keep_ext=True))
    kept = tmp_path / "kept" / "x_a"
    assert (kept / "albedo.jpg").read_bytes() == (source / "x" / "a" / "basecolor.jpg").read_bytes()
    assert (MaterialMaps.load(kept).roughness - maps.roughness).abs().max() < 1e-4
    report = import_materials(source, tmp_path / "png", ImportOptions(extensions=(".png",)))
    assert [left.reason for left in report.left_out] == ["no file for albedo"]


def test_hostile_names_and_links_stay_inside(tmp_path):
    source, out, secret = tmp_path / "in", tmp_path / "out", tmp_path / "secret"
    save(secret, MATSYNTH, 1)
    save(source / "x\\..\\..\\evil\n; rm -rf" / "con", MATSYNTH, 2)
    save(source / ("é" * 100), MATSYNTH, 3)
    (source / "linked").symlink_to(secret, target_is_directory=True)
    save(source / "half", {"albedo": "albedo.png", "roughness": "roughness.png"}, 4)
    (source / "half" / "normal.png").symlink_to(secret / "normal.png")
    (source / "half" / "loop.png").symlink_to("loop.png")
    save(source, {"albedo": "metallic_hidden/.hidden/albedo.png"}, 5)
    report = import_materials(source, out)
    assert sorted(material.name for material in report.taken) == ["e" * 80, "x_evil_rm_rf_con"]
    assert any("leads out" in left.reason for left in report.left_out)
    assert sorted(os.listdir(tmp_path)) == ["in", "out", "secret"]
    assert sorted(os.listdir(out)) == ["e" * 80, MANIFEST, "x_evil_rm_rf_con"]


def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch):
    save(tmp_path / "in" / "a", MATSYNTH)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OSError, match="No space"):
        import_materials(tmp_path / "in", tmp_path / "out")
    assert os.listdir(tmp_path / "out") == []


def test_a_hostile_manifest_and_metadata_are_harmless(tmp_path):
    save(tmp_path / "in" / "a", MATSYNTH)
    (tmp_path / "in" / "a" / "info.json").write_text("[" * 100_000)
    (tmp_path / "in" / "a" / "LICENSE.txt").write_text("CC-BY 4.0\nmore\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / MANIFEST).write_text('{"taken": [{"name": 3}, 7]}')
    (material,) = import_materials(tmp_path / "in", tmp_path / "out").taken
    assert material.licence == "CC-BY 4.0"


def test_wrong_folders(tmp_path):
    with pytest.raises(FileError, match="no such folder"):
        import_materials(tmp_path / "nothing", tmp_path / "out")
    with pytest.raises(FileError, match="into itself"):
        import_materials(tmp_path, tmp_path)


def test_the_command(tmp_path, capsys):
    save(tmp_path / "in" / "a", MATSYNTH)
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "in" / "cat.png")
    assert main(["materials", "import", str(tmp_path / "in"), str(tmp_path / "out"), "--resize", "16"]) == 0
    told = capsys.readouterr().out
    assert "left out .: none of its 1 pictures has a map's name" in told and "wrote 1 materials, 1 left out" in told
    assert MaterialMaps.load(tmp_path / "out" / "a").size == (16, 16)
    assert main(["materials", "import", str(tmp_path / "nothing"), str(tmp_path / "out")]) == 2
