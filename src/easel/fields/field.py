"""A field: coordinates in, values out."""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from easel.fields.config import FieldConfig
from easel.fields.encodings import DenseGrid, FourierEncoding, level_shapes
from easel.fields.networks import MLP


class Field(nn.Module):
    """output(network(encoding(coordinates))), point by point: it knows no picture size and no neighbours."""

    def __init__(self, encoding: FourierEncoding | DenseGrid, network: MLP, output: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.encoding = encoding
        self.network = network
        self.output = output

    @property
    def channels(self) -> int:
        return self.network.widths[-1]

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(parameter.numel() for parameter in self.parameters())

    def forward(self, coords: Float[Tensor, "n d"]) -> Float[Tensor, "n c"]:
        return self.output(self.network(self.encoding(coords)))


def build_field(
    config: FieldConfig, picture_size: tuple[int, int], channels: int = 3, *, generator: torch.Generator
) -> Field:
    """A field with fresh weights, for a picture of (height, width); it lives where the generator lives."""
    if config.encoding == "fourier":
        encoding = FourierEncoding(config.fourier_levels, include_input=True)
        network = MLP(encoding.width(2), channels, config.hidden, config.layers, generator=generator)
        return Field(encoding, network, torch.sigmoid)
    finest = finest_grid(config, picture_size, channels)
    encoding = DenseGrid(config.grid_levels, finest, config.grid_features, generator=generator)
    # Mid-grey at the start; without a sigmoid, whose flat ends slow down highlights and shadows.
    network = MLP(encoding.width(2), channels, config.hidden, config.layers, bias=0.5, generator=generator)
    return Field(encoding, network, nn.Identity())


def finest_grid(config: FieldConfig, picture_size: tuple[int, int], channels: int) -> tuple[int, int]:
    """Nodes (rows, columns) of the finest grid: as many as the parameters allow, at most the picture's size / 1.7."""
    height, width = picture_size
    inputs = config.grid_levels * config.grid_features
    widths = [inputs, *[config.hidden] * (config.layers - 1), channels]
    network = sum((a + 1) * b for a, b in pairwise(widths))
    longest = max(height, width)
    for nodes in range(round(longest / 1.7), 0, -1):
        finest = (round(height * nodes / longest), round(width * nodes / longest))
        grids = config.grid_features * sum(map(math.prod, level_shapes(config.grid_levels, finest, 2.0)))
        if grids + network <= config.parameters:
            return finest
    return (2, 2)
