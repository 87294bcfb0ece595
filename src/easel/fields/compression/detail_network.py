"""Detail network of a compressed field: a correction of every pixel from the contributions of the wavelet levels.

Two layers with ReLU between them, fitted to one picture while its weights are rounded, so that it is the stored weights
that fit. It takes and gives values in quantiser steps, so that it hardly depends on the step.

Applying it multiplies and adds whole float32 arrays in a fixed order: the same bits on every machine.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from easel.fields.compression.wavelets import Detail, Plane, synthesize
from easel.fields.fitting.learner import one_thread

GROUPS = 5
"""Groups of levels: the finest four, and all others with the low band."""
PARTS = 32
"""Parts of 1 in which weights are stored."""
_BATCH = 8192
"""Random pixels of a gradient step."""
_LR = 1e-2
"""Largest learning rate."""
_L1_PENALTY = 1e-6
"""Weight of the L1 penalty, in squared steps: small whole numbers are cheap to store."""
_TILE = 65_536
"""Pixels at a time, whose hidden units stay in the cache."""


@dataclass(frozen=True)
class DetailNetwork:
    """The stored network: V · ReLU(W x + b) + c."""

    hidden: int
    """Units between the layers; 0 is no network at all."""
    numbers: NDArray[np.int32]
    """W (hidden, GROUPS · planes), b, then V (planes, hidden) and c, one behind the other, in 1/32."""

    def apply(self, features: Plane) -> Plane:
        """Return the correction (planes, *size) for features (groups, planes, *size), both in steps."""
        groups, planes, *size = features.shape
        flat = features.reshape(groups * planes, -1)
        w, b, v, c = _unpacked(self.numbers.astype(np.float32) / np.float32(PARTS), self.hidden, planes)
        added = np.empty((planes, flat.shape[1]), np.float32)
        # Tiles change no bit: each pixel is computed by itself, in the same order.
        for start in range(0, flat.shape[1], _TILE):
            tile = flat[:, start : start + _TILE]
            hidden = [np.maximum(_weighted(row, bias, tile), np.float32(0)) for row, bias in zip(w, b, strict=True)]
            for plane, (row, bias) in enumerate(zip(v, c, strict=True)):
                added[plane, start : start + _TILE] = _weighted(row, bias, hidden)
        return added.reshape(planes, *size)


NO_NETWORK = DetailNetwork(0, np.zeros(0, np.int32))


def weight_count(hidden: int, planes: int) -> int:
    """Return the number of weights of a network; 0 without hidden units."""
    if not hidden:
        return 0
    return hidden * (GROUPS * planes + 1) + planes * (hidden + 1)


def features(low: Plane, details: Sequence[Detail], size: tuple[int, int]) -> Plane:
    """Return the contributions of groups of levels at every pixel, (groups, planes, *size), whose sum is the planes."""
    planes = len(low)
    rest = min(GROUPS - 1, len(details))
    added = np.zeros((GROUPS, planes, *size), np.float32)
    # The transform is linear: one level at a time, all others zero, gives its part of the sum.
    for level in range(rest):
        nothing = [None] * level
        coarse = np.zeros((planes, -(-size[0] // 2 ** (level + 1)), -(-size[1] // 2 ** (level + 1))), np.float32)
        added[level] = synthesize(coarse, [*nothing, details[level]], size)
    added[-1] = synthesize(low, [*[None] * rest, *details[rest:]], size)
    return added


def train(
    hidden: int, features: Plane, wanted: Plane, steps: int, *, generator: torch.Generator
) -> Iterator[DetailNetwork | None]:
    """Fit a network to (planes, *size) `wanted`; yields None after every step, and the network after the last.

    After a third of the steps the weights are rounded as they are stored, and gradients pass through the rounding.
    """
    planes = len(wanted)
    inputs = torch.from_numpy(features).flatten(0, 1).flatten(1)
    goal = torch.from_numpy(wanted).flatten(1)
    weights = torch.randn(weight_count(hidden, planes), generator=generator)
    w, b, v, c = _unpacked(weights, hidden, planes)
    w *= math.sqrt(2.0 / len(inputs))  # He et al. 2015, eq. 10
    for zero in (b, v, c):
        zero.zero_()
    weights.requires_grad_()
    # 0.99 instead of 0.999: a few hundred steps are too short for a longer memory of gradients.
    optimizer = torch.optim.Adam([weights], betas=(0.9, 0.99))
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = _LR * 0.5 * (1 + math.cos(math.pi * step / steps))
        index = torch.randint(goal.shape[1], (min(_BATCH, goal.shape[1]),), generator=generator)
        # So small a network keeps threads waiting for each other longer than they compute.
        with one_thread(True):
            used = weights
            if step >= steps // 3:
                # Straight-through estimator (Bengio et al. 2013): forward the rounded weights, backward the weights.
                used = weights + ((weights * PARTS).round() / PARTS - weights).detach()
            w, b, v, c = _unpacked(used, hidden, planes)
            predicted = torch.addmm(c[:, None], v, torch.relu(torch.addmm(b[:, None], w, inputs[:, index])))
            loss = (predicted - goal[:, index]).square().mean() + _L1_PENALTY * weights.abs().sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        yield None
    yield DetailNetwork(hidden, (weights.detach() * PARTS).round().clamp(-4096, 4096).numpy().astype(np.int32))


def _unpacked(weights: Any, hidden: int, planes: int) -> tuple[Any, Any, Any, Any]:
    """Return views of W, b, V and c, of a tensor or an array."""
    inputs = GROUPS * planes
    ends = np.cumsum([hidden * inputs, hidden, planes * hidden])
    w, b, v, c = (weights[int(i) : int(j)] for i, j in zip([0, *ends], [*ends, len(weights)], strict=True))
    return w.reshape(hidden, inputs), b, v.reshape(planes, hidden), c


def _weighted(row: Plane, bias: np.float32, values: Plane | list[Plane]) -> Plane:
    """Return bias + row · values, summed in the order of the row."""
    # Not a matrix product, whose order of summation, and so the last bits, is a library's own.
    total = np.full(len(values[0]), bias, np.float32)
    for weight, value in zip(row, values, strict=True):
        if weight:
            total += weight * value
    return total
