"""Walls and mouldings: plaster, paint on it, plastic."""

import numpy as np

from easel.materials.collection.cells import cells
from easel.materials.collection.marks import scratches, stains
from easel.materials.collection.noise import Points, bumps, fbm, mix, ramp, uniform, warped, wave
from easel.materials.collection.sampling import Draw
from easel.materials.collection.surface import Field, Relief, blend, flat, paint

LIME = "#e8e2d4 #d9cdb8 #c8b79a #b5aa9a #e0c8a8 #cfd0cb #a89c8c"
PAINTS = "#d8d4c8 #7f9aa3 #a5b39a #d0a08a #c9b458 #5f7a8a #b5645a #e3ddd0 #48565a #8a6f86 #3f6a5c"


def plaster(points: Points, draw: Draw) -> Relief:
    """Lime or gypsum by trowel: sweeps that overlap, lumps, hairline cracks, damp patches."""
    finish = draw.choice(("trowelled", "stucco", "combed"))
    colour = draw.colour(f"{LIME} {PAINTS}", 0.06)
    grain = fbm(points, 40, draw.seed(), 4, 0.8)
    cloud = fbm(points, 3, draw.seed(), 5, 0.6)
    relief, crest = _plaster_relief(points, draw, finish, grain)
    bend = warped(points, 5, draw.seed(), 0.06, 4)
    near = cells(bend, draw.choice((2, 3)), draw.seed())
    crack = ramp(near.border, 0.014, 0.0) * ramp(cloud, -0.1, 0.25) * float(draw.chance(0.5))
    damp = stains(points, draw.seed(), 2, draw.uniform(0, 0.5)) * draw.uniform(0.3, 1)
    albedo = paint(colour, 0.97 + 0.07 * cloud + 0.05 * grain + 0.06 * crest - 0.24 * damp - 0.4 * crack)
    polish = draw.uniform(0, 0.4) if finish == "trowelled" else draw.uniform(0, 0.2)
    roughness = draw.uniform(0.72, 0.92) - polish * (0.5 + 0.5 * crest) + 0.10 * cloud + 0.05 * grain
    height = relief + bumps(points, 3, draw.seed(), draw.uniform(0.02, 0.08), 2) - 0.004 * crack
    return Relief(albedo, roughness - draw.uniform(0.1, 0.35) * damp, flat(points), height)


def _plaster_relief(points: Points, draw: Draw, finish: str, grain: Field) -> tuple[Field, Field]:
    """Return the height, and the share of a crest that every texel is."""
    if finish == "trowelled":
        # Every stroke of the trowel is a plane of its own; the highest one is what is seen
        sweeps = flat(points, -1.0)
        for _ in range(3):
            near = cells(points.moved(draw.uniform(0, 1), draw.uniform(0, 1)), (3, 4), draw.seed(), 1.0)
            streak = fbm(points, (24, 6), draw.seed(), 2) * 0.05
            sweeps = np.maximum(sweeps, near.lean(1) + 0.5 * (uniform(near.identity, 3) - 0.5) + streak)
        height = draw.uniform(0.015, 0.04) * sweeps + bumps(points, 24, draw.seed(), draw.uniform(0.05, 0.14), 3)
        return height, ramp(sweeps, -0.1, 0.5)
    if finish == "stucco":
        frequency = draw.choice((10, 16, 24))
        lumps = fbm(points, frequency, draw.seed(), 3, 0.55)
        level = draw.uniform(-0.1, 0.35)
        # Thrown on and then pressed flat with the trowel
        flatter = np.minimum(lumps, level)
        crest = ramp(lumps, level - 0.25, level)
        height = draw.uniform(0.25, 0.5) / frequency * flatter + bumps(points, 64, draw.seed(), 0.08 + 0.1 * level, 2)
        return height, crest
    lines = draw.choice((16, 24, 32))
    bent = points.moved(0.0, 0.05 * fbm(points, 3, draw.seed(), 3))
    comb = wave(bent.y * np.float32(lines) + 0.5 * fbm(points, (3, 8), draw.seed(), 3))
    broken = ramp(fbm(points, 12, draw.seed(), 3), -0.5, 0.1)
    return draw.uniform(0.05, 0.11) / lines * comb * broken + 0.0012 * grain, ramp(comb, -0.5, 0.8) * broken


