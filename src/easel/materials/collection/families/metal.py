"""Bare metals, metallic 1 all over: their colour is what they reflect. Only dirt on them is not metal."""

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from easel.materials.collection.cells import cells
from easel.materials.collection.marks import scratches, spots, stains
from easel.materials.collection.noise import Points, bumps, edge, fbm, mix, noise, ramp, uniform, warped, wave
from easel.materials.collection.sampling import Draw
from easel.materials.collection.surface import Field, Relief, blend, flat, paint

METAL = "#c7c8c9 #f0f0f0 #ffdb91 #f9d2c2 #d8d0c6 #f7f5ec #e3c989 #c4bcb2 #b5b7ba #d9a889"
"""Reflectance at normal incidence: iron, aluminium, gold, copper, nickel, silver, brass, titanium, chrome, bronze."""
STEEL = "#c7c8c9 #d5d6d8 #b5b7ba #c4bcb2"
GRIME = "#3a332b #4a4238 #2c2a28 #5c5142"


def brushed_metal(points: Points, draw: Draw) -> Relief:
    """Fine parallel scratches or engine-turned rings: a relief across them, and streaks of roughness."""
    points = draw.laid(points)
    if draw.chance(0.25):
        per_side = draw.choice((5, 6, 8, 10))
        near = cells(points, per_side, draw.seed(), 0.0, 0.5)
        turn = near.distance * draw.choice((8, 11, 14)) + uniform(near.identity, 1)
        lines = 0.5 * wave(turn) + 0.6 * fbm(points, 64, draw.seed(), 2)
        relief = 0.10 / (per_side * 11) * lines
    else:
        lines = fbm(points, (96, 2), draw.seed(), 3, 0.8) + 0.4 * noise(points, (40, 1), draw.seed())
        relief = draw.uniform(0.0014, 0.0026) * lines
    smear = stains(points, draw.seed(), 3, draw.uniform(0.2, 0.7))
    marks = scratches(points, 5, draw.seed(), width=0.008, share=draw.uniform(0, 0.8))
    # The relief is finer than a texel of most sizes: what it does to a highlight is roughness as well
    base = draw.uniform(0.18, 0.5)
    roughness = base + 0.09 * lines + draw.uniform(0.05, 0.22) * smear + 0.15 * marks
    metal = draw.colour(METAL, 0.03)
    height = relief + bumps(points, 4, draw.seed(), draw.uniform(0.03, 0.12), 3) - 0.0012 * marks
    albedo = paint(metal, 0.96 + 0.05 * lines - 0.03 * smear)
    return Relief(albedo, roughness, flat(points, 1.0), height)


def hammered_metal(points: Points, draw: Draw) -> Relief:
    """Shallow round blows side by side, bright on the ridges, tarnished in the hollows."""
    frequency = draw.choice((6, 8, 10, 14))
    near = cells(points, frequency, draw.seed(), draw.uniform(0.5, 0.9))
    bowl = near.distance * near.distance
    ridge = ramp(near.border, 0.12, 0.0)
    fine = fbm(points, 48, draw.seed(), 3, 0.7)
    tarnish = (ramp(bowl, 0.28, 0.0) * stains(points, draw.seed(), 3, 0.7)) * draw.uniform(0.2, 1.0)
    metal = draw.colour(METAL, 0.04)
    # Tarnish is a film that swallows blue first
    dark = metal * np.array([0.62, 0.55, 0.50], np.float32)
    albedo = blend(metal, dark, 0.8 * tarnish) * (1 + 0.04 * fine)[..., None]
    roughness = draw.uniform(0.15, 0.4) + 0.35 * tarnish - 0.06 * ridge + 0.06 * fine
    height = (draw.uniform(0.25, 0.5) * bowl + 0.2 * near.lean(1) - 0.02 * ridge * ridge) / frequency
    height = height + bumps(points, 32, draw.seed(), draw.uniform(0.02, 0.08), 2)
    return Relief(albedo, roughness, flat(points, 1.0), height)


