"""Bare metals: what light does to them is their colour."""

from easel.materials.library.draw import Draw
from easel.materials.library.noise import Points, fbm, noise, ramp
from easel.materials.library.surface import Surface, flat, paint

METAL = ("#c7c8c9", "#f0f0f0", "#ffdb91", "#f9d2c2", "#d8d0c6", "#f7f5ec", "#e3c989", "#c4bcb2", "#d2d2d4")
"""Reflectance at normal incidence: iron, aluminium, gold, copper, nickel, silver, brass, titanium, steel."""


def brushed(points: Points, draw: Draw) -> Surface:
    """Fine parallel scratches: streaks of roughness and a shallow relief across them."""
    if draw.chance(0.5):
        points = points.turned()
    streaks = sum(
        (noise(points, (4 << k, 192 >> 0), draw.seed()) * points.presence(192) for k in range(2)), flat(points)
    ) + noise(points, (2, 64), draw.seed()) * points.presence(64)
    smear = fbm(points, (3, 3), draw.seed(), 4)
    base = draw.uniform(0.22, 0.5)
    roughness = base + 0.08 * streaks + 0.10 * ramp(smear, -0.2, 0.8)
    height = draw.uniform(0.0008, 0.0016) * streaks
    albedo = paint(draw.colour(METAL, 0.03), 0.97 + 0.04 * streaks - 0.04 * ramp(smear, 0, 1))
    return Surface(albedo, roughness, flat(points, 1.0), height)
