"""Pieces of PNG files for what Pillow cannot write: 16-bit colour, and pictures that come in bands of rows.

Names of chunks, colour types and filters are those of the PNG specification (ISO/IEC 15948).
"""

import struct
import zlib

import numpy as np

COLOUR_TYPES = {1: 0, 3: 2, 4: 6}
"""Colour type by number of channels: grey, RGB, RGBA."""


def chunk(name: bytes, data: bytes) -> bytes:
    """Return a chunk: length, name, data and their checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def header(width: int, height: int, channels: int, bits: int) -> bytes:
    """Return the signature and the IHDR chunk of a file with `bits` per channel."""
    facts = struct.pack(">IIBBBBB", width, height, bits, COLOUR_TYPES[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", facts)


def scanlines(rows: np.ndarray) -> np.ndarray:
    """Return unsigned integers (n, width, channels) as the big-endian bytes of n rows, (n, bytes)."""
    return rows.astype(rows.dtype.newbyteorder(">")).view(np.uint8).reshape(len(rows), -1)


def filtered(lines: np.ndarray, above: np.ndarray | None = None) -> np.ndarray:
    """Return `scanlines` as filter 2 (Up) stores them: its number, then the difference to the row above.

    `above` is the row before the first one, zeros in front of a picture's first. All rows are filtered at once.
    """
    # uint8 differences wrap around, as the specification wants.
    before = np.zeros_like(lines[:1]) if above is None else above[None]
    stored = np.full((len(lines), 1 + lines.shape[1]), 2, np.uint8)
    stored[:, 1:] = np.diff(lines, axis=0, prepend=before)
    return stored


def write_png16(pixels: np.ndarray) -> bytes:
    """Return a 16-bit PNG of uint16 pixels (h, w, c)."""
    height, width, channels = pixels.shape
    data = zlib.compress(filtered(scanlines(pixels)).tobytes(), 6)
    return header(width, height, channels, 16) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
