"""`easel materials render`, as a user runs it."""

import json

import pytest

from easel.cli import main
from easel.graphics.image import imread

TINY = ["--materials", "2", "--size", "16", "--views", "2"]


def render(out, *arguments):
    return main(["materials", "render", *TINY, *arguments, "--out", str(out)])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("made")
    assert render(out, "--clean-only") == 0
    return out


@pytest.mark.slow
def test_a_dataset_and_a_look_at_it(made, tmp_path, capsys):
    listed = json.loads((made / "input" / "render_metadata.json").read_text())
    assert list(listed) == ["sample_0000", "sample_0001"]
    assert not (made / "input" / "dirty").exists()
    for sample, material in listed.items():
        assert imread(made / "input" / "clean" / sample / "1.png").shape[:2] == (16, 16)
        assert imread(made / "output" / material / "normal.png").shape[:2] == (16, 16)
    sheet = imread(made / "overview.png", channels=3)
    assert sheet.shape[1] > 2.5 * sheet.shape[0] and sheet.std() > 0.1
    assert render(made, "--clean-only") == 0
    said = capsys.readouterr().out
    assert "2 of them were there" in said and str(made / "overview.png") in said and str(made / "input") in said


@pytest.mark.slow
def test_it_goes_on_after_what_is_there(made, tmp_path):
    from shutil import copytree

    copytree(made, tmp_path / "data")
    (tmp_path / "data/input/clean/sample_0001/0.png").unlink()
    assert render(tmp_path / "data", "--clean-only", "-c") == 0
    assert sorted(path.name for path in (tmp_path / "data/input/clean").iterdir()) == [
        f"sample_{index:04d}" for index in range(4)
    ]
    # what lacked a photo is as it was
    for file in made.glob("input/clean/*/*"):
        assert (tmp_path / "data" / file.relative_to(made)).read_bytes() == file.read_bytes()


@pytest.mark.slow
def test_maps_of_ones_own(made, tmp_path, capsys):
    (tmp_path / "maps" / "half").mkdir(parents=True)
    for folder in (made / "output").iterdir():
        (tmp_path / "maps" / f"my {folder.name}").symlink_to(folder)
    out = tmp_path / "data"
    arguments = ["--views", "1", "--size", "8", "--map-size", "24", "--bits", "16", "--both", "--light", "room"]
    assert main(["materials", "render", "--maps", str(tmp_path / "maps"), *arguments, "--out", str(out)]) == 0
    assert sorted(path.name for path in (out / "output").iterdir()) == [
        f"my {path.name}" for path in sorted((made / "output").iterdir())
    ]
    assert len(list(out.glob("input/clean/*/0.png"))) == len(list(out.glob("input/dirty/*/0.png"))) == 2
    assert "half is left out" in capsys.readouterr().err


@pytest.mark.slow
def test_downloads_are_imported_and_photographed_alone(tmp_path, capsys):
    import torch

    from easel.graphics.image import imwrite

    for name, value in (("Color", 0.4), ("Roughness", 0.7), ("NormalGL", 0.5), ("NormalDX", 0.5)):
        colour = torch.full((16, 16, 3), value)
        colour[..., 2] = 1.0 if "Normal" in name else value
        imwrite(tmp_path / "downloads/Bricks 01" / f"Bricks01_1K_{name}.png", colour)
    (tmp_path / "downloads/notes").mkdir()
    out = tmp_path / "data"
    arguments = ["--import-only", "--maps", str(tmp_path / "downloads"), "--clean-only", "--samples-per-material", "2"]
    assert render(out, *arguments) == 0
    listed = json.loads((out / "input/render_metadata.json").read_text())
    assert len(listed) == 2 and set(listed.values()) == {path.name for path in (out / "output").iterdir()}
    (material,) = (out / "output").iterdir()
    assert "ricks" in material.name and (imread(material / "roughness.png", channels=1) - 0.7).abs().max() < 0.01
    assert (out / "materials/import_manifest.json").exists()
    # again: what is there is kept
    assert render(out, *arguments) == 0
    assert "2 of them were there" in capsys.readouterr().out


def test_an_environment_file_is_the_light(tmp_path):
    import torch

    from easel.graphics.image import imwrite

    radiance = torch.full((8, 16, 3), 40.0)
    imwrite(tmp_path / "sky.hdr", radiance)
    arguments = ["--light", "environment", "--environment", str(tmp_path / "sky.hdr"), "--clean-only"]
    assert render(tmp_path / "data", *arguments, "--materials", "1") == 0
    views = json.loads((tmp_path / "data/input/clean/sample_0000/views.json").read_text())["views"]
    assert [light["source"] for light in views[0]["light"]] == [str(tmp_path / "sky.hdr")]
    # exposed for what there is of it: the photo is neither black nor white
    assert 0.02 < imread(tmp_path / "data/input/clean/sample_0000/0.png", channels=3).mean() < 0.9


BAD = {
    "no materials": (["--materials", "0"], "--materials is 1 to"),
    "too small": (["--size", "4"], "--size is 8 to"),
    "share": (["--p-dirty", "1.5"], "--p-dirty is 0 to 1"),
    "shard": (["--shard", "4/4"], "--shard is i/n"),
    "shard text": (["--shard", "first"], "--shard is i/n"),
    "counting shards": (["--shard", "0/2", "--continuing"], "--continuing"),
    "contradiction": (["--both", "--clean-only"], "--clean-only and --both"),
    "no file": (["--light", "environment"], "--environment FILE"),
    "no light": (["--environment", "sky.hdr"], "--light environment"),
    "lost file": (["--light", "environment", "--environment", "none.hdr"], "none.hdr"),
    "no folder": (["--maps", "nowhere"], "nowhere is no folder"),
    "no maps": (["--maps", "."], "materials import"),
    "import": (["--import-only"], "the folder of --maps"),
    "import shards": (["--import-only", "--maps", ".", "--shard", "0/2"], "easel materials import"),
    "nothing to import": (["--import-only", "--maps", "."], "has no folder with"),
    "other seed": (["--clean-only", "--seed", "1"], "Name another folder"),
    "other size": (["--clean-only", "--size", "24"], "Name another folder"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_one_line(made, tmp_path, capsys, monkeypatch, what):
    monkeypatch.chdir(tmp_path)
    arguments, reason = BAD[what]
    assert render(made, *arguments) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert reason in said[-1] and said[-1].startswith("easel: ")
