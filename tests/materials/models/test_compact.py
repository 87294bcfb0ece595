"""The compact network: what it is told, and that photos in any number and order are photos."""

import math

import pytest
import torch

from easel.graphics.color import linear_to_srgb, srgb_to_linear
from easel.materials.config import TrainConfig
from easel.materials.models.build import build_model
from easel.materials.models.compact import CompactGenerator
from easel.materials.models.cues import WHITE_CARD, cues
from easel.materials.presets import laptop, tiny
from easel.materials.rendering.lights import PointLight
from easel.materials.rendering.shading import render_texture
from easel.materials.tiles import Crop

CAMERAS = torch.tensor([[[0.3, 0.1, 1.1], [-0.4, 0.3, 1.0], [0.1, -0.5, 1.1]]])
"""In sides of the tile."""
SIDE = 32


@pytest.fixture
def model(seeded) -> CompactGenerator:
    network = build_model(tiny())
    assert isinstance(network, CompactGenerator)
    # Away from its beginning, where blocks do nothing
    for parameter in network.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return network.eval()


def photos(count: int, height: int = SIDE, width: int = SIDE) -> torch.Tensor:
    return 2 * torch.rand(1, count, 3, height, width) - 1


def flash_photos(albedo: torch.Tensor, normal: torch.Tensor) -> torch.Tensor:
    """(1, 3, 3, H, W): linear photos of a rough material, exposed so that white paper in the middle is `WHITE_CARD`."""
    shape = (1, 1, *normal.shape[-2:])
    maps = {"albedo": albedo, "roughness": torch.ones(shape), "metallic": torch.zeros(shape), "normal": normal}
    world = 0.5 * CAMERAS[0]
    taken = []
    for camera in world:
        distance, cosine = camera.norm(), camera[2] / camera.norm()
        light = PointLight(tuple(camera.tolist()), (float(math.pi * distance**2 / cosine),) * 3)
        taken.append(WHITE_CARD * render_texture(maps, [light], camera))
    return torch.stack(taken, dim=1)


def level(height: int = SIDE, width: int = SIDE) -> torch.Tensor:
    return torch.tensor([0.0, 0.0, 1.0])[:, None, None].expand(1, 3, height, width)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (30, 37)])
@pytest.mark.parametrize("padding", ["zeros", "circular"])
def test_maps_have_the_photos_size_and_are_in_range(height, width, padding):
    config = tiny()
    config.model.padding = padding
    maps = build_model(config)(photos(2, height, width))
    assert {name: tuple(value.shape) for name, value in maps.items()} == {
        "albedo": (1, 3, height, width),
        "roughness": (1, 1, height, width),
        "metallic": (1, 1, height, width),
        "normal": (1, 3, height, width),
    }
    for name in ("albedo", "roughness", "metallic"):
        assert 0 <= maps[name].min() and maps[name].max() <= 1
    torch.testing.assert_close(maps["normal"].norm(dim=1), torch.ones(1, height, width))


def test_photos_come_in_any_order(model):
    views, order = photos(3), [2, 0, 1]
    maps, turned = model(views, None, CAMERAS), model(views[:, order], None, CAMERAS[:, order])
    for name, value in maps.items():
        torch.testing.assert_close(turned[name], value, atol=1e-5, rtol=0)


def test_a_photo_that_shows_nothing_changes_nothing(model):
    views, valid = photos(3), torch.ones(1, 3, 1, SIDE, SIDE)
    valid[:, 1] = 0
    kept = [0, 2]
    maps, fewer = model(views, valid, CAMERAS), model(views[:, kept], valid[:, kept], CAMERAS[:, kept])
    for name, value in fewer.items():
        torch.testing.assert_close(maps[name], value, atol=1e-5, rtol=0)


def test_a_camera_that_is_not_known_is_no_trouble(model):
    unknown = torch.full((1, 2, 3), math.nan)
    views = photos(2)
    maps, told = model(views, None, unknown), model(views)
    for name, value in maps.items():
        assert value.isfinite().all()
        torch.testing.assert_close(told[name], value)


