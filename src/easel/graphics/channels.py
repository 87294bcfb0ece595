"""Tensors of any layout and any number of channels as pictures: grids, principal components, flows and labels."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from easel.graphics.contact_sheet import grid

LAYOUTS = {"hwc": 3, "chw": 3, "bhw": 3, "bhwc": 4, "bchw": 4}
"""Orders of the axes (batch, height, width, channels) → their number; "hwc" also takes (H, W)."""

_SAMPLES = 65_536
"""Pixels from which principal components are computed."""
_SPREAD = 2.5
"""Standard deviations of a principal component from grey to black or white."""
_GOLDEN_RATIO = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, eq=False)
class Basis:
    """Mean and three scaled principal directions of many channels."""

    mean: Float[Tensor, " c"]
    axes: Float[Tensor, "c 3"]

    def project(self, values: Float[Tensor, "h w c"]) -> Float[Tensor, "h w 3"]:
        """Return the coordinates along the three directions, around 0.5. ValueError for other numbers of channels."""
        if values.shape[-1] != len(self.mean):
            raise ValueError(
                f"these principal components are of {len(self.mean)} channels, the tensor has {values.shape[-1]}."
            )
        return (values - self.mean.to(values)) @ self.axes.to(values) + 0.5


def hwc(tensor: Shaped[Tensor, "*axes"], layout: str) -> Shaped[Tensor, "h w c"]:
    """Bring axes into the order (height, width, channels); a batch becomes a grid of its pictures.

    ValueError for an unknown layout and for one that does not fit the number of axes.
    """
    if layout not in LAYOUTS:
        raise ValueError(f"unknown layout {layout!r}. Known: {', '.join(LAYOUTS)}.")
    if layout == "hwc" and tensor.ndim == 2:
        return tensor[..., None]
    if tensor.ndim != LAYOUTS[layout]:
        fitting = " or ".join(known for known, axes in LAYOUTS.items() if axes == tensor.ndim) or "none"
        raise ValueError(
            f"layout {layout!r} is for {LAYOUTS[layout]}D tensors; got {tuple(tensor.shape)}. "
            f"Layouts that fit: {fitting}."
        )
    match layout:
        case "hwc":
            return tensor
        case "chw":
            return tensor.permute(1, 2, 0)
        case "bhw":
            return grid(tensor[..., None])
        case "bhwc":
            return grid(tensor)
    return grid(tensor.permute(0, 2, 3, 1))


def principal(values: Float[Tensor, "h w c"]) -> Basis:
    """Return the three directions in which the channels of finite pixels vary most; most coordinates are in [0, 1]."""
    pixels = values.flatten(0, 1)
    # Evenly spaced ones, not random ones: the colours of a still tensor must not flicker from frame to frame.
    pixels = pixels[:: max(len(pixels) // _SAMPLES, 1)]
    # On the CPU in float64: the covariance squares the values, and small variances would drown in float32.
    pixels = pixels[pixels.isfinite().all(dim=-1)].double().cpu()
    count = values.shape[-1]
    if not len(pixels):
        return Basis(torch.zeros(count), torch.zeros(count, 3))
    mean = pixels.mean(dim=0)
    centred = pixels - mean
    variances, directions = torch.linalg.eigh(centred.T @ centred / len(pixels))
    # Eigenvalues ascend: the three largest come last.
    variances = variances.flip(0)[:3]
    directions = directions.flip(1)[:, :3]
    # Eigenvectors have no sign of their own: the strongest channel counts upwards.
    strongest = directions.gather(0, directions.abs().argmax(dim=0, keepdim=True))
    # A direction that holds nothing but rounding errors is divided by infinity, so that it is grey and not noise.
    scale = torch.where(variances > 1e-12 * variances[0], 2 * _SPREAD * variances.clamp(min=1e-300).sqrt(), torch.inf)
    axes = torch.zeros(count, 3, dtype=torch.float64)
    axes[:, : len(variances)] = directions * strongest.sign() / scale
    return Basis(mean.float(), axes.float())


def flow_colors(flow: Float[Tensor, "h w 2"]) -> Float[Tensor, "h w 3"]:
    """Show directions as hues, lengths as saturation: white stands still, a length of 1 or more has the full colour.

    Right is red, down (positive y) is green-yellow; the circle of colours of Baker et al. 2011 with an even hue.
    """
    length = flow.norm(dim=-1, keepdim=True).clamp(max=1)
    # y grows downwards, as rows do, so angles run clockwise.
    turns = torch.atan2(flow[..., 1:], flow[..., :1]) / (2 * math.pi)
    return 1 - length * (1 - _hue(turns))


def label_colors(labels: Shaped[Tensor, "h w 1"]) -> Float[Tensor, "h w 3"]:
    """Give every whole number a colour, neighbours far apart; 0 is black, negative ones, as for "ignore", are grey."""
    number = labels.to(torch.int64)
    # Steps of the golden ratio never come near an earlier hue before they have to; brightness takes turns besides.
    colors = (
        _hue((number.double() * _GOLDEN_RATIO % 1).float())
        * torch.tensor((1.0, 0.72, 0.86), device=labels.device)[number % 3]
    )
    softened = 0.12 + 0.88 * colors
    return torch.where(number > 0, softened, torch.where(number < 0, 0.35, 0.0))


def _hue(turns: Float[Tensor, "h w 1"]) -> Float[Tensor, "h w 3"]:
    """Return the pure colours of the circle, 0 and 1 red. Smith 1978, HSV with full saturation and value."""
    thirds = torch.tensor((0.0, 2.0, 1.0), device=turns.device) / 3
    return (((turns + thirds) % 1 * 6 - 3).abs() - 1).clamp(0, 1)
