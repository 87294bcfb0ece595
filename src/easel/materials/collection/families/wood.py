"""Wood: year rings cut along the trunk, raw or varnished, in one piece, in boards or as parquet."""

import numpy as np

from easel.materials.collection.cells import cells, courses
from easel.materials.collection.marks import scratches, stains
from easel.materials.collection.noise import Points, edge, fbm, mix, noise, ramp, uniform
from easel.materials.collection.sampling import Draw
from easel.materials.collection.surface import Field, Relief, blend, flat, shades

# light wood, late wood, pore: oak, pine, walnut, cherry, beech, ash, teak, ebony, weathered, mahogany, maple
TIMBER = (
    "#c9a878 #a9824f #6e4f2e",
    "#e0bd86 #b8824a #9a6a3c",
    "#8a6446 #5d3f2b #35231a",
    "#b97f58 #8f5638 #603622",
    "#d8b491 #bd9069 #8f6847",
    "#dccba9 #b79f77 #86704e",
    "#b08850 #835c30 #543719",
    "#5a4a40 #3d302a #241b18",
    "#a39c92 #7d766d #544e48",
    "#91503a #6b3224 #421d16",
    "#e6d2b0 #cfb189 #a98a63",
)


def wood(points: Points, draw: Draw) -> Relief:
    """One piece: a veneer, a table top, a carving block."""
    points = draw.laid(points)
    nothing = flat(points)
    return _timber(points, draw, nothing, nothing, nothing)


def planks(points: Points, draw: Draw) -> Relief:
    """Boards beside each other, every one from another tree of the same wood, with gaps between them."""
    points = draw.laid(points)
    boards = draw.choice((3, 4, 5, 6, 8))
    units = courses(points.turned(), draw.choice((1, 2)), boards, draw.seed(), offset=0.0, scatter=1.0)
    gap = draw.uniform(0.004, 0.014)
    depth = units.border - gap / 2
    solid = edge(points, depth, 0.003)
    tone = uniform(units.identity, 1) - 0.5
    timber = _timber(points, draw, uniform(units.identity, 5), uniform(units.identity, 6), tone)
    chamfer = ramp(depth, -0.001, draw.uniform(0.004, 0.014))
    warp = (uniform(units.identity, 7) - 0.5) * 0.016 * units.up
    height = timber.height * solid + draw.uniform(0.004, 0.009) * chamfer + warp
    dirt = mix(0.2, 1, solid) * mix(0.75, 1, chamfer)
    return Relief(timber.albedo * dirt[..., None], mix(0.92, timber.roughness, solid), timber.metallic, height)


def _timber(points: Points, draw: Draw, aside: Field, along: Field, tone: Field) -> Relief:
    """Cut year rings along y: a board at `aside` and `along` in the log, by `tone` in [-.5, .5] lighter or darker."""
    own = points.moved(aside, along)
    light, late_colour, pore_colour = draw.colours(draw.choice(TIMBER), 0.05)
    knots = cells(own, (2, 1), draw.seed(), 0.9)
    here = uniform(knots.identity, 1) < draw.choice((0.0, 0.0, 0.25, 0.5))
    # A knot is longer along the trunk, and the rings flow around it
    reach = np.sqrt(4 * knots.right * knots.right + 0.6 * knots.up * knots.up)
    knot = np.where(here, ramp(reach, 0.42, 0.0), np.float32(0))
    bend = fbm(own, (2, 1), draw.seed(), 3, 0.35)
    wobble = fbm(own, (6, 2), draw.seed(), 3, 0.5)
    cathedral = draw.uniform(1, 6)
    straight = draw.integer(4, 14)
    # Where the cut grazes a ring it shows as an arch, elsewhere rings are lines
    rings = cathedral * bend + 0.35 * wobble + np.float32(straight) * own.x + 3.5 * knot * knot
    ring = rings - np.floor(rings)
    late = ramp(ring, 0.15, 0.8) * ramp(ring, 1.0, 0.88)
    late = late * (0.75 + 0.5 * noise(own, (3, 1), draw.seed()))
    fibre = fbm(own, (64, 3), draw.seed(), 3, 0.8)
    long_pores = noise(own, (160, 12), draw.seed()) * points.presence(160) - 0.25 + 0.25 * (1 - late)
    pores = ramp(long_pores, 0.22, 0.55) * draw.uniform(0.2, 1.0)
    share = draw.uniform(0.5, 1.0) * late + 0.25 * fibre + 0.9 * knot * ramp(reach, 0.25, 0.05)
    albedo = blend(shades(share, [light, late_colour, late_colour * np.float32(0.6)]), pore_colour, 0.7 * pores)
    cloud = fbm(own, (3, 2), draw.seed(), 3)
    albedo = albedo * (1 + 0.08 * fibre + 0.10 * cloud + draw.uniform(0.2, 0.55) * tone)[..., None]
    finish = draw.choice(("raw", "oiled", "varnished"))
    base, depth = {"raw": (0.72, 1.3), "oiled": (0.5, 0.9), "varnished": (0.2, 0.55)}[finish]
    worn = stains(points, draw.seed(), 3, draw.uniform(0.1, 0.6))
    base = base + draw.uniform(-0.08, 0.1) + draw.uniform(0.05, 0.25) * worn
    roughness = base + 0.10 * fibre - 0.10 * late + 0.25 * pores + 0.1 * tone
    lines = scratches(points, 6, draw.seed(), width=0.008, share=draw.uniform(0, 0.8))
    depth *= draw.uniform(1.0, 2.2)
    height = depth * (0.0020 * fibre - 0.0030 * pores + 0.0040 * late + 0.006 * knot) - 0.0009 * lines
    height = height + 0.007 * noise(own, (3, 1), draw.seed())
    return Relief(albedo * (1 - 0.2 * lines)[..., None], roughness + 0.15 * lines, flat(points), height)


def parquet(points: Points, draw: Draw) -> Relief:
    """Squares of strips, every second one turned: a basket of oak."""
    per_side = draw.choice((4, 6))
    strips = draw.choice((3, 4, 5))
    column, row = (np.floor(coordinate * per_side) for coordinate in (points.x, points.y))
    crosswise = (column + row) % 2 == 1
    own = Points(np.where(crosswise, points.y, points.x), np.where(crosswise, points.x, points.y), points.size)
    units = courses(own.turned(), per_side, per_side * strips, draw.seed(), offset=0.0)
    word = units.identity + crosswise.astype(np.uint32)
    tone = uniform(word, 1) - 0.5
    timber = _timber(own, draw, uniform(word, 5), uniform(word, 6), tone)
    depth = units.border - draw.uniform(0.001, 0.003)
    solid = edge(points, depth, 0.002)
    chamfer = ramp(depth, -0.001, draw.uniform(0.003, 0.009))
    level = (uniform(word, 7) - 0.5) * 0.02 * units.up + (uniform(word, 8) - 0.5) * 0.03 * units.across
    height = timber.height + 0.004 * chamfer + level
    dirt = mix(0.3, 1, solid) * mix(0.8, 1, chamfer)
    return Relief(timber.albedo * dirt[..., None], mix(0.9, timber.roughness, solid), timber.metallic, height)
