"""Round trips through files, channels and sizes, and the rules for what is a picture."""

import errno
import os
import resource
import signal
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from easel.graphics.files import FileError
from easel.graphics.image import (
    as_picture,
    as_tensor,
    check_tensor,
    from_batch,
    imread,
    imwrite,
    is_radiance,
    resize,
    to_batch,
)
from easel.graphics.picture_formats import SUFFIXES

EIGHT_BITS = (".png", ".bmp", ".tga")
FLOATS = (".tif", ".tiff", ".npy")
EXR = pytest.mark.skipif(find_spec("OpenEXR") is None, reason="needs the extra exr")
EVERY_SUFFIX = [pytest.param(suffix, marks=EXR if suffix == ".exr" else ()) for suffix in SUFFIXES]


def _picture(height: int = 9, width: int = 7, channels: int = 3, seed: int = 0) -> torch.Tensor:
    return torch.rand(height, width, channels, generator=torch.Generator().manual_seed(seed))


def _read(path, **options) -> torch.Tensor:
    return imread(path, **{"channels": 0, "device": "cpu"} | options)


shapes = st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3, 4]))


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(shape=shapes, seed=st.integers(0, 99))
def test_every_lossless_format_gives_back_what_was_written(tmp_path_factory, shape, seed):
    folder = tmp_path_factory.getbasetemp()
    picture = _picture(*shape, seed=seed)
    in_bytes = (picture * 255).round() / 255
    for suffix in EIGHT_BITS:
        imwrite(folder / f"x{suffix}", in_bytes)
        assert torch.equal(_read(folder / f"x{suffix}"), in_bytes), suffix
        imwrite(folder / f"x{suffix}", picture)
        assert (_read(folder / f"x{suffix}") - picture).abs().max() <= 1 / 510 + 1e-7, suffix
    for suffix in FLOATS:
        imwrite(folder / f"x{suffix}", 7 * picture - 3)
        assert torch.equal(_read(folder / f"x{suffix}"), 7 * picture - 3), suffix
    imwrite(folder / "x.png", picture, bits=16)
    assert (_read(folder / "x.png") - picture).abs().max() <= 1 / 131_070 + 1e-7


def test_every_level_of_8_and_16_bits_survives(tmp_path):
    for bits, levels in ((8, 256), (16, 65536)):
        picture = (torch.arange(levels) / (levels - 1)).reshape(-1, 64, 1).expand(-1, -1, 3)
        imwrite(tmp_path / "x.png", picture, bits=bits)
        assert torch.equal(_read(tmp_path / "x.png"), picture)


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".webp"])
def test_lossy_formats_stay_close_and_obey_quality(tmp_path, suffix):
    picture = resize(_picture(4, 4), (64, 64))
    for quality in (95, 30):
        imwrite(tmp_path / f"{quality}{suffix}", picture, quality=quality)
    assert (_read(tmp_path / f"95{suffix}") - picture).abs().mean() < 0.01
    assert (tmp_path / f"30{suffix}").stat().st_size < (tmp_path / f"95{suffix}").stat().st_size


def test_what_is_beyond_the_range_is_clamped_and_nan_is_black(tmp_path):
    imwrite(tmp_path / "x.png", torch.tensor([[-1.0, 2.0, torch.nan, torch.inf, -torch.inf, 0.5]]))
    assert (_read(tmp_path / "x.png")[0, :, 0] * 255).tolist() == [0, 255, 0, 255, 0, 128]


def test_reading_chooses_channels(tmp_path):
    picture = torch.tensor([[[0.2, 0.4, 0.6, 0.8]]])
    imwrite(tmp_path / "x.tif", picture)
    assert torch.equal(_read(tmp_path / "x.tif", channels=4), picture)
    assert torch.equal(_read(tmp_path / "x.tif", channels=3), picture[..., :3])
    grey = _read(tmp_path / "x.tif", channels=1)
    assert grey.shape == (1, 1, 1) and grey.item() == pytest.approx(0.299 * 0.2 + 0.587 * 0.4 + 0.114 * 0.6)
    imwrite(tmp_path / "grey.tif", picture[..., :1])
    assert imread(tmp_path / "grey.tif", device="cpu").flatten().tolist() == pytest.approx([0.2, 0.2, 0.2, 1.0])
    with pytest.raises(ValueError, match="channels=2"):
        imread(tmp_path / "x.tif", channels=2)


