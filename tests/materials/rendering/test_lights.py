"""Lamps, and maps shaded under them texel by texel."""

import math

import pytest
import torch

from easel.materials.maps import MaterialMaps, unit_normals
from easel.materials.rendering.brdf import Brdf
from easel.materials.rendering.lights import DirectionalLight, PointLight
from easel.materials.rendering.plane_camera import texel_positions
from easel.materials.rendering.shading import render_texture, shade


def flat(size=(4, 4), albedo=1.0, roughness=1.0, metallic=0.0):
    maps = [torch.full((channels, *size), value) for channels, value in ((3, albedo), (1, roughness), (1, metallic))]
    return MaterialMaps(*maps, torch.tensor([0.0, 0.0, 1.0])[:, None, None].expand(3, *size))


def bumpy(size=(6, 6), seed=0, batch=()):
    generator = torch.Generator().manual_seed(seed)
    tensors = [torch.rand(*batch, channels, *size, generator=generator) for channels in (3, 1, 1, 3)]
    lifted = torch.cat([tensors[3][..., :2, :, :] - 0.5, torch.ones_like(tensors[1])], dim=-3)
    return MaterialMaps(*tensors[:3], unit_normals(lifted))


def test_a_lamp_fades_with_the_square_of_its_distance():
    maps, high = flat((1, 1)), (0.0, 0.0, 9.0)
    near, far = (render_texture(maps, [PointLight((0, 0, z), (1, 1, 1))], high) for z in (1.0, 2.0))
    torch.testing.assert_close(near, 4 * far)


def test_a_far_lamp_is_a_parallel_one():
    maps, camera = bumpy(), (0.1, -0.2, 0.6)
    far = PointLight((3e3, 1e3, 4e3), (26e6, 26e6, 26e6))
    parallel = DirectionalLight((3, 1, 4), (1, 1, 1))
    close = [render_texture(maps, [light], camera) for light in (far, parallel)]
    torch.testing.assert_close(*close, rtol=2e-3, atol=1e-4)


def test_a_white_sheet_under_a_lamp_right_above_it():
    """(1 - f0)² / pi of the diffuse base, and 0.04 D / 4 of the facets with D = 1 / pi: by hand."""
    radiance = render_texture(flat((1, 1)), [DirectionalLight((0, 0, 1), (1, 1, 1))], (0.0, 0.0, 1.0))
    torch.testing.assert_close(radiance, torch.full_like(radiance, (0.96**2 + 0.01) / math.pi))


def test_lamps_add_up_and_batches_equal_their_parts():
    maps, camera = bumpy(batch=(2,)), (0.1, 0.0, 0.6)
    lights = [PointLight((0.2, 0.1, 0.5), (1, 0.5, 0.2)), DirectionalLight((-1, 1, 2), (0.3, 0.3, 0.5))]
    together = render_texture(maps, lights, camera)
    apart = [sum(render_texture(one, [light], camera) for light in lights) for one in maps.unstack()]
    torch.testing.assert_close(together, torch.stack(apart))


def test_every_material_under_its_own_pairs_of_light_and_camera():
    maps = bumpy(batch=(2,))
    generator = torch.Generator().manual_seed(0)
    positions, cameras = (torch.rand(2, 3, 3, generator=generator) + 0.2 for _ in range(2))
    pairs = render_texture(
        {name: value[:, None] for name, value in maps.items()}, [PointLight(positions, (1, 1, 1))], cameras
    )
    assert pairs.shape == (2, 3, 3, 6, 6)
    one = render_texture(maps.unstack()[1], [PointLight(positions[1, 2], (1, 1, 1))], cameras[1, 2])
    torch.testing.assert_close(pairs[1, 2], one)


def turned(vector, k):
    x, y, z = vector
    for _ in range(k % 4):
        x, y = -y, x
    return x, y, z


