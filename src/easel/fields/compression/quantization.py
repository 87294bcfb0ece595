"""Rate-distortion optimised quantisation of wavelet bands.

Minimised is the sum of squared errors in steps + weight · bits. The bits of a number depend on the activity around it;
they are those of an ideal coder for the numbers chosen in the round before.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from easel.fields.compression.band_coding import Bands, Integers, activity, doubled, fitted
from easel.fields.compression.wavelets import Detail, Plane

BITS_WEIGHT = 0.1
"""Squared steps that a bit is worth; measured best, whatever the step, between 0.07 and 0.13."""
ROUNDS = 3
_CLASSES = 20
"""Classes of surroundings."""
_SIZES = 32
"""Sizes that have costs of their own."""
_PRIOR = 8.0
"""Weight, in numbers, of a geometric distribution, where a class has seen few."""
_INWARD = 0.05
"""Steps by which reconstructed values lie nearer to zero, about."""
LEVELS = 3
"""Levels with a reconstruction of their own: the finest two, and all others together."""
SIZES = 3
"""Sizes with a reconstruction of their own: 1, 2, and all larger ones together."""
OFFSET = 64
"""Parts of a step in which reconstructions are stored."""


@dataclass(frozen=True)
class Offsets:
    """Points of reconstruction within the intervals of the quantiser."""

    parts: NDArray[np.int8]
    """(levels, sizes), in 1/64 steps away from zero."""

    def values(self, numbers: Integers, level: int) -> Plane:
        """Return reconstructed values in steps."""
        moved = self.parts[min(level, LEVELS - 1)].astype(np.float32) / np.float32(OFFSET)
        # Zero stays zero: index 0 of the table.
        shift = np.append(np.zeros(1, np.float32), moved)[np.minimum(np.abs(numbers), SIZES)]
        return numbers.astype(np.float32) + np.sign(numbers).astype(np.float32) * shift


def quantize(low: Plane, details: Sequence[Detail], weight: float = BITS_WEIGHT) -> Bands:
    """Quantise wavelet bands in units of the step."""
    # Choices change the costs of their neighbours: hence rounds, each with the costs of the last one's choices.
    bands = Bands(np.rint(low).astype(np.int32), [_nearest(detail) for detail in details])
    for _ in range(ROUNDS):
        chosen = []
        for level, detail in enumerate(details):
            chosen.append(tuple(_choose(values, bands, level, way, weight) for way, values in enumerate(detail)))
        bands = Bands(bands.low, chosen)
    return bands


def best_offsets(details: Sequence[Detail], bands: Bands) -> Offsets:
    """Return the reconstructions of least squared error: the mean of all values with a number."""
    parts = np.zeros((LEVELS, SIZES), np.int8)
    for group in range(LEVELS):
        levels = slice(group, None if group == LEVELS - 1 else group + 1)
        pairs = list(zip(itertools.chain(*details[levels]), itertools.chain(*bands.details[levels]), strict=True))
        for size in range(1, SIZES + 1):
            total = 0.0
            count = 0
            for values, numbers in pairs:
                sizes = np.abs(numbers)
                inside = np.minimum(sizes, SIZES) == size
                total += float((np.abs(values[inside]) - sizes[inside]).sum())
                count += int(inside.sum())
            # Limited: with few numbers the mean may lie anywhere, even in a neighbour's interval.
            parts[group, size - 1] = round(OFFSET * min(max(total / max(count, 1), -0.4), 0.4))
    return Offsets(parts)


def _nearest(detail: Detail) -> tuple[Integers, Integers, Integers]:
    # + 0.4, not 0.5: a smaller size costs fewer bits, so the borders lie a little further out.
    across, down, both = ((np.sign(values) * np.floor(np.abs(values) + 0.4)).astype(np.int32) for values in detail)
    return across, down, both


def _choose(values: Plane, bands: Bands, level: int, way: int, weight: float) -> Integers:
    """Return the numbers of least loss for a band, by the costs of the numbers chosen so far."""
    numbers = np.empty(values.shape, np.int32)
    for plane, wanted in enumerate(values):
        around = _surroundings(bands, level, way, plane)
        bits = _costs(around, np.minimum(np.abs(bands.details[level][way][plane]), _SIZES - 1))
        size = np.abs(wanted)
        # Limited: a float beyond 2^24 is no whole number of steps any more, and beyond 2^31 no int32.
        upper = np.minimum(np.floor(size + 0.5), 2.0**24).astype(np.int32)
        best = upper
        least = _loss(size, upper, around, bits, weight)
        # One step nearer to zero, or zero itself, which costs least: no other number can be better.
        for candidate in (np.maximum(upper - 1, 0), np.zeros_like(upper)):
            loss = _loss(size, candidate, around, bits, weight)
            best = np.where(loss < least, candidate, best)
            least = np.minimum(loss, least)
        numbers[plane] = np.where(wanted < 0, -best, best)
    return numbers


def _loss(size: Plane, number: Integers, around: Integers, bits: NDArray[np.float32], weight: float) -> Plane:
    """Squared error in steps + weight · bits, of a size that is stored as a number."""
    error = size - np.maximum(number.astype(np.float32) - np.float32(_INWARD), np.float32(0))
    # Above the last size with a cost of its own all are the same to the choice between neighbours.
    return error * error + np.float32(weight) * bits[around, np.minimum(number, _SIZES - 1)]


def _costs(around: Integers, sizes: Integers) -> NDArray[np.float32]:
    """Return (classes, sizes) bits of every size in every class of surroundings; signs cost one."""
    counts = np.bincount((around * _SIZES + sizes).ravel(), minlength=_CLASSES * _SIZES)
    counts = counts.reshape(_CLASSES, _SIZES).astype(np.float64)
    seen = counts.sum(axis=1, keepdims=True)
    ladder = np.arange(_SIZES)
    # A class that has seen nothing has the mean 0.05: mostly zeros, as most places are.
    mean = ((counts * ladder).sum(axis=1, keepdims=True) + 0.05) / (seen + 1)
    geometric = 1 / (1 + mean) * (mean / (1 + mean)) ** ladder
    share = (counts + _PRIOR * geometric) / (seen + _PRIOR)
    return (-np.log2(share + 1e-12) + (ladder > 0)).astype(np.float32)


def _surroundings(bands: Bands, level: int, way: int, plane: int) -> Integers:
    """Return the class of every place, by the activity of neighbours in all bands that the coder looks at."""
    numbers = bands.details[level][way][plane]
    # Without the number itself, which is what is to be chosen.
    around = 2 * (activity(numbers) - 4 * np.abs(numbers))
    if level + 1 < len(bands.details):
        around += fitted(doubled(activity(bands.details[level + 1][way][plane])), numbers.shape) // 2
    for other in range(3):
        if other != way:
            around += fitted(activity(bands.details[level][other][plane]), numbers.shape) // 4
    if plane:
        around += activity(bands.details[level][way][0]) // 4
    return np.minimum(2 * np.log2(1 + around), _CLASSES - 1).astype(np.int32)
