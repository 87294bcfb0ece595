"""What changed between two pictures of a window, and how it is sent: little, soon, and exact once it rests.

A window mostly stands still, so only the tiles that changed travel. While they change they go as JPEG; what has rested
for a moment is sent once more as PNG, so that what a person reads is what was drawn.
"""

import io
from collections.abc import Iterator

import numpy as np
from PIL import Image

Box = tuple[int, int, int, int]
"""x, y, width, height in pixels."""

TILE = 32
"""Side of a tile in pixels: two of JPEG's blocks at half resolution of colour."""
MOST_BOXES = 24
"""More parts than this cost more than the unchanged tiles between them."""
QUALITY = 80
PLAIN_COLOURS = 64
"""An area of so few colours is letters and lines: PNG is then smaller than JPEG, and exact."""


def changed_tiles(before: np.ndarray | None, now: np.ndarray) -> np.ndarray:
    """Which tiles of `now` (h, w, 4), uint8, differ from `before`; all where sizes differ. (rows, columns), bool."""
    height, width, _ = now.shape
    rows, columns = -(-height // TILE), -(-width // TILE)
    if before is None or before.shape != now.shape:
        return np.ones((rows, columns), bool)
    # A pixel at once, and a tile's pixels of a row together: ten times as fast as channel by channel.
    differs = np.zeros((rows * TILE, columns * TILE), bool)
    np.not_equal(before.view(np.uint32)[..., 0], now.view(np.uint32)[..., 0], out=differs[:height, :width])
    strips = differs.reshape(rows * TILE, columns * TILE // 8, 8).view(np.uint64)[..., 0]
    return np.asarray(strips.reshape(rows, TILE, columns, TILE // 8).any((1, 3)))


def boxes(tiles: np.ndarray, size: tuple[int, int]) -> list[Box]:
    """Few rectangles that cover all `tiles` that are true, within a window of `size` = (width, height)."""
    found: list[list[int]] = []  # left, top, right, bottom in tiles
    growing: dict[tuple[int, int], list[int]] = {}
    for row, line in enumerate(tiles):
        still: dict[tuple[int, int], list[int]] = {}
        for run in _runs(line):
            part = growing.get(run)
            if part is None:
                part = [run[0], row, run[1], row]
                found.append(part)
            part[3] = row + 1
            still[run] = part
        growing = still
    if len(found) > MOST_BOXES:
        edges = np.array(found)
        found = [[*edges[:, :2].min(0).tolist(), *edges[:, 2:].max(0).tolist()]]
    return [_in_pixels(part, size) for part in found]


def encode(picture: np.ndarray, box: Box, *, exact: bool, quality: int = QUALITY) -> tuple[bytes, bool]:
    """The part `box` of a picture (h, w, 4) as an image file, and whether that shows it exactly.

    The fourth channel only fills: pixels of four bytes are what drivers hand out and libraries read without copying.
    """
    x, y, width, height = box
    part = np.ascontiguousarray(picture[y : y + height, x : x + width])
    image = Image.frombuffer("RGBX", (width, height), part, "raw", "RGBX", 0, 1)
    file = io.BytesIO()
    if exact or image.getcolors(PLAIN_COLOURS) is not None:
        image.convert("RGB").save(file, "PNG", compress_level=3)
        return file.getvalue(), True
    image.save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return file.getvalue(), False


def in_tiles(box: Box) -> tuple[slice, slice]:
    """The tiles that a box of `boxes` covers, as an index."""
    x, y, width, height = box
    return slice(y // TILE, -(-(y + height) // TILE)), slice(x // TILE, -(-(x + width) // TILE))


def _runs(line: np.ndarray) -> Iterator[tuple[int, int]]:
    """(begin, end) of every stretch that is true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], line, [False])).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _in_pixels(part: list[int], size: tuple[int, int]) -> Box:
    left, top, right, bottom = (TILE * edge for edge in part)
    return left, top, min(right, size[0]) - left, min(bottom, size[1]) - top