@pytest.mark.parametrize("k", [1, 2, 3])
def test_turning_maps_light_and_camera_turns_the_picture(k):
    maps, light, camera = bumpy(), (0.3, 0.1, 0.5), (-0.1, 0.2, 0.6)
    upright = render_texture(maps, [PointLight(light, (1, 1, 1))], camera)
    around = render_texture(maps.rot90(k), [PointLight(turned(light, k), (1, 1, 1))], turned(camera, k))
    torch.testing.assert_close(around, upright.rot90(k, (-2, -1)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("flip", "axis", "sign"), [("flip_h", -1, (-1, 1)), ("flip_v", -2, (1, -1))])
def test_a_mirrored_scene_makes_a_mirrored_picture(flip, axis, sign):
    maps, light, camera = bumpy(), (0.3, 0.1, 0.5), (-0.1, 0.2, 0.6)
    mirror = lambda vector: (sign[0] * vector[0], sign[1] * vector[1], vector[2])  # noqa: E731
    upright = render_texture(maps, [PointLight(light, (1, 1, 1))], camera)
    mirrored = render_texture(getattr(maps, flip)(), [PointLight(mirror(light), (1, 1, 1))], mirror(camera))
    torch.testing.assert_close(mirrored, upright.flip(axis), rtol=1e-4, atol=1e-5)


def test_green_is_up():
    """A slope that faces up the picture is brightest under a light from there."""
    tilted = flat((1, 1))
    slope = MaterialMaps(tilted.albedo, tilted.roughness, tilted.metallic, torch.tensor([0, 0.6, 0.8]).reshape(3, 1, 1))
    up, down = (render_texture(slope, [DirectionalLight((0, y, 1), (1, 1, 1))], (0.0, 0.0, 1.0)) for y in (1, -1))
    assert up.min() > 2 * down.max()


def test_light_from_below_leaves_the_sheet_dark():
    assert render_texture(bumpy(), [DirectionalLight((0, 0, -1), (1, 1, 1))], (0.0, 0.0, 1.0)).max() == 0


def test_a_shadow_takes_all_of_the_base_and_less_of_the_highlight():
    maps = flat((2, 2), albedo=0.5, roughness=0.4)
    positions = texel_positions((2, 2), maps.albedo)
    up = torch.tensor([0.0, 0.0, 1.0]).reshape(3, 1, 1)
    light = [DirectionalLight((0, 0, 1), (1, 1, 1))]

    def seen(maps, left):
        return shade(maps, positions, up, light, shadow=torch.full((1, 1, 1), left))

    black, metal = flat((2, 2), albedo=0.0, roughness=0.4), flat((2, 2), albedo=0.5, metallic=1.0)
    torch.testing.assert_close(seen(maps, 1.0), shade(maps, positions, up, light))
    torch.testing.assert_close(seen(metal, 0.0), 0.3 * seen(metal, 1.0))
    base = seen(maps, 1.0) - seen(black, 1.0)
    torch.testing.assert_close(seen(maps, 0.0), seen(maps, 1.0) - base - 0.7 * seen(black, 1.0))


def test_gradients_reach_every_map_and_are_finite():
    maps = bumpy(batch=(2,)).each(lambda value: value.clone().requires_grad_())
    render_texture(maps, [PointLight((0.1, 0.1, 0.3), (1, 1, 1))], (0.1, 0.1, 0.4)).log1p().mean().backward()
    for name, value in maps.items():
        assert value.grad.isfinite().all() and value.grad.abs().sum() > 0, name


def test_gradients_are_the_slopes_through_the_encoding_too():
    maps = bumpy((2, 2)).to(torch.float64)
    inputs = [value.clone().requires_grad_() for value in maps.values()]
    light = PointLight((0.1, 0.1, 0.3), (1, 1, 1))

    def radiance(*tensors):
        return render_texture(MaterialMaps(*tensors), [light], (0.1, 0.0, 0.4), brdf=Brdf(diffuse="gltf"))

    assert torch.autograd.gradcheck(radiance, inputs)


def test_no_lights_is_an_error():
    with pytest.raises(ValueError, match="at least one light"):
        render_texture(flat(), [], (0.0, 0.0, 1.0))
