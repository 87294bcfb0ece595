"""Discriminators that judge patches of the maps (PatchGAN, Isola et al. 2017)."""

from jaxtyping import Float
from torch import Tensor, nn

from easel.materials.config import ModelConfig
from easel.materials.models.layers import normalisation

WIDEST = 8
"""Channels at most, in multiples of the first layer's."""
SLOPE = 0.2


class PatchDiscriminator(nn.Module):
    """Convolutions of 4x4 texels: strided ones, one without a stride, and the last with a logit for each patch.

    With 3, 4, 5 or 6 strided ones a logit sees 70, 142, 286 or 574 texels. The type 'simple' has four and none without
    a stride, and sees 94.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        simple = config.discriminator_type == "simple"
        strides = [2] * 4 if simple else [2] * config.discriminator_n_layers + [1]
        inputs = config.discriminator_in_channels
        width = config.discriminator_ndf
        layers: list[nn.Module] = []
        for index, stride in enumerate(strides):
            outputs = width * min(2**index, WIDEST)
            is_first = index == 0
            # A norm takes away any bias before it.
            layers.append(nn.Conv2d(inputs, outputs, 4, stride, 1, bias=is_first))
            if not is_first:
                layers.append(normalisation(config.discriminator_norm, outputs))
            layers.append(nn.LeakyReLU(SLOPE, inplace=True))
            inputs = outputs
        layers.append(nn.Conv2d(inputs, 1, 4, 1, 1))
        if config.discriminator_use_sigmoid:
            layers.append(nn.Sigmoid())
        self.layers = nn.Sequential(*layers)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 1 h2 w2"]:
        """Return logits of all maps side by side, in the order of MAP_NAMES: above 0 where a patch looks real."""
        return self.layers(maps)
