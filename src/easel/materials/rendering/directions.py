"""All directions as a picture: the map of the world that files hold, and the folded octahedron that lookups use.

The world's zenith is +z. An equirectangular picture (h, w) has the zenith in its first row and the nadir in its last;
+y lies in the middle column, +x a quarter of the width to the right of it, as someone sees them who stands inside.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from easel.materials.rendering.vectors import normalize


def equirectangular(rows: int) -> Float[Tensor, "3 rows columns"]:
    """The directions of an equirectangular picture's pixel centres; it is twice as wide as high."""
    polar = ((torch.arange(rows) + 0.5) / rows * math.pi)[:, None]
    azimuth = (torch.arange(2 * rows) + 0.5) / rows * math.pi - math.pi
    x, y = polar.sin() * azimuth.sin(), polar.sin() * azimuth.cos()
    return torch.stack([x, y, polar.cos().expand_as(x)])


def sample_equirectangular(
    pictures: Float[Tensor, "k h w c"], directions: Float[Tensor, "3 n m"]
) -> Float[Tensor, "k c n m"]:
    """What equirectangular pictures show in those directions, bilinear."""
    height, width = pictures.shape[1:3]
    x, y, z = directions
    column = (torch.atan2(x, y) / (2 * math.pi) + 0.5) * width - 0.5
    row = torch.acos(z.clamp(-1, 1)) / math.pi * height - 0.5
    # One more column on each side: the first and the last are neighbours
    wrapped = torch.cat([pictures[:, :, -1:], pictures, pictures[:, :, :1]], dim=2).permute(0, 3, 1, 2)
    grid = torch.stack([2 * (column + 1) / (width + 1) - 1, 2 * row / max(height - 1, 1) - 1], dim=-1)
    grid = grid.to(pictures).expand(len(pictures), -1, -1, -1)
    return torch.nn.functional.grid_sample(wrapped, grid, align_corners=True, padding_mode="border")


def octahedron(size: int) -> Float[Tensor, "3 size size"]:
    """The directions of the octahedral map's nodes. Inverse of `to_octahedron`.

    Meyer et al. 2010, "On floating-point normal vectors". Unlike the equirectangular map it has no pole where a
    lookup's gradient would have no bounds; nodes lie on its edges, where it folds, so that lookups need no margin. An
    odd `size` has nodes on both axes too, where the map has creases.
    """
    nodes = torch.linspace(-1, 1, size)
    y, x = torch.meshgrid(nodes, nodes, indexing="ij")
    z = 1 - x.abs() - y.abs()
    below = z < 0
    folded_x = torch.where(below, (1 - y.abs()) * _sign(x), x)
    folded_y = torch.where(below, (1 - x.abs()) * _sign(y), y)
    return normalize(torch.stack([folded_x, folded_y, z]))


def to_octahedron(directions: Float[Tensor, "*b 3 h w"]) -> Float[Tensor, "*b 2 h w"]:
    """Where in [-1,1]² directions other than 0 lie on the octahedral map."""
    scaled = directions / directions.abs().sum(dim=-3, keepdim=True)
    upper, z = scaled[..., :2, :, :], scaled[..., 2:, :, :]
    lower = (1 - upper.flip(-3).abs()) * _sign(upper)
    return torch.where(z < 0, lower, upper)


def _sign(x: Tensor) -> Tensor:
    """1 and -1; `sign` has a 0 as well, which would send a fold to the centre."""
    return torch.where(x < 0, -1.0, 1.0).to(x)
