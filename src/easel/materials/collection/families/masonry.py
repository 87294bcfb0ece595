"""Brick walls, glazed tiles and cobbles: units, and the joint between them."""

import numpy as np

from easel.materials.collection.cells import Units, cells, courses
from easel.materials.collection.marks import spots, stains
from easel.materials.collection.noise import Points, bumps, edge, fbm, mix, ramp, uniform, warped
from easel.materials.collection.sampling import Draw
from easel.materials.collection.surface import Field, Relief, blend, flat, paint, pick

CLAY = "#8a4433 #a35b42 #6e3a30 #b97a5a #96604a #7d4a3e #c39a78 #5c3b34 #a88f78 #54504e"
MORTAR = "#b8b0a2 #9c958a #cfc8ba #7f7a72 #d8d2c6 #5f5b56"
WASH = "#e8e4da #d9d3c4 #9fb0b0 #c9a98c #3d4145"


def brick(points: Points, draw: Draw) -> Relief:
    """Fired clay in mortar: rough, edges worn, every brick a shade of its own; sometimes under limewash."""
    rows = draw.choice((6, 8, 10, 12, 14))
    columns = max(2, round(rows / draw.uniform(2.2, 3.0)))
    joint = draw.uniform(0.07, 0.14) / rows
    bow = draw.uniform(0.01, 0.06) / rows
    laid = warped(points, 3 * columns, draw.seed(), bow, 2)
    units = courses(laid, columns, rows, draw.seed(), offset=draw.choice((0.5, 0.5, 0.25)), corner=joint)
    grain = fbm(points, 40, draw.seed(), 4, 0.75)
    nicks = fbm(points, 4 * rows, draw.seed(), 3)
    # Nicks only take away: a brick is never larger than its mould
    depth = units.border - joint * (0.5 + 0.5 * np.maximum(nicks, 0))
    solid = edge(points, depth, joint * 0.3)
    tone = uniform(units.identity, 1) - 0.5
    # A few bricks lay nearest to the fire of the kiln
    burnt = ramp(uniform(units.identity, 2), draw.uniform(0.5, 0.9), 0.98)
    clay = blend(draw.colour(CLAY), draw.colour(CLAY), burnt)
    clay = clay * (1 + draw.uniform(0.1, 0.3) * tone + 0.16 * grain + 0.08 * nicks)[..., None]
    mortar = paint(draw.colour(MORTAR), 0.95 + 0.14 * grain)
    roughness = mix(0.92, draw.uniform(0.5, 0.85) + 0.2 * tone + 0.14 * grain, solid)
    pits = spots(points, 5 * rows, draw.seed(), 0.4, draw.uniform(0.2, 0.6)) * solid
    cushion = ramp(depth, 0, joint * draw.uniform(0.5, 1.3))
    height = cushion * draw.uniform(0.25, 0.6) * joint + _tilt(units, 0.05 / rows) * cushion
    height = height + bumps(points, 32, draw.seed(), draw.uniform(0.08, 0.22), 3) - 0.0025 * pits
    albedo = blend(mortar, clay, solid) * (1 - 0.35 * pits)[..., None]
    if draw.chance(0.3):
        wear = ramp(fbm(points, 5, draw.seed(), 5, 0.65) + 0.5 * (1 - solid), 0.15 + draw.uniform(-0.3, 0.4), -0.1)
        albedo = blend(albedo, draw.colour(WASH) * (1 + 0.03 * grain)[..., None], 0.95 * wear)
        roughness = mix(roughness, draw.uniform(0.4, 0.75) + 0.08 * grain, wear)
        height = height + 0.0008 * wear
    soot = stains(points, draw.seed(), 3, draw.uniform(0, 0.5)) * draw.uniform(0.1, 0.35)
    return Relief(albedo * (1 - soot)[..., None], roughness + 0.3 * soot, flat(points), height)


GLAZE = "#e9e6dd #d5d8d6 #2f4f5c #3f6f78 #7a9a8c #1f2a33 #c9b79c #8c3f34 #31572c #e0c9a6"
TERRACOTTA = "#b5654a #c47e5c #a2593f #cf9a78"


