"""Sheet: one tensor as it is drawn, with its box, its tiles and its pyramid."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from easel.inspector.layout.arrangement import Box
from easel.inspector.layout.sheet_map import SheetMap
from easel.inspector.models.graph import TensorRef
from easel.inspector.scene.pyramid import LARGEST, Halves, Pyramid, build, cut, scaled, tiles_of

RANGES = ("own", "peak", "shared")
"""Limits of the colours: 99.5 % of a tensor's magnitudes, its largest, or one limit for all tensors."""
SEQUENTIAL_KINDS = ("activation", "buffer", "state")
"""Kinds of tensors whose values have colours of their own if all have one sign."""


class Sheet:
    """The values of one box, at all levels of detail."""

    def __init__(self, box: Box, ref: TensorRef, largest: int = LARGEST) -> None:
        assert box.sheet is not None, "a box without values has no sheet"
        self.box, self.ref = box, ref
        self.map: SheetMap = box.sheet
        self.tensor: Tensor = ref.tensor.detach()
        self.tiles = tiles_of(self.map.grid, largest)
        self.version = 0
        """Number of updates, by which a renderer knows that its textures are old."""
        self._pyramid: Pyramid | None = None
        self._seen = self.tensor._version

    def update(self, tensor: Tensor) -> bool:
        """Show `tensor` from now on. True if anything can have changed. Raises ValueError for another shape."""
        tensor = tensor.detach()
        if tuple(tensor.shape) != tuple(self.tensor.shape) or tensor.is_complex() != self.tensor.is_complex():
            fits = "A network of other shapes needs a scene of its own."
            raise ValueError(f"{self.box.name!r} has the shape {self.ref.shape}; got {tuple(tensor.shape)}. {fits}")
        same = tensor.data_ptr() == self.tensor.data_ptr() and tensor.stride() == self.tensor.stride()
        # torch counts the writes into a tensor: the same memory with the same count holds the same values.
        if same and tensor._version == self._seen and tensor.dtype == self.tensor.dtype:
            return False
        self.tensor, self._seen, self._pyramid = tensor, tensor._version, None
        self.version += 1
        return True

    def pyramid(self, aggregate: str) -> Pyramid:
        """Return the pyramid of the values as they were at the last update; only the latest aggregate is kept."""
        # Built when it is asked for: of a large network most sheets are never near enough.
        if self._pyramid is None or self._pyramid.aggregate != aggregate:
            self._pyramid = build(self.values(), aggregate, self.tiles)
        return self._pyramid

    def level(self, tile: int, number: int, aggregate: str) -> Halves:
        """Return the values of one level of one tile, scaled by the pyramid's exponent."""
        pyramid = self.pyramid(aggregate)
        if number:
            return pyramid.levels[tile][number - 1]
        # Level 0 is not kept: in halves it would take half of the tensor's memory once more.
        return scaled(cut(self.values(), self.tiles[tile]), pyramid.exponent).half().numpy()

    def is_sequential(self, aggregate: str) -> bool:
        """Return True if values of one sign have colours of their own; weights keep theirs, so that layers compare."""
        return self.ref.kind in SEQUENTIAL_KINDS and self.pyramid(aggregate).is_one_signed

    def limits(self, aggregate: str, ranges: str, shared: float) -> list[float]:
        """Return the limit of every level, of scaled values; `shared` is the unscaled limit of all tensors."""
        pyramid = self.pyramid(aggregate)
        if ranges == "own":
            return list(pyramid.limits)
        if ranges == "peak":
            return [_at_least(pyramid.peak, pyramid.exponent)] * len(pyramid.limits)
        # One range for all still has to grow with the peaks of many cells.
        largest = _at_least(shared, pyramid.exponent)
        return [largest * (limit / pyramid.limits[0]) for limit in pyramid.limits]

    def table(self, tile: int) -> Float[np.ndarray, "22 4"]:
        """Return the shaders' uniform `sheet` for a tile, without limits, levels and marks (see `sheet.glsl`)."""
        top, bottom, left, right = self.tiles[tile]
        rows, columns = self.map.grid
        origin, across, down = (np.array(vector) for vector in (self.box.origin, self.box.right, self.box.down))
        wide = self.map.is_wide
        table = np.zeros((22, 4))
        table[0, :3] = origin + across * left / columns + down * top / rows
        table[1, :3] = across * (right - left) / columns
        table[2, :3] = down * (bottom - top) / rows
        table[3] = right - left, bottom - top, left, top
        # The shader has columns first, as it has x before y.
        table[4] = *self.map.kernel[::-1], self.map.band, 0
        table[5] = *self.map.block[::-1], self.map.across, self.map.gutter
        table[6] = self.map.plane[int(wide)], wide, columns, rows
        # No cell is marked, and outlines are drawn.
        table[7] = -1, -1, 0, 1
        return table

    @torch.no_grad()
    def values(self) -> Tensor:
        """Return the values in the cells of the sheet, on the CPU; a complex one is two real ones."""
        tensor = torch.view_as_real(self.tensor) if self.tensor.is_complex() else self.tensor
        return self.map.spread(tensor.cpu())


def _at_least(limit: float, exponent: int) -> float:
    """Return limit · 2^exponent, large enough to divide by."""
    return max(float(np.ldexp(limit, exponent)), 1e-30)