def test_gradients_are_finite_even_for_black_photos():
    network = build_model(tiny())
    maps = network(-torch.ones(1, 3, 3, SIDE, SIDE), None, CAMERAS)
    torch.stack([value.square().mean() for value in maps.values()]).sum().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in network.parameters())


def test_the_guess_of_a_matt_sheet_is_its_albedo():
    albedo = linear_to_srgb(torch.tensor([0.6, 0.3, 0.1]))[:, None, None].expand(1, 3, SIDE, SIDE)
    taken = flash_photos(albedo, level())
    found = cues(taken, torch.ones(1, 3, 1, SIDE, SIDE), CAMERAS)
    # What paper reflects at the surface is not in its albedo.
    torch.testing.assert_close(srgb_to_linear(found.guess), srgb_to_linear(albedo), atol=0.05, rtol=0)
    assert found.joint[:, :2].abs().max() < 0.15


def test_a_texel_that_no_photo_shows_is_guessed_to_be_like_the_others():
    albedo = linear_to_srgb(torch.tensor([0.6, 0.3, 0.1]))[:, None, None].expand(1, 3, SIDE, SIDE)
    shown = torch.ones(1, 3, 1, SIDE, SIDE)
    shown[..., :8, :] = 0
    guess = cues(flash_photos(albedo, level()) * shown, shown, CAMERAS).guess
    torch.testing.assert_close(guess[..., 0, 0], guess[..., 8:, :].mean((2, 3)), atol=0.02, rtol=0)


def roof(slope: tuple[float, float]) -> torch.Tensor:
    """(1, 3, H, W): normals of a sheet whose left half slopes like this, and its right half as much the other way."""
    half = torch.ones(SIDE, SIDE)
    half[:, SIDE // 2 :] = -1
    normal = torch.stack([slope[0] * half, slope[1] * half, torch.ones(SIDE, SIDE)])
    return torch.nn.functional.normalize(normal, dim=0)[None]


@pytest.mark.parametrize("slope", [(0.2, 0.0), (0.0, 0.2), (-0.15, 0.1)])
def test_the_slope_points_where_the_normal_does(slope):
    ones = torch.ones(1, 3, 1, SIDE, SIDE)
    found = [
        cues(flash_photos(torch.full((1, 3, SIDE, SIDE), 0.5), n), ones, CAMERAS).joint for n in (roof(slope), level())
    ]
    left, right = ((found[0] - found[1])[:, :2].mean((0, 2)).chunk(2, dim=1)[side].mean(1) for side in (0, 1))
    torch.testing.assert_close((left - right) / 2, torch.tensor(slope), atol=0.08, rtol=0)


def test_the_slope_does_not_depend_on_how_long_photos_were_exposed():
    taken, ones = flash_photos(torch.full((1, 3, SIDE, SIDE), 0.5), roof((0.2, 0.1))), torch.ones(1, 3, 1, SIDE, SIDE)
    exposed = taken * torch.tensor([0.7, 1.0, 1.3])[:, None, None, None]
    slopes, others = (cues(photo, ones, CAMERAS).joint[:, :2] for photo in (taken, exposed))
    torch.testing.assert_close(others, slopes, atol=0.03, rtol=0)


@pytest.mark.parametrize("window", [Crop(0, 0, 8, 8), Crop(9, 20, 12, 8), Crop(24, 0, 8, 32), Crop(0, 0, 32, 32)])
@pytest.mark.parametrize("padding", ["zeros", "circular"])
def test_an_answer_for_a_window_is_that_part_of_the_whole(window, padding, seeded):
    config = tiny()
    config.model.padding = padding
    network, views = build_model(config).eval(), photos(3)
    for parameter in network.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    whole, part = network(views, None, CAMERAS), network(views, None, CAMERAS, window)
    for name, value in whole.items():
        torch.testing.assert_close(part[name], window.cut(value), atol=1e-5, rtol=0)


def test_the_presets_are_as_small_as_they_say():
    def millions(config: TrainConfig) -> float:
        return sum(parameter.numel() for parameter in build_model(config).parameters()) / 1e6

    assert millions(laptop()) < 2
    assert millions(tiny()) < 0.5
