"""The entropy coder: adaptive binary decisions, mixed from many contexts and coded arithmetically (numba).

A number becomes decisions: is its size above 0, above 1, …; then its sign. Every decision has several contexts, made of
what both sides know already: neighbours, the coarser level, other bands and planes. Each context keeps a probability;
their logits are added with weights that learn from every decision. (Mahoney 2005, "Adaptive weighing of context models
for lossless data compression".)

Every quantity is an integer, so encoder and decoder agree on all machines: probabilities are in 1/65536, logits in
1/256, weights in 1/65536. The two logistic tables are rounded from decimal arithmetic, which is correctly rounded, not
from floats. One function does both directions, so that they cannot drift apart. All compiled code stays in this file:
numba's cache notices changes to the file of the called function only.
"""

# numba infers the types of what it compiles.
# pyright: reportMissingParameterType=false

import inspect
from decimal import Decimal, localcontext
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Integers = NDArray[np.int32]

_FURTHEST = 2815
"""Logits reach ±11: a probability of 1/60000."""


def _logistic() -> NDArray[np.int64]:
    with localcontext() as context:
        context.prec = 20
        squashed = [65536 / (1 + (Decimal(-logit) / 256).exp()) for logit in range(-_FURTHEST, _FURTHEST + 1)]
    return np.array([min(max(int(p.to_integral_value()), 2), 65534) for p in squashed], np.int64)


_SQUASH = _logistic()
_STRETCH = np.searchsorted(_SQUASH, np.arange(4096) * 16 + 8).astype(np.int64) - _FURTHEST

