"""From a network's own numbers to colours in [0, 1]: once for a model, never for a frame."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from easel.fields.model.extent import WHOLE, Window
from easel.fields.model.field import Field
from easel.fields.rendering.tiles import tiles

REFERENCE = {1: 16_384, 2: 128, 3: 32, 4: 11}
"""Samples on every axis of the grid that a model is looked at on, by the number of axes."""
_PERCENTILES = (0.1, 99.9)
_LUMA = (0.299, 0.587, 0.114)
"""Weights of R, G, B in grey. ITU-R BT.601."""


@dataclass(frozen=True)
class Calibration:
    """The numbers that become black and white."""

    lo: float = 0.0
    hi: float = 1.0

    def apply(self, values: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
        """Colours in [0, 1]; what is not a number becomes black."""
        if (self.lo, self.hi) != (0.0, 1.0):
            values = (values - self.lo) / (self.hi - self.lo)
        return values.nan_to_num(nan=0.0).clamp(0.0, 1.0)


UNIT = Calibration()
"""Values are colours as they are."""
SIGNED = Calibration(-1.0, 1.0)
"""For values in [-1, 1], such as those of tanh."""


RANGES = {
    "fitted": UNIT,
    **dict.fromkeys(("Sigmoid", "Hardsigmoid", "half_sine", "gaussian"), UNIT),
    **dict.fromkeys(("Tanh", "Softsign", "Hardtanh", "sin", "cos"), SIGNED),
}
"""The calibrations of final activations that have bounds; fitted fields give colours as they are."""


def reference_size(dimensions: int) -> tuple[int, ...]:
    """Samples on every axis of the grid that models are looked at on."""
    return (REFERENCE[dimensions],) * dimensions


def reference_values(
    field: Field, dimensions: int, latents: Sequence[Tensor | None] = (None,), window: Window = WHOLE
) -> Float[Tensor, "k n c"]:
    """The field's own numbers on the reference grid, for each of k latents."""
    size = reference_size(dimensions)
    return torch.stack(
        [torch.cat([values for _, values in tiles(field, size, window=window, z=z)]).cpu() for z in latents]
    )


def stretched(values: Float[Tensor, "*n"]) -> Calibration:
    """From the 0.1 to the 99.9 percentile of all numbers that are finite; flat fields become mid-grey."""
    finite = values.numpy().astype(np.float64)[np.isfinite(values.numpy())]
    lo, hi = (float(v) for v in np.percentile(finite, _PERCENTILES)) if finite.size else (0.0, 0.0)
    # Narrower than float32 tells apart is flat, too.
    return Calibration(lo, hi) if hi - lo > 1e-6 * max(abs(lo), abs(hi), 1e-30) else Calibration(lo - 0.5, lo + 0.5)


def is_blank(picture: Float[Tensor, "*n c"]) -> bool:
    """Whether colours hardly differ: grey varies by less than 0.03 or has less than 3 bits in a sample."""
    colours = picture.double()
    grey = colours[..., :3] @ torch.tensor(_LUMA, dtype=torch.float64) if picture.shape[-1] >= 3 else colours[..., 0]
    levels = torch.bincount((grey * 255).round().long().flatten(), minlength=256).double() / grey.numel()
    entropy_bits = torch.special.entr(levels).sum().item() / math.log(2)
    return grey.std(correction=0).item() < 0.03 or entropy_bits < 3.0
