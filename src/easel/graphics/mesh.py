"""Triangle meshes with normals and texture coordinates."""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

Number = float | int


@dataclass(frozen=True)
class Mesh:
    """Vertices and the triangles between them, counter-clockwise from outside."""

    positions: Float[Tensor, "n 3"]
    normals: Float[Tensor, "n 3"]
    """Of length 1, outwards."""
    uv: Float[Tensor, "n 2"]
    """Texture coordinates: (0, 0) is a picture's top left corner, (1, 1) its bottom right one."""
    triangles: Int[Tensor, "m 3"]
    closed: bool = False
    """True if it encloses a space, so that back faces need not be drawn."""


def plane(aspect: Number = 1.0) -> Mesh:
    """Return a sheet in the XZ plane that faces +Y, `aspect` = width / height, the picture's first row far (-Z).

    The longer side is 2 long.
    """
    return heightfield(torch.zeros(2, 2), aspect)


def heightfield(heights: Float[Tensor, "h w"], aspect: Number | None = None) -> Mesh:
    """Return `plane` raised by `heights`, at least 2 × 2, in world units; without an `aspect` in that of `heights`."""
    rows, columns = heights.shape
    if aspect is None:
        aspect = columns / rows
    # The longer side is 2 long.
    half_width = min(aspect, 1.0)
    half_depth = min(1 / aspect, 1.0)
    v, u = torch.meshgrid(torch.linspace(0, 1, rows), torch.linspace(0, 1, columns), indexing="ij")
    heights = heights.detach().cpu().float()
    positions = torch.stack([(2 * u - 1) * half_width, heights, (2 * v - 1) * half_depth], dim=-1)
    steps = (2 * half_depth / (rows - 1), 2 * half_width / (columns - 1))
    # The normal of a height field y = h(x, z) is (-∂h/∂x, 1, -∂h/∂z), normalised.
    slope_z, slope_x = torch.gradient(heights, spacing=steps)
    normals = torch.nn.functional.normalize(torch.stack([-slope_x, torch.ones_like(heights), -slope_z], -1), dim=-1)
    return _grid(positions, normals, torch.stack([u, v], dim=-1))


def sphere(rings: int = 48) -> Mesh:
    """Return the unit sphere with a picture around it: its middle faces +Z, its first row is the north pole (+Y)."""
    # The first and the last column lie on the same meridian, for the picture's left edge and for its right one.
    v, u = torch.meshgrid(torch.linspace(0, 1, rings + 1), torch.linspace(0, 1, 2 * rings + 1), indexing="ij")
    polar = math.pi * v
    azimuth = 2 * math.pi * (u - 0.5)
    # On the unit sphere positions are the normals.
    ring = polar.sin()
    positions = torch.stack([ring * azimuth.sin(), polar.cos(), ring * azimuth.cos()], dim=-1)
    return replace(_grid(positions, positions, torch.stack([u, v], dim=-1)), closed=True)


def cube() -> Mesh:
    """Return the cube inscribed in the unit sphere; the picture stands upright on all four sides, front at +Z."""
    face = plane()
    rotations = torch.tensor(_FACE_AXES, dtype=torch.float32)
    positions = 1 / math.sqrt(3) * (face.positions + face.normals) @ rotations
    # Every face has vertices of its own: at an edge of the cube normals differ from face to face.
    first = torch.arange(6, dtype=torch.int32)[:, None, None] * len(face.positions)
    return Mesh(
        positions.flatten(0, 1),
        (face.normals @ rotations).flatten(0, 1),
        face.uv.repeat(6, 1),
        (face.triangles + first).flatten(0, 1),
        closed=True,
    )


_FACE_AXES = (
    ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    ((1, 0, 0), (0, -1, 0), (0, 0, -1)),
    ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    ((-1, 0, 0), (0, 0, -1), (0, -1, 0)),
    ((0, 0, -1), (1, 0, 0), (0, -1, 0)),
    ((0, 0, 1), (-1, 0, 0), (0, -1, 0)),
)
"""Directions of a sheet's own right, out and down on the top, bottom, front, back, right and left of a cube."""


def _grid(positions: Float[Tensor, "h w 3"], normals: Float[Tensor, "h w 3"], uv: Float[Tensor, "h w 2"]) -> Mesh:
    """Connect a grid of vertices by two triangles a cell."""
    rows, columns = positions.shape[:2]
    vertex = torch.arange(rows * columns, dtype=torch.int32).reshape(rows, columns)
    top_left, top_right = vertex[:-1, :-1], vertex[:-1, 1:]
    bottom_left, bottom_right = vertex[1:, :-1], vertex[1:, 1:]
    halves = top_left, bottom_left, top_right, top_right, bottom_left, bottom_right
    triangles = torch.stack(halves, dim=-1).reshape(-1, 3)
    return Mesh(positions.reshape(-1, 3), normals.reshape(-1, 3), uv.reshape(-1, 2), triangles)
