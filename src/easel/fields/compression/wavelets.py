"""The wavelet transform of planes: CDF 9/7 by lifting, with nearly orthonormal bands.

A level splits an axis of n samples into ⌈n/2⌉ low and ⌊n/2⌋ high ones; an axis of one sample stays as it is. Both
directions are additions and multiplications of whole float32 arrays in a fixed order, each rounded as IEEE 754 says,
so their bits depend on no library, no number of threads and no processor.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.floating]
"""float32 numbers."""
Detail = tuple[Plane, Plane, Plane]
"""High bands of one level: high across, high down, high both ways; each (planes, rows, columns)."""

# Daubechies and Sweldens 1998, section 7.4: pairs of (predict, update).
_LIFTS = ((-1.586134342059924, -0.052980118572961), (0.882911075530934, 0.443506852043971))
_LOW = math.sqrt(2.0) / 1.230174104914001
"""Scale of the low band, its inverse that of the high one: constants grow by √2 per level and axis."""


def level_sizes(size: Sequence[int], levels: int) -> list[tuple[int, int]]:
    """Return (rows, columns) of the input of every level, finest first, and of the low band that is left."""
    sizes = [(size[0], size[1])]
    for _ in range(levels):
        rows, columns = sizes[-1]
        sizes.append((-(-rows // 2), -(-columns // 2)))
    return sizes


def analyze(planes: Plane, levels: int) -> tuple[Plane, list[Detail]]:
    """Split (planes, rows, columns) into the low band that is left and the details, finest first."""
    details = []
    low = planes
    for _ in range(levels):
        top, bottom = _split(low, 1)
        low, across = _split(top, 2)
        down, both = _split(bottom, 2)
        details.append((across, down, both))
    return low, details


def synthesize(low: Plane, details: Sequence[Detail | None], size: Sequence[int]) -> Plane:
    """Return planes of that (rows, columns), the inverse of `analyze`; a level of None is one without details."""
    sizes = level_sizes(size, len(details))
    for (rows, columns), detail in zip(sizes[len(details) - 1 :: -1], reversed(details), strict=False):
        across = bottom = None
        if detail is not None:
            across, down, both = detail
            bottom = _merge(down, both, columns, 2)
        low = _merge(_merge(low, across, columns, 2), bottom, rows, 1)
    return low


def _split(x: Plane, axis: int) -> tuple[Plane, Plane]:
    """Split an axis into low and high samples."""
    x = np.moveaxis(x, axis, -1)
    low = x[..., 0::2].copy()
    high = x[..., 1::2].copy()
    if x.shape[-1] > 1:
        # Lifting: each half is changed by the other one alone, so `_merge` undoes the same steps backwards.
        for predict, update in _LIFTS:
            high += np.float32(predict) * _beside_high(low, high.shape[-1])
            low += np.float32(update) * _beside_low(high, low.shape[-1])
        # Nearly orthonormal: an error of a step then costs the same in every band, which the quantiser assumes.
        low *= np.float32(_LOW)
        high *= np.float32(1 / _LOW)
    return np.moveaxis(low, -1, axis), np.moveaxis(high, -1, axis)


def _merge(low: Plane, high: Plane | None, samples: int, axis: int) -> Plane:
    """Join low and high samples of an axis; without high ones they are 0."""
    if samples == 1:
        return low
    low = np.moveaxis(low, axis, -1) * np.float32(1 / _LOW)
    if high is None:
        high = np.zeros((*low.shape[:-1], samples // 2), np.float32)
    else:
        high = np.moveaxis(high, axis, -1) * np.float32(_LOW)
    for predict, update in reversed(_LIFTS):
        low -= np.float32(update) * _beside_low(high, low.shape[-1])
        high -= np.float32(predict) * _beside_high(low, high.shape[-1])
    x = np.empty((*low.shape[:-1], samples), np.float32)
    x[..., 0::2] = low
    x[..., 1::2] = high
    return np.moveaxis(x, -1, axis)


def _beside_high(low: Plane, count: int) -> Plane:
    """Sum the low samples left and right of each high one; beyond the end the last is mirrored."""
    right = low[..., 1:]
    if low.shape[-1] == count:
        right = np.concatenate([right, low[..., -1:]], axis=-1)
    return low[..., :count] + right


def _beside_low(high: Plane, count: int) -> Plane:
    """Sum the high samples left and right of each low one; beyond both ends they are mirrored."""
    left = np.concatenate([high[..., :1], high[..., : count - 1]], axis=-1)
    right = high
    if high.shape[-1] < count:
        right = np.concatenate([high, high[..., -1:]], axis=-1)
    return left + right
