"""`easel materials export` writes what other programs open, and `infer` takes it back."""

import pytest
import torch

from easel.cli import main
from easel.graphics.image import imread


@pytest.fixture
def export(network):
    return lambda *arguments: main(["materials", "export", str(network), *map(str, arguments)])


@pytest.mark.slow
def test_an_onnx_file_gives_the_maps_of_the_network(export, network, dataset, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("easel.commands.materials.infer.PREVIEW_SIDE", 24)
    monkeypatch.setattr("easel.commands.materials.infer.SHEET_SIDE", 24)
    assert export("--onnx", tmp_path / "net.onnx", "--inference", tmp_path / "net.pth") == 0
    assert "differ from torch's by" in capsys.readouterr().out
    photos = dataset / "input" / "clean" / "sample_0001"
    for source, out in ((["--checkpoint", network], "torch"), ([tmp_path / "net.onnx"], "onnx")):
        command = [*source, "--input", photos, "--output", tmp_path / out]
        assert main(["materials", "infer", *map(str, command)]) == 0
    for name in ("albedo", "roughness", "metallic", "normal"):
        found, expected = (imread(tmp_path / out / f"{name}.png") for out in ("onnx", "torch"))
        torch.testing.assert_close(found, expected, atol=1.01 / 255, rtol=0)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "nothing to write: name a file with --onnx"),
        (["--output", "net.zip"], "the suffix says what is written, .onnx, .mlpackage, .pth, .safetensors"),
        (["--onnx", "net.pth"], "a file of that kind is named *.onnx"),
        (["--onnx", "a.onnx", "--output", "b.onnx"], "are of the same kind"),
        (["--coreml", "net.mlpackage", "--test-resolution", "100"], "photos of 100 x 100 pixels"),
    ],
)
def test_bad_input_is_one_line(export, arguments, reason, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert export(*arguments) == 2
    said = capsys.readouterr().err.strip()
    assert reason in said and len(said.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_core_ml_elsewhere_than_on_macos_is_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    (tmp_path / "net.mlpackage").mkdir()
    assert main(["materials", "infer", str(tmp_path / "net.mlpackage"), "--input", str(tmp_path)]) == 2
    assert "Core ML runs on macOS alone" in capsys.readouterr().err
