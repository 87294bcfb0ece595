"""Picture files by Pillow: no guessing, no warnings, no rounding of 16-bit files.

Pillow alone reduces 16-bit colour to 8 bits without a word, skips ICC profiles, prints warnings about damaged metadata
and tries 43 formats on any file. This file owns what it takes to have it otherwise.
"""

import io
import logging
import re
import struct
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageFile, TiffImagePlugin

from easel.graphics.files import FileError, check_pixels, too_large
from easel.graphics.png import write_png16

_FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
_ALPHA_MODES = ("LA", "La", "PA", "RGBA", "RGBa")
_SPREAD = {"L;2": 85, "L;4": 17}
"""Factors for the transparent grey of 2 and 4-bit PNGs: Pillow spreads all others over 0 to 255, but not that one."""

# It logs what it thinks of damaged files; without any handler Python would print that.
logging.getLogger("PIL").addHandler(logging.NullHandler())

# warnings.catch_warnings changes the whole process: two threads that interleave could leave them off for good.
_WARNINGS = threading.Lock()


def read_pillow(file: BinaryIO, formats: tuple[str, ...] = _FORMATS) -> tuple[np.ndarray, int]:
    """Return the numbers of a file's first picture, uint8, uint16 or float32 (h, w, c), and its EXIF orientation.

    FileError for what is understood and refused; damaged files raise whatever Pillow raises, an unknown format
    (which includes TIFF files with unusual samples) `PIL.UnidentifiedImageError`.
    """
    image = _open(file, formats)
    raw_mode = _raw_mode(image)
    family, _, depth = raw_mode.partition(";")
    if depth in ("16B", "16L", "16N") and family in ("LA", "RGB", "RGBX", "RGBA"):
        pixels, image = _read_16_bits(file, formats, family, depth)
        pixels = _with_keyed_alpha(pixels, image.info.get("transparency"))
    else:
        if raw_mode == "F;32BF" and image.tile[0].codec_name == "libtiff":
            # libtiff has swapped the bytes already; told the file's order, Pillow would swap them back.
            image = _decode_as(file, formats, "F;32NF")
        else:
            _load(image)
        if "transparency" in image.info and raw_mode in _SPREAD:
            image.info["transparency"] *= _SPREAD[raw_mode]
        pixels = image_pixels(image)
        if image.mode == "I":
            raise FileError("it holds 32-bit integers, which have no agreed white. Store float32 or 16 bits.")
        if raw_mode == "I;12":
            pixels = pixels << 4 | pixels >> 8  # 4095 becomes 65535
    return pixels, _orientation(image)


def read_targa(file: BinaryIO) -> tuple[np.ndarray, int]:
    """Read a Targa file as `read_pillow` does the others."""
    # Apart from them: it has no signature, and by content alone half of all damaged files would pass for one.
    return read_pillow(file, ("TGA",))


def write_png(pixels: np.ndarray, *, bits: int, **_: int) -> bytes:
    """Return a PNG of 8 or 16 `bits`; like the other writers, of float32 pixels (h, w, c) in [0, 1]."""
    return write_png16(_quantized(pixels, np.uint16)) if bits == 16 else _saved(pixels, "PNG")


def write_jpeg(pixels: np.ndarray, *, quality: int, **_: int) -> bytes:
    """Return a JPEG, without alpha."""
    # From 90 on, colour is kept at full resolution: who asks for quality sees red edges fray without it.
    subsampling = "4:4:4" if quality >= 90 else "4:2:0"
    return _saved(pixels[..., :3], "JPEG", quality=quality, subsampling=subsampling)


def write_webp(pixels: np.ndarray, *, quality: int, **_: int) -> bytes:
    """Return a WebP; transparent pixels keep their colour."""
    return _saved(pixels, "WEBP", quality=quality, exact=True)


def write_targa(pixels: np.ndarray, **_: int) -> bytes:
    """Return an uncompressed Targa file."""
    return _saved(pixels, "TGA")


def write_bmp(pixels: np.ndarray, **_: int) -> bytes:
    """Return a BMP; with alpha by the version-4 header, the first that says where alpha is."""
    if pixels.shape[-1] < 4:
        return _saved(pixels, "BMP")
    # Not by Pillow, whose 32-bit files readers take for RGB.
    height, width = pixels.shape[:2]
    data = _quantized(pixels, np.uint8)[::-1, :, [2, 1, 0, 3]].tobytes()
    file_header = struct.pack("<2sIHHI", b"BM", 122 + len(data), 0, 0, 122)
    header = struct.pack("<IiiHHIIiiII", 108, width, height, 1, 32, 3, len(data), 2835, 2835, 0, 0)
    masks = struct.pack("<IIII4s48x", 0x00FF0000, 0x0000FF00, 0x000000FF, 0xFF000000, b"BGRs")
    return file_header + header + masks + data


def _saved(pixels: np.ndarray, form: str, **options: object) -> bytes:
    # In memory: a full disk is then met by one plain write, which says so, not by a codec.
    file = io.BytesIO()
    levels = _quantized(pixels, np.uint8)
    Image.fromarray(levels[..., 0] if levels.shape[-1] == 1 else levels).save(file, form, **options)
    return file.getvalue()


def _quantized(pixels: np.ndarray, dtype: type[np.uint8] | type[np.uint16]) -> np.ndarray:
    largest = np.iinfo(dtype).max
    return np.rint(np.nan_to_num(pixels, nan=0, posinf=1, neginf=0).clip(0, 1) * largest).astype(dtype)


