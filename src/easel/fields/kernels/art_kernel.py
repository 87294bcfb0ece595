"""The CPU kernel of painting fields (numba): a small program, run over blocks of points without leaving the cache.

A program works on registers of (rows, BLOCK) numbers: row r of a register holds unit r of BLOCK points, so that
innermost loops run over points and become vector instructions. Every lane of a block is computed alike and blocks are
always whole: a point's bits depend neither on its place nor on threads. Elementary functions are polynomials, as vector
instructions have none; they are off by about 1e-7, absolutely or relatively, whichever is more.

All of it stays in one file: numba's cache of compiled code notices changes to the file of the called function only.

Letters: o, i outputs and inputs of a layer; r row; p point in a block.
"""

# numba infers the types of what it compiles, and an intrinsic loses its first parameter.
# pyright: reportMissingParameterType=false, reportCallIssue=false, reportArgumentType=false

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import float32, int32, njit
from numba.extending import intrinsic

BLOCK = 128

# Instructions are rows of (operation, target, source, offset in the numbers, inputs, outputs).
LINEAR, FOURIER, COPY, ADD, BIAS, MULTIPLY, LEVEL, NORMALIZE, ACTIVATE = range(9)
"""y = W x + b; y sines and cosines of x; y = s x; y += s x; y += v; y *= v; y = (y - v) w; y to mean 0 and variance 1;
y = f(y), f the source."""
ACTIVATIONS = tuple(
    "sin cos gaussian half_sine scale add Tanh Sigmoid Softplus LogSigmoid Mish SiLU ELU SELU GELU LeakyReLU Hardtanh "
    "Softshrink Tanhshrink ReLU step".split()
)
"""Names of f; an instruction has the place of one in this list."""

