"""Wood: year rings cut along the trunk, raw or varnished, in one piece or in boards."""

import numpy as np

from easel.materials.library.draw import Draw
from easel.materials.library.layouts import courses
from easel.materials.library.noise import Points, edge, fbm, mix, noise, ramp, uniform
from easel.materials.library.surface import Surface, blend, flat

TIMBER = ("#c59a6b", "#a9764a", "#8a5a3a", "#6b4229", "#d9b88a", "#b98a5e", "#7a4a30", "#e2c9a0", "#54341f", "#9c8468")


def wood(points: Points, draw: Draw) -> Surface:
    """Rings along y, bent and knotted; late wood is darker, harder and stands a little proud."""
    if draw.chance(0.5):
        points = points.turned()
    boards = draw.choice((0, 4, 5, 6, 8))
    seed = draw.seed()
    if boards:
        turned = points.turned()
        units = courses(turned, draw.choice((1, 2)), boards, seed, offset=0.0, scatter=1.0)
        shift = uniform(units.identity, 5) * 8
        depth = units.border - draw.uniform(0.006, 0.016) / 2
        tone = uniform(units.identity, 1) - 0.5
    else:
        shift, depth, tone = flat(points), flat(points, 1.0), flat(points)
    solid = edge(points, depth, 0.004)
    own = points.moved(0.0, shift)
    bend = fbm(own, (2, 1), draw.seed(), 3, 0.45)
    wobble = fbm(own, (8, 2), draw.seed(), 2)
    rings = draw.uniform(5, 16)
    phase = rings * (0.9 * bend + 0.05 * wobble) + draw.integer(3, 9) * points.x
    ring = phase - np.floor(phase)
    late = ramp(ring, 0.25, 0.85) * (1 - ramp(ring, 0.90, 1.0))
    fibre = noise(own, (96, 4), draw.seed()) * points.presence(96) + 0.6 * noise(
        own, (192, 8), draw.seed()
    ) * points.presence(192)
    pores = ramp(noise(own, (128, 10), draw.seed()), 0.35, 0.75) * points.presence(128)
    light = draw.colour(TIMBER)
    dark = light * np.array([0.62, 0.55, 0.48], np.float32)
    albedo = blend(light, dark, 0.75 * late + 0.35 * pores) * (1 + 0.06 * fibre + 0.25 * tone)[..., None]
    varnish = draw.chance(0.45)
    base = draw.uniform(0.15, 0.35) if varnish else draw.uniform(0.5, 0.8)
    roughness = base + 0.10 * fibre - 0.12 * late + 0.2 * pores + 0.15 * tone
    relief = draw.uniform(0.3, 0.6) if varnish else draw.uniform(0.7, 1.4)
    height = relief * (0.0014 * fibre - 0.0030 * pores + 0.0040 * late) + 0.010 * ramp(depth, -0.002, 0.014)
    albedo = albedo * mix(0.25, 1, solid)[..., None]
    return Surface(albedo, mix(0.9, roughness, solid), flat(points), height)
