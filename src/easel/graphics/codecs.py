"""Picture files ↔ arrays (h, w, c) of the numbers they store: uint8, uint16 or float32, c of 1, 3 or 4.

No number changes on the way, except where a file says that its colours are not sRGB: CMYK becomes RGB, and an 8-bit
file's ICC profile other than sRGB is applied. Reading runs no code from the file and allocates nothing that a header
merely claims.
"""

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from easel.graphics.exr import EXR_MAGIC, read_exr, write_exr
from easel.graphics.files import MAX_PIXELS, FileError, check_pixels, open_file
from easel.graphics.pillow import read_pillow
from easel.graphics.rgbe import read_rgbe, write_rgbe
from easel.graphics.tiff import read_tiff, write_tiff

RADIANCE_MAGIC = b"#?"
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tga", ".tif", ".tiff", ".webp", ".hdr", ".exr", ".npy")

_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*", b"RIFF")
_STRANGERS = {b"GIF8": "a GIF", b"%PDF": "a PDF", b"8BPS": "a Photoshop", b"DDS ": "a DDS"}


def decode(path: str | os.PathLike[str]) -> np.ndarray:
    """The first picture of a file, upright and contiguous; whatever is wrong with the file is a `FileError`.

    The content decides what the file is, not its name; only Targa, which has no signature, needs its suffix.
    """
    with open_file(path) as file:
        try:
            pixels, orientation = _read(file, Path(path).suffix.lower())
            return _upright(pixels, orientation)
        except FileError as error:
            reason = str(error)
        except Image.UnidentifiedImageError:
            reason = _unknown(file)
        except Exception as error:  # codecs answer damaged bytes with nearly every exception there is
            reason = _damaged(" ".join(str(error).split()) or type(error).__name__)
    raise FileError(f"cannot read {os.fspath(path)!r}: {reason}")


def encode(pixels: np.ndarray, suffix: str, *, quality: int = 95, bits: int = 8) -> bytes:
    """A file of float32 (h, w, c) pixels in the format of `suffix`; the same bytes for the same pixels.

    8 and 16-bit formats store round(largest · x) of x clamped to [0,1] and NaN as 0, the others the floats, which are
    half floats in an OpenEXR file of 16 bits.
    """
    if suffix == ".exr":
        return write_exr(pixels, half=bits == 16)
    if suffix == ".hdr":
        return write_rgbe(np.broadcast_to(pixels[..., :3], (*pixels.shape[:2], 3)))
    if suffix in (".tif", ".tiff"):
        return write_tiff(pixels)
    if suffix == ".npy":
        return _saved(lambda file: np.save(file, pixels))
    if bits == 16:
        return _write_png16(_quantized(pixels, np.uint16))
    return _write_pillow(_quantized(pixels, np.uint8), suffix, quality)


def _read(file: BinaryIO, suffix: str) -> tuple[np.ndarray, int]:
    start = file.read(8)
    file.seek(0)
    if start.startswith(RADIANCE_MAGIC):
        return read_rgbe(file.read(5 * MAX_PIXELS))  # more than the largest picture takes
    if start.startswith(EXR_MAGIC):
        return read_exr(file), 1
    if start.startswith(b"\x93NUMPY"):
        return _read_npy(file), 1
    try:
        return read_pillow(file, suffix)
    except Image.UnidentifiedImageError:
        if not start.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
            raise
        return read_tiff(file)


def _damaged(detail: str) -> str:
    return f"it is damaged or cut short ({detail}). Copy or export it again."


def _unknown(file: BinaryIO) -> str:
    file.seek(0)
    start = file.read(12)
    if start.startswith(_SIGNATURES):
        return _damaged("only its beginning makes sense")
    stranger = next((name for magic, name in _STRANGERS.items() if start.startswith(magic)), None)
    came = f"it is {stranger} file" if stranger else f"it is no picture (it begins with {start!r})"
    known = "PNG, JPEG, BMP, TGA, TIFF, WebP, Radiance .hdr, OpenEXR and .npy are read"
    return f"{came}. {known}. Convert it to one of these."


