"""Ground outdoors: gravel, pebbles, soil, sand, asphalt, moss; dry or with water in the hollows."""

import numpy as np

from easel.materials.collection.cells import cells
from easel.materials.collection.marks import spots, stains
from easel.materials.collection.noise import Points, bumps, edge, fbm, mix, ramp, uniform, warped
from easel.materials.collection.sampling import Colour, Draw
from easel.materials.collection.surface import Field, Painting, Relief, blend, flat, paint, pick, shades

ROCKS = (
    "#e3ddd2 #c9b08f #9db0b5 #b5896a #d8d2c4 #4a4d52 #8d8880 #a39a8c #6e6a66 "
    "#b9aa94 #5b5854 #9c8674 #7d8288 #c9c0b2 #6f5a4a #84705f"
)
CHIPPINGS = "#8a8884 #6f6d6a #b3aca2 #c9c2b4 #8f7a6a #a5886e"
EARTH = "#5a4634 #6e5640 #453628 #7f6a50 #3a302a #8a6b4c #6b4f3a"


def _stones(
    points: Points, draw: Draw, frequency: int, colours: list[Colour], share: float, roundness: float
) -> tuple[Field, Painting, Field, Field]:
    """Lay one layer of stones: height (negative between them), colour, a random number per stone, share of its top."""
    torn = warped(points, 2 * frequency, draw.seed(), (0.25 - 0.22 * roundness) / frequency, 2)
    near = cells(torn, frequency, draw.seed(), 0.95)
    word = near.identity
    there = uniform(word, 1) < share
    size = 0.55 + 0.45 * uniform(word, 2)
    # Inside the cell by the way to its border, outside of small stones by the way to their middle
    small = 1.25 * size - (1.6 + 0.5 * roundness) * near.distance + 0.25 - 0.15 * roundness
    inside = np.minimum(near.border * 2.4, small)
    dome = inside.clip(0, None)
    dome = dome * (2 - dome.clip(0, 1)) if roundness > 0.5 else dome.clip(0, 0.45) * 1.6
    height = np.where(there, (0.45 * dome.clip(0, 1) + 0.5 * (1 - 0.6 * roundness) * near.lean(3)) * size, -0.5)
    # Beside its stones a layer lies deep, so that a heap never shows it
    height = np.where(inside > 0, height, np.float32(-0.5)) / np.float32(frequency)
    tone = 1 + 0.35 * (uniform(word, 5) - 0.5)
    return height, pick(word, 6, colours) * tone[..., None], uniform(word, 7), dome.clip(0, 1)


def _heap(
    points: Points, draw: Draw, scales: tuple, roundness: float, soil: Painting
) -> tuple[Painting, Field, Field, Field]:
    """Heap layers of stones on soil, the highest on top: albedo, height, share of stone, a random number per stone."""
    grain = fbm(points, 32, draw.seed(), 4, 0.8)
    colours = [draw.colour(ROCKS, 0.08) for _ in range(draw.integer(2, 5))]
    albedo = soil
    stone = flat(points)
    number = flat(points, 0.5)
    height = 0.004 * grain + 0.010 * fbm(points, 4, draw.seed(), 3)
    for frequency, share in scales:
        layer, colour, each, top = _stones(points, draw, frequency, colours, share, roundness)
        layer = layer + (each - 0.5) * 0.25 / frequency
        visible = edge(points, (layer - height) * 0.6)
        # The rims of stones lie in the shadow of others, and so does the soil around them
        shadow = 0.55 + 0.45 * ramp(top, 0.0, 0.5)
        textured = colour * ((1 + 0.22 * grain) * shadow)[..., None]
        albedo = blend(albedo * mix(1, 0.8, ramp(layer - height, -0.006, 0))[..., None], textured, visible)
        height = np.maximum(height, layer)
        stone = np.maximum(stone, visible)
        number = mix(number, each, visible)
    return albedo, height, stone, number


def _perhaps_wet(points: Points, draw: Draw, chance: float, surface: Relief) -> Relief:
    """Return the surface or, by `chance`, after rain: dark where damp; water in the hollows, level and smooth."""
    if not draw.chance(chance):
        return surface
    hollow = fbm(points, draw.choice((2, 3)), draw.seed(), 4) + draw.uniform(-0.4, 0.15)
    damp = ramp(hollow, -0.5, 0.1)
    level = 0.02 * (hollow - 0.1)
    # The ground's own relief counts less than the lie of the land, or every pore would be a puddle
    water = ramp(level - 0.35 * surface.height, -0.001, 0.002)
    albedo = surface.albedo * mix(1, 0.62, damp)[..., None] * mix(1, 0.8, water)[..., None]
    roughness = mix(surface.roughness - 0.22 * damp, 0.08, water)
    ripple = bumps(points, 8, draw.seed(), 0.02, 2)
    return Relief(albedo, roughness, surface.metallic, mix(surface.height, ripple, water))


