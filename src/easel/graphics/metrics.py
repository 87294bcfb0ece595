"""Distances of a picture from the true one: PSNR and SSIM; differentiable, summed in float64."""

import torch
from jaxtyping import Float
from torch import Tensor

_WINDOW_PIXELS = 11
_SIGMA_PIXELS = 1.5
_C1 = 0.01**2
_C2 = 0.03**2
"""Constants of Wang et al. 2004 for a range of 1: they keep flat and dark windows from dividing by 0."""


def psnr(predicted: Float[Tensor, "*shape"], true: Float[Tensor, "*shape"]) -> Float[Tensor, ""]:
    """Return the peak signal-to-noise ratio in dB of values in [0, 1]; infinite when both are equal."""
    predicted, true = _pair(predicted, true)
    return -10 * (predicted - true).square().mean().log10()


def ssim(predicted: Float[Tensor, "h w c"], true: Float[Tensor, "h w c"]) -> Float[Tensor, ""]:
    """Return the mean structural similarity of pictures in [0, 1]; 1 when both are equal. Wang et al. 2004, Eq. 13.

    Gaussian window of 11 pixels and sigma 1.5, K1 = 0.01, K2 = 0.03, over every channel and every pixel with a whole
    window. A side shorter than 11 takes the longest odd window that fits it; in a picture of one pixel that leaves the
    brightness to compare.
    """
    predicted, true = _pair(predicted, true)
    # Channel by channel: a large photograph then needs a third of the memory
    channels = zip(predicted.unbind(-1), true.unbind(-1), strict=True)
    return torch.stack([_similarity(*pair).mean() for pair in channels]).mean()


def ssim_map(predicted: Float[Tensor, "h w c"], true: Float[Tensor, "h w c"]) -> Float[Tensor, "h w"]:
    """Return the structural similarity around every pixel, averaged over channels; `ssim` is its mean without margins.

    Pixels too close to an edge for a whole window have the value of the nearest that has one.
    """
    predicted, true = _pair(predicted, true)
    channels = zip(predicted.unbind(-1), true.unbind(-1), strict=True)
    # Only where a whole window fits; the margins are filled below, so that the map has the picture's size.
    inner = torch.stack([_similarity(*pair) for pair in channels]).mean(dim=0)
    height, width = predicted.shape[:2]
    top = (height - inner.shape[0]) // 2
    left = (width - inner.shape[1]) // 2
    margins = (left, width - inner.shape[1] - left, top, height - inner.shape[0] - top)
    return torch.nn.functional.pad(inner[None, None], margins, mode="replicate")[0, 0]


def _similarity(x: Float[Tensor, "h w"], y: Float[Tensor, "h w"]) -> Float[Tensor, "h2 w2"]:
    mean_x, mean_y, square_x, square_y, product = _blur(torch.stack([x, y, x * x, y * y, x * y]))
    # E[x²] - E[x]² loses digits where a window is nearly flat: one reason for float64.
    variances = (square_x - mean_x**2) + (square_y - mean_y**2)
    covariance = product - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + _C1) / (mean_x**2 + mean_y**2 + _C1)
    return luminance * (2 * covariance + _C2) / (variances + _C2)


def _blur(maps: Float[Tensor, "n h w"]) -> Float[Tensor, "n h2 w2"]:
    """Mean over the Gaussian window around every pixel that has a whole one."""
    for axis in (1, 2):
        length = maps.shape[axis]
        size = min(_WINDOW_PIXELS, length - (length + 1) % 2)
        offsets = torch.arange(size, dtype=torch.float64) - size // 2
        taps = torch.softmax(-(offsets**2) / (2 * _SIGMA_PIXELS**2), dim=0).tolist()
        # A sum of shifted maps: torch's float64 convolution on the CPU unrolls every window in memory
        first, *others = (maps.narrow(axis, shift, length - size + 1) for shift in range(size))
        maps = first * taps[0]
        for tap, shifted in zip(taps[1:], others, strict=True):
            maps.add_(shifted, alpha=tap)
    return maps


def _pair(predicted: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
    if predicted.shape != true.shape:
        raise ValueError(f"only pictures of one shape compare; got {tuple(predicted.shape)} and {tuple(true.shape)}.")
    exact = torch.float64
    if true.device.type == "mps":  # Apple's GPUs have no float64
        exact = torch.float32
    return predicted.to(exact), true.to(exact)
