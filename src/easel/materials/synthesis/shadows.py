"""Shadows of what is not in the picture: blobs on the plane that keep part of the room's light away.

A shadow multiplies light, never albedo: a metal in it keeps its colour. Constants are NeuroPBR's; x and y are world
coordinates of the plane.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from easel.materials.collection.noise import mix, ramp
from easel.materials.synthesis.endless_noise import Grid, fbm, value_noise, worley

LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Of linear red, green and blue. ITU-R BT.709."""


@dataclass(frozen=True)
class Shadow:
    """The shadows of one sample."""

    seed: int
    stretch: float
    """s1 in [-1, 1]: how much blobs are scattered."""
    crowding: float
    """s2 in [-1, 1]: how many there are."""

    def mask(self, x: Grid, y: Grid) -> Grid:
        """Where it is dark, in [0, 1]."""
        s1, s2 = self.stretch, self.crowding
        jitter = 0.8 + 0.15 * s1
        few, many, ragged = (np.float32(f) for f in (1.8 + 0.4 * s2, 2.4 - 0.5 * s1, 6 + 2 * s2))

        def blobs(x: Grid, y: Grid) -> Grid:
            return 1 - ramp(worley(x * few, y * few, self.seed, jitter), 0.25, 0.45)

        first = blobs(x, y)
        second = 1 - ramp(worley(x * many, y * many, self.seed + 2, jitter * 0.85), 0.25, 0.42)
        reach = np.float32(0.12 + 0.05 * s1)
        warped = blobs(
            x + reach * (2 * value_noise(x * ragged, y * ragged, self.seed + 4) - 1),
            y + reach * (2 * value_noise(x * ragged, y * ragged, self.seed + 5) - 1),
        )
        mask = mix(np.maximum(first, np.float32(0.6) * second), warped, 0.35)
        fine = np.float32(15 + 3 * s1)
        return np.clip(mask * (np.float32(0.85) + np.float32(0.25) * fbm(x * fine, y * fine, self.seed + 6)), 0, 1)

    def left(self, points: Float[Tensor, "2 h w"], daylight: "Daylight") -> Float[Tensor, "1 h w"]:
        """What share of the light of surroundings arrives at points of the plane: what `render_plane` takes."""
        x, y = (part.contiguous().numpy() for part in points)
        return torch.from_numpy(daylight.left(self.mask(x, y)))[None]


@dataclass(frozen=True)
class Daylight:
    """Luminances of exposed light, which say how dark its shadows are: light from all sides fills them."""

    zenith: float
    """Of what is straight above."""
    horizon: float
    """Of what is low."""
    irradiance: float
    """Of all that falls on the plane."""

    @property
    def depth(self) -> float:
        """What share of the light is lost in the middle of a shadow."""
        hardness = 0.02 + 0.10 * (1 - _saturate(0.5 * (self.zenith - self.horizon)))
        filled = 1 - 0.3 * _saturate(0.4 * (self.irradiance / max(self.horizon, 1e-6) - 1))
        return filled * (1 - (0.20 + 0.20 * hardness))

    @property
    def floor(self) -> float:
        """What share of the light arrives everywhere."""
        return max(0.10, min(1.0, 0.15 * self.irradiance))

    def left(self, mask: Grid) -> Grid:
        """What share of the light arrives where the mask is."""
        return np.maximum(1 - np.float32(self.depth) * mask, np.float32(self.floor))


def daylight_of(radiance: Float[Tensor, "h w 3"]) -> Daylight:
    """The luminances of an equirectangular picture of surroundings, its zenith in the first row."""
    rows = radiance.shape[0]
    elevation = math.pi * (0.5 - (torch.arange(rows) + 0.5) / rows)
    height, width = elevation.sin(), elevation.cos()
    luminance = (radiance @ torch.tensor(LUMINANCE)).mean(dim=1)

    def mean(weights: Float[Tensor, "h"]) -> float:
        return ((luminance * weights).sum() / weights.sum()).item()

    sheet = mean(height.clamp(min=0) * width)
    return Daylight(mean(width * (height >= 0.85)), mean(width * ((height >= 0) & (height <= 0.35))), math.pi * sheet)


def _saturate(value: float) -> float:
    return min(max(value, 0.0), 1.0)
