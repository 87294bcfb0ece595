"""Structural similarity of batches, fast enough for a loss."""

import functools

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

WINDOW_TEXELS = 11
SIGMA_TEXELS = 1.5
# (K1 L)² and (K2 L)² of Wang et al. 2004 with K1 = 0.01, K2 = 0.03 and the range L = 1
C1, C2 = 0.01**2, 0.03**2


def ssim(predicted: Float[Tensor, "b c h w"], true: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
    """Return the mean structural similarity of each pair with values in [0, 1]; 1 when equal. Wang et al. 2004, Eq. 13.

    In float32, over every texel with a whole Gaussian window of 11 texels and sigma 1.5. A side shorter than that
    takes the longest odd window that fits it. `graphics.metrics.ssim` is the slow one, in float64, for one picture.
    """
    # E[x²] − E[x]² cancels: half precision would leave noise.
    with torch.autocast(predicted.device.type, enabled=False):
        x = predicted.float()
        y = true.float()
        # Five images in one pass of each axis.
        blurred = _blur(torch.cat([x, y, x * x, y * y, x * y], dim=1))
        mean_x, mean_y, square_x, square_y, product = blurred.chunk(5, dim=1)
        variance_x = square_x - mean_x.square()
        variance_y = square_y - mean_y.square()
        luminance = (2 * mean_x * mean_y + C1) / (mean_x.square() + mean_y.square() + C1)
        structure = (2 * (product - mean_x * mean_y) + C2) / (variance_x + variance_y + C2)
        return (luminance * structure).mean(dim=(1, 2, 3))


def _blur(maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h2 w2"]:
    channels = maps.shape[1]
    for axis in (2, 3):
        # An even window has no centre: the longest odd one that fits is taken.
        length = maps.shape[axis]
        taps = _taps(min(WINDOW_TEXELS, length - (length + 1) % 2)).to(maps.device)
        shape = (channels, 1, -1, 1) if axis == 2 else (channels, 1, 1, -1)
        # A convolution of its own for every channel: on the CPU 20 times as fast as channels laid into the batch
        maps = F.conv2d(maps, taps.expand(channels, -1).reshape(shape), groups=channels)
    return maps


@functools.cache
def _taps(size: int) -> Float[Tensor, " size"]:
    # In float64, and rounded once.
    offsets = torch.arange(size, dtype=torch.float64) - size // 2
    return torch.softmax(-offsets.square() / (2 * SIGMA_TEXELS**2), dim=0).float()
