"""Ordered dither: a fixed pattern of half a level before rounding to 8 bits, so that slow ramps do not step."""

from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

BAYER_PIXELS = 16
"""Side of the pattern, which repeats."""
_LEVELS = 255


def dithered(picture: Float[Tensor, "h w c"]) -> Float[Tensor, "h w c"]:
    """Add less than half a level of 8 bits, up and down, 0 on average; alpha stays.

    Whole numbers of levels come out of rounding unchanged.
    """
    height, width, channels = picture.shape
    rows = -(-height // BAYER_PIXELS)
    columns = -(-width // BAYER_PIXELS)
    pattern = bayer(picture.device).repeat(rows, columns)[:height, :width, None].to(picture.dtype)
    result = picture.clone()
    result[..., : min(channels, 3)] += pattern / _LEVELS
    return result.clamp_(0, 1)


@lru_cache(maxsize=8)
def bayer(device: torch.device) -> Float[Tensor, "16 16"]:
    """Return thresholds between -1/2 and 1/2, each once. Bayer 1973: a matrix of twice the size holds four of these."""
    # In float64 the thresholds are exact, and their sum is 0: a mean brightness stays as it was.
    matrix = torch.zeros(1, 1, dtype=torch.float64)
    while len(matrix) < BAYER_PIXELS:
        matrix = torch.cat([torch.cat([4 * matrix, 4 * matrix + 2], 1), torch.cat([4 * matrix + 3, 4 * matrix + 1], 1)])
    return ((matrix + 0.5) / matrix.numel() - 0.5).float().to(device)
