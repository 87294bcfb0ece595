"""Environments: directions, filtered maps, light from everywhere, their JSON."""

import json
import math

import pytest
import torch

from easel.graphics.files import FileError
from easel.graphics.image import imwrite
from easel.materials.maps import MaterialMaps
from easel.materials.rendering.brdf import Brdf
from easel.materials.rendering.environment import Environment, procedural_environment
from easel.materials.rendering.light_json import environment, light_from_json, light_to_json
from easel.materials.rendering.lights import DirectionalLight, PointLight
from easel.materials.rendering.microfacet import split_sum
from easel.materials.rendering.procedural_radiance import KINDS
from easel.materials.rendering.shading import render_texture
from easel.materials.rendering.vectors import (
    equirectangular,
    octahedron,
    sample_equirectangular,
    to_octahedron,
)

HIGH = (0.0, 0.0, 100.0)


def even(level=1.0, rows=16):
    return Environment(torch.full((rows, 2 * rows, 3), level))


def flat(albedo=1.0, roughness=0.5, metallic=0.0, normal=(0.0, 0.0, 1.0), size=(1, 1)):
    maps = [torch.full((channels, *size), value) for channels, value in ((3, albedo), (1, roughness), (1, metallic))]
    return MaterialMaps(*maps, torch.tensor(normal)[:, None, None].expand(3, *size))


def test_the_octahedral_map_covers_every_direction_once():
    nodes = octahedron(33)
    torch.testing.assert_close(nodes.norm(dim=0), torch.ones(33, 33))
    inner = (slice(None), slice(1, -1), slice(1, -1))
    y, x = torch.meshgrid(torch.linspace(-1, 1, 33), torch.linspace(-1, 1, 33), indexing="ij")
    torch.testing.assert_close(to_octahedron(nodes)[inner], torch.stack([x, y])[inner], atol=1e-6, rtol=0)
    assert nodes[2, 16, 16] == 1 and nodes[2, 0, 0] == -1
    torch.testing.assert_close(nodes[:, 0, 3], nodes[:, 0, -4], msg="the edges fold onto themselves")


def test_a_picture_of_directions_shows_each_where_it_is():
    picture = equirectangular(32).permute(1, 2, 0)
    away = octahedron(15)
    near_the_poles = away[2].abs() > 0.97
    shown = sample_equirectangular(picture[None], away)[0]
    torch.testing.assert_close(shown[:, ~near_the_poles], away[:, ~near_the_poles], atol=6e-3, rtol=0)
    assert picture[0, :, 2].min() > 0.99, "the zenith is the first row"
    torch.testing.assert_close(picture[16, 32], torch.tensor([0.0, 1.0, 0.0]), atol=0.06, rtol=0)
    assert picture[16, 48, 0] > 0.99, "+x to the right of +y"