# A context that has seen n decisions moves by 1/(n + 2) towards the next, and never by less than 1/160.
_RATES = np.maximum((65536 / (np.arange(256) + 2)).astype(np.int64), 65536 // 160)
_MOST_SEEN = 255

_BORDERS = (1, 1, 2, 3, 4, 6, 8, 11, 14, 18, 23, 30, 38, 49, 63, 80, 102, 130, 165, 210, 267, 340, 432)
"""Where the next bin of activity begins: evenly in its logarithm."""
_BINS = np.searchsorted(np.array(_BORDERS), np.arange(4096), side="right")

_SLOTS, _STEPS, _ROOM = 8, 8, 8192
"""Contexts of a size decision, decisions in a row that have their own, numbers of a context."""
_SIGNS = _SLOTS * _STEPS * _ROOM
_TAIL = _SIGNS + 5 * 1024
_FLAGS = _TAIL + 32
_PLAIN = _FLAGS + 64
_BY_SIZE, _BY_KIND, _BY_DIRECTION, _BY_PLANE, _ALONE = 0, 200, 300, 304, 310
"""Where sets of weights begin: of size decisions by what was decided and by activity, and by the kind of band; of signs
by direction and by plane; of contexts that have no others beside them."""
_SIGN_CORRECTION, _PLAIN_CORRECTION = 80, 81
_UNARY = 18
"""Sizes from here on are coded as the exponent and the mantissa of what is above."""
_LONGEST = 24


class Model(NamedTuple):
    """What the coder has learned so far, and where it stands in the bytes."""

    probabilities: NDArray[np.int32]
    seen: NDArray[np.uint8]
    weights: NDArray[np.int64]
    corrections: NDArray[np.int64]
    """(contexts, 34) probabilities at logits in equal distances: what a mixed logit turned out to mean."""
    registers: NDArray[np.int64]
    """Lower and upper end of the interval, the decoder's window, and the place in the bytes."""


def fresh() -> Model:
    """The state in which encoder and decoder begin."""
    nodes = np.minimum(np.arange(34) * (2 * _FURTHEST + 1) // 32, 2 * _FURTHEST)
    corrections = np.tile(_SQUASH[nodes], (_PLAIN_CORRECTION + 1, 1))
    weights = np.full((_ALONE + 6, _SLOTS), int(0.18 * 65536), np.int64)
    weights[_BY_DIRECTION:] = 65536 // 4
    return Model(
        np.full(_PLAIN + 4096, 32768, np.int32),
        np.zeros(_PLAIN + 4096, np.uint8),
        weights,
        corrections,
        np.array([0, 0xFFFFFFFF, 0, 0], np.int64),
    )


def _compiled(function: Any) -> Any:
    function = inspect.unwrap(function)  # tests wrap every function in a check of its arguments
    try:
        return njit(function, cache=True, nogil=True)
    except RuntimeError:  # no folder to keep compiled code in
        return njit(function, nogil=True)


@_compiled
def begin(model, data):
    """Before decoding: fill the window."""
    for place in range(4):
        byte = np.int64(data[place]) if place < len(data) else np.int64(0)
        model.registers[2] = model.registers[2] << 8 | byte
    model.registers[3] = 4


@_compiled
def finish(model, data):
    """After encoding: the fewest bytes that lie in the last interval, zeros following; returns how many it took in all.

    More than `data` has room for: nothing was written beyond, and it has to be done again with more.
    """
    registers = model.registers
    for shift in (24, 16, 8, 0):
        mask = (1 << shift) - 1
        value = (registers[0] + mask) & ~mask
        if value <= registers[1]:
            for place in range(24, shift - 8, -8):
                if registers[3] < len(data):
                    data[registers[3]] = value >> place & 255
                registers[3] += 1
            break
    return registers[3]


@_compiled
def code_bit(bit, p, model, data, encoding):
    """One decision, true with probability p/65536: written, or read and returned."""
    low, high, window, place = model.registers
    middle = low + ((high - low) >> 16) * p + ((((high - low) & 0xFFFF) * p) >> 16)
    if not encoding:
        bit = 1 if window <= middle else 0
    if bit:
        high = middle
    else:
        low = middle + 1
    while (low ^ high) & 0xFF000000 == 0:
        # Beyond the end nothing is written, and zeros are read; `place` tells how many bytes it would have taken.
        inside = place < len(data)
        if encoding and inside:
            data[place] = high >> 24
        elif not encoding:
            window = (window << 8) & 0xFFFFFFFF | (np.int64(data[place]) if inside else np.int64(0))
        place += 1
        low = (low << 8) & 0xFFFFFFFF
        high = (high << 8) & 0xFFFFFFFF | 255
    model.registers[0], model.registers[1], model.registers[2], model.registers[3] = low, high, window, place
    return bit


@_compiled
def decide(bit, contexts, count, first, second, correction, logits, model, data, encoding):
    """Mix, code and learn one decision. `first` and `second` name two sets of weights, whose logits are averaged."""
    probabilities, seen, weights, corrections = model.probabilities, model.seen, model.weights, model.corrections
    sum1, sum2 = np.int64(0), np.int64(0)
    for n in range(count):
        logits[n] = _STRETCH[probabilities[contexts[n]] >> 4]
        sum1 += weights[first, n] * logits[n]
        sum2 += weights[second, n] * logits[n]
    logit1 = min(max(sum1 >> 16, -_FURTHEST), _FURTHEST)
    logit2 = min(max(sum2 >> 16, -_FURTHEST), _FURTHEST)
    logit = ((logit1 + logit2) >> 1) + _FURTHEST
    span = 2 * _FURTHEST + 1
    node, rest = logit * 32 // span, logit * 32 % span
    corrected = (corrections[correction, node] * (span - rest) + corrections[correction, node + 1] * rest) // span
    p = min(max((_SQUASH[logit] + corrected) >> 1, 4), 65532)
    bit = code_bit(bit, p, model, data, encoding)
    target = np.int64(bit) << 16
    error1, error2 = target - _SQUASH[logit1 + _FURTHEST], target - _SQUASH[logit2 + _FURTHEST]
    for n in range(count):
        weights[first, n] += (logits[n] * error1 * 6 + (1 << 17)) >> 18
        weights[second, n] += (logits[n] * error2 * 6 + (1 << 17)) >> 18
        context = contexts[n]
        p = np.int64(probabilities[context])
        p += ((target - p) * _RATES[seen[context]]) >> 16
        probabilities[context] = min(max(p, 16), 65519)
        if seen[context] < _MOST_SEEN:
            seen[context] += 1
    if 2 * rest >= span:
        node += 1
    corrections[correction, node] += (target - corrections[correction, node]) >> 6
    return bit


@_compiled
def decide_alone(bit, context, sets, contexts, logits, model, data, encoding):
    """A decision with one context."""
    contexts[0] = context
    return decide(bit, contexts, 1, sets, sets + 1, _PLAIN_CORRECTION, logits, model, data, encoding)


@_compiled
def code_tail(size, contexts, logits, model, data, encoding):
    """A number from 0 on: how many binary digits size + 1 has, then those below the first."""
    digits = 0
    while digits < _LONGEST:
        bit = 1 if (size + 1) >> (digits + 1) else 0
        if not decide_alone(bit, _TAIL + digits, _ALONE, contexts, logits, model, data, encoding):
            break
        digits += 1
    value = np.int64(1)
    for place in range(digits - 1, -1, -1):
        value = value << 1 | code_bit((size + 1) >> place & 1, 32768, model, data, encoding)
    return value - 1


@_compiled
def activity(numbers):
    return _BINS[min(numbers, 4095)]


@_compiled
def sign_at(band, row, column):
    if row < 0 or column < 0 or column >= band.shape[1]:
        return 0
    return int(band[row, column] > 0) - int(band[row, column] < 0)


@_compiled
def size_at(band, row, column):
    if row < 0 or column < 0 or column >= band.shape[1]:
        return 0
    return abs(band[row, column])


@_compiled
def code_band(band, known, level, direction, plane, model, data, encoding):
    """All numbers of a band, row by row: written from `band`, or read into it.

    `known` (5, rows, columns) is what both sides know at every place: activity of the coarser level, of the bands of
    this level so far and of the planes so far; sign in the coarser level and in the first plane. `direction` is 0 for
    high across, 1 for high down, 2 for both.
    """
    contexts, logits, base = np.zeros(_SLOTS, np.int64), np.zeros(_SLOTS, np.int64), np.zeros(_SLOTS, np.int64)
    colour = min(plane, 1)
    kind = (min(level, 4) * 2 + direction // 2) * 2 + colour
    for row in range(band.shape[0]):
        for column in range(band.shape[1]):
            along, across = size_at(band, row, column - 1), size_at(band, row - 1, column)
            along2, across2 = size_at(band, row, column - 2), size_at(band, row - 2, column)
            left, right = size_at(band, row - 1, column - 1), size_at(band, row - 1, column + 1)
            if direction == 1:
                along, across, along2, across2 = across, along, across2, along2
            coarser, beside, planes = known[0, row, column], known[1, row, column], known[2, row, column]
            near = 2 * (along + across) + left + right
            further = along2 + across2 + size_at(band, row - 1, column + 2)
            near_bin, all_bin = activity(2 * near), activity(4 * near + 2 * further + coarser + beside + planes)
            coarser_bin, beside_bin = activity(coarser), activity(beside)
            wide_bin = activity(2 * near + further)
            base[0] = kind * 24 + activity(4 * near + 2 * further)
            base[1] = (coarser_bin * 24 + near_bin) * 2 + colour
            base[2] = (beside_bin * 24 + near_bin) * 2 + colour
            base[3] = (min(along, 3) * 4 + min(across, 3)) * 16 + min(left, 3) * 4 + min(right, 3)
            base[3] = base[3] * 9 + min(along2, 2) * 3 + min(across2, 2)
            base[4] = (activity(planes) * 24 + wide_bin) * 3 + min(plane, 2)
            base[5] = all_bin * 24 + kind
            base[6] = (coarser_bin * 24 + beside_bin) * 12 + activity(planes) // 2
            base[7] = (activity(2 * along) * 24 + activity(2 * across)) * 2 + direction // 2
            true, size = abs(band[row, column]), np.int64(0)
            while size < _UNARY:
                step = min(size, _STEPS - 1)
                for n in range(_SLOTS):
                    contexts[n] = (n * _STEPS + step) * _ROOM + base[n]
                group = min(size, 2)
                bit = 1 if true > size else 0
                first, second = _BY_SIZE + step * 24 + all_bin, _BY_KIND + group * 20 + kind
                correction = group * 24 + all_bin
                if not decide(bit, contexts, _SLOTS, first, second, correction, logits, model, data, encoding):
                    break
                size += 1
            if size == _UNARY:
                size += code_tail(true - size, contexts, logits, model, data, encoding)
            if size:
                west, north = sign_at(band, row, column - 1) + 1, sign_at(band, row - 1, column) + 1
                pair = west * 3 + north
                further = (sign_at(band, row, column - 2) + 1) * 3 + sign_at(band, row - 2, column) + 1
                corners = (sign_at(band, row - 1, column - 1) + 1) * 3 + sign_at(band, row - 1, column + 1) + 1
                contexts[0] = _SIGNS + pair * 4 + direction
                contexts[1] = _SIGNS + 1024 + (pair * 9 + further) * 4 + direction
                contexts[2] = _SIGNS + 2048 + (pair * 9 + corners) * 4 + direction
                contexts[3] = _SIGNS + 3072 + (known[3, row, column] + 1) * 9 + pair
                contexts[4] = _SIGNS + 4096 + ((known[4, row, column] + 1) * 3 + min(plane, 2)) * 9 + pair
                bit = 1 if band[row, column] > 0 else 0
                first, second = _BY_DIRECTION + direction, _BY_PLANE + min(plane, 2)
                bit = decide(bit, contexts, 5, first, second, _SIGN_CORRECTION, logits, model, data, encoding)
                size = size if bit else -size
            band[row, column] = size


@_compiled
def code_numbers(numbers, alphabet, model, data, encoding):
    """A row of small numbers without neighbours, such as weights: written from `numbers`, or read into it.

    `alphabet`, 0 to 15, keeps the statistics of different kinds apart.
    """
    contexts, logits = np.zeros(_SLOTS, np.int64), np.zeros(_SLOTS, np.int64)
    for place in range(len(numbers)):
        true, size = abs(numbers[place]), np.int64(0)
        while size < _LONGEST:
            bit, context = 1 if true > size else 0, _PLAIN + alphabet * 256 + size
            if not decide_alone(bit, context, _ALONE + 2, contexts, logits, model, data, encoding):
                break
            size += 1
        if size == _LONGEST:
            size += code_tail(true - size, contexts, logits, model, data, encoding)
        if size and not code_bit(1 if numbers[place] > 0 else 0, 32768, model, data, encoding):
            size = -size
        numbers[place] = size


@_compiled
def code_flag(flag, alphabet, model, data, encoding):
    """One number that is 0 or 1: written from flag[0], or read into it."""
    contexts, logits = np.zeros(_SLOTS, np.int64), np.zeros(_SLOTS, np.int64)
    flag[0] = decide_alone(flag[0], _FLAGS + alphabet, _ALONE + 4, contexts, logits, model, data, encoding)
