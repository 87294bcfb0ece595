"""FLIP: the visible difference of two pictures between which a person flips.

LDR-FLIP of P. Andersson, J. Nilsson, T. Akenine-Möller, M. Oskarsson, K. Åström and M. D. Fairchild, "FLIP: A
Difference Evaluator for Alternating Images", HPG 2020; section and equation numbers are that paper's. It is 0 where
nobody sees a difference and 1 where it could not be larger. For looking and for comparing, not for gradients: those
are infinite where two pixels are equal.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from easel.graphics.color import srgb_to_linear

PIXELS_PER_DEGREE = 0.7 * 3840 / 0.7 * math.pi / 180
"""Pixels per degree of view of a 4K monitor, 0.7 m wide and 0.7 m away. Section 4, 67 pixels."""

_XYZ_FROM_RGB = (
    (0.41239079926595934, 0.357584339383878, 0.1804807884018343),
    (0.21263900587151027, 0.715168678767756, 0.07219231536073371),
    (0.01933081871559182, 0.11919477979462598, 0.9505321522496607),
)
"""Linear sRGB to CIE XYZ under D65; its rows add up to the white point. IEC 61966-2-1."""
_CONTRAST = (((1.0, 0.0047),), ((1.0, 0.0053),), ((34.1, 0.04), (13.5, 0.025)))
"""(a, b) of the eye's sensitivity to lightness, red-green and blue-yellow patterns, as sums of Gaussians. Table 1."""
_FEATURE_DEGREES = 0.082
"""Width of what counts as an edge or a point. Section 3.2."""
_COLOR_EXPONENT = 0.7
"""q_c. Section 3.1.3."""
_FEATURE_EXPONENT = 0.5
"""q_f. Section 3.2."""
_KNEE = 0.4
"""p_c, of the largest colour difference: beyond it errors grow slowly. Section 3.1.3."""
_KNEE_ERROR = 0.95
"""p_t: the error of a colour difference at the knee. Section 3.1.3."""


def flip(
    predicted: Float[Tensor, "h w 3"], true: Float[Tensor, "h w 3"], pixels_per_degree: float | int = PIXELS_PER_DEGREE
) -> Float[Tensor, ""]:
    """Return the mean of `flip_map`."""
    return flip_map(predicted, true, pixels_per_degree).mean()


@torch.no_grad()
def flip_map(
    predicted: Float[Tensor, "h w 3"], true: Float[Tensor, "h w 3"], pixels_per_degree: float | int = PIXELS_PER_DEGREE
) -> Float[Tensor, "h w"]:
    """Return the visible difference at every pixel, in [0, 1], of display-referred sRGB pictures in [0, 1]."""
    pair = torch.stack([predicted, true]).float().clamp(0, 1)
    opponent = _opponent(srgb_to_linear(pair)).movedim(-1, 1)
    colour = _colour_difference(_filtered(opponent, pixels_per_degree))
    feature = _feature_difference((opponent[:, :1] + 16) / 116, pixels_per_degree)
    return colour ** (1 - feature)  # Eq. 12


def _opponent(linear: Float[Tensor, "*b 3"]) -> Float[Tensor, "*b 3"]:
    """Return lightness, red-green and blue-yellow: YCxCz of linear RGB. Section 3.1.1."""
    x, y, z = _white_relative(linear).unbind(-1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=-1)


def _linear_of(opponent: Float[Tensor, "*b 3"]) -> Float[Tensor, "*b 3"]:
    """Return linear RGB; the inverse of `_opponent`."""
    y = (opponent[..., 0] + 16) / 116
    relative = torch.stack([y + opponent[..., 1] / 500, y, y - opponent[..., 2] / 200], dim=-1)
    matrix = torch.tensor(_XYZ_FROM_RGB, dtype=torch.float64)
    return relative @ torch.linalg.inv(matrix / matrix.sum(dim=1, keepdim=True)).T.to(relative)


def _white_relative(linear: Float[Tensor, "*b 3"]) -> Float[Tensor, "*b 3"]:
    """Return CIE XYZ in shares of the white point."""
    matrix = torch.tensor(_XYZ_FROM_RGB, dtype=torch.float64)
    return linear @ (matrix / matrix.sum(dim=1, keepdim=True)).T.to(linear)


