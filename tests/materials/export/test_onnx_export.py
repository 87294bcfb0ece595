"""An ONNX file gives torch's maps, for photos of any number and size, with and without masks and cameras."""

import pytest
import torch

from easel.graphics.files import FileError
from easel.materials.export import onnx_export, running
from easel.materials.export.onnx_export import MOST_ERROR, least_side, save_onnx
from easel.materials.export.running import ExportError
from easel.materials.maps import MAP_NAMES


def differences(file, trained, views, valid=None, cameras=None):
    with torch.inference_mode():
        expected = trained.model(views, valid, cameras)
    found = file.model(views, valid, cameras)
    return max(float((found[name] - expected[name]).abs().max()) for name in MAP_NAMES)


@pytest.mark.slow
def test_any_number_and_size_of_photos_gives_torchs_maps(trained, tmp_path):
    network = trained(fusion="pool", output=128)
    record = save_onnx(tmp_path / "net.onnx", network)
    assert not record.fixed and record.error < MOST_ERROR
    file = running.load_exported(tmp_path / "net.onnx")
    assert (file.digest, file.step) == (network.digest, 7) and file.config.to_dict() == network.config.to_dict()
    for photos, height, width in ((1, 64, 64), (5, 96, 160)):
        assert differences(file, network, torch.randn(1, photos, 3, height, width)) < MOST_ERROR
    masks = torch.rand(1, 2, 1, 96, 64).round()
    assert differences(file, network, torch.randn(1, 2, 3, 96, 64), masks) < MOST_ERROR
    for odd in (torch.randn(1, 2, 3, 96, 72), torch.randn(1, 2, 3, 32, 64)):
        with pytest.raises(ExportError, match="64 pixels and more on each side, in multiples of 32; got"):
            file.model(odd)


@pytest.mark.slow
def test_the_compact_network_takes_cameras_that_may_be_left_out(trained, tmp_path):
    network = trained(encoder_type="compact")
    save_onnx(tmp_path / "net.onnx", network, fixed=True)
    file = running.load_exported(tmp_path / "net.onnx")
    views, cameras = torch.rand(1, 3, 3, 64, 64) * 2 - 1, torch.tensor([[[0.3, 0.1, 1.0]] * 3])
    assert differences(file, network, views) < MOST_ERROR
    assert differences(file, network, views, torch.ones(1, 3, 1, 64, 64), cameras) < MOST_ERROR
    with pytest.raises(ExportError, match="takes photos of 64 x 64 pixels; got 96 x 64"):
        file.model(torch.zeros(1, 3, 3, 64, 96))


def test_photos_are_larger_than_a_window_of_attention(trained):
    assert least_side(trained(fusion="pool").config.model) == 64
    assert least_side(trained(fusion="vit", window_size=64).config.model) == 160
    mobile = {"encoder_type": "mobilenetv3", "encoder_backbone": "mobilenet_v3_small", "window_size": 4}
    assert least_side(trained(**mobile).config.model) == 96


def test_what_cannot_be_exported_is_told_before_anything_is_written(trained, tmp_path, monkeypatch):
    network = trained(fusion="pool")
    with pytest.raises(ExportError, match="opset 5: this network is written in opsets 18 to"):
        save_onnx(tmp_path / "net.onnx", network, opset=5)
    monkeypatch.setattr(onnx_export, "MOST_BYTES", 1000)
    with pytest.raises(ExportError, match="less than 2 GiB"):
        save_onnx(tmp_path / "net.onnx", network)
    assert not list(tmp_path.iterdir())


def test_a_file_of_another_kind_is_refused_in_one_line(tmp_path):
    (tmp_path / "noise.onnx").write_bytes(b"no model at all")
    with pytest.raises(FileError, match="no ONNX file, or a damaged one"):
        running.load_exported(tmp_path / "noise.onnx")