def tile(points: Points, draw: Draw) -> Relief:
    """Glazed or unglazed tiles in grout: square, staggered or hexagonal, plain, chequered or with an ornament."""
    shape = draw.choice(("square", "square", "running", "hexagon"))
    per_side = draw.choice((3, 4, 4, 6, 8)) if shape == "square" else draw.choice((4, 6, 8))
    joint = draw.uniform(0.04, 0.10) / per_side
    units = _tiling(points, shape, per_side, joint * draw.uniform(1, 3), draw)
    depth = units.border - joint / 2
    solid = edge(points, depth, joint * 0.3)
    tone = uniform(units.identity, 1) - 0.5
    cloud = fbm(points, 5, draw.seed(), 5, 0.6)
    glazed = draw.chance(0.75)
    palette = GLAZE if glazed else f"{TERRACOTTA} {GLAZE}"
    first, second = (draw.colour(palette) for _ in range(2))
    share = draw.choice((0.0, 0.35, 0.5))
    other = (uniform(units.identity, 2) < share).astype(np.float32)
    if shape == "square" and draw.chance(0.6):
        other = _ornament(points, units, draw)
    body = blend(first, second, other)
    body = body * (1 + draw.uniform(0.03, 0.25) * tone + draw.uniform(0.02, 0.10) * cloud)[..., None]
    fine = fbm(points, 64, draw.seed(), 3, 0.7)
    grout = paint(draw.colour(MORTAR), 0.9 + 0.14 * fine)
    base = draw.uniform(0.12, 0.4) if glazed else draw.uniform(0.5, 0.75)
    gloss = base + 0.12 * tone + draw.uniform(-0.1, 0.25) * other + draw.uniform(0.05, 0.3) * ramp(cloud, 0.0, 0.8)
    # Chips sit at the edges: further inside the depth, times 60, outweighs any noise
    broken = fbm(points, 6 * per_side, draw.seed(), 3, 0.7) - 60 * np.maximum(depth, 0)
    chips = solid * ramp(broken, draw.uniform(0.15, 0.9), draw.uniform(0.9, 1.0))
    round_edge = ramp(depth, 0, draw.uniform(0.06, 0.35) / per_side)
    height = round_edge * draw.uniform(0.025, 0.07) / per_side + solid * _tilt(units, 0.12 / per_side)
    height = height + solid * bumps(points, draw.choice((8, 16, 24)), draw.seed(), draw.uniform(0.04, 0.16), 2)
    height = height + (1 - solid) * bumps(points, 64, draw.seed(), 0.2, 2) - 0.012 / per_side * chips
    albedo = blend(blend(grout, body, solid), paint(draw.colour(TERRACOTTA), 1 + 0.1 * fine), chips)
    return Relief(albedo, mix(mix(0.88, gloss, solid), 0.85, chips), flat(points), height)


def _tiling(points: Points, shape: str, per_side: int, corner: float, draw: Draw) -> Units:
    if shape == "hexagon":
        near = cells(points, (per_side, per_side), draw.seed(), 0.0, 0.5)
        return Units(near.border / per_side, near.identity, near.right, near.up)
    if shape == "running":
        return courses(points, draw.choice((2, 3, 4)), per_side, draw.seed(), offset=0.5, corner=corner)
    return courses(points, per_side, per_side, draw.seed(), offset=0.0, corner=corner)


def _ornament(points: Points, units: Units, draw: Draw) -> Field:
    """Return 1 on a figure that is the same on every tile and has the symmetries of a square, as of encaustic tiles."""
    # Folded along four axes: whatever is drawn has the symmetries of the tile
    x, y = map(np.abs, (units.across, units.up))
    folded = Points(np.maximum(x, y), np.minimum(x, y), points.size)
    figure = fbm(folded, draw.choice((3, 4, 5)), draw.seed(), 2)
    level = draw.uniform(-0.1, 0.1)
    return ramp(figure, level - 0.04, level + 0.04)


def _tilt(units: Units, amount: float) -> Field:
    """Return the height of units that were not laid quite level."""
    return np.float32(amount) * (
        (uniform(units.identity, 3) - 0.5) * units.across + (uniform(units.identity, 4) - 0.5) * units.up
    )


STONES = "#8a857c #6f6b66 #a59b8b #5a5c60 #7d6f62 #9a8a76 #4c4a48 #8f8f93 #7a5f50"
SAND = "#8f7f68 #6e6252 #a89878 #4f4840 #5b5a4a"


def cobblestone(points: Points, draw: Draw) -> Relief:
    """Setts in courses or rounded field stones, sand or moss between them, their heads worn smooth."""
    per_side = draw.choice((5, 6, 8, 10))
    laid = warped(points, 2 * per_side, draw.seed(), 0.10 / per_side, 2)
    if draw.chance(0.5):
        # Courses that are offset repeat only over an even number
        rows = per_side + per_side % 2
        units = courses(laid, per_side, rows, draw.seed(), scatter=1.0, corner=0.3 / rows)
        border = units.border * rows
        identity = units.identity
    else:
        near = cells(laid, per_side, draw.seed(), 0.75)
        border = near.border
        identity = near.identity
    gap = draw.uniform(0.05, 0.10)
    depth = border - gap - 0.05 * np.maximum(fbm(points, 4 * per_side, draw.seed(), 2), 0)
    solid = edge(points, depth / per_side, 0.02 / per_side)
    grain = fbm(points, 24, draw.seed(), 5, 0.75)
    stone = pick(identity, 5, [draw.colour(STONES) for _ in range(3)])
    stone = stone * (1 + 0.3 * (uniform(identity, 1) - 0.5) + 0.22 * grain)[..., None]
    fine = fbm(points, 64, draw.seed(), 3, 0.8)
    soil = paint(draw.colour(SAND), 0.85 + 0.3 * fine)
    moss = stains(points, draw.seed(), 3, draw.uniform(0, 0.5)) * float(draw.chance(0.5))
    soil = blend(soil, np.array([0.27, 0.33, 0.13], np.float32) * (1 + 0.5 * fine)[..., None], moss)
    head = ramp(depth, 0.0, draw.uniform(0.2, 0.45))
    level = (uniform(identity, 6) - 0.5) * 0.12 + 0.8
    # Feet and wheels reach the heads alone
    polish = ramp(head, 0.5, 1.0)
    roughness = mix(0.93, 0.82 - draw.uniform(0.1, 0.5) * polish + 0.15 * grain, solid)
    rocky = bumps(points, 16, draw.seed(), draw.uniform(0.1, 0.25), 4)
    height = draw.uniform(0.10, 0.2) / per_side * level * head + rocky * (0.4 + 0.6 * head)
    height = height + (1 - solid) * 0.0015 * fine * (1 + moss)
    return Relief(blend(soil, stone, solid), roughness, flat(points), height)
