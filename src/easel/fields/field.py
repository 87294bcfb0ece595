"""A field: coordinates in, values out."""

import math
from collections.abc import Callable

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
    finest = finest_grid(config, picture_size)
    encoding = DenseGrid(config.grid_levels, finest, config.grid_features, generator=generator)
    # Mid-grey at the start; without a sigmoid, whose flat ends slow down highlights and shadows.
    network = MLP(encoding.width(2), channels, config.hidden, config.layers, bias=0.5, generator=generator)
    return Field(encoding, network, nn.Identity())


def finest_grid(config: FieldConfig, picture_size: tuple[int, int]) -> tuple[int, int]:
    """Nodes (rows, columns) of the finest grid: as many as the config affords, at most one for every pixel."""
    longest = max(picture_size)
    for nodes in range(longest, 2, -1):
        rows, columns = (round(samples * nodes / longest) for samples in picture_size)
        shapes = level_shapes(config.grid_levels, (rows, columns), 2.0)
        if config.grid_features * sum(map(math.prod, shapes)) <= config.grid_parameters:
            return rows, columns
    return 2, 2
