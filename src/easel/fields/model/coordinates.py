"""Sample positions of pictures and volumes, as coordinates; `window.Window` says which.

Axes follow the array: (row, column) for a picture, (X, Y, Z) for a volume.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from easel.fields.model.extent import WHOLE, Window


def axis_coordinates(
    size: Sequence[int], window: Window = WHOLE, device: torch.device | None = None
) -> tuple[Float[Tensor, " _"], ...]:
    """Coordinates along every axis of an array of that size."""
    return tuple(
        # One fraction in float64, cast once: sizes that share a sample position share its bits.
        ((2.0 * torch.arange(samples, dtype=torch.float64) + 1 - samples + offset) / denominator * window.latent_scale)
        .float()
        .to(device)
        for samples, (offset, denominator) in zip(size, window.fractions(size), strict=True)
    )


def gather(axes: Sequence[Float[Tensor, " _"]], index: Int[Tensor, " n"]) -> Float[Tensor, "n d"]:
    """Coordinates of the samples with these flat, row-major indices, from the coordinates along every axis."""
    places = torch.unravel_index(index, tuple(map(len, axes)))
    return torch.stack([axis[place] for axis, place in zip(axes, places, strict=True)], dim=-1)


def coordinates_at(index: Int[Tensor, " n"], size: Sequence[int], window: Window = WHOLE) -> Float[Tensor, "n d"]:
    """Coordinates of the samples with these flat, row-major indices in an array of that size."""
    return gather(axis_coordinates(size, window, index.device), index)


def pixel_centers(
    size: Sequence[int], device: torch.device | None = None, window: Window = WHOLE
) -> Float[Tensor, "n d"]:
    """Coordinates of every sample of an array of that size, in flat order."""
    return coordinates_at(torch.arange(math.prod(size), device=device), size, window)
