"""The metrics: worked by hand where that is possible, and the same by either way of computing them."""

import math

import pytest
import torch
import torch.nn.functional as F

from easel.materials.maps import MaterialMaps
from easel.materials.training import metrics
from easel.materials.training.rerendering import rerender_metrics

FIGURES = (
    {f"{name}_{figure}" for name in ("albedo", "roughness", "metallic") for figure in ("psnr", "ssim", "mae", "rmse")}
    | {"normal_mae", "normal_rmse", "overall_psnr", "overall_ssim", "overall_mae"}
    | {f"normal_angle_{figure}" for figure in ("mean", "median", "std", "min", "max", "percentile_90", "percentile_95")}
)


def flat_maps(albedo: float, roughness: float, tilt_degrees: float, batch: int = 1, size: int = 16) -> MaterialMaps:
    tilt = math.radians(tilt_degrees)
    normal = torch.tensor([math.sin(tilt), 0.0, math.cos(tilt)])[None, :, None, None].expand(batch, 3, size, size)

    def fill(channels, value):
        return torch.full((batch, channels, size, size), value)

    return MaterialMaps(fill(3, albedo), fill(1, roughness), fill(1, 0.0), normal)


def test_equal_maps_are_perfect():
    maps = flat_maps(0.5, 0.5, 10)
    found = metrics.average([metrics.map_metrics(maps, maps) | rerender_metrics(maps, maps)])
    assert set(found) == FIGURES | {"rerender_rmse", "rerender_ssim"}
    for name, value in found.items():
        expected = metrics.BEST_PSNR if name.endswith("psnr") else 1 if name.endswith("ssim") else 0
        assert value == pytest.approx(expected, abs=1e-3), name


def test_known_differences():
    found = metrics.average([metrics.map_metrics(flat_maps(0.6, 0.3, 15), flat_maps(0.5, 0.5, 5))])
    assert found["albedo_mae"] == pytest.approx(0.1, abs=1e-6) and found["albedo_psnr"] == pytest.approx(20, abs=1e-4)
    assert found["roughness_rmse"] == pytest.approx(0.2, abs=1e-6)
    for figure in ("mean", "median", "min", "max", "percentile_90"):
        assert found[f"normal_angle_{figure}"] == pytest.approx(10, abs=1e-3)
    assert found["overall_mae"] == pytest.approx((0.1 + 0.2 + 0) / 3, abs=1e-6)


def test_each_sample_counts_the_same_however_they_are_batched():
    generator = torch.Generator().manual_seed(0)
    predicted = MaterialMaps.from_tensor(torch.rand(5, 8, 16, 16, generator=generator))
    true = MaterialMaps.from_tensor(torch.rand(5, 8, 16, 16, generator=generator))
    whole = metrics.average([metrics.map_metrics(predicted, true)])

    def rows(maps, place):
        return maps.each(lambda value: value[place])

    parts = [slice(0, 2), slice(2, 5)]
    apart = metrics.average(metrics.map_metrics(rows(predicted, part), rows(true, part)) for part in parts)
    assert whole == pytest.approx(apart, rel=1e-5)


def test_a_histogram_finds_the_percentiles_of_very_many_numbers(monkeypatch):
    values = torch.rand(50_000, generator=torch.Generator().manual_seed(0)).square() * 180
    exact = metrics.percentiles(values, (0.5, 0.9, 0.95))
    monkeypatch.setattr(metrics, "MOST_SORTED", 1000)
    assert torch.allclose(metrics.percentiles(values, (0.5, 0.9, 0.95)), exact, atol=0.02)
    assert metrics.percentiles(torch.full((2000,), 3.0), (0.5,)).item() == pytest.approx(3, abs=1e-4)


def test_a_wrong_roughness_shows_under_other_lights_only_as_rendered():
    true = flat_maps(0.5, 0.3, 0, size=24)
    slightly, badly = flat_maps(0.5, 0.4, 0, size=24), flat_maps(0.5, 0.9, 0, size=24)
    errors = [rerender_metrics(maps, true)["rerender_rmse"].item() for maps in (true, slightly, badly)]
    assert errors[0] == 0 < errors[1] < errors[2]


def test_no_batch_has_no_average():
    assert metrics.average([]) == {}


def test_a_rotated_material_is_another_one_to_the_lights():
    normal = F.normalize(torch.tensor([0.5, 0.0, 1.0]), dim=0)[None, :, None, None].expand(1, 3, 16, 16)
    true = MaterialMaps(*(flat_maps(0.5, 0.4, 0)[name] for name in ("albedo", "roughness", "metallic")), normal)
    assert rerender_metrics(true.rot90(2), true)["rerender_rmse"] > 0.05
