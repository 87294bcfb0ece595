"""Volumes: arrays (X, Y, Z, C) of display-referred colour, and their slices as pictures.

A volume has 1, 3 or 4 channels (grey, RGB, RGBA), as floats in [0, 1], uint8 or uint16. It is a tensor or a numpy
array, which may be memory-mapped: nothing here copies the whole of it. In the world its box is centred at the origin,
array axes X, Y, Z along +X, +Y, +Z, the longest side from -1 to 1; voxels are cubes unless a `spacing` says otherwise.
"""

import functools
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

Volume = Tensor | np.ndarray
Number = float | int

VIEWS = ("front", "side", "top")
"""From +Z, from +X and from +Y: what a camera sees at azimuth 0, at a quarter turn, and lifted by a quarter turn."""
SLAB_VOXELS = 2**21
"""Most voxels that are held as floats at once, 128³: with slopes, neighbours and light up to 600 MB."""

_WHITE = {"uint8": 255, "uint16": 65_535}
_AXES: dict[str, int] = {"front": 2, "side": 0, "top": 1}


def check_volume(volume: Volume) -> Volume:
    """Return the volume as (X, Y, Z, C), a view of it. ValueError for other shapes and dtypes."""
    if volume.ndim == 3:
        volume = volume[..., None]
    if volume.ndim != 4 or volume.shape[3] not in (1, 3, 4) or 0 in volume.shape:
        raise ValueError(
            f"a volume has the shape (X, Y, Z) or (X, Y, Z, C) with 1, 3 or 4 channels; got {tuple(volume.shape)}."
        )
    kind = str(volume.dtype).removeprefix("torch.")
    if kind not in (*_WHITE, "float16", "bfloat16", "float32", "float64"):
        raise ValueError(f"a volume holds floats in [0, 1], uint8 or uint16; got {kind}. Scale it to [0, 1] first.")
    return volume


def as_values(part: Volume) -> Float[Tensor, "*shape"]:
    """Return a copy of a part of a volume as float32 in [0, 1]; NaN becomes 0, values outside are clamped."""
    if isinstance(part, np.ndarray):
        part = torch.from_numpy(np.array(part))  # a copy: torch takes no read-only memory maps
    tensor = part.detach().cpu()
    white = _WHITE.get(str(tensor.dtype).removeprefix("torch."))
    if white:
        return tensor.float() / white
    return tensor.to(torch.float32, copy=True).nan_to_num_(0.0).clamp_(0.0, 1.0)


def half_sides(shape: Sequence[int], spacing: Sequence[Number] = (1, 1, 1)) -> tuple[float, float, float]:
    """Return half the sides of a volume's box in the world, of which the longest is 1; `spacing` is a voxel's sides."""
    if len(spacing) != 3 or not all(np.isfinite(side) and side > 0 for side in spacing):
        raise ValueError(f"spacing is the three sides of a voxel, positive numbers; got {tuple(spacing)}.")
    sides = [samples * side for samples, side in zip(shape[:3], spacing, strict=True)]
    x, y, z = (side / max(sides) for side in sides)
    return x, y, z


def slabs(volume: Volume, axis: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of indices along an axis that cover it, each of at most `SLAB_VOXELS` voxels or one slice thick."""
    samples = volume.shape[axis]
    across = volume.shape[0] * volume.shape[1] * volume.shape[2] // samples
    # Rounded down, but never to 0: one slice has to fit, however large.
    thick = max(SLAB_VOXELS // across, 1)
    yield from ((start, min(start + thick, samples)) for start in range(0, samples, thick))


def between(volume: Volume, axis: int, start: int, stop: int) -> Volume:
    """Return the slices start ≤ index < stop along an axis: a view."""
    return volume[(slice(None),) * axis + (slice(start, stop),)]


def slice_picture(volume: Volume, view: str = "front", at: Number = 0.5) -> Float[Tensor, "h w c"]:
    """Return one slice as a picture, upright as its view's camera sees it; `at` 0 is the nearest one, 1 the farthest.

    ValueError for an unknown view and a place outside.
    """
    volume = check_volume(volume)
    axis = _axis(view)
    if not 0 <= at <= 1:
        raise ValueError(f"a slice lies at 0 (nearest) to 1 (farthest); got {at}.")
    samples = volume.shape[axis]
    # The camera looks from the high end of its axis: 0, the nearest, is the last slice.
    index = samples - 1 - min(int(at * samples), samples - 1)
    return _upright(as_values(between(volume, axis, index, index + 1)).squeeze(axis), view)


def maximum_projection(volume: Volume, view: str = "front") -> Float[Tensor, "h w c"]:
    """Return the largest value along each line of sight, channel by channel: all of a volume, without depth."""
    volume = check_volume(volume)
    axis = _axis(view)
    parts = (as_values(between(volume, axis, *slab)).amax(axis) for slab in slabs(volume, axis))
    return _upright(functools.reduce(torch.maximum, parts), view)


def _axis(view: str) -> int:
    if view not in _AXES:
        raise ValueError(f"unknown view {view!r}. Known: {', '.join(VIEWS)}.")
    return _AXES[view]


def _upright(flat: Float[Tensor, "a b c"], view: str) -> Float[Tensor, "h w c"]:
    """Turn a slice, its two axes in the order of the array, into rows from top to bottom and columns to the right."""
    if view == "front":  # (X, Y): right is +X, up is +Y
        return flat.transpose(0, 1).flip(0)
    if view == "side":  # (Y, Z): right is -Z, up is +Y
        return flat.flip(0, 1)
    return flat.transpose(0, 1).contiguous()  # (X, Z): right is +X, up is -Z
