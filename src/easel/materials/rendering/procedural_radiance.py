"""Radiance of skies, soft boxes, studios and rooms made from a seed. Nothing to download.

`d` is the field of all directions (3, h, w) of unit length, +z the zenith; azimuths count from +y towards +x. Every
`draw` takes the next number of the seed, so that the order of calls is part of what a seed means.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from easel.materials.rendering.vectors import Number, equirectangular

ROWS = 128
"""Pixels from zenith to nadir."""

Draw = Callable[[Number, Number], float]
"""Random number between two."""


def procedural_radiance(kind: str, seed: int, rows: int = ROWS) -> Float[Tensor, "h w 3"]:
    """Return the equirectangular radiance of one of `KINDS`, (rows, 2 · rows, 3).

    It is scaled so that a white sheet that lies flat under it has a mean radiance of 1. ValueError for an unknown kind
    and for a seed outside [0, 2^63).
    """
    if kind not in KINDS:
        raise ValueError(f"unknown environment {kind!r}. Known: {', '.join(KINDS)}, or the path of an .hdr or .exr.")
    if not 0 <= seed < 2**63:
        raise ValueError(f"an environment's seed is a whole number from 0 to 2^63 - 1; got {seed!s:.30}.")
    generator = torch.Generator().manual_seed(seed)

    def draw(low: Number, high: Number) -> float:
        return low + (high - low) * torch.rand((), generator=generator, dtype=torch.float64).item()

    directions = equirectangular(rows)
    radiance = KINDS[kind](directions, draw).clamp(min=0)
    # cos θ of the sheet times the solid angle of a pixel, which is as sin θ in an equirectangular picture
    upwards = directions[2].clamp(min=0) * (directions[0].square() + directions[1].square()).sqrt()
    shown = (radiance * upwards).mean(dim=0).sum() / upwards.sum()
    return (radiance / shown).permute(1, 2, 0).contiguous()


def _sky(d: Float[Tensor, "3 h w"], draw: Draw) -> Float[Tensor, "3 h w"]:
    """Paint blue above, haze at the horizon, a sun, some clouds, and the ground below."""
    sun = _direction(draw(-180, 180), draw(20, 65))
    height = d[2].clamp(min=0)
    haze = _colour(0.95, 0.93, 0.9) * draw(0.8, 1.2)
    blue = _colour(0.16, 0.34, 0.78) * draw(0.6, 1.0)
    sky = haze + (blue - haze) * (1 - (1 - height) ** 3)
    towards_sun = torch.einsum("c,chw->hw", sun, d)
    # The glow around the sun falls off as a von Mises–Fisher lobe, a bell on the sphere
    sky = sky + _colour(1, 0.85, 0.6) * (0.8 * ((towards_sun - 1) * 12).exp())
    clouds = _steps(_waves(d * torch.tensor([1, 1, 2.5])[:, None, None], 3.5, draw), draw(0.45, 0.7), 0.95)
    sky = sky + (_colour(1.25, 1.22, 1.2) - sky) * (0.75 * clouds * _steps(height, 0.03, 0.25))
    ground = _colour(0.30, 0.26, 0.21) * (0.7 + 0.3 * _waves(d, 9, draw))
    # A disc of 4 degrees instead of half of one: as bright in all, and no firefly in the maps made from it
    disc = _colour(1, 0.93, 0.8) * (draw(60, 160) * _steps(towards_sun, math.cos(0.045), math.cos(0.03)))
    return torch.where(d[2] > 0, sky + disc, ground)


def _softbox(d: Float[Tensor, "3 h w"], draw: Draw) -> Float[Tensor, "3 h w"]:
    """Paint one large soft box at a side and above, a weak one across from it, in a grey room."""
    azimuth = draw(-180, 180)
    key = _panel(d, azimuth, draw(35, 65), draw(0.45, 0.7), draw(0.45, 0.7))
    fill = _panel(d, azimuth + draw(140, 220), draw(15, 45), draw(0.5, 0.9), draw(0.5, 0.9))
    return _backdrop(d, 0.22) + _colour(1, 0.97, 0.93) * (10 * key) + _colour(0.85, 0.93, 1) * (1.2 * fill)


def _studio(d: Float[Tensor, "3 h w"], draw: Draw) -> Float[Tensor, "3 h w"]:
    """Paint a warm key, a large overhead, and two cool strips that draw the outline, before a dark backdrop."""
    azimuth = draw(-180, 180)
    light = _backdrop(d, 0.1)
    light = light + _colour(1, 0.88, 0.74) * (9 * _panel(d, azimuth, draw(30, 50), 0.35, 0.5))
    light = light + _colour(1, 1, 1) * (2.5 * _panel(d, draw(-180, 180), draw(75, 88), 0.8, 0.5))
    for side in (100, -100):
        strip = _panel(d, azimuth + side + draw(-15, 15), draw(15, 35), 0.12, 0.9)
        light = light + _colour(0.72, 0.86, 1) * (7 * strip)
    return light


def _room(d: Float[Tensor, "3 h w"], draw: Draw) -> Float[Tensor, "3 h w"]:
    """Paint the inside of a box: plain walls, one of them with two windows of daylight, a lamp at the ceiling."""
    half = torch.tensor([draw(1.8, 3.5), draw(1.8, 3.5), draw(1.2, 1.6)])
    # The ray from the middle meets the box at the nearest of its planes
    reach = half[:, None, None] / d.abs().clamp(min=1e-6)
    distance, axis = reach.min(dim=0)
    x, y, z = d * distance
    wall = _colour(draw(0.7, 0.9), draw(0.62, 0.8), draw(0.5, 0.75)) * draw(0.25, 0.4)
    floor = _colour(draw(0.3, 0.5), draw(0.22, 0.34), draw(0.14, 0.24)) * 0.5
    ceiling = _colour(0.8, 0.79, 0.76) * 0.45
    light = torch.where(axis == 2, torch.where(d[2] > 0, ceiling, floor), wall)
    # Corners see less of the room
    near_edge = torch.sort(1 - torch.stack([x, y, z]).abs() / half[:, None, None], dim=0).values[1]
    light = light * (0.55 + 0.45 * _steps(near_edge, 0.0, 0.5))
    # Windows are in the wall at +x, side by side along y, or in that at +y
    wall_axis = int(draw(0, 1) >= 0.5)
    along = (y, x)[wall_axis]
    glazed = (axis == wall_axis) & (d[wall_axis] > 0)
    daylight = _colour(0.82, 0.92, 1.0) * draw(8, 14)
    for left, right in ((-0.55, -0.2), (0.2, 0.55)):
        centre = float(half[1 - wall_axis]) * draw(left, right)
        pane = _frame(along, centre, draw(0.35, 0.7)) * _frame(z, draw(0.1, 0.3), draw(0.55, 0.85))
        light = light + daylight * (pane * glazed)
    lamp = ((x - draw(-0.8, 0.8)).square() + (y - draw(-0.8, 0.8)).square()).sqrt()
    bulb = _steps(-lamp, -0.28, -0.2) * ((axis == 2) & (d[2] > 0))
    return light + _colour(1, 0.82, 0.58) * (draw(8, 30) * bulb)


KINDS: dict[str, Callable[[Float[Tensor, "3 h w"], Draw], Float[Tensor, "3 h w"]]] = {
    "sky": _sky,
    "softbox": _softbox,
    "studio": _studio,
    "room": _room,
}
"""Name → function that paints it in every direction."""


def _direction(azimuth_degrees: Number, elevation_degrees: Number) -> Float[Tensor, "3"]:
    azimuth = math.radians(azimuth_degrees)
    elevation = math.radians(elevation_degrees)
    flat = math.cos(elevation)
    return torch.tensor([flat * math.sin(azimuth), flat * math.cos(azimuth), math.sin(elevation)])


def _colour(red: Number, green: Number, blue: Number) -> Float[Tensor, "3 1 1"]:
    return torch.tensor([float(red), float(green), float(blue)])[:, None, None]


def _steps(x: Float[Tensor, "h w"], low: Number, high: Number) -> Float[Tensor, "h w"]:
    """Return 0 below `low`, 1 above `high`, smooth between."""
    t = ((x - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def _waves(d: Float[Tensor, "3 h w"], frequency: Number, draw: Draw) -> Float[Tensor, "h w"]:
    """Return a cloudy pattern in [0,1]: the sum of random plane waves in three octaves."""
    total = torch.zeros_like(d[0])
    for octave in range(3):
        for _ in range(5):
            wave = _direction(draw(-180, 180), draw(-90, 90)) * frequency * 2**octave
            total = total + (torch.einsum("c,chw->hw", wave, d) + draw(0, 6.3)).cos() / 2**octave
    return torch.sigmoid(total)


def _panel(
    d: Float[Tensor, "3 h w"], azimuth: Number, elevation: Number, half_width: Number, half_height: Number
) -> Float[Tensor, "h w"]:
    """Return a soft box that faces the middle, brighter at its centre; half its sides are those at a distance of 1."""
    towards = _direction(azimuth, elevation)
    right = _direction(azimuth + 90, 0)
    up = torch.linalg.cross(right, towards)
    ahead, x, y = (torch.einsum("c,chw->hw", axis, d) for axis in (towards, right, up))
    in_front = ahead > 1e-3
    # Behind the middle the projection would show the box a second time, upside down
    x, y = (torch.where(in_front, part / ahead.clamp(min=1e-3), 1e3) for part in (x, y))
    glow = 1 - 0.35 * ((x / half_width).square() + (y / half_height).square()).clamp(max=2) / 2
    return _frame(x, 0, half_width) * _frame(y, 0, half_height) * glow


def _frame(x: Float[Tensor, "h w"], centre: Number, half: Number) -> Float[Tensor, "h w"]:
    """Return 1 inside an interval, with soft ends."""
    return _steps(-(x - centre).abs(), -half - 0.04, -half + 0.04)


def _backdrop(d: Float[Tensor, "3 h w"], level: Number) -> Float[Tensor, "3 h w"]:
    """Return a grey paper cove, darker below."""
    return _colour(1, 1, 1.03) * (level * (0.35 + 0.65 * _steps(d[2], -0.6, 0.5)))
