"""Pictures larger than a network takes at once: windows that overlap, blended so that no border of theirs is seen.

A window may reach over the right and the lower edge of a picture that repeats; it then goes on at the other side.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise, product

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

LEAST_OVERLAP_PIXELS = 64
"""Nearer than this to its border a network sees too little of what surrounds a texel."""


@dataclass(frozen=True)
class Crop:
    """A rectangle of a picture, in pixels."""

    top: int
    left: int
    height: int
    width: int

    def cut(self, picture: Shaped[Tensor, "*b h w"]) -> Shaped[Tensor, "*b h2 w2"]:
        """Return that part of a picture; a view unless it reaches over an edge."""
        height, width = picture.shape[-2:]
        if self.top + self.height <= height and self.left + self.width <= width:
            return picture[..., self.top : self.top + self.height, self.left : self.left + self.width]
        rows, columns = (
            torch.arange(start, start + length, device=picture.device) % whole
            for start, length, whole in ((self.top, self.height, height), (self.left, self.width, width))
        )
        return picture[..., rows[:, None], columns]

    def positions(self, positions: Float[Tensor, "*b 3"], size: tuple[int, int]) -> Float[Tensor, "*b 3"]:
        """Convert points in the frame of a picture of `size` = (height, width) to the crop's own frame.

        A frame spans its picture by [-½, ½]² at z = 0, x right, y up, z towards the viewer. NaN stays NaN.
        """
        height, width = size
        right = (self.left + self.width / 2) / width - 0.5
        up = 0.5 - (self.top + self.height / 2) / height
        # Pixels are square: what the window's width is to the picture's, one unit is to the other in depth, too.
        scale = positions.new_tensor([width / self.width, height / self.height, width / self.width])
        return (positions - positions.new_tensor([right, up, 0.0])) * scale


@dataclass(frozen=True, eq=False)
class Span:
    """Extent of a crop along one axis, and the weight of each of its pixels in the blend."""

    start: int
    weights: Float[Tensor, " n"]


def spans(length: int, tile: int, overlap: int, *, wrap: bool = False) -> list[Span]:
    """Cover `length` evenly with crops of up to `tile` pixels, neighbours sharing `overlap` pixels or more.

    Where two meet, their weights cross as a raised cosine; at every pixel the weights add up to 1. With `wrap` the
    last window meets the first one over the edge, and a window may be longer than the picture.
    """
    # Beyond half a tile a pixel would lie in three windows, whose weights would not cross.
    if not 0 < overlap <= tile // 2:
        raise ValueError(f"tiles of {tile} pixels overlap by 1 to {tile // 2}; got {overlap}.")
    if wrap:
        # Every window ends where the next one has risen.
        count = math.ceil(length / (tile - overlap))
        starts = [round(number * length / count) for number in range(count)]
        size = max(after - before for before, after in pairwise([*starts, length])) + overlap
    else:
        size = min(tile, length)
        count = max(1, math.ceil((length - overlap) / (tile - overlap)))
        # Spread evenly, so that the last window does not overlap far more than the others.
        starts = [round(number * (length - size) / max(count - 1, 1)) for number in range(count)]
    rising = torch.ones(size)
    share = min(overlap, size)
    # sin² + cos² = 1: the weights of two neighbours add up to 1.
    rising[:share] = 0.5 - 0.5 * torch.cos(math.pi * (torch.arange(share) + 0.5) / share)
    raw = [
        (rising if wrap or number > 0 else torch.ones(size))
        * (rising.flip(0) if wrap or number < count - 1 else torch.ones(size))
        for number in range(count)
    ]
    # Windows that share more than `overlap`, because they are spread evenly, have weights that add up to more.
    places = [(start + torch.arange(size)) % length for start in starts]
    total = torch.zeros(length).index_add_(0, torch.cat(places), torch.cat(raw))
    return [Span(start, weights / total[place]) for start, weights, place in zip(starts, raw, places, strict=True)]


@dataclass(frozen=True)
class Tiling:
    """Division of a picture of `size` = (height, width) into overlapping crops."""

    size: tuple[int, int]
    tile: int
    overlap: int = LEAST_OVERLAP_PIXELS
    wrap: bool = False
    """The picture repeats: windows go over its edges."""

    def __len__(self) -> int:
        return math.prod(map(len, self._spans()))

    def __iter__(self) -> Iterator[tuple[Crop, Float[Tensor, "h w"]]]:
        """Yield the crops row by row, each with the weight of its pixels."""
        for row, column in product(*self._spans()):
            window = Crop(row.start, column.start, len(row.weights), len(column.weights))
            yield window, row.weights[:, None] * column.weights

    def _spans(self) -> list[list[Span]]:
        """Return the spans of rows and those of columns."""
        return [spans(length, self.tile, self.overlap, wrap=self.wrap) for length in self.size]


def blend(
    predict: Callable[[Crop], Float[Tensor, "c h w"]], tiling: Tiling, *, scale: int = 1
) -> Float[Tensor, "c h2 w2"]:
    """Blend what `predict` says of every crop into one picture, `scale` times as large as the one that is cut.

    Beside the picture only one window is held at a time.
    """
    height, width = (length * scale for length in tiling.size)
    total: Tensor | None = None
    for window, weights in tiling:
        said = predict(window)
        # Allocated by the first answer, which tells channels, dtype and device.
        if total is None:
            total = said.new_zeros(len(said), height, width)
        # Each texel of a weight covers scale × scale texels of an enlarged answer.
        weights = weights.to(said).repeat_interleave(scale, 0).repeat_interleave(scale, 1)
        # Piece by piece where it reaches over an edge.
        rows = _pieces(window.top * scale, said.shape[-2], height)
        columns = _pieces(window.left * scale, said.shape[-1], width)
        for (into_rows, from_rows), (into_columns, from_columns) in product(rows, columns):
            piece = said[:, from_rows, from_columns] * weights[from_rows, from_columns]
            total[:, into_rows, into_columns] += piece
    assert total is not None, "a tiling has at least one window"
    return total


def _pieces(start: int, length: int, whole: int) -> list[tuple[slice, slice]]:
    """Split a crop along one axis where it goes over the edge: pairs of (place in the picture, place in the crop)."""
    pieces = []
    done = 0
    while done < length:
        at = (start + done) % whole
        count = min(length - done, whole - at)
        pieces.append((slice(at, at + count), slice(done, done + count)))
        done += count
    return pieces