def tread_plate(points: Points, draw: Draw) -> Relief:
    """Raised lozenges that keep feet from slipping: tops polished by them, dirt between."""
    frequency = draw.choice((6, 8, 10))
    column, row = (np.floor(coordinate * frequency) for coordinate in (points.x, points.y))
    x = points.x * frequency - column - 0.5
    y = points.y * frequency - row - 0.5
    rising = (column + row) % 2 == 0
    diagonal = np.float32(0.7071)
    along = np.where(rising, x + y, x - y) * diagonal
    beside = np.where(rising, x - y, x + y) * diagonal
    length = draw.uniform(0.40, 0.5)
    width = draw.uniform(0.10, 0.15)
    # Two arcs that meet in a point at both ends
    lens = 1 - (along / length) ** 2
    outside = (np.abs(beside) - width * lens.clip(0, 1)) / frequency
    bar = ramp(outside, 0.012 / 8, -0.05 / frequency)
    fine = fbm(points, 48, draw.seed(), 4, 0.75)
    corner = ramp(outside, 0.06 / frequency, 0.0) * (1 - bar)
    # Dirt stays in the corners that no foot reaches
    kept = fbm(points, 4, draw.seed(), 5, 0.65) + 0.5 * corner - 0.5 * bar
    dirt = ramp(kept, draw.uniform(0.1, 0.5), 0.7) * draw.uniform(0.5, 1.0)
    marks = scratches(points, 6, draw.seed(), width=0.012, share=draw.uniform(0.2, 1.0))
    steel = paint(draw.colour(STEEL, 0.04), 0.95 + 0.06 * fine)
    albedo = blend(steel, draw.colour(GRIME), dirt)
    base = draw.uniform(0.3, 0.5)
    roughness = mix(base - 0.14 * bar + 0.08 * fine + 0.1 * marks, 0.85, dirt)
    height = draw.uniform(0.10, 0.16) / frequency * bar + bumps(points, 24, draw.seed(), draw.uniform(0.06, 0.15), 4)
    return Relief(albedo, roughness, 1 - ramp(dirt, 0.2, 0.6), height - 0.001 * marks)


def galvanised_metal(points: Points, draw: Draw) -> Relief:
    """Zinc spangles: crystals that are flat, tilted and brushed each its own way; flat sheet or corrugated."""
    frequency = draw.choice((6, 8, 12))
    torn = warped(points, 3 * frequency, draw.seed(), 0.25 / frequency, 3)
    near = cells(torn, frequency, draw.seed(), 1.0)
    tone = uniform(near.identity, 1) - 0.5
    feather = fbm(points.moved(0.5 * uniform(near.identity, 4), 0.0), (48, 24), draw.seed(), 2)
    # White rust, a salt of zinc and no metal
    white = stains(points, draw.seed(), 3, draw.uniform(0, 0.4))
    zinc = draw.colour("#c3c7ca #b4babf #a9afb3", 0.03)
    albedo = paint(zinc, 1 + 0.22 * tone + 0.06 * feather)
    bloom = white * ramp(fbm(points, 24, draw.seed(), 4, 0.7), -0.2, 0.3)
    albedo = blend(albedo, np.array([0.80, 0.81, 0.80], np.float32), 0.8 * bloom)
    roughness = mix(draw.uniform(0.25, 0.45) + 0.3 * tone + 0.10 * feather, 0.8, bloom)
    height = 0.14 / frequency * near.lean(2) + bumps(points, 32, draw.seed(), draw.uniform(0.03, 0.08), 2)
    waves = draw.choice((0, 0, 4, 6, 8))
    if waves:
        height = height + 0.07 / waves * wave(points.x * np.float32(waves))
    return Relief(albedo, roughness, 1 - ramp(bloom, 0.3, 0.9), height)


