"""Two materials that a noise divides: no name, but everything differs between them."""

from easel.materials.collection.noise import Points, bumps, fbm, mix, ramp, warped
from easel.materials.collection.sampling import Draw
from easel.materials.collection.surface import Relief, blend

LEVELS = ("38", "70", "a8", "d8")
ANYTHING = " ".join(f"#{red}{green}{blue}" for red in LEVELS for green in LEVELS for blue in LEVELS)


def phases(points: Points, draw: Draw) -> Relief:
    """Blotches of one phase on the other, one of them perhaps metal."""
    frequency = draw.choice((3, 4, 6, 8))
    bent = warped(points, frequency, draw.seed(), draw.uniform(0, 0.4) / frequency)
    pattern = fbm(bent, frequency, draw.seed(), draw.integer(2, 5), 0.5)
    level = draw.uniform(-0.2, 0.2)
    soft = draw.uniform(0.03, 0.12)
    mask = ramp(pattern, level - soft, level + soft)
    first, second = (draw.colour(ANYTHING) for _ in range(2))
    detail = fbm(points, 4 * frequency, draw.seed(), 4, 0.6)
    albedo = blend(first, second, mask) * (1 + draw.uniform(0.05, 0.25) * detail)[..., None]
    one, other = (draw.uniform(0.15, 0.9) for _ in range(2))
    roughness = mix(one, other, mask) + draw.uniform(0.05, 0.15) * detail
    metal = mask * float(draw.chance(0.5))
    height = draw.uniform(0.02, 0.06) / frequency * mask
    height = height + bumps(bent, frequency, draw.seed(), draw.uniform(0.1, 0.3), 4)
    return Relief(albedo, roughness, metal, height)
