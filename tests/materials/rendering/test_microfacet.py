"""The split-sum table against integrals of the reflection model itself."""

import math

import pytest
import torch

from easel.materials.rendering.brdf import Surface, reflectance
from easel.materials.rendering.microfacet import mean_albedo, split_sum


def brute_force(cosine, roughness, f0):
    """The reflectance of a grey metal summed over lights on a fine grid of the hemisphere."""
    steps, angles = 250, 120
    z = ((torch.arange(steps, dtype=torch.float64) + 0.5) / steps)[:, None]
    azimuth = ((torch.arange(angles, dtype=torch.float64) + 0.5) / angles * math.pi)[None, :]
    flat = (1 - z.square()).sqrt()
    lights = torch.stack([flat * azimuth.cos(), flat * azimuth.sin(), z.expand(steps, angles)])
    camera = torch.tensor([math.sqrt(1 - cosine**2), 0, cosine], dtype=torch.float64).reshape(3, 1, 1)
    up = torch.tensor([0, 0, 1], dtype=torch.float64).reshape(3, 1, 1)
    one = torch.ones(1, 1, 1, dtype=torch.float64)
    _, specular = reflectance(Surface(f0 * one.expand(3, 1, 1), roughness * one, one, up), lights, camera)
    return 2 * math.pi * (specular[0] * z).mean().item()


@pytest.mark.parametrize("roughness", [0.3, 0.45, 0.7, 1.0])
@pytest.mark.parametrize("cosine", [0.95, 0.35])
def test_the_table_is_the_integral_over_a_white_sky(roughness, cosine):
    scale, bias = split_sum(torch.full((1, 1, 1), cosine), torch.full((1, 1, 1), roughness))
    for f0 in (0.04, 1.0):
        assert (f0 * scale + bias).item() == pytest.approx(brute_force(cosine, roughness, f0), rel=0.02)


def test_a_smooth_mirror_reflects_as_schlick_says():
    scale, bias = split_sum(torch.full((1, 1, 1), 0.5), torch.zeros(1, 1, 1))
    assert bias.item() == pytest.approx(0.5**5, rel=0.02)
    assert (scale + bias).item() == pytest.approx(1, abs=2e-3)


def test_the_mean_is_that_of_the_table_weighted_by_the_cosine():
    cosines = ((torch.arange(500) + 0.5) / 500).sqrt().reshape(1, 1, -1)
    for roughness in (0.3, 0.62, 1.0):
        every = sum(split_sum(cosines, torch.full_like(cosines, roughness)))
        assert mean_albedo(torch.full((1, 1, 1), roughness)).item() == pytest.approx(every.mean().item(), abs=2e-3)
