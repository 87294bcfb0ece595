"""Photos of the plane, and the camera that takes them."""

import math

import pytest
import torch

from easel.graphics.camera import apply_homography, homography, project
from easel.materials.maps import MaterialMaps
from easel.materials.rendering.brdf import Surface
from easel.materials.rendering.lights import DirectionalLight, PointLight
from easel.materials.rendering.plane import render_plane
from easel.materials.rendering.plane_camera import TILE_SIDE, PlaneCamera, texel_positions
from easel.materials.rendering.shading import render_texture, shade
from easel.materials.rendering.texture import Texture

CAMERAS = [
    PlaneCamera.orbit(0, 0, width=24, height=16),
    PlaneCamera.orbit(70, 33, width=20, height=24),
    PlaneCamera((0.3, 0.2, 0.5), (0.05, -0.1, 0.0), (0.2, 1.0, 0.1), 40, 16, 16),
]


def constant(albedo=0.5, roughness=0.6, metallic=0.2, size=(8, 8)):
    values = ((3, albedo), (1, roughness), (1, metallic))
    maps = [torch.full((channels, *size), value) for channels, value in values]
    return MaterialMaps(*maps, torch.tensor([0.0, 0.0, 1.0])[:, None, None].expand(3, *size))


@pytest.mark.parametrize("camera", CAMERAS)
def test_the_homography_is_the_projection_of_the_plane(camera):
    uv = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.3, 0.8]])
    points = torch.cat([(uv - 0.5) * TILE_SIDE, torch.zeros(5, 1)], dim=1)
    size = (camera.height, camera.width)
    expected = project(points, camera.pose(), camera.fov_degrees, size)
    matrix = camera.uv_to_pixel()
    torch.testing.assert_close(apply_homography(matrix, uv), expected[:, :2], rtol=1e-4, atol=1e-3)
    depth = torch.nn.functional.pad(uv, (0, 1), value=1.0) @ matrix[2]
    torch.testing.assert_close(depth, expected[:, 2], rtol=1e-4, atol=1e-5)
    found = homography(uv[:4].double(), expected[:4, :2].double())
    torch.testing.assert_close(matrix / matrix[2, 2], found.float(), rtol=1e-3, atol=1e-3)
    back = apply_homography(torch.linalg.inv(matrix), apply_homography(matrix, uv))
    torch.testing.assert_close(back, uv, rtol=1e-3, atol=1e-4)


def test_from_straight_above_the_photo_spans_a_tile_and_a_quarter_and_is_upright():
    camera = PlaneCamera.orbit(0, 0, width=100, height=100)
    corners = apply_homography(camera.uv_to_pixel(), torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    assert 100 / (corners[1] - corners[0]).mean().item() == pytest.approx(1.25, abs=0.01)
    assert (corners[1] > corners[0]).all(), "u to the right, v up"


def test_the_tilt_is_the_angle_at_the_origin():
    for tilt in (0, 10, 40):
        x, y, z = PlaneCamera.orbit(130, tilt).position
        assert math.degrees(math.atan2(math.hypot(x, y), z)) == pytest.approx(tilt, abs=1e-5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"fov_degrees": 0},
        {"position": (0, 0, math.nan)},
        {"position": (0, 0, 10**400)},
        {"up": (0, 0, 1)},
        {"width": 0},
        {"width": 10**9},
    ],
)
def test_a_camera_that_sees_nothing_is_refused(wrong):
    with pytest.raises(ValueError, match="a camera"):
        PlaneCamera(**({"position": (0, 0, 0.6)} | wrong))


@pytest.mark.parametrize("camera", CAMERAS)
def test_a_plain_sheet_is_the_closed_form_at_every_pixel(camera):
    maps, lights = constant(), [PointLight((0.2, 0.1, 0.5), (1.0, 0.8, 0.6))]
    photo = render_plane(maps, camera, lights, samples=1)
    rows, columns = torch.meshgrid(torch.arange(camera.height), torch.arange(camera.width), indexing="ij")
    pixels = torch.stack([columns + 0.5, rows + 0.5], dim=-1)
    uv = apply_homography(torch.linalg.inv(camera.uv_to_pixel()), pixels).movedim(-1, 0)
    positions = torch.cat([(uv - 0.5) * TILE_SIDE, torch.zeros_like(uv[:1])])
    to_camera = torch.nn.functional.normalize(torch.tensor(camera.position)[:, None, None] - positions, dim=0)
    one = {name: value[:, :1, :1] for name, value in maps.items()}
    torch.testing.assert_close(photo, shade(one, positions, to_camera, lights), rtol=1e-3, atol=1e-5)


