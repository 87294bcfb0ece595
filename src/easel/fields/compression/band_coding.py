"""Quantised wavelet bands as bytes: the order of coding, and the context that both sides know at each place."""

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
    """High bands of every level, finest first: across, down, both ways; each (planes, rows, columns)."""


def no_bands(planes: int, size: tuple[int, int], levels: int) -> Bands:
    """Return zeros in the shapes of a picture's bands."""

    def zeros(rows: int, columns: int) -> Integers:
        return np.zeros((planes, rows, columns), np.int32)

    sizes = level_sizes(size, levels)
    details = []
    for rows, columns in sizes[:-1]:
        # An axis of one sample is all low: ⌈n/2⌉ low ones, ⌊n/2⌋ high ones.
        low_rows = -(-rows // 2)
        low_columns = -(-columns // 2)
        high_rows = rows // 2
        high_columns = columns // 2
        details.append((zeros(low_rows, high_columns), zeros(high_rows, low_columns), zeros(high_rows, high_columns)))
    return Bands(zeros(*sizes[-1]), details)


def encode(bands: Bands, weights: Integers) -> bytes:
    """Return the bytes of the bands, and of a row of small numbers that is independent of them."""
    room = 4096 + bands.low.size * 4 + sum(band.size for detail in bands.details for band in detail) // 2
    # Compiled code cannot grow an array: where the guess is too small, all is coded again.
    while True:
        model = entropy_coder.fresh()
        data = np.zeros(room, np.uint8)
        entropy_coder.code_numbers(weights.copy(), 0, model, data, True)
        # Neighbours of the low band are alike, as pixels are: their differences are small numbers.
        residual = _difference(bands.low)
        for plane, low in enumerate(residual):
            entropy_coder.code_band(low, _nothing(low), len(bands.details), 2, plane, model, data, True)
        for level, direction, plane in _order(bands):
            band = bands.details[level][direction][plane]
            if _code_emptiness(not band.any(), level, plane, model, data, True):
                continue
            entropy_coder.code_band(
                band, _known(bands, level, direction, plane), level, direction, plane, model, data, True
            )
        used = entropy_coder.finish(model, data)
        if used <= room:
            return data[:used].tobytes()
        room = int(used) + 64


def decode(data: bytes, bands: Bands, weights: Integers) -> None:
    """Fill in zeros of the right shapes from the bytes of `encode`; other bytes give other numbers, but no error."""
    model = entropy_coder.fresh()
    buffer = np.frombuffer(bytearray(data), np.uint8)
    entropy_coder.begin(model, buffer)
    entropy_coder.code_numbers(weights, 0, model, buffer, False)
    for plane, low in enumerate(bands.low):
        entropy_coder.code_band(low, _nothing(low), len(bands.details), 2, plane, model, buffer, False)
    _undo_difference(bands.low)
    for level, direction, plane in _order(bands):
        band = bands.details[level][direction][plane]
        if not _code_emptiness(False, level, plane, model, buffer, False):
            entropy_coder.code_band(
                band, _known(bands, level, direction, plane), level, direction, plane, model, buffer, False
            )


def _order(bands: Bands) -> Iterator[tuple[int, int, int]]:
    """Yield (level, direction, plane) in the order of coding."""
    # The coarsest first: a level tells much about the finer one.
    for level in reversed(range(len(bands.details))):
        for direction in range(3):
            for plane in range(len(bands.low)):
                if bands.details[level][direction].size:
                    yield level, direction, plane


def _code_emptiness(
    empty: bool, level: int, plane: int, model: entropy_coder.Model, data: NDArray[np.uint8], encoding: bool
) -> bool:
    """Code whether a band has nothing but zeros, and return it: one decision saves one for every number."""
    number = np.array([int(empty)], np.int32)
    entropy_coder.code_flag(number, 1 + min(level, 5) + 6 * min(plane, 1), model, data, encoding)
    return bool(number[0])


def _nothing(band: Integers) -> Integers:
    return np.zeros((5, *band.shape), np.int32)


def _known(bands: Bands, level: int, direction: int, plane: int) -> Integers:
    """Return what both sides know of a band's surroundings; see `entropy_coder.code_band`."""
    detail = bands.details[level]
    known = _nothing(detail[direction][plane])
    shape = known.shape[1:]
    if level + 1 < len(bands.details):
        parent = bands.details[level + 1][direction][plane]
        known[0] = fitted(doubled(activity(parent)), shape)
        known[3] = fitted(doubled(np.sign(parent)), shape)
    # Only what was coded before: bands of this level in other directions, then earlier planes.
    for other in range(direction):
        known[1] += fitted(activity(detail[other][plane]), shape)
    for other in range(plane):
        known[2] += activity(detail[direction][other])
    if plane:
        known[4] = np.sign(detail[direction][0])
    return known


def activity(band: Integers) -> Integers:
    """Sum sizes around every place, itself included, closer ones heavier: 4, 2 and 1."""
    # Limited, so that the sum stays within 32 bits whatever a damaged file holds.
    sizes = np.pad(np.minimum(np.abs(band), 2**20), ((1, 1), (1, 1)))
    columns = sizes[:, :-2] + 2 * sizes[:, 1:-1] + sizes[:, 2:]
    return columns[:-2] + 2 * columns[1:-1] + columns[2:]


def doubled(band: Integers) -> Integers:
    """Repeat every number in a square of four, for the level that is twice as fine."""
    return band.repeat(2, axis=0).repeat(2, axis=1)


def fitted(band: Integers, shape: tuple[int, ...]) -> Integers:
    """Cut a band or fill it up with zeros: those of one level differ by a row or a column."""
    rows, columns = (max(0, wanted - has) for wanted, has in zip(shape, band.shape, strict=True))
    return np.pad(band, ((0, rows), (0, columns)))[: shape[0], : shape[1]]


def _difference(low: Integers) -> Integers:
    """Return the low band minus a prediction: the left neighbour, for the first of a row the number above."""
    residual = low.copy()
    residual[:, :, 1:] -= low[:, :, :-1]
    residual[:, 1:, 0] -= low[:, :-1, 0]
    return residual


def _undo_difference(residual: Integers) -> None:
    residual[:, :, 0] = residual[:, :, 0].cumsum(axis=1)
    residual[:] = residual.cumsum(axis=2)