def peeling_paint(points: Points, draw: Draw) -> Relief:
    """Old paint that curls off in flakes and shows the plaster, or an older coat, below."""
    coat, older, ground = (draw.colour(palette) for palette in (PAINTS, PAINTS, LIME))
    torn = warped(points, 16, draw.seed(), 0.02, 3)
    near = cells(torn, draw.choice((8, 12, 16)), draw.seed(), 1.0)
    crack = ramp(near.border, 0.05, 0.0)
    field = fbm(torn, draw.choice((3, 4)), draw.seed(), 5, 0.6) + 0.45 * (uniform(near.identity, 1) - 0.5)
    level = draw.uniform(-0.15, 0.25)
    # Two levels of one field: where it goes far enough, the older coat is gone too
    gone, deep = (ramp(field, start, start + 0.04) for start in (level, level + 0.22))
    rim = ramp(field, level - 0.14, level) * (1 - gone)
    grain = fbm(points, 40, draw.seed(), 4, 0.8)
    cloud = fbm(points, 3, draw.seed(), 4)
    stain = stains(points, draw.seed(), 3, draw.uniform(0.1, 0.5))
    top = paint(coat, 1 + 0.05 * cloud - 0.35 * crack * (1 - gone) + 0.05 * rim - 0.2 * stain)
    below = blend(paint(older, 0.92 + 0.08 * grain), paint(ground, 0.9 + 0.16 * grain), deep)
    gloss = draw.uniform(0.25, 0.6)
    roughness = mix(gloss + 0.25 * stain + 0.05 * cloud, mix(0.65, 0.9, deep) + 0.08 * grain, gone)
    layer = draw.uniform(0.003, 0.006)
    height = layer * ((1 - gone) * (1 + 1.2 * rim) + 0.6 * (1 - deep)) - 0.4 * layer * crack * (1 - gone)
    height = height + bumps(points, 24, draw.seed(), 0.22, 3) * mix(0.25, 1, deep)
    height = height + bumps(points, 4, draw.seed(), 0.08, 2)
    return Relief(blend(top, below, gone), roughness, flat(points), height)


POLYMERS = "#b8232f #1f5fa8 #e8b81f #2f8f4f #f0f0ec #1c1d1f #d9622b #5a5d63 #7fb3c8 #6a3f8f #c8c4b8 #e58fa3"


def plastic(points: Points, draw: Draw) -> Relief:
    """Moulded: leather grain, dimples, ribs, pyramids or sparks of erosion; scuffed where hands were."""
    colour = draw.colour(POLYMERS, 0.08)
    fine = fbm(points, 64, draw.seed(), 3, 0.8)
    height, raised = _moulding(points, draw)
    cloud = fbm(points, 3, draw.seed(), 4)
    scuffed = stains(points, draw.seed(), 3, draw.uniform(0.1, 0.6))
    lines = scratches(points, 5, draw.seed(), width=0.008, share=draw.uniform(0.2, 1)) * (0.3 + 0.7 * scuffed)
    # Hands wipe what is raised, dust lies between
    dust = (1 - raised) * stains(points, draw.seed(), 4, draw.uniform(0, 0.6)) * draw.uniform(0, 0.5)
    albedo = paint(colour, 0.98 + 0.03 * cloud + 0.03 * raised + 0.02 * fine)
    albedo = blend(albedo, np.array([0.62, 0.59, 0.54], np.float32), (0.6 * dust + 0.25 * lines).clip(0, 1))
    roughness = draw.uniform(0.15, 0.55) + draw.uniform(0.05, 0.2) * (1 - raised) + draw.uniform(0.05, 0.25) * scuffed
    roughness = roughness + 0.2 * lines + 0.4 * dust + 0.05 * fine + 0.04 * cloud
    height = height + bumps(points, 4, draw.seed(), draw.uniform(0.02, 0.08), 2) - 0.0008 * lines
    return Relief(albedo, roughness, flat(points), height)


def _moulding(points: Points, draw: Draw) -> tuple[Field, Field]:
    """The texture of the mould, and how raised every texel is, in [0, 1]."""
    kind = draw.choice(("grain", "dimples", "ribs", "pyramids", "sparks", "studs"))
    frequency = draw.choice((10, 14, 20, 28))
    if kind == "grain":
        torn = points.moved(0.3 / frequency * fbm(points, frequency, draw.seed(), 2), 0.0)
        near = cells(torn, frequency, draw.seed(), 0.9)
        raised = ramp(near.border, 0.0, 0.3)
        return draw.uniform(0.12, 0.25) / frequency * raised, raised
    if kind == "sparks":
        field = fbm(points, 2 * frequency, draw.seed(), 3, 0.7)
        return bumps(points, 2 * frequency, draw.seed(), draw.uniform(0.15, 0.35), 3, 0.7), ramp(field, -0.3, 0.3)
    if kind == "ribs":
        rib = wave(points.x * np.float32(frequency) + 0 * points.y)
        raised = ramp(rib, -0.6, 0.6)
        return draw.uniform(0.10, 0.25) / frequency * raised, raised
    staggered = 0.5 if kind != "pyramids" else 0.0
    near = cells(points, frequency, draw.seed(), 0.0, staggered)
    if kind == "pyramids":
        raised = (2 * near.border).clip(0, 1)
        return draw.uniform(0.10, 0.2) / frequency * raised, raised
    radius = draw.uniform(0.28, 0.42)
    dome = (1 - (near.distance / radius) ** 2).clip(0, 1)
    if kind == "studs":
        raised = ramp(dome, 0.0, 0.35)
        return draw.uniform(0.12, 0.25) / frequency * raised, raised
    return -draw.uniform(0.15, 0.3) / frequency * dome, 1 - dome