def test_writing_drops_replicates_and_adds_alpha(tmp_path):
    picture = torch.tensor([[[0.2, 0.4, 0.6, 0.8]]])
    written = {}
    for have in (1, 3, 4):
        for want in (0, 1, 3, 4):
            imwrite(tmp_path / "x.tif", picture[..., :have], channels=want)
            written[have, want] = [round(value, 6) for value in _read(tmp_path / "x.tif").flatten().tolist()]
    assert written == {
        (1, 0): [0.2],
        (1, 1): [0.2],
        (1, 3): [0.2, 0.2, 0.2],
        (1, 4): [0.2, 0.2, 0.2, 1.0],
        (3, 0): [0.2, 0.4, 0.6],
        (3, 1): [0.2],
        (3, 3): [0.2, 0.4, 0.6],
        (3, 4): [0.2, 0.4, 0.6, 1.0],
        (4, 0): [0.2, 0.4, 0.6, 0.8],
        (4, 1): [0.2],
        (4, 3): [0.2, 0.4, 0.6],
        (4, 4): [0.2, 0.4, 0.6, 0.8],
    }


@pytest.mark.parametrize("suffix", EVERY_SUFFIX)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_every_format_takes_every_picture_even_of_one_pixel(tmp_path, suffix, channels):
    for height, width in ((1, 1), (3, 5)):
        imwrite(tmp_path / "new" / "folder" / f"x{suffix.upper()}", torch.full((height, width, channels), 0.5))
        read = _read(tmp_path / "new" / "folder" / f"x{suffix.upper()}", channels=3)
        assert read.shape == (height, width, 3) and (read - 0.5).abs().max() < 0.01


def test_sizes_are_height_and_width_when_read_and_written(tmp_path):
    imwrite(tmp_path / "x.tif", _picture(8, 12), size=(4, 6))
    assert _read(tmp_path / "x.tif").shape == (4, 6, 3)
    read = _read(tmp_path / "x.tif", size=(10, 3), channels=4)
    assert read.shape == (10, 3, 4) and read.is_contiguous()


@pytest.mark.parametrize(
    ("options", "word"),
    [({"quality": 0}, "quality"), ({"bits": 12}, "bits"), ({"channels": 2}, "channels"), ({"size": (0, 4)}, "size")],
)
def test_wrong_arguments_are_named_and_nothing_is_written(tmp_path, options, word):
    with pytest.raises(ValueError, match=word):
        imwrite(tmp_path / "x.png", _picture(), **options)
    with pytest.raises(ValueError, match="bits"):
        imwrite(tmp_path / "x.tif", _picture(), bits=16)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["x.xyz", "x", ".png", "x.psd", "x.gif"])
def test_an_unknown_suffix_lists_the_known_ones(tmp_path, name):
    with pytest.raises(FileError, match=r"\.png \.jpg") as raised:
        imwrite(tmp_path / "sub" / name, _picture())
    assert name in str(raised.value) and "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("suffix", "width"), [(".webp", 16_384), (".jpg", 65_536), (".tga", 65_536)])
def test_a_picture_too_large_for_the_format_is_refused(tmp_path, suffix, width):
    with pytest.raises(FileError, match=f"{width} x 1"):
        imwrite(tmp_path / f"x{suffix}", torch.zeros(1, width))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", EVERY_SUFFIX)
