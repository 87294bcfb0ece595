"""The contracting half of a U-Net (Ronneberger et al. 2015)."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from easel.materials.models.backbone import StagedEncoder
from easel.materials.models.layers import Norm, Padding, convolution, normalisation


class DoubleConvolution(nn.Module):
    """Two 3x3 convolutions; the second may have a stride."""

    def __init__(self, inputs: int, outputs: int, stride: int, norm: Norm, padding: Padding) -> None:
        super().__init__()
        self.conv1 = convolution(inputs, outputs, 3, padding=padding)
        self.norm1 = normalisation(norm, outputs)
        self.conv2 = convolution(outputs, outputs, 3, stride=stride, padding=padding)
        self.norm2 = normalisation(norm, outputs)

    def first(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h w"]:
        return F.relu(self.norm1(self.conv1(x)))

    def second(self, x: Float[Tensor, "b d h w"]) -> Float[Tensor, "b d h2 w2"]:
        return F.relu(self.norm2(self.conv2(x)))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h2 w2"]:
        return self.second(self.first(x))


class UNetEncoder(StagedEncoder):
    """Features at 1, 1, 1/2, 1/4 … of a photo's size, one for each width, and the latent at half the last size.

    Between the stages stand maxima of 2x2 texels. Where it is `strided`, the second convolution of every stage but the
    first halves instead, and the feature is what lies before it.
    """

    def __init__(self, widths: Sequence[int], channels: int, strided: bool, norm: Norm, padding: Padding) -> None:
        super().__init__()
        self.strided = strided
        self.blocks = nn.ModuleList()
        for index, (inputs, outputs) in enumerate(pairwise([channels, *widths])):
            self.blocks.append(DoubleConvolution(inputs, outputs, 2 if strided and index > 0 else 1, norm, padding))
        self.skip_channels = list(widths)
        self.channels = widths[-1]

    @property
    def stages(self) -> list[Callable[[Tensor], Tensor]]:
        stem, *rest = [block for block in self.blocks if isinstance(block, DoubleConvolution)]
        # The feature is taken before the stride, where it still has the larger size.
        if self.strided:
            between = [_chain(before.second, block.first) for before, block in pairwise(rest)]
            return [stem, rest[0].first, *between, rest[-1].second]
        return [stem, rest[0], *(_chain(_halved, block) for block in rest[1:]), _halved]

    @property
    def early(self) -> list[nn.Module]:
        return [self.blocks]


def _halved(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h2 w2"]:
    return F.max_pool2d(x, 2, ceil_mode=True)


def _chain(first: Callable[[Tensor], Tensor], second: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return lambda x: second(first(x))
