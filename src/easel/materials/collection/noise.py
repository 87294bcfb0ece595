"""Periodic noise on the unit tile, the same bits on every machine.

A tile is [0, 1)² and repeats; x grows to the right, y upwards. Frequencies are whole numbers of lattice cells a tile.
Randomness is an integer hash of lattice position and seed. All arithmetic is + − × ÷ √ and comparisons, which IEEE 754
rounds correctly: sin, exp and powers differ between processors in the last bit.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float32, Int32, UInt32
from numpy import ndarray

Field = Float32[ndarray, "h w"]
"""One number a texel."""
Values = Float32[ndarray, "..."]
"""Numbers in any axes that broadcast."""
Number = float | int
Frequency = int | tuple[int, int]
"""Cells a tile, or (along x, along y)."""

NYQUIST_TEXELS = 2.0
"""An octave with fewer texels a cell than this is left out; from twice as many on it counts in full."""


@dataclass(frozen=True)
class Points:
    """Places at which a surface is asked for: coordinates that broadcast to (h, w), and the picture's fineness."""

    x: Float32[ndarray, "hx wx"]
    y: Float32[ndarray, "hy wy"]
    size: int
    """Texels a tile side: finer detail than this can show is left out."""

    def moved(self, right: Values | Number, up: Values | Number) -> "Points":
        """Displace by fractions of a tile: a domain warp, or a shift to another place of a noise."""
        return Points(self.x + right, self.y + up, self.size)

    def turned(self) -> "Points":
        """Swap columns and rows, so that what runs along x runs along y."""
        return Points(self.y, self.x, self.size)

    def presence(self, frequency: float | int) -> float:
        """Return the share, in [0, 1], of a detail of so many cells a tile that this picture can show."""
        texels = self.size / frequency
        return min(max((texels - NYQUIST_TEXELS) / NYQUIST_TEXELS, 0.0), 1.0)


def tile_rows(size: int, first: int, last: int) -> Points:
    """Return the texel centres of rows [first, last) of a `size`² picture; beyond it lie the rows of its repeat."""
    columns = (np.arange(size, dtype=np.float32) + np.float32(0.5)) / np.float32(size)
    rows = (np.arange(first, last) % size).astype(np.float32)
    return Points(columns[None, :], (1 - (rows + np.float32(0.5)) / np.float32(size))[:, None], size)


def scramble(words: UInt32[ndarray, "*shape"]) -> UInt32[ndarray, "*shape"]:
    """Hash integers so that every output bit depends on every input bit ("lowbias32", Wellons 2018)."""
    words = words ^ (words >> np.uint32(16))
    words = words * np.uint32(0x7FEB352D)
    words ^= words >> np.uint32(15)
    words *= np.uint32(0x846CA68B)
    words ^= words >> np.uint32(16)
    return words


def combine(words: UInt32[ndarray, "*shape"], seed: int) -> UInt32[ndarray, "*shape"]:
    """Return other random words for the same identities: one stream per seed."""
    key = scramble(np.array([seed & 0xFFFFFFFF], np.uint32))
    return scramble(words * np.uint32(0x9E3779B1) + key)


def uniform(words: UInt32[ndarray, "*shape"], seed: int) -> Float32[ndarray, "*shape"]:
    """Return a number in [0, 1) for every identity, by seed."""
    # 24 bits: a float holds as many exactly.
    return (combine(words, seed) >> np.uint32(8)).astype(np.float32) * np.float32(2**-24)


def lattice(columns: int, rows: int, seed: int) -> UInt32[ndarray, "cells"]:
    """Return a random word for every cell of a lattice, row by row."""
    return combine(np.arange(columns * rows, dtype=np.uint32), seed)


def smooth(t: Values) -> Values:
    """Return 3t² − 2t³ of t clamped to [0, 1]."""
    t = np.clip(t, np.float32(0), np.float32(1))
    return t * t * (3 - 2 * t)


def ramp(value: Values, low: Number, high: Number) -> Values:
    """Return 0 below `low`, 1 above `high`, smooth between; `low` may be the greater."""
    return smooth((value - np.float32(low)) * np.float32(1 / (high - low)))


def edge(points: Points, distance: Values, width: Number = 0.0) -> Values:
    """Return 0 where `distance` (fractions of a tile) is negative, 1 where positive, smooth over `width`."""
    # A texel and a half at least: a sharper edge would have steps.
    half = max(width, 1.5 / points.size) / 2
    return ramp(distance, -half, half)


def wave(turns: Values) -> Values:
    """Return a sine in all but name: period 1, in [-1, 1], 0 at 0, by two parabolas a period."""
    t = turns - np.floor(turns)
    half = np.where(t < 0.5, t, t - np.float32(0.5))
    arch = 16 * half * (np.float32(0.5) - half)
    return np.where(t < 0.5, arch, -arch)


def mix(first: Values | Number, second: Values | Number, share: Values | Number) -> Values:
    """Return `first` where `share` is 0, `second` where it is 1, and a blend between."""
    return np.asarray(first + (second - np.asarray(first)) * np.asarray(share, np.float32), np.float32)


