"""Shadows of what is not in the picture: blobs on the plane that keep part of the room's light away.

A shadow multiplies light, never albedo: a metal in it keeps its colour. Constants are NeuroPBR's; x and y are world
coordinates of the plane.
"""

from dataclasses import dataclass

import numpy as np

from easel.materials.library.noise import mix, ramp
from easel.materials.synthesis.endless_noise import Grid, fbm, value_noise, worley

SPECULAR_SHARE = 0.7
"""How much of what is lost in the diffuse light is lost in reflections too."""


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


def light_left(mask: Grid, zenith: float | int, horizon: float | int, irradiance: float | int) -> Grid:
    """What share of the diffuse light of surroundings arrives under a shadow, in (0, 1].

    Luminances of exposed light: of what is straight above, of what is low, and what falls on the plane altogether.
    Light from all sides makes soft shadows that are never black.
    """
    hardness = 0.02 + 0.10 * (1 - _saturate(0.5 * (zenith - horizon)))
    filled = 1 - 0.3 * _saturate(0.4 * (irradiance / max(horizon, 1e-6) - 1))
    floor = max(0.10, min(1.0, 0.15 * irradiance))
    return np.maximum(mix(1, 0.20 + 0.20 * hardness, mask * np.float32(filled)), np.float32(floor))


def reflected_left(left: Grid) -> Grid:
    """What share of the reflected light arrives where `left` of the diffuse light does."""
    return mix(1, left, SPECULAR_SHARE)


def _saturate(value: float) -> float:
    return min(max(value, 0.0), 1.0)
