"""From a network's own numbers to colours in [0, 1], and the judgement whether colours show anything.

A calibration is taken once for a model, never for a frame: a film or a zoom must not flicker.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor

# Not the extremes: a single far number would make everything else grey.
_PERCENTILES = (0.1, 99.9)
_LUMA = (0.299, 0.587, 0.114)
"""Weights of R, G, B in grey. ITU-R BT.601."""
# A picture's thumbnail is as the Art page shows it. Single points of a coarser grid would call fine detail noise that
# any larger picture shows as texture. A volume's 32³ samples take as long already.
THUMBNAIL = {2: (112, 2), 3: (32, 1)}
"""(samples on every axis, supersampling) of a model's thumbnail, by the number of axes."""
# Between the roughest pictures that people keep and √2, which independent neighbours have.
NOISE = 0.9
"""RMS difference of neighbours, in standard deviations, above which a picture is noise."""


@dataclass(frozen=True)
class Calibration:
    """The numbers that become black and white."""

    lo: float = 0.0
    hi: float = 1.0

    def apply(self, values: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
        """Return colours in [0, 1]; NaN becomes black."""
        # Colours as they are stay bit for bit: a subtraction of 0 and a division by 1 cost a pass each.
        if (self.lo, self.hi) != (0.0, 1.0):
            values = (values - self.lo) / (self.hi - self.lo)
        return values.nan_to_num(nan=0.0).clamp(0.0, 1.0)


UNIT = Calibration()
"""For values that are colours as they are."""
SIGNED = Calibration(-1.0, 1.0)
"""For values in [-1, 1], such as those of tanh."""


RANGES = {
    "fitted": UNIT,
    **dict.fromkeys(("Sigmoid", "Hardsigmoid", "half_sine", "gaussian"), UNIT),
    **dict.fromkeys(("Tanh", "Softsign", "Hardtanh", "sin", "cos"), SIGNED),
}
"""The calibrations of final activations that have bounds; fitted fields give colours as they are."""


def stretched(values: Float[Tensor, "*n"]) -> Calibration:
    """Return the calibration from the 0.1 to the 99.9 percentile of all finite numbers; flat ones become mid-grey."""
    numbers = values.numpy()
    finite = numbers[np.isfinite(numbers)].astype(np.float64)
    if finite.size == 0:
        return Calibration(-0.5, 0.5)
    lo, hi = map(float, np.percentile(finite, _PERCENTILES))
    # Narrower than float32 tells apart is flat, too.
    if hi - lo > 1e-6 * max(abs(lo), abs(hi), 1e-30):
        return Calibration(lo, hi)
    return Calibration(lo - 0.5, lo + 0.5)


def is_blank(picture: Float[Tensor, "*n c"]) -> bool:
    """Return whether colours hardly differ: grey varies by less than 0.03 or has less than 3 bits in a sample."""
    colours = picture.double()
    grey = colours[..., 0]
    if picture.shape[-1] >= 3:
        grey = colours[..., :3] @ torch.tensor(_LUMA, dtype=torch.float64)
    levels = torch.bincount((grey * 255).round().long().flatten(), minlength=256).double() / grey.numel()
    # Both, since a gradient over three levels has some spread, and an even one of 20 levels little.
    entropy_bits = torch.special.entr(levels).sum().item() / math.log(2)
    return grey.std(correction=0).item() < 0.03 or entropy_bits < 3.0


def is_noise(picture: Float[Tensor, "n *size c"]) -> bool:
    """Return whether neighbours along the first axis have little to do with each other: television snow."""
    colours = picture[..., :3]  # alpha is no texture
    step = colours.diff(dim=0).square().mean().sqrt()
    return bool(step > NOISE * colours.std(correction=0))


def is_dull(thumbnail: Float[Tensor, "n *size c"]) -> bool:
    """Return whether a thumbnail shows nothing, or noise.

    Galleries, `easel fields generate` and the Art page ask this of the same picture, `Painter.thumbnail`, and so leave
    out the same seeds.
    """
    return is_blank(thumbnail) or is_noise(thumbnail)


def unnormalize_and_numpy(
    x: Tensor | np.ndarray, bounds: tuple[float | int, float | int] | Literal["auto"] = (0, 1)
) -> Shaped[np.ndarray, "*shape"]:
    """Convert values to uint8, rounded to nearest; values outside the bounds are clamped, NaN becomes 0.

    `bounds` become 0 and 255; 'auto' takes the smallest and the largest value. uint8 stays as it is. ValueError for
    other integers and for arrays without a value.
    """
    if isinstance(x, Tensor):
        x = x.detach().cpu().numpy()
    values = np.asarray(x)
    if values.dtype == np.uint8:
        return values
    if not np.issubdtype(values.dtype, np.floating) or values.size == 0:
        raise ValueError(f"this takes floats or uint8, at least one; got {values.shape} of {values.dtype}.")
    numbers = values.astype(np.float32)
    if bounds == "auto":
        finite = numbers[np.isfinite(numbers)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    else:
        low, high = bounds
        if not low < high:
            raise ValueError(f"bounds are two numbers, the smaller first, or 'auto'; got {bounds}.")
    # The smallest normal number: a constant picture divides 0 by it, and becomes black.
    unit = (numbers - low) / max(high - low, np.finfo(np.float32).tiny)
    return np.rint(np.nan_to_num(unit, nan=0.0).clip(0.0, 1.0) * 255).astype(np.uint8)