def image_pixels(image: Image.Image) -> np.ndarray:
    """Return a Pillow image as (h, w, c), c of 1, 3 or 4: sRGB in uint8.

    Mode I;16 gives uint16, F float32 and I int32, all of one channel and unchanged.
    """
    if image.mode.startswith("I;16"):
        pixels = np.asarray(image).astype(np.uint16)[..., None]
        return _with_keyed_alpha(pixels, image.info.get("transparency"))
    if image.mode not in ("F", "I"):
        image = _in_srgb(_plain(image))
    return np.atleast_3d(np.asarray(image))


def _plain(image: Image.Image) -> Image.Image:
    """Convert to mode L, RGB, RGBA or CMYK, without loss."""
    if image.mode in _ALPHA_MODES or "transparency" in image.info:
        return image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    if image.mode in ("L", "CMYK"):
        return image
    return image.convert("RGB")


def _in_srgb(image: Image.Image) -> Image.Image:
    """Convert by the image's ICC profile, if it has a valid one that is not sRGB itself; CMYK always becomes RGB."""
    profile = image.info.get("icc_profile")
    if profile:
        # A wrong or damaged profile, or a Pillow built without LittleCMS: the stored numbers are the best guess left.
        with suppress(Exception):
            from PIL import ImageCms

            source = ImageCms.getOpenProfile(io.BytesIO(profile))
            if "srgb" not in ImageCms.getProfileDescription(source).lower():
                target = "RGBA" if image.mode == "RGBA" else "RGB"
                converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=target)
                assert converted is not None
                # Grey stays one channel: a grey profile changes its curve, not its hue.
                return converted.getchannel(0) if image.mode == "L" else converted
    return image.convert("RGB") if image.mode == "CMYK" else image


def _open(file: BinaryIO, formats: tuple[str, ...]) -> ImageFile.ImageFile:
    """Open an image and check its size; nothing is decoded yet."""
    file.seek(0)
    with _quiet():
        try:
            image = Image.open(file, formats=formats)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            # Pillow's own limit lies above ours and strikes before the size can be asked.
            raise too_large(f"{re.findall('[0-9]+', str(error))[0]} pixels") from None
    check_pixels(*image.size)
    if isinstance(image, TiffImagePlugin.TiffImageFile) and image.tag_v2.get(TiffImagePlugin.PLANAR_CONFIGURATION) == 2:
        # Left to tifffile: Pillow would read garbage here, without an error.
        if max(image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (1,))) > 8:
            raise Image.UnidentifiedImageError("separate planes of more than 8 bits, which Pillow takes for 8")
    assert isinstance(image, ImageFile.ImageFile)
    return image


def _raw_mode(image: ImageFile.ImageFile) -> str:
    """Return Pillow's name for the samples in the file, such as "RGB;16B"; "" where there are none."""
    if not image.tile:
        return ""
    # Codecs keep it as their argument, or as the first of them.
    arguments = image.tile[0].args or ("",)
    return arguments if isinstance(arguments, str) else str(arguments[0])


def _read_16_bits(file: BinaryIO, formats: tuple[str, ...], family: str, depth: str) -> tuple[np.ndarray, Image.Image]:
    """Return colour of 16 bits a channel, which Pillow holds in 8, and the image it came from.

    Pillow unpacks the first byte of each sample as "…;16B" and the second as "…;16L": reading the file both ways gives
    every bit. The two samples of grey with alpha are, to its unpacker, one RGBA pixel.
    """
    if family == "LA":
        image = _decode_as(file, formats, "RGBA")
        return np.asarray(image).view(">u2").astype(np.uint16)[..., [0, 0, 0, 1]], image
    image = _decode_as(file, formats, f"{family};16B")
    first = np.asarray(image).astype(np.uint16)
    second = np.asarray(_decode_as(file, formats, f"{family};16L")).astype(np.uint16)
    if depth == "16B" or (depth == "16N" and sys.byteorder == "big"):
        return first << 8 | second, image
    return second << 8 | first, image


def _decode_as(file: BinaryIO, formats: tuple[str, ...], raw_mode: str) -> Image.Image:
    image = _open(file, formats)
    for number, tile in enumerate(image.tile):
        args = (raw_mode, *tile.args[1:]) if isinstance(tile.args, tuple) else raw_mode
        image.tile[number] = tile._replace(args=args)
    _load(image)
    return image


def _with_keyed_alpha(pixels: np.ndarray, key: int | tuple[int, ...] | None) -> np.ndarray:
    """Return 16-bit grey or RGB as RGBA, alpha 0 in the file's transparent colour; unchanged without a `key`."""
    if key is None:
        return pixels
    alpha = np.where((pixels == np.asarray(key)).all(axis=-1, keepdims=True), 0, 65535).astype(np.uint16)
    return np.concatenate([np.broadcast_to(pixels, (*pixels.shape[:2], 3)), alpha], axis=-1)


def _load(image: Image.Image) -> None:
    # Only TIFF reads metadata, and so may warn, while it decodes. The others decode side by side in threads.
    with _quiet() if image.format == "TIFF" else nullcontext():
        image.load()


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation of a loaded image, 1 where there is none that makes sense."""
    with _quiet(), suppress(Exception):  # damaged metadata is no reason to refuse the picture
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    return 1


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence warnings, but let the one about bombs become an error, which `_open` explains."""
    with _WARNINGS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield
