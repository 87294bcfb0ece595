"""OpenEXR: what is stored comes back bit by bit, layers and odd channels are told apart, and lies are refused."""

import io
import logging
import struct
import sys

import numpy as np
import pytest
import torch

from easel.graphics.files import FileError
from easel.graphics.image import imread, imwrite, is_radiance

LOSSLESS = ("NO", "RLE", "ZIPS", "ZIP", "PIZ")


def noise(channels: int = 3, dtype: type = np.float32) -> np.ndarray:
    return (np.random.default_rng(0).standard_normal((11, 7, channels)) * 40).astype(dtype)


def write(exr, path, channels: dict, compression: str = "ZIP", **header) -> None:
    exr.File({"compression": getattr(exr, f"{compression}_COMPRESSION"), **header}, channels).write(str(path))


def read(path) -> torch.Tensor:
    return imread(path, channels=0, device="cpu")


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("half", [False, True])
def test_every_bit_comes_back(exr, tmp_path, channels, half):
    light = torch.from_numpy(noise(channels, np.float16 if half else np.float32)).float()
    light[0, 0], light[1, 1], light[2, 2] = torch.inf, -torch.inf, torch.nan
    light[3, 3] = -0.0
    imwrite(tmp_path / "x.exr", light, bits=16 if half else 8)
    back = read(tmp_path / "x.exr")
    assert torch.equal(back.view(torch.int32), light.view(torch.int32))
    assert is_radiance(tmp_path / "x.exr")


@pytest.mark.parametrize("compression", LOSSLESS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_files_of_other_programs(exr, tmp_path, compression, dtype):
    stored = noise(4, dtype)
    write(exr, tmp_path / "x.exr", dict(zip("RGBA", np.moveaxis(stored, -1, 0).copy(), strict=True)), compression)
    assert np.array_equal(read(tmp_path / "x.exr").numpy(), stored.astype(np.float32))


def test_tiles(exr, tmp_path):
    stored = np.tile(noise(3), (9, 13, 1))
    tiles = exr.TileDescription()
    tiles.xSize = tiles.ySize = 32
    write(exr, tmp_path / "x.exr", {"RGB": stored}, type=exr.tiledimage, tiles=tiles)
    assert np.array_equal(read(tmp_path / "x.exr").numpy(), stored)


def test_a_data_window_that_does_not_begin_at_zero(exr, tmp_path):
    stored = noise(3)
    window = np.array([-3, 5], np.int32), np.array([3, 15], np.int32)
    write(exr, tmp_path / "x.exr", {"RGB": stored}, dataWindow=window)
    assert np.array_equal(read(tmp_path / "x.exr").numpy(), stored)


def test_what_is_stored_beside_the_picture_is_left_out_and_told(exr, tmp_path, caplog):
    stored, depth = noise(3), noise(1)[..., 0].copy()
    write(exr, tmp_path / "x.exr", {"RGB": stored, "Z": depth, "glow.R": depth, "glow.G": depth})
    with caplog.at_level(logging.INFO, "easel"):
        assert np.array_equal(read(tmp_path / "x.exr").numpy(), stored)
    assert "took R G B, left out Z glow.G glow.R" in caplog.text


def test_what_other_channels_mean(exr, tmp_path):
    stored = noise(3)
    grey, alpha = stored[..., 0].copy(), stored[..., 1].copy()
    for channels, expected in (
        ({"Z": grey}, stored[..., :1]),
        ({"Y": grey, "A": alpha}, stored[..., [0, 0, 0, 1]]),
        ({f"beauty.{c}": stored[..., k].copy() for k, c in enumerate("RGB")} | {"Z": grey}, stored),
    ):
        write(exr, tmp_path / "x.exr", channels)
        assert np.array_equal(read(tmp_path / "x.exr").numpy(), expected)
    for channels, words in (
        ({"u": grey, "v": alpha}, "channels u, v"),
        ({"Y": grey, "RY": alpha, "BY": alpha}, "luminance and chroma"),
    ):
        write(exr, tmp_path / "x.exr", channels)
        with pytest.raises(FileError, match=words):
            read(tmp_path / "x.exr")


def test_the_first_of_many_parts(exr, tmp_path):
    parts = [exr.Part({"type": exr.scanlineimage}, {"RGB": noise(3) + k}, name) for k, name in enumerate("ab")]
    exr.File(parts).write(str(tmp_path / "x.exr"))
    assert np.array_equal(read(tmp_path / "x.exr").numpy(), noise(3))


@pytest.mark.parametrize("size", [(60_000, 60_000), (8192, 8193), (7, 2**30), (0, 5)])
def test_a_header_that_lies_about_its_size_is_refused(exr, tmp_path, size):
    file = io.BytesIO()
    exr.File({"compression": exr.ZIP_COMPRESSION}, {"RGB": noise(3)}).write(file)
    data, name = file.getvalue(), b"dataWindow\0box2i\0"
    start = data.index(name) + len(name) + 4
    lie = struct.pack("<4i", 0, 0, size[0] - 1, size[1] - 1)
    (tmp_path / "x.exr").write_bytes(data[:start] + lie + data[start + 16 :])
    with pytest.raises(FileError) as raised:
        read(tmp_path / "x.exr")
    assert "\n" not in str(raised.value)


def test_too_many_channels_are_refused_before_they_are_decoded(exr, tmp_path, monkeypatch):
    monkeypatch.setattr("easel.graphics.exr._MOST_SAMPLES", 1000)
    write(exr, tmp_path / "x.exr", {f"c{number}": noise(1)[..., 0].copy() for number in range(20)})
    with pytest.raises(FileError, match="numbers in all of its channels"):
        read(tmp_path / "x.exr")


def test_without_the_library_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "OpenEXR", None)
    (tmp_path / "x.exr").write_bytes(b"v/1\x01" + bytes(50))
    for call in (lambda: read(tmp_path / "x.exr"), lambda: imwrite(tmp_path / "y.exr", torch.zeros(2, 2))):
        with pytest.raises(FileError, match=r"needs OpenEXR: pip install 'torch-easel\[exr\]'"):
            call()
    assert not (tmp_path / "y.exr").exists()