def test_a_full_disk_passes_through_and_leaves_what_was_there(tmp_path, monkeypatch, suffix):
    from pathlib import Path

    path = tmp_path / f"x{suffix}"
    path.write_bytes(b"before")
    write_bytes = Path.write_bytes

    def half(self, data):
        write_bytes(self, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError) as raised:
        imwrite(path, _picture())
    assert raised.value.errno == errno.ENOSPC
    assert path.read_bytes() == b"before" and [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", EVERY_SUFFIX)
def test_a_real_limit_of_the_system_does_the_same(tmp_path, suffix):
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(OSError) as raised:
            imwrite(tmp_path / f"x{suffix}", _picture(64, 64))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert raised.value.errno == errno.EFBIG and list(tmp_path.iterdir()) == []


def test_radiance_is_told_by_content(tmp_path):
    imwrite(tmp_path / "x.hdr", _picture())
    imwrite(tmp_path / "x.png", _picture())
    (tmp_path / "x.hdr").rename(tmp_path / "light.bin")
    assert is_radiance(tmp_path / "light.bin") and not is_radiance(tmp_path / "x.png")


DTYPES = {
    torch.float32: 1,
    torch.float16: 1,
    torch.bfloat16: 1,
    torch.float64: 1,
    torch.uint8: 255,
    torch.uint16: 65535,
    torch.bool: 1,
}


@pytest.mark.parametrize("dtype", DTYPES)
def test_each_dtype_has_its_white(dtype):
    white = torch.full((2, 3, 1), DTYPES[dtype]).to(dtype)
    checked, picture = check_tensor(white), as_picture(white)
    assert checked.dtype == dtype and checked.data_ptr() == white.data_ptr()
    assert picture.dtype == torch.float32 and torch.equal(picture, torch.ones(2, 3, 1))
    assert torch.equal(as_picture(torch.zeros_like(white)), torch.zeros(2, 3, 1))


def test_bytes_become_exact_fractions():
    levels = torch.arange(256, dtype=torch.uint8).reshape(16, 16)
    assert torch.equal(as_picture(levels)[..., 0], torch.arange(256).reshape(16, 16).to(torch.float32) / 255)


@pytest.mark.parametrize("dtype", [torch.int8, torch.int16, torch.int32, torch.int64, torch.uint32, torch.complex64])
def test_other_dtypes_point_to_colormap(dtype):
    with pytest.raises(ValueError, match=r"dtype .*colormap"):
        check_tensor(torch.zeros(2, 2, dtype=dtype))


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((5,), ["2D or 3D"]),
        ((1, 3, 8, 8), ["2D or 3D", "x[0].permute(1, 2, 0)"]),
        ((2, 8, 8, 3), ["2D or 3D", "x[0]"]),
        ((), ["2D or 3D"]),
        ((3, 8, 8), ["Expected 1, 3, or 4 channels, got 8", "permute(1, 2, 0)"]),
        ((8, 8, 2), ["Expected 1, 3, or 4 channels, got 2", "colormap"]),
        ((8, 8, 5), ["Expected 1, 3, or 4 channels, got 5", "x[..., :3]"]),
        ((0, 8), ["at least one pixel"]),
        ((8, 0, 3), ["at least one pixel"]),
    ],
)
def test_other_shapes_say_what_fits(shape, words):
    with pytest.raises(ValueError) as raised:
        check_tensor(torch.zeros(shape), "canvas 'prediction'")
    assert str(raised.value).startswith("canvas 'prediction' ")
    assert all(word in str(raised.value) for word in words)
    assert str(tuple(shape)) in str(raised.value)


def test_a_picture_is_detached_and_shares_its_memory():
    weights = torch.rand(4, 5, 3, requires_grad=True)
    picture = as_picture(weights)
    assert not picture.requires_grad and picture.grad_fn is None and not as_picture(weights * 2).requires_grad
    with torch.no_grad():
        weights.fill_(0.25)
    assert torch.equal(picture, torch.full((4, 5, 3), 0.25))
    array = np.zeros((4, 5), np.float32)
    shown = as_picture(array)
    array[:] = 0.5
    assert shown.shape == (4, 5, 1) and torch.equal(shown, torch.full((4, 5, 1), 0.5))


