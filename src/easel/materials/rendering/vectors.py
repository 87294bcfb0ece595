"""Vectors at every pixel, and all directions as a picture.

A field of vectors is a tensor (*b, 3, H, W): x, y and z on the axis before the picture's two. Directions are unit
vectors of the world, whose zenith is +z; `plane_camera` says where the material lies in it.

Two pictures hold every direction:

- the equirectangular one (h, 2h) of environment files: zenith in the first row, nadir in the last, +y in the middle
  column and +x a quarter of the width to its right, as someone sees them who stands inside;
- the octahedral one (n, n) of lookups, whose gradient has no pole: Meyer et al. 2010, "On floating-point normal
  vectors".
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

Number = float | int

Vector = tuple[Number, Number, Number] | Tensor
"""One vector as three numbers, or a tensor (*b, 3) of them, one for each material of a batch."""

Vectors = Float[Tensor, "*#b 3 #h #w"]
"""A vector or a colour at every pixel; axes of length 1 broadcast."""
Scalars = Float[Tensor, "*#b 1 #h #w"]
"""A number at every pixel; axes of length 1 broadcast."""


def dot(a: Vectors, b: Vectors) -> Float[Tensor, "*b 1 h w"]:
    """Return a·b at every pixel."""
    return (a * b).sum(dim=-3, keepdim=True)


def length(a: Float[Tensor, "*b 3 h w"]) -> Float[Tensor, "*b 1 h w"]:
    """Return |a|, at least 1e-6: a vector of no length has a finite gradient, and may be divided by it."""
    # Not torch's norm: over three planes it takes five times as long as all the rest of shading a texel
    return dot(a, a).clamp(min=1e-12).sqrt()


def normalize(a: Float[Tensor, "*b 3 h w"]) -> Float[Tensor, "*b 3 h w"]:
    """Return a / |a|; zero vectors stay zero."""
    return a / length(a)


def column(vector: Vector, like: Tensor) -> Float[Tensor, "*b 3 1 1"]:
    """Return `vector` as a field of one pixel, on `like`'s device and in its dtype."""
    return torch.as_tensor(vector, dtype=like.dtype, device=like.device)[..., None, None]


def equirectangular(rows: int) -> Float[Tensor, "3 rows columns"]:
    """Return the directions of an equirectangular picture's pixel centres, (3, rows, 2 · rows)."""
    polar = ((torch.arange(rows) + 0.5) / rows * math.pi)[:, None]
    azimuth = (torch.arange(2 * rows) + 0.5) / rows * math.pi - math.pi
    x = polar.sin() * azimuth.sin()
    y = polar.sin() * azimuth.cos()
    return torch.stack([x, y, polar.cos().expand_as(x)])


def sample_equirectangular(
    pictures: Float[Tensor, "k h w c"], directions: Float[Tensor, "3 n m"]
) -> Float[Tensor, "k c n m"]:
    """Look equirectangular pictures up in the directions, bilinear."""
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
    """Return the directions of the octahedral map's nodes. Inverse of `to_octahedron`.

    Nodes lie on the map's edges, where it folds, so that lookups need no margin. An odd `size` has nodes on both axes
    too, where the map has creases.
    """
    nodes = torch.linspace(-1, 1, size)
    y, x = torch.meshgrid(nodes, nodes, indexing="ij")
    z = 1 - x.abs() - y.abs()
    below = z < 0
    folded_x = torch.where(below, (1 - y.abs()) * _sign(x), x)
    folded_y = torch.where(below, (1 - x.abs()) * _sign(y), y)
    return normalize(torch.stack([folded_x, folded_y, z]))


def to_octahedron(directions: Float[Tensor, "*b 3 h w"]) -> Float[Tensor, "*b 2 h w"]:
    """Return the place in [-1,1]² of each direction on the octahedral map; any length but 0 will do."""
    scaled = directions / directions.abs().sum(dim=-3, keepdim=True)
    upper, z = scaled.split((2, 1), dim=-3)
    lower = (1 - upper.flip(-3).abs()) * _sign(upper)
    return torch.where(z < 0, lower, upper)


def _sign(x: Tensor) -> Tensor:
    """Return 1 or -1."""
    # torch.sign has a 0 as well, which would send a fold to the centre
    return torch.where(x < 0, -1.0, 1.0).to(x)
