"""Cellular noise: scattered points, what is nearest to each texel and how far the border is (Worley 1996)."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from jaxtyping import Float32, UInt32
from numpy import ndarray

from easel.materials.collection import noise
from easel.materials.collection.noise import Field, Frequency, Points, cell_of, sides, uniform, wrapped

NEIGHBOURS = tuple(product((-1, 0, 1), repeat=2))
"""Steps (up, right) to the cells that touch one, and to itself."""


@dataclass(frozen=True)
class Cells:
    """The cell that every texel is in; lengths in units of a cell's height."""

    distance: Field
    """To the point of the cell."""
    border: Field
    """To the border with the nearest other cell: 0 on it."""
    identity: UInt32[ndarray, "h w"]
    """A random word per cell: `uniform(identity, seed)` gives it as many numbers as one likes."""
    right: Field
    up: Field
    """From the cell's point to the texel."""

    def lean(self, seed: int) -> Field:
        """Return the height of cells that are planes, each tilted its own way; `seed` and the next one tilt them."""
        return (uniform(self.identity, seed) - 0.5) * self.right + (uniform(self.identity, seed + 1) - 0.5) * self.up


# Every band of rows asks for the same lattices again
@lru_cache(maxsize=32)
def _sites(
    columns: int, rows: int, seed: int, jitter: float, stagger: float
) -> tuple[UInt32[ndarray, "cells"], Float32[ndarray, "cells"], Float32[ndarray, "cells"]]:
    """Return identity and place, in its cell, of every point."""
    words = noise.lattice(columns, rows, seed)
    shift = np.repeat(np.arange(rows) % 2, columns).astype(np.float32) * np.float32(stagger)
    site_x = np.float32(0.5) + np.float32(jitter) * (uniform(words, 1) - np.float32(0.5)) + shift
    site_y = np.float32(0.5) + np.float32(jitter) * (uniform(words, 2) - np.float32(0.5))
    return words, site_x, site_y


def cells(points: Points, frequency: Frequency, seed: int, jitter: float = 0.8, stagger: float = 0.0) -> Cells:
    """Scatter points on a lattice of `frequency` cells a tile, each moved by up to half of `jitter` cells.

    Every second row is shifted by `stagger` cells: .5 without jitter gives hexagons. Rows are even then.
    """
    columns, rows = sides(frequency)
    words, site_x, site_y = _sites(columns, rows, seed, jitter, stagger)
    # Lengths are in heights of a cell, in which its width is this
    stretch = np.float32(rows / columns)
    column, inside_x = cell_of(points.x, columns)
    row, inside_y = cell_of(points.y, rows)
    shape = np.broadcast_shapes(column.shape, row.shape)
    nearest = np.full(shape, np.inf, np.float32)
    identity = np.zeros(shape, np.uint32)
    near_x, near_y = (np.zeros(shape, np.float32) for _ in range(2))
    sites: list[tuple[ndarray, ndarray]] = []
    for down, aside in NEIGHBOURS:
        index = wrapped(row + down, rows) * np.int32(columns) + wrapped(column + aside, columns)
        to_x = (site_x.take(index) + np.float32(aside) - inside_x) * stretch
        to_y = site_y.take(index) + np.float32(down) - inside_y
        squared = to_x * to_x + to_y * to_y
        closer = squared < nearest
        np.copyto(nearest, squared, where=closer)
        np.copyto(identity, words.take(index), where=closer)
        np.copyto(near_x, to_x, where=closer)
        np.copyto(near_y, to_y, where=closer)
        sites.append((to_x, to_y))
    border = np.full(shape, np.inf, np.float32)
    for to_x, to_y in sites:
        # The border of two cells is the bisector of their points
        across_x = to_x - near_x
        across_y = to_y - near_y
        length = np.sqrt(across_x * across_x + across_y * across_y)
        middle = ((to_x + near_x) * across_x + (to_y + near_y) * across_y) / np.maximum(2 * length, np.float32(1e-6))
        np.minimum(border, np.where(length > 1e-4, middle, np.inf), out=border)
    return Cells(np.sqrt(nearest), border, identity, -near_x, -near_y)


@dataclass(frozen=True)
class Units:
    """The unit under every texel; lengths in tile sides."""

    border: Field
    """To the nearest side of the unit, negative nowhere: the middle of a joint is 0."""
    identity: UInt32[ndarray, "h w"]
    """A random word per unit."""
    across: Field
    up: Field
    """From the unit's middle, in [-½, ½] of its width and height."""


def courses(
    points: Points, columns: int, rows: int, seed: int, *, offset: float = 0.5, scatter: float = 0, corner: float = 0
) -> Units:
    """Lay rows of units, every second one shifted by `offset` units, each by up to `scatter` more of its own.

    With an offset `rows` is even. `corner` rounds the corners by that many tile sides.
    """
    row, above_row = cell_of(points.y, rows)
    course = wrapped(row, rows)
    shift = (course % 2).astype(np.float32) * np.float32(offset)
    if scatter:
        shift = shift + np.float32(scatter) * uniform(course.astype(np.uint32), seed)
    x = points.x * np.float32(columns) + shift
    column = np.floor(x)
    across = x - column - np.float32(0.5)
    up = above_row - np.float32(0.5)
    aside = (np.float32(0.5) - np.abs(across)) * np.float32(1 / columns)
    above = (np.float32(0.5) - np.abs(up)) * np.float32(1 / rows)
    border = np.minimum(aside, above)
    if corner:
        # Within a corner's square the way to the centre of its circle counts, elsewhere that to the nearest side
        inner_x, inner_y = (np.maximum(corner - way, 0) for way in (aside, above))
        rounded = np.float32(corner) - np.sqrt(inner_x * inner_x + inner_y * inner_y)
        border = np.where((inner_x > 0) & (inner_y > 0), rounded, border)
    words = (course * np.int32(columns) + wrapped(column, columns)).astype(np.uint32)
    return Units(border, noise.combine(words, seed), *np.broadcast_arrays(across, up))
