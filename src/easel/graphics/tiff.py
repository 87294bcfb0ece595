"""TIFF files, by Pillow where it can, by tifffile for other samples, such as float colour."""

import io
import logging
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from easel.graphics.files import FileError, check_pixels
from easel.graphics.pillow import read_pillow

# It logs what it thinks of damaged files; without any handler Python would print that.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

_DTYPES = {"uint8": np.uint8, "uint16": np.uint16, "float16": np.float32, "float32": np.float32, "float64": np.float32}


def read_tiff(file: BinaryIO) -> tuple[np.ndarray, int]:
    """Return the numbers of the first page, uint8, uint16 or float32 (h, w, c), and its EXIF orientation."""
    # Pillow first: it knows profiles, palettes and CMYK, which tifffile leaves as they are stored.
    try:
        return read_pillow(file)
    except Image.UnidentifiedImageError:
        file.seek(0)
        return _read_samples(file)


def _read_samples(file: BinaryIO) -> tuple[np.ndarray, int]:
    """The page of a file whose samples Pillow does not know."""
    import tifffile

    with tifffile.TiffFile(file) as tiff:
        page = tiff.pages.first
        check_pixels(page.imagewidth, page.imagelength)
        samples = page.samplesperpixel
        dtype = str(page.dtype)
        photometric = getattr(page.photometric, "name", "unknown")
        if dtype not in _DTYPES or samples not in (1, 2, 3, 4) or photometric not in ("MINISBLACK", "RGB"):
            raise FileError(
                f"it is a TIFF of {samples} x {dtype} samples ({photometric}); "
                "grey and RGB of 8, 16 bits or floats are read, with or without alpha. Export it as one of these."
            )
        # A strip beyond the end would silently be read as zeros.
        end = max((o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=True)), default=0)
        if end > tiff.filehandle.size or not all(page.databytecounts):
            raise ValueError("its strips end beyond the file")
        try:
            pixels = page.asarray(maxworkers=1)
        except (ValueError, KeyError) as error:
            if "imagecodecs" not in str(error):
                raise
            # A library that few pictures need and that pulls in dozens of codecs stays optional.
            raise FileError(
                f"its {dtype} samples are compressed by a method that needs imagecodecs: pip install imagecodecs. "
                "Files without compression or with Deflate work without it."
            ) from None
        orientation = int(page.tags.valueof("Orientation", 1))
        if page.planarconfig == 2 and samples > 1:
            pixels = np.moveaxis(pixels, 0, -1)
    pixels = pixels.astype(_DTYPES[dtype], copy=False).reshape(page.imagelength, page.imagewidth, samples)
    if samples == 2:  # grey with alpha
        pixels = pixels[..., [0, 0, 0, 1]]
    return pixels, orientation


def write_tiff(pixels: np.ndarray, **_: int) -> bytes:
    """Return an uncompressed TIFF of float32 or uint8 pixels (h, w, c); the same bytes for the same pixels."""
    import tifffile

    file = io.BytesIO()
    # Neither a date nor a version of the library, which would make every file another one.
    options: dict[str, Any] = {"metadata": None, "software": False}
    if pixels.shape[-1] == 1:
        tifffile.imwrite(file, pixels[..., 0], photometric="minisblack", **options)
        return file.getvalue()
    alpha = ["unassalpha"] * (pixels.shape[-1] == 4)
    tifffile.imwrite(file, pixels, photometric="rgb", extrasamples=alpha or None, **options)
    return file.getvalue()
