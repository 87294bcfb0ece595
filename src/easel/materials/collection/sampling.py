"""Numbers and colours drawn from a seed: all that differs between two materials of one family."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from easel.materials.collection.noise import Number, Points, combine

Thing = TypeVar("Thing")
Colour = Float32[ndarray, "3"]
Palette = str
"""Colours in sRGB, as #rrggbb with spaces between."""


class Draw:
    """Draws, one after the other; the same seed draws the same, however large the picture is."""

    def __init__(self, seed: int) -> None:
        self._key = seed
        self._drawn = 0

    def seed(self) -> int:
        """Return a fresh seed for a noise."""
        # A hash of the count and no generator's state: numpy may change its generators, hashes stay.
        self._drawn += 1
        word = np.array([self._key & 0xFFFFFFFF], np.uint32)
        return int(combine(combine(word, self._key >> 32), self._drawn)[0])

    def uniform(self, low: Number, high: Number) -> float:
        return low + (high - low) * (self.seed() / 2**32)

    def integer(self, low: int, high: int) -> int:
        """Return a whole number, both ends included."""
        return low + self.seed() * (high - low + 1) // 2**32

    def chance(self, probability: Number) -> bool:
        return self.uniform(0, 1) < probability

    def choice(self, things: Sequence[Thing]) -> Thing:
        return things[self.integer(0, len(things) - 1)]

    def laid(self, points: Points) -> Points:
        """Return the points as they are or, every second time, turned by a quarter: grain along y or along x."""
        return points.turned() if self.chance(0.5) else points

    def colour(self, palette: Palette, spread: float = 0.06) -> Colour:
        """Return a colour near one of the palette, on the way to another, varied by about `spread`."""
        codes = palette.split()
        # Less than half of the second: even mixtures of everything would all be grey
        share = self.uniform(0, 0.4)
        return self._near(srgb(self.choice(codes)) * (1 - share) + srgb(self.choice(codes)) * share, spread)

    def colours(self, palette: Palette, spread: float = 0.06) -> list[Colour]:
        """Return every colour of the palette in its order, each varied a little."""
        return [self._near(srgb(code), spread) for code in palette.split()]

    def _near(self, colour: Colour, spread: float) -> Colour:
        warmth = self.uniform(-0.4, 0.4) * spread
        green = self.uniform(-0.15, 0.15) * spread
        varied = colour * (1 + self.uniform(-2, 2) * spread) + np.array([warmth, green, -warmth])
        return varied.clip(0.02, 0.97).astype(np.float32)


def srgb(code: str) -> Colour:
    """Return #rrggbb as three numbers in [0, 1]."""
    return np.array([int(code[at : at + 2], 16) for at in (1, 3, 5)], np.float32) / np.float32(255)
