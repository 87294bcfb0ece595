"""The CPU kernel of a grid field (numba): encoding, network, loss and all gradients of a batch in one call.

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

# Points of a block: its units of all layers stay in the first caches. Chunks: more than any usual machine has threads,
# and fixed, since the sums of gradients follow them.
BLOCK = 128
CHUNKS = 16

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

f32 = np.float32
# Constants of that type: a Python float would turn all arithmetic around it into float64.
ZERO = f32(0)
ONE = f32(1)
HALF = f32(0.5)
# Everything but nnan and ninf: a run that diverges must be seen to diverge.
_FAST = {"contract", "reassoc", "nsz", "arcp"}


class Layout(NamedTuple):
    """Layout of a grid field in a flat vector: grid planes, coarsest level first, then W and b of every layer."""

    slices: Integers
    """Nodes of every level along the first axis of a volume; 1 in a samples."""
    rows: Integers
    """Nodes of every level, down."""
    columns: Integers
    """Nodes of every level, across."""
    level_starts: Integers
    """Offset of a level's planes (features, slices, rows, columns) in the vector."""
    features: int
    widths: Integers
    """Units of every layer, inputs first."""
    padded: Integers
    """The same, each rounded up to a multiple of four."""
    layer_starts: Integers
    """Offset of a layer's W (outputs, inputs) in the vector; b follows it."""
    padded_starts: Integers
    """Offset of a layer's padded W in a padded vector; its padded b follows."""


class Samples(NamedTuple):
    """Coordinates and target of every sample of a picture or volume."""

    along: Floats
    """Coordinate of every slice; a single 0 in a samples."""
    down: Floats
    """Coordinate of every row."""
    across: Floats
    """Coordinate of every column."""
    pixels: Floats
    """(slices · rows · columns, channels)"""


class State(NamedTuple):
    """Flat vectors, in the layout's order, that a step changes."""

    weights: Floats
    gradient: Floats
    first: Floats
    """Adam's first moment, or SGD's momentum."""
    second: Floats
    """Adam's second moment."""
    average: Floats
    """Running average of the weights."""


class Rule(NamedTuple):
    """Loss and optimizer of a step."""

    loss: int
    """0 squares errors, 1 takes their absolute value, 2 is Huber's."""
    huber_delta: float
    """δ of the Huber loss."""
    optimizer: int
    """0 Adam, 1 SGD with momentum, 2 AdamW."""
    rate: float
    """Learning rate lr, for Adam over its first bias correction: lr / (1 − β₁ᵗ)."""
    weight_decay: float
    """λ of the weight decay that is added to the gradient."""
    decay_factor: float
    """1 − lr·λ: the factor by which AdamW multiplies weights."""
    beta1: float
    """β₁ of Adam, or the momentum of SGD."""
    beta2: float
    """β₂ of Adam."""
    root_correction: float
    """1 / √(1 − β₂ᵗ): Adam's second bias correction."""
    eps: float
    averaging: float
    """Share by which the average moves towards the weights."""
    bound: float
    """Loss from which no step is taken."""


class Scratch(NamedTuple):
    """Memory of one layout for batches up to a size, kept between calls."""

    weights: Floats
    """Padded W and b of every layer."""
    transposed: Floats
    """Padded Wᵀ, at the offsets of W."""
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
    """Weight of that channel in the loss: (chunks, BLOCK)."""
    losses: NDArray[np.float64]
    """Sum of the loss of every chunk."""


_OPTIONS: dict[str, Any] = {"fastmath": _FAST, "error_model": "numpy", "nogil": True}


def _entry(function: Callable) -> Callable:
    """Compile a function that Python calls, and keep its machine code on disk."""
    function = inspect.unwrap(function)  # tests wrap every function in a check of its arguments
    try:
        return njit(function, cache=True, **_OPTIONS)
    except RuntimeError:  # no folder to keep compiled code in
        return njit(function, **_OPTIONS)


def _part(function: Callable) -> Callable:
    """Compile a function that only compiled ones call."""
    # Always inlined: a function that the linker finds twice, here fresh and there from the cache, may round
    # differently, and then the first run on a machine would not repeat on the second.
    return njit(inspect.unwrap(function), forceinline=True, **_OPTIONS)


