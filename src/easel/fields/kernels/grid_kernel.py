"""The CPU kernel of a grid field: encode, network, loss and all gradients of a batch in one call (numba).

Points go through in blocks of BLOCK. Inside a block every unit is a row of BLOCK points, so that innermost loops
run over points and become vector instructions, and four inputs meet four outputs at a time, so that the multiply-adds
outnumber the loads. Widths are padded to multiples of four with zero weights, which leave results and gradients alone.

Sums have a fixed order whatever the number of threads: a batch is cut into CHUNKS, each with its own weight gradients,
and a grid plane collects its gradient point after point in one thread.

All of it stays in one file: numba's cache of compiled code notices changes to the file of the called function only.

A volume is a stack of pictures: its first axis counts slices. A picture is one slice, at whose places everything that
concerns slices is skipped.

Letters: o, i outputs and inputs of a layer; p point in a block; y = W x + b.
"""

# numba infers the types of what it compiles, and an intrinsic loses its first parameter.
# pyright: reportMissingParameterType=false, reportCallIssue=false

import inspect
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import int32, njit, types, uint32
from numba.extending import intrinsic
from numpy.typing import NDArray

BLOCK = 128
CHUNKS = 16

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

f32 = np.float32
ZERO, ONE, HALF = f32(0), f32(1), f32(0.5)
# Everything but nnan and ninf: a run that diverges must be seen to diverge.
_FAST = {"contract", "reassoc", "nsz", "arcp"}


class Plan(NamedTuple):
    """How a flat vector of weights is a grid field: grid planes, coarsest level first, then W and b of every layer."""

    slices: Integers
    """Nodes of every level along the first axis of a volume; 1 in a picture."""
    rows: Integers
    """Nodes of every level, down."""
    columns: Integers
    """Nodes of every level, across."""
    level_starts: Integers
    """Where a level's planes (features, slices, rows, columns) begin in the vector."""
    features: int
    widths: Integers
    """Units of every layer, inputs first."""
    padded: Integers
    """The same, each rounded up to a multiple of four."""
    layer_starts: Integers
    """Where a layer's W (outputs, inputs) begins in the vector; b follows it."""
    padded_starts: Integers
    """Where a layer's padded W begins in a padded vector; its padded b follows."""


class Picture(NamedTuple):
    """Where pixels lie and what they should be."""

    along: Floats
    """Coordinate of every slice; a single 0 in a picture."""
    down: Floats
    """Coordinate of every row."""
    across: Floats
    """Coordinate of every column."""
    pixels: Floats
    """(slices · rows · columns, channels)"""


class State(NamedTuple):
    """What a step changes: flat vectors, in the plan's order."""

    weights: Floats
    gradient: Floats
    first: Floats
    """Adam's first moment, or SGD's momentum."""
    second: Floats
    """Adam's second moment."""
    average: Floats
    """Running average of the weights."""


class Rule(NamedTuple):
    """How a step measures the loss and changes the weights."""

    loss: int
    """0 squares errors, 1 takes them as they are, 2 is Huber's."""
    turn: float
    """Error from which Huber's loss is straight."""
    optimizer: int
    """0 Adam, 1 SGD with momentum, 2 AdamW."""
    rate: float
    """Learning rate over Adam's first bias correction."""
    decay: float
    """Weight decay that is added to the gradient."""
    shrink: float
    """What decoupled weight decay leaves of a weight."""
    keep1: float
    """What a step leaves of the first moment: Adam's beta1, or SGD's momentum."""
    keep2: float
    """What a step leaves of the second moment: Adam's beta2."""
    root: float
    """1 / √ of Adam's second bias correction."""
    eps: float
    averaging: float
    """Share by which the average moves towards the weights."""
    bound: float
    """Loss from which no step is taken."""