def _filtered(opponent: Float[Tensor, "2 3 h w"], pixels_per_degree: float | int) -> Float[Tensor, "2 3 h w"]:
    """Blur each channel by the eye's contrast sensitivity at that distance. Section 3.1.1, Eq. 2 and 3."""
    # One radius for all channels, three standard deviations of the widest Gaussian.
    widest = max(b for gaussians in _CONTRAST for _, b in gaussians)
    radius = math.ceil(3 * math.sqrt(widest / (2 * math.pi**2)) * pixels_per_degree)
    degrees = torch.arange(-radius, radius + 1, dtype=torch.float64) / pixels_per_degree
    channels = []
    for channel, gaussians in enumerate(_CONTRAST):
        # Every Gaussian is a product of one along each axis; only their sum is normalised.
        taps = [torch.exp(-(math.pi**2) * degrees**2 / b) for _, b in gaussians]
        weights = [a * math.sqrt(math.pi / b) for a, b in gaussians]
        total = sum(weight * tap.sum() ** 2 for weight, tap in zip(weights, taps, strict=True))
        plane = opponent[:, channel : channel + 1]
        parts = [
            weight / total * _along(_along(plane, tap, 3), tap, 2) for weight, tap in zip(weights, taps, strict=True)
        ]
        channels.append(torch.stack(parts).sum(dim=0))
    return torch.cat(channels, dim=1)


def _colour_difference(opponent: Float[Tensor, "2 3 h w"]) -> Float[Tensor, "h w"]:
    """Return the difference of colours from 0 to 1. Sections 3.1.2 and 3.1.3."""
    # Blurring leaves the gamut, where the Lab curves mean nothing: hence the clamp.
    predicted, true = _hunt_lab(_linear_of(opponent.movedim(1, -1)).clamp(0, 1))
    green, blue = _hunt_lab(torch.eye(3)[1:].to(opponent))
    largest = _hyab(green, blue) ** _COLOR_EXPONENT
    difference = _hyab(predicted, true) ** _COLOR_EXPONENT
    # The largest difference that sRGB allows, green against blue, has the error 1.
    knee = _KNEE * largest
    beyond = _KNEE_ERROR + (difference - knee) / (largest - knee) * (1 - _KNEE_ERROR)  # Eq. 8
    return torch.where(difference < knee, _KNEE_ERROR / knee * difference, beyond).clamp(0, 1)


def _hunt_lab(linear: Float[Tensor, "*b 3"]) -> Float[Tensor, "*b 3"]:
    """Return CIELAB whose colourfulness grows with lightness: Hunt's effect. Section 3.1.2, Eq. 5."""
    share = _white_relative(linear)
    knee = 6 / 29  # CIE 15: below its cube, the cube root goes on as a line
    curved = torch.where(share > knee**3, share.clamp(min=knee**3) ** (1 / 3), share / (3 * knee**2) + 4 / 29)
    x, y, z = curved.unbind(-1)
    lightness = 116 * y - 16
    return torch.stack([lightness, 0.01 * lightness * 500 * (x - y), 0.01 * lightness * 200 * (y - z)], dim=-1)


def _hyab(a: Float[Tensor, "*b 3"], b: Float[Tensor, "*b 3"]) -> Float[Tensor, "*b"]:
    """Return the HyAB distance, made for large differences of colour. Abasi et al. 2020; Eq. 6."""
    difference = a - b
    return difference[..., 0].abs() + difference[..., 1:].norm(dim=-1)


def _feature_difference(lightness: Float[Tensor, "2 1 h w"], pixels_per_degree: float | int) -> Float[Tensor, "h w"]:
    """Return the difference of edges and points from 0 to 1. Section 3.2, Eq. 9 to 11."""
    sigma = 0.5 * _FEATURE_DEGREES * pixels_per_degree
    at = torch.arange(-math.ceil(3 * sigma), math.ceil(3 * sigma) + 1, dtype=torch.float64)
    blur = torch.exp(-(at**2) / (2 * sigma**2))
    edge = -at * blur
    point = (at**2 / sigma**2 - 1) * blur
    differences = []
    # First and second derivatives of a Gaussian answer to edges and to points.
    for taps in (edge, point):
        # What is positive adds up to 1 and what is negative to -1.
        taps = torch.where(taps > 0, taps / taps.clamp(min=0).sum(), taps / -taps.clamp(max=0).sum())
        smooth = blur / blur.sum()
        across = _along(_along(lightness, taps, 3), smooth, 2)
        down = _along(_along(lightness, taps, 2), smooth, 3)
        predicted, true = torch.hypot(across, down)[:, 0]
        differences.append((predicted - true).abs())
    return (torch.maximum(*differences) / math.sqrt(2)) ** _FEATURE_EXPONENT


def _along(planes: Float[Tensor, "n 1 h w"], taps: Float[Tensor, " t"], axis: int) -> Float[Tensor, "n 1 h w"]:
    """Correlate with `taps` along axis 2 (down) or 3 (across); edges are repeated."""
    radius = len(taps) // 2
    margins = (radius, radius, 0, 0)
    kernel = taps.to(planes)[None, None, None]
    if axis == 2:
        margins = (0, 0, radius, radius)
        kernel = kernel.mT
    return F.conv2d(F.pad(planes, margins, mode="replicate"), kernel)
