"""Leather and cloth: hides with creases and pores, threads over and under each other."""

import numpy as np
from jaxtyping import Float32, Int32
from numpy import ndarray

from easel.materials.collection import noise
from easel.materials.collection.cells import cells
from easel.materials.collection.marks import stains
from easel.materials.collection.noise import Points, bumps, cell_of, edge, fbm, mix, ramp, uniform, warped, wave
from easel.materials.collection.sampling import Draw
from easel.materials.collection.surface import Field, Relief, blend, flat, shades

HIDES = "#6b3f26 #9a5f32 #2a2523 #5a2f1c #b57a3f #8a1f22 #3f302a #cfa877 #2f4a63 #e6dccb #3f5a3a #a8452a"


def leather(points: Points, draw: Draw) -> Relief:
    """A hide: plates between creases, pores, folds; worn ones shine on the plates and crack in the folds."""
    frequency = draw.choice((14, 20, 28, 36))
    torn = warped(points, frequency // 2, draw.seed(), 0.6 / frequency, 3)
    near = cells(torn, frequency, draw.seed(), 0.95)
    crease = ramp(near.border, draw.uniform(0.12, 0.22), 0.0)
    # Smaller creases within the plates, which are not as deep
    small = cells(torn, 2 * frequency, draw.seed(), 0.95)
    minor = ramp(small.border, 0.18, 0.0) * 0.45
    fold = fbm(torn, (4, 3), draw.seed(), 3, ridged=True)
    folds = ramp(fold, 0.25, 0.75) * draw.uniform(0, 1)
    fine = fbm(points, 48, draw.seed(), 3, 0.8)
    valley = np.maximum(crease, minor)
    hide = draw.colour(HIDES, 0.08)
    dark = hide * np.float32(0.45)
    pale = (hide * np.float32(1.25) + np.float32(0.03)).clip(0, 0.95)
    worn = stains(points, draw.seed(), 3, draw.uniform(0.1, 0.6)) * draw.uniform(0.2, 1.0)
    cloud = fbm(points, 4, draw.seed(), 4)
    tone = 0.55 - 0.45 * valley + 0.4 * worn * (1 - valley) + 0.12 * (uniform(near.identity, 1) - 0.5) + 0.2 * cloud
    albedo = shades(tone, [dark, hide, pale]) * (1 + 0.04 * fine)[..., None]
    gloss = draw.uniform(0.25, 0.6)
    roughness = gloss + draw.uniform(0.15, 0.35) * valley + draw.uniform(-0.15, 0.2) * worn + 0.05 * fine + 0.1 * cloud
    plump = near.border.clip(0, 0.35)
    height = draw.uniform(0.25, 0.5) / frequency * plump - 0.05 / frequency * minor
    height = height - 0.012 * folds * ramp(fold, 0.2, 0.9) + bumps(points, 48, draw.seed(), 0.08, 2)
    height = height + bumps(points, 4, draw.seed(), draw.uniform(0.03, 0.12), 2)
    if draw.chance(0.25):
        seam, groove = _quilting(points, draw.choice((3, 4, 5)))
        height = height + groove
        stitch = draw.colour(f"{HIDES} #e9e2d0 #d8c08a", 0.05)
        albedo = blend(albedo, stitch, seam)
        roughness = mix(roughness, 0.75, seam)
    return Relief(albedo, roughness, flat(points), height)


def _quilting(points: Points, per_side: int) -> tuple[Field, Field]:
    """Stitch diamonds: the share of thread, and the cushions between as a height."""
    rising = (points.x + points.y) * np.float32(per_side)
    falling = (points.x - points.y) * np.float32(per_side)
    to_rising, to_falling = (np.abs(way - np.floor(way) - np.float32(0.5)) for way in (rising, falling))
    line = np.float32(0.5) - np.maximum(to_rising, to_falling)
    along = np.where(to_rising > to_falling, falling, rising) * 10
    stitches = edge(points, 0.012 - line / per_side * 2) * ramp(np.abs(along - np.floor(along) - 0.5), 0.36, 0.28)
    cushion = 1 - (1 - (2 * line).clip(0, 1)) ** 2
    return stitches * points.presence(16 * per_side), 0.09 / per_side * cushion + 0.003 * stitches


YARNS = (
    "#2f4a6d #1f2a44 #8c2f39 #d8cbb3 #6b705c #b08968 #3d3d3d #e6e1d6 #4f6d7a #a44a3f #c9a227 #5a4a6d "
    "#7f9172 #c98686 #20403c #95979b"
)
# over (1) and under (0) of a repeat: plain, basket, twills, satin, herringbone
WEAVES = (
    ((1, 0), (0, 1)),
    ((1, 1, 0, 0), (1, 1, 0, 0), (0, 0, 1, 1), (0, 0, 1, 1)),
    ((1, 1, 0, 0), (0, 1, 1, 0), (0, 0, 1, 1), (1, 0, 0, 1)),
    ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)),
    ((1, 0, 0, 0), (0, 0, 1, 0), (0, 1, 0, 0), (0, 0, 0, 1)),
    ((1, 1, 0, 0, 1, 0, 0, 1), (0, 1, 1, 0, 1, 1, 0, 0), (0, 0, 1, 1, 0, 1, 1, 0), (1, 0, 0, 1, 0, 0, 1, 1)),
)


