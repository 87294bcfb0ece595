"""How exactly does the laptop network learn eight materials by heart, in 300 steps?

    python benchmarks/materials_by_heart.py [--quick] [--json FILE]

Eight materials of eight families at 64 pixels, three photos of each under a flash whose place is known. Nothing is kept
from training: this asks whether the network can say what the maps hold at all. CPU seconds are of all threads.
"""

import argparse
import json
import math
import os
import platform
import time
from pathlib import Path

import torch

from easel.graphics.color import linear_to_srgb
from easel.materials.collection.procedural import procedural
from easel.materials.dataset.keys import key
from easel.materials.maps import MaterialMaps
from easel.materials.models.build import build_model
from easel.materials.models.cues import WHITE_CARD
from easel.materials.presets import laptop
from easel.materials.rendering.lights import PointLight
from easel.materials.rendering.plane_camera import TILE_SIDE, PlaneCamera
from easel.materials.rendering.shading import render_texture
from easel.materials.training.losses import HybridLoss
from easel.materials.training.metrics import average, map_metrics
from easel.materials.training.schedule import build_optimizer

MATERIALS = {
    "brick": 0,
    "verdigris": 1,
    "pebbles": 3,
    "wood": 5,
    "knit": 6,
    "hammered_metal": 7,
    "moss": 8,
    "marble": 10,
}
"""Family → seed."""
PLACES = ((20.0, 10.0), (150.0, 25.0), (270.0, 35.0))
"""Azimuth and tilt of the photos, in degrees."""
GOALS = {"albedo_rmse": 0.04, "roughness_rmse": 0.03, "metallic_rmse": 0.04, "normal_angle_mean": 7.0}
SIDE, STEPS, WARMUP = 64, 300, 20
RATE = 1.2e-2


def photographed(maps: MaterialMaps) -> tuple[torch.Tensor, torch.Tensor]:
    """sRGB photos (B, 3, 3, H, W), and the places of their cameras in sides of the tile (B, 3, 3)."""
    photos, cameras = [], []
    for azimuth, tilt in PLACES:
        camera = torch.tensor(PlaneCamera.orbit(azimuth, tilt).position)
        # A white card would be shown as bright as exposed photos show it.
        intensity = WHITE_CARD * math.pi * float(camera.square().sum()) / math.cos(math.radians(tilt))
        light = PointLight(tuple(camera.tolist()), (intensity,) * 3)
        photos.append(linear_to_srgb(render_texture(maps, [light], camera).clamp(0, 1)))
        cameras.append((camera / TILE_SIDE).expand(len(MATERIALS), 3))
    return torch.stack(photos, dim=1), torch.stack(cameras, dim=1)


def learn(steps: int) -> list[dict[str, float]]:
    """A row at every third of the way."""
    torch.manual_seed(0)
    maps = MaterialMaps.stack([procedural(seed, SIDE, family) for family, seed in MATERIALS.items()])
    photos, cameras = photographed(maps)
    config = laptop()
    # Albedo, metallic and normals are soon fitted; roughness is what is left.
    config.loss.w_albedo, config.loss.w_roughness, config.loss.w_normal_map = 1.0, 8.0, 1.0
    model, loss = build_model(config), HybridLoss(config)
    config.optimizer.g_weight_decay = 0.0
    optimizer = build_optimizer(config.optimizer, "g", model.parameters())
    began, rows = time.process_time(), []
    for step in range(steps):
        rate = RATE * min(1.0, (step + 1) / WARMUP) * 0.5 * (1.0 + math.cos(math.pi * step / steps))
        for group in optimizer.param_groups:
            group["lr"] = rate * group["share"]
        answer = model(2 * photos - 1, None, cameras)
        total, _ = loss(answer, maps, key=key(0, step))
        optimizer.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.training.grad_clip_norm)
        optimizer.step()
        if (step + 1) % max(steps // 3, 1) == 0:
            figures = average([map_metrics(answer, maps)])
            rows.append(
                {"step": step + 1, "cpu": time.process_time() - began} | {name: figures[name] for name in GOALS}
            )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few steps: does it run?")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file, too")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = learn(6 if arguments.quick else STEPS)
    load = os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} cores, 1 thread, load {load:.1f}; torch {torch.__version__}\n")
    print("| steps | CPU s | " + " | ".join(GOALS) + " |\n" + "|---" * (2 + len(GOALS)) + "|")
    for row in rows:
        print(f"| {row['step']} | {row['cpu']:.0f} | " + " | ".join(f"{row[name]:.4f}" for name in GOALS) + " |")
    print("| goal | | " + " | ".join(f"{goal:g}" for goal in GOALS.values()) + " |")
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
