"""Sizes of grid fields: the largest in so many bytes, the smallest that is good enough."""

import torch
from jaxtyping import Float
from torch import Tensor

from easel.fields.fitting.run import fit, psnr_of
from easel.fields.model.config import FieldConfig, Knobs
from easel.fields.model.field import build_field
from easel.fields.rendering.render import render

SMALLEST = 1_000
"""Learned numbers in the grids of the smallest field that is tried."""
STORED_BYTES = 4
"""Bytes of one parameter, in float32."""


def largest_field(nbytes: int, size: tuple[int, ...], channels: int = 3) -> FieldConfig:
    """Return the grid field with the most parameters that fit into so many bytes, for a picture or volume of that size.

    ValueError when not even a field without grids fits.
    """
    least = 0
    # As many as a config takes at most; FieldConfig would refuse more.
    most = min(nbytes // STORED_BYTES, 2**27)
    if _stored_bytes(least, size, channels) > nbytes:
        raise ValueError(f"{nbytes:,} bytes hold no field; the least takes {_stored_bytes(least, size, channels):,}.")
    # By bisection: `least` always fits, and bytes grow with it, though in steps of whole grids.
    while most - least > 1:
        middle = (least + most) // 2
        fits = _stored_bytes(middle, size, channels) <= nbytes
        least, most = (middle, most) if fits else (least, middle)
    return FieldConfig(grid_parameters=least)


def smallest_field(
    psnr: float | int, picture: Float[Tensor, "*size c"], *, steps: int = 2_000, generator: torch.Generator
) -> FieldConfig:
    """Return the smallest grid field that comes to `psnr` dB in so many steps, to within a factor of two.

    Each is really fitted, with twice the learned numbers of the one before. A ValueError says how far the largest came.
    """
    *size, channels = picture.shape
    size = tuple(size)
    numbers, before, found = SMALLEST, 0, 0.0
    while True:
        config = FieldConfig(grid_parameters=numbers)
        field = build_field(config, size, channels, generator=generator)
        if field.size == before:  # one node for every sample
            raise ValueError(f"no grid field comes to {psnr} dB in {steps:,} steps; the largest comes to {found:.2f}.")
        for _ in fit(field, picture, Knobs(), steps=steps, generator=generator):
            pass
        found = psnr_of(render(field, size), picture)
        if found >= psnr:
            return config
        numbers, before = 2 * numbers, field.size


def _stored_bytes(grid_parameters: int, size: tuple[int, ...], channels: int) -> int:
    config = FieldConfig(grid_parameters=grid_parameters)
    return build_field(config, size, channels, generator=torch.Generator()).size * STORED_BYTES