def fabric(points: Points, draw: Draw) -> Relief:
    """Woven: linen, denim, tweed, plaid; every thread has its shade, its thickness and its twist."""
    weave = np.array(draw.choice(WEAVES), np.bool_)
    threads = draw.choice((16, 24, 32, 40))
    sway = draw.uniform(0.1, 0.5) / threads
    torn = warped(points, 6, draw.seed(), sway, 3)
    (column, inside_x), (row, inside_y) = (cell_of(coordinate, threads) for coordinate in (torn.x, torn.y))
    across, up = (inside - np.float32(0.5) for inside in (inside_x, inside_y))
    i, j = (noise.wrapped(cell, threads) for cell in (column, row))
    over = weave[j % weave.shape[0], i % weave.shape[1]]
    # What lies on top is seen: there the thread that runs up, here the one that runs across
    word = np.where(over, *(noise.combine(thread.astype(np.uint32), draw.seed()) for thread in (i, j)))
    beside = np.where(over, across, up)
    along = np.where(over, up, across)
    warp, weft = (_yarns(thread, threads, draw) for thread in (i, j))
    if draw.chance(0.5):
        weft = np.broadcast_to(draw.colour(YARNS, 0.05), weft.shape)
    thick = 0.42 + 0.08 * uniform(word, 3)
    body = 1 - (beside / thick) ** 2
    arch = 1 - 1.2 * along * along
    # Finer than the threads: it fades out before it aliases
    twist = wave(2.0 * along + 1.6 * beside + uniform(word, 4)) * points.presence(3 * threads)
    fibre = fbm(points, 96, draw.seed(), 2, 0.8)
    crown = (body * arch).clip(0, 1)
    solid = ramp(body, -0.1, 0.25)
    tone = 0.55 + 0.4 * crown + 0.06 * twist + 0.16 * fibre + 0.25 * (uniform(word, 5) - 0.5)
    albedo = np.where(over[..., None], warp, weft) * (tone * mix(0.5, 1, solid))[..., None]
    wear = stains(points, draw.seed(), 3, draw.uniform(0.1, 0.6))
    faded = draw.uniform(0, 0.3) * wear * crown
    albedo = blend(albedo, np.array([0.82, 0.80, 0.76], np.float32), faded)
    sheen = draw.uniform(0.45, 0.88)
    roughness = sheen + 0.15 * (1 - crown) - 0.05 * twist + 0.08 * fibre + draw.uniform(-0.3, 0.1) * wear
    height = draw.uniform(0.09, 0.2) / threads * (body.clip(-0.3, 1) * arch) + 0.02 / threads * twist
    height = height + bumps(points, 4, draw.seed(), draw.uniform(0.03, 0.14), 2)
    height = height + bumps(points, 96, draw.seed(), 0.08, 1)
    return Relief(albedo, roughness, flat(points), height)