def gravel(points: Points, draw: Draw) -> Relief:
    """Crushed stone: angular, all sizes, dust between."""
    coarse = draw.choice((8, 10, 14))
    fine = fbm(points, 64, draw.seed(), 3, 0.8)
    soil = paint(draw.colour(f"{EARTH} {ROCKS}", 0.06), 0.75 + 0.3 * fine)
    scales = ((4 * coarse, 0.9), (2 * coarse, 0.9), (coarse, draw.uniform(0.5, 0.95)))
    albedo, height, stone, number = _heap(points, draw, scales, 0.2, soil)
    roughness = mix(0.93, draw.uniform(0.5, 0.8) + 0.3 * (number - 0.5) + 0.1 * fine, stone)
    height = draw.uniform(0.4, 0.7) * height + bumps(points, 32, draw.seed(), draw.uniform(0.08, 0.2), 3)
    return _perhaps_wet(points, draw, 0.35, Relief(albedo, roughness, flat(points), height))


def pebbles(points: Points, draw: Draw) -> Relief:
    """From a river or a beach: round, smooth, of many colours, in sand."""
    coarse = draw.choice((5, 7, 9, 12))
    fine = fbm(points, 64, draw.seed(), 3, 0.8)
    soil = paint(draw.colour("#b8a484 #8a7a64 #cbbfa8 #5c544a", 0.05), 0.85 + 0.3 * fine)
    scales = ((3 * coarse, 0.9), (coarse, draw.uniform(0.7, 1.0)))
    albedo, height, stone, number = _heap(points, draw, scales, 0.9, soil)
    roughness = mix(0.9, draw.uniform(0.25, 0.6) + 0.25 * (number - 0.5) + 0.08 * fine, stone)
    height = draw.uniform(0.35, 0.6) * height + bumps(points, 64, draw.seed(), 0.1, 2) * (1.2 - stone)
    return _perhaps_wet(points, draw, 0.35, Relief(albedo, roughness, flat(points), height))


def soil(points: Points, draw: Draw) -> Relief:
    """Crumbs and clods, small stones, dead leaves' worth of flecks; or mud that dried and cracked."""
    colours = [draw.colour(EARTH, 0.06) for _ in range(3)]
    grain = fbm(points, 24, draw.seed(), 5, 0.8)
    cloud = fbm(points, 4, draw.seed(), 5, 0.6)
    albedo = shades(0.5 + 0.5 * cloud + 0.4 * grain, colours)
    if draw.chance(0.4):
        torn = warped(points, 12, draw.seed(), 0.02, 4)
        frequency = draw.choice((4, 6, 8))
        near = cells(torn, frequency, draw.seed(), 0.9)
        width = draw.uniform(0.03, 0.07)
        plate = ramp(near.border, width * 0.5, width)
        curl = ramp(near.border, 0.3, width) * plate
        tone = 1 + 0.16 * (uniform(near.identity, 1) - 0.5) + 0.10 * curl
        albedo = albedo * (tone * mix(0.35, 1, plate))[..., None]
        height = (0.10 * plate + draw.uniform(0.03, 0.08) * curl) / frequency
        height = height + bumps(points, 24, draw.seed(), draw.uniform(0.10, 0.2), 4)
        roughness = mix(0.95, draw.uniform(0.6, 0.85) + 0.12 * grain + 0.1 * cloud, plate)
    else:
        scales = ((40, 0.6), (20, draw.uniform(0.2, 0.6)), (10, draw.uniform(0, 0.3)))
        albedo, lumps, stone, number = _heap(points, draw, scales, 0.5, albedo)
        # Lumps are of earth, more or less: how much, a hash of each one's number says
        earthy = mix(0.35, 0.9, uniform((number * 65535).astype(np.uint32), 3))
        albedo = blend(albedo, shades(0.5 + 0.6 * grain, colours), earthy * stone)
        height = 0.6 * lumps + bumps(points, 12, draw.seed(), draw.uniform(0.2, 0.35), 5, 0.6)
        roughness = 0.85 + 0.12 * grain - draw.uniform(0, 0.3) * stone * (1 - earthy) + 0.1 * cloud
    return _perhaps_wet(points, draw, 0.4, Relief(albedo, roughness, flat(points), height))


