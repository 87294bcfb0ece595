"""Two materials that a noise divides: no name, but everything differs between them."""

from easel.materials.library.draw import Draw
from easel.materials.library.noise import Points, fbm, mix, ramp
from easel.materials.library.surface import Surface, blend

ANYTHING = tuple(
    f"#{r}{g}{b}" for r in ("20", "70", "b0", "e8") for g in ("20", "70", "b0", "e8") for b in ("28", "80", "d8")
)


def phases(points: Points, draw: Draw) -> Surface:
    """Blotches of one phase on the other, one of them perhaps metal."""
    frequency = draw.choice((3, 4, 6, 8))
    pattern = fbm(points, frequency, draw.seed(), 4)
    level = draw.uniform(-0.2, 0.2)
    mask = ramp(pattern, level - 0.06, level + 0.06)
    first, second = (draw.colour(ANYTHING) for _ in range(2))
    detail = fbm(points, 4 * frequency, draw.seed(), 4, 0.6)
    albedo = blend(first, second, mask) * (1 + draw.uniform(0.05, 0.2) * detail)[..., None]
    one, other = (draw.uniform(0.2, 0.9) for _ in range(2))
    roughness = mix(one, other, mask) + 0.05 * detail
    metal = mask * float(draw.chance(0.35))
    slope = draw.uniform(0.1, 0.3)
    height = slope / frequency * (0.35 * pattern + 0.15 * mask + 0.12 * detail)
    return Surface(albedo, roughness, metal, height)
