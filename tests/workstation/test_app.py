"""The workstation from the command line to the files it leaves."""

import json

import pytest
import torch
from PIL import Image

from easel.cli import main
from easel.graphics.image import imread
from easel.graphics.metrics import psnr, ssim

FILES = {"prediction.png", "error.png", "workstation.png", "metrics.json"}


@pytest.fixture
def photograph(tmp_path, picture):
    path = tmp_path / "photograph.png"
    Image.fromarray((picture * 255).round().byte().numpy()).save(path)
    return path


def fit(photograph, out, *arguments):
    return main(["workstation", str(photograph), "--out", str(out), "--backend", "none", *arguments])


def test_leaves_four_files_whose_figures_are_true(photograph, tmp_path, capsys):
    assert fit(photograph, tmp_path / "out", "--steps", "60", "--seed", "5") == 0
    assert {file.name for file in (tmp_path / "out").iterdir()} == FILES
    said = capsys.readouterr().out
    assert "host: none" in said and all(name in said for name in FILES)

    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    saved, true = imread(tmp_path / "out" / "prediction.png", channels=3), imread(photograph, channels=3)
    assert metrics["psnr"] == pytest.approx(psnr(saved, true).item(), abs=1e-4)
    assert metrics["ssim"] == pytest.approx(ssim(saved, true).item(), abs=1e-4)
    assert (metrics["steps"], metrics["seed"], metrics["image_size"]) == (60, 5, [24, 32])
    assert metrics["backend"] == "none" and metrics["backend_reason"]
    assert {"seconds", "cpu_seconds", "parameters", "device"} <= metrics.keys()


def test_the_same_seed_and_steps_give_the_same_bytes(photograph, tmp_path):
    for name in ("a", "b", "other"):
        fit(photograph, tmp_path / name, "--steps", "30", "--seed", "1" if name == "other" else "0")
    a, b, other = ((tmp_path / name / "prediction.png").read_bytes() for name in ("a", "b", "other"))
    assert a == b != other


def test_seconds_end_the_fit(photograph, tmp_path):
    assert fit(photograph, tmp_path / "out", "--seconds", "0.3") == 0
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["seconds"] >= 0.3


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (2, 2)])
def test_tiny_pictures_are_fitted_too(size, tmp_path):
    Image.new("RGB", size, (10, 200, 30)).save(tmp_path / "tiny.png")
    assert fit(tmp_path / "tiny.png", tmp_path / "out", "--steps", "3") == 0
    assert imread(tmp_path / "out" / "prediction.png").shape[:2] == (size[1], size[0])


def test_headless_pictures_show_the_window_a_person_would_see(gl, photograph, tmp_path):
    assert main(["workstation", str(photograph), "--out", str(tmp_path), "--headless", "--steps", "20"]) == 0
    window = imread(tmp_path / "workstation.png", channels=3)
    assert window.shape == (800, 1280, 3)
    prediction = imread(tmp_path / "prediction.png", channels=3)
    # The mean colour of the prediction is found where its panel is: right of the controls, above the curves.
    assert torch.isfinite(window).all() and window.std() > 0.05
    assert prediction.shape == (24, 32, 3)
