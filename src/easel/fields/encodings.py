"""Encodings: what a network sees instead of bare coordinates."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import grid_sample

ENCODINGS = ("identity", "fourier")
"""Known by these names."""


class Identity(nn.Module):
    """The coordinates as they are."""

    def width(self, dimensions: int) -> int:
        """Numbers that come out for that many coordinates."""
        return dimensions

    def forward(self, coords: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        return coords


class FourierEncoding(nn.Module):
    """sin(2^i π x) and cos(2^i π x) of every coordinate, i = 0 … num_freqs - 1 (NeRF, eq. 4).

    Per coordinate all sines, then all cosines. `include_input` gives the order [x, sines of all, cosines of all].
    """

    def __init__(self, num_freqs: int, include_input: bool = False) -> None:
        super().__init__()
        self.num_freqs = num_freqs
        self.include_input = include_input

    def width(self, dimensions: int) -> int:
        """Numbers that come out for that many coordinates."""
        return dimensions * (2 * self.num_freqs + self.include_input)

    def forward(self, coords: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        frequencies = math.pi * 2.0 ** torch.arange(self.num_freqs, device=coords.device, dtype=coords.dtype)
        angles = coords[:, :, None] * frequencies
        if self.include_input:
            return torch.cat([coords, angles.sin().flatten(1), angles.cos().flatten(1)], dim=1)
        return torch.cat([angles.sin(), angles.cos()], dim=-1).flatten(1)


class DenseGrid(nn.Module):
    """Grids of learned features over [-1, 1]^d, d = 2 or 3, each `growth` times finer than the one before.

    A level with n nodes on an axis has them from -1 to 1, both included; between nodes features are multilinear.
    `finest` is the node count of the last level on every axis. Levels that would have fewer than 2 nodes on every axis
    are left out. All levels lie behind each other in one `table`, coarsest first, each (features, *nodes).
    """

    table: nn.Parameter

    def __init__(
        self, levels: int, finest: Sequence[int], features: int, growth: float = 2.0, *, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.features = features
        self.shapes = level_shapes(levels, finest, growth)
        numbers = sum(features * math.prod(shape) for shape in self.shapes)
        # Small, so that the picture first grows out of the network, and not zero, so that the features differ.
        self.table = nn.Parameter(
            torch.empty(numbers, device=generator.device).uniform_(-1e-2, 1e-2, generator=generator)
        )

    def width(self, dimensions: int) -> int:
        """Numbers that come out for every point."""
        return len(self.shapes) * self.features

    def forward(self, coords: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        points = coords.flip(-1).view(1, *[1] * (coords.shape[1] - 1), *coords.shape)  # grid_sample wants (x, y, z)
        encoded = []
        for level in self.levels():
            sampled = grid_sample(level[None], points, mode="bilinear", padding_mode="border", align_corners=True)
            encoded.append(sampled.view(self.features, -1))
        return torch.cat(encoded).T

    def levels(self) -> list[Tensor]:
        """The table as one (features, *nodes) view a level, coarsest first."""
        numbers = [self.features * math.prod(shape) for shape in self.shapes]
        views = zip(self.table.split(numbers), self.shapes, strict=True)
        return [numbers.view(self.features, *shape) for numbers, shape in views]


def level_shapes(levels: int, finest: Sequence[int], growth: float) -> list[tuple[int, ...]]:
    """Node counts of every level, coarsest first; at least 2 on an axis, and no level twice."""
    wanted = (tuple(max(2, round(n / growth**level)) for n in finest) for level in range(levels))
    return list(dict.fromkeys(wanted))[::-1]
