"""The small parts that every network here is made of."""

import math
from typing import Literal

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

Norm = Literal["group", "batch", "instance"]
Padding = Literal["zeros", "circular"]

MOST_GROUPS = 32


def normalisation(kind: Norm, channels: int) -> nn.Module:
    """Build a normalisation with a learned scale and shift for every channel."""
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    if kind == "instance":
        return nn.InstanceNorm2d(channels, affine=True)
    # Two channels or more in a group: a group of one would forget how strong the channel is, as 'instance' does.
    return nn.GroupNorm(math.gcd(MOST_GROUPS, channels, channels // 2 or 1), channels)


def convolution(
    channels_in: int,
    channels_out: int,
    side: int,
    *,
    stride: int = 1,
    groups: int = 1,
    bias: bool = False,
    padding: Padding = "zeros",
) -> nn.Conv2d:
    """Build a convolution that keeps the size, or divides it by the stride."""
    mode = padding if side > 1 else "zeros"
    return nn.Conv2d(channels_in, channels_out, side, stride, side // 2, groups=groups, bias=bias, padding_mode=mode)


class MaxPool(nn.Module):
    """Maximum of 3x3 texels at every second one; beyond the edge lies nothing, or the opposite edge."""

    def __init__(self, padding: Padding) -> None:
        super().__init__()
        self.padding = padding

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h2 w2"]:
        if self.padding == "circular":
            return F.max_pool2d(F.pad(x, (1, 1, 1, 1), mode="circular"), 3, 2)
        return F.max_pool2d(x, 3, 2, 1)


def upsample(x: Float[Tensor, "b c h w"], size: tuple[int, int], padding: Padding) -> Float[Tensor, "b c h2 w2"]:
    """Double the size, bilinear, and cut to `size`, at most one texel smaller; unchanged where it is right."""
    if tuple(x.shape[-2:]) == size:
        return x
    if padding == "circular":
        x = F.pad(x, (1, 1, 1, 1), mode="circular")
    # A factor, not a size: exports stay free of the picture's size.
    x = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
    if padding == "circular":
        x = x[..., 2:-2, 2:-2]
    return x[..., : size[0], : size[1]]


class DropPath(nn.Module):
    """In training, leaves a branch out for whole samples and scales the others to the same mean (Huang et al. 2016)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Float[Tensor, "b *rest"]) -> Float[Tensor, "b *rest"]:
        if not self.training or self.rate == 0:
            return x
        kept = x.new_empty((x.shape[0], *[1] * (x.ndim - 1))).bernoulli_(1 - self.rate)
        return x * kept / (1 - self.rate)
