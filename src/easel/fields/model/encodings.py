"""Encodings: functions of the coordinates that a network takes in instead of the bare ones.

Each is a module from (n, dimensions) to (n, width(dimensions)), point by point.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import grid_sample, normalize, pad

from easel.fields.model.grids import corners_of, ravel
from easel.fields.model.streams import stream


class Identity(nn.Module):
    """The coordinates as they are."""

    def width(self, dimensions: int) -> int:
        """Return the number of features for that many coordinates."""
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
        """Return the number of features for that many coordinates."""
        return dimensions * (2 * self.num_freqs + self.include_input)

    def factors(self, like: Tensor) -> Float[Tensor, " num_freqs"]:
        """Return 2^i π, in the precision and on the device of that tensor."""
        return math.pi * 2.0 ** torch.arange(self.num_freqs, device=like.device, dtype=like.dtype)

    def forward(self, coords: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        angles = coords[:, :, None] * self.factors(coords)
        # Two orders, each that of the saved weights behind it.
        if self.include_input:
            return torch.cat([coords, angles.sin().flatten(1), angles.cos().flatten(1)], dim=1)
        return torch.cat([angles.sin(), angles.cos()], dim=-1).flatten(1)


class RandomFourier(nn.Module):
    """sin(2π B x) and cos(2π B x), B from N(0, sigma²): all sines, then all cosines (Tancik et al. 2020)."""

    directions: Tensor

    def __init__(self, num: int = 128, sigma: float | int = 10.0, seed: int = 0, *, inputs: int = 2) -> None:
        """Draw `num` directions over that many inputs; sigma in periods for every unit of a coordinate."""
        super().__init__()
        self.num = num
        # A buffer of a stream of its own: a recipe needs only the seed to bring the directions back.
        drawn = sigma * torch.randn(num, inputs, generator=stream(seed, "random_fourier"))
        self.register_buffer("directions", drawn)

    def width(self, dimensions: int) -> int:
        """Return the number of features, the same for any number of coordinates."""
        return 2 * self.num

    def forward(self, coords: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        angles = 2 * math.pi * coords @ self.directions.T
        return torch.cat([angles.sin(), angles.cos()], dim=1)


class OneBlob(nn.Module):
    """A Gaussian bump over `bins` bins of [-1, 1], as wide as a bin, for every coordinate (Müller et al. 2019)."""

    def __init__(self, bins: int = 16) -> None:
        super().__init__()
        self.bins = bins

    def width(self, dimensions: int) -> int:
        """Return the number of features for that many coordinates."""
        return dimensions * self.bins

    def forward(self, coords: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        # Bins as wide as their distance: neighbours overlap, and no point lies between two bumps unseen.
        centres = (2 * torch.arange(self.bins, device=coords.device) + 1 - self.bins) / self.bins
        distance = (coords[:, :, None] - centres) * (self.bins / 2)  # in bins
        return (-0.5 * distance.square()).exp().flatten(1)


class SphericalHarmonics(nn.Module):
    """Real spherical harmonics of the direction to a point, degrees 0 to `degree` - 1 (Sloan 2008, appendix A2).

    Points of fewer than three coordinates lie on the plane z = 1, as a picture lies before an eye; coordinates beyond
    the third pass as they are. The centre of space has no direction: it gets zeros, but for degree 0.
    """

    def __init__(self, degree: int = 4) -> None:
        super().__init__()
        # Written out to degree 4, as in the usual tables; a recursion for more would be slower for all.
        if not 1 <= degree <= 4:
            raise ValueError(f"spherical harmonics are known up to degree 4; got {degree}.")
        self.degree = degree

    def width(self, dimensions: int) -> int:
        """Return the number of features for that many coordinates."""
        return self.degree**2 + max(0, dimensions - 3)

    def forward(self, coords: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        points = coords[:, :3]
        if points.shape[1] < 3:
            points = pad(points, (0, 2 - points.shape[1]))
            points = pad(points, (0, 1), value=1.0)
        # normalize() divides by at least 1e-12, so that the centre gives zeros instead of NaN.
        x, y, z = normalize(points, dim=1).unbind(1)
        xx, yy, zz = x * x, y * y, z * z
        bands = [torch.full_like(x, 0.28209479177387814)]
        if self.degree > 1:
            bands += [-0.48860251190291987 * y, 0.48860251190291987 * z, -0.48860251190291987 * x]
        if self.degree > 2:
            bands += [1.0925484305920792 * x * y, -1.0925484305920792 * y * z]
            bands += [0.31539156525252005 * (2 * zz - xx - yy), -1.0925484305920792 * x * z]
            bands += [0.5462742152960396 * (xx - yy)]
        if self.degree > 3:
            bands += [-0.5900435899266435 * y * (3 * xx - yy), 2.890611442640554 * x * y * z]
            bands += [-0.4570457994644657 * y * (4 * zz - xx - yy), 0.3731763325901154 * z * (2 * zz - 3 * xx - 3 * yy)]
            bands += [-0.4570457994644657 * x * (4 * zz - xx - yy), 1.445305721320277 * z * (xx - yy)]
            bands += [-0.5900435899266435 * x * (xx - 3 * yy)]
        return torch.cat([torch.stack(bands, dim=1), coords[:, 3:]], dim=1)


class DenseGrid(nn.Module):
    """Grids of learned features over [-1, 1]^d, d = 1 to 4, each `growth` times finer than the one before.

    A level with n nodes on an axis has them from -1 to 1, both included; between nodes features are multilinear.
    `finest` is the node count of the last level on every axis. Levels that would have fewer than 2 nodes on every axis
    are left out. All levels lie behind each other in one `table`, coarsest first, each (features, *nodes): one vector
    for the optimizer and for the CPU kernel.
    """

    table: nn.Parameter

    def __init__(
        self,
        levels: int,
        finest: Sequence[int],
        features: int,
        growth: float = 2.0,
        *,
        bound: float = 1e-2,
        generator: torch.Generator,
    ) -> None:
        """Features begin as U(-bound, bound)."""
        super().__init__()
        self.features = features
        self.shapes = level_shapes(levels, finest, growth)
        numbers = sum(features * math.prod(shape) for shape in self.shapes)
        # Small, so that the picture first grows out of the network, and not zero, so that the features differ.
        self.table = nn.Parameter(
            torch.empty(numbers, device=generator.device).uniform_(-bound, bound, generator=generator)
        )

    def width(self, dimensions: int) -> int:
        """Return the number of features: those of all levels, side by side."""
        return len(self.shapes) * self.features

    def forward(self, coords: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        # grid_sample knows pictures and volumes alone, which it interpolates in one call a level.
        if coords.shape[1] not in (2, 3):
            return torch.cat([interpolated(level, coords) for level in self.levels()], dim=1)
        # It wants (x, y, z), the last axis of the array first.
        points = coords.flip(-1).view(1, *[1] * (coords.shape[1] - 1), *coords.shape)
        # Corners on -1 and 1: nodes of all levels then share the borders of the view.
        encoded = []
        for level in self.levels():
            sampled = grid_sample(level[None], points, mode="bilinear", padding_mode="border", align_corners=True)
            encoded.append(sampled.view(self.features, -1))
        return torch.cat(encoded).T

    def levels(self) -> list[Tensor]:
        """Return the table as one (features, *nodes) view a level, coarsest first."""
        numbers = [self.features * math.prod(shape) for shape in self.shapes]
        views = zip(self.table.split(numbers), self.shapes, strict=True)
        return [numbers.view(self.features, *shape) for numbers, shape in views]


def interpolated(level: Float[Tensor, "f *nodes"], coords: Float[Tensor, "n d"]) -> Float[Tensor, "n f"]:
    """Return the features at these points, multilinear between the nodes; in any dimension."""
    nodes = level.shape[1:]
    table = level.flatten(1).T
    parts = [table[ravel(node, nodes)] * weight[:, None] for node, weight in corners_of(coords, nodes)]
    return torch.stack(parts).sum(dim=0)


def level_shapes(levels: int, finest: Sequence[int], growth: float) -> list[tuple[int, ...]]:
    """Return the node counts of every level, coarsest first; at least 2 on an axis, and no level twice."""
    # dict, not set: the order is that of the table.
    wanted = (tuple(max(2, round(n / growth**level)) for n in finest) for level in range(levels))
    return list(dict.fromkeys(wanted))[::-1]
