"""The preview's ball."""

import pytest
import torch

from easel.materials.maps import MaterialMaps
from easel.materials.rendering.environment import Environment
from easel.materials.rendering.lights import DirectionalLight, PointLight
from easel.materials.rendering.shading import to_picture
from easel.materials.rendering.sphere import FILLING, render_sphere, sphere_camera


def plain(albedo=0.5, roughness=0.5, metallic=0.0, normal=(0.0, 0.0, 1.0)):
    maps = [torch.full((channels, 4, 4), value) for channels, value in ((3, albedo), (1, roughness), (1, metallic))]
    return MaterialMaps(*maps, torch.tensor(normal)[:, None, None].expand(3, 4, 4))


def test_it_is_a_disc_of_the_promised_size_before_the_background():
    ball = render_sphere(plain(), [PointLight((0, 0, 9), (0, 0, 0))], 64, background=(1.0, 0.5, 0.25))
    assert (1 - ball[0]).sum().item() == pytest.approx(3.1416 / 4 * (64 * FILLING) ** 2, rel=0.02)
    assert ball[:, 0, 0].tolist() == [1.0, 0.5, 0.25]
    torch.testing.assert_close(ball, ball.flip(-1), atol=1e-5, rtol=0)


def test_light_from_the_right_lights_the_right():
    for azimuth in (0, 90):
        light = [DirectionalLight((1, 0, 0) if azimuth == 0 else (0, 1, 0), (1, 1, 1))]
        ball = render_sphere(plain(), light, 32, camera=sphere_camera(32, azimuth))
        assert ball[:, :, 16:].sum() > 20 * ball[:, :, :16].sum()


def test_a_slope_to_the_east_and_north_faces_there():
    """Tangent space on the ball: +x of a normal map leans to the right, +y to the top of the picture."""
    front = [DirectionalLight((0, -1, 0), (1, 1, 1))]
    camera = sphere_camera(32, 0, 0)
    east, north = (
        render_sphere(plain(roughness=1.0, normal=lean), front, 32, camera=camera)[0]
        for lean in ((0.6, 0.0, 0.8), (0.0, 0.6, 0.8))
    )
    columns = torch.arange(32) - 15.5
    # What leans to the east faces the light where the ball turns away to the west
    assert (east * columns).sum() < 0 and (north * columns[:, None]).sum() > 0


def test_a_mirror_shows_what_is_behind_the_camera():
    radiance = torch.zeros(32, 64, 3)
    radiance[:, :16] = torch.tensor([1.0, 0.0, 0.0])
    radiance[:, 48:] = torch.tensor([1.0, 0.0, 0.0])  # the half of -y, where the camera stands
    ball = render_sphere(plain(1.0, 0.0, 1.0), [Environment(radiance)], 32, camera=sphere_camera(32, 0, 0))
    assert ball[0, 16, 16] > 0.9 and ball[1].max() < 1e-3


def test_an_environment_is_its_background():
    even = Environment(torch.full((8, 16, 3), 0.7))
    ball = render_sphere(plain(1.0, 0.0, 1.0), [even], 24, background=even)
    torch.testing.assert_close(ball, torch.full_like(ball, 0.7), atol=0.01, rtol=0)


def test_gradients_reach_every_map_and_pictures_are_in_range():
    maps = plain().each(lambda value: value.clone().requires_grad_())
    ball = render_sphere(maps, [DirectionalLight((1, -2, 1), (9, 9, 9))], 16)
    picture = to_picture(ball)
    assert picture.shape == (16, 16, 3) and picture.min() >= 0 and picture.max() <= 1
    ball.mean().backward()
    for name, value in maps.items():
        assert value.grad.isfinite().all() and value.grad.abs().sum() > 0, name


def test_a_camera_of_another_size_is_refused():
    with pytest.raises(ValueError, match="32 x 32 pixels where size is 16"):
        render_sphere(plain(), [DirectionalLight((0, 0, 1), (1, 1, 1))], 16, camera=sphere_camera(32))
