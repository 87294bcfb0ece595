"""Coordinates of the samples of pictures and volumes; `extent.Extent` says which part of the view they cover.

Axes follow the array: (row, column) for a picture, (X, Y, Z) for a volume.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from easel.fields.model.extent import WHOLE, Extent

# 15,000 to 33,000 samples in any dimension, so that a look at a model takes about as long in each.
REFERENCE = {1: 16_384, 2: 128, 3: 32, 4: 11}
"""Samples on every axis of the reference grid, by the number of axes."""


def axis_coordinates(
    size: Sequence[int], window: Extent = WHOLE, device: torch.device | None = None
) -> tuple[Float[Tensor, " _"], ...]:
    """Return the coordinates along every axis of an array of that size, one vector an axis."""
    return tuple(
        # One fraction in float64, cast once: sizes that share a sample position share its bits.
        ((2.0 * torch.arange(samples, dtype=torch.float64) + 1 - samples + offset) / denominator * window.latent_scale)
        .float()
        .to(device)
        for samples, (offset, denominator) in zip(size, window.fractions(size), strict=True)
    )


def gather(axes: Sequence[Float[Tensor, " _"]], index: Int[Tensor, " n"]) -> Float[Tensor, "n d"]:
    """Look up the coordinates of samples by flat, row-major indices in the coordinates along every axis."""
    # Per axis first: a table a side, in place of a coordinate for every sample of a large picture.
    places = torch.unravel_index(index, tuple(map(len, axes)))
    return torch.stack([axis[place] for axis, place in zip(axes, places, strict=True)], dim=-1)


def coordinates_at(index: Int[Tensor, " n"], size: Sequence[int], window: Extent = WHOLE) -> Float[Tensor, "n d"]:
    """Return the coordinates of the samples with these flat, row-major indices in an array of that size."""
    return gather(axis_coordinates(size, window, index.device), index)


def pixel_centers(
    size: Sequence[int], device: torch.device | None = None, window: Extent = WHOLE
) -> Float[Tensor, "n d"]:
    """Return the coordinates of every sample of an array of that size, in flat order."""
    return coordinates_at(torch.arange(math.prod(size), device=device), size, window)


def norm(coords: Float[Tensor, "n d"]) -> Float[Tensor, "n 1"]:
    """Return the Euclidean distance of every point from the centre."""
    # Column by column: a reduction over rows may round differently from one number of rows to another, and a tile
    # must equal its part of the frame.
    first, *others = coords.unbind(1)
    total = first * first
    for column in others:
        total = total + column * column
    return total.sqrt()[:, None]


def reference_size(dimensions: int) -> tuple[int, ...]:
    """Return the size of the grid on which models are calibrated and their statistics frozen.

    One grid for every picture of a model: colours must not depend on the size or the part that is asked for.
    """
    return (REFERENCE[dimensions],) * dimensions