def test_any_strides_are_fine():
    planes = torch.rand(3, 5, 7)
    assert torch.equal(as_picture(planes.permute(1, 2, 0)), planes.permute(1, 2, 0))
    assert as_picture(torch.rand(8, 9)[::2, 1::3]).shape == (4, 3, 1)


def test_awkward_numpy_arrays():
    array = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    expected = torch.from_numpy(array.copy()) / 255
    assert torch.equal(as_picture(array[::-1]), expected.flip(0))
    locked = array.copy()
    locked.flags.writeable = False
    assert torch.equal(as_picture(locked), expected)
    assert torch.equal(as_picture(array.astype(">f4") / 255), expected)
    assert torch.equal(as_picture(array.astype(">u2") * 257), expected)


def test_pil_images_are_pictures():
    array = np.random.default_rng(0).integers(0, 256, (4, 5, 4), np.uint8)
    for mode, channels in (("L", 1), ("RGB", 3), ("RGBA", 4), ("P", 3), ("1", 1), ("LA", 4), ("F", 1), ("CMYK", 3)):
        image = Image.fromarray(array).convert(mode)
        assert as_picture(image).shape == (4, 5, channels), mode
    assert torch.equal(as_picture(Image.fromarray(array)), torch.from_numpy(array) / 255)
    with pytest.raises(ValueError, match="dtype int32"):
        as_picture(Image.new("I", (5, 4)))


def test_other_things_are_no_picture():
    with pytest.raises(TypeError, match="got list"):
        as_tensor([[0.0]])  # behind the annotated doors, which under test refuse it before they open


def test_batch_and_picture_are_inverse_views():
    picture = _picture()
    assert to_batch(picture).shape == (1, 3, 9, 7)
    assert torch.equal(from_batch(to_batch(picture)), picture)
    assert from_batch(to_batch(picture)).data_ptr() == picture.data_ptr()
    assert to_batch(picture)[0, 2, 4, 5] == picture[4, 5, 2]


@settings(deadline=None, max_examples=30)
@given(shape=shapes, size=st.tuples(st.integers(1, 50), st.integers(1, 50)), value=st.floats(0, 1, width=32))
def test_resizing_keeps_constants_and_range(shape, size, value):
    assert (resize(torch.full(shape, value), size) - value).abs().max() <= 1e-6
    resized = resize(_picture(*shape), size)
    assert resized.shape == (*size, shape[2])
    assert resized.min() >= -1e-6 and resized.max() <= 1 + 1e-6


def test_shrinking_averages_and_the_same_size_is_free():
    stripes = torch.zeros(64, 64, 1)
    stripes[:, ::2] = 1
    inner = resize(stripes, (8, 8))[:, 1:-1]
    assert (inner - 0.5).abs().max() < 0.02  # without antialiasing it would be 0 or 1
    assert resize(stripes, (64, 64)) is stripes
    half = resize(torch.arange(4.0).reshape(2, 2, 1), (1, 1))
    assert half.item() == pytest.approx(1.5)


def test_a_picture_may_go_into_memory_that_a_window_lends(tmp_path):
    class Lending:
        def __init__(self) -> None:
            self.lent = torch.zeros(2, 3, 4)

        def share(self, height, width, channels, device):
            assert self.lent.shape == (height, width, channels) and device == self.lent.device
            return self.lent

    class Poor:
        def share(self, height, width, channels, device):
            return None

    picture = torch.rand(2, 3, 4)
    imwrite(tmp_path / "picture.npy", picture)
    window = Lending()
    read = imread(tmp_path / "picture.npy", device="cpu", shared=True, window=window)
    assert read is window.lent and torch.equal(read, picture)
    assert torch.equal(imread(tmp_path / "picture.npy", device="cpu", shared=True, window=Poor()), picture)