def _yarns(index: Int32[ndarray, "..."], threads: int, draw: Draw) -> Float32[ndarray, "... 3"]:
    """Colours of the threads in one direction: all the same, or stripes that repeat."""
    ground, stripe, thin = (draw.colour(YARNS, 0.05) for _ in range(3))
    # Stripes repeat with the tile
    period = draw.choice([n for n in (8, 12, 16) if threads % n == 0] or [8])
    place = index % np.int32(period)
    broad = place < draw.integer(0, period // 2) if draw.chance(0.5) else np.zeros_like(place, np.bool_)
    line = (place == period - 2) & broad.any()
    colours = np.where(broad[..., None], stripe, ground)
    return np.where(line[..., None], thin, colours).astype(np.float32)


def knit(points: Points, draw: Draw) -> Relief:
    """Stocking stitch: columns of V, thick soft yarn, sometimes in stripes."""
    columns = draw.choice((8, 10, 12, 16))
    rows = columns + 2 * draw.integer(0, columns // 4)
    torn = warped(points, 6, draw.seed(), 0.15 / columns, 3)
    column, inside = cell_of(torn.x, columns)
    aside = np.abs(inside - np.float32(0.5)) * 2
    # Both legs of a loop fall towards its middle: a column of V
    y = torn.y * np.float32(rows) - np.float32(0.9) * aside
    row = np.floor(y)
    up = y - row - np.float32(0.5)
    loop = (1 - (aside - np.float32(0.5)) ** 2 * np.float32(3.2)) * (1 - (up * np.float32(1.9)) ** 2)
    body = loop.clip(0, 1)
    course = noise.wrapped(row, rows)
    word = noise.combine((course * np.int32(columns) + noise.wrapped(column, columns)).astype(np.uint32), draw.seed())
    ply = wave(1.5 * up + 2.0 * aside) * points.presence(3 * columns)
    fuzz = fbm(points, 80, draw.seed(), 2, 0.8)
    ground, stripe = (draw.colour(YARNS, 0.06) for _ in range(2))
    period = draw.choice((0, 0, 4, 8))
    striped = (course % period < period // 2).astype(np.float32) if period else flat(points)
    tone = 0.45 + 0.55 * body + 0.07 * ply + 0.18 * fuzz + 0.12 * (uniform(word, 1) - 0.5)
    albedo = blend(ground, stripe, striped) * tone[..., None]
    pilling = stains(points, draw.seed(), 4, draw.uniform(0.1, 0.5))
    roughness = draw.uniform(0.7, 0.88) + 0.12 * (1 - body) + 0.05 * fuzz - 0.12 * pilling
    height = draw.uniform(0.08, 0.16) / columns * body + 0.01 / columns * ply + bumps(points, 80, draw.seed(), 0.1, 1)
    return Relief(albedo, roughness, flat(points), height)


def carpet(points: Points, draw: Draw) -> Relief:
    """Tufts of cut pile, of one colour or mottled, trodden down in places."""
    frequency = draw.choice((24, 32, 40))
    near = cells(points, frequency, draw.seed(), 0.9)
    mottle = fbm(points, draw.choice((3, 6, 12)), draw.seed(), 4, 0.6)
    colours = [draw.colour(YARNS, 0.08) for _ in range(draw.integer(2, 3))]
    trodden = stains(points, draw.seed(), 3, draw.uniform(0.1, 0.6))
    fuzz = fbm(points, 96, draw.seed(), 2, 0.8)
    tuft = ramp(near.distance, 0.75, 0.0)
    share = 0.5 + draw.uniform(0.2, 1.0) * mottle + 0.7 * (uniform(near.identity, 1) - 0.5) * draw.uniform(0, 1)
    tone = 0.45 + 0.6 * tuft + 0.18 * fuzz + 0.15 * (uniform(near.identity, 2) - 0.5)
    roughness = 0.93 - 0.15 * trodden + 0.07 * fuzz - 0.15 * tuft * trodden
    height = (draw.uniform(0.22, 0.4) * tuft * (1 - 0.5 * trodden) + 0.25 * near.lean(3)) / frequency - 0.004 * trodden
    height = height + bumps(points, 96, draw.seed(), 0.15, 1)
    return Relief(shades(share, colours) * tone[..., None], roughness, flat(points), height)
