import numpy as np
import pytest
import torch

from easel.materials.rendering.environment import Environment, procedural_environment
from easel.materials.synthesis.shadows import Daylight, Shadow, daylight_of


def points(size=64, half=1.5):
    x, y = np.meshgrid(*[np.linspace(-half, half, size, dtype=np.float32)] * 2)
    return torch.from_numpy(np.stack([x, y]))


DAYLIGHT = daylight_of(procedural_environment("room", 3).radiance)


@pytest.mark.parametrize("seed", range(4))
def test_a_shadow_never_brightens_and_is_never_black(seed):
    left = Shadow(seed, 0.3 * seed - 0.5, 0.5 - 0.3 * seed).left(points(), DAYLIGHT)
    assert left.shape == (1, 64, 64)
    assert left.max() <= 1 and left.min() >= DAYLIGHT.floor - 1e-6
    assert left.min() < 0.9 < left.max()  # some of the plane is in it, and some is not


def test_shadows_lie_on_the_plane():
    """The same point is as dark in whatever photo it is asked for."""
    shadow = Shadow(5, 0.1, -0.2)
    all_points = points()
    part = shadow.left(all_points[:, 10:20, 30:50].contiguous(), DAYLIGHT)
    assert torch.equal(part, shadow.left(all_points, DAYLIGHT)[:, 10:20, 30:50])


def test_what_is_not_masked_keeps_its_light():
    left = DAYLIGHT.left(np.array([[0, 0.5, 1]], np.float32))
    assert left[0, 0] == 1 and left[0, 0] > left[0, 1] > left[0, 2]


def test_the_constants_of_the_predecessor():
    # an even sky of luminance 1: zenith = horizon = 1, E = π
    assert Daylight(1.0, 1.0, np.pi).depth == pytest.approx(
        (1 - 0.3 * min(1, 0.4 * (np.pi - 1))) * (1 - 0.2 - 0.2 * 0.12)
    )
    assert Daylight(1.0, 1.0, np.pi).floor == pytest.approx(0.15 * np.pi)
    assert Daylight(5.0, 1.0, 0.1).floor == 0.10
    assert Daylight(9.0, 1.0, 1.0).depth == pytest.approx(1 - 0.2 - 0.2 * 0.02)


def test_an_even_sky_is_measured_as_what_it_is():
    daylight = daylight_of(Environment(torch.full((64, 128, 3), 0.7)).radiance)
    assert daylight.zenith == pytest.approx(0.7) and daylight.horizon == pytest.approx(0.7)
    assert daylight.irradiance == pytest.approx(0.7 * np.pi, rel=1e-4)


def test_light_from_below_does_not_reach_the_plane():
    radiance = torch.ones(64, 128, 3)
    radiance[32:] = 100
    assert daylight_of(radiance).irradiance == pytest.approx(np.pi, rel=1e-4)
