"""Pyramids: a sheet's values at coarser and coarser levels, and the range of colours at each.

Level 0 holds the values, each further level half the rows and columns, rounded down; an odd last row or column goes
into the last texel, so that none is lost and no texel is smaller than the others. Three aggregates make one value of
many: "peak", the value of largest magnitude with its sign, "rms", the root of the mean square with the sign of the
peak, and "mean".

Values are multiplied by a power of two that brings the largest magnitude into [1, 2). That changes no digit, and half
precision then holds any tensor, however small its values are. Levels are halves of such numbers.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest

import numpy as np
import torch
from jaxtyping import Float, Float16, Float32, Shaped
from torch import Tensor

AGGREGATES = ("peak", "rms", "mean")
QUANTILE = 0.995
"""Share of the magnitudes within the colours' limit; the rest has the last colour."""
SAMPLE = 1 << 16
"""Most values of which a quantile is taken."""
LEAST = 2.0**-24
"""Least limit of scaled values: the smallest half above zero."""
LARGEST = 4096
"""Most cells on a side of a tile."""

Tile = tuple[int, int, int, int]
"""First row, end of rows, first column, end of columns."""
Halves = Float16[np.ndarray, "_ _"]
Values = Float32[np.ndarray, "_"]


@dataclass(frozen=True, eq=False)
class Pyramid:
    """Levels, limits and extremes of a sheet's values."""

    aggregate: str
    exponent: int
    """Scale of the levels: values times 2^exponent."""
    levels: tuple[tuple[Halves, ...], ...]
    """Levels of every tile, from 1 on: level 0 is as large as the tensor, and made from it when it is looked at."""
    limits: tuple[float, ...]
    """Magnitude with the last colour, at every level from 0 on, of scaled values."""
    low: float
    """Least finite value, unscaled."""
    high: float
    """Largest finite value, unscaled."""
    bad: int
    """Number of values that are NaN or infinite."""

    @property
    def peak(self) -> float:
        """Largest finite magnitude, unscaled."""
        return max(abs(self.low), abs(self.high))

    @property
    def limit(self) -> float:
        """Magnitude with the last colour at level 0, unscaled."""
        return math.ldexp(self.limits[0], -self.exponent)

    @property
    def is_one_signed(self) -> bool:
        return self.low >= 0 or self.high <= 0


def numbers(values: Shaped[Tensor, "rows columns"]) -> Shaped[Tensor, "rows columns"]:
    """Return the values in the narrowest type that holds them: float32, or float64 for wide integers."""
    # float32 holds integers up to 2^24 exactly, float64 up to 2^53.
    if values.dtype in (torch.float64, torch.int64, torch.int32, torch.uint32, torch.uint64):
        return values.double()
    return values.float()


def scaled(values: Shaped[Tensor, "rows columns"], exponent: int) -> Float[Tensor, "rows columns"]:
    """Return values times 2^exponent, as float32."""
    values = numbers(values)
    if abs(exponent) < 120:
        return (values * 2.0**exponent).float()
    # Two steps: of the smallest values, 2^exponent alone is beyond float32.
    first = exponent // 2
    return (values * 2.0**first * 2.0 ** (exponent - first)).float()


@torch.no_grad()
def build(
    values: Shaped[Tensor, "rows columns"], aggregate: str = "peak", tiles: Sequence[Tile] | None = None
) -> Pyramid:
    """Return the pyramid of a sheet that is drawn in `tiles`, or in one. Raises ValueError for an unknown aggregate.

    Cells that show nothing hold zeros, which change no peak.
    """
    if aggregate not in AGGREGATES:
        raise ValueError(f"unknown aggregate {aggregate!r}. Known: {', '.join(AGGREGATES)}.")
    values = numbers(values)
    low, high = (extreme.item() for extreme in torch.aminmax(values))
    bad = 0
    # NaN and Inf leave their mark in the extremes: only then is it worth looking for them.
    if not (math.isfinite(low) and math.isfinite(high)):
        finite = values.isfinite()
        bad = finite.numel() - int(finite.sum().item())
        low, high = (extreme.item() for extreme in torch.aminmax(values.where(finite, 0)))
    peak = max(abs(low), abs(high))
    # frexp gives a mantissa in [0.5, 1): one more doubling brings the peak into [1, 2), and leaves 0 alone.
    exponent = (peak > 0) - math.frexp(peak)[1]
    levels: list[tuple[Halves, ...]] = []
    samples: list[list[Values]] = []
    for tile in tiles or ((0, values.shape[0], 0, values.shape[1]),):
        cells = scaled(cut(values, tile), exponent)
        tile_levels: list[Halves] = []
        tile_samples = [_sample(cells)]
        # One at a time: the float32 level goes when the next one is made.
        for level in _coarser_levels(cells, aggregate):
            tile_levels.append(level.half().numpy())
            tile_samples.append(_sample(level))
        levels.append(tuple(tile_levels))
        samples.append(tile_samples)
    # Small tiles have fewer levels than large ones.
    limits = tuple(_limit([sample for sample in level if sample is not None]) for level in zip_longest(*samples))
    return Pyramid(aggregate, exponent, tuple(levels), limits, float(low), float(high), bad)


