"""`easel fields …`, as a user runs it: files that can be looked at, and one line where something does not fit."""

import json
import re

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from easel.cli import main
from easel.fields.artist.inrf import INRF2D
from easel.graphics.image import imread, imwrite


def pixels(path) -> np.ndarray:
    """What a picture file holds."""
    with Image.open(path) as picture:
        return np.asarray(picture)


SMALL = ["--x-dim", "24", "--y-dim", "32"]


@pytest.fixture
def painted(tmp_path):
    """A picture with its recipe inside."""
    assert main(["fields", "generate", "--seed", "3", *SMALL, "--out", str(tmp_path / "painted")]) == 0
    return next((tmp_path / "painted").glob("field-*.png"))


def test_generate_paints_what_the_seed_says(tmp_path, capsys):
    arguments = ["fields", "generate", "--topology", "siren", "--seed", "8", "--num-samples", "2", *SMALL]
    assert main([*arguments, "--tiff", "--out", str(tmp_path)]) == 0
    pictures = sorted(tmp_path.glob("field-*.png"))
    assert len(pictures) == 2 == len(list(tmp_path.glob("field-*.tif"))) and (tmp_path / "contact-sheet.png").exists()
    assert all(str(picture) in capsys.readouterr().out for picture in pictures[:1])
    seed = int(re.findall(r"\d+", pictures[0].stem)[0])
    model = INRF2D(graph_topology="siren", seed=seed, output_shape=(24, 32, 3))
    assert np.array_equal(pixels(pictures[0]), model.generate(dtype="uint8").numpy())


def test_a_picture_is_painted_again_larger_and_filmed(tmp_path, painted):
    large = tmp_path / "large.png"
    assert main(["fields", "render", str(painted), "--size", "72", "96", "--out", str(large)]) == 0
    # Three times as large: every third sample is the small picture's.
    assert np.array_equal(pixels(large)[1::3, 1::3], pixels(painted))
    arguments = ["--num-samples", "3", "--size", "12", "16", "--supersample", "1", "--out", str(tmp_path)]
    assert main(["fields", "zoom", str(painted), "--center", "0.2", "-0.1", *arguments]) == 0
    with Image.open(tmp_path / "zoom.gif") as film:
        assert film.size == (16, 12) and film.n_frames == 3
    walk = ["fields", "walk", str(painted), "--frames", "4", "--keys", "2", "--size", "12", "16", "--supersample", "1"]
    assert main([*walk, "--out", str(tmp_path / "walk.png")]) == 0
    assert len(list((tmp_path / "walk").glob("*.png")) or list(tmp_path.glob("walk*/*.png"))) == 4


@pytest.mark.slow
def test_a_photograph_becomes_a_field(tmp_path):
    photo = tmp_path / "photo.png"
    Image.fromarray(skimage.data.astronaut()[:64, :64]).save(photo)
    assert main(["fields", "fit", str(photo), "--steps", "60", "--out", str(tmp_path / "fit")]) == 0
    facts = json.loads((tmp_path / "fit" / "metrics.json").read_text())
    assert facts["steps"] == 60 and facts["psnr"] > 20 and facts["stopped_by"] == "steps"
    prediction = imread(tmp_path / "fit" / "prediction.png", channels=3)
    error = (prediction - imread(photo, channels=3)).square().mean()
    assert -10 * error.log10() == pytest.approx(facts["psnr"], abs=0.1)
    assert {"error.png", "curve.png", "field.safetensors"} <= {entry.name for entry in (tmp_path / "fit").iterdir()}
    again = tmp_path / "again.png"
    assert main(["fields", "render", str(tmp_path / "fit" / "field.safetensors"), "--out", str(again)]) == 0
    assert np.array_equal(pixels(again), pixels(tmp_path / "fit" / "prediction.png"))


