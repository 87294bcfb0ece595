"""`easel materials infer`: photos in, maps out, one line for what cannot be used."""

import json
import shutil

import pytest
import torch

from easel.cli import main
from easel.graphics.image import imread
from easel.materials.maps import MaterialMaps

WRITTEN = {
    "albedo.png", "roughness.png", "metallic.png", "normal.png", "maps.json", "preview.png", "contact_sheet.png",
}  # fmt: skip


@pytest.fixture
def infer(network, tmp_path, monkeypatch):
    monkeypatch.setattr("easel.commands.materials.infer.PREVIEW_SIDE", 24)
    monkeypatch.setattr("easel.commands.materials.infer.SHEET_SIDE", 24)

    def run(*arguments):
        command = ["materials", "infer", "--checkpoint", str(network), "--device", "cpu"]
        return main([*command, "--out-dir", str(tmp_path / "maps"), *map(str, arguments)])

    return run


@pytest.fixture
def photos(dataset):
    return dataset / "input" / "clean" / "sample_0001"


def test_photos_of_a_folder_become_maps(infer, photos, tmp_path, capsys):
    assert infer("--input-dir", photos) == 0
    out = tmp_path / "maps"
    assert {path.name for path in out.iterdir()} == WRITTEN | {"overlap.png", "view_0.png", "view_1.png", "view_2.png"}
    MaterialMaps.load(out).validate()
    record = json.loads((out / "maps.json").read_text())
    assert record["photos"] == ["0.png", "1.png", "2.png"] and record["registered_by"] == "camera"
    assert record["map_size"] == [32, 32] and len(record["network"]["weights_sha256"]) == 64
    assert "3 photos, registered by camera: 32 x 32 texels" in capsys.readouterr().out


@pytest.mark.slow
def test_a_sample_of_the_dataset_is_the_same_as_its_folder(infer, photos, tmp_path):
    assert infer("--input-dir", photos, "--bits", "16") == 0
    first = imread(tmp_path / "maps" / "albedo.png")
    assert infer("--sample-idx", 1, "--bits", "16") == 0
    assert torch.equal(imread(tmp_path / "maps" / "albedo.png"), first)


def test_larger_than_the_network_goes_by_tiles(infer, photos, tmp_path):
    assert infer("--input-dir", photos, "--size", 80, "--rectify", "none", "--tile", 48, "--overlap", 16) == 0
    record = json.loads((tmp_path / "maps" / "maps.json").read_text())
    assert record["map_size"] == [80, 80] and record["windows"] == 4


@pytest.mark.slow
def test_maps_are_refined_on_their_photos(infer, photos, tmp_path, capfd):
    assert infer("--input-dir", photos, "--refine", 3, "--tileable") == 0
    told = json.loads((tmp_path / "maps" / "maps.json").read_text())
    before, after = told["refined"]["difference"]
    assert after < before and told["refined"]["light"] == "guessed" and told["map_size"] == [32, 32]
    assert "refined at 32 x 32 texels under guessed light" in capfd.readouterr().out
    assert infer("--input-dir", photos, "--refine", 3, "--rectify", "none") == 2
    assert "match them" in capfd.readouterr().err


def test_one_photo_is_enough_and_maps_can_be_made_to_tile(infer, photos, tmp_path):
    folder = tmp_path / "one"
    folder.mkdir()
    shutil.copy(photos / "2.png", folder)
    assert infer("--input-dir", folder, "--tileable", "--size", 48) == 0
    record = json.loads((tmp_path / "maps" / "maps.json").read_text())
    assert record["photos"] == ["2.png"] and record["map_size"] == [48, 48]
    assert max(record["seams"].values()) <= 1.1


def test_uncertainty_is_a_picture_and_needs_two_photos(infer, photos, tmp_path, capfd):
    assert infer("--input-dir", photos, "--uncertainty") == 0
    assert imread(tmp_path / "maps" / "uncertainty.png").shape[:2] == (32, 32)
    capfd.readouterr()
    folder = tmp_path / "one"
    folder.mkdir()
    shutil.copy(photos / "2.png", folder)
    assert infer("--input-dir", folder, "--uncertainty") == 2
    assert "needs 2 or more" in capfd.readouterr().err


