"""Brick walls and glazed tiles: units in courses and the joint between them."""

import numpy as np

from easel.materials.library.draw import Draw
from easel.materials.library.layouts import courses
from easel.materials.library.noise import Points, edge, fbm, mix, ramp, uniform
from easel.materials.library.surface import Surface, blend, flat, paint

CLAY = ("#8a4433", "#a35b42", "#6e3a30", "#b97a5a", "#96604a", "#7d4a3e", "#c39a78", "#5c3b34")
MORTAR = ("#b8b0a2", "#9c958a", "#cfc8ba", "#7f7a72", "#d8d2c6")


def brick(points: Points, draw: Draw) -> Surface:
    """Fired clay in mortar: rough, edges worn, every brick a shade of its own."""
    rows = draw.choice((8, 10, 12, 16))
    columns = max(2, round(rows / draw.uniform(2.2, 3.0)))
    joint = draw.uniform(0.07, 0.13) / rows
    bow = draw.uniform(0.02, 0.12) / rows
    warped = points.moved(
        bow * fbm(points, 3 * columns, draw.seed(), 3), bow * fbm(points, 3 * columns, draw.seed(), 3)
    )
    units = courses(warped, columns, rows, draw.seed(), offset=draw.choice((0.5, 0.5, 0.25)), corner=joint)
    grain = fbm(points, 32, draw.seed(), 4, 0.7)
    chips = fbm(points, 4 * rows, draw.seed(), 3)
    depth = units.border - joint / 2 - joint * 0.35 * np.maximum(chips, 0)
    solid = edge(points, depth, joint * 0.3)
    base, other = draw.colour(CLAY), draw.colour(CLAY)
    tone = uniform(units.identity, 1)
    spread = draw.uniform(0.08, 0.22)
    clay = blend(base, other, ramp(uniform(units.identity, 2), 0.55, 0.95))
    clay = clay * (1 + spread * (tone - 0.5) + 0.10 * grain + 0.06 * chips)[..., None]
    mortar = paint(draw.colour(MORTAR), 0.95 + 0.10 * fbm(points, 48, draw.seed(), 3, 0.7))
    rough_clay = draw.uniform(0.55, 0.85)
    roughness = mix(0.92, rough_clay + 0.12 * (tone - 0.5) + 0.06 * grain, solid)
    round_edge = ramp(depth, 0, joint * draw.uniform(0.5, 1.2))
    step = draw.uniform(0.25, 0.6) * joint
    tilt = (uniform(units.identity, 3) - 0.5) * units.across + (uniform(units.identity, 4) - 0.5) * units.up
    pits = draw.uniform(0.3, 1.0) / 32
    height = round_edge * (step + 0.006 * tilt + pits * 0.05 * grain) + 0.02 * (1 - solid) / 32 * grain
    return Surface(blend(mortar, clay, solid), roughness, flat(points), height)


GLAZE = ("#e9e6dd", "#d5d8d6", "#2f4f5c", "#3f6f78", "#7a9a8c", "#1f2a33", "#c9b79c", "#8c3f34", "#31572c", "#e0c9a6")


def ceramic(points: Points, draw: Draw) -> Surface:
    """Glazed tiles in grout: smooth, slightly domed, the grout dull and sunken."""
    columns, rows, offset = draw.choice(((4, 4, 0.0), (6, 6, 0.0), (8, 8, 0.0), (3, 6, 0.5), (4, 8, 0.5), (4, 12, 0.5)))
    joint = draw.uniform(0.04, 0.10) / rows
    units = courses(points, columns, rows, draw.seed(), offset=offset, corner=joint * draw.uniform(1, 3))
    depth = units.border - joint / 2
    solid = edge(points, depth, joint * 0.3)
    first, second = draw.colour(GLAZE), draw.colour(GLAZE)
    tone = uniform(units.identity, 1)
    cloud = fbm(points, 5, draw.seed(), 5, 0.6)
    share = draw.choice((0.0, 0.0, 0.35, 0.5))
    glaze = blend(first, second, (uniform(units.identity, 2) < share).astype(np.float32))
    glaze = glaze * (1 + draw.uniform(0.02, 0.15) * (tone - 0.5) + draw.uniform(0, 0.10) * cloud)[..., None]
    fine = fbm(points, 64, draw.seed(), 2)
    grout = paint(draw.colour(MORTAR), 0.9 + 0.10 * fine)
    gloss = draw.uniform(0.12, 0.45)
    smear = ramp(cloud, 0.0, 0.9)
    roughness = mix(0.85, gloss + 0.10 * (tone - 0.5) + draw.uniform(0.05, 0.25) * smear, solid)
    dome = ramp(depth, 0, draw.uniform(0.12, 0.35) / rows)
    tilt = (uniform(units.identity, 3) - 0.5) * units.across + (uniform(units.identity, 4) - 0.5) * units.up
    waves = fbm(points, 10, draw.seed(), 2)
    height = dome * draw.uniform(0.03, 0.07) / rows + solid * (0.1 * tilt / rows + draw.uniform(0.0005, 0.0022) * waves)
    height = height + (1 - solid) * 0.0006 * fine
    return Surface(blend(grout, glaze, solid), roughness, flat(points), height)