f32 = np.float32
# Constants of that type: a Python float would turn all arithmetic around it into float64.
ZERO, HALF, ONE, TWO = map(f32, (0, 0.5, 1, 2))
# Added and taken away again, it rounds to the nearest integer: floats of its size are integers.
ROUNDER = f32(1.5 * 2**23)
# ln 2 in two parts, of which the first has few digits: its products with small integers are exact.
LOG2_E, LN2_HIGH, LN2_LOW = map(f32, (1.44269504, 0.693359375, -2.12194440e-4))
# Beyond these, 2^n leaves the normal floats: its exponent bits would wrap.
EXP_LEAST, EXP_MOST = map(f32, (-87.0, 88.0))
E2, E3, E4, E5, E6 = map(f32, (0.5, 1.6666667e-1, 4.1665796e-2, 8.3334519e-3, 1.3981999e-3))
# π/2 in three parts, of which the first two have few digits: products with small integers are exact.
TWO_OVER_PI, PI_1, PI_2, PI_3 = map(f32, (0.636619772, 1.5703125, 4.8375129699707e-4, 7.549789948768648e-8))
S3, S5, S7 = map(f32, (-1.6666654611e-1, 8.3321608736e-3, -1.9515295891e-4))
C4, C6, C8 = map(f32, (4.166664568298827e-2, -1.388731625493765e-3, 2.443315711809948e-5))
# Abramowitz & Stegun 1964, 7.1.26.
ERF_P, ERF_1, ERF_2, ERF_3, ERF_4, ERF_5 = map(
    f32, (0.3275911, 0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
)
ROOT_HALF = f32(0.70710678)
L3, L5, L7, L9, L11, L13 = (f32(2 / n) for n in (3, 5, 7, 9, 11, 13))
SELU_ALPHA, SELU_SCALE = map(f32, (1.6732632423543772, 1.0507009873554805))
# EPS is torch's, of its norms.
TWENTY, EPS = map(f32, (20, 1e-5))

# No reassociation: it would undo the rounder, and sums keep their order.
_OPTIONS: dict[str, Any] = {"fastmath": {"contract"}, "error_model": "numpy", "nogil": True}


def _entry(function: Callable) -> Callable:
    """Compile a function that Python calls, and keep its machine code on disk."""
    function = inspect.unwrap(function)  # tests wrap every function in a check of its arguments
    try:
        return njit(function, cache=True, **_OPTIONS)
    except RuntimeError:  # no folder to keep compiled code in
        return njit(function, **_OPTIONS)


def _part(function: Callable) -> Callable:
    """Compile a function that only compiled ones call; always inlined, so that loops over points become vectors."""
    return njit(inspect.unwrap(function), forceinline=True, **_OPTIONS)


@intrinsic
def as_float(typing, bits):
    """Reinterpret the bits of an int32 as a float32."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(float32))

    return float32(int32), generate


@_part
def exp(x):
    """e^x, for x in [-87, 88]; beyond, the end's value."""
    # e^x = 2^n e^r with |r| <= ln 2 / 2: a polynomial makes e^r, the bits of the exponent 2^n.
    x = min(max(x, EXP_LEAST), EXP_MOST)
    n = (x * LOG2_E + ROUNDER) - ROUNDER
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    power = E2 + r * (E3 + r * (E4 + r * (E5 + r * E6)))
    # 127 is the bias of a float32's exponent, 23 the place of its lowest bit.
    exponent = (int32(n) + int32(127)) << int32(23)
    return (ONE + r + r * r * power) * as_float(exponent)


@_part
def wave(x, quarters):
    """sin(x + quarters π/2)."""
    # Polynomials reach to π/4; the quarter in which x lies says which of the two, and its sign.
    n = (x * TWO_OVER_PI + ROUNDER) - ROUNDER
    r = ((x - n * PI_1) - n * PI_2) - n * PI_3
    rr = r * r
    sine = r + r * rr * (S3 + rr * (S5 + rr * S7))
    cosine = ONE - HALF * rr + rr * rr * (C4 + rr * (C6 + rr * C8))
    # By bits: bit 0 chooses the polynomial, bit 1 the sign, also of negative n.
    quarter = int32(n) + quarters
    value = cosine if quarter & int32(1) else sine
    return -value if quarter & int32(2) else value


@_part
def tanh(x):
    # Of |x|: e^(2x) would grow without end where tanh is 1 already.
    size = abs(x)
    e = exp(-TWO * size)
    value = (ONE - e) / (ONE + e)
    return value if x > ZERO else -value


@_part
def sigmoid(x):
    return ONE / (ONE + exp(-x))


@_part
def softplus(x):
    t = exp(-abs(x))
    s = t / (TWO + t)  # log(1 + t) = 2 artanh(s), s up to 1/3
    ss = s * s
    log = s * (TWO + ss * (L3 + ss * (L5 + ss * (L7 + ss * (L9 + ss * (L11 + ss * L13))))))
    return max(x, ZERO) + log


@_part
def gelu(x):
    # erf is odd, and the approximation holds for y >= 0 only.
    y = abs(x) * ROOT_HALF
    t = ONE / (ONE + ERF_P * y)
    erf = ONE - t * (ERF_1 + t * (ERF_2 + t * (ERF_3 + t * (ERF_4 + t * ERF_5)))) * exp(-y * y)
    return HALF * x * (ONE + (erf if x > ZERO else -erf))


@_part
def mish(x):
    # tanh(ln(1 + e^x)) = w / (w + 2) with w = e^x (e^x + 2); from 20 on it is 1 in float32.
    u = exp(min(x, TWENTY))
    w = u * (u + TWO)
    return x * (w / (w + TWO))


@_part
def activate(kind, y, rows, number):
    """Apply y = f(y), f by its place in ACTIVATIONS; `number` is that of `scale` and `add`, or LeakyReLU's slope."""
    # Each kind has a loop of its own: a test inside would keep the loop from becoming vector instructions.
    for r in range(rows):
        v = y[r]
        if kind == 0:
            for p in range(BLOCK):
                v[p] = wave(v[p], int32(0))
        elif kind == 1:
            for p in range(BLOCK):
                v[p] = wave(v[p], int32(1))
        elif kind == 2:
            for p in range(BLOCK):
                v[p] = exp(-HALF * v[p] * v[p])
        elif kind == 3:
            for p in range(BLOCK):
                v[p] = HALF * wave(v[p], int32(0)) + HALF
        elif kind == 4:
            for p in range(BLOCK):
                v[p] = v[p] * number
        elif kind == 5:
            for p in range(BLOCK):
                v[p] = v[p] + number
        elif kind == 6:
            for p in range(BLOCK):
                v[p] = tanh(v[p])
        elif kind == 7:
            for p in range(BLOCK):
                v[p] = sigmoid(v[p])
        elif kind == 8:
            for p in range(BLOCK):
                v[p] = softplus(v[p])
        elif kind == 9:
            for p in range(BLOCK):
                v[p] = -softplus(-v[p])
        elif kind == 10:
            for p in range(BLOCK):
                v[p] = mish(v[p])
        elif kind == 11:
            for p in range(BLOCK):
                v[p] = v[p] * sigmoid(v[p])
        elif kind == 12:
            for p in range(BLOCK):
                v[p] = v[p] if v[p] > ZERO else exp(v[p]) - ONE
        elif kind == 13:
            for p in range(BLOCK):
                v[p] = SELU_SCALE * (v[p] if v[p] > ZERO else SELU_ALPHA * (exp(v[p]) - ONE))
        elif kind == 14:
            for p in range(BLOCK):
                v[p] = gelu(v[p])
        elif kind == 15:
            for p in range(BLOCK):
                v[p] = v[p] if v[p] > ZERO else number * v[p]
        elif kind == 16:
            for p in range(BLOCK):
                v[p] = min(max(v[p], -ONE), ONE)
        elif kind == 17:
            for p in range(BLOCK):
                v[p] = v[p] - min(max(v[p], -HALF), HALF)
        elif kind == 18:
            for p in range(BLOCK):
                v[p] = v[p] - tanh(v[p])
        elif kind == 19:
            for p in range(BLOCK):
                v[p] = max(v[p], ZERO)
        elif kind == 20:
            for p in range(BLOCK):
                v[p] = ONE if v[p] > ZERO else ZERO


@_part
def four(row, i):
    """Return four neighbours of a row: the tiles of `dense` are 4 x 4."""
    return row[i], row[i + 1], row[i + 2], row[i + 3]


@_part
def dense(numbers, place, inputs, x, y, outputs):
    """y = W x + b; the rows of W are padded to fours, and so are the outputs."""
    for o in range(0, outputs, 4):
        y0, y1, y2, y3 = four(y, o)
        b = numbers[place + inputs * outputs + o :]
        y0[:], y1[:], y2[:], y3[:] = four(b, 0)
        for i in range(0, inputs, 4):
            x0, x1, x2, x3 = four(x, i)
            # 16 weights stay in registers while a block of points passes.
            w = numbers[place + o * inputs + i :]
            a0, a1, a2, a3 = four(w, 0)
            b0, b1, b2, b3 = four(w, inputs)
            c0, c1, c2, c3 = four(w, 2 * inputs)
            d0, d1, d2, d3 = four(w, 3 * inputs)
            for p in range(BLOCK):
                p0, p1, p2, p3 = x0[p], x1[p], x2[p], x3[p]
                y0[p] += a0 * p0 + a1 * p1 + a2 * p2 + a3 * p3
                y1[p] += b0 * p0 + b1 * p1 + b2 * p2 + b3 * p3
                y2[p] += c0 * p0 + c1 * p1 + c2 * p2 + c3 * p3
                y3[p] += d0 * p0 + d1 * p1 + d2 * p2 + d3 * p3


@_part
def octaves(x, y, inputs, rows, numbers, place):
    """Fill y with the sines, then the cosines, of every input's products with the numbers from that offset on."""
    count = rows // (2 * inputs)
    for i in range(inputs):
        u = x[i]
        for k in range(count):
            s = numbers[place + k]
            sine = y[2 * count * i + k]
            cosine = y[2 * count * i + count + k]
            for p in range(BLOCK):
                sine[p] = wave(s * u[p], int32(0))
            for p in range(BLOCK):
                cosine[p] = wave(s * u[p], int32(1))


@_part
def normalize(y, rows, mean, square):
    """Bring every point's rows to mean 0 and variance 1."""
    mean[:] = ZERO
    square[:] = ZERO
    # Row after row over all points: sums run along p in vectors, and each point's own sum keeps its order.
    for r in range(rows):
        v = y[r]
        for p in range(BLOCK):
            mean[p] += v[p]
    share = ONE / f32(rows)
    for p in range(BLOCK):
        mean[p] *= share
    for r in range(rows):
        v = y[r]
        for p in range(BLOCK):
            v[p] -= mean[p]
            square[p] += v[p] * v[p]
    for p in range(BLOCK):
        square[p] = ONE / np.sqrt(square[p] * share + EPS)
    for r in range(rows):
        v = y[r]
        for p in range(BLOCK):
            v[p] *= square[p]


@_entry
def run(program, numbers, registers, features, values):
    """Run a program: fill (channels, points) values from (inputs, points) features, points a multiple of BLOCK.

    Features enter register 0, values leave the target of the last instruction. The last register is scratch.
    """
    channels = len(values)
    spare = registers[len(registers) - 1]
    for start in range(0, features.shape[1], BLOCK):
        for r in range(len(features)):
            registers[0, r] = features[r, start : start + BLOCK]
        target = 0
        for step in range(len(program)):
            row = program[step]
            operation, target, source, place = four(row, 0)
            inputs, rows = row[4], row[5]
            y = registers[target]
            if operation == LINEAR:
                dense(numbers, place, inputs, registers[source], y, rows)
            elif operation == FOURIER:
                octaves(registers[source], y, inputs, rows, numbers, place)
            elif operation == ACTIVATE:
                activate(source, y, rows, numbers[place])
            elif operation == NORMALIZE:
                normalize(y, rows, spare[0], spare[1])
            else:
                # Row by row for all five: each row of a register is one loop over points.
                x = registers[source]
                for r in range(rows):
                    v = y[r]
                    u = x[r]
                    if operation == COPY:
                        s = numbers[place]
                        for p in range(BLOCK):
                            v[p] = s * u[p]
                    elif operation == ADD:
                        s = numbers[place]
                        for p in range(BLOCK):
                            v[p] += s * u[p]
                    elif operation == BIAS:
                        s = numbers[place + r]
                        for p in range(BLOCK):
                            v[p] += s
                    elif operation == MULTIPLY:
                        s = numbers[place + r]
                        for p in range(BLOCK):
                            v[p] *= s
                    elif operation == LEVEL:
                        s = numbers[place + r]
                        t = numbers[place + rows + r]
                        for p in range(BLOCK):
                            v[p] = (v[p] - s) * t
        # The last instruction's target, wherever that register is.
        for r in range(channels):
            values[r, start : start + BLOCK] = registers[target, r]