@pytest.mark.slow
def test_all_samples_and_all_folders_go_on_where_they_ended(infer, photos, dataset, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("easel.commands.materials.infer_all.SHEET_SIDE", 24)
    out = tmp_path / "maps"
    assert infer("--all", "--shard", "1/2") == 0
    assert sorted(path.name for path in out.iterdir()) == ["overview.png", "sample_0001", "sample_0003"]
    assert {path.name for path in (out / "sample_0001").iterdir()} == {
        "albedo.png", "roughness.png", "metallic.png", "normal.png", "maps.json",
    }  # fmt: skip
    maps = (out / "sample_0001" / "albedo.png").read_bytes()
    shutil.copytree(photos.parent, tmp_path / "photos")
    (tmp_path / "photos/sample_0002/0.png").write_bytes(b"cut")
    (out / ".sample_0000.sample_0000.partial").mkdir()  # what a killed process leaves
    capsys.readouterr()
    assert infer("--all", "--input-dir", tmp_path / "photos") == 1
    said = capsys.readouterr()
    assert "sample_0002 is left out: cannot read" in said.err and "3 materials; 2 of them were there" in said.out
    assert (out / "sample_0001" / "albedo.png").read_bytes() == maps and not list(out.glob(".*"))
    assert infer("--all", "--input-dir", tmp_path / "photos", "--bits", "16") == 1
    assert "3 materials\n" in capsys.readouterr().out
    assert (out / "sample_0001" / "albedo.png").read_bytes() != maps


@pytest.mark.slow
def test_bad_input_ends_with_one_line_and_2(infer, photos, dataset, network, tmp_path, capfd):
    cut = tmp_path / "cut"
    shutil.copytree(photos, cut)
    (cut / "1.png").write_bytes((photos / "1.png").read_bytes()[:100])
    hostile = tmp_path / "hostile.pth"
    hostile.write_bytes(b"\x80\x04cos\nsystem\n(S'touch /tmp/owned'\ntR.")
    (tmp_path / "half.safetensors").write_bytes(network.read_bytes()[:3000])
    for arguments, told in (
        (("--input-dir", photos.with_name("sample_0002x")), "Did you mean"),
        (("--input-dir", cut), "1.png"),
        (("--input-dir", dataset), "holds 0 photos"),
        (("--sample-idx", 4), "samples 0 to 3"),
        (("--sample-idx", -1), "counts from 0"),
        (("--data-root", tmp_path), "render_metadata.json"),
        (("--input-dir", photos, "--corners", "1", "2"), "8 numbers"),
        (("--input-dir", photos, "--corners", "1", "--rectify", "match"), "--corners goes with"),
        (("--input-dir", photos, "--overlap", 20, "--tile", 32), "--overlap and --tile"),
        (("--input-dir", photos, "--size", 3), "--size is 16"),
        (("--input-dir", photos, "--all"), "has none"),
        (("--all", "--uncertainty"), "are of one material"),
        (("--all", "--shard", "2/2"), "--shard is i/n"),
        (("--all", "--workers", -1), "--workers is 0 to"),
        (("--all", "--engine", "ray", "--device", "cuda:1"), "Say --device cuda"),
        (("--workers", 2), "add --all"),
        (("--input-dir", photos, "--device", "cuda:77"), "not there"),
        (("--input-dir", photos, "--device", "abacus"), "unknown device"),
        (("--input-dir", photos, "--checkpoint", hostile), "hostile.pth"),
        (("--input-dir", photos, "--checkpoint", tmp_path / "half.safetensors"), "half.safetensors"),
        (("--input-dir", photos, "--checkpoint", tmp_path / "hostil.pth"), "Did you mean"),
    ):
        assert infer(*arguments) == 2, arguments
        lines = capfd.readouterr().err.strip().splitlines()
        assert len(lines) == 1 and told in lines[0], (arguments, lines)
