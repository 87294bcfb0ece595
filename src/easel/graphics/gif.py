"""GIF animations written as their frames come; Pillow's own writer would hold every frame until the last.

The layout is that of the GIF89a specification: a header, then for each image a control block with its delay, the
rectangle that changed, a table of up to 256 colours if it is not the file's first one, and LZW data.
"""

import io
import struct
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image

MAX_FPS = 50
"""Delays are whole 10 ms, and players take anything below 20 ms for 100 ms."""
LONGEST_DELAY = 0xFFFF
"""Of one image, in units of 10 ms."""
SAMPLE_PIXELS = 128
"""Colours are chosen from a grid of about this many pixels a side; all of a large frame would give the same ones."""
WORSE = 1.25
"""Colours are given up when they are this much further from the picture than they were, or than others would be."""
RECONSIDER_IMAGES = 25
"""After so many, better colours are looked for even where the kept ones have not become worse: noise may have become a
face."""


@dataclass(frozen=True)
class ColorTable:
    """Up to 256 colours, and how far they were from the picture that they were chosen for."""

    colors: UInt8[np.ndarray, "n 3"]
    error: float

    @property
    def table(self) -> bytes:
        """The colours as the file holds them: a power of two of them, at least two."""
        return self.colors.tobytes().ljust(3 * 2**self.depth, b"\0")

    @property
    def depth(self) -> int:
        """Bits that number the colours of the table."""
        return max((len(self.colors) - 1).bit_length(), 1)


class GifWriter:
    """Writes frames (h, w, 3) of one size into a binary file; `colors`, 2 to 256, for each of them.

    A frame is written when the next one differs: until then nobody knows how long it stays.
    """

    def __init__(self, file: io.BufferedIOBase, *, fps: float | int, colors: int) -> None:
        self._file = file
        self._fps, self._colors = fps, colors
        self._first: ColorTable | None = None
        self._kept: ColorTable | None = None
        self._shown: UInt8[np.ndarray, "h w 3"] | None = None
        self._image = b""
        self._images = 0
        self._ticks = 0
        self._delays = 0

    def append(self, pixels: UInt8[np.ndarray, "h w 3"], count: int = 1) -> None:
        """One more frame, shown for `count` / fps seconds."""
        box = self._changed(pixels)
        if box is not None:
            self._write_image()
            self._image = self._encode(pixels, *box)
            self._shown = pixels.copy()
        self._ticks += count

    def close(self) -> None:
        """Write the last frame and the end of the file, which stays open."""
        self._write_image()
        self._file.write(b";")

    def _changed(self, pixels: UInt8[np.ndarray, "h w 3"]) -> tuple[slice, slice] | None:
        """The rows and columns where `pixels` differ from the frame before; None where they do not."""
        height, width = pixels.shape[:2]
        if self._shown is None:
            return slice(0, height), slice(0, width)
        differs = (pixels != self._shown).any(axis=-1)
        rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
        if not rows.size:
            return None
        return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)

    def _encode(self, pixels: UInt8[np.ndarray, "h w 3"], rows: slice, columns: slice) -> bytes:
        """The image block of a rectangle; the file's header as well, if it is the first."""
        part = np.ascontiguousarray(pixels[rows, columns])
        reconsider = self._images % RECONSIDER_IMAGES == 0
        palette, indices = quantize(part, self._colors, self._kept, reconsider=reconsider)
        self._images += 1
        if palette.error:  # a small rectangle with its very own colours says nothing about the next large one
            self._kept = palette
        flags, table = 0, b""
        if self._first is None:
            self._first = palette
            self._write_header(pixels.shape[1], pixels.shape[0], palette)
        elif palette.table != self._first.table:
            flags, table = 0x80 | (palette.depth - 1), palette.table
        height, width = part.shape[:2]
        return struct.pack("<cHHHHB", b",", columns.start, rows.start, width, height, flags) + table + _lzw(indices)

    def _write_header(self, width: int, height: int, palette: ColorTable) -> None:
        screen = struct.pack("<6sHHBBB", b"GIF89a", width, height, 0xF0 | (palette.depth - 1), 0, 0)
        for_ever = b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
        self._file.write(screen + palette.table + for_ever)

    def _write_image(self) -> None:
        """The frame that was held back, with a delay that ends at the last whole 10 ms before its true end."""
        end = int(100 * self._ticks / self._fps)
        while end > self._delays:
            delay = min(end - self._delays, LONGEST_DELAY)
            keep = 1 << 2  # what is drawn stays, and the next image changes its own rectangle only
            self._file.write(struct.pack("<3sBHBB", b"!\xf9\x04", keep, delay, 0, 0) + self._image)
            self._delays += delay