def test_the_photo_of_a_texture_shows_its_texels_where_the_homography_says():
    generator = torch.Generator().manual_seed(0)
    maps = constant(size=(8, 8))
    maps = MaterialMaps(torch.rand(3, 8, 8, generator=generator), maps.roughness, 0 * maps.metallic, maps.normal)
    camera, light = PlaneCamera.orbit(40, 25, width=160, height=160), [DirectionalLight((0, 0, 1), (1, 1, 1))]
    photo, sheet = render_plane(maps, camera, light, samples=1), render_texture(maps, light, camera.position)
    x, y = texel_positions((8, 8), maps.albedo)[:2]
    pixels = apply_homography(camera.uv_to_pixel(), torch.stack([x, y], dim=-1) / TILE_SIDE + 0.5)
    seen = torch.nn.functional.grid_sample(photo[None], pixels[None] / 80 - 1, align_corners=False)[0]
    inside = (pixels.sub(80).abs() < 78).all(dim=-1)
    assert inside.sum() > 40
    # Each photo pixel is a blend of texels around it, so the kinks at their centres are a little rounded
    torch.testing.assert_close(seen[:, inside], sheet[:, inside], atol=0.02, rtol=0)


def test_textures_repeat_without_a_seam():
    generator = torch.Generator().manual_seed(0)
    maps = constant(size=(8, 8))
    texture = Texture.of(Surface.of(MaterialMaps(torch.rand(3, 8, 8, generator=generator), *list(maps.values())[1:])))
    uv, area = torch.rand(2, 5, 5, generator=generator), torch.full((5, 5), 6.0)
    for shift in (1.0, -3.0):
        torch.testing.assert_close(
            texture.sample(uv + shift, area).albedo, texture.sample(uv, area).albedo, atol=1e-4, rtol=0
        )
    rolled = Texture.of(Surface.of(MaterialMaps(*(value for value in maps.roll(2, 3).values()))))
    assert rolled.sizes == texture.sizes == [(8, 8), (4, 4), (2, 2), (1, 1)]


def test_texel_centres_are_exact_and_a_large_area_is_the_mean():
    generator = torch.Generator().manual_seed(0)
    maps = constant(size=(6, 10))
    maps = MaterialMaps(torch.rand(3, 6, 10, generator=generator), *list(maps.values())[1:])
    texture = Texture.of(Surface.of(maps))
    uv = texel_positions((6, 10), maps.albedo)[:2] / TILE_SIDE + 0.5
    torch.testing.assert_close(texture.sample(uv, torch.ones(6, 10)).albedo, maps.albedo_linear, atol=1e-5, rtol=0)
    whole = texture.sample(uv, torch.full((6, 10), 1e9)).albedo
    torch.testing.assert_close(whole.mean(dim=(1, 2)), maps.albedo_linear.mean(dim=(1, 2)), atol=0.06, rtol=0)
    assert whole.std(dim=(1, 2)).max() < 1e-6


def test_a_fine_pattern_far_away_is_grey_and_not_moire():
    board = (torch.arange(64)[:, None] + torch.arange(64)) % 2
    maps = constant(size=(64, 64), roughness=1.0, metallic=0.0)
    maps = MaterialMaps(board.float().expand(3, 64, 64), *list(maps.values())[1:])
    camera = PlaneCamera.orbit(20, 30, radius=6, width=24, height=24)
    photo = render_plane(maps, camera, [DirectionalLight((0, 0, 1), (1, 1, 1))])
    assert photo.std() < 0.02 * photo.mean()


def test_gradients_reach_every_map_through_a_photo():
    maps = constant().each(lambda value: value.clone().requires_grad_())
    render_plane(maps, CAMERAS[1], [PointLight((0.2, 0.1, 0.5), (1, 1, 1))]).mean().backward()
    for name, value in maps.items():
        assert value.grad.isfinite().all() and value.grad.abs().sum() > 0, name


def test_strips_are_the_photo(monkeypatch):
    whole = render_plane(constant(), CAMERAS[1], [PointLight((0.2, 0.1, 0.5), (1, 1, 1))])
    monkeypatch.setattr("easel.materials.rendering.plane.SAMPLES_AT_ONCE", 500)
    strips = render_plane(constant(), CAMERAS[1], [PointLight((0.2, 0.1, 0.5), (1, 1, 1))])
    torch.testing.assert_close(strips, whole)


def test_beyond_the_horizon_it_is_dark_and_a_shadow_lies_where_it_is_cast():
    camera = PlaneCamera((0.0, -0.5, 0.2), (0.0, 0.5, 0.2), (0.0, 0.0, 1.0), 60, 16, 16)
    light = [DirectionalLight((0, 0, 1), (1, 1, 1))]
    photo = render_plane(constant(), camera, light)
    assert photo[:, :8].max() == 0 and photo[:, 8:].min() > 0
    half = render_plane(constant(), camera, light, shadow=lambda xy: (xy[:1] > 0).float())
    torch.testing.assert_close(half[..., 8:], photo[..., 8:])
    assert (half[:, 8:, :8] < 0.9 * photo[:, 8:, :8]).all()