def sand(points: Points, draw: Draw) -> Relief:
    """Fine grains in ripples of the wind, dark heavy grains in the troughs, a few shells."""
    ripples = draw.choice((6, 8, 10, 14))
    bent = points.moved(0.0, 0.5 / ripples * fbm(points, 3, draw.seed(), 4, 0.45))
    turn = bent.y * np.float32(ripples)
    place = turn - np.floor(turn)
    # The lee side is steeper
    crest = ramp(place, 0.0, 0.65) * ramp(place, 1.0, 0.65)
    grain = fbm(points, 80, draw.seed(), 3, 0.9)
    cloud = fbm(points, 3, draw.seed(), 4)
    light = draw.colour("#d9c49c #c9ae82 #e6dcc6 #b89468 #a89a88 #8a8078", 0.05)
    share = 0.35 + 0.55 * crest + 0.25 * cloud
    albedo = shades(share, [light * np.float32(0.62), light, (light * np.float32(1.12)).clip(0, 0.95)])
    flecks = ramp(grain, 0.35, 0.7)
    albedo = albedo * (1 + 0.16 * grain - 0.3 * flecks * float(draw.chance(0.5)))[..., None]
    shells = spots(points, 8, draw.seed(), 0.16, draw.uniform(0, 0.25))
    albedo = blend(albedo, np.array([0.88, 0.84, 0.78], np.float32), shells)
    roughness = mix(0.78 + 0.10 * grain + 0.10 * cloud, 0.4, shells)
    height = draw.uniform(0.08, 0.16) / ripples * crest * (0.7 + 0.6 * cloud) + 0.004 * shells
    height = height + bumps(points, 64, draw.seed(), draw.uniform(0.12, 0.25), 2)
    return _perhaps_wet(points, draw, 0.5, Relief(albedo, roughness, flat(points), height))


def asphalt(points: Points, draw: Draw) -> Relief:
    """Chippings in bitumen: grey and worn on their tops, black and tarry between; patched, cracked, oiled."""
    frequency = draw.choice((24, 32, 40))
    near, small = (cells(points, count, draw.seed(), 1.0) for count in (frequency, 2 * frequency))
    worn = 0.5 + 0.5 * fbm(points, 3, draw.seed(), 4)
    top = ramp(near.border, 0.04, 0.25) * (uniform(near.identity, 1) < 0.75)
    minor = 0.6 * ramp(small.border, 0.04, 0.25) * (uniform(small.identity, 1) < 0.6)
    stone = np.maximum(top, minor)
    grain = fbm(points, 64, draw.seed(), 3, 0.8)
    colours = [draw.colour(CHIPPINGS) for _ in range(3)]
    # Traffic wears the bitumen off the tops of the stones, and only their colour is left there
    chips = pick(near.identity, 2, colours)
    bitumen = draw.colour("#2a2a2b #353434 #1f2022 #45423f", 0.06)
    bare = stone * (0.35 + 0.65 * worn).clip(0, 1)
    albedo = blend(bitumen, chips, bare) * (1 + 0.2 * grain + 0.2 * (uniform(near.identity, 3) - 0.5))[..., None]
    bend = warped(points, 8, draw.seed(), 0.05, 4)
    crack = ramp(cells(bend, 3, draw.seed()).border, 0.03, 0.0) * float(draw.chance(0.5)) * ramp(worn, 0.3, 0.6)
    oil = stains(points, draw.seed(), 2, draw.uniform(0, 0.45)) * draw.uniform(0.3, 1)
    albedo = albedo * ((1 - 0.4 * oil) * (1 - 0.7 * crack))[..., None]
    roughness = 0.85 - 0.2 * (1 - bare) + 0.1 * grain - 0.35 * oil + 0.1 * crack
    height = draw.uniform(0.10, 0.2) / frequency * stone + bumps(points, 8, draw.seed(), 0.08, 2) - 0.008 * crack
    height = height + bumps(points, 80, draw.seed(), 0.12, 1)
    return _perhaps_wet(points, draw, 0.35, Relief(albedo, roughness, flat(points), height))


def moss(points: Points, draw: Draw) -> Relief:
    """Cushions of green over earth, yellow at their tops."""
    frequency = draw.choice((10, 14, 20))
    near = cells(points.moved(0.02 * fbm(points, 12, draw.seed(), 3), 0.0), frequency, draw.seed(), 1.0)
    tufts = fbm(points, 40, draw.seed(), 3, 0.9)
    cushion = ramp(near.border, 0.0, 0.35)
    field = fbm(points, 4, draw.seed(), 5, 0.6) + 0.25 * (uniform(near.identity, 1) - 0.5)
    cover = ramp(field + 0.1 * tufts, draw.uniform(-0.6, 0.1), 0.15)
    greens = draw.colours("#232b12 #3d4a1c #5f6e2a #8c9440 #b0ad5c", 0.08)
    tone = 0.22 + 0.3 * cushion + 0.45 * tufts + 0.25 * (uniform(near.identity, 2) - 0.5)
    grain = fbm(points, 32, draw.seed(), 4, 0.8)
    earth = paint(draw.colour(EARTH, 0.05), 0.8 + 0.35 * grain)
    roughness = mix(0.88 + 0.1 * grain, draw.uniform(0.6, 0.85) - 0.12 * cushion + 0.15 * tufts, cover)
    height = cover * (0.22 / frequency * cushion + 0.006) + bumps(points, 16, draw.seed(), 0.15, 4, 0.6)
    height = height + cover * bumps(points, 64, draw.seed(), 0.22, 2, 0.8)
    return Relief(blend(earth, shades(tone, greens), cover), roughness, flat(points), height)