def cell_of(coordinate: Field, cells: int) -> tuple[Field, Field]:
    """Return the number of the cell, counted without end, and the position inside, in [0, 1)."""
    position = coordinate * np.float32(cells)
    below = np.floor(position)
    return below, position - below


def wrapped(cell: Field, cells: int) -> Int32[ndarray, "h w"]:
    """Return the number of the cell within its tile."""
    return cell.astype(np.int32) % np.int32(cells)


def sides(frequency: Frequency) -> tuple[int, int]:
    """Return the cells along x and along y."""
    return (frequency, frequency) if isinstance(frequency, int) else frequency


# A family's lattices, which every band of rows asks for again
@lru_cache(maxsize=64)
def _gradients(columns: int, rows: int, seed: int) -> tuple[Float32[ndarray, "cells"], Float32[ndarray, "cells"]]:
    """Return a direction for every lattice point: along x, along y."""
    words = lattice(columns, rows, seed)
    # Points of a square pushed to its circle: directions without a sine, even enough for the eye
    along_x, along_y = (uniform(words, axis) * 2 - 1 for axis in (1, 2))
    length = np.sqrt(along_x * along_x + along_y * along_y + np.float32(1e-6))
    return along_x / length, along_y / length


def noise(points: Points, frequency: Frequency, seed: int) -> Field:
    """Return gradient noise (Perlin 2002), about [-1, 1] with mean 0."""
    columns, rows = sides(frequency)
    column, tx = cell_of(points.x, columns)
    line, ty = cell_of(points.y, rows)
    left, right = (wrapped(column + step, columns) for step in (0, 1))
    low, high = (wrapped(line + step, rows) for step in (0, 1))
    fade_x, fade_y = (t * t * t * (t * (t * 6 - 15) + 10) for t in (tx, ty))
    along_x, along_y = _gradients(columns, rows, seed)

    def row(start: ndarray) -> tuple[ndarray, ndarray]:
        """Return the noise and its slope upwards between the columns, on the lattice row that begins at `start`."""
        value = along_x.take(start + left) * tx
        value += fade_x * (along_x.take(start + right) * (tx - 1) - value)
        slope = along_y.take(start + left)
        slope += fade_x * (along_y.take(start + right) - slope)
        return value, slope

    if len(points.x) == 1 and points.y.shape[1] == 1:
        # On a grid of points a lattice row serves all that lie between it and its neighbours
        needed, places = np.unique(np.concatenate((low[:, 0], high[:, 0])), return_inverse=True)
        values, slopes = row(needed[:, None] * np.int32(columns))
        (bottom, slope), (top, top_slope) = ((values[at], slopes[at]) for at in np.split(places, 2))
    else:
        (bottom, slope), (top, top_slope) = (row(at * np.int32(columns)) for at in (low, high))
    bottom += slope * ty
    top += top_slope * (ty - 1)
    bottom += fade_y * (top - bottom)
    bottom *= np.float32(1.5)
    return bottom


def fbm(
    points: Points, frequency: Frequency, seed: int, octaves: int = 4, gain: float = 0.5, *, ridged: bool = False
) -> Field:
    """Sum octaves of noise, each twice as fine and `gain` times as strong; about [-1, 1].

    `ridged` folds each octave at 0, which draws crests where it changed its sign.
    Octaves too fine for the picture fade away, so that the same material shows at every size without aliasing.
    """
    columns, rows = sides(frequency)
    total = np.zeros(np.broadcast_shapes(points.x.shape, points.y.shape), np.float32)
    # Gradient noise is 0 on its lattice: octaves on one lattice would show it, so each gets a place of its own
    places = uniform(np.arange(2 * octaves, dtype=np.uint32), seed)
    # The sum of independent octaves grows with the root of their squares
    scale = 1.0 / sum(gain ** (2 * octave) for octave in range(octaves)) ** 0.5
    for octave in range(octaves):
        amplitude = scale * gain**octave * points.presence(max(columns, rows) << octave)
        if amplitude > 0:
            own = points.moved(float(places[2 * octave]), float(places[2 * octave + 1]))
            layer = noise(own, (columns << octave, rows << octave), seed + octave)
            if ridged:
                layer = np.float32(0.7) - np.float32(2.6) * np.abs(layer)
            total += np.float32(amplitude) * layer
    return total


def warped(points: Points, frequency: int, seed: int, amount: Number, octaves: int = 3) -> Points:
    """Displace by noise, by up to about `amount` tile sides each way: straight borders become natural."""
    right, up = (fbm(points, frequency, key, octaves) for key in (seed, ~seed))
    return points.moved(np.float32(amount) * right, np.float32(amount) * up)


def bumps(points: Points, frequency: Frequency, seed: int, slope: Number, octaves: int = 3, gain: float = 0.5) -> Field:
    """Return a height in tile sides whose mean slope is about `slope` where the picture shows all octaves."""
    # Measured: the slope of `noise` along one axis has a mean of 0.78 a cell; octaves add as their squares
    squares = [gain ** (2 * octave) for octave in range(octaves)]
    steepness = (sum(4**octave * square for octave, square in enumerate(squares)) / sum(squares)) ** 0.5
    return np.float32(slope / (1.2 * max(sides(frequency)) * steepness)) * fbm(points, frequency, seed, octaves, gain)