@intrinsic
def add(typing, counters, place, amount):
    """Add to a counter atomically among threads; return its value before."""

    def generate(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.atomic_rmw("add", builder.gep(array.data, [arguments[1]]), arguments[2], "seq_cst")

    return types.int64(counters, types.int64, types.int64), generate


@_part
def locate(coordinates, slices, rows, columns, node, fractions):
    """Find the cell of every point: its first node, and the fractions beyond it along, down and across."""
    along, down, across = coordinates
    for p in range(BLOCK):
        row = (down[p] + ONE) * HALF * f32(rows - 1)
        column = (across[p] + ONE) * HALF * f32(columns - 1)
        # At most the last cell but for its far border: a point on the border of the view is inside, too.
        first_row = min(int32(row), int32(rows - 2))
        first_column = min(int32(column), int32(columns - 2))
        # int32 offsets: twice as many fit into a vector as of int64, and no plane has 2^31 nodes.
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
    """Interpolate one plane, bilinearly or trilinearly."""
    along, down, across = fractions
    # uint32 indices: numba would test signed ones for being negative, and the loop would not become vectors.
    for p in range(BLOCK):
        out[p] = bilinear(plane, columns, uint32(node[p]), down[p], across[p])
    if slices > 1:
        for p in range(BLOCK):
            beyond = bilinear(plane, columns, uint32(node[p]) + uint32(rows * columns), down[p], across[p])
            out[p] += along[p] * (beyond - out[p])


@_part
def bilinear(plane, columns, n, down, across):
    # a + t (b - a): one multiply-add less than (1 - t) a + t b.
    below = n + uint32(columns)
    upper = plane[n] + across * (plane[n + uint32(1)] - plane[n])
    lower = plane[below] + across * (plane[below + uint32(1)] - plane[below])
    return upper + down * (lower - upper)


@_part
def scatter(plane, slices, rows, columns, node, fractions, delta):
    """Add the gradient of `gather` to the gradient of a plane."""
    along, down, across = fractions
    # Point after point: two points of a block may share nodes, so that this loop must not become vectors.
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
def two(row, i):
    """Return two neighbours: inputs and outputs of layer i in a list of widths."""
    return row[i], row[i + 1]


@_part
def shape_of(layout, level):
    """Return slices, rows and columns of a level."""
    return layout.slices[level], layout.rows[level], layout.columns[level]


@_part
def four(row, i):
    """Return four neighbours of a row: the tiles of `dense` and `dense_gradient` are 4 x 4."""
    return row[i], row[i + 1], row[i + 2], row[i + 3]


@_part
def dense(w, b, x, y):
    """y = W x + b."""
    # 16 weights stay in registers while a block of points passes: 16 multiply-adds for four loads of x and y each.
    for o in range(0, len(y), 4):
        y0, y1, y2, y3 = four(y, o)
        y0[:], y1[:], y2[:], y3[:] = four(b, o)
        for i in range(0, len(x), 4):
            x0, x1, x2, x3 = four(x, i)
            a0, a1, a2, a3 = four(w[o], i)
            b0, b1, b2, b3 = four(w[o + 1], i)
            c0, c1, c2, c3 = four(w[o + 2], i)
            d0, d1, d2, d3 = four(w[o + 3], i)
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
        y0, y1, y2, y3 = four(dy, o)
        s0 = s1 = s2 = s3 = ZERO
        for p in range(BLOCK):
            s0, s1, s2, s3 = s0 + y0[p], s1 + y1[p], s2 + y2[p], s3 + y3[p]
        add4(db, o, s0, s1, s2, s3)
        for i in range(0, len(x), 4):
            x0, x1, x2, x3 = four(x, i)
            # Sums of the block in registers: one store a weight and block, not one a point.
            a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = ZERO
            c0 = c1 = c2 = c3 = d0 = d1 = d2 = d3 = ZERO
            for p in range(BLOCK):
                p0, p1, p2, p3 = x0[p], x1[p], x2[p], x3[p]
                a0, a1, a2, a3 = plus(a0, a1, a2, a3, y0[p], p0, p1, p2, p3)
                b0, b1, b2, b3 = plus(b0, b1, b2, b3, y1[p], p0, p1, p2, p3)
                c0, c1, c2, c3 = plus(c0, c1, c2, c3, y2[p], p0, p1, p2, p3)
                d0, d1, d2, d3 = plus(d0, d1, d2, d3, y3[p], p0, p1, p2, p3)
            add4(dw[o], i, a0, a1, a2, a3)
            add4(dw[o + 1], i, b0, b1, b2, b3)
            add4(dw[o + 2], i, c0, c1, c2, c3)
            add4(dw[o + 3], i, d0, d1, d2, d3)


@_part
def plus(s0, s1, s2, s3, q, p0, p1, p2, p3):
    """Return four sums, to each of which a product with q is added."""
    return s0 + q * p0, s1 + q * p1, s2 + q * p2, s3 + q * p3


@_part
def add4(row, i, s0, s1, s2, s3):
    row[i] += s0
    row[i + 1] += s1
    row[i + 2] += s2
    row[i + 3] += s3


@_part
def layer(vector, layout, d):
    """Return padded W and b of layer d in a padded vector, as views."""
    inputs, outputs = two(layout.padded, d)
    start = layout.padded_starts[d]
    middle = start + outputs * inputs
    return vector[start:middle].reshape((outputs, inputs)), vector[middle : middle + outputs]


@_entry
def pack(weights, layout, scratch):
    """Copy W, Wᵀ and b of all layers to their padded offsets."""
    for d in range(len(layout.widths) - 1):
        inputs, outputs = two(layout.widths, d)
        start = layout.layer_starts[d]
        w, b = layer(scratch.weights, layout, d)
        # The backward pass is `dense` with Wᵀ: written out here, once a step, its loads are contiguous there.
        wt = layer(scratch.transposed, layout, d)[0].reshape((layout.padded[d], layout.padded[d + 1]))
        for o in range(outputs):
            for i in range(inputs):
                w[o, i] = wt[i, o] = weights[start + o * inputs + i]
            b[o] = weights[start + outputs * inputs + o]


@_part
def unpack_gradients(layout, scratch, gradient):
    """Sum the chunks' padded weight gradients, in order, into the flat gradient."""
    # In order, in one thread: a sum that grew as threads finish would round differently from run to run.
    total = scratch.weight_gradients[0]
    for chunk in range(1, CHUNKS):
        total += scratch.weight_gradients[chunk]
    for d in range(len(layout.widths) - 1):
        inputs, outputs = two(layout.widths, d)
        start = layout.layer_starts[d]
        dw, db = layer(total, layout, d)
        for o in range(outputs):
            gradient[start + o * inputs : start + (o + 1) * inputs] = dw[o, :inputs]
        gradient[start + outputs * inputs : start + outputs * inputs + outputs] = db[:outputs]


@_part
def forward(weights, layout, scratch, chunk, coordinates):
    """Compute all activations of one block; return the row at which the outputs begin."""
    activations = scratch.activations[chunk]
    node = scratch.nodes[chunk]
    fractions = scratch.fractions[chunk]
    for level in range(len(layout.rows)):
        slices, rows, columns = shape_of(layout, level)
        nodes = slices * rows * columns
        locate(coordinates, slices, rows, columns, node, fractions)
        for feature in range(layout.features):
            start = layout.level_starts[level] + feature * nodes
            out = activations[level * layout.features + feature]
            gather(weights[start : start + nodes], slices, rows, columns, node, fractions, out)
    row = 0
    for d in range(len(layout.widths) - 1):
        w, b = layer(scratch.weights, layout, d)
        hidden = row + layout.padded[d]
        y = activations[hidden : hidden + layout.padded[d + 1]]
        dense(w, b, activations[row:hidden], y)
        if d < len(layout.widths) - 2:
            for o in range(len(y)):
                unit = y[o]
                for p in range(BLOCK):
                    unit[p] = max(unit[p], ZERO)
        row = hidden
    return row


@_part
def backward(layout, scratch, chunk, row, start):
    """Carry the outputs' gradient in deltas[0] back to all weight gradients and the encoded values' gradient."""
    activations = scratch.activations[chunk]
    deltas = scratch.deltas[chunk]
    # Two layers' gradients take turns in deltas: a layer's own is not needed once the one below is known.
    now = 0
    for d in range(len(layout.widths) - 2, -1, -1):
        inputs, outputs = two(layout.padded, d)
        row -= inputs
        x = activations[row : row + inputs]
        dx = deltas[1 - now, :inputs]
        dy = deltas[now, :outputs]
        dw, db = layer(scratch.weight_gradients[chunk], layout, d)
        dense_gradient(dy, x, dw, db)
        wt = layer(scratch.transposed, layout, d)[0]
        dense(wt.reshape((inputs, outputs)), scratch.zeros, dy, dx)
        if d > 0:
            for i in range(inputs):
                unit = x[i]
                delta = dx[i]
                # A ReLU's output is positive exactly where its input is, so that the input need not be kept.
                for p in range(BLOCK):
                    delta[p] = delta[p] if unit[p] > ZERO else ZERO
        now = 1 - now
    for i in range(len(scratch.gradient)):
        scratch.gradient[i, start : start + BLOCK] = deltas[now, i]


@_part
def compare(predicted, true, counts, rule, scale, delta):
    """Sum the loss of one channel in a block, each point weighted by its count; fill the gradient of scale · loss."""
    loss = ZERO
    huber_delta = f32(rule.huber_delta)
    for p in range(BLOCK):
        error = predicted[p] - true[p]
        count = counts[p]
        # The rule is the same for all points: the compiler can move this test out of the loop.
        if rule.loss == 0:
            loss += count * (error * error)
            delta[p] = count * (f32(2) * scale * error)
        elif rule.loss == 1:
            loss += count * abs(error)
            delta[p] = count * (scale * np.sign(error))
        else:
            # error² / 2 up to δ and δ·(|error| - δ/2) beyond, in one expression: vector code has no branches.
            bent = min(max(error, -huber_delta), huber_delta)
            loss += count * (bent * (error - HALF * bent))
            delta[p] = count * (scale * bent)
    return loss


@_part
def place(index, start, samples, coordinates):
    """Look up the coordinates of one block of a batch; beyond the last point the last one is repeated."""
    height = len(samples.down)
    width = len(samples.across)
    for p in range(BLOCK):
        pixel = index[min(start + p, len(index) - 1)]
        row = pixel // width
        if len(samples.along) > 1:
            coordinates[0, p] = samples.along[row // height]
            row %= height
        coordinates[1, p] = samples.down[row]
        coordinates[2, p] = samples.across[pixel % width]


@_part
def learn_chunk(index, samples, layout, scratch, weights, rule, chunk):
    """Compute losses, weight gradients and the encoded values' gradients of one chunk of a batch."""
    scratch.weight_gradients[chunk] = ZERO
    points = len(index)
    channels = samples.pixels.shape[1]
    blocks = (points + BLOCK - 1) // BLOCK
    # The gradient of the mean, at once: sums of chunks need no division any more.
    scale = ONE / f32(points * channels)
    true = scratch.true[chunk]
    counts = scratch.counts[chunk]
    deltas = scratch.deltas[chunk, 0]
    total = 0.0
    for block in range(chunk * blocks // CHUNKS, (chunk + 1) * blocks // CHUNKS):
        start = block * BLOCK
        coordinates = scratch.coordinates[:, start : start + BLOCK]
        place(index, start, samples, coordinates)
        row = forward(weights, layout, scratch, chunk, coordinates)
        deltas[: layout.padded[-1]] = ZERO
        for channel in range(channels):
            predicted = scratch.activations[chunk, row + channel]
            # An error of zero takes the repeated points of the last block out of loss and gradient.
            true[:] = predicted
            counts[:] = ONE
            for p in range(min(BLOCK, points - start)):
                true[p] = samples.pixels[index[start + p], channel]
                if channels == 4 and channel < 3:  # RGBA: see losses.channel_weights
                    counts[p] = samples.pixels[index[start + p], 3]
            total += compare(predicted, true, counts, rule, scale, deltas[channel])
        backward(layout, scratch, chunk, row, start)
    scratch.losses[chunk] = total


@_part
def learn_plane(points, layout, scratch, plane, state, rule):
    """Compute the gradient of one plane, then update it; planes are numbered as the encoded values are."""
    level = plane // layout.features
    feature = plane % layout.features
    slices, rows, columns = shape_of(layout, level)
    nodes = slices * rows * columns
    first = layout.level_starts[level] + feature * nodes
    gradient = state.gradient[first : first + nodes]
    gradient[:] = ZERO
    node = scratch.nodes[plane]
    fractions = scratch.fractions[plane]
    # Cells are found once more: reading them back from the forward pass would cost more memory traffic than that.
    for start in range(0, points, BLOCK):
        locate(scratch.coordinates[:, start : start + BLOCK], slices, rows, columns, node, fractions)
        scatter(gradient, slices, rows, columns, node, fractions, scratch.gradient[plane, start : start + BLOCK])
    update(state, rule, first, first + nodes)


@_part
def update(state, rule, start, stop):
    """Update a part of the weights, after their running average has moved towards them.

    As torch.optim has them: Kingma and Ba 2015, algorithm 1; Loshchilov and Hutter 2019, algorithms 1 and 2.
    """
    weights, gradient, average = state.weights[start:stop], state.gradient[start:stop], state.average[start:stop]
    first, second = state.first[start:stop], state.second[start:stop]
    # To float32 before the loops: in float64 they would take half as many weights an instruction.
    rate, averaging = f32(rule.rate), f32(rule.averaging)
    weight_decay, decay_factor = f32(rule.weight_decay), f32(rule.decay_factor)
    beta1, beta2 = f32(rule.beta1), f32(rule.beta2)
    root_correction, eps = f32(rule.root_correction), f32(rule.eps)
    # A loop for each kind: a test inside would keep it from becoming vector instructions.
    if rule.optimizer == 1:
        for n in range(len(weights)):
            average[n] += averaging * (weights[n] - average[n])
            first[n] = beta1 * first[n] + gradient[n] + weight_decay * weights[n]
            weights[n] -= rate * first[n]
    else:
        for n in range(len(weights)):
            average[n] += averaging * (weights[n] - average[n])
            slope = gradient[n] + weight_decay * weights[n]
            first[n] += (ONE - beta1) * (slope - first[n])
            second[n] = beta2 * second[n] + (ONE - beta2) * slope * slope
            weights[n] = decay_factor * weights[n] - rate * first[n] / (math.sqrt(second[n]) * root_correction + eps)


@_part
def learn_network(layout, scratch, state, rule):
    """Sum the gradient of the network, then update it."""
    unpack_gradients(layout, scratch, state.gradient)
    update(state, rule, layout.layer_starts[0], len(state.weights))


@_part
def predict_chunk(index, samples, layout, scratch, weights, values, chunk):
    """Evaluate the field at one chunk of a batch."""
    points, channels = values.shape
    blocks = (points + BLOCK - 1) // BLOCK
    for block in range(chunk * blocks // CHUNKS, (chunk + 1) * blocks // CHUNKS):
        start = block * BLOCK
        coordinates = scratch.coordinates[:, start : start + BLOCK]
        place(index, start, samples, coordinates)
        row = forward(weights, layout, scratch, chunk, coordinates)
        for channel in range(channels):
            predicted = scratch.activations[chunk, row + channel]
            for p in range(min(BLOCK, points - start)):
                values[start + p, channel] = predicted[p]


# Entries of threads. Each claims tasks until none is left, so that a thread which has to wait for a processor holds
# nobody up; whoever does a task, it writes to its own part of the memory.


@_entry
def learn(tickets, index, samples, layout, scratch, state, rule):
    """Take one step, after `pack`, and return the mean loss before it; from a loss of `rule.bound` on, take none.

    Tickets are three zeros, fresh for every call.
    """
    points = len(index)
    planes = len(layout.rows) * layout.features
    while True:
        chunk = add(tickets, 0, 1)
        if chunk >= CHUNKS:
            break
        learn_chunk(index, samples, layout, scratch, state.weights, rule, chunk)
        add(tickets, 1, 1)
    # Spinning, for microseconds: a sleeping thread would wake up later than the last chunk takes.
    while add(tickets, 1, 0) < CHUNKS:  # another thread is at the last chunk
        pass
    # Every thread sums for itself, in the same order: all come to the same decision without another meeting.
    loss = 0.0
    for chunk in range(CHUNKS):
        loss += scratch.losses[chunk]
    loss /= points * samples.pixels.shape[1]
    while loss < rule.bound:
        task = add(tickets, 2, 1)
        if task > planes:
            break
        if task == 0:
            learn_network(layout, scratch, state, rule)
        else:
            # The finest planes first: they take longest.
            learn_plane(points, layout, scratch, planes - task, state, rule)
    return loss


@_entry
def predict(tickets, index, samples, weights, layout, scratch, values):
    """Fill (n, channels) values with the field's at the samples with these indices, after `pack`."""
    while True:
        chunk = add(tickets, 0, 1)
        if chunk >= CHUNKS:
            break
        predict_chunk(index, samples, layout, scratch, weights, values, chunk)
