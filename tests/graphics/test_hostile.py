"""Files that lie, break off or were damaged: a picture or a `FileError` of one line, never anything else."""

import io
import random
import struct
import zlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from easel.graphics.files import MAX_PIXELS, FileError
from easel.graphics.image import imread, imwrite, is_radiance


def _png(width: int, height: int, colour_type: int = 2, data: bytes = b"") -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def _pillow(form: str, mode: str = "RGB", **options: object) -> bytes:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 24, 4), np.uint8)).convert(mode)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "maker"
    file = io.BytesIO()
    image.save(file, form, **({"exif": exif} if form in ("PNG", "JPEG", "WEBP", "TIFF") else {}), **options)
    return file.getvalue()


def _ours(folder, name: str, **options) -> bytes:
    imwrite(folder / name, torch.rand(16, 24, 3, generator=torch.Generator().manual_seed(0)), **options)
    return (folder / name).read_bytes()


def _tiff(**options: object) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(0).random((16, 24, 3)).astype(np.float32)
    tifffile.imwrite(file, pixels, photometric="rgb", **options)
    return file.getvalue()


def _run_length_hdr() -> bytes:
    row = bytes((2, 2, 0, 24)) + 4 * (bytes((128 + 12, 7)) + bytes((12,)) + bytes(range(100, 112)))
    return b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 16 +X 24\n" + 16 * row


def _old_run_length_hdr() -> bytes:
    return b"#?RADIANCE\n\n-Y 16 +X 24\n" + bytes((9, 8, 200, 130, 1, 1, 1, 127, 1, 1, 1, 1))


EXR = pytest.mark.skipif(find_spec("OpenEXR") is None, reason="needs the extra exr")
SEEDS = {
    "rgb.png": lambda folder: _pillow("PNG"),
    "palette.png": lambda folder: _pillow("PNG", "P", transparency=3),
    "deep.png": lambda folder: _ours(folder, "deep.png", bits=16),
    "rgb.jpg": lambda folder: _pillow("JPEG"),
    "progressive.jpg": lambda folder: _pillow("JPEG", "CMYK", progressive=True),
    "rgb.bmp": lambda folder: _pillow("BMP"),
    "palette.bmp": lambda folder: _pillow("BMP", "P"),
    "alpha.bmp": lambda folder: _ours(folder, "alpha.bmp", channels=4),
    "rgb.tga": lambda folder: _pillow("TGA"),
    "runs.tga": lambda folder: _pillow("TGA", "P", compression="tga_rle"),
    "plain.tif": lambda folder: _pillow("TIFF"),
    "lzw.tif": lambda folder: _pillow("TIFF", "CMYK", compression="tiff_lzw"),
    "float.tif": lambda folder: _tiff(),
    "deflate.tif": lambda folder: _tiff(compression="zlib"),
    "lossy.webp": lambda folder: _pillow("WEBP"),
    "lossless.webp": lambda folder: _pillow("WEBP", "RGBA", lossless=True),
    "flat.hdr": lambda folder: _ours(folder, "flat.hdr"),
    "runs.hdr": lambda folder: _run_length_hdr(),
    "old.hdr": lambda folder: _old_run_length_hdr(),
    "float.npy": lambda folder: _ours(folder, "float.npy"),
    "colour.pfm": lambda folder: _ours(folder, "colour.pfm"),
    "zip.exr": lambda folder: _ours(folder, "zip.exr"),
}


