"""ResNet encoders (He et al. 2016), named inside as torchvision names them."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor, nn

from easel.materials.models.backbone import StagedEncoder
from easel.materials.models.layers import MaxPool, Norm, Padding, convolution, normalisation

BLOCKS = {
    "resnet18": (2, 2, 2, 2),
    "resnet34": (3, 4, 6, 3),
    "resnet50": (3, 4, 6, 3),
    "resnet101": (3, 4, 23, 3),
    "resnet152": (3, 8, 36, 3),
}
"""Residual blocks in each of the four layers; from 50 on they are bottlenecks."""
WIDTHS = (64, 128, 256, 512)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int, norm: Norm, padding: Padding) -> None:
        super().__init__()
        self.conv1 = convolution(inputs, width, 3, stride=stride, padding=padding)
        self.bn1 = normalisation(norm, width)
        self.conv2 = convolution(width, width, 3, padding=padding)
        self.bn2 = normalisation(norm, width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(inputs, width, stride, norm)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h2 w2"]:
        y = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class Bottleneck(nn.Module):
    """1x1 down, 3x3, 1x1 up, and a shortcut; the 3x3 has the stride, as torchvision has it."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int, norm: Norm, padding: Padding) -> None:
        super().__init__()
        self.conv1 = convolution(inputs, width, 1)
        self.bn1 = normalisation(norm, width)
        self.conv2 = convolution(width, width, 3, stride=stride, padding=padding)
        self.bn2 = normalisation(norm, width)
        self.conv3 = convolution(width, width * self.expansion, 1)
        self.bn3 = normalisation(norm, width * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(inputs, width * self.expansion, stride, norm)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h2 w2"]:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        return self.relu(self.bn3(self.conv3(y)) + self.downsample(x))


def _shortcut(inputs: int, outputs: int, stride: int, norm: Norm) -> nn.Module:
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    return nn.Sequential(convolution(inputs, outputs, 1, stride=stride), normalisation(norm, outputs))


class ResNetEncoder(StagedEncoder):
    """A photo's features at 1, 1/2, 1/4 and 1/8 of its size (halved once more at stride 2), and the latent at 1/16."""

    def __init__(self, backbone: str, channels: int, stride: int, norm: Norm, padding: Padding) -> None:
        super().__init__()
        block = BasicBlock if backbone in ("resnet18", "resnet34") else Bottleneck
        counts = BLOCKS[backbone]
        self.conv1 = convolution(channels, WIDTHS[0], 7, stride=stride, padding=padding)
        self.bn1 = normalisation(norm, WIDTHS[0])
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = MaxPool(padding)
        inputs = WIDTHS[0]
        # Named layer1 to layer4, so that torchvision's weights fit.
        for number, (count, width) in enumerate(zip(counts, WIDTHS, strict=True), 1):
            layers = []
            for index in range(count):
                layers.append(block(inputs, width, 2 if index == 0 and number > 1 else 1, norm, padding))
                inputs = width * block.expansion
            self.add_module(f"layer{number}", nn.Sequential(*layers))
        outputs = [width * block.expansion for width in WIDTHS]
        self.skip_channels = [WIDTHS[0], *outputs[:3]]
        self.channels = outputs[3]

    @property
    def stages(self) -> list[Callable[[Tensor], Tensor]]:
        layers = [self.get_submodule(f"layer{number}") for number in range(1, 5)]
        return [self._stem, lambda x: layers[0](self.maxpool(x)), *layers[1:]]

    @property
    def early(self) -> list[nn.Module]:
        return [self.conv1, self.get_submodule("layer1"), self.get_submodule("layer2")]

    def _stem(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h2 w2"]:
        return self.relu(self.bn1(self.conv1(x)))