class Scratch(NamedTuple):
    """Memory of one plan for batches up to a size, kept between calls."""

    weights: Floats
    """Padded W and b of every layer."""
    transposed: Floats
    """Padded Wᵀ in the places of W."""
    zeros: Floats
    """The bias of Wᵀ."""
    coordinates: Floats
    """Along, down and across: (3, points)."""
    gradient: Floats
    """Of the encoded values: (levels · features, points)."""
    activations: Floats
    """(chunks, units of all layers, BLOCK)"""
    deltas: Floats
    """Gradients of two neighbouring layers: (chunks, 2, widest layer, BLOCK)."""
    weight_gradients: Floats
    """(chunks, padded vector)"""
    nodes: NDArray[np.int32]
    """(chunks or planes, BLOCK)"""
    fractions: Floats
    """(chunks or planes, 3, BLOCK)"""
    true: Floats
    """One channel of a block's pixels: (chunks, BLOCK)."""
    counts: Floats
    """How much that channel counts: (chunks, BLOCK)."""
    losses: NDArray[np.float64]
    """Sum of the loss of every chunk."""


_OPTIONS: dict[str, Any] = {"fastmath": _FAST, "error_model": "numpy", "nogil": True}


def _entry(function: Callable) -> Callable:
    function = inspect.unwrap(function)  # tests wrap every function in a check of its arguments
    try:
        return njit(function, cache=True, **_OPTIONS)
    except RuntimeError:  # no folder to keep compiled code in
        return njit(function, **_OPTIONS)


def _part(function: Callable) -> Callable:
    # Always inlined: a function that the linker finds twice, here fresh and there from the cache, may round
    # differently, and then the first run on a machine would not repeat on the second.
    return njit(inspect.unwrap(function), forceinline=True, **_OPTIONS)


