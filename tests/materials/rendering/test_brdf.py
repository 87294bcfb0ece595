"""The reflection model against physics: energy, reciprocity, gradients."""

import math
from dataclasses import replace

import pytest
import torch

from easel.materials.rendering.brdf import Brdf, Surface, reflectance
from easel.materials.rendering.microfacet import alpha_of

STRATA, ANGLES = 64, 16
ROUGHNESSES = (0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
COSINES = torch.tensor([1.0, 0.9, 0.6, 0.3, 0.1, 0.03], dtype=torch.float64)


def field(*values, like=(1, 1)):
    return torch.tensor(values, dtype=torch.float64)[:, None, None].expand(-1, *like)


def surface(albedo=1.0, roughness=0.5, metallic=0.0):
    return Surface(field(albedo, albedo, albedo), field(roughness), field(metallic), field(0, 0, 1))


def spread(z, azimuth):
    """Directions at an angle of cosine z to the normal."""
    flat = (1 - z.square()).clamp(min=0).sqrt()
    return torch.stack([flat * azimuth.cos(), flat * azimuth.sin(), z])


def albedo_at(material, cosines, brdf):
    """The share of a white sky that comes back at each angle: the reflectance integrated over all lights.

    The diffuse part and what bounces between facets over directions of cosine density, single reflections over halfway
    directions of GGX's own density, on a regular grid of both.
    """
    strata = (torch.arange(STRATA, dtype=torch.float64) + 0.5) / STRATA
    # One side of the plane through v is the mirror image of the other
    half_turn = math.pi * (torch.arange(ANGLES, dtype=torch.float64) + 0.5) / ANGLES
    u, azimuth = torch.meshgrid(strata, half_turn, indexing="ij")
    u, azimuth = u.flatten()[None], azimuth.flatten()[None]
    v = spread(cosines, torch.zeros_like(cosines))[:, :, None]

    single = replace(brdf, multiple_scattering=False)
    over_the_sky = spread(u.sqrt(), azimuth)
    diffuse, specular = reflectance(material, over_the_sky, v, brdf)
    if brdf.multiple_scattering:
        diffuse = diffuse + specular - reflectance(material, over_the_sky, v, single)[1]
    base = math.pi * diffuse[0].mean(dim=-1)

    alpha = alpha_of(material.roughness).item()
    # Few facets are far from the rest: more of the grid out there, each of less weight
    rest = (1 - u) ** 3
    z = (rest / (1 + (alpha**2 - 1) * (1 - rest))).sqrt()
    h = spread(z, azimuth)
    v_dot_h = (v * h).sum(dim=0)
    to_light = 2 * v_dot_h * h - v
    _, specular = reflectance(material, to_light, v, single)
    density = alpha**2 / (math.pi * (1 + (alpha**2 - 1) * z.square()).square()) * z / (4 * v_dot_h)
    weight = 3 * (1 - u) ** 2 * ((to_light[2] > 0) & (v_dot_h > 0)) / density
    return base + (specular[0] * to_light[2] * weight).mean(dim=-1)


@pytest.mark.parametrize("brdf", [Brdf(), Brdf(smith="separable"), Brdf(multiple_scattering=True)])
@pytest.mark.parametrize("metallic", [0.0, 0.5, 1.0])
def test_no_more_light_leaves_than_came(metallic, brdf):
    for roughness in ROUGHNESSES:
        shares = albedo_at(surface(roughness=roughness, metallic=metallic), COSINES, brdf)
        # A white metal that is given everything back stands at 1 itself, give or take the table
        most = 1 + (3e-3 if brdf.multiple_scattering else 1e-3)
        assert shares.max() <= most, f"roughness {roughness}: {shares}"


def test_a_rough_white_metal_keeps_1_minus_ln_2():
    kept = albedo_at(surface(roughness=1.0, metallic=1.0), torch.ones(1, dtype=torch.float64), Brdf())
    assert kept.item() == pytest.approx(1 - math.log(2), abs=1e-3)


def test_multiple_scattering_gives_a_white_metal_all_of_its_light_back():
    for roughness in ROUGHNESSES:
        shares = albedo_at(surface(roughness=roughness, metallic=1.0), COSINES, Brdf(multiple_scattering=True))
        torch.testing.assert_close(shares, torch.ones_like(shares), atol=0.015, rtol=0)


def test_the_viewers_diffuse_term_is_why_it_is_not_the_default():
    grazing = torch.tensor([math.cos(math.radians(85))], dtype=torch.float64)
    material = surface(roughness=0.1)
    assert albedo_at(material, grazing, Brdf(diffuse="gltf")).item() > 1.4
    assert albedo_at(material, grazing, Brdf()).item() < 1


def random_directions(generator, count=200):
    azimuth = 6.2832 * torch.rand(count, generator=generator, dtype=torch.float64)
    return spread(0.02 + 0.98 * torch.rand(count, generator=generator, dtype=torch.float64), azimuth)[:, None]


@pytest.mark.parametrize("brdf", [Brdf(), Brdf(smith="separable"), Brdf(multiple_scattering=True)])
def test_light_and_camera_may_swap(brdf):
    generator = torch.Generator().manual_seed(0)
    light, v = random_directions(generator), random_directions(generator)
    for roughness in ROUGHNESSES:
        material = surface(0.7, roughness, 0.3)
        forth, back = (sum(reflectance(material, *pair, brdf)) for pair in ((light, v), (v, light)))
        torch.testing.assert_close(forth, back, rtol=1e-6, atol=1e-6)


def test_gradients_are_the_slopes():
    generator = torch.Generator().manual_seed(1)

    def some(low, high, *shape):
        values = torch.rand(*shape, generator=generator, dtype=torch.float64)
        return (low + (high - low) * values).requires_grad_()

    normal = (torch.randn(3, 2, 2, generator=generator, dtype=torch.float64) * 0.2 + field(0, 0, 1)).requires_grad_()
    inputs = (some(0.1, 0.9, 3, 2, 2), some(0.1, 0.9, 1, 2, 2), some(0.1, 0.9, 1, 2, 2), normal)
    light, v = (random_directions(generator)[..., :4].reshape(3, 2, 2) for _ in range(2))

    def radiance(albedo, roughness, metallic, normal):
        unit = torch.nn.functional.normalize(normal, dim=0)
        return sum(reflectance(Surface(albedo, roughness, metallic, unit), light, v, Brdf(multiple_scattering=True)))

    assert torch.autograd.gradcheck(radiance, inputs)


@pytest.mark.parametrize("roughness", [0.0, 0.02, 0.5])
@pytest.mark.parametrize("z", [1.0, 1e-3, 0.0, -0.5])
def test_gradients_are_finite_at_grazing_angles_and_for_mirrors(roughness, z):
    tensors = [torch.full((c, 1, 1), value) for c, value in ((3, 0.5), (1, roughness), (1, 0.5))]
    tensors = [tensor.requires_grad_() for tensor in (*tensors, torch.tensor([0.0, 0.0, 1.0]).reshape(3, 1, 1))]
    direction = spread(torch.tensor([z]), torch.zeros(1))[..., None]
    for light in (direction, direction * torch.tensor([-1.0, 1.0, 1.0])[:, None, None], -direction):
        for brdf in (Brdf(), Brdf(diffuse="gltf"), Brdf(multiple_scattering=True)):
            value = sum(part.sum() for part in reflectance(Surface(*tensors), light, direction, brdf))
            assert value.isfinite()
            assert all(gradient.isfinite().all() for gradient in torch.autograd.grad(value, tensors))


def test_float32_resolves_the_narrowest_highlight():
    tilt = torch.linspace(0, 0.01, 50)
    light = torch.stack([tilt.sin(), torch.zeros(50), tilt.cos()])[:, None]
    up = torch.tensor([0.0, 0.0, 1.0]).reshape(3, 1, 1)
    single = Surface(*(value.float() for value in vars(surface(roughness=0.0, metallic=1.0)).values()))
    _, lobe = reflectance(single, light, up)
    _, exact = reflectance(surface(roughness=0.0, metallic=1.0), light.double(), up.double())
    torch.testing.assert_close(lobe.double(), exact, rtol=1e-3, atol=1e-3)


def test_an_unknown_term_is_refused_with_what_is_known():
    with pytest.raises(ValueError, match="'correlated' or 'separable'; got 'schlick'"):
        Brdf(smith="schlick")
