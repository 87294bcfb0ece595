"""Noise without a period, for shadows over a scene and dirt on a lens: the same bits on every machine.

Points are arrays `x` and `y` of one shape, in units of lattice cells, of either sign. Randomness is an integer hash of
the lattice position and a seed.
"""

import numpy as np
from jaxtyping import Float32, Int
from numpy import ndarray

from easel.materials.collection.noise import scramble, smooth, uniform

Grid = Float32[ndarray, "h w"]


def value_noise(x: Grid, y: Grid, seed: int) -> Grid:
    """Return random numbers of the lattice with a smooth step between them; [0, 1], mean 1/2."""
    left = np.floor(x)
    bottom = np.floor(y)
    across = smooth(x - left)
    along = smooth(y - bottom)
    column = left.astype(np.int32)
    row = bottom.astype(np.int32)
    low, high = (
        _random(column, row + up, seed) * (1 - across) + _random(column + 1, row + up, seed) * across for up in (0, 1)
    )
    return low * (1 - along) + high * along


def fbm(x: Grid, y: Grid, seed: int, octaves: int = 4) -> Grid:
    """Sum octaves of value noise, from amplitude .5, each half as strong and twice as fine; [0, 1 − 2^−octaves]."""
    total = np.zeros_like(x)
    for octave in range(octaves):
        scale = np.float32(2**octave)
        total += np.float32(0.5 ** (octave + 1)) * value_noise(x * scale, y * scale, seed + octave)
    return total


def worley(x: Grid, y: Grid, seed: int, jitter: float | int) -> Grid:
    """Return the distance to the nearest of scattered points, one in each cell, up to `jitter` / 2 off its middle.

    Worley 1996, "A cellular texture basis function".
    """
    column = np.floor(x).astype(np.int32)
    row = np.floor(y).astype(np.int32)
    nearest = np.full_like(x, np.inf)
    for up in (-1, 0, 1):
        for right in (-1, 0, 1):
            i = column + right
            j = row + up
            to_x = i + np.float32(0.5) + np.float32(jitter) * (_random(i, j, seed) - np.float32(0.5)) - x
            to_y = j + np.float32(0.5) + np.float32(jitter) * (_random(i, j, seed + 1) - np.float32(0.5)) - y
            np.minimum(nearest, to_x * to_x + to_y * to_y, out=nearest)
    return np.sqrt(nearest).astype(np.float32)


def _random(column: Int[ndarray, "h w"], row: Int[ndarray, "h w"], seed: int) -> Grid:
    # Hashed one after the other: a sum or product of both would repeat itself along diagonals
    return uniform(scramble(row.astype(np.uint32)) + column.astype(np.uint32), seed)
