"""Natural and cast stone: marble, granite, slate, concrete, terrazzo."""

import numpy as np

from easel.materials.collection.cells import cells, courses
from easel.materials.collection.marks import scratches, spots, stains
from easel.materials.collection.noise import Points, bumps, edge, fbm, mix, noise, ramp, uniform, warped
from easel.materials.collection.sampling import Draw
from easel.materials.collection.surface import Relief, blend, flat, paint, pick, shades

# ground, cloud, vein
MARBLES = (
    "#e9e7e3 #cfd0d0 #8d9094",
    "#ece3d3 #d9c6a6 #a9835a",
    "#2b2c30 #3d3f45 #d9d4c8",
    "#3c5a4a #2c4438 #b9cbb8",
    "#8a4a40 #6f352f #e0c3b2",
    "#d8b7a6 #c79c88 #8f5f50",
    "#b7bcc2 #9aa2ab #5b646e",
)


def marble(points: Points, draw: Draw) -> Relief:
    """Clouds and veins, polished or tumbled, in slabs."""
    ground, cloudy, vein = draw.colours(draw.choice(MARBLES), 0.05)
    slabs = draw.choice((0, 2, 3))
    units = courses(points, max(slabs, 1), max(slabs, 1), draw.seed(), offset=0.0)
    # Each slab shows another place of the rock
    own = points.moved(*(uniform(units.identity, axis) if slabs else flat(points) for axis in (1, 2)))
    frequency = draw.choice((2, 3, 4))
    bent = warped(own, frequency, draw.seed(), 0.3 / frequency, 5)
    cloud = fbm(bent, frequency, draw.seed(), 5, 0.6)
    # Veins lie where a noise changes its sign: lines without ends, as cracks that filled are
    wide, fine = (np.abs(noise(bent, count, draw.seed())) for count in (frequency, 3 * frequency))
    strength = (0.6 + 0.8 * noise(own, frequency, draw.seed())).clip(0, 1)
    veins = (ramp(wide, 0.07, 0.0) * strength + 0.55 * ramp(fine, 0.10, 0.0) * strength).clip(0, 1)
    albedo = blend(shades(0.5 + 0.9 * cloud, [ground, ground, cloudy]), vein, 0.85 * veins)
    gloss = draw.uniform(0.10, 0.5)
    dull = stains(points, draw.seed(), 3, draw.uniform(0.2, 0.6))
    roughness = gloss + 0.22 * veins + 0.1 * cloud + draw.uniform(0.05, 0.25) * dull
    height = bumps(points, draw.choice((6, 12)), draw.seed(), draw.uniform(0.08, 0.28), 3) - 0.0022 * veins
    height = height + bumps(points, 48, draw.seed(), draw.uniform(0.02, 0.1), 2)
    if slabs:
        depth = units.border - 0.0025
        solid = edge(points, depth, 0.003)
        height = height + 0.006 * ramp(depth, 0, 0.012)
        albedo = albedo * mix(0.45, 1, solid)[..., None]
        roughness = mix(0.85, roughness, solid)
    return Relief(albedo, roughness, flat(points), height)


GRANITES = (
    "#d9d4cc #b9b2a8 #8d8a86 #2c2b2c",
    "#c99a86 #b07f6c #d9c8ba #33302f",
    "#4a4b4f #2e2f33 #6b6d72 #a9abb0",
    "#a8a290 #7d8272 #d2ccbc #3a3d36",
    "#8f9aa6 #6a7480 #c3c9cf #25282d",
)
# range of roughness, its contrast between crystals, range of slopes
POLISHED = ((0.12, 0.35), 0.3, (0.04, 0.12))
FLAMED = ((0.6, 0.85), 0.25, (0.2, 0.4))


