"""A field as a picture or volume: finished samples, one tile after the other or all in one tensor."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from easel.fields.fitting import fused_learner as kernel
from easel.fields.model.coordinates import coordinates_at
from easel.fields.model.extent import WHOLE, Window
from easel.fields.model.field import Field
from easel.fields.rendering.calibration import UNIT, Calibration
from easel.fields.rendering.tiles import device_of, tiles

DTYPES = {
    "float32": torch.float32,
    "float16": torch.float16,
    "uint8": torch.uint8,
    "uint16": torch.uint16,
}
"""What samples may be stored as. Integers are rounded to the nearest level, white is the largest."""
_LEVELS = {"uint8": 255, "uint16": 65_535}

MEMORY_LIMIT_BYTES = 4 * 2**30
FILE_LIMIT_BYTES = 64 * 2**30
"""A result in memory, or in a file, may be this large without `force`."""


def values_at(field: Field, index: Int[Tensor, " n"], size: Sequence[int]) -> Float[Tensor, "n c"]:
    """The field's values at the samples with these flat indices in an array of that size, without gradients."""
    values = torch.empty(len(index), field.channels, device=index.device)
    if kernel.runs_fused(field):
        kernel.predict(field, index, tuple(size), values)
    else:
        with torch.inference_mode():
            values.copy_(field(coordinates_at(index, size)))
    return values


def render(
    field: Field,
    size: Sequence[int],
    *,
    window: Window = WHOLE,
    coords: Float[Tensor, "n k"] | None = None,
    z: Float[Tensor, " l"] | None = None,
    calibration: Calibration = UNIT,
    raw: bool = False,
    dtype: str = "float32",
    dither: bool = False,
    supersample: int = 1,
    splits: int | Literal["auto"] = "auto",
    fused: bool = True,
    out: Tensor | np.ndarray | None = None,
    force: bool = False,
    progress: Callable[[float], object] | None = None,
) -> Shaped[Tensor, "*size c"]:
    """The field as a picture (H, W, C) or an array of any other dimension, values in [0, 1]; see `finished`.

    `out`, of that shape and dtype, is filled and returned as a tensor on the same memory. Without it, more than 4 GiB
    are refused unless `force`. `progress` is told the share that is done, after every tile.
    """
    shape = (*check_size(size), field.channels)
    if out is None:
        check_bytes(shape, dtype, MEMORY_LIMIT_BYTES, force, "Write it to a .npy, .tif or .png file with out=")
        result = torch.empty(shape, dtype=DTYPES[check_dtype(dtype)], device=device_of(field))
    else:
        result = torch.from_numpy(out) if isinstance(out, np.ndarray) else out
        if tuple(result.shape) != shape or result.dtype != DTYPES[check_dtype(dtype)]:
            raise ValueError(f"out is {tuple(result.shape)} of {result.dtype}; this fills {shape} of torch.{dtype}.")
        if not result.is_contiguous():
            raise ValueError("out is not contiguous; give an array of its own, not a slice or a transpose.")
    flat, done = result.view(-1, field.channels), 0
    for values in finished(
        field,
        size,
        window=window,
        coords=coords,
        z=z,
        calibration=calibration,
        raw=raw,
        dtype=dtype,
        dither=dither,
        supersample=supersample,
        splits=splits,
        fused=fused,
    ):
        flat[done : done + len(values)] = values
        done += len(values)
        if progress:
            progress(done / len(flat))
    return result


def finished(
    field: Field,
    size: Sequence[int],
    *,
    window: Window = WHOLE,
    coords: Float[Tensor, "n k"] | None = None,
    z: Float[Tensor, " l"] | None = None,
    calibration: Calibration = UNIT,
    raw: bool = False,
    dtype: str = "float32",
    dither: bool = False,
    supersample: int = 1,
    splits: int | Literal["auto"] = "auto",
    fused: bool = True,
) -> Iterator[Shaped[Tensor, "_ c"]]:
    """Samples as they are stored, in flat order, a tile at a time: memory does not depend on the size.

    Colours in [0, 1] by the calibration, or the field's own numbers if `raw`; float32, float16, uint8 or uint16, the
    integers rounded to nearest, with `dither` after half a level of noise that depends on the place alone. The rest
    is said at `tiles`.
    """
    check_size(size)
    if supersample < 1 or (splits != "auto" and splits < 1):
        raise ValueError(f"supersample and splits count from 1; got supersample={supersample}, splits={splits}.")
    levels = _LEVELS.get(check_dtype(dtype))
    if raw and levels:
        raise ValueError(f"raw numbers have no levels; take them as float32 or float16, not as {dtype}.")
    for start, values in tiles(
        field, size, window=window, coords=coords, z=z, supersample=supersample, splits=splits, fused=fused
    ):
        if not raw:
            values = calibration.apply(values)
        if levels:
            values = values * levels
            if dither:
                values += _noise(start, values)
            values = values.round_().clamp_(0, levels)
        yield values.to(DTYPES[dtype])


def check_size(size: Sequence[int]) -> tuple[int, ...]:
    """The size as a tuple; ValueError unless it has 1 to 4 axes of at least one sample."""
    size = tuple(size)
    if not 1 <= len(size) <= 4 or any(isinstance(n, bool) or int(n) != n or n < 1 for n in size):
        raise ValueError(f"a size has 1 to 4 whole numbers from 1 up; got {size}.")
    return tuple(int(n) for n in size)


def check_dtype(dtype: str) -> str:
    if dtype not in DTYPES:
        raise ValueError(f"unknown dtype {dtype!r}. Known: {', '.join(DTYPES)}.")
    return dtype


def check_bytes(shape: Sequence[int], dtype: str, limit_bytes: int, force: bool, remedy: str) -> None:
    """Refuse results that would fill the machine."""
    needed = math.prod(shape) * DTYPES[check_dtype(dtype)].itemsize
    if needed > limit_bytes and not force:
        raise ValueError(
            f"{' x '.join(map(str, shape))} of {dtype} take {needed / 2**30:.1f} GiB, the limit is "
            f"{limit_bytes / 2**30:g}. {remedy}, or force it with force=True."
        )


def _noise(start: int, values: Float[Tensor, "n c"]) -> Float[Tensor, "n c"]:
    """Numbers in [-0.5, 0.5) that depend on the place of a value alone."""
    place = torch.arange(start * values.shape[1], (start + len(values)) * values.shape[1], device=values.device)
    for _ in range(2):  # a multiplicative hash of 32 bits, mixed twice
        place = ((place >> 16) ^ place) * 0x45D9F3B & 0xFFFFFFFF
    place = (place >> 16) ^ place
    return (place.double() / 2**32 - 0.5).float().view_as(values)
