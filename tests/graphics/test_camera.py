"""Cameras point where they say, and what is projected comes back along its ray."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from easel.graphics.camera import (
    Camera,
    apply_homography,
    homography,
    look_at,
    orbit_pose,
    perspective,
    project,
    rays,
    view_of,
)

ANGLES = st.floats(-1.4, 1.4)
DISTANCES = st.floats(0.2, 20.0)
POINTS = st.tuples(*[st.floats(-3.0, 3.0)] * 3)
SIZE = (60, 80)


def close(ours: Tensor, theirs: Tensor, tolerance: float = 1e-4) -> None:
    torch.testing.assert_close(ours.float(), theirs.float(), rtol=tolerance, atol=tolerance)


@given(ANGLES, ANGLES, DISTANCES, POINTS)
@settings(max_examples=40, deadline=None)
def test_an_orbiting_camera_stands_where_the_angles_say_and_looks_at_its_target(azimuth, elevation, distance, target):
    pose = orbit_pose(azimuth, elevation, distance, target)
    away = torch.tensor(
        [math.cos(elevation) * math.sin(azimuth), math.sin(elevation), math.cos(elevation) * math.cos(azimuth)]
    )
    close(pose[:3, 3], torch.tensor(target) + distance * away)
    close(pose, look_at(pose[:3, 3], torch.tensor(target)), 1e-3)
    seen = project(torch.tensor([target]), pose, 45.0, SIZE)[0]
    close(seen, torch.tensor([40.0, 30.0, distance]), 1e-3)


@given(ANGLES, ANGLES, DISTANCES, POINTS)
@settings(max_examples=20, deadline=None)
def test_a_pose_is_a_right_handed_frame_and_a_view_undoes_it(azimuth, elevation, distance, target):
    pose = orbit_pose(azimuth, elevation, distance, target)
    close(view_of(pose) @ pose, torch.eye(4))
    close(view_of(view_of(pose)), pose)
    assert torch.linalg.det(pose[:3, :3]).item() == pytest.approx(1, abs=1e-5)


@given(ANGLES, ANGLES, st.floats(10.0, 120.0), st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_a_ray_through_a_projected_point_meets_it(azimuth, elevation, fov, seed):
    pose = orbit_pose(azimuth, elevation, 5.0)
    points = torch.rand(7, 3, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    seen = project(points, pose, fov, SIZE)
    eye, directions = rays(seen[:, :2], pose, fov, SIZE)
    along = ((points - eye) * directions).sum(-1, keepdim=True)
    assert (along > 0).all()
    close(eye + along * directions, points, 1e-3)


@pytest.mark.parametrize(
    ("point", "pixel"), [((0, 0, 0), (40, 30)), ((1, 0, 0), (70, 30)), ((0, 1, 0), (40, 0)), ((0, -1, 0), (40, 60))]
)
def test_right_is_right_and_up_is_up(point, pixel):
    """From two units in front, with a field of view that shows two units of height."""
    fov = 2 * math.degrees(math.atan(0.5))
    seen = project(torch.tensor([point]).float(), orbit_pose(0, 0, 2), fov, SIZE)[0]
    close(seen, torch.tensor([*pixel, 2.0]))


def test_opengl_puts_a_point_where_project_does():
    pose = orbit_pose(0.4, 0.7, 4.0, (0.1, 0.2, 0.3))
    points = torch.rand(9, 3, generator=torch.Generator().manual_seed(1)) * 2 - 1
    clip = torch.cat([points, torch.ones(9, 1)], 1) @ (perspective(50.0, 80 / 60) @ view_of(pose)).T
    x, y, z = (clip[:, :3] / clip[:, 3:]).unbind(1)
    seen = project(points, pose, 50.0, SIZE)
    close(torch.stack([(x + 1) * 40, (1 - y) * 30], 1), seen[:, :2])
    assert (z.abs() < 1).all() and (z.argsort() == seen[:, 2].argsort()).all()


@pytest.mark.parametrize(("depth", "z"), [(0.5, -1.0), (20.0, 1.0)])
def test_near_and_far_are_the_ends_of_clip_space(depth, z):
    clip = perspective(60.0, 1.5, 0.5, 20.0) @ torch.tensor([0.0, 0.0, -depth, 1.0])
    assert (clip[2] / clip[3]).item() == pytest.approx(z, abs=1e-5)


def test_projection_has_a_gradient():
    pose = orbit_pose(0.0, 0.6, 3.0)
    points = torch.tensor([[0.1, 0.2, 0.3]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda p: project(p, pose.double(), 45.0, SIZE), points)


@given(st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_a_homography_takes_corners_to_corners_and_back(seed):
    noise = torch.rand(2, 4, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 0.3
    square = torch.tensor([[0, 0], [1, 0], [1, 1], [0, 1]]).double()
    source, target = square + noise[0], 2 * square + noise[1]
    close(apply_homography(homography(source, target), source), target)
    points = torch.rand(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    there_and_back = apply_homography(homography(target, source), apply_homography(homography(source, target), points))
    close(there_and_back, points)


def test_a_homography_keeps_lines_straight():
    square = torch.tensor([[0, 0], [1, 0], [1, 1], [0, 1]]).double()
    matrix = homography(square, square + torch.tensor([[0.0, 0.1], [0.2, 0.0], [-0.1, 0.3], [0.0, 0.0]]).double())
    line = torch.linspace(0, 1, 5, dtype=torch.float64)[:, None] * torch.tensor([1.0, 0.5]) + torch.tensor([0.0, 0.2])
    first, *rest = (apply_homography(matrix, line) - apply_homography(matrix, line)[0])[1:]
    for other in rest:
        assert (first[0] * other[1] - first[1] * other[0]).abs().item() < 1e-12


def test_a_camera_is_dragged_as_its_formulas_say():
    camera = Camera()
    camera.orbit(10, 20)
    assert (camera.azimuth, camera.elevation) == pytest.approx((-0.1, 0.8))
    camera.orbit(0, 1000)
    assert camera.elevation == 1.5
    camera.orbit(0, -1000)
    assert camera.elevation == -1.5

    camera = Camera(azimuth=0.5, distance=2.0)
    camera.pan(30, 40)
    assert camera.target == pytest.approx((-0.3 * math.cos(0.5), 0.4, 0.3 * math.sin(0.5)))

    camera.zoom(2)
    assert camera.distance == pytest.approx(2 * math.exp(-0.3))
    camera.zoom(100)
    assert camera.distance == 0.1
    camera.zoom(-5)
    camera.reset()
    assert camera == Camera()


def test_panning_moves_what_is_seen_with_the_hand():
    camera = Camera()
    before = project(torch.zeros(1, 3), camera.pose(), camera.fov, SIZE)[0]
    camera.pan(10, 10)
    after = project(torch.zeros(1, 3), camera.pose(), camera.fov, SIZE)[0]
    assert after[0] > before[0] and after[1] > before[1]


def test_zooming_out_never_loses_the_target():
    camera = Camera(distance=5000.0)
    clip = camera.clip_from_world(1.5) @ torch.tensor([0.0, 0.0, 0.0, 1.0])
    assert -1 < (clip[2] / clip[3]).item() < 1


def test_shapes_are_checked_here():
    with pytest.raises(TypeError, match="Type-check"):
        view_of(torch.eye(3))
