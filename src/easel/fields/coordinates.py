"""Sample positions of pictures and volumes, as coordinates in [-1, 1].

Axes follow the array: (row, column) for a picture, (X, Y, Z) for a volume. Samples sit at pixel centres: an axis of n
samples has them at (2i + 1 - n) / n, so one sample sits at 0 and no sample at ±1.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor


def coordinates_at(index: Int[Tensor, " n"], size: Sequence[int]) -> Float[Tensor, "n d"]:
    """Coordinates of the samples with these flat, row-major indices in an array of that size."""
    # One fraction in float64, cast once: sizes that share a sample position share its bits.
    axes = torch.unravel_index(index, tuple(size))
    return torch.stack([((2 * i + 1 - n).double() / n).float() for i, n in zip(axes, size, strict=True)], dim=-1)


def pixel_centers(size: Sequence[int], device: torch.device | None = None) -> Float[Tensor, "n d"]:
    """Coordinates of every sample of an array of that size, in flat order."""
    return coordinates_at(torch.arange(math.prod(size), device=device), size)
