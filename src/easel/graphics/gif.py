"""GIF animations, written as their frames come; Pillow's own writer would hold every frame until the last.

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
"""Longest delay of one image, in units of 10 ms."""
SAMPLE_PIXELS = 128
"""Side of the grid of pixels from which colours are chosen; all of a large frame would give the same ones."""
WORSE = 1.25
"""Factor of the error, against before or against new colours, beyond which kept colours are given up."""
RECONSIDER_IMAGES = 25
"""Images after which new colours are tried even where the kept ones have not become worse."""


@dataclass(frozen=True)
class ColorTable:
    """Up to 256 colours."""

    colors: UInt8[np.ndarray, "n 3"]
    error: float
    """Mean distance, 0 to 255, from the picture that they were chosen for."""

    @property
    def table(self) -> bytes:
        """The colours as the file holds them: a power of two of them, at least two."""
        return self.colors.tobytes().ljust(3 * 2**self.depth, b"\0")

    @property
    def depth(self) -> int:
        """Bits of an index into the table."""
        return max((len(self.colors) - 1).bit_length(), 1)


class GifWriter:
    """Writer of frames (h, w, 3) of one size into a binary file, each with 2 to 256 `colors`.

    A frame is written when the next one differs: until then nobody knows how long it stays.
    """

    def __init__(self, file: io.BufferedIOBase, *, fps: float | int, colors: int) -> None:
        self._file = file
        self._fps = fps
        self._colors = colors
        self._first: ColorTable | None = None
        self._kept: ColorTable | None = None
        self._shown: UInt8[np.ndarray, "h w 3"] | None = None
        self._image = b""
        self._images = 0
        self._ticks = 0
        self._delays = 0

    def append(self, pixels: UInt8[np.ndarray, "h w 3"], count: int = 1) -> None:
        """Append a frame that is shown for `count` / fps seconds."""
        box = self._changed(pixels)
        if box is not None:
            self._write_image()
            self._image = self._encode(pixels, *box)
            # A copy: the caller may draw its next frame into the same memory.
            self._shown = pixels.copy()
        self._ticks += count

    def close(self) -> None:
        """Write the last frame and the end of the file, which stays open."""
        self._write_image()
        self._file.write(b";")

    def _changed(self, pixels: UInt8[np.ndarray, "h w 3"]) -> tuple[slice, slice] | None:
        """Return the rows and columns where `pixels` differ from the frame before; None where they do not."""
        height, width = pixels.shape[:2]
        if self._shown is None:
            return slice(0, height), slice(0, width)
        differs = (pixels != self._shown).any(axis=-1)
        rows = np.flatnonzero(differs.any(axis=1))
        columns = np.flatnonzero(differs.any(axis=0))
        if not rows.size:
            return None
        return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)

    def _encode(self, pixels: UInt8[np.ndarray, "h w 3"], rows: slice, columns: slice) -> bytes:
        """Return the image block of a rectangle; before the first one, write the file's header."""
        part = np.ascontiguousarray(pixels[rows, columns])
        # Now and then even without need: kept colours may have become a poor choice step by step.
        reconsider = self._images % RECONSIDER_IMAGES == 0
        palette, indices = quantize(part, self._colors, self._kept, reconsider=reconsider)
        self._images += 1
        if palette.error:  # a small rectangle with its very own colours says nothing about the next large one
            self._kept = palette
        flags = 0
        table = b""
        if self._first is None:
            self._first = palette
            self._write_header(pixels.shape[1], pixels.shape[0], palette)
        elif palette.table != self._first.table:
            flags = 0x80 | (palette.depth - 1)  # a table of its own, of that size
            table = palette.table
        height, width = part.shape[:2]
        return struct.pack("<cHHHHB", b",", columns.start, rows.start, width, height, flags) + table + _lzw(indices)

    def _write_header(self, width: int, height: int, palette: ColorTable) -> None:
        screen = struct.pack("<6sHHBBB", b"GIF89a", width, height, 0xF0 | (palette.depth - 1), 0, 0)
        for_ever = b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
        self._file.write(screen + palette.table + for_ever)

    def _write_image(self) -> None:
        """Write the frame that was held back, with a delay that ends at the last whole 10 ms before its true end."""
        # Ends are rounded, not delays: their errors would add up over a long animation.
        end = int(100 * self._ticks / self._fps)
        while end > self._delays:
            delay = min(end - self._delays, LONGEST_DELAY)
            keep = 1 << 2  # what is drawn stays, and the next image changes its own rectangle only
            self._file.write(struct.pack("<3sBHBB", b"!\xf9\x04", keep, delay, 0, 0) + self._image)
            self._delays += delay


def quantize(
    pixels: UInt8[np.ndarray, "h w 3"], count: int, kept: ColorTable | None = None, *, reconsider: bool = True
) -> tuple[ColorTable, UInt8[np.ndarray, "h w"]]:
    """Choose up to `count` colours, and the index of one for each pixel: exactly its own where that many are enough.

    Otherwise the `kept` colours are taken again unless new ones are clearly nearer, since colours that change from
    image to image flicker. Without `reconsider`, new ones are tried only where the kept ones got worse.
    """
    image = Image.fromarray(pixels)
    # Plots, text and masks have few colours: they come out exactly, and so do repeated frames.
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
    """Index pixels of few colours, which are sorted."""
    # As numbers of 24 bits: sorted colours are sorted numbers, and a search over them is fast.
    places = np.array([65536, 256, 1], np.uint32)
    numbers = colors.astype(np.uint32) @ places
    return ColorTable(colors, 0.0), np.searchsorted(numbers, pixels.astype(np.uint32) @ places).astype(np.uint8)


def _grid(length: int) -> slice:
    return slice(None, None, max(length // SAMPLE_PIXELS, 1))


def _nearest(image: Image.Image, colors: UInt8[np.ndarray, "n 3"]) -> Image.Image:
    """Return the index of the nearest colour for each pixel, as a Pillow image."""
    palette = Image.new("P", (1, 1))
    palette.putpalette(colors.tobytes())
    return image.quantize(palette=palette, dither=Image.Dither.NONE)


def _error(image: Image.Image, colors: UInt8[np.ndarray, "n 3"]) -> float:
    """Return the mean of |difference|, 0 to 255, to the nearest of `colors`."""
    # int16: differences of bytes have a sign.
    off = np.asarray(_nearest(image, colors).convert("RGB"), np.int16) - np.asarray(image, np.int16)
    return float(np.abs(off).mean())


def _lzw(indices: UInt8[np.ndarray, "h w"]) -> bytes:
    """Return the compressed data of an image block."""
    # Cut out of a GIF that Pillow writes of that one image: its encoder is compiled, ours would not be.
    file = io.BytesIO()
    Image.fromarray(indices).save(file, "GIF", optimize=False, interlace=0)
    data = file.getbuffer()
    descriptor = 13 + 3 * (2 << (data[10] & 7))  # behind the header and its table of colours
    return bytes(data[descriptor + 10 : -1])
