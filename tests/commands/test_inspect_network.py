"""`easel inspect` from the command line to the files it leaves, and one line for whatever cannot be used."""

import csv
import json
import os

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from easel.cli import main
from easel.graphics.image import imread

MODELS = """
from torch import nn

def cnn():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5))

def empty():
    return nn.Sequential()

def failing():
    raise RuntimeError("no such weights")

def number():
    return 3
"""
SIZE = ["--size", "320", "200"]


def network():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5))


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Weights in two files, a module with models, and the folder that they are in, which is the current one."""
    torch.manual_seed(0)
    save_file(network().state_dict(), tmp_path / "a.safetensors")
    torch.save(network().state_dict(), tmp_path / "b.pt")
    torch.save(network(), tmp_path / "whole.pt")
    (tmp_path / "models_of_test.py").write_text(MODELS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def inspect(*arguments, out="out"):
    return main(["inspect", *arguments, "--headless", "--out", str(out), *SIZE])


def test_without_a_display_it_writes_what_there_is_to_see(gl, files, capsys):
    assert inspect("a.safetensors") == 0
    said = capsys.readouterr().out
    assert "4 tensors, 837 values" in said
    names = {path.name for path in (files / "out").iterdir()}
    assert names == {"overview.png", "statistics.json", "statistics.csv", "network.html"}
    assert all(f"wrote {'out' + os.sep + name}" in said for name in names)
    picture = imread(files / "out" / "overview.png", channels=3)
    assert picture.shape == (200, 320, 3) and (picture[..., 0] - picture[..., 2] > 0.2).sum() > 100


def test_statistics_are_those_of_the_tensors(gl, files):
    assert inspect("a.safetensors", "--statistics") == 0
    told = json.loads((files / "out" / "statistics.json").read_text())["tensors"]
    with (files / "out" / "statistics.csv").open(newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    weights = network().state_dict()
    assert {row["name"] for row in told} == set(weights) == set(rows)
    assert {row["name"]: row["count"] for row in told} == {name: w.numel() for name, w in weights.items()}
    assert float(rows["0.weight"]["max"]) == next(row["max"] for row in told if row["name"] == "0.weight")


def test_films_and_gltf_where_asked_for(gl, files):
    assert inspect("a.safetensors", "--turntable", "3", "--gltf") == 0
    with Image.open(files / "out" / "turntable.gif") as film:
        assert film.n_frames == 3 and film.size == (320, 200)
    assert (files / "out" / "network.glb").read_bytes()[:4] == b"glTF"


def test_a_difference_is_told_and_shown(gl, files, capsys):
    assert inspect("a.safetensors", "--diff", "b.pt") == 0
    assert "changed by" in capsys.readouterr().out
    assert inspect("a.safetensors", "--diff", "a.safetensors", out="same") == 0
    same = imread(files / "same" / "overview.png", channels=3)
    assert ((same[..., 0] - same[..., 2]).abs() > 0.2).sum() < (
        (imread(files / "out" / "overview.png", channels=3)[..., ::2].diff(dim=-1)).abs() > 0.2
    ).sum()


def test_a_function_and_the_activations_of_a_picture(gl, files, capsys):
    Image.new("RGB", (8, 8), (200, 30, 90)).save(files / "photo.png")
    assert inspect("models_of_test:cnn", "--activations", "photo.png") == 0
    assert "5 tensors" in capsys.readouterr().out


def test_a_forward_pass_that_fails_shows_what_ran(gl, files, capsys):
    Image.new("RGB", (9, 9)).save(files / "photo.png")
    assert inspect("models_of_test:cnn", "--activations", "photo.png") == 0
    assert "ended early" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["missing.safetensors"], "no such file"),
        (["whole.pt"], "run code"),
        (["text.pt"], "cut short"),
        (["no_such_module:function"], "no module"),
        (["models_of_test:nothing"], "nothing"),
        (["models_of_test:empty"], "nothing to show"),
        (["models_of_test:failing"], "no such weights"),
        (["models_of_test:number"], "int"),
        (["a.safetensors", "--diff", "other.pt"], "no tensor in common"),
        (["a.safetensors", "--activations", "photo.png"], "function"),
        (["a.safetensors", "--turntable", "-1"], "--turntable"),
    ],
)
def test_what_cannot_be_used_ends_with_one_line_and_2(files, capfd, arguments, word):
    (files / "text.pt").write_text("no weights " * 30)
    torch.save({"stranger": torch.zeros(3)}, files / "other.pt")
    Image.new("RGB", (8, 8)).save(files / "photo.png")
    assert inspect(*arguments) == 2
    said = capfd.readouterr().err.strip()
    assert len(said.splitlines()) == 1 and word in said and "Traceback" not in said


def test_a_folder_that_cannot_be_written_is_told(files, capfd):
    (files / "taken").write_text("")
    assert inspect("a.safetensors", out="taken") == 2
    said = capfd.readouterr().err.strip()
    assert len(said.splitlines()) == 1 and "--out" in said


def test_what_is_not_a_number_is_counted(gl, files, capsys):
    save_file({"w": torch.tensor([[1.0, float("nan")], [float("inf"), 0.0]])}, files / "bad.safetensors")
    assert inspect("bad.safetensors") == 0
    assert "1 NaN, 1 infinite" in capsys.readouterr().out
