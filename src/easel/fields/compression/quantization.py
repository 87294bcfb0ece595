"""Numbers of quantiser steps for wavelet bands: each where error and bits together are least.

Minimised is the sum of squared errors in steps + weight · bits. What a number costs depends on the activity around it;
the costs are those of an ideal coder for what was chosen in the round before.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from easel.fields.compression.band_coding import Bands, Integers, activity, doubled, fitted
from easel.fields.compression.wavelets import Detail, Plane

BITS_WEIGHT = 0.1
"""Squared steps that a bit is worth; measured best, whatever the step, between 0.07 and 0.13."""
ROUNDS = 3
_CLASSES, _SIZES = 20, 32
"""Kinds of surroundings, and sizes that have costs of their own."""
_PRIOR = 8.0
"""Numbers that a geometric distribution counts for, where a class has seen few."""
_INWARD = 0.05
"""Steps by which reconstructed values lie nearer to zero, about."""
LEVELS, SIZES = 3, 3
"""Levels (the finest two, all others) and sizes (1, 2, all larger) with a reconstruction of their own."""
OFFSET = 64
"""Reconstructions lie at a size plus so many of these parts of a step."""


@dataclass(frozen=True)
class Offsets:
    """Where in its interval a number is reconstructed: (levels, sizes), in 1/64 steps away from zero."""

    parts: NDArray[np.int8]

    def values(self, numbers: Integers, level: int) -> Plane:
        """Reconstructed values in steps."""
        moved = self.parts[min(level, LEVELS - 1)].astype(np.float32) / np.float32(OFFSET)
        shift = np.append(np.zeros(1, np.float32), moved)[np.minimum(np.abs(numbers), SIZES)]
        return numbers.astype(np.float32) + np.sign(numbers).astype(np.float32) * shift


def quantize(low: Plane, details: Sequence[Detail], weight: float = BITS_WEIGHT) -> Bands:
    """Wavelet bands in units of the step → whole numbers."""
    bands = Bands(np.rint(low).astype(np.int32), [_nearest(detail) for detail in details])
    for _ in range(ROUNDS):
        chosen = []
        for level, detail in enumerate(details):
            chosen.append(tuple(_choose(values, bands, level, way, weight) for way, values in enumerate(detail)))
        bands = Bands(bands.low, chosen)
    return bands


def best_offsets(details: Sequence[Detail], bands: Bands) -> Offsets:
    """The reconstructions of least squared error."""
    parts = np.zeros((LEVELS, SIZES), np.int8)
    for group in range(LEVELS):
        levels = range(group, len(details)) if group == LEVELS - 1 else range(group, min(group + 1, len(details)))
        pairs = [pair for level in levels for pair in zip(details[level], bands.details[level], strict=True)]
        for size in range(1, SIZES + 1):
            total, count = 0.0, 0
            for values, numbers in pairs:
                sizes = np.abs(numbers)
                inside = sizes == size if size < SIZES else sizes >= size
                total += float((np.abs(values[inside]) - sizes[inside]).sum())
                count += int(inside.sum())
            parts[group, size - 1] = round(OFFSET * min(max(total / max(count, 1), -0.4), 0.4))
    return Offsets(parts)


def _nearest(detail: Detail) -> tuple[Integers, Integers, Integers]:
    across, down, both = ((np.sign(values) * np.floor(np.abs(values) + 0.4)).astype(np.int32) for values in detail)
    return across, down, both


def _choose(values: Plane, bands: Bands, level: int, way: int, weight: float) -> Integers:
    numbers = np.empty(values.shape, np.int32)
    for plane, wanted in enumerate(values):
        around = _surroundings(bands, level, way, plane)
        bits = _costs(around, np.minimum(np.abs(bands.details[level][way][plane]), _SIZES - 1))
        size = np.abs(wanted)
        upper = np.minimum(np.floor(size + 0.5), 2.0**24).astype(np.int32)
        best, least = upper, _loss(size, upper, around, bits, weight)
        for candidate in (np.maximum(upper - 1, 0), np.zeros_like(upper)):
            loss = _loss(size, candidate, around, bits, weight)
            best, least = np.where(loss < least, candidate, best), np.minimum(loss, least)
        numbers[plane] = np.where(wanted < 0, -best, best)
    return numbers


def _loss(size: Plane, number: Integers, around: Integers, bits: NDArray[np.float32], weight: float) -> Plane:
    error = size - np.maximum(number.astype(np.float32) - np.float32(_INWARD), np.float32(0))
    # Above the last size with a cost of its own all are the same to the choice between neighbours.
    return error * error + np.float32(weight) * bits[around, np.minimum(number, _SIZES - 1)]


def _costs(around: Integers, sizes: Integers) -> NDArray[np.float32]:
    """(classes, sizes) bits of every size in every kind of surroundings; signs cost one."""
    counts = np.bincount((around * _SIZES + sizes).ravel(), minlength=_CLASSES * _SIZES)
    counts = counts.reshape(_CLASSES, _SIZES).astype(np.float64)
    seen = counts.sum(axis=1, keepdims=True)
    ladder = np.arange(_SIZES)
    mean = ((counts * ladder).sum(axis=1, keepdims=True) + 0.05) / (seen + 1)
    geometric = 1 / (1 + mean) * (mean / (1 + mean)) ** ladder
    share = (counts + _PRIOR * geometric) / (seen + _PRIOR)
    return (-np.log2(share + 1e-12) + (ladder > 0)).astype(np.float32)


def _surroundings(bands: Bands, level: int, way: int, plane: int) -> Integers:
    """The class of every place: how active its neighbours are on all sides, in all bands that the coder looks at."""
    numbers = bands.details[level][way][plane]
    around = 2 * (activity(numbers) - 4 * np.abs(numbers))
    if level + 1 < len(bands.details):
        around += fitted(doubled(activity(bands.details[level + 1][way][plane])), numbers.shape) // 2
    for other in range(3):
        if other != way:
            around += fitted(activity(bands.details[level][other][plane]), numbers.shape) // 4
    if plane:
        around += activity(bands.details[level][way][0]) // 4
    return np.minimum(2 * np.log2(1 + around), _CLASSES - 1).astype(np.int32)
