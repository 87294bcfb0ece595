"""Meshes to show a material on in other programs: `render_plane`'s sheet and `render_sphere`'s ball, with tangents.

Axes are glTF's: Easel's (x, y, z) is (x, z, -y) there, so that +y is up. uv (0, 0) is a picture's top left corner.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from easel.graphics.mesh import Mesh, plane, sphere
from easel.materials.rendering.plane_camera import TILE_SIDE
from easel.materials.rendering.sphere import RADIUS

Number = float | int
RINGS = 48
"""Of the ball from pole to pole: its outline then strays from the circle by 1/2000 of the radius."""


@dataclass(frozen=True)
class TangentMesh:
    """A mesh that normal maps can be laid on."""

    mesh: Mesh
    tangents: Float[Tensor, "n 4"]
    """Direction in which u grows, of length 1, and 1: the bitangent is normal × tangent, up the picture."""


def sheet(repeats: Number) -> TangentMesh:
    """Build a sheet that faces +y, with `repeats` tiles each way, the middle of one in its own middle."""
    flat = plane()
    uv = repeats * (flat.uv - 0.5) + 0.5
    # Tiles keep their world size: a larger sheet shows more of them.
    mesh = Mesh(flat.positions * (repeats * TILE_SIDE / 2), flat.normals, uv, flat.triangles)
    return TangentMesh(mesh, torch.tensor([1.0, 0, 0, 1]).expand(len(uv), 4))


def ball(repeats: Number) -> TangentMesh:
    """Build a ball with `repeats` tiles from pole to pole and twice as many around; its front, +z, is at u = 0."""
    unit = sphere(RINGS)
    around, down = unit.uv.unbind(-1)
    uv = torch.stack([2 * repeats * (around - 0.5), 1 - repeats * (1 - down)], dim=-1)
    # By the azimuth, not by the normal, which has none at the poles
    azimuth = 2 * math.pi * (around - 0.5)
    zero = torch.zeros_like(azimuth)
    tangents = torch.stack([azimuth.cos(), zero, -azimuth.sin(), zero + 1], dim=-1)
    return TangentMesh(Mesh(unit.positions * RADIUS, unit.normals, uv, unit.triangles, True), tangents)
