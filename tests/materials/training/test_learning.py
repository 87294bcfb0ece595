"""That the whole of it learns: photos of materials under a flash become their maps."""

import math

import pytest
import torch

from easel.graphics.color import linear_to_srgb
from easel.materials.collection.procedural import procedural
from easel.materials.dataset.keys import key
from easel.materials.maps import MaterialMaps
from easel.materials.models.build import build_model
from easel.materials.models.cues import WHITE_CARD
from easel.materials.presets import tiny
from easel.materials.rendering.lights import PointLight
from easel.materials.rendering.plane_camera import TILE_SIDE, PlaneCamera
from easel.materials.rendering.shading import render_texture
from easel.materials.training.losses import HybridLoss
from easel.materials.training.metrics import average, map_metrics
from easel.materials.training.schedule import build_optimizer

SIDE = 32
MATERIALS = ("brick", "rusted_metal", "wood", "tile")
STEPS = 100


def photographed(maps: MaterialMaps) -> tuple[torch.Tensor, torch.Tensor]:
    """Three sRGB photos (B, 3, 3, H, W) of each material by flash, and their cameras in sides of the tile."""
    photos, cameras = [], []
    for azimuth, tilt in ((20.0, 10.0), (150.0, 25.0), (270.0, 35.0)):
        camera = torch.tensor(PlaneCamera.orbit(azimuth, tilt).position)
        squared = float(camera.square().sum())
        intensity = WHITE_CARD * math.pi * squared / math.cos(math.radians(tilt))
        light = PointLight(tuple(camera.tolist()), (intensity,) * 3)
        photos.append(linear_to_srgb(render_texture(maps, [light], camera).clamp(0, 1)))
        cameras.append((camera / TILE_SIDE).expand(len(maps["albedo"]), 3))
    return torch.stack(photos, dim=1), torch.stack(cameras, dim=1)


@pytest.mark.slow
def test_a_few_materials_are_learned_by_heart():
    torch.manual_seed(0)
    maps = MaterialMaps.stack([procedural(number, SIDE, family) for number, family in enumerate(MATERIALS)])
    photos, cameras = photographed(maps)
    config = tiny()
    model, loss = build_model(config), HybridLoss(config)
    optimizer = build_optimizer(config.optimizer, "g", model.parameters())
    before = None
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = config.optimizer.g_lr * group["share"] * (1 - step / STEPS)
        answer = model(2 * photos - 1, None, cameras)
        before = before or average([map_metrics(answer, maps)])
        total, _ = loss(answer, maps, key=key(0, step))
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    after = average([map_metrics(answer, maps)])
    for name, share in (("albedo_rmse", 0.6), ("roughness_rmse", 0.5), ("metallic_rmse", 0.7)):
        assert after[name] < share * before[name], name
    assert after["normal_angle_mean"] < 0.85 * before["normal_angle_mean"]
