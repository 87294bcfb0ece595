"""Marks of use: scratches, spots, stains."""

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from easel.materials.collection.cells import cells
from easel.materials.collection.noise import Points, fbm, lattice, ramp, uniform, warped


def scratches(
    points: Points, frequency: int, seed: int, *, length: float = 0.9, width: float = 0.02, share: float = 1.0
) -> Float32[ndarray, "h w"]:
    """1 on straight strokes in all directions, 0 beside them: one in a `share` of the cells of a lattice.

    `length` (at most 1) and `width` are in cells; strokes taper to their ends and fade where they are too thin to see.
    """
    words = lattice(frequency, frequency, seed)
    centre_x, centre_y = uniform(words, 1), uniform(words, 2)
    along_x, along_y = uniform(words, 3) * 2 - 1, uniform(words, 4) * 2 - 1
    norm = np.sqrt(along_x * along_x + along_y * along_y) + np.float32(1e-6)
    along_x, along_y = along_x / norm, along_y / norm
    half = np.float32(length / 2) * (np.float32(0.4) + np.float32(0.6) * uniform(words, 5))
    depth = np.where(uniform(words, 6) < share, np.float32(0.3) + np.float32(0.7) * uniform(words, 7), np.float32(0))
    x, y = points.x * np.float32(frequency), points.y * np.float32(frequency)
    column, row = np.floor(x), np.floor(y)
    inside_x, inside_y = x - column, y - row
    column, row = column.astype(np.int32), row.astype(np.int32)
    # thinner than a sample: as wide as one and as much fainter
    visible = max(width, 1.2 * frequency / points.size)
    faint = np.float32(width / visible)
    total = np.zeros(np.broadcast_shapes(x.shape, y.shape), np.float32)
    for down in (-1, 0, 1):
        for aside in (-1, 0, 1):
            index = (row + down) % np.int32(frequency) * np.int32(frequency) + (column + aside) % np.int32(frequency)
            to_x = inside_x - centre_x.take(index) - np.float32(aside)
            to_y = inside_y - centre_y.take(index) - np.float32(down)
            ax, ay = along_x.take(index), along_y.take(index)
            place = np.abs(to_x * ax + to_y * ay) / half.take(index)
            beside = np.abs(to_x * ay - to_y * ax) / np.float32(visible)
            stroke = depth.take(index) * (1 - beside).clip(0, 1) * (1 - place * place).clip(0, 1)
            np.maximum(total, stroke, out=total)
    return total * faint


def spots(
    points: Points, frequency: int, seed: int, radius: float | int, share: float | int = 1.0
) -> Float32[ndarray, "h w"]:
    """Round spots of up to `radius` cells, in a `share` of the cells: 1 in their middle, 0 from their rim on."""
    near = cells(points, frequency, seed, 0.7)
    size = np.float32(radius) * (np.float32(0.3) + np.float32(0.7) * uniform(near.identity, 11))
    there = uniform(near.identity, 12) < share
    faint = np.float32(points.presence(frequency / (2 * radius)))
    return np.where(there, ramp(near.distance / size, 1.0, 0.2), np.float32(0)) * faint


def stains(points: Points, seed: int, frequency: int = 3, coverage: float = 0.4) -> Float32[ndarray, "h w"]:
    """Soft patches with torn rims: 1 on about `coverage` of the tile, 0 elsewhere."""
    torn = warped(points, 2 * frequency, ~seed, 0.04)
    level = 0.45 - 0.9 * coverage
    return ramp(fbm(torn, frequency, seed, 5, 0.55), level - 0.15, level + 0.2)