def granite(points: Points, draw: Draw) -> Relief:
    """Grown crystals of a few minerals, each with its own polish; or flamed and rough."""
    minerals = draw.colours(draw.choice(GRANITES), 0.05)
    size = draw.choice((16, 24, 32))
    torn = warped(points, size, draw.seed(), 0.5 / size, 3)
    large, small = (cells(torn, count, draw.seed(), 1.0) for count in (size, 2 * size))
    fine_share = uniform(small.identity, 1) < draw.uniform(0.3, 0.6)
    word = np.where(fine_share, small.identity, large.identity)
    grain = fbm(points, 48, draw.seed(), 3, 0.8)
    albedo = pick(word, 3, minerals) * (1 + 0.25 * (uniform(word, 4) - 0.5) + 0.12 * grain)[..., None]
    cloud = fbm(points, 3, draw.seed(), 4)
    gloss, contrast, slopes = POLISHED if draw.chance(0.5) else FLAMED
    # Minerals differ in hardness: one number says how dull a crystal is and how high it stands
    crystal = uniform(word, 5)
    roughness = draw.uniform(*gloss) + contrast * (crystal - 0.4) + 0.12 * cloud + 0.06 * grain
    relief = draw.uniform(*slopes)
    height = bumps(points, 24, draw.seed(), relief, 4, 0.7) + relief * 0.015 * (crystal - 0.5)
    height = height + bumps(points, 4, draw.seed(), draw.uniform(0.08, 0.2), 2)
    return Relief(albedo * (1 + 0.06 * cloud)[..., None], roughness, flat(points), height)


SLATES = "#4a4f55 #5b6068 #3c4043 #566157 #6b5a52 #7a7470 #454a5c #8a7560"


def slate(points: Points, draw: Draw) -> Relief:
    """Split along its layers: flat steps with broken rims, rust in some of them."""
    frequency = draw.choice((2, 3, 4))
    torn = warped(points, 12, draw.seed(), 0.03, 4)
    stack = fbm(torn, (frequency, frequency + 1), draw.seed(), 3, 0.45) * draw.uniform(2.5, 5.0)
    layer = np.floor(stack)
    inside = stack - layer
    step = layer + ramp(inside, 0.0, 0.12)
    # Shifted, so that the layers below 0 have a word of their own too
    word = (layer + 64).astype(np.uint32)
    seed = draw.seed()
    grain = fbm(points, 32, draw.seed(), 4, 0.75)
    colours = [draw.colour(SLATES) for _ in range(3)]
    tone = uniform(word, seed)
    albedo = shades(0.5 + 0.8 * (tone - 0.5) + 0.3 * fbm(points, 3, draw.seed(), 4), colours)
    rust = stains(points, draw.seed(), 3, 0.35) * draw.choice((0.0, 0.35, 0.6))
    albedo = blend(albedo, np.array([0.54, 0.37, 0.22], np.float32), rust) * (1 + 0.20 * grain)[..., None]
    rim = ramp(inside, 0.16, 0.0)
    roughness = draw.uniform(0.35, 0.7) + 0.2 * (tone - 0.5) + 0.12 * grain + 0.25 * rust + 0.15 * rim
    height = draw.uniform(0.012, 0.022) * step + bumps(points, 16, draw.seed(), draw.uniform(0.06, 0.14), 4, 0.6)
    return Relief(albedo * (1 - 0.2 * rim)[..., None], roughness, flat(points), height)


CEMENT = "#a3a19c #8b8984 #b9b6af #76746f #c7c2b8 #9a9488"


