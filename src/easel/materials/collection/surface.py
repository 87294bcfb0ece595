"""Relief: the surface of a material at some points, as a family makes it, with a height instead of a normal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float32, UInt32
from numpy import ndarray

from easel.materials.collection.noise import Field, Number, Points, Values, uniform
from easel.materials.collection.sampling import Colour, Draw

Painting = Float32[ndarray, "h w 3"]
"""One colour a texel."""


@dataclass(frozen=True)
class Relief:
    """Colour sRGB-encoded in [0, 1], roughness and metallic in [0, 1], height in tile sides: slopes are real."""

    albedo: Painting
    roughness: Field
    metallic: Field
    height: Field


Family = Callable[[Points, Draw], Relief]
"""Called once per band of rows, so it looks at its points only: no mean or maximum over the picture."""


def paint(colour: Colour, brightness: Field) -> Painting:
    """Paint with one colour, lighter where `brightness` is above 1 and darker below."""
    return colour * brightness[..., None]


def blend(first: Values, second: Values, share: Field) -> Painting:
    """Paint `first` where `share` is 0, `second` where it is 1; both may be one colour or one colour a texel."""
    return first + (second - first) * share[..., None]


def flat(points: Points, value: Number = 0.0) -> Field:
    """Return the same number everywhere."""
    return np.full(np.broadcast_shapes(points.x.shape, points.y.shape), value, np.float32)


def shades(share: Field, colours: Sequence[Colour]) -> Painting:
    """Paint through the colours in equal steps while `share` goes from 0 to 1."""
    place = share.clip(0, 1) * np.float32(len(colours) - 1)
    painted = np.broadcast_to(colours[0], (*share.shape, 3))
    for step, (colour, following) in enumerate(pairwise(colours)):
        painted = painted + (following - colour) * (place - step).clip(0, 1)[..., None]
    return painted


def pick(identity: UInt32[ndarray, "h w"], seed: int, colours: Sequence[Colour]) -> Painting:
    """Paint every unit, cell or thread with one of the colours."""
    index = (uniform(identity, seed) * np.float32(len(colours))).astype(np.int32)
    return np.stack(colours).take(index, axis=0)
