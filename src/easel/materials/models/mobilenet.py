"""MobileNetV3 encoders (Howard et al. 2019), named inside as torchvision names them."""

from collections.abc import Callable
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from easel.materials.models.backbone import StagedEncoder
from easel.materials.models.layers import Norm, Padding, convolution, normalisation

# Kernel side, hidden channels, channels out, squeeze-and-excitation, hard swish instead of ReLU, stride: the paper's
# tables 1 and 2. The first block takes the 16 channels of the stem.
_LARGE = (
    (3, 16, 16, False, False, 1),
    (3, 64, 24, False, False, 2),
    (3, 72, 24, False, False, 1),
    (5, 72, 40, True, False, 2),
    (5, 120, 40, True, False, 1),
    (5, 120, 40, True, False, 1),
    (3, 240, 80, False, True, 2),
    (3, 200, 80, False, True, 1),
    (3, 184, 80, False, True, 1),
    (3, 184, 80, False, True, 1),
    (3, 480, 112, True, True, 1),
    (3, 672, 112, True, True, 1),
    (5, 672, 160, True, True, 2),
    (5, 960, 160, True, True, 1),
    (5, 960, 160, True, True, 1),
)
_SMALL = (
    (3, 16, 16, True, False, 2),
    (3, 72, 24, False, False, 2),
    (3, 88, 24, False, False, 1),
    (5, 96, 40, True, True, 2),
    (5, 240, 40, True, True, 1),
    (5, 240, 40, True, True, 1),
    (5, 120, 48, True, True, 1),
    (5, 144, 48, True, True, 1),
    (5, 288, 96, True, True, 2),
    (5, 576, 96, True, True, 1),
    (5, 576, 96, True, True, 1),
)
STEM_CHANNELS = 16
# The last feature before each halving.
_TAPS = {"mobilenet_v3_large": (1, 3, 6, 12), "mobilenet_v3_small": (0, 1, 3, 8)}
_BLOCKS = {"mobilenet_v3_large": _LARGE, "mobilenet_v3_small": _SMALL}


def _layer(
    inputs: int,
    outputs: int,
    side: int,
    norm: Norm,
    padding: Padding,
    activation: nn.Module | None,
    *,
    stride: int = 1,
    groups: int = 1,
) -> nn.Sequential:
    parts = [
        convolution(inputs, outputs, side, stride=stride, groups=groups, padding=padding),
        normalisation(norm, outputs),
    ]
    return nn.Sequential(*parts) if activation is None else nn.Sequential(*parts, activation)


class SqueezeExcitation(nn.Module):
    """Scales every channel by what the means of all channels say."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, hidden, 1)
        self.fc2 = nn.Conv2d(hidden, channels, 1)
        self.relu = nn.ReLU(inplace=True)
        self.gate = nn.Hardsigmoid()

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return x * self.gate(self.fc2(self.relu(self.fc1(x.mean((2, 3), keepdim=True)))))


class InvertedResidual(nn.Module):
    """1x1 up, depthwise, squeeze-and-excitation, 1x1 down; with a shortcut where the shape stays."""

    def __init__(
        self,
        inputs: int,
        side: int,
        hidden: int,
        outputs: int,
        excites: bool,
        swishes: bool,
        stride: int,
        norm: Norm,
        padding: Padding,
    ) -> None:
        super().__init__()
        kind = nn.Hardswish if swishes else nn.ReLU
        layers: list[nn.Module] = []
        # The first block does not widen: a 1x1 convolution there would cost and add nothing.
        if hidden != inputs:
            layers.append(_layer(inputs, hidden, 1, norm, padding, kind(inplace=True)))
        layers.append(_layer(hidden, hidden, side, norm, padding, kind(inplace=True), stride=stride, groups=hidden))
        if excites:
            layers.append(SqueezeExcitation(hidden, _multiple_of_8(hidden / 4)))
        layers.append(_layer(hidden, outputs, 1, norm, padding, None))
        self.block = nn.Sequential(*layers)
        self.is_residual = stride == 1 and inputs == outputs

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h2 w2"]:
        return x + self.block(x) if self.is_residual else self.block(x)


def _multiple_of_8(channels: float) -> int:
    """Round to the nearest multiple of 8, but no more than a tenth down."""
    near = max(8, int(channels + 4) // 8 * 8)
    return near if near >= 0.9 * channels else near + 8


class MobileNetEncoder(StagedEncoder):
    """A photo's features at 1, 1/2, 1/4 and 1/8 of its size (halved once more at stride 2), and the latent at 1/16."""

    def __init__(self, backbone: str, channels: int, stride: int, norm: Norm, padding: Padding) -> None:
        super().__init__()
        blocks = _BLOCKS[backbone]
        features: list[nn.Module] = [
            _layer(channels, STEM_CHANNELS, 3, norm, padding, nn.Hardswish(inplace=True), stride=stride)
        ]
        widths = [STEM_CHANNELS]
        for side, hidden, outputs, excites, swishes, block_stride in blocks:
            features.append(
                InvertedResidual(widths[-1], side, hidden, outputs, excites, swishes, block_stride, norm, padding)
            )
            widths.append(outputs)
        # As the paper's last convolution before the pooling has it.
        self.channels = 6 * widths[-1]
        features.append(_layer(widths[-1], self.channels, 1, norm, padding, nn.Hardswish(inplace=True)))
        self.features = nn.Sequential(*features)
        self._taps = _TAPS[backbone]
        self.skip_channels = [widths[tap] for tap in self._taps]

    @property
    def stages(self) -> list[Callable[[Tensor], Tensor]]:
        ends = [0, *(tap + 1 for tap in self._taps), len(self.features)]
        return [self.features[start:end] for start, end in pairwise(ends)]

    @property
    def early(self) -> list[nn.Module]:
        return [self.features]
