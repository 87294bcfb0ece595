"""The sheet and the ball: tangents follow the texture, and texels lie where our own renders have them."""

import math

import pytest
import torch

from easel.materials.asset_export.meshes import ball, sheet

SHAPES = pytest.mark.parametrize("shape", [sheet, ball])


@SHAPES
def test_tangents_are_orthonormal_and_right_handed(shape):
    found = shape(2)
    tangents, normals = found.tangents[:, :3], found.mesh.normals
    assert torch.allclose(tangents.norm(dim=-1), torch.ones(len(tangents)))
    assert (tangents * normals).sum(-1).abs().max() < 1e-6
    assert (found.tangents[:, 3] == 1).all()


@SHAPES
def test_tangents_follow_u_and_bitangents_go_up_the_picture(shape):
    found = shape(3)
    mesh = found.mesh
    corners, uv = mesh.positions[mesh.triangles], mesh.uv[mesh.triangles]
    edges, steps = corners[:, 1:] - corners[:, :1], uv[:, 1:] - uv[:, :1]
    # A triangle at a pole has two corners in one place
    whole = torch.linalg.cross(edges[:, 0], edges[:, 1]).norm(dim=-1) > 1e-7
    along = torch.linalg.solve(steps[whole], edges[whole])
    u, v = torch.nn.functional.normalize(along, dim=-1).unbind(1)
    inside = mesh.triangles[whole]
    tangents = found.tangents[inside].mean(1)[:, :3]
    bitangents = torch.linalg.cross(mesh.normals[inside].mean(1), tangents)
    # Near the poles a flat triangle says little of where u goes
    away = corners[whole].mean(1)[:, 1].abs() < 0.2
    assert ((tangents * u).sum(-1)[away] > 0.99).all()
    assert ((bitangents * -v).sum(-1)[away] > 0.99).all()


def test_texels_lie_where_our_renders_have_them():
    flat = sheet(3).mesh
    x, _, z = flat.positions.unbind(-1)
    # render_plane: u = 2x + 1/2, v = 2y + 1/2 upwards; our y is -z
    assert torch.allclose(flat.uv, torch.stack([2 * x + 0.5, 1 - (-2 * z + 0.5)], dim=-1))

    around, rows = ball(3).mesh, 3
    x, y, z = around.normals.unbind(-1)
    inside = (around.uv[:, 0].abs() < rows - 1e-3) & (y.abs() < 0.999)  # one meridian is both ends of u
    azimuth, latitude = torch.atan2(x, z), torch.asin(y.clamp(-1, 1))
    expected = torch.stack([2 * rows * azimuth / (2 * math.pi), 1 - rows * (latitude / math.pi + 0.5)], dim=-1)
    assert torch.allclose(around.uv[inside], expected[inside], atol=1e-4)