# EXIF orientation → swap the axes, then flip the rows, flip the columns
_TURNS = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    swap, flip_rows, flip_columns = _TURNS.get(orientation, _TURNS[1])
    if swap:
        pixels = pixels.swapaxes(0, 1)
    return np.ascontiguousarray(pixels[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1])


def _read_npy(file: BinaryIO) -> np.ndarray:
    """An array of a picture's shape, never a pickle; floats as float32."""
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, is_fortran, dtype = read_header(file)
    channels = shape[2] if len(shape) == 3 else 1
    if len(shape) not in (2, 3) or channels not in (1, 3, 4):
        raise FileError(f"it holds an array of shape {shape}. Pictures are (H, W) or (H, W, C), C of 1, 3 or 4.")
    native = dtype.newbyteorder("=")
    if dtype.kind != "f" and native not in (np.uint8, np.uint16, np.bool_):
        raise FileError(f"it holds {dtype} values. Store floats in [0,1], uint8 or uint16; labels fit no picture.")
    check_pixels(shape[1], shape[0])
    size_bytes = shape[0] * shape[1] * channels * dtype.itemsize
    if size_bytes > os.fstat(file.fileno()).st_size - file.tell():
        raise ValueError(f"it is too short for {shape} {dtype} values")
    pixels = np.frombuffer(file.read(size_bytes), dtype).reshape(
        (*shape[:2], channels), order="F" if is_fortran else "C"
    )
    if dtype == np.bool_:
        return pixels.astype(np.uint8) * 255
    return pixels.astype(np.float32 if dtype.kind == "f" else native)


def _quantized(pixels: np.ndarray, dtype: type[np.uint8] | type[np.uint16]) -> np.ndarray:
    largest = np.iinfo(dtype).max
    return np.rint(np.nan_to_num(pixels, nan=0, posinf=1, neginf=0).clip(0, 1) * largest).astype(dtype)


_PILLOW_NAMES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".bmp": "BMP", ".tga": "TGA", ".webp": "WEBP"}


def _write_pillow(pixels: np.ndarray, suffix: str, quality: int) -> bytes:
    form = _PILLOW_NAMES[suffix]
    if form == "BMP" and pixels.shape[-1] == 4:
        return _write_bmp_rgba(pixels)
    if form == "JPEG":
        pixels = pixels[..., :3]
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    # From 90 on, colour is kept at full resolution: who asks for quality sees red edges fray without it.
    options = {
        "JPEG": {"quality": quality, "subsampling": "4:4:4" if quality >= 90 else "4:2:0"},
        "WEBP": {"quality": quality, "exact": True},
    }
    return _saved(lambda file: image.save(file, form, **options.get(form, {})))


def _write_bmp_rgba(pixels: np.ndarray) -> bytes:
    """With the version-4 header, the first that says where alpha is; Pillow writes one that readers take for RGB."""
    height, width = pixels.shape[:2]
    data = pixels[::-1, :, [2, 1, 0, 3]].tobytes()
    file_header = struct.pack("<2sIHHI", b"BM", 122 + len(data), 0, 0, 122)
    header = struct.pack("<IiiHHIIiiII", 108, width, height, 1, 32, 3, len(data), 2835, 2835, 0, 0)
    masks = struct.pack("<IIII4s48x", 0x00FF0000, 0x0000FF00, 0x000000FF, 0xFF000000, b"BGRs")
    return file_header + header + masks + data


def _write_png16(pixels: np.ndarray) -> bytes:
    """A 16-bit PNG; each row stores its difference to the row above (filter 2), all rows at once."""
    height, width, channels = pixels.shape
    rows = pixels.astype(">u2").view(np.uint8).reshape(height, -1)
    filtered = np.full((height, 1 + rows.shape[1]), 2, np.uint8)
    filtered[:, 1:] = np.diff(rows, axis=0, prepend=np.zeros_like(rows[:1]))
    colour_type = {1: 0, 3: 2, 4: 6}[channels]
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)),
        (b"IDAT", zlib.compress(filtered.tobytes(), 6)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def _saved(save: Callable[[BinaryIO], object]) -> bytes:
    """What `save` writes, in memory: a full disk is then met by one plain write, which says so, not by a codec."""
    file = io.BytesIO()
    save(file)
    return file.getvalue()
