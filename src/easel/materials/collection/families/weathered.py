"""Metal that something covers in places: rust, paint, verdigris. Where it shows it is metal, elsewhere it is not."""

import numpy as np

from easel.materials.collection.cells import courses
from easel.materials.collection.families.metal import STEEL
from easel.materials.collection.marks import scratches, spots, stains
from easel.materials.collection.noise import Points, bumps, fbm, mix, ramp, warped
from easel.materials.collection.sampling import Draw
from easel.materials.collection.surface import Field, Painting, Relief, blend, flat, paint, shades

RUST = "#2e1a12 #54291a #7d3b1c #a5562a #c47a3d"


def rusted_metal(points: Points, draw: Draw) -> Relief:
    """Steel that rust eats: bare and shiny, pitted along the rim, thick and flaky where it has had its time."""
    frequency = draw.choice((2, 3, 4))
    torn = warped(points, 10, draw.seed(), 0.04, 4)
    field = fbm(torn, frequency, draw.seed(), 6, 0.6)
    # The level of the field that rust has reached: from first spots to nearly everything
    level = draw.uniform(-0.3, 0.25)
    grain = fbm(points, 32, draw.seed(), 4, 0.8)
    age = field + 0.10 * grain - level
    rust = ramp(age, 0.0, 0.06)
    crust, flakes = _crust(points, draw, age, grain)
    lines = fbm(points, (64, 4), draw.seed(), 3, 0.8)
    marks = scratches(points, 5, draw.seed(), width=0.01, share=draw.uniform(0.2, 1))
    # Steel darkens before it rusts
    tint = ramp(age, -0.3, 0.0)
    steel = paint(draw.colour(STEEL, 0.05), 0.92 + 0.06 * lines)
    steel = steel * mix(1, 0.8, tint)[..., None]
    bare = draw.uniform(0.22, 0.45) + 0.08 * lines + 0.2 * tint + 0.1 * marks
    roughness = mix(bare, 0.82 + 0.14 * grain, rust)
    height = mix(0.0010 * lines - 0.001 * marks, flakes, rust)
    height = height + bumps(points, 4, draw.seed(), draw.uniform(0.06, 0.2), 3)
    return Relief(blend(steel, crust, rust), roughness, 1 - rust, height)


def _crust(points: Points, draw: Draw, age: Field, grain: Field) -> tuple[Painting, Field]:
    """Return colour and height of rust: orange where it is fresh, brown and thick where it is old."""
    cloud = fbm(points, 8, draw.seed(), 5, 0.7)
    fresh = 0.95 - 1.1 * age.clip(0, 1) + 0.45 * cloud + 0.25 * grain
    colours = draw.colours(RUST, 0.05)
    blisters = spots(points, 14, draw.seed(), 0.45, 0.5)
    height = bumps(points, 16, draw.seed(), draw.uniform(0.35, 0.6), 4, 0.65)
    height = height + 0.008 * ramp(age, 0, 0.3) + 0.003 * blisters
    return shades(fresh, colours) * (1 + 0.1 * blisters)[..., None], height


COATS = "#b23a2e #2f5d8a #e0b53a #3f6b4a #d9d6cc #3a3d42 #d0703a #6f8f96 #8a8d8f #1f4a4a"


def painted_metal(points: Points, draw: Draw) -> Relief:
    """A coat of paint on steel, scratched and chipped down to the metal, which rusts at the rim."""
    coat = draw.colour(COATS, 0.08)
    peel = fbm(points, 48, draw.seed(), 2)
    grain = fbm(points, 32, draw.seed(), 4, 0.8)
    torn = points.moved(0.03 * grain, 0.03 * fbm(points, 24, draw.seed(), 3))
    field = fbm(torn, draw.choice((3, 5, 7)), draw.seed(), 6, 0.65)
    seams = flat(points)
    panels = draw.choice((0, 0, 2, 3))
    if panels:
        units = courses(points, panels, panels, draw.seed(), offset=0.0, corner=0.02)
        seams = ramp(units.border, 0.012, 0.002)
    # Paint goes first where panels meet: that is where they are bumped and where water stays
    chipped = field + 0.25 * seams - draw.uniform(0.0, 0.5)
    marks = scratches(points, 4, draw.seed(), width=0.014, share=draw.uniform(0.3, 1))
    gone = np.maximum(ramp(chipped, 0.0, 0.025), ramp(marks, 0.45, 0.6))
    rusty = gone * ramp(chipped + 0.3 * grain, draw.uniform(0.05, 0.5), 0.0) * float(draw.chance(0.8))
    # Rust creeps under the paint and stains it from the rim on
    rusty = np.maximum(rusty, 0.75 * ramp(chipped, -0.06, 0.0) * (1 - gone) * stains(points, draw.seed(), 4, 0.5))
    crust, flakes = _crust(points, draw, 0.3 + 0 * grain, grain)
    dirt = stains(points, draw.seed(), 3, draw.uniform(0.1, 0.6))
    layer = paint(coat, 1 + 0.04 * peel + 0.05 * grain - 0.15 * dirt)
    steel = paint(draw.colour(STEEL, 0.05), 0.95 + 0.10 * grain)
    albedo = blend(blend(layer, steel, gone), crust, rusty)
    gloss = draw.uniform(0.15, 0.5) + draw.uniform(0.1, 0.3) * dirt + 0.03 * peel
    roughness = mix(mix(gloss, draw.uniform(0.3, 0.45) + 0.12 * grain, gone), 0.88 + 0.08 * grain, rusty)
    skin = bumps(points, 24, draw.seed(), draw.uniform(0.08, 0.26), 2)
    height = mix(0.0035 + skin, 0.3 * flakes, gone) + 0.6 * flakes * rusty - 0.006 * seams
    height = height + bumps(points, 4, draw.seed(), draw.uniform(0.05, 0.16), 2)
    return Relief(albedo, roughness, gone * (1 - rusty), height)


def verdigris(points: Points, draw: Draw) -> Relief:
    """Copper or bronze under a green patina that ran down with the rain."""
    torn = points.moved(0.03 * fbm(points, 10, draw.seed(), 4), 0.0)
    field = fbm(torn, (draw.choice((4, 6, 8)), 2), draw.seed(), 6, 0.6)
    grain = fbm(points, 28, draw.seed(), 4, 0.8)
    age = field + 0.12 * grain - draw.uniform(-0.3, 0.25)
    patina = ramp(age, 0.0, 0.12)
    brown = ramp(age, -0.25, 0.0)
    copper = draw.colour("#f9d2c2 #e6b08c #d9a889", 0.04)
    # Between bare copper and patina lies a brown oxide, which tints what it covers
    metal = blend(copper, copper * np.array([0.55, 0.42, 0.36], np.float32), brown) * (1 + 0.05 * grain)[..., None]
    greens = draw.colours("#2f5f56 #4f8f80 #78b5a2 #a5cdb8", 0.06)
    cover = shades(0.45 + 0.5 * fbm(points, 6, draw.seed(), 5, 0.65) + 0.4 * grain, greens)
    roughness = mix(draw.uniform(0.2, 0.35) + 0.25 * brown + 0.06 * grain, 0.85 + 0.12 * grain, patina)
    height = patina * (0.004 + bumps(points, 20, draw.seed(), draw.uniform(0.3, 0.5), 4, 0.65))
    height = height + bumps(points, 8, draw.seed(), draw.uniform(0.08, 0.26), 3)
    return Relief(blend(metal, cover, patina), roughness, 1 - patina, height)
