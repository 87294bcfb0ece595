"""A field as a picture."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from easel.fields import fused
from easel.fields.coordinates import coordinates_at
from easel.fields.field import Field

TILE = 32_768
"""Pixels that are computed at once."""


def values_at(field: Field, index: Int[Tensor, " n"], size: tuple[int, int]) -> Float[Tensor, "n c"]:
    """The field's values at the pixels with these flat indices in a picture of (height, width), without gradients."""
    values = torch.empty(len(index), field.channels, device=index.device)
    _fill(field, index, size, values)
    return values


def render(field: Field, size: tuple[int, int]) -> Float[Tensor, "h w c"]:
    """The field as a picture of (height, width), values clamped to [0, 1]."""
    device = next(field.parameters()).device
    pixels = math.prod(size)
    picture = torch.empty(pixels, field.channels, device=device)
    for start in range(0, pixels, TILE):
        index = torch.arange(start, min(start + TILE, pixels), device=device)
        _fill(field, index, size, picture[start : start + TILE])
    return picture.clamp_(0.0, 1.0).view(*size, field.channels)


def _fill(field: Field, index: Int[Tensor, " n"], size: tuple[int, int], values: Float[Tensor, "n c"]) -> None:
    if fused.runs_fused(field):
        fused.predict(field, index, size, values)
    else:
        with torch.inference_mode():
            values.copy_(field(coordinates_at(index, size)))