@intrinsic
def add(typing, counters, place, amount):
    """Add to a counter in one piece among threads; returns what it was."""

    def generate(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.atomic_rmw("add", builder.gep(array.data, [arguments[1]]), arguments[2], "seq_cst")

    return types.int64(counters, types.int64, types.int64), generate


@_part
def locate(coordinates, slices, rows, columns, node, fractions):
    """The cell of every point: its first node and how far the point lies beyond it, along, down and across."""
    along, down, across = coordinates
    for p in range(BLOCK):
        row, column = (down[p] + ONE) * HALF * f32(rows - 1), (across[p] + ONE) * HALF * f32(columns - 1)
        first_row, first_column = min(int32(row), int32(rows - 2)), min(int32(column), int32(columns - 2))
        node[p] = first_row * int32(columns) + first_column
        fractions[1, p] = row - f32(first_row)
        fractions[2, p] = column - f32(first_column)
    if slices > 1:
        for p in range(BLOCK):
            place = (along[p] + ONE) * HALF * f32(slices - 1)
            first_slice = min(int32(place), int32(slices - 2))
            node[p] += first_slice * int32(rows * columns)
            fractions[0, p] = place - f32(first_slice)


@_part
def gather(plane, slices, rows, columns, node, fractions, out):
    """Bilinear or trilinear values of one plane."""
    along, down, across = fractions
    for p in range(BLOCK):
        out[p] = bilinear(plane, columns, uint32(node[p]), down[p], across[p])
    if slices > 1:
        for p in range(BLOCK):
            beyond = bilinear(plane, columns, uint32(node[p]) + uint32(rows * columns), down[p], across[p])
            out[p] += along[p] * (beyond - out[p])


@_part
def bilinear(plane, columns, n, down, across):
    below = n + uint32(columns)
    upper = plane[n] + across * (plane[n + uint32(1)] - plane[n])
    lower = plane[below] + across * (plane[below + uint32(1)] - plane[below])
    return upper + down * (lower - upper)


@_part
def scatter(plane, slices, rows, columns, node, fractions, delta):
    """Add the gradient of `gather` to the gradient of a plane."""
    along, down, across = fractions
    if slices == 1:
        for p in range(BLOCK):
            bilinear_gradient(plane, columns, uint32(node[p]), down[p], across[p], delta[p])
    else:
        for p in range(BLOCK):
            n, beyond = uint32(node[p]), along[p] * delta[p]
            bilinear_gradient(plane, columns, n, down[p], across[p], delta[p] - beyond)
            bilinear_gradient(plane, columns, n + uint32(rows * columns), down[p], across[p], beyond)


@_part
def bilinear_gradient(plane, columns, n, down, across, delta):
    below = n + uint32(columns)
    lower = down * delta
    upper = delta - lower
    plane[n] += upper - across * upper
    plane[n + uint32(1)] += across * upper
    plane[below] += lower - across * lower
    plane[below + uint32(1)] += across * lower


@_part
def dense(w, b, x, y):
    """y = W x + b."""
    for o in range(0, len(y), 4):
        y0, y1, y2, y3 = y[o], y[o + 1], y[o + 2], y[o + 3]
        y0[:], y1[:], y2[:], y3[:] = b[o], b[o + 1], b[o + 2], b[o + 3]
        for i in range(0, len(x), 4):
            x0, x1, x2, x3 = x[i], x[i + 1], x[i + 2], x[i + 3]
            a0, a1, a2, a3 = w[o, i], w[o, i + 1], w[o, i + 2], w[o, i + 3]
            b0, b1, b2, b3 = w[o + 1, i], w[o + 1, i + 1], w[o + 1, i + 2], w[o + 1, i + 3]
            c0, c1, c2, c3 = w[o + 2, i], w[o + 2, i + 1], w[o + 2, i + 2], w[o + 2, i + 3]
            d0, d1, d2, d3 = w[o + 3, i], w[o + 3, i + 1], w[o + 3, i + 2], w[o + 3, i + 3]
            for p in range(BLOCK):
                p0, p1, p2, p3 = x0[p], x1[p], x2[p], x3[p]
                y0[p] += a0 * p0 + a1 * p1 + a2 * p2 + a3 * p3
                y1[p] += b0 * p0 + b1 * p1 + b2 * p2 + b3 * p3
                y2[p] += c0 * p0 + c1 * p1 + c2 * p2 + c3 * p3
                y3[p] += d0 * p0 + d1 * p1 + d2 * p2 + d3 * p3


@_part
def dense_gradient(dy, x, dw, db):
    """Add the gradients of `dense`'s W and b."""
    for o in range(0, len(dy), 4):
        y0, y1, y2, y3 = dy[o], dy[o + 1], dy[o + 2], dy[o + 3]
        s0, s1, s2, s3 = ZERO, ZERO, ZERO, ZERO
        for p in range(BLOCK):
            s0, s1, s2, s3 = s0 + y0[p], s1 + y1[p], s2 + y2[p], s3 + y3[p]
        db[o] += s0
        db[o + 1] += s1
        db[o + 2] += s2
        db[o + 3] += s3
        for i in range(0, len(x), 4):
            x0, x1, x2, x3 = x[i], x[i + 1], x[i + 2], x[i + 3]
            a0, a1, a2, a3 = ZERO, ZERO, ZERO, ZERO
            b0, b1, b2, b3 = ZERO, ZERO, ZERO, ZERO
            c0, c1, c2, c3 = ZERO, ZERO, ZERO, ZERO
            d0, d1, d2, d3 = ZERO, ZERO, ZERO, ZERO
            for p in range(BLOCK):
                p0, p1, p2, p3 = x0[p], x1[p], x2[p], x3[p]
                q0, q1, q2, q3 = y0[p], y1[p], y2[p], y3[p]
                a0, a1, a2, a3 = a0 + q0 * p0, a1 + q0 * p1, a2 + q0 * p2, a3 + q0 * p3
                b0, b1, b2, b3 = b0 + q1 * p0, b1 + q1 * p1, b2 + q1 * p2, b3 + q1 * p3
                c0, c1, c2, c3 = c0 + q2 * p0, c1 + q2 * p1, c2 + q2 * p2, c3 + q2 * p3
                d0, d1, d2, d3 = d0 + q3 * p0, d1 + q3 * p1, d2 + q3 * p2, d3 + q3 * p3
            add4(dw[o], i, a0, a1, a2, a3)
            add4(dw[o + 1], i, b0, b1, b2, b3)
            add4(dw[o + 2], i, c0, c1, c2, c3)
            add4(dw[o + 3], i, d0, d1, d2, d3)


@_part
def add4(row, i, s0, s1, s2, s3):
    row[i] += s0
    row[i + 1] += s1
    row[i + 2] += s2
    row[i + 3] += s3


@_part
def layer(vector, plan, d):
    """Padded W and b of layer d in a padded vector, as views."""
    inputs, outputs, start = plan.padded[d], plan.padded[d + 1], plan.padded_starts[d]
    middle = start + outputs * inputs
    return vector[start:middle].reshape((outputs, inputs)), vector[middle : middle + outputs]


@_entry
def pack(weights, plan, scratch):
    """Copy W, Wᵀ and b of all layers into their padded places."""
    for d in range(len(plan.widths) - 1):
        inputs, outputs, start = plan.widths[d], plan.widths[d + 1], plan.layer_starts[d]
        w, b = layer(scratch.weights, plan, d)
        wt = layer(scratch.transposed, plan, d)[0].reshape((plan.padded[d], plan.padded[d + 1]))
        for o in range(outputs):
            for i in range(inputs):
                w[o, i] = wt[i, o] = weights[start + o * inputs + i]
            b[o] = weights[start + outputs * inputs + o]


@_part
def unpack_gradients(plan, scratch, gradient):
    """Sum the chunks' padded weight gradients, in order, into the flat gradient."""
    total = scratch.weight_gradients[0]
    for chunk in range(1, CHUNKS):
        total += scratch.weight_gradients[chunk]
    for d in range(len(plan.widths) - 1):
        inputs, outputs, start = plan.widths[d], plan.widths[d + 1], plan.layer_starts[d]
        dw, db = layer(total, plan, d)
        for o in range(outputs):
            gradient[start + o * inputs : start + (o + 1) * inputs] = dw[o, :inputs]
        gradient[start + outputs * inputs : start + outputs * inputs + outputs] = db[:outputs]


@_part
def forward(weights, plan, scratch, chunk, coordinates):
    """All activations of one block; returns the row at which the outputs begin."""
    activations = scratch.activations[chunk]
    node, fractions = scratch.nodes[chunk], scratch.fractions[chunk]
    for level in range(len(plan.rows)):
        slices, rows, columns = plan.slices[level], plan.rows[level], plan.columns[level]
        nodes = slices * rows * columns
        locate(coordinates, slices, rows, columns, node, fractions)
        for feature in range(plan.features):
            start = plan.level_starts[level] + feature * nodes
            out = activations[level * plan.features + feature]
            gather(weights[start : start + nodes], slices, rows, columns, node, fractions, out)
    row = 0
    for d in range(len(plan.widths) - 1):
        w, b = layer(scratch.weights, plan, d)
        hidden = row + plan.padded[d]
        y = activations[hidden : hidden + plan.padded[d + 1]]
        dense(w, b, activations[row:hidden], y)
        if d < len(plan.widths) - 2:
            for o in range(len(y)):
                unit = y[o]
                for p in range(BLOCK):
                    unit[p] = max(unit[p], ZERO)
        row = hidden
    return row


@_part
def backward(plan, scratch, chunk, row, start):
    """From the outputs' gradient in deltas[0] to all weight gradients and the encoded values' gradient."""
    activations, deltas = scratch.activations[chunk], scratch.deltas[chunk]
    now = 0
    for d in range(len(plan.widths) - 2, -1, -1):
        inputs, outputs = plan.padded[d], plan.padded[d + 1]
        row -= inputs
        x, dx, dy = activations[row : row + inputs], deltas[1 - now, :inputs], deltas[now, :outputs]
        dw, db = layer(scratch.weight_gradients[chunk], plan, d)
        dense_gradient(dy, x, dw, db)
        wt = layer(scratch.transposed, plan, d)[0]
        dense(wt.reshape((inputs, outputs)), scratch.zeros, dy, dx)
        if d > 0:
            for i in range(inputs):
                unit, delta = x[i], dx[i]
                for p in range(BLOCK):
                    delta[p] = delta[p] if unit[p] > ZERO else ZERO
        now = 1 - now
    for i in range(len(scratch.gradient)):
        scratch.gradient[i, start : start + BLOCK] = deltas[now, i]


@_part
def compare(predicted, true, counts, rule, scale, delta):
    """Loss of one channel in a block, each point counted that much, summed; fills the gradient of scale · loss."""
    loss, turn = ZERO, f32(rule.turn)
    for p in range(BLOCK):
        error, count = predicted[p] - true[p], counts[p]
        if rule.loss == 0:
            loss += count * (error * error)
            delta[p] = count * (f32(2) * scale * error)
        elif rule.loss == 1:
            loss += count * abs(error)
            delta[p] = count * (scale * np.sign(error))
        else:
            bent = min(max(error, -turn), turn)
            loss += count * (bent * (error - HALF * bent))
            delta[p] = count * (scale * bent)
    return loss


@_part
def place(index, start, picture, coordinates):
    """Coordinates of one block of a batch; beyond the last point the last one is repeated."""
    height, width = len(picture.down), len(picture.across)
    for p in range(BLOCK):
        pixel = index[min(start + p, len(index) - 1)]
        row = pixel // width
        if len(picture.along) > 1:
            coordinates[0, p] = picture.along[row // height]
            row %= height
        coordinates[1, p] = picture.down[row]
        coordinates[2, p] = picture.across[pixel % width]


@_part
def learn_chunk(index, picture, plan, scratch, weights, rule, chunk):
    """Losses, weight gradients and the encoded values' gradients of one chunk of a batch."""
    scratch.weight_gradients[chunk] = ZERO
    points, channels = len(index), picture.pixels.shape[1]
    blocks = (points + BLOCK - 1) // BLOCK
    scale = ONE / f32(points * channels)
    true, counts, deltas = scratch.true[chunk], scratch.counts[chunk], scratch.deltas[chunk, 0]
    total = 0.0
    for block in range(chunk * blocks // CHUNKS, (chunk + 1) * blocks // CHUNKS):
        start = block * BLOCK
        coordinates = scratch.coordinates[:, start : start + BLOCK]
        place(index, start, picture, coordinates)
        row = forward(weights, plan, scratch, chunk, coordinates)
        deltas[: plan.padded[-1]] = ZERO
        for channel in range(channels):
            predicted = scratch.activations[chunk, row + channel]
            true[:] = predicted  # an error of zero takes the repeated points out
            counts[:] = ONE
            for p in range(min(BLOCK, points - start)):
                true[p] = picture.pixels[index[start + p], channel]
                if channels == 4 and channel < 3:  # RGBA: see targets.channel_weights
                    counts[p] = picture.pixels[index[start + p], 3]
            total += compare(predicted, true, counts, rule, scale, deltas[channel])
        backward(plan, scratch, chunk, row, start)
    scratch.losses[chunk] = total


@_part
def learn_plane(points, plan, scratch, plane, state, rule):
    """The gradient of one plane, then its update; planes are counted as the encoded values are."""
    level, feature = plane // plan.features, plane % plan.features
    slices, rows, columns = plan.slices[level], plan.rows[level], plan.columns[level]
    nodes = slices * rows * columns
    first = plan.level_starts[level] + feature * nodes
    gradient = state.gradient[first : first + nodes]
    gradient[:] = ZERO
    node, fractions = scratch.nodes[plane], scratch.fractions[plane]
    for start in range(0, points, BLOCK):
        locate(scratch.coordinates[:, start : start + BLOCK], slices, rows, columns, node, fractions)
        scatter(gradient, slices, rows, columns, node, fractions, scratch.gradient[plane, start : start + BLOCK])
    update(state, rule, first, first + nodes)


@_part
def update(state, rule, start, stop):
    """One step on a part of the weights, after their running average has moved towards them.

    As torch.optim has them: Kingma and Ba 2015, algorithm 1; Loshchilov and Hutter 2019, algorithms 1 and 2.
    """
    weights, gradient, average = state.weights[start:stop], state.gradient[start:stop], state.average[start:stop]
    first, second = state.first[start:stop], state.second[start:stop]
    rate, decay, shrink, averaging = f32(rule.rate), f32(rule.decay), f32(rule.shrink), f32(rule.averaging)
    keep1, keep2, root, eps = f32(rule.keep1), f32(rule.keep2), f32(rule.root), f32(rule.eps)
    if rule.optimizer == 1:
        for n in range(len(weights)):
            average[n] += averaging * (weights[n] - average[n])
            first[n] = keep1 * first[n] + gradient[n] + decay * weights[n]
            weights[n] -= rate * first[n]
    else:
        for n in range(len(weights)):
            average[n] += averaging * (weights[n] - average[n])
            slope = gradient[n] + decay * weights[n]
            first[n] += (ONE - keep1) * (slope - first[n])
            second[n] = keep2 * second[n] + (ONE - keep2) * slope * slope
            weights[n] = shrink * weights[n] - rate * first[n] / (math.sqrt(second[n]) * root + eps)


@_part
def learn_network(plan, scratch, state, rule):
    """Gradient and update of the network."""
    unpack_gradients(plan, scratch, state.gradient)
    update(state, rule, plan.layer_starts[0], len(state.weights))


@_part
def predict_chunk(index, picture, plan, scratch, weights, values, chunk):
    """The field's values at one chunk of a batch."""
    points, channels = values.shape
    blocks = (points + BLOCK - 1) // BLOCK
    for block in range(chunk * blocks // CHUNKS, (chunk + 1) * blocks // CHUNKS):
        start = block * BLOCK
        coordinates = scratch.coordinates[:, start : start + BLOCK]
        place(index, start, picture, coordinates)
        row = forward(weights, plan, scratch, chunk, coordinates)
        for channel in range(channels):
            predicted = scratch.activations[chunk, row + channel]
            for p in range(min(BLOCK, points - start)):
                values[start + p, channel] = predicted[p]


# What threads enter. Each claims tasks until none is left, so that a thread which has to wait for a processor holds
# nobody up; whoever does a task, it writes to its own place.


@_entry
def learn(tickets, index, picture, plan, scratch, state, rule):
    """After `pack`: one step; returns the mean loss before it, and takes none from a loss of `rule.bound`.

    Tickets are three zeros, fresh for every call.
    """
    points, planes = len(index), len(plan.rows) * plan.features
    while True:
        chunk = add(tickets, 0, 1)
        if chunk >= CHUNKS:
            break
        learn_chunk(index, picture, plan, scratch, state.weights, rule, chunk)
        add(tickets, 1, 1)
    while add(tickets, 1, 0) < CHUNKS:  # another thread is at the last chunk
        pass
    loss = 0.0
    for chunk in range(CHUNKS):
        loss += scratch.losses[chunk]
    loss /= points * picture.pixels.shape[1]
    while loss < rule.bound:
        task = add(tickets, 2, 1)
        if task > planes:
            break
        if task == 0:
            learn_network(plan, scratch, state, rule)
        else:
            # The finest planes first: they take longest.
            learn_plane(points, plan, scratch, planes - task, state, rule)
    return loss


@_entry
def predict(tickets, index, picture, weights, plan, scratch, values):
    """After `pack`: fill (n, channels) values with the field's at the pixels at these indices."""
    while True:
        chunk = add(tickets, 0, 1)
        if chunk >= CHUNKS:
            break
        predict_chunk(index, picture, plan, scratch, weights, values, chunk)