def _mutated(data: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, swapped for telling values, cut away or repeated; mostly near the header."""
    result = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        end = len(result) if chance.random() < 0.5 else min(len(result), 200)
        place = chance.randrange(max(end, 1))
        kind = chance.random()
        if kind < 0.4:
            result[place : place + 1] = bytes([chance.randrange(256)])
        elif kind < 0.6:
            telling = chance.choice((0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF))
            result[place : place + 4] = struct.pack(chance.choice("<>") + "I", telling)
        elif kind < 0.75:
            del result[place:]
        elif kind < 0.9:
            del result[place : place + chance.randint(1, 8)]
        else:
            result[place:place] = result[place : place + chance.randint(1, 64)]
    return bytes(result)


@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param(name, marks=EXR if name.endswith(".exr") else ()) for name in SEEDS])
def test_damaged_files_give_a_picture_or_one_line(tmp_path, name, capfd):
    data = SEEDS[name](tmp_path)
    path = tmp_path / name
    path.write_bytes(data)
    assert imread(path, channels=0, device="cpu").numel() >= 16 * 24  # the undamaged one is fine

    chance, refused = random.Random(name), 0
    for _ in range(200):
        path.write_bytes(_mutated(data, chance))
        try:
            picture = imread(path, channels=0, device="cpu")
            assert picture.dtype == torch.float32 and picture.ndim == 3 and picture.shape[2] in (1, 3, 4)
        except FileError as error:
            refused += 1
            assert "\n" not in str(error) and str(path) in str(error)
    assert refused > 10
    # libtiff, inside Pillow, has a voice of its own on the error stream, and so has OpenEXR.
    assert name.endswith((".tif", ".exr")) or capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", [pytest.param(name, marks=EXR if name.endswith(".exr") else ()) for name in SEEDS])
def test_files_cut_in_half_are_refused(tmp_path, name):
    data = SEEDS[name](tmp_path)
    path = tmp_path / name
    path.write_bytes(data[: len(data) * 3 // 5] if name != "old.hdr" else data[:-5])
    with pytest.raises(FileError, match="damaged or cut short"):
        imread(path)


def _memory_bytes(name: str) -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


BIG_NPY = b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f8', 'fortran_order': False, 'shape': (%d, %d, 3), }"
LIARS = {
    "60000.png": lambda: _png(60_000, 60_000),
    "10000.png": lambda: _png(10_000, 9_000),
    "above.png": lambda: _png(8192, 8193),
    "zero.png": lambda: _png(0, 5),
    "short.png": lambda: _png(8192, 8192, data=b"\0" * 1000),
    "60000.bmp": lambda: b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 60_000, 60_000, 1, 24, *[0] * 6),
    "60000.tga": lambda: struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, 60_000, 60_000, 24, 0),
    "60000.hdr": lambda: b"#?RADIANCE\n\n-Y 60000 +X 60000\n\2\2\x3a\x60",
    "8000.hdr": lambda: b"#?RADIANCE\n\n-Y 8000 +X 8000\n\2\2\x1f\x40" + b"\x88\1" * 2000,
    "flat.hdr": lambda: b"#?RADIANCE\n\n-Y 8000 +X 8000\n" + b"abcd" * 1000,
    "runs.hdr": lambda: b"#?RADIANCE\n\n-Y 8000 +X 8000\nabcd" + b"\1\1\1\1" * 3,
    "60000.npy": lambda: (BIG_NPY % (60_000, 60_000)).ljust(127) + b"\n",
    "8000.npy": lambda: (BIG_NPY % (8_000, 8_000)).ljust(127) + b"\n",
    "60000.pfm": lambda: b"PF\n60000 60000\n-1.0\n",
    "8000.pfm": lambda: b"PF\n8000 8000\n-1.0\n" + bytes(1000),
    "negative.npy": lambda: (BIG_NPY % (-8, -8)).ljust(127) + b"\n",
}


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells the peak memory of a moment")
@pytest.mark.parametrize("name", LIARS)
def test_a_header_that_lies_is_refused_without_the_memory_it_asks_for(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(LIARS[name]())
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = _memory_bytes("VmRSS")
    with pytest.raises(FileError) as raised:
        imread(path)
    assert "\n" not in str(raised.value)
    # short.png is the one whose claim is within the limit and only the data short: Pillow has its canvas by then.
    assert _memory_bytes("VmHWM") - before < (4 * MAX_PIXELS + 2**26 if name == "short.png" else 2**26)


STRANGERS = {
    "text.png": (b"hello, I am a text file\nof two lines\n", "no picture"),
    "text.tga": (b"hello, I am a text file\nof two lines\n", "."),
    "one byte.jpg": (b"\xff", "no picture"),
    "zeros.bmp": (bytes(1000), "no picture"),
    "moving.gif": (b"GIF89a" + bytes(50), "GIF"),
    "film.dds": (b"DDS " + bytes(50), "a DDS"),
    "drawing.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n(x) run", "no picture"),
    "xyz.hdr": (b"#?RADIANCE\nFORMAT=32-bit_rle_xyze\n\n-Y 1 +X 1\nabcd", "XYZ"),
    "headless.hdr": (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n" + b"x" * 100_000, "resolution"),
    "axes.hdr": (b"#?RADIANCE\n\n-Y 1 +Y 1\nabcd", "axes"),
    "no length.hdr": (b"#?RADIANCE\n\n-Y 2 +X 8\n\2\2\0\x08\0\0\0\0" + bytes(50), "scanline 0"),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_what_is_no_picture_says_what_it_is(tmp_path, name):
    data, word = STRANGERS[name]
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(FileError, match=word) as raised:
        imread(path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("array", "word"),
    [
        (np.array([[{}]], dtype=object), "object"),
        (np.zeros((2, 2), np.int64), "int64"),
        (np.zeros((2, 2), np.complex64), "complex64"),
        (np.zeros((2, 2, 2)), "shape"),
        (np.zeros(5), "shape"),
        (np.zeros((0, 4)), "claims 4 x 0"),
        (np.zeros((2, 2), [("a", "f4")]), "values"),
    ],
)
def test_arrays_that_are_no_picture_are_refused_and_pickles_stay_shut(tmp_path, array, word):
    np.save(tmp_path / "x.npy", array, allow_pickle=True)
    with pytest.raises(FileError, match=word):
        imread(tmp_path / "x.npy")


def test_integers_of_32_bits_have_no_white(tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", np.zeros((4, 4), np.uint32))
    with pytest.raises(FileError, match="32-bit"):
        imread(tmp_path / "x.tif")


def test_a_missing_decompressor_names_what_to_install(tmp_path):
    data = bytearray(_tiff(compression="zlib"))
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        tag = tiff.pages.first.tags["Compression"]
    data[tag.valueoffset : tag.valueoffset + 2] = struct.pack("<H", 5)  # LZW
    (tmp_path / "x.tif").write_bytes(data)
    with pytest.raises(FileError, match="pip install imagecodecs"):
        imread(tmp_path / "x.tif")


def test_the_question_for_radiance_refuses_what_reading_refuses(tmp_path):
    with pytest.raises(FileError, match="no such file"):
        is_radiance(tmp_path / "none.hdr")
