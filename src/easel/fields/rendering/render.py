"""A field as a picture or volume: finished samples, one tile after the other or all in one tensor."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from easel.fields.kernels import dispatch
from easel.fields.kernels.grid_fields import GridEvaluator
from easel.fields.model.coordinates import coordinates_at
from easel.fields.model.field import Field
from easel.fields.rendering.tiles import DTYPES, LEVELS, RenderSettings, device_of, tiles

MEMORY_LIMIT_BYTES = 4 * 2**30
FILE_LIMIT_BYTES = 64 * 2**30
"""A result in memory, or in a file, may be this large without `force`."""


def values_at(field: Field, index: Int[Tensor, " n"], size: Sequence[int]) -> Float[Tensor, "n c"]:
    """Return the field's values at the samples with these flat indices in an array of that size, without gradients."""
    fast = dispatch.for_(field)
    if isinstance(fast, GridEvaluator):
        return fast.at(index, size)
    with torch.inference_mode():
        values = field(coordinates_at(index, size))
    # A tensor of inference mode could not take part in a loss or be changed in place.
    return torch.empty_like(values).copy_(values)


def render(
    field: Field,
    size: Sequence[int],
    settings: RenderSettings | None = None,
    *,
    out: Tensor | np.ndarray | None = None,
    force: bool = False,
    progress: Callable[[float], object] | None = None,
    **given: Any,
) -> Shaped[Tensor, "*size c"]:
    """Render the field as a picture (H, W, C) or an array of any other dimension, values in [0, 1].

    In place of `settings`, every field of `RenderSettings` may be given by name. `out`, of the result's shape and
    dtype, is filled and returned as a tensor on the same memory. Without it, more than 4 GiB are refused unless
    `force`. `progress` is told the share that is done, after every tile.

        picture = fields.render(field, (512, 512), window=fields.Extent(zoom=4), supersample=2)
    """
    settings = settings or RenderSettings(**given)
    shape = (*check_size(size), field.channels)
    dtype = DTYPES[settings.dtype]
    if out is None:
        check_bytes(shape, settings.dtype, MEMORY_LIMIT_BYTES, force, "Write it to a .npy, .tif or .png file with out=")
        result = torch.empty(shape, dtype=dtype, device=device_of(field))
    else:
        # The same memory for arrays, memory-mapped files among them: nothing is copied at the end.
        result = torch.as_tensor(out)
        if tuple(result.shape) != shape or result.dtype != dtype:
            raise ValueError(f"out is {tuple(result.shape)} of {result.dtype}; this fills {shape} of {dtype}.")
        if not result.is_contiguous():
            raise ValueError("out is not contiguous; give an array of its own, not a slice or a transpose.")
    flat = result.view(-1, field.channels)
    done = 0
    for values in finished(field, size, settings):
        # Tiles come in flat order, whatever device they come from.
        flat[done : done + len(values)] = values
        done += len(values)
        if progress:
            progress(done / len(flat))
    return result


def finished(field: Field, size: Sequence[int], settings: RenderSettings) -> Iterator[Shaped[Tensor, "_ c"]]:
    """Yield samples as they are stored, in flat order, a tile at a time: memory does not depend on the size."""
    check_size(size)
    levels = LEVELS.get(settings.dtype)
    for start, values in tiles(field, size, settings):
        if not settings.raw:
            values = settings.calibration.apply(values)
        if levels:
            values = values * levels
            if settings.dither:
                values += _noise(start, values)
            # After the noise: it may lift white beyond the largest level, which would wrap to black.
            values = values.round_().clamp_(0, levels)
        yield values.to(DTYPES[settings.dtype])


def check_size(size: Sequence[int]) -> tuple[int, ...]:
    """Return the size as a tuple; ValueError unless it has 1 to 4 axes of at least one sample."""
    size = tuple(size)
    # bool is an int to Python, and a size of True a mistake.
    if not 1 <= len(size) <= 4 or any(isinstance(n, bool) or int(n) != n or n < 1 for n in size):
        raise ValueError(f"a size has 1 to 4 whole numbers from 1 up; got {size}.")
    return tuple(int(n) for n in size)


def check_bytes(shape: Sequence[int], dtype: str, limit_bytes: int, force: bool, remedy: str) -> None:
    """Raise a ValueError for results that would fill the machine; it ends with the remedy."""
    needed = math.prod(shape) * DTYPES[dtype].itemsize
    if needed > limit_bytes and not force:
        raise ValueError(
            f"{' x '.join(map(str, shape))} of {dtype} take {needed / 2**30:.1f} GiB, the limit is "
            f"{limit_bytes / 2**30:g}. {remedy}, or force it with force=True."
        )


def _noise(start: int, values: Float[Tensor, "n c"]) -> Float[Tensor, "n c"]:
    """Return numbers in [-0.5, 0.5) that depend on the place of a value alone."""
    # A multiplicative hash of 32 bits, mixed twice: no generator, so that tiles may come in any number.
    place = torch.arange(start * values.shape[1], (start + len(values)) * values.shape[1], device=values.device)
    for _ in range(2):
        place = ((place >> 16) ^ place) * 0x45D9F3B & 0xFFFFFFFF
    place = (place >> 16) ^ place
    return (place.double() / 2**32 - 0.5).float().view_as(values)
