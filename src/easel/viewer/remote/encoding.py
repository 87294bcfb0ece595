"""Encoding of a window's picture for a browser tab: only the changed tiles, soon, and exactly once they rest.

While tiles change they travel as JPEG; those that have rested for a moment are sent once more as PNG, so that a person
reads exactly what was drawn.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from easel.viewer.imgui.damage import Box

TILE = 32
"""Side of a tile in pixels: two of JPEG's blocks at half resolution of colour."""
PROBE_ROWS = 8
"""Of so many rows, one is compared first."""
SHARED_PIXELS = 1 << 18
"""Number of pixels from which encoding takes milliseconds, which a second thread halves."""
MOST_BOXES = 24
"""Most parts of a picture: more cost more than the unchanged tiles between them."""
QUALITY = 80
"""JPEG quality, 0 to 100."""
PLAIN_COLOURS = 64
"""Colours up to which an area is letters and lines: PNG is then smaller than JPEG, and exact."""


def changed_tiles(before: np.ndarray | None, now: np.ndarray, within: Sequence[Box] | None = None) -> np.ndarray:
    """Return (rows, columns), bool: the tiles of `now` (h, w, 4), uint8, that differ from `before`.

    All of them where sizes differ. Tiles outside the boxes `within`, None for everywhere, are not compared.
    """
    height, width, _ = now.shape
    # Rounded up: the last tiles may be cut off by the window's edge.
    rows, columns = -(-height // TILE), -(-width // TILE)
    tiles, unknown = np.zeros((2, rows, columns), bool)
    for box in [(0, 0, width, height)] if within is None else within:
        if before is None or before.shape != now.shape:
            tiles[in_tiles(box)] = True
            continue
        # Most tiles that change do so in any few of their rows, which spares reading the others.
        tiles[in_tiles(box)] |= _differing(before, now, box, PROBE_ROWS)
        unknown[in_tiles(box)] = True
    for box in boxes(unknown & ~tiles, (width, height)):
        assert before is not None
        tiles[in_tiles(box)] |= _differing(before, now, box)
    return tiles


def shares(parts: Sequence[Box]) -> list[list[Box]]:
    """Return the boxes of the upper half and of the lower one, for two threads; one list if there are few pixels.

    The cut lies between tiles, so that no tile is in both.
    """
    if sum(width * height for _, _, width, height in parts) < SHARED_PIXELS:
        return [list(parts)]
    top = min(y for _, y, _, _ in parts)
    bottom = max(y + height for _, y, _, height in parts)
    # Halves of the height, not of the pixels: close enough, and no box has to be cut twice.
    middle = (top + bottom) // 2 // TILE * TILE
    upper = [(x, y, width, min(height, middle - y)) for x, y, width, height in parts if y < middle]
    below = ((x, max(y, middle), width, y + height) for x, y, width, height in parts if y + height > middle)
    return [upper, [(x, start, width, end - start) for x, start, width, end in below]]


def boxes(tiles: np.ndarray, size: tuple[int, int]) -> list[Box]:
    """Return few boxes in pixels that cover all `tiles` that are true, in a window of `size` = (width, height)."""
    found: list[list[int]] = []  # left, top, right, bottom in tiles
    # A stretch of a row that is exactly as wide as one above it continues that one's rectangle.
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
    # One box around all of them.
    if len(found) > MOST_BOXES:
        edges = np.array(found)
        found = [[*edges[:, :2].min(0).tolist(), *edges[:, 2:].max(0).tolist()]]
    corners = ([TILE * edge for edge in part] for part in found)
    return [(left, top, min(right, size[0]) - left, min(bottom, size[1]) - top) for left, top, right, bottom in corners]


@dataclass(frozen=True)
class EncodedPart:
    """An encoded rectangle of a picture."""

    box: Box
    image: bytes
    """A PNG or JPEG file."""
    exact: bool
    """True if it shows exactly what was drawn."""


def encode_tiles(picture: np.ndarray, tiles: np.ndarray, *, exact: bool) -> list[EncodedPart]:
    """Encode all `tiles` that are true, in few parts."""
    size = (picture.shape[1], picture.shape[0])
    return [EncodedPart(box, *encode(picture, box, exact=exact)) for box in boxes(tiles, size)]


def encode(picture: np.ndarray, box: Box, *, exact: bool, quality: int = QUALITY) -> tuple[bytes, bool]:
    """Return the part `box` of a picture (h, w, 4) as an image file, and True if that shows it exactly.

    The fourth channel only fills: pixels of four bytes are what drivers hand out and libraries read without copying.
    """
    x, y, width, height = box
    # Pillow reads memory in one piece.
    part = np.ascontiguousarray(picture[y : y + height, x : x + width])
    image = Image.frombuffer("RGBX", (width, height), part, "raw", "RGBX", 0, 1)
    file = io.BytesIO()
    # `getcolors` gives up as soon as there are more colours, which in a photo is soon.
    if exact or image.getcolors(PLAIN_COLOURS) is not None:
        # A low level is faster, and letters compress well at any.
        image.convert("RGB").save(file, "PNG", compress_level=3)
        return file.getvalue(), True
    image.save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return file.getvalue(), False


def in_tiles(box: Box) -> tuple[slice, slice]:
    """Return the index of the tiles that a box of `boxes` covers."""
    x, y, width, height = box
    return slice(y // TILE, -(-(y + height) // TILE)), slice(x // TILE, -(-(x + width) // TILE))


def _differing(before: np.ndarray, now: np.ndarray, box: Box, every: int = 1) -> np.ndarray:
    """Return which of the tiles that `box` covers differ in one of `every` rows."""
    down, across = in_tiles(box)
    part = slice(TILE * down.start, TILE * down.stop, every), slice(TILE * across.start, TILE * across.stop)
    # A pixel at once, and a tile's pixels of a row together: ten times as fast as channel by channel.
    old, new = (picture[part].view(np.uint32)[..., 0] for picture in (before, now))
    rows, columns = down.stop - down.start, across.stop - across.start
    high = TILE // every
    differs = np.zeros((rows * high, columns * TILE), bool)
    np.not_equal(old, new, out=differs[: old.shape[0], : old.shape[1]])
    # Eight truth values at once.
    strips = differs.view(np.uint64).reshape(rows, high, columns, TILE // 8)
    return np.asarray(strips.any((1, 3)))


def _runs(line: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield (begin, end) of every stretch that is true."""
    # A stretch begins where False becomes True, and ends at the next change.
    edges = np.flatnonzero(np.diff(np.concatenate(([False], line, [False])).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
