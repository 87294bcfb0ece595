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
    """Return 65536 / (1 + exp(-logit)) for all logits, in 1/256, rounded."""
    with localcontext() as context:
        context.prec = 20
        squashed = [65536 / (1 + (Decimal(-logit) / 256).exp()) for logit in range(-_FURTHEST, _FURTHEST + 1)]
    return np.array([min(max(int(p.to_integral_value()), 2), 65534) for p in squashed], np.int64)


_SQUASH = _logistic()
# The inverse by search in the same table: encoder and decoder must not depend on a floating-point logarithm.
_STRETCH = np.searchsorted(_SQUASH, np.arange(4096) * 16 + 8).astype(np.int64) - _FURTHEST

# A context that has seen n decisions moves by 1/(n + 2) towards the next, and never by less than 1/160.
_RATES = np.maximum((65536 / (np.arange(256) + 2)).astype(np.int64), 65536 // 160)
_MOST_SEEN = 255

_BORDERS = (1, 1, 2, 3, 4, 6, 8, 11, 14, 18, 23, 30, 38, 49, 63, 80, 102, 130, 165, 210, 267, 340, 432)
"""First activities of the bins: evenly spaced in the logarithm."""
_BINS = np.searchsorted(np.array(_BORDERS), np.arange(4096), side="right")

_SLOTS = 8
"""Contexts of a decision about size."""
_STEPS = 8
"""Decisions in a row with contexts of their own."""
_ROOM = 8192
"""Values of a context."""

# Offsets of the contexts: of sizes, of signs, of large sizes, of flags, of plain numbers.
_SIGNS = _SLOTS * _STEPS * _ROOM
_TAIL = _SIGNS + 5 * 1024
_FLAGS = _TAIL + 32
_PLAIN = _FLAGS + 64

# Offsets of the sets of weights. Sizes are mixed by two sets, whose answers are averaged: by the size so far with the
# activity around, and by the kind of band; signs by direction and by plane; contexts alone by sets of their own.
_BY_SIZE = 0
_BY_KIND = 200
_BY_DIRECTION = 300
_BY_PLANE = 304
_ALONE = 310

# Offsets of the corrections; those of sizes begin at 0.
_SIGN_CORRECTION = 80
_PLAIN_CORRECTION = 81
_UNARY = 18
"""Size from which the rest is coded as exponent and mantissa."""
_LONGEST = 24


class Model(NamedTuple):
    """Adaptive state of the coder: statistics, weights, and its place in the bytes."""

    probabilities: NDArray[np.int32]
    seen: NDArray[np.uint8]
    weights: NDArray[np.int64]
    corrections: NDArray[np.int64]
    """(contexts, 34) observed probabilities at mixed logits in equal distances."""
    registers: NDArray[np.int64]
    """Lower and upper end of the interval, the decoder's window, and the place in the bytes."""


def fresh() -> Model:
    """Return the state in which encoder and decoder begin."""
    nodes = np.minimum(np.arange(34) * (2 * _FURTHEST + 1) // 32, 2 * _FURTHEST)
    corrections = np.tile(_SQUASH[nodes], (_PLAIN_CORRECTION + 1, 1))
    # Together the weights of eight contexts are somewhat above 1: contexts agree more often than each is sure.
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
    """Fill the window, before decoding."""
    for place in range(4):
        model.registers[2] <<= 8
        if place < len(data):
            model.registers[2] |= np.int64(data[place])
    model.registers[3] = 4


@_compiled
def finish(model, data):
    """Write the fewest bytes that lie in the last interval, zeros following, and return the bytes of all.

    Where that is more than `data` has room for, nothing was written beyond, and encoding has to be repeated.
    """
    registers = model.registers
    # The coarsest number that lies in the interval needs the fewest bytes.
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
    """Write a decision that is true with probability p/65536, or read and return it.

    Carryless range coder of 32 bits: true takes the lower part of the interval, false the upper one.
    """
    low, high, window, place = model.registers
    # In two products, so that neither leaves 64 bits.
    middle = low + ((high - low) >> 16) * p + ((((high - low) & 0xFFFF) * p) >> 16)
    if not encoding:
        bit = int(window <= middle)
    if bit:
        high = middle
    else:
        low = middle + 1
    # Equal first bytes no longer change: they go out, and the interval has 32 bits again.
    while (low ^ high) & 0xFF000000 == 0:
        # Beyond the end nothing is written, and zeros are read; `place` tells how many bytes it would have taken.
        inside = place < len(data)
        if encoding and inside:
            data[place] = high >> 24
        elif not encoding:
            window = (window << 8) & 0xFFFFFFFF
            if inside:
                window |= np.int64(data[place])
        place += 1
        low = (low << 8) & 0xFFFFFFFF
        high = (high << 8) & 0xFFFFFFFF | 255
    model.registers[0] = low
    model.registers[1] = high
    model.registers[2] = window
    model.registers[3] = place
    return bit


@_compiled
def decide(bit, contexts, count, first, second, correction, logits, model, data, encoding):
    """Mix, code and learn one decision. `first` and `second` are two sets of weights, whose logits are averaged."""
    probabilities = model.probabilities
    seen = model.seen
    weights = model.weights
    corrections = model.corrections
    sum1 = np.int64(0)
    sum2 = np.int64(0)
    for n in range(count):
        logits[n] = _STRETCH[probabilities[contexts[n]] >> 4]
        sum1 += weights[first, n] * logits[n]
        sum2 += weights[second, n] * logits[n]
    logit1 = min(max(sum1 >> 16, -_FURTHEST), _FURTHEST)
    logit2 = min(max(sum2 >> 16, -_FURTHEST), _FURTHEST)
    logit = ((logit1 + logit2) >> 1) + _FURTHEST
    # The mixed probability is averaged with what such a logit turned out to mean so far, between two nodes.
    span = 2 * _FURTHEST + 1
    node = logit * 32 // span
    rest = logit * 32 % span
    corrected = (corrections[correction, node] * (span - rest) + corrections[correction, node + 1] * rest) // span
    p = min(max((_SQUASH[logit] + corrected) >> 1, 4), 65532)
    bit = code_bit(bit, p, model, data, encoding)
    target = np.int64(bit) << 16
    error1 = target - _SQUASH[logit1 + _FURTHEST]
    error2 = target - _SQUASH[logit2 + _FURTHEST]
    # Each set learns from its own error, by the gradient of the code length; + (1 << 17) rounds to nearest.
    for n in range(count):
        weights[first, n] += (logits[n] * error1 * 6 + (1 << 17)) >> 18
        weights[second, n] += (logits[n] * error2 * 6 + (1 << 17)) >> 18
        context = contexts[n]
        p = np.int64(probabilities[context])
        p += ((target - p) * _RATES[seen[context]]) >> 16
        # Never certain: one surprise would cost as many bits as hundreds of expected decisions save.
        probabilities[context] = min(max(p, 16), 65519)
        if seen[context] < _MOST_SEEN:
            seen[context] += 1
    if 2 * rest >= span:
        node += 1
    corrections[correction, node] += (target - corrections[correction, node]) >> 6
    return bit


@_compiled
def decide_alone(bit, context, sets, contexts, logits, model, data, encoding):
    """Code a decision with one context."""
    contexts[0] = context
    return decide(bit, contexts, 1, sets, sets + 1, _PLAIN_CORRECTION, logits, model, data, encoding)


@_compiled
def code_tail(size, contexts, logits, model, data, encoding):
    """Code a number from 0 on: the count of binary digits of size + 1, then those below the first (Elias 1975)."""
    digits = 0
    while digits < _LONGEST:
        bit = int((size + 1) >> (digits + 1) > 0)
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
    """Code all numbers of a band, row by row: written from `band`, or read into it.

    `known` (5, rows, columns) is known to both sides at every place: activity of the coarser level, of the bands of
    this level so far and of the planes so far; sign in the coarser level and in the first plane. `direction` is 0 for
    high across, 1 for high down, 2 for both.
    """
    contexts = np.zeros(_SLOTS, np.int64)
    logits = np.zeros(_SLOTS, np.int64)
    base = np.zeros(_SLOTS, np.int64)
    colour = min(plane, 1)
    # Deep levels share statistics: each alone has too few numbers to learn from.
    kind = (min(level, 4) * 2 + direction // 2) * 2 + colour
    for row in range(band.shape[0]):
        for column in range(band.shape[1]):
            # Only what the decoder has read by then: places to the left, and the rows above.
            along = size_at(band, row, column - 1)
            across = size_at(band, row - 1, column)
            along2 = size_at(band, row, column - 2)
            across2 = size_at(band, row - 2, column)
            if direction == 1:  # high down: edges lie the other way, and share their statistics with those across
                along, across = across, along
                along2, across2 = across2, along2
            left = size_at(band, row - 1, column - 1)
            right = size_at(band, row - 1, column + 1)
            coarser = known[0, row, column]
            beside = known[1, row, column]
            planes = known[2, row, column]
            near = 2 * (along + across) + left + right
            further = along2 + across2 + size_at(band, row - 1, column + 2)
            near_bin = activity(2 * near)
            all_bin = activity(4 * near + 2 * further + coarser + beside + planes)
            coarser_bin = activity(coarser)
            beside_bin = activity(beside)
            wide_bin = activity(2 * near + further)
            # Eight views of the surroundings, each fine in one respect and coarse in the others.
            base[0] = kind * 24 + activity(4 * near + 2 * further)
            base[1] = (coarser_bin * 24 + near_bin) * 2 + colour
            base[2] = (beside_bin * 24 + near_bin) * 2 + colour
            base[3] = (min(along, 3) * 4 + min(across, 3)) * 16 + min(left, 3) * 4 + min(right, 3)
            base[3] = base[3] * 9 + min(along2, 2) * 3 + min(across2, 2)
            base[4] = (activity(planes) * 24 + wide_bin) * 3 + min(plane, 2)
            base[5] = all_bin * 24 + kind
            base[6] = (coarser_bin * 24 + beside_bin) * 12 + activity(planes) // 2
            base[7] = (activity(2 * along) * 24 + activity(2 * across)) * 2 + direction // 2
            true = abs(band[row, column])
            size = np.int64(0)
            # Unary: "above 0? above 1?" lets every decision learn from its own statistics.
            while size < _UNARY:
                step = min(size, _STEPS - 1)
                for n in range(_SLOTS):
                    contexts[n] = (n * _STEPS + step) * _ROOM + base[n]
                group = min(size, 2)
                bit = int(true > size)
                first = _BY_SIZE + step * 24 + all_bin
                second = _BY_KIND + group * 20 + kind
                correction = group * 24 + all_bin
                if not decide(bit, contexts, _SLOTS, first, second, correction, logits, model, data, encoding):
                    break
                size += 1
            if size == _UNARY:
                size += code_tail(true - size, contexts, logits, model, data, encoding)
            # Signs are nearly random; along an edge they follow their neighbours.
            if size:
                pair = (sign_at(band, row, column - 1) + 1) * 3 + sign_at(band, row - 1, column) + 1
                further = (sign_at(band, row, column - 2) + 1) * 3 + sign_at(band, row - 2, column) + 1
                corners = (sign_at(band, row - 1, column - 1) + 1) * 3 + sign_at(band, row - 1, column + 1) + 1
                contexts[0] = _SIGNS + pair * 4 + direction
                contexts[1] = _SIGNS + 1024 + (pair * 9 + further) * 4 + direction
                contexts[2] = _SIGNS + 2048 + (pair * 9 + corners) * 4 + direction
                contexts[3] = _SIGNS + 3072 + (known[3, row, column] + 1) * 9 + pair
                contexts[4] = _SIGNS + 4096 + ((known[4, row, column] + 1) * 3 + min(plane, 2)) * 9 + pair
                bit = int(band[row, column] > 0)
                first = _BY_DIRECTION + direction
                second = _BY_PLANE + min(plane, 2)
                if not decide(bit, contexts, 5, first, second, _SIGN_CORRECTION, logits, model, data, encoding):
                    size = -size
            band[row, column] = size


@_compiled
def code_numbers(numbers, alphabet, model, data, encoding):
    """Code a row of small numbers without neighbours, such as weights: written from `numbers`, or read into it.

    `alphabet`, 0 to 15, keeps the statistics of different kinds apart.
    """
    contexts = np.zeros(_SLOTS, np.int64)
    logits = np.zeros(_SLOTS, np.int64)
    for place in range(len(numbers)):
        true = abs(numbers[place])
        size = np.int64(0)
        while size < _LONGEST:
            bit = int(true > size)
            context = _PLAIN + alphabet * 256 + size
            if not decide_alone(bit, context, _ALONE + 2, contexts, logits, model, data, encoding):
                break
            size += 1
        if size == _LONGEST:
            size += code_tail(true - size, contexts, logits, model, data, encoding)
        # Signs of such numbers are as good as random: half a chance each, without a context.
        if size and not code_bit(int(numbers[place] > 0), 32768, model, data, encoding):
            size = -size
        numbers[place] = size


@_compiled
def code_flag(flag, alphabet, model, data, encoding):
    """Code one number that is 0 or 1: written from flag[0], or read into it."""
    contexts = np.zeros(_SLOTS, np.int64)
    logits = np.zeros(_SLOTS, np.int64)
    flag[0] = decide_alone(flag[0], _FLAGS + alphabet, _ALONE + 4, contexts, logits, model, data, encoding)
