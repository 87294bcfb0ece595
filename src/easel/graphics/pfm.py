"""Portable float maps (`.pfm`): float32 grey or RGB behind a header of three lines, as Netpbm describes them.

    PF (RGB) or Pf (grey)
    width height
    scale: below 0 the numbers are little-endian, above 0 big-endian

Rows run from the bottom of the picture to its top. The magnitude of the scale is a unit, which changes no number here.
"""

import math
import os
import re
from typing import BinaryIO

import numpy as np

from easel.graphics.files import check_pixels

# One white space ends the header: the next byte is already a number's, whatever it looks like.
_HEADER = re.compile(rb"P([Ff])\s+(\d{1,9})\s+(\d{1,9})\s+([-+.\deE]{1,32})(?:\r\n|\s)")
_LONGEST_HEADER_BYTES = 128


def read_pfm(file: BinaryIO) -> tuple[np.ndarray, int]:
    """Return the stored numbers, float32 (h, w, c) with c of 1 or 3, infinities and NaN as they are; orientation 1.

    ValueError for a damaged header and for a file that is too short for the size in it.
    """
    header = _HEADER.match(file.read(_LONGEST_HEADER_BYTES))
    if not header:
        raise ValueError("its header is not 'PF' or 'Pf', width, height and scale")
    kind, width, height, scale = header[1], int(header[2]), int(header[3]), float(header[4])
    if not math.isfinite(scale) or scale == 0:
        raise ValueError(f"its scale is {scale:g}, whose sign tells no byte order")
    check_pixels(width, height)
    channels = 3 if kind == b"F" else 1
    size_bytes = 4 * width * height * channels
    # Before memory of that size is taken: the header may claim anything.
    if size_bytes > os.fstat(file.fileno()).st_size - header.end():
        raise ValueError(f"it is too short for {width} x {height} pixels")
    # astype copies: a picture must be writable, in the machine's byte order and without negative strides.
    file.seek(header.end())
    numbers = np.frombuffer(file.read(size_bytes), "<f4" if scale < 0 else ">f4")
    return numbers.reshape(height, width, channels)[::-1].astype(np.float32), 1


def write_pfm(pixels: np.ndarray, **_: int) -> bytes:
    """Return a little-endian file of float32 pixels (h, w, 1 to 4), without alpha."""
    height, width, channels = pixels.shape
    kind = "Pf" if channels == 1 else "PF"
    return f"{kind}\n{width} {height}\n-1.0\n".encode() + pixels[::-1, :, :3].astype("<f4").tobytes()