def crumpled_foil(points: Points, draw: Draw) -> Relief:
    """Thin metal, creased and smoothed out again: facets with sharp folds between them."""
    height = crease = flat(points)
    frequency = draw.choice((3, 4, 5))
    for octave in range(3):
        near = cells(points, frequency << octave, draw.seed(), 1.0)
        # Facets end at their borders at one height, or the foil would be torn there
        height = height + near.lean(1) * ramp(near.border, 0, 0.3) / (frequency << octave) * 0.9
        crease = np.maximum(crease, ramp(near.border, 0.05, 0.0) * (0.9 - 0.25 * octave))
    fine = fbm(points, 64, draw.seed(), 2)
    metal = draw.colour(METAL, 0.04)
    worn = stains(points, draw.seed(), 4, draw.uniform(0.1, 0.5))
    roughness = draw.uniform(0.12, 0.4) + 0.2 * crease + 0.05 * fine + draw.uniform(0.05, 0.25) * worn
    albedo = paint(metal, 1 - 0.06 * crease + 0.02 * fine - 0.05 * worn)
    relief = draw.uniform(0.35, 0.8)
    return Relief(albedo, roughness, flat(points, 1.0), relief * height + bumps(points, 6, draw.seed(), 0.12, 4))


def cast_metal(points: Points, draw: Draw) -> Relief:
    """Sand-cast: a skin of fine pits, ground bright in places."""
    skin = bumps(points, 20, draw.seed(), draw.uniform(0.35, 0.7), 4, 0.65)
    ground = ramp(fbm(points, 3, draw.seed(), 4), 0.0, draw.uniform(0.25, 0.5))
    pits = spots(points, 20, draw.seed(), 0.4, draw.uniform(0.2, 0.7))
    grain = fbm(points, 40, draw.seed(), 4, 0.8)
    lines = fbm(points, (80, 4), draw.seed(), 2, 0.8)
    metal = draw.colour(f"{METAL} {STEEL}", 0.05)
    dark = metal * np.float32(draw.uniform(0.5, 0.8))
    albedo = blend(dark, metal, ground) * (1 + 0.08 * grain - 0.25 * pits)[..., None]
    roughness = mix(draw.uniform(0.5, 0.75) + 0.12 * grain, draw.uniform(0.2, 0.4) + 0.08 * lines, ground) + 0.2 * pits
    height = skin * mix(1, 0.35, ground) + 0.0008 * lines * ground - 0.004 * pits
    return Relief(albedo, roughness, flat(points, 1.0), height)


def woven_wire(points: Points, draw: Draw) -> Relief:
    """Wire cloth: round wires over and under each other, darkness below."""
    wires = draw.choice((10, 14, 18))
    x, y = (coordinate * np.float32(wires) for coordinate in (points.x, points.y))
    column, row = map(np.floor, (x, y))
    # Plain weave: the wire that is above changes at every crossing
    over = ((column + row) % 2 == 0).astype(np.float32)
    thick = draw.uniform(0.30, 0.42)
    upright = _wire(x - column - np.float32(0.5), y, column, thick)
    level = _wire(y - row - np.float32(0.5), x, row + 1, thick)
    top = np.maximum(upright, level)
    there = edge(points, top / wires, 0.1 / wires)
    fine = fbm(points, 64, draw.seed(), 3, 0.7)
    tarnish = stains(points, draw.seed(), 3, draw.uniform(0.1, 0.6)) * draw.uniform(0.2, 0.8)
    metal = draw.colour(METAL, 0.04) * (1 - 0.35 * tarnish + 0.05 * fine)[..., None]
    backing = draw.colour(GRIME) * np.float32(0.6)
    roughness = mix(0.9, draw.uniform(0.2, 0.45) + 0.3 * tarnish + 0.06 * fine + 0.05 * over, there)
    height = 0.45 / wires * np.maximum(top, -0.25)
    return Relief(blend(backing, metal, there), roughness, there, height)


def _wire(
    beside: Float32[ndarray, "..."], along: Float32[ndarray, "..."], index: Float32[ndarray, "..."], thick: float
) -> Field:
    """Return the height of a wire's upper side, negative beside it; it rises and falls from crossing to crossing."""
    round_top = np.sqrt((thick * thick - beside * beside).clip(0, None)) - np.float32(0.02)
    swing = np.float32(0.16) * wave(0.5 * along - 0.5 * index)
    return np.where(np.abs(beside) < thick, round_top + swing, np.float32(-0.3))
