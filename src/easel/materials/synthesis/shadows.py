"""Shadows of things outside the picture: blobs on the plane that keep part of the room's light away.

A shadow multiplies light, never albedo: a metal in it keeps its colour. Constants, and the letters s1 and s2, are
NeuroPBR's; x and y are world coordinates of the plane.
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
"""Weights of linear red, green and blue. ITU-R BT.709."""


@dataclass(frozen=True)
class Shadow:
    """Shadows of one sample."""

    seed: int
    stretch: float
    """s1 in [-1, 1]: scatter of the blobs."""
    crowding: float
    """s2 in [-1, 1]: number of blobs."""

    def mask(self, x: Grid, y: Grid) -> Grid:
        """Return the darkness in [0, 1]."""
        s1 = self.stretch
        s2 = self.crowding
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
        """Return the share of light that arrives at points of the plane: the shadow that `render_plane` takes."""
        x, y = (part.contiguous().numpy() for part in points)
        return torch.from_numpy(daylight.left(self.mask(x, y)))[None]


@dataclass(frozen=True)
class Daylight:
    """Luminances of exposed surroundings, which fill shadows from all sides."""

    zenith: float
    """Mean luminance around the zenith."""
    horizon: float
    """Mean luminance above the horizon."""
    irradiance: float
    """Luminous irradiance of the plane."""

    @property
    def depth(self) -> float:
        """Share of the light that is lost in the middle of a shadow."""
        # A zenith brighter than the horizon makes shadows deeper, light from elsewhere fills them
        hardness = 0.02 + 0.10 * (1 - _saturate(0.5 * (self.zenith - self.horizon)))
        filled = 1 - 0.3 * _saturate(0.4 * (self.irradiance / max(self.horizon, 1e-6) - 1))
        return filled * (1 - (0.20 + 0.20 * hardness))

    @property
    def floor(self) -> float:
        """Share of the light that arrives everywhere."""
        return max(0.10, min(1.0, 0.15 * self.irradiance))

    def left(self, mask: Grid) -> Grid:
        """Return the share of the light that arrives under the mask."""
        return np.maximum(1 - np.float32(self.depth) * mask, np.float32(self.floor))


def daylight_of(radiance: Float[Tensor, "h w 3"]) -> Daylight:
    """Measure the luminances of an equirectangular picture of surroundings, its zenith in the first row."""
    rows = radiance.shape[0]
    elevation = math.pi * (0.5 - (torch.arange(rows) + 0.5) / rows)
    height = elevation.sin()
    # The solid angle of a row's pixels is as the length of its circle
    width = elevation.cos()
    luminance = (radiance @ torch.tensor(LUMINANCE)).mean(dim=1)

    def mean(weights: Float[Tensor, "h"]) -> float:
        return ((luminance * weights).sum() / weights.sum()).item()

    sheet = mean(height.clamp(min=0) * width)
    return Daylight(mean(width * (height >= 0.85)), mean(width * ((height >= 0) & (height <= 0.35))), math.pi * sheet)


def _saturate(value: float) -> float:
    return min(max(value, 0.0), 1.0)
