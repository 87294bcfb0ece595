"""Quantised wavelet bands as bytes: in which order they are coded, and what the coder may look at."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from easel.fields.compression import entropy_coder
from easel.fields.compression.wavelets import level_sizes

Integers = NDArray[np.int32]


@dataclass(frozen=True)
class Bands:
    """Numbers of a wavelet transform, in steps of the quantiser."""

    low: Integers
    """(planes, rows, columns)"""
    details: list[tuple[Integers, Integers, Integers]]
    """Of every level, finest first: high across, high down, high both ways; each (planes, rows, columns)."""


def no_bands(planes: int, size: tuple[int, int], levels: int) -> Bands:
    """Zeros in the shapes of a picture's bands."""

    def zeros(rows: int, columns: int) -> Integers:
        return np.zeros((planes, rows, columns), np.int32)

    sizes = level_sizes(size, levels)
    details = []
    for rows, columns in sizes[:-1]:
        # An axis of one sample is all low.
        top, left, bottom, right = -(-rows // 2), -(-columns // 2), rows // 2, columns // 2
        details.append((zeros(top, right), zeros(bottom, left), zeros(bottom, right)))
    return Bands(zeros(*sizes[-1]), details)


def encode(bands: Bands, weights: Integers) -> bytes:
    """The bands, and a row of small numbers that has nothing to do with them."""
    room = 4096 + bands.low.size * 4 + sum(band.size for detail in bands.details for band in detail) // 2
    while True:
        model, data = entropy_coder.fresh(), np.zeros(room, np.uint8)
        entropy_coder.code_numbers(weights.copy(), 0, model, data, True)
        residual = _difference(bands.low)
        for plane, low in enumerate(residual):
            _code(low, _nothing(low), len(bands.details), 2, plane, model, data, True)
        for level, direction, plane in _order(bands):
            band = bands.details[level][direction][plane]
            if _code_emptiness(not band.any(), level, plane, model, data, True):
                continue
            _code(band, _known(bands, level, direction, plane), level, direction, plane, model, data, True)
        used = entropy_coder.finish(model, data)
        if used <= room:
            return data[:used].tobytes()
        room = int(used) + 64


def decode(data: bytes, bands: Bands, weights: Integers) -> None:
    """Fill in zeros of the right shapes from what `encode` made; bytes that it did not make give other numbers."""
    model, buffer = entropy_coder.fresh(), np.frombuffer(bytearray(data), np.uint8)
    entropy_coder.begin(model, buffer)
    entropy_coder.code_numbers(weights, 0, model, buffer, False)
    for plane, low in enumerate(bands.low):
        _code(low, _nothing(low), len(bands.details), 2, plane, model, buffer, False)
    _undo_difference(bands.low)
    for level, direction, plane in _order(bands):
        band = bands.details[level][direction][plane]
        if not _code_emptiness(False, level, plane, model, buffer, False):
            _code(band, _known(bands, level, direction, plane), level, direction, plane, model, buffer, False)


def _order(bands: Bands) -> Iterator[tuple[int, int, int]]:
    for level in reversed(range(len(bands.details))):
        for direction in range(3):
            for plane in range(len(bands.low)):
                if bands.details[level][direction].size:
                    yield level, direction, plane


def _code(
    band: Integers,
    known: Integers,
    level: int,
    direction: int,
    plane: int,
    model: entropy_coder.Model,
    data: NDArray[np.uint8],
    encoding: bool,
) -> None:
    entropy_coder.code_band(band, known, level, direction, plane, model, data, encoding)


def _code_emptiness(
    empty: bool, level: int, plane: int, model: entropy_coder.Model, data: NDArray[np.uint8], encoding: bool
) -> bool:
    """Whether a band has nothing but zeros: one decision saves one for every number."""
    number = np.array([int(empty)], np.int32)
    entropy_coder.code_flag(number, 1 + min(level, 5) + 6 * min(plane, 1), model, data, encoding)
    return bool(number[0])


def _nothing(band: Integers) -> Integers:
    return np.zeros((5, *band.shape), np.int32)


def _known(bands: Bands, level: int, direction: int, plane: int) -> Integers:
    """See `entropy_coder.code_band`."""
    detail = bands.details[level]
    known = _nothing(detail[direction][plane])
    shape = known.shape[1:]
    if level + 1 < len(bands.details):
        parent = bands.details[level + 1][direction][plane]
        known[0] = fitted(doubled(activity(parent)), shape)
        known[3] = fitted(doubled(np.sign(parent)), shape)
    for other in range(direction):
        known[1] += fitted(activity(detail[other][plane]), shape)
    for other in range(plane):
        known[2] += activity(detail[direction][other])
    if plane:
        known[4] = np.sign(detail[direction][0])
    return known


def activity(band: Integers) -> Integers:
    """Sizes around every place, itself included, closer ones heavier: 4, 2 and 1."""
    sizes = np.pad(np.minimum(np.abs(band), 2**20), ((1, 1), (1, 1)))
    columns = sizes[:, :-2] + 2 * sizes[:, 1:-1] + sizes[:, 2:]
    return columns[:-2] + 2 * columns[1:-1] + columns[2:]


def doubled(band: Integers) -> Integers:
    """Every number four times, for the level that is twice as fine."""
    return band.repeat(2, axis=0).repeat(2, axis=1)


def fitted(band: Integers, shape: tuple[int, ...]) -> Integers:
    """Cut or filled up with zeros: bands of one level differ by a row or a column."""
    rows, columns = (max(0, wanted - has) for wanted, has in zip(shape, band.shape, strict=True))
    return np.pad(band, ((0, rows), (0, columns)))[: shape[0], : shape[1]]


def _difference(low: Integers) -> Integers:
    """What a causal prediction leaves of the low band."""
    residual = low.copy()
    residual[:, :, 1:] -= low[:, :, :-1]
    residual[:, 1:, 0] -= low[:, :-1, 0]
    return residual


def _undo_difference(residual: Integers) -> None:
    residual[:, :, 0] = residual[:, :, 0].cumsum(axis=1)
    residual[:] = residual.cumsum(axis=2)
