"""The workstation from the command line to the files it leaves."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image

from easel.cli import main
from easel.graphics.image import imread, resize
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


@pytest.mark.slow
def test_the_same_seed_and_steps_give_the_same_bytes(photograph, tmp_path):
    for name in ("a", "b", "other"):
        fit(photograph, tmp_path / name, "--steps", "30", "--seed", "1" if name == "other" else "0")
    a, b, other = ((tmp_path / name / "prediction.png").read_bytes() for name in ("a", "b", "other"))
    assert a == b != other


@pytest.mark.slow
def test_seconds_end_the_fit(photograph, tmp_path):
    assert fit(photograph, tmp_path / "out", "--seconds", "0.3") == 0
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["seconds"] >= 0.3


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (2, 2)])
def test_tiny_pictures_are_fitted_too(size, tmp_path):
    Image.new("RGB", size, (10, 200, 30)).save(tmp_path / "tiny.png")
    assert fit(tmp_path / "tiny.png", tmp_path / "out", "--steps", "3") == 0
    assert imread(tmp_path / "out" / "prediction.png").shape[:2] == (size[1], size[0])


def test_headless_pictures_show_the_window_a_person_would_see(gl, photograph, tmp_path):
    assert main(["workstation", str(photograph), "--out", str(tmp_path), "--headless", "--steps", "200"]) == 0
    window = imread(tmp_path / "workstation.png", channels=3)
    prediction = imread(tmp_path / "prediction.png", channels=3)
    assert window.shape == (800, 1280, 3)
    # Right of the controls and above a row of them stands the prediction, enlarged, in the middle of its panel.
    seen = window[60:545, 330:790]
    lit = (seen - seen[0, 0]).abs().amax(-1) > 0.05
    rows, columns = lit.any(1).nonzero()[[0, -1], 0], lit.any(0).nonzero()[[0, -1], 0]
    shown = seen[rows[0] : rows[1] + 1, columns[0] : columns[1] + 1]
    assert shown.shape[1] / shown.shape[0] == pytest.approx(32 / 24, rel=0.02)
    # Enlarged and reduced again, the hard edge is blurred; any other picture would stay far below.
    assert psnr(resize(shown, (24, 32)), prediction) > 25


def test_with_a_display_it_is_a_window(xvfb, photograph, tmp_path):
    ended = subprocess.run(
        [sys.executable, "-m", "easel", str(photograph), "--out", str(tmp_path / "out"), "--steps", "50"],
        env={**os.environ, "DISPLAY": xvfb, "EASEL_MAX_FRAMES": "60", "XDG_CONFIG_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    assert "host: window" in ended.stdout
    assert {file.name for file in (tmp_path / "out").iterdir()} == FILES


def test_an_unknown_backend_in_the_environment_is_one_line_and_2(photograph, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("EASEL_BACKEND", "screen")
    assert main(["workstation", str(photograph), "--out", str(tmp_path), "--steps", "1"]) == 2
    assert "unknown backend 'screen'" in capfd.readouterr().err


@pytest.mark.slow
def test_no_disk_space_left_ends_with_one_line_and_1(photograph, tmp_path):
    # A limit on file sizes fails a write in the middle, as a full disk does.
    code = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64)); from easel.cli import main; "
    arguments = ["workstation", str(photograph), "--out", str(tmp_path / "out"), "--backend", "none", "--steps", "2"]
    ended = subprocess.run(
        [sys.executable, "-c", f"{code}sys.exit(main({arguments!r}))"], capture_output=True, text=True
    )
    assert ended.returncode == 1
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith("easel:")]
    assert "prediction.png" in line and "Traceback" not in ended.stderr
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_interrupted_fit_saves_what_there_is(number, code, photograph, tmp_path):
    program = subprocess.Popen(
        [sys.executable, "-m", "easel", str(photograph), "--out", str(tmp_path / "out"), "--backend", "none",
         "--seconds", "600", "--session", str(tmp_path / "session.json")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # tests that run under nohup ignore SIGHUP
    )  # fmt: skip
    with program:
        assert program.stdout is not None
        assert program.stdout.readline().startswith("host:")
        time.sleep(1.0)
        program.send_signal(number)
        try:
            out, err = program.communicate(timeout=60)
        finally:
            program.kill()
    assert program.returncode == code
    assert {file.name for file in (tmp_path / "out").iterdir()} == FILES
    assert "Traceback" not in err and "metrics.json" in out
    assert json.loads((tmp_path / "session.json").read_text())["pages"]["Fit"] == {"photograph": str(photograph)}