@pytest.mark.parametrize("roughness", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("cosine", [1.0, 0.3])
def test_under_even_light_a_metal_shows_the_table(roughness, cosine):
    camera = (100 * math.sqrt(1 - cosine**2), 0.0, 100 * cosine)
    shown = render_texture(flat(roughness=roughness, metallic=1.0), [even(2.0)], camera)
    scale, bias = split_sum(torch.full((1, 1, 1), cosine), torch.full((1, 1, 1), roughness))
    torch.testing.assert_close(shown, 2 * (scale + bias).expand(3, 1, 1), rtol=2e-3, atol=1e-3)


@pytest.mark.parametrize("metallic", [0.0, 1.0])
@pytest.mark.parametrize("compensated", [False, True])
def test_a_white_furnace_gives_no_light(metallic, compensated):
    for roughness in (0.0, 0.3, 0.6, 1.0):
        furnace, maps = even(), flat(roughness=roughness, metallic=metallic)
        for cosine in (1.0, 0.5, 0.1):
            camera = (100 * math.sqrt(1 - cosine**2), 0.0, 100 * cosine)
            shown = render_texture(maps, [furnace], camera, brdf=Brdf(multiple_scattering=compensated))
            assert shown.max() <= 1 + 2e-3
            if compensated and metallic:
                torch.testing.assert_close(shown, torch.ones_like(shown), atol=2e-3, rtol=0)


@pytest.mark.parametrize(("roughness", "metallic"), [(0.5, 1.0), (0.8, 0.0), (1.0, 0.5)])
def test_an_environment_is_the_sum_of_its_pixels_as_lamps(roughness, metallic):
    """Seen along the normal, where the split sum's assumption holds."""
    rows = 48
    x, y, z = equirectangular(rows)
    radiance = torch.stack([1 + 0.8 * x * z, 1 + 0.9 * y, 1 + 0.9 * z], dim=-1)
    maps = flat(0.6, roughness, metallic)
    directions = equirectangular(rows).flatten(1).T
    polar = (torch.arange(rows) + 0.5) / rows * math.pi
    solid_angle = (polar.sin() * (math.pi / rows) ** 2)[:, None, None]
    irradiance = (radiance * solid_angle).flatten(0, 1)
    expected = render_texture(maps, [DirectionalLight(directions, irradiance)], HIGH).sum(dim=0)
    shown = render_texture(maps, [Environment(radiance)], HIGH)
    torch.testing.assert_close(shown, expected, rtol=0.03, atol=0)


def test_irradiance_is_the_closed_form_of_a_half_lit_sky():
    """A sheet under a white upper half receives pi; tilted by t, pi (1 + cos t) / 2."""
    radiance = torch.zeros(32, 64, 3)
    radiance[:16] = 1
    sky = Environment(radiance)
    for tilt in (0.0, 0.6, 1.2):
        maps = flat(1.0, 1.0, normal=(0.0, math.sin(tilt), math.cos(tilt)))
        black = flat(0.0, 1.0, normal=(0.0, math.sin(tilt), math.cos(tilt)))
        camera = (0.0, 100 * math.sin(tilt), 100 * math.cos(tilt))
        base = render_texture(maps, [sky], camera) - render_texture(black, [sky], camera)
        expected = 0.96**2 * 20 / 21 * (1 + math.cos(tilt)) / 2
        torch.testing.assert_close(base, torch.full_like(base, expected), rtol=0.01, atol=0)


def test_no_texel_is_singular_and_gradients_are_finite():
    size = (8, 8)
    sky = procedural_environment("sky", 0, rows=32)
    maps = flat(0.5, 0.0, 0.5, size=size).each(lambda value: value.clone().requires_grad_())
    render_texture(maps, [sky], (0.0, 0.0, 0.5)).mean().backward()
    for name, value in maps.items():
        assert value.grad.isfinite().all(), name
    shown = render_texture(maps, [sky], (0.0, 0.0, 0.5)).detach()
    assert shown.isfinite().all() and shown.max() <= sky.radiance.max()
    assert (shown[:, 1:] - shown[:, :-1]).abs().max() < 0.5 * shown.max()


def test_turning_the_environment_turns_its_light():
    room = procedural_environment("room", 3, rows=32)
    maps, slope = flat(normal=(0.0, 0.6, 0.8)), flat(normal=(-0.6, 0.0, 0.8))
    straight = render_texture(maps, [room], HIGH)
    around = render_texture(slope, [room.turned(90, 2.0)], HIGH)
    torch.testing.assert_close(around, 2 * straight, rtol=0.02, atol=1e-3)
    ahead, left = torch.tensor([0.0, 1.0, 0.0]).reshape(3, 1, 1), torch.tensor([-1.0, 0.0, 0.0]).reshape(3, 1, 1)
    torch.testing.assert_close(room.turned(90, 1.0).seen(left), room.seen(ahead), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_made_from_a_seed(kind):
    one, again, other = (procedural_environment(kind, seed, rows=32) for seed in (4, 4, 5))
    assert torch.equal(one.radiance, again.radiance) and not torch.equal(one.radiance, other.radiance)
    assert one.radiance.isfinite().all() and one.radiance.min() >= 0
    shown = render_texture(flat(1.0, 1.0), [one], HIGH)
    assert 0.8 < shown.mean() < 1.2, "a white sheet that lies flat is about as bright as paper"


def test_an_unknown_kind_names_the_known():
    with pytest.raises(ValueError, match=r"unknown environment 'cave'.*Known: sky, softbox, studio, room"):
        procedural_environment("cave", 0)


def test_files(tmp_path):
    radiance = 5 * torch.rand(16, 32, 3, generator=torch.Generator().manual_seed(0))
    imwrite(tmp_path / "sky.hdr", radiance)
    loaded = Environment.load(tmp_path / "sky.hdr", strength=2.0)
    torch.testing.assert_close(loaded.radiance, radiance, rtol=0.02, atol=0.05)
    assert environment(str(tmp_path / "sky.hdr")).radiance.shape == (16, 32, 3)
    back = light_from_json(json.loads(json.dumps(light_to_json(loaded))))
    assert isinstance(back, Environment) and torch.equal(back.radiance, loaded.radiance) and back.strength == 2
    imwrite(tmp_path / "square.hdr", radiance[:, :16])
    with pytest.raises(FileError, match="16 x 16 pixels: an environment is equirectangular"):
        Environment.load(tmp_path / "square.hdr")
    with pytest.raises(FileError, match="no such file"):
        Environment.load(tmp_path / "none.hdr")


@pytest.mark.parametrize(
    "light",
    [
        PointLight((0.1, -0.25, 0.6), (1.5, 1.0, 0.5)),
        DirectionalLight((0.0, 1.0, 2.0), (3.0, 2.5, 2.0)),
    ],
)
def test_lamps_survive_json(light):
    assert light_from_json(json.loads(json.dumps(light_to_json(light)))) == light


def test_procedural_environments_survive_json():
    room = procedural_environment("room", 7, rotation_degrees=35.0, strength=0.2)
    back = light_from_json(json.loads(json.dumps(light_to_json(room))))
    assert isinstance(back, Environment) and torch.equal(back.radiance, room.radiance)
    assert (back.rotation_degrees, back.strength, back.source) == (35.0, 0.2, "room:7")
    with pytest.raises(ValueError, match="without a source"):
        light_to_json(even())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([], "an object with a type"),
        ({"type": "laser"}, "point, directional or environment; got 'laser'"),
        ({"type": "point", "position": [0, 0, 1]}, "has position, intensity"),
        ({"type": "point", "position": [0, 0, 1], "intensity": [1, 1]}, "intensity is three finite numbers"),
        ({"type": "point", "position": [0, 0, math.inf], "intensity": [1, 1, 1]}, "position is three finite numbers"),
        ({"type": "point", "position": [0, 0, 10**400], "intensity": [1, 1, 1]}, "position is three finite numbers"),
        (
            {"type": "environment", "source": "room:" + "9" * 30, "rotation_degrees": 0, "strength": 1},
            "seed is a whole",
        ),
        ({"type": "environment", "source": 3, "rotation_degrees": 0, "strength": 1}, "a source and two numbers"),
    ],
)
def test_json_that_is_no_light_is_refused(value, text):
    with pytest.raises(ValueError, match=text) as raised:
        light_from_json(value)
    assert "\n" not in str(raised.value)