def cut(values: Shaped[Tensor, "rows columns"], tile: Tile) -> Shaped[Tensor, "rows2 columns2"]:
    """Return the cells of a tile."""
    return values[tile[0] : tile[1], tile[2] : tile[3]]


def tiles_of(grid: tuple[int, int], largest: int = LARGEST) -> tuple[Tile, ...]:
    """Cut a sheet into tiles of at most `largest` cells a side."""
    # About equally large: a rest of a few cells would be thinner than a pixel long before the whole sheet is.
    rows, columns = (
        [count * number // pieces for number in range(pieces + 1)]
        for count, pieces in ((count, -(-count // largest)) for count in grid)
    )
    return tuple((top, bottom, left, right) for top, bottom in pairwise(rows) for left, right in pairwise(columns))


def _coarser_levels(cells: Float[Tensor, "rows columns"], aggregate: str) -> Iterator[Float[Tensor, "_ _"]]:
    """Yield the levels from 1 on."""
    # Largest and smallest value of each texel: the peak is one of them, and they alone can be halved again.
    high = low = sums = cells
    if aggregate == "rms":
        sums = cells * cells
    for _ in range(max(cells.shape).bit_length() - 1):
        if aggregate != "mean":
            high, low = halved(high, torch.maximum), halved(low, torch.minimum)
        if aggregate == "peak":
            yield torch.where(-low > high, low, high)
            continue
        sums = halved(sums, torch.add)
        # Sums go down the pyramid and are divided here: means of means would weigh odd last rows too much.
        area = _cells(cells.shape[0], sums.shape[0])[:, None] * _cells(cells.shape[1], sums.shape[1])
        mean = sums / area
        yield mean if aggregate == "mean" else mean.sqrt().copysign(torch.where(-low > high, low, high))


def halved(
    values: Float[Tensor, "rows columns"], two: Callable[[Tensor, Tensor], Tensor]
) -> Float[Tensor, "rows2 columns2"]:
    """Halve rows and columns by applying `two` to neighbours; an odd last one joins the last pair."""
    for axis in (0, 1):
        count = values.shape[axis]
        if count == 1:
            continue
        pairs = values.narrow(axis, 0, count // 2 * 2).unflatten(axis, (count // 2, 2))
        result = two(pairs.select(axis + 1, 0), pairs.select(axis + 1, 1))
        if count % 2:
            last = result.narrow(axis, result.shape[axis] - 1, 1)
            last.copy_(two(last, values.narrow(axis, count - 1, 1)))
        values = result
    return values


def _cells(count: int, texels: int) -> Float[Tensor, "n"]:
    """Return the number of cells that each of an axis' texels covers."""
    each = 1 << max((count // texels).bit_length() - 1, 0)
    covered = torch.full((texels,), float(each))
    covered[-1] = count - each * (texels - 1)
    return covered


def _sample(level: Float[Tensor, "rows columns"]) -> Values:
    """Return the magnitudes of at most about SAMPLE finite values, evenly from everywhere."""
    step = max(level.numel() // SAMPLE, 1)
    # Coprime to the width; else one column, such as the middle of all kernels, speaks for all.
    while step > 1 and math.gcd(step, level.shape[1]) > 1:
        step += 1
    sample = level.reshape(-1)[::step].abs().numpy()
    return sample[np.isfinite(sample)]


def _limit(samples: list[Values]) -> float:
    """Return the magnitude that 99.5 % of the values do not exceed."""
    sample = np.concatenate(samples)
    if not len(sample):
        return LEAST
    # Partition rather than sort: linear in the number of values, and one place is all that is wanted.
    place = math.ceil(QUANTILE * len(sample)) - 1
    return max(float(np.partition(sample, place)[place]), LEAST)
