"""What stands in front of the camera: cameras, lights and mishaps of a sample, all of them drawn from its index."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Generator

from easel.materials.dataset.keys import key
from easel.materials.dataset.sample import Source
from easel.materials.maps import MaterialMaps
from easel.materials.rendering.lights import PointLight
from easel.materials.rendering.plane import render_plane
from easel.materials.rendering.plane_camera import PlaneCamera
from easel.materials.synthesis.degrade import Faults, Picture, photograph
from easel.materials.synthesis.shots import Shot

MOST_TILT_DEGREES = 40.0
P_SHADOW, P_LENS = 0.75, 0.60
"""Chances that a dirty sample has shadows, and dirt on its lens."""
WHITE_CARD = 0.85
"""How bright the exposure shows a white card: phones leave some room for highlights."""
FLASH_OFFSET = 0.025
"""World units between lens and flash: 15 mm at a distance of 36 cm."""


@dataclass(frozen=True)
class Scenes:
    """How samples are photographed; sample `index` is a function of this and of the index."""

    seed: int = 0
    views: int = 3
    size: int = 128
    """Pixels a side."""
    light: Literal["flash", "room", "mixed", "environment"] = "flash"
    environment: Path | None = None
    p_dirty: float | int = 0.25
    both: bool = False
    """Photograph every sample clean and dirty."""

    def sources(self, index: int) -> tuple[Source, ...]:
        """How sample `index` is photographed."""
        if self.both:
            return ("clean", "dirty")
        return ("dirty",) if _uniform(key(self.seed, index, "source")) < self.p_dirty else ("clean",)

    def cameras(self, index: int) -> list[PlaneCamera]:
        """Where the photos are taken from: anywhere around, not more than `MOST_TILT_DEGREES` aslant."""
        generator = key(self.seed, index, "cameras")
        return [
            PlaneCamera.orbit(
                _uniform(generator, 0, 360),
                _uniform(generator, 0, MOST_TILT_DEGREES),
                width=self.size,
                height=self.size,
            )
            for _ in range(self.views)
        ]

    def take(self, maps: MaterialMaps, index: int, source: Source) -> list[tuple[Picture, Shot]]:
        """The photos of sample `index`, whose material has these maps."""
        cameras = self.cameras(index)
        flashes = self.flashes(index, cameras)
        out = []
        for number, (camera, flash) in enumerate(zip(cameras, flashes, strict=True)):
            light = render_plane(maps, camera, [flash])
            exposure = 1.0
            picture = photograph(light * exposure, Faults(), key(self.seed, index, "noise", number))
            out.append((picture, Shot(f"{number}.png", camera, (), exposure, {})))
        return out

    def flashes(self, index: int, cameras: list[PlaneCamera]) -> list[PointLight]:
        return [PointLight(camera.position, (1.0, 1.0, 1.0)) for camera in cameras]


def _uniform(generator: Generator, low: float | int = 0.0, high: float | int = 1.0) -> float:
    # rounded, so that the shortest text of the number is its value
    return round(low + (high - low) * torch.rand((), generator=generator, dtype=torch.float64).item(), 6)