def quantize(
    pixels: UInt8[np.ndarray, "h w 3"], count: int, kept: ColorTable | None = None, *, reconsider: bool = True
) -> tuple[ColorTable, UInt8[np.ndarray, "h w"]]:
    """Up to `count` colours for `pixels`, and which one each takes: exactly its own where that many are enough.

    Otherwise the `kept` colours are taken again unless new ones are clearly nearer, since colours that change from
    image to image flicker. Without `reconsider`, new ones are looked for only where the kept ones got worse.
    """
    image = Image.fromarray(pixels)
    few = image.getcolors(count)
    if few is not None:
        return _exact(pixels, np.array(sorted(color for _, color in few), np.uint8))
    sample = Image.fromarray(np.ascontiguousarray(pixels[_grid(pixels.shape[0]), _grid(pixels.shape[1])]))
    palette = kept
    if kept is None or reconsider or _error(sample, kept.colors) > WORSE * kept.error:
        palette = _median_cut(sample, count)
        if kept is not None and _error(sample, kept.colors) <= WORSE * palette.error:
            palette = kept
    assert palette is not None
    return palette, np.asarray(_nearest(image, palette.colors))


def _median_cut(sample: Image.Image, count: int) -> ColorTable:
    # No dithering anywhere: its noise would move, and cost half the file again.
    chosen = sample.quantize(count, Image.Quantize.MEDIANCUT).getpalette()
    assert chosen is not None
    colors = np.array(chosen, np.uint8).reshape(-1, 3)[:count]
    return ColorTable(colors, _error(sample, colors))


def _exact(
    pixels: UInt8[np.ndarray, "h w 3"], colors: UInt8[np.ndarray, "n 3"]
) -> tuple[ColorTable, UInt8[np.ndarray, "h w"]]:
    """Pixels of few colours, which are sorted."""
    red, green, blue = np.moveaxis(pixels.astype(np.uint32), -1, 0)
    numbers = colors.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    return ColorTable(colors, 0.0), np.searchsorted(numbers, red * 65536 + green * 256 + blue).astype(np.uint8)


def _grid(length: int) -> slice:
    return slice(None, None, max(length // SAMPLE_PIXELS, 1))


def _nearest(image: Image.Image, colors: UInt8[np.ndarray, "n 3"]) -> Image.Image:
    """Which colour each pixel takes, as a Pillow image."""
    palette = Image.new("P", (1, 1))
    palette.putpalette(colors.tobytes())
    return image.quantize(palette=palette, dither=Image.Dither.NONE)


def _error(image: Image.Image, colors: UInt8[np.ndarray, "n 3"]) -> float:
    """Mean of |difference|, 0 to 255, to the nearest of `colors`."""
    off = np.asarray(_nearest(image, colors).convert("RGB"), np.int16) - np.asarray(image, np.int16)
    return float(np.abs(off).mean())


def _lzw(indices: UInt8[np.ndarray, "h w"]) -> bytes:
    """The compressed data of an image block, cut out of a GIF of that one image."""
    file = io.BytesIO()
    Image.fromarray(indices).save(file, "GIF", optimize=False, interlace=0)
    data = file.getbuffer()
    descriptor = 13 + 3 * (2 << (data[10] & 7))  # behind the header and its table of colours
    return bytes(data[descriptor + 10 : -1])
