"""Radiance files (`.hdr`): scene-linear RGB in four bytes a pixel, three mantissas and one shared exponent.

Format: G. Ward, "Real Pixels", Graphics Gems II, 1991, and the Radiance file format notes. A pixel (r, g, b, e) stands
for (r, g, b) · 2^(e - 136); e = 0 is black.
"""

import re
from typing import BinaryIO

import numpy as np

from easel.graphics.files import MAX_PIXELS, FileError, check_pixels

# The resolution line says how scanlines run; each of the eight ways is the EXIF orientation of the stored array.
_ORIENTATIONS = {"-Y+X": 1, "-Y-X": 2, "+Y-X": 3, "+Y+X": 4, "+X-Y": 5, "-X-Y": 6, "-X+Y": 7, "+X+Y": 8}
_HEADER = re.compile(rb"#\?[^\n]*\n(?:[^\n]+\n)*\n([+-][XY]) +(\d{1,9}) +([+-][XY]) +(\d{1,9})\r?\n")
_LONGEST_HEADER_BYTES = 65_536


def read_radiance(file: BinaryIO) -> tuple[np.ndarray, int]:
    """Read a file as `read_rgbe` does its bytes."""
    return read_rgbe(file.read(5 * MAX_PIXELS))  # more than the largest picture takes


def read_rgbe(data: bytes) -> tuple[np.ndarray, int]:
    """Return radiance, float32 (h, w, 3), and the EXIF orientation in which to show it. ValueError if damaged."""
    header = _HEADER.match(data[:_LONGEST_HEADER_BYTES])
    if not header:
        raise ValueError("its header has no resolution line")
    if b"\nFORMAT=32-bit_rle_xyze" in header[0]:
        raise FileError("it stores XYZ colours. Convert it to RGB, for instance with Radiance's `ra_xyze -r`.")
    first, rows, second, columns = header.groups()
    orientation = _ORIENTATIONS.get((first + second).decode())
    height, width = int(rows), int(columns)
    if orientation is None:
        raise ValueError(f"its resolution line names the axes {first.decode()} and {second.decode()}")
    check_pixels(width, height)
    body = data[header.end() :]
    # Only scanlines of such widths may be run-length coded, so that a flat pixel (2, 2, …) is no marker.
    is_run_length = 8 <= width < 32768 and body[:2] == b"\2\2" and body[2:3] < b"\x80"
    read = _read_scanlines if is_run_length else _read_flat
    scan = read(body, width, height)
    # ldexp to float32 directly: 2^(e - 136) alone would underflow below the smallest exponents
    pixels = np.ldexp(scan[..., :3].astype(np.float32), scan[..., 3:].astype(np.int32) - 136)
    pixels[scan[..., 3] == 0] = 0
    return pixels, orientation


def write_rgbe(pixels: np.ndarray, **_: int) -> bytes:
    """Encode radiance (h, w, 1 to 4) without run lengths: grey three times, no alpha, negative and NaN as 0.

    The error of a pixel is at most 1/256 of its largest channel.
    """
    pixels = np.broadcast_to(pixels[..., :3], (*pixels.shape[:2], 3))
    radiance = np.nan_to_num(pixels.astype(np.float64), nan=0.0, posinf=np.inf).clip(0, 255 * 2.0**119)
    peak = radiance.max(axis=-1, keepdims=True)
    exponent = np.frexp(peak)[1]
    # 255.5 and more would round to 256, which a byte cannot hold
    exponent += np.ldexp(peak, 8 - exponent) >= 255.5
    exponent = np.where(peak < 2.0**-128, -128, exponent)
    # Flat, without run lengths: every reader takes it, and photographs of noise would not become smaller.
    scan = np.empty((*pixels.shape[:2], 4), np.uint8)
    scan[..., :3] = np.rint(np.ldexp(radiance, 8 - exponent))
    scan[..., 3:] = exponent + 128
    scan[exponent[..., 0] == -128] = 0
    height, width = pixels.shape[:2]
    return f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y {height} +X {width}\n".encode() + scan.tobytes()


def _read_scanlines(body: bytes, width: int, height: int) -> np.ndarray:
    """Read run-length coded scanlines: a marker (2, 2, width), then each byte plane in runs (> 128) and literals."""
    marker = bytes((2, 2, width >> 8, width & 255))
    # A scanline costs at least two bytes per 127 equal pixels and plane: a lying header stops here.
    if len(body) < height * (4 + 8 * -(-width // 127)):
        raise ValueError(f"it is too short for {width} x {height} pixels")
    planes = bytearray()
    position = 0
    for row in range(height):
        if body[position : position + 4] != marker:
            raise ValueError(f"scanline {row} does not begin as such")
        position += 4
        end = (row + 1) * 4 * width
        while len(planes) < end:
            count = body[position] if position < len(body) else 0
            if count > 128:
                planes += body[position + 1 : position + 2] * (count - 128)
                position += 2
            else:
                planes += body[position + 1 : position + 1 + count]
                position += 1 + count
            if not count or position > len(body):
                raise ValueError(f"it ends or breaks in scanline {row} of {height}")
        if len(planes) > end:
            raise ValueError(f"scanline {row} is longer than {width} pixels")
    return np.frombuffer(planes, np.uint8).reshape(height, 4, width).transpose(0, 2, 1)


def _read_flat(body: bytes, width: int, height: int) -> np.ndarray:
    """Read four bytes a pixel; (1, 1, 1, n) repeats the pixel before it, n << 8 times more for each repeat in a row."""
    quads = np.frombuffer(body, np.uint8, 4 * (len(body) // 4)).reshape(-1, 4)
    repeats = (quads[:, :3] == 1).all(axis=1)
    if not repeats.any():
        if len(quads) < width * height:
            raise ValueError(f"it is too short for {width} x {height} pixels")
        return quads[: width * height].reshape(height, width, 4)
    if repeats[0]:
        raise ValueError("it begins with a repeat of nothing")
    # All at once: the pixel that a quad repeats is the last one before it that is none itself.
    index = np.arange(len(quads))
    last_pixel = np.maximum.accumulate(np.where(repeats, 0, index))
    shift = np.minimum(8 * (index - last_pixel - 1), 32)
    counts = np.where(repeats, quads[:, 3].astype(np.int64) << np.maximum(shift, 0), 1)
    # Cut twice: a lying count must neither overflow the sum nor ask for memory.
    total = np.minimum(np.cumsum(np.minimum(counts, width * height)), width * height)
    if total[-1] < width * height:
        raise ValueError(f"it is too short for {width} x {height} pixels")
    return np.repeat(quads[last_pixel], np.diff(total, prepend=0), axis=0).reshape(height, width, 4)
