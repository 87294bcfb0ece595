"""Surfaces are closed, face outwards, and carry a picture the right way up."""

import pytest
import torch

from easel.graphics.mesh import Mesh, cube, heightfield, plane, sphere

WAVES = 0.2 * torch.sin(torch.linspace(0, 6, 20))[:, None] * torch.cos(torch.linspace(0, 6, 30))


@pytest.mark.parametrize("mesh", [plane(), plane(2.5), sphere(12), cube(), heightfield(WAVES)])
def test_triangles_turn_counter_clockwise_around_their_normals(mesh: Mesh):
    corners = mesh.positions[mesh.triangles.long()]
    across = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    facing = (across * mesh.normals[mesh.triangles.long()].sum(1)).sum(-1)
    assert (facing >= -1e-6).all() and (facing > 0).float().mean() > 0.9  # at a pole, triangles have no area
    torch.testing.assert_close(mesh.normals.norm(dim=-1), torch.ones(len(mesh.normals)))
    assert mesh.uv.min() == 0 and mesh.uv.max() == 1


@pytest.mark.parametrize(("mesh", "volume"), [(sphere(48), 4 / 3 * torch.pi), (cube(), (2 / 3**0.5) ** 3)])
def test_solids_enclose_their_volume_within_the_unit_sphere(mesh: Mesh, volume):
    a, b, c = mesh.positions[mesh.triangles.long()].unbind(1)
    enclosed = (a * torch.linalg.cross(b, c)).sum(-1).sum() / 6  # Gauss
    assert enclosed.item() == pytest.approx(volume, rel=5e-3)
    assert mesh.positions.norm(dim=-1).max().item() == pytest.approx(1)
    assert mesh.closed


@pytest.mark.parametrize("aspect", [0.5, 1.0, 1.5, 3.0])
def test_a_sheet_has_its_picture_s_aspect_and_a_longer_side_of_two(aspect):
    low, high = plane(aspect).positions.aminmax(dim=0)
    width, height, depth = (high - low).tolist()
    assert width / depth == pytest.approx(aspect) and max(width, depth) == 2 and height == 0
    assert not plane(aspect).closed


def test_the_first_row_of_a_picture_is_far_and_its_first_column_left():
    mesh = plane()
    first = mesh.positions[(mesh.uv == 0).all(dim=1)]
    assert first.tolist() == [[-1, 0, -1]]


@pytest.mark.parametrize("side", [(1.0, 0.0, 0.0), (-1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 0.0, -1.0)])
def test_a_picture_stands_upright_on_the_sides_of_a_cube(side):
    mesh = cube()
    on_side = (mesh.normals == torch.tensor(side)).all(dim=1)
    assert on_side.sum() == 4
    top = mesh.positions[on_side & (mesh.uv[:, 1] == 0)]
    assert (top[:, 1] > 0).all()
    left, right = (mesh.positions[on_side & (mesh.uv[:, 0] == u)].mean(0) for u in (0, 1))
    to_the_right = torch.linalg.cross(torch.tensor([0.0, 1.0, 0.0]), torch.tensor(side))
    assert ((right - left) * to_the_right).sum() > 0


def test_a_heightfield_s_normals_are_those_of_its_slope():
    slope = torch.linspace(0, 1, 9).expand(5, 9)
    mesh = heightfield(slope, 1.0)
    expected = torch.nn.functional.normalize(torch.tensor([-0.5, 1.0, 0.0]), dim=0)  # up by one over two units
    torch.testing.assert_close(mesh.normals, expected.expand(45, 3))
