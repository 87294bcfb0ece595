"""Marks of use: scratches, spots, stains."""

import numpy as np

from easel.materials.collection.cells import NEIGHBOURS, cells
from easel.materials.collection.noise import (
    Field,
    Number,
    Points,
    cell_of,
    fbm,
    lattice,
    ramp,
    uniform,
    warped,
    wrapped,
)


def scratches(
    points: Points, frequency: int, seed: int, *, length: float = 0.9, width: float = 0.02, share: float = 1.0
) -> Field:
    """Return 1 on straight strokes in all directions, 0 beside them: one in a `share` of the cells of a lattice.

    `length` (at most 1) and `width` are in cells; strokes taper to their ends and fade where they are too thin to see.
    """
    words = lattice(frequency, frequency, seed)
    centre_x, centre_y = (uniform(words, key) for key in (1, 2))
    along = np.stack([uniform(words, key) * 2 - 1 for key in (3, 4)])
    along /= np.sqrt(along[0] * along[0] + along[1] * along[1]) + np.float32(1e-6)
    half = np.float32(length / 2) * (np.float32(0.4) + np.float32(0.6) * uniform(words, 5))
    depth = np.where(uniform(words, 6) < share, np.float32(0.3) + np.float32(0.7) * uniform(words, 7), np.float32(0))
    column, inside_x = cell_of(points.x, frequency)
    row, inside_y = cell_of(points.y, frequency)
    # Thinner than a sample: as wide as one and as much fainter
    visible = max(width, 1.2 * frequency / points.size)
    total = np.zeros(np.broadcast_shapes(column.shape, row.shape), np.float32)
    # A stroke reaches half a cell to each side at most, so that those of the neighbours are enough
    for down, aside in NEIGHBOURS:
        index = wrapped(row + down, frequency) * np.int32(frequency) + wrapped(column + aside, frequency)
        to_x = inside_x - centre_x.take(index) - np.float32(aside)
        to_y = inside_y - centre_y.take(index) - np.float32(down)
        ax, ay = (part.take(index) for part in along)
        place = np.abs(to_x * ax + to_y * ay) / half.take(index)
        beside = np.abs(to_x * ay - to_y * ax) / np.float32(visible)
        stroke = depth.take(index) * (1 - beside).clip(0, 1) * (1 - place * place).clip(0, 1)
        np.maximum(total, stroke, out=total)
    return total * np.float32(width / visible)


def spots(points: Points, frequency: int, seed: int, radius: Number, share: Number = 1.0) -> Field:
    """Return round spots of up to `radius` cells, in a `share` of the cells: 1 in their middle, 0 from their rim on."""
    near = cells(points, frequency, seed, 0.7)
    size = np.float32(radius) * (np.float32(0.3) + np.float32(0.7) * uniform(near.identity, 11))
    there = uniform(near.identity, 12) < share
    faint = np.float32(points.presence(frequency / (2 * radius)))
    return np.where(there, ramp(near.distance / size, 1.0, 0.2), np.float32(0)) * faint


def stains(points: Points, seed: int, frequency: int = 3, coverage: float = 0.4) -> Field:
    """Return soft patches with torn rims: 1 on about `coverage` of the tile, 0 elsewhere."""
    torn = warped(points, 2 * frequency, ~seed, 0.04)
    # Noise is nearly even around 0: the level falls in proportion to the share that lies above it
    level = 0.45 - 0.9 * coverage
    return ramp(fbm(torn, frequency, seed, 5, 0.55), level - 0.15, level + 0.2)
