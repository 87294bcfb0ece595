"""A field's own numbers at every sample of an array, tile after tile: memory does not grow with the array."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from easel.fields.kernels import dispatch
from easel.fields.kernels.grid_fields import GridEvaluator
from easel.fields.kernels.painting import PaintingEvaluator
from easel.fields.model.coordinates import axis_coordinates, gather, reference_size
from easel.fields.model.extent import WHOLE, Extent
from easel.fields.model.field import Field
from easel.fields.rendering.calibration import UNIT, Calibration

# Smaller tiles are slower, larger ones leave the processor's cache.
TILE = 65_536
"""Samples that are computed at once."""
# Products of other numbers of rows may take other kernels, with other roundings, and so do the last rows that fill no
# block of 16 or 24, the blocks of AVX-512 and AVX2: a sample's bits would depend on its place. (Before AVX, those of
# three columns do so in any case.)
ROWS = 4_608
"""Rows that torch gives to every CPU thread, always as many; a kernel's tile is a multiple of them."""
DTYPES = {"float32": torch.float32, "float16": torch.float16, "uint8": torch.uint8, "uint16": torch.uint16}
"""Types of stored samples. Integers are rounded to the nearest level, white is the largest."""
LEVELS = {"uint8": 255, "uint16": 65_535}


@dataclass(frozen=True, eq=False, kw_only=True)
class RenderSettings:
    """Part of a field that is seen, how finely, and what its numbers become."""

    window: Extent = WHOLE
    coords: Float[Tensor, "n k"] | None = None
    """Coordinates in place of those of the window, one row a sample in flat order."""
    z: Float[Tensor, " l"] | None = None
    """Latent in place of the field's own."""
    calibration: Calibration = UNIT
    """The field's numbers that become black and white."""
    raw: bool = False
    """The field's own numbers, without calibration."""
    dtype: str = "float32"
    """float32, float16, uint8 or uint16."""
    dither: bool = False
    """Before rounding to levels, add half a level of noise that depends on the place alone."""
    supersample: int = 1
    """Points on every axis of a sample whose mean is its value."""
    splits: int | Literal["auto"] = "auto"
    """Least number of tiles. Neither tiles nor threads change bits."""
    fused: bool = True
    """Let the CPU kernel take the whole view of fitted grids; it rounds differently from torch."""

    def __post_init__(self) -> None:
        if self.supersample < 1 or (self.splits != "auto" and self.splits < 1):
            raise ValueError(
                f"supersample and splits count from 1; got supersample={self.supersample}, splits={self.splits}."
            )
        if self.dtype not in DTYPES:
            raise ValueError(f"unknown dtype {self.dtype!r}. Known: {', '.join(DTYPES)}.")
        if self.raw and self.dtype in LEVELS:
            raise ValueError(f"raw numbers have no levels; take them as float32 or float16, not as {self.dtype}.")


def tiles(
    field: Field, size: Sequence[int], settings: RenderSettings | None = None
) -> Iterator[tuple[int, Float[Tensor, "_ c"]]]:
    """Yield (flat index of the first sample, values) of tile after tile, in flat order.

    Values are the field's own numbers, without gradients; the field is in eval mode meanwhile.
    """
    settings = settings or RenderSettings()
    device = device_of(field)
    samples = math.prod(size)
    fast = dispatch.for_(field)
    # The grid's kernel knows pixel centres of the whole view alone. That of painting fields takes any points.
    whole_view = settings.coords is None and settings.z is None and settings.supersample == 1
    whole_view = whole_view and settings.window == WHOLE and settings.fused
    grid = fast if whole_view and isinstance(fast, GridEvaluator) else None
    painting = fast if isinstance(fast, PaintingEvaluator) else None
    evaluate: Callable[..., Tensor] = painting or field
    points = _points(size, settings, device)
    # torch gives every CPU thread an equal share of a tile's rows; a GPU takes tiles whole.
    threads = torch.get_num_threads() if device.type == "cpu" else TILE // ROWS
    step = tile_samples(samples, settings.splits, threads)
    rows = ROWS
    if device.type == "cpu" and grid is None and painting is None:
        rows = step = ROWS * threads
    with _evaluating(field):
        for start in range(0, samples, step):
            stop = min(start + step, samples)
            if grid is not None:
                yield start, grid.at(torch.arange(start, stop), size)
            else:
                # The last sample repeats, and its copies are cut off.
                end = start + math.ceil((stop - start) / rows) * rows
                index = torch.arange(start, end, device=device).clamp_(max=samples - 1)
                yield start, _mean(evaluate, index, points, settings.z)[: stop - start]


def tile_samples(samples: int, splits: int | Literal["auto"], threads: int) -> int:
    """Return the samples of a tile, where an array is computed in at least `splits` parts."""
    most = TILE if splits == "auto" else min(TILE, math.ceil(samples / splits))
    # Each thread's share is a multiple of ROWS, too.
    step = ROWS * threads
    return max(1, most // step) * step


def reference_values(
    field: Field, dimensions: int, latents: Sequence[Tensor | None] = (None,), window: Extent = WHOLE
) -> Float[Tensor, "k n c"]:
    """Return the field's own numbers on the reference grid, for each of k latents."""
    size = reference_size(dimensions)
    looks = [RenderSettings(window=window, z=z) for z in latents]
    # On the CPU: percentiles are numpy's.
    return torch.stack([torch.cat([values for _, values in tiles(field, size, look)]).cpu() for look in looks])


def device_of(field: nn.Module) -> torch.device:
    """Return the device of a field's first parameter or buffer; without any, the CPU."""
    # Buffers, too: fixed encodings and identities have no parameter.
    tensors = itertools.chain(field.parameters(), field.buffers())
    return next((tensor.device for tensor in tensors), torch.device("cpu"))


def _points(size: Sequence[int], settings: RenderSettings, device: torch.device) -> list[Callable[[Tensor], Tensor]]:
    """Return functions from flat indices to coordinates, one for every point of a sample."""
    if settings.coords is not None:
        return [settings.coords.to(device).__getitem__]
    supersample = settings.supersample
    # Points of a sample are samples of an array that is finer by the factor: means of a larger render, bit for bit.
    fine = axis_coordinates([samples * supersample for samples in size], settings.window, device)
    parts = itertools.product(range(supersample), repeat=len(size))
    tables = [[axis[first::supersample] for axis, first in zip(fine, part, strict=True)] for part in parts]
    return [lambda index, axes=axes: gather(axes, index) for axes in tables]


@torch.inference_mode()
def _mean(
    evaluate: Callable[..., Tensor],
    index: Int[Tensor, " n"],
    points: Sequence[Callable[[Tensor], Tensor]],
    z: Tensor | None,
) -> Float[Tensor, "n c"]:
    """Average the values over the points of every sample."""
    given = () if z is None else (z,)
    first, *others = points
    total = evaluate(first(index), *given)
    for coordinates in others:
        total = total + evaluate(coordinates(index), *given)
    return total / len(points) if others else total


@contextmanager
def _evaluating(field: nn.Module) -> Iterator[None]:
    """Put a field into eval mode, and afterwards every part back into its own."""
    # Part by part, not train(True) at the end: a caller may have frozen some of them.
    training = [module for module in field.modules() if module.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True
