"""Fusion without attention: one large kernel, computed once, in every block (after ESC, arXiv 2503.06671)."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from easel.materials.config import ModelConfig
from easel.materials.models.backbone import recomputed
from easel.materials.models.layers import Norm, Padding, convolution, normalisation
from easel.materials.models.pooling import PhotoPooling

LEAST_GATE = 32
"""Hidden channels of a gate, at least."""
START_OF_GAMMA = 0.1
"""Initial weight of a block beside its shortcut."""


class Refine(nn.Module):
    """One photo's latent, made ready to be mixed with others: depthwise 3x3, norm, GELU, 1x1, beside a shortcut."""

    def __init__(self, channels: int, norm: Norm, padding: Padding) -> None:
        super().__init__()
        self.depthwise = convolution(channels, channels, 3, groups=channels, padding=padding)
        self.norm = normalisation(norm, channels)
        self.pointwise = convolution(channels, channels, 1)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return x + self.pointwise(F.gelu(self.norm(self.depthwise(x))))


class LargeKernel(nn.Module):
    """A learned depthwise kernel, divided by the sum of its absolute weights; it starts as a peak."""

    def __init__(self, channels: int, side: int, padding: Padding) -> None:
        super().__init__()
        self.padding = padding
        offsets = torch.arange(side, dtype=torch.float32) - side // 2
        distance = torch.hypot(offsets[:, None], offsets)
        # A peak that falls off over a quarter of its side: it begins as a blur.
        self.weight = nn.Parameter((0.1 * torch.exp(-distance / (side / 4))).expand(channels, 1, side, side).clone())

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        # Sums to at most 1, so that a deep stack neither grows nor fades.
        weight = self.weight / self.weight.abs().sum((-2, -1), keepdim=True).clamp_min(1e-6)
        reach = self.weight.shape[-1] // 2
        if self.padding == "circular":
            # conv2d itself pads with zeros alone.
            x = F.pad(x, (reach,) * 4, mode="circular")
            reach = 0
        return F.conv2d(x, weight.to(x.dtype), padding=reach, groups=x.shape[1])


class ConvAttnBlock(nn.Module):
    """Norm, the large kernel that all blocks share, 1x1, norm, GELU, a gate for every channel; beside a shortcut."""

    def __init__(self, channels: int, norm: Norm) -> None:
        super().__init__()
        self.norm1 = normalisation(norm, channels)
        self.pointwise = convolution(channels, channels, 1)
        self.norm2 = normalisation(norm, channels)
        hidden = max(channels // 4, LEAST_GATE)
        self.gate = nn.Sequential(
            nn.Conv2d(channels, hidden, 1), nn.ReLU(inplace=True), nn.Conv2d(hidden, channels, 1), nn.Sigmoid()
        )
        # Small at first, so that deep stacks begin near the identity.
        self.gamma = nn.Parameter(torch.full((channels, 1, 1), START_OF_GAMMA))

    def forward(self, x: Float[Tensor, "b c h w"], kernel: LargeKernel) -> Float[Tensor, "b c h w"]:
        y = F.gelu(self.norm2(self.pointwise(kernel(self.norm1(x)))))
        return x + self.gamma * y * self.gate(y.mean((2, 3), keepdim=True))


class ConvAttnFusion(nn.Module):
    """Photos refined alone, pooled, and mixed over the picture; memory grows with the number of texels, no faster."""

    def __init__(self, channels: int, config: ModelConfig) -> None:
        super().__init__()
        norm = config.norm
        padding = config.padding
        width = config.bottleneck_channels
        self.channels = width
        self.recomputes = config.gradient_checkpointing
        self.refine = Refine(channels, norm, padding)
        self.pool = PhotoPooling(channels, width)
        self.kernel = LargeKernel(width, config.kernel_size, padding)
        self.blocks = nn.ModuleList(ConvAttnBlock(width, norm) for _ in range(config.num_blocks))
        self.last = nn.Sequential(convolution(width, width, 1), normalisation(norm, width))

    def forward(
        self,
        latents: Float[Tensor, "b n c h w"],
        shown: Float[Tensor, "b n h w"] | None,
        cameras: Float[Tensor, "b n 3"] | None,
    ) -> Float[Tensor, "b d h w"]:
        """Fuse photos; `cameras` is not used."""
        refined = self.refine(latents.flatten(0, 1)).unflatten(0, latents.shape[:2])
        pooled = self.pool(refined, shown)
        x = pooled
        for block in self.blocks:
            x = recomputed(block, x, self.kernel) if self.recomputes else block(x, self.kernel)
        return pooled + self.last(x)