def test_a_folder_of_pictures_has_every_format_that_is_read(tmp_path):
    folder = tmp_path / "light"
    for name in ("a.hdr", "b.pfm", "c.png"):
        imwrite(folder / name, torch.rand(16, 16, 3, generator=torch.Generator().manual_seed(0)))
    (folder / "notes.txt").write_text("no picture")
    assert main(["fields", "fit", str(folder), "--preset", "tiny", "--steps", "2", "--out", str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a", "b", "c"]


@pytest.mark.slow
def test_a_volume_and_its_pictures(tmp_path):
    size = ["--x-dim", "12", "--y-dim", "10", "--z-dim", "8", "--size", "24", "32"]
    assert main(["fields", "volume", "--seed", "2", *size, "--save", "npy", "--out", str(tmp_path)]) == 0
    assert np.load(tmp_path / "volume.npy").shape == (12, 10, 8, 3)
    assert pixels(tmp_path / "volume.png").shape == (24, 32, 3)
    assert main(["fields", "volume", str(tmp_path / "volume.npy"), *size[6:], "--out", str(tmp_path / "again")]) == 0
    assert (tmp_path / "again" / "volume.png").read_bytes() == (tmp_path / "volume.png").read_bytes()


def test_a_volume_becomes_a_field(tmp_path):
    ramp = np.linspace(0, 1, 10, dtype=np.float32)
    np.save(tmp_path / "ramp.npy", np.broadcast_to(ramp[:, None, None, None], (10, 9, 8, 1)).copy())
    arguments = ["--steps", "60", "--out", str(tmp_path / "fit")]
    assert main(["fields", "fit", str(tmp_path / "ramp.npy"), *arguments]) == 0
    facts = json.loads((tmp_path / "fit" / "metrics.json").read_text())
    assert facts["shape"] == [10, 9, 8, 1] and facts["psnr"] > 20
    assert (tmp_path / "fit" / "field.safetensors").exists()


@pytest.mark.slow
def test_exports(tmp_path, painted, onnx_runtime):
    assert main(["fields", "export", str(painted), "--out", str(tmp_path)]) == 0
    assert "<canvas" in (tmp_path / "field.html").read_text(encoding="utf-8")
    assert onnx_runtime.InferenceSession(tmp_path / "field.onnx").get_outputs()[0].name == "values"


@pytest.mark.slow
def test_a_folder_becomes_a_map(tmp_path):
    folder = tmp_path / "gallery"
    assert main(["fields", "generate", "--seed", "1", "--num-samples", "3", *SMALL, "--out", str(folder)]) == 0
    assert main(["fields", "analyze", str(folder), "--by", "recipe", "--out", str(tmp_path)]) == 0
    placed = pixels(tmp_path / "map.png")
    assert placed.std() > 3 and (tmp_path / "settings.png").exists()


@pytest.mark.slow
def test_options_come_from_a_file_and_the_command_line_overrides_them(tmp_path, capsys):
    conf = tmp_path / "options.yaml"
    conf.write_text(
        "topology: siren\nx_dim: 16\ny_dim: 16\nseed: 5\nnoise_dim: 4\nactivation_set: basic\nuse_gpu: true\n"
    )
    assert main(["fields", "generate", "--conf", str(conf), "--y-dim", "20", "--out", str(tmp_path)]) == 0
    model = INRF2D.from_metadata(next(tmp_path.glob("field-*.png")))
    assert model.output_shape == (16, 20, 3) and model.latent_dim == 4 and model.recipe.network.topology == "siren"
    said = capsys.readouterr().err
    assert "noise_dim" in said and "neural-canvas" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("topologie: mlp", "'topologie'. Did you mean 'topology'?"),
        ("x_dim: many", "x_dim cannot be 'many'; it is a whole number"),
        ("topology: cube", "one of mlp, simple, conv, WS, siren"),
        ("- a\n- b", "`option: value` lines"),
        ("a: [b", "no YAML"),
        ("!!python/object/apply:os.system ['true']", "no YAML"),
    ],
)
def test_a_bad_file_of_options_is_one_line(tmp_path, capsys, text, said):
    conf = tmp_path / "options.yaml"
    conf.write_text(text)
    assert main(["fields", "generate", "--conf", str(conf), "--out", str(tmp_path / "out")]) == 2
    line = capsys.readouterr().err.strip()
    assert said in line and len(line.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["generate", "--x-dim", "0"], "0"),
        (["generate", "--num-samples", "0"], "--num-samples"),
        (["generate", "--activations", "Gelo"], "GELU"),
        (["generate", "--width", "0"], "width"),
        (["render", "missing.png"], "missing.png"),
        (["render", "notes.txt"], "holds no field"),
        (["zoom", "plain.png"], "plain.png"),
        (["fit", "plain.png", "--preset", "fastest"], "Known: fast"),
        (["fit", "plain.png", "--steps", "2", "--num-epochs", "2"], "give one"),
        (["fit", "missing.png"], "missing.png"),
        (["volume", "missing.nii"], "missing.nii"),
        (["walk", "--seed", "1", "--keys", "1"], "two keys"),
        (["analyze", "."], "at least 3 pictures"),
        (["export", "plain.png"], "plain.png"),
    ],
)
def test_what_does_not_fit_is_one_line_and_nothing_is_left(tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save("plain.png")
    assert main(["fields", *arguments]) == 2
    line = capsys.readouterr().err.strip()
    assert said in line and len(line.splitlines()) == 1 and "Traceback" not in line
    assert [entry for entry in tmp_path.rglob("*") if entry.is_file()] == [tmp_path / "plain.png"]