def concrete(points: Points, draw: Draw) -> Relief:
    """Cast against boards or a sheet: clouds, holes that air left, stains that ran down, hairline cracks."""
    grey = draw.colour(CEMENT)
    cloud = fbm(points, 3, draw.seed(), 6, 0.6)
    grain = fbm(points, 48, draw.seed(), 4, 0.8)
    sizes = ((10, 0.28), (24, 0.3))
    holes = np.maximum(*(spots(points, count, draw.seed(), size, draw.uniform(0.1, 0.5)) for count, size in sizes))
    runs = ramp(fbm(points, (10, 1), draw.seed(), 4, 0.6), 0.0, 0.6) * draw.uniform(0, 0.25)
    damp = stains(points, draw.seed(), 2, draw.uniform(0, 0.5))
    near = cells(warped(points, 6, draw.seed(), 0.06, 4), 3, draw.seed())
    crack = ramp(near.border, 0.012, 0.0) * ramp(noise(points, 3, draw.seed()), 0.0, 0.35) * float(draw.chance(0.5))
    albedo = paint(grey, 1 + 0.16 * cloud + 0.14 * grain - runs - 0.28 * damp - 0.5 * holes - 0.5 * crack)
    roughness = draw.uniform(0.55, 0.8) + 0.12 * cloud + 0.1 * grain - draw.uniform(0.1, 0.35) * damp + 0.2 * holes
    height = bumps(points, 24, draw.seed(), draw.uniform(0.16, 0.45), 4, 0.6) - 0.008 * holes - 0.004 * crack
    height = height + bumps(points, 4, draw.seed(), draw.uniform(0.04, 0.12), 2)
    if draw.chance(0.45):
        boards = draw.choice((4, 6, 8))
        units = courses(points, 1, boards, draw.seed(), offset=0.0, scatter=1.0)
        tone = uniform(units.identity, 1) - 0.5
        grooves = fbm(points, (4, 64), draw.seed(), 2, 0.7)
        height = height + 0.008 * tone + 0.0012 * grooves + 0.006 * ramp(units.border, 0.006, 0.0)
        albedo = albedo * (1 + 0.14 * tone + 0.05 * grooves)[..., None]
        roughness = roughness + 0.1 * tone
    return Relief(albedo, roughness, flat(points), height)


CHIPS = "#e8e2d6 #c9b9a3 #8a7d70 #4c4a4a #b56a4e #7d8f86 #3f5a52 #d8a27a #a8a5a0 #7a3f35 #e0c76a"


def terrazzo(points: Points, draw: Draw) -> Relief:
    """Chips of marble and glass in cement, ground flat; the chips take the better polish."""
    colours = [draw.colour(CHIPS) for _ in range(draw.integer(2, 5))]
    binder = draw.colour("#d9d5cc #bdb8ae #8f8c88 #4a4a4d #e2d3c6 #a9b3ae")
    fine = fbm(points, 64, draw.seed(), 3, 0.8)
    albedo = paint(binder, 1 + 0.12 * fine + 0.06 * fbm(points, 3, draw.seed(), 4))
    chips = polish = flat(points)
    coarse = draw.choice((6, 8, 10))
    # Small chips first: the larger ones lie over them, as if each had its place alone
    for frequency, share in ((4 * coarse, 0.5), (2 * coarse, 0.55), (coarse, draw.uniform(0.25, 0.7))):
        torn = points.moved(0.2 / frequency * fbm(points, 2 * frequency, draw.seed(), 2), 0.0)
        near = cells(torn, frequency, draw.seed(), 1.0)
        size = 0.12 + 0.4 * uniform(near.identity, 1)
        there = uniform(near.identity, 2) < share
        chip = np.where(there, edge(points, (near.border - size * 0.5) / frequency), np.float32(0))
        tone = 1 + 0.2 * (uniform(near.identity, 4) - 0.5) + 0.08 * fine
        albedo = blend(albedo, pick(near.identity, 3, colours) * tone[..., None], chip)
        polish = mix(polish, 0.5 + 0.5 * uniform(near.identity, 5), chip)
        chips = np.maximum(chips, chip)
    dull = stains(points, draw.seed(), 3, draw.uniform(0.2, 0.6))
    base = draw.uniform(0.35, 0.75)
    roughness = mix(base + 0.1 * fine, base - 0.28 * polish, chips) + draw.uniform(0.05, 0.2) * dull
    proud = draw.uniform(0.0015, 0.004) * draw.choice((-1, 1))
    height = proud * chips + (1 - chips) * bumps(points, 64, draw.seed(), draw.uniform(0.1, 0.3), 2)
    height = height + bumps(points, 6, draw.seed(), draw.uniform(0.08, 0.24), 3)
    lines = scratches(points, 5, draw.seed(), width=0.006, share=0.5)
    return Relief(albedo, roughness + 0.1 * lines, flat(points), height - 0.0005 * lines)
