"""Meshes: surfaces as triangles, with what a texture and a light need to know at every corner."""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

Number = float | int


@dataclass(frozen=True)
class Mesh:
    """Corners and the triangles between them, counter-clockwise from outside."""

    positions: Float[Tensor, "n 3"]
    normals: Float[Tensor, "n 3"]
    """Of length 1, outwards."""
    uv: Float[Tensor, "n 2"]
    """Where a picture's colour is found: (0, 0) its top left corner, (1, 1) its bottom right one."""
    triangles: Int[Tensor, "m 3"]
    closed: bool = False
    """It has an inside, which nobody sees from outside."""


def plane(aspect: Number = 1.0) -> Mesh:
    """A sheet in the XZ plane that faces +Y, `aspect` = width / height of its picture, whose first row is far (-Z).

    The longer side is 2 long.
    """
    return heightfield(torch.zeros(2, 2), aspect)


def heightfield(heights: Float[Tensor, "h w"], aspect: Number | None = None) -> Mesh:
    """`plane` raised by `heights` (at least 2 × 2, in world units), whose own aspect it has if none is given."""
    rows, columns = heights.shape
    half_width, half_depth = _half_sides(columns / rows if aspect is None else aspect)
    v, u = torch.meshgrid(torch.linspace(0, 1, rows), torch.linspace(0, 1, columns), indexing="ij")
    heights = heights.detach().cpu().float()
    positions = torch.stack([(2 * u - 1) * half_width, heights, (2 * v - 1) * half_depth], dim=-1)
    steps = (2 * half_depth / (rows - 1), 2 * half_width / (columns - 1))
    slope_z, slope_x = torch.gradient(heights, spacing=steps)
    normals = torch.nn.functional.normalize(torch.stack([-slope_x, torch.ones_like(heights), -slope_z], -1), dim=-1)
    return _grid(positions, normals, torch.stack([u, v], dim=-1))


def sphere(rings: int = 48) -> Mesh:
    """The unit sphere, the picture wrapped around it: its middle faces +Z, its first row is the north pole (+Y)."""
    v, u = torch.meshgrid(torch.linspace(0, 1, rings + 1), torch.linspace(0, 1, 2 * rings + 1), indexing="ij")
    polar, azimuth = math.pi * v, 2 * math.pi * (u - 0.5)
    ring = polar.sin()
    positions = torch.stack([ring * azimuth.sin(), polar.cos(), ring * azimuth.cos()], dim=-1)
    return replace(_grid(positions, positions, torch.stack([u, v], dim=-1)), closed=True)


def cube() -> Mesh:
    """The cube inscribed in the unit sphere; the picture stands upright on all four sides, as on the front, +Z."""
    front = plane()
    half = 1 / math.sqrt(3)
    positions, normals, triangles = [], [], []
    for number, rotation in enumerate(_CUBE_TURNS):
        turn = torch.tensor(rotation, dtype=torch.float32)
        positions.append(half * (front.positions + front.normals) @ turn)
        normals.append(front.normals @ turn)
        triangles.append(front.triangles + number * len(front.positions))
    return Mesh(torch.cat(positions), torch.cat(normals), front.uv.repeat(6, 1), torch.cat(triangles), True)


_CUBE_TURNS = (
    ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    ((1, 0, 0), (0, -1, 0), (0, 0, -1)),
    ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    ((-1, 0, 0), (0, 0, -1), (0, -1, 0)),
    ((0, 0, -1), (1, 0, 0), (0, -1, 0)),
    ((0, 0, 1), (-1, 0, 0), (0, -1, 0)),
)
"""Where a sheet's own right, out and down point on the top, bottom, front, back, right and left."""


def _half_sides(aspect: Number) -> tuple[float, float]:
    """Half the width and half the depth of a sheet whose longer side is 2."""
    return min(aspect, 1.0), min(1 / aspect, 1.0)


def _grid(positions: Float[Tensor, "h w 3"], normals: Float[Tensor, "h w 3"], uv: Float[Tensor, "h w 2"]) -> Mesh:
    """The mesh over a grid of corners, two triangles a cell."""
    rows, columns = positions.shape[:2]
    corner = torch.arange(rows * columns, dtype=torch.int32).reshape(rows, columns)
    top_left, top_right, bottom_left, bottom_right = corner[:-1, :-1], corner[:-1, 1:], corner[1:, :-1], corner[1:, 1:]
    halves = top_left, bottom_left, top_right, top_right, bottom_left, bottom_right
    triangles = torch.stack(halves, dim=-1).reshape(-1, 3)
    return Mesh(positions.reshape(-1, 3), normals.reshape(-1, 3), uv.reshape(-1, 2), triangles)
