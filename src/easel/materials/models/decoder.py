"""From one latent and the features of all sizes to the four maps."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from easel.materials.config import ModelConfig
from easel.materials.maps import CHANNELS, MAP_NAMES
from easel.materials.models.backbone import recomputed
from easel.materials.models.layers import Norm, Padding, convolution, normalisation, upsample

WIDTH = 64
"""Channels of the decoder's last feature, and of what the heads see."""


class DecoderBlock(nn.Module):
    """Twice as large, a convolution, the encoder's features beside it, and two convolutions."""

    def __init__(self, inputs: int, skip: int, outputs: int, norm: Norm, padding: Padding) -> None:
        super().__init__()
        self.padding: Padding = padding
        self.conv0 = convolution(inputs, outputs, 3, padding=padding)
        self.norm0 = normalisation(norm, outputs)
        self.conv1 = convolution(outputs + skip, outputs, 3, padding=padding)
        self.norm1 = normalisation(norm, outputs)
        self.conv2 = convolution(outputs, outputs, 3, padding=padding)
        self.norm2 = normalisation(norm, outputs)

    def forward(self, x: Float[Tensor, "b c h w"], skip: Float[Tensor, "b s h2 w2"]) -> Float[Tensor, "b d h2 w2"]:
        # To the size of the skip, which odd sizes make one texel smaller than double.
        x = upsample(x, (skip.shape[-2], skip.shape[-1]), self.padding)
        x = F.relu(self.norm0(self.conv0(x)))
        x = F.relu(self.norm1(self.conv1(torch.cat([skip, x], dim=1))))
        return F.relu(self.norm2(self.conv2(x)))


def super_resolution(scale: int, norm: Norm, padding: Padding) -> nn.Module:
    """Build the sub-pixel convolutions (Shi et al. 2016) that enlarge features 2 or 4 times; 0 leaves them."""

    def layer(inputs: int, outputs: int) -> list[nn.Module]:
        return [convolution(inputs, outputs, 3, padding=padding), normalisation(norm, outputs), nn.ReLU(inplace=True)]

    if scale == 0:
        return nn.Identity()
    if scale == 2:
        doubled = [*layer(WIDTH, WIDTH), *layer(WIDTH, 4 * WIDTH), nn.PixelShuffle(2)]
        return nn.Sequential(*doubled, *layer(WIDTH, WIDTH // 2), convolution(WIDTH // 2, WIDTH, 1))
    steps: list[nn.Module] = []
    for _ in range(2):
        steps += [*layer(WIDTH, 2 * WIDTH), *layer(2 * WIDTH, 4 * WIDTH), nn.PixelShuffle(2)]
    return nn.Sequential(*steps, *layer(WIDTH, WIDTH))


class Decoder(nn.Module):
    """The expanding half of a U-Net, super-resolution, and a head for every map."""

    def __init__(self, inputs: int, skip_channels: Sequence[int], config: ModelConfig) -> None:
        super().__init__()
        norm = config.norm
        padding = config.padding
        self.recomputes = config.gradient_checkpointing
        self.blocks = nn.ModuleList()
        # Coarsest first: the way back up.
        for skip in reversed(skip_channels):
            outputs = skip // 2 if skip > WIDTH else skip
            self.blocks.append(DecoderBlock(inputs, skip, outputs, norm, padding))
            inputs = outputs
        # U-Nets may end narrower than the heads expect.
        self.widen = convolution(inputs, WIDTH, 1, bias=True) if inputs != WIDTH else nn.Identity()
        self.super_resolution = super_resolution(config.decoder_sr_scale, norm, padding)
        # Without normalisation: a head's bias sets the level of its map.
        self.heads = nn.ModuleDict({name: nn.Conv2d(WIDTH, width, 1) for name, width in CHANNELS.items()})
        if config.predict_uncertainty:
            self.heads["log_variance"] = nn.Conv2d(WIDTH, len(MAP_NAMES), 1)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        with torch.no_grad():
            for name, head in self.heads.named_parameters():
                # Small, so that no sigmoid starts where it is flat.
                head.normal_(std=0.01) if name.endswith("weight") else head.zero_()
                if name == "normal.bias":
                    # Upright.
                    head[2] = 1.0

    def forward(
        self, latent: Float[Tensor, "b c h w"], features: Sequence[Float[Tensor, "b _ _ _"]]
    ) -> dict[str, Tensor]:
        """Decode features, finest first, into maps by name; log_variance (b, 4, h, w) has a channel for each."""
        x = latent
        for block, skip in zip(self.blocks, reversed(features), strict=True):
            x = recomputed(block, x, skip) if self.recomputes else block(x, skip)
        x = self.super_resolution(self.widen(x))
        return {name: _in_range(name, head(x)) for name, head in self.heads.items()}


def _in_range(name: str, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    if name == "normal":
        # In float32: the length of a short vector vanishes in half precision.
        return F.normalize(x.float(), dim=1, eps=1e-6)
    if name == "log_variance":
        return x
    return x.float().sigmoid()
