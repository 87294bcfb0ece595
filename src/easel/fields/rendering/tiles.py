"""A field's own numbers at every sample of an array, tile after tile: memory does not grow with the array."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from easel.fields.fitting import fused_learner as kernel
from easel.fields.model.coordinates import axis_coordinates, gather
from easel.fields.model.extent import WHOLE, Window
from easel.fields.model.field import Field

TILE = 65_536
"""Samples that are computed at once: smaller tiles are slower, larger ones leave the processor's cache."""
ROWS = 4_096
"""Every tile has a multiple of this many rows, the last one too. The tails of other numbers would take other kernels,
with other roundings, and a sample's bits would depend on where it lies."""


def tiles(
    field: Field,
    size: Sequence[int],
    *,
    window: Window = WHOLE,
    coords: Float[Tensor, "n k"] | None = None,
    z: Float[Tensor, " l"] | None = None,
    supersample: int = 1,
    splits: int | Literal["auto"] = "auto",
    fused: bool = True,
) -> Iterator[tuple[int, Float[Tensor, "_ c"]]]:
    """(flat index of the first sample, values) of tile after tile, in flat order; without gradients, in eval mode.

    A value is the mean over `supersample` points on every axis of its sample. `coords`, one row a sample, stand in
    for those of the window. With `splits` there are at least that many tiles. Neither tiles nor threads change bits.
    `fused=False` keeps the CPU kernel out, which takes the whole view of fitted grids and rounds differently.
    """
    device, samples = device_of(field), math.prod(size)
    if coords is None:
        points = _points(size, window, supersample, device)
    else:
        points = [coords.to(device).__getitem__]
    is_plain = coords is None and z is None and supersample == 1 and window == WHOLE
    kernel_size = tuple(size) if is_plain and fused and kernel.runs_fused(field) else None
    step = tile_samples(samples, splits, torch.get_num_threads() if device.type == "cpu" else TILE // ROWS)
    with _evaluating(field):
        for start in range(0, samples, step):
            stop = min(start + step, samples)
            if kernel_size is not None:
                values = torch.empty(stop - start, field.channels)
                kernel.predict(field, torch.arange(start, stop), kernel_size, values)
                yield start, values
            else:
                end = start + -(-(stop - start) // ROWS) * ROWS
                index = torch.arange(start, end, device=device).clamp_(max=samples - 1)
                yield start, _mean(field, index, points, z)[: stop - start]


def tile_samples(samples: int, splits: int | Literal["auto"], threads: int) -> int:
    """Samples in a tile, where an array is computed in at least `splits` parts."""
    most = TILE if splits == "auto" else min(TILE, math.ceil(samples / splits))
    # torch gives every thread an equal share of the rows; each share is such a multiple, too.
    step = ROWS * threads
    return max(1, most // step) * step


def device_of(field: nn.Module) -> torch.device:
    """Where a field lives."""
    tensors = itertools.chain(field.parameters(), field.buffers())
    return next((tensor.device for tensor in tensors), torch.device("cpu"))


def _points(
    size: Sequence[int], window: Window, supersample: int, device: torch.device
) -> list[Callable[[Tensor], Tensor]]:
    """From flat indices to coordinates, once for every point of a sample."""
    fine = axis_coordinates([samples * supersample for samples in size], window, device)
    parts = itertools.product(range(supersample), repeat=len(size))
    tables = [[axis[first::supersample] for axis, first in zip(fine, part, strict=True)] for part in parts]
    return [lambda index, axes=axes: gather(axes, index) for axes in tables]


@torch.inference_mode()
def _mean(
    field: Field, index: Int[Tensor, " n"], points: Sequence[Callable[[Tensor], Tensor]], z: Tensor | None
) -> Float[Tensor, "n c"]:
    total = torch.zeros((), device=index.device)
    for coordinates in points:
        values = field(coordinates(index)) if z is None else field(coordinates(index), z)
        total = values if len(points) == 1 else total + values
    return total if len(points) == 1 else total / len(points)


@contextmanager
def _evaluating(field: nn.Module) -> Iterator[None]:
    """In eval mode inside; every part is put back into the mode it was in."""
    training = [module for module in field.modules() if module.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True
