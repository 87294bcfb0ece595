"""A field: coordinates in, values out."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from easel.fields.model.config import FieldConfig
from easel.fields.model.coordinates import norm
from easel.fields.model.encodings import DenseGrid, FourierEncoding, Identity, RandomFourier, level_shapes
from easel.fields.model.grids import HashGrid
from easel.fields.model.networks import NETWORKS

Encoding = FourierEncoding | RandomFourier | Identity | HashGrid | DenseGrid


class Field(nn.Module):
    """output(network(encoding(coordinates))), point by point: it knows no picture size and no neighbours.

    A field may have a latent z, one vector for all points, and may see the distance of a point from the centre.

        field = fields.build_field(fields.FieldConfig(), (512, 512), generator=torch.Generator())
        values = field(coords)                       # (n, 2) in [-1, 1] to (n, 3)
    """

    encoding: Any
    """A module from (n, inputs) to (n, features)."""
    network: Any
    """A module from (n, features), and z where there is one, to (n, channels)."""
    latent: Tensor | None

    def __init__(
        self,
        encoding: nn.Module,
        network: nn.Module,
        output: Callable[[Tensor], Tensor],
        *,
        dimensions: int = 2,
        latent: Tensor | None = None,
        radius: bool = False,
    ) -> None:
        """A latent that is a Parameter is fitted; `radius` makes the Euclidean norm the encoding's last input."""
        super().__init__()
        self.encoding = encoding
        self.network = network
        self.output = output
        self.dimensions = dimensions
        self.radius = radius
        if isinstance(latent, nn.Parameter):
            self.latent = latent
        else:
            # A buffer travels with the weights, into checkpoints and to other devices.
            self.register_buffer("latent", latent)

    @property
    def channels(self) -> int:
        return self.network.channels

    @property
    def latent_dim(self) -> int:
        """Numbers of z; 0 without a latent."""
        return 0 if self.latent is None else len(self.latent)

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(parameter.numel() for parameter in self.parameters())

    def inputs(self, coords: Float[Tensor, "n k"]) -> Float[Tensor, "n i"]:
        """Append the radius where the field sees it; coordinates that already have it as one more column pass."""
        if self.radius and coords.shape[1] == self.dimensions:
            return torch.cat([coords, norm(coords)], dim=1)
        return coords

    def forward(self, coords: Float[Tensor, "n k"], z: Float[Tensor, " l"] | None = None) -> Float[Tensor, "n c"]:
        """Return the values at these points; `z` stands in for the field's own latent."""
        features = self.encoding(self.inputs(coords))
        z = self.latent if z is None else z
        return self.output(self.network(features) if z is None else self.network(features, z))


def build_field(
    config: FieldConfig, picture_size: Sequence[int], channels: int = 3, *, generator: torch.Generator
) -> Field:
    """Create a field with fresh weights for a picture (height, width), a volume (X, Y, Z), or 1 or 4 axes.

    It lies on the generator's device. ValueError for more axes, or none.
    """
    dimensions = len(picture_size)
    if not 1 <= dimensions <= 4:
        raise ValueError(f"fields have 1 to 4 dimensions; got the size {tuple(picture_size)}.")
    encoding = _encoding(config, picture_size, generator)
    arguments: dict[str, Any] = {"generator": generator}
    if config.network != "relu":
        arguments |= {"omega": config.omega, "omega_hidden": config.omega_hidden}
    output = nn.Identity()
    if config.encoding == "fourier" and config.network == "relu":
        output = torch.sigmoid
    else:
        # Mid-grey at the start; without a sigmoid, whose flat ends slow down highlights and shadows.
        arguments["bias"] = 0.5
    shape = (encoding.width(dimensions), channels, config.hidden, config.layers)
    network = NETWORKS[config.network](*shape, **arguments)
    return Field(encoding, network, output, dimensions=dimensions)


def _encoding(config: FieldConfig, size: Sequence[int], generator: torch.Generator) -> Encoding:
    match config.encoding:
        case "fourier":
            return FourierEncoding(config.fourier_levels, include_input=True)
        case "random_fourier":
            # A seed of the generator's: directions are drawn on the CPU, alike for every device.
            seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
            features = RandomFourier(config.random_features, config.random_sigma, seed, inputs=len(size))
            return features.to(generator.device)
        case "identity":
            return Identity()
        case "hash":
            table = {"features": config.grid_features, "log2_table": config.hash_log2_table}
            return HashGrid(config.grid_levels, **table, finest=size, dimensions=len(size), generator=generator)
        case "grid":
            return DenseGrid(config.grid_levels, finest_grid(config, size), config.grid_features, generator=generator)


def finest_grid(config: FieldConfig, picture_size: Sequence[int]) -> tuple[int, ...]:
    """Return the nodes on every axis of the finest grid: as many as the config affords, at most one for every pixel."""
    longest = max(picture_size)
    # By trial, from above: rounding makes the number of nodes a staircase that no formula inverts.
    for nodes in range(longest, 2, -1):
        finest = tuple(round(samples * nodes / longest) for samples in picture_size)
        shapes = level_shapes(config.grid_levels, finest, 2.0)
        if config.grid_features * sum(map(math.prod, shapes)) <= config.grid_parameters:
            return finest
    return (2,) * len(picture_size)
