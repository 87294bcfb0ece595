"""Place: which part of an endless field a person looks at, on a screen of square pixels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from easel.fields.model.extent import Window, per_axis

Number = float | int
Size = tuple[int, int]
"""(rows, columns) of a picture."""
LEAST_ZOOM = 1e-3
FLOAT_STEPS = 2.0**-22
"""Of its distance from the origin, by which two float32 coordinates differ for certain."""
NEAR = 1e-4
"""From the origin; beyond it, coordinates have their exponents' precision."""


@dataclass(frozen=True)
class Place:
    """The point in the middle and the magnification, for pictures of any size: the shorter side spans 2 / zoom."""

    center: tuple[float, float] = (0.0, 0.0)
    """(row, column) of the unit view."""
    zoom: tuple[float, float] = (1.0, 1.0)
    """Of rows and columns; they differ where a file's picture was stretched."""

    @classmethod
    def of(cls, window: Window, size: Sequence[int]) -> "Place":
        """The place that a window of a picture of that size shows."""
        (down, rows), (right, columns) = window.fractions(size)
        base = min(size)
        return cls((down / rows, right / columns), (rows / base, columns / base))

    @property
    def window(self) -> Window:
        return Window(self.zoom, center=self.center, aspect="keep")

    def stretched(self, size: Size, zoom: Number = 1.0) -> tuple[float, float]:
        """The zooms, times a factor, of the window that shows the same at any other size as this one does at `size`."""
        base = min(size)
        return zoom * self.zoom[0] * base / size[0], zoom * self.zoom[1] * base / size[1]

    def steps(self, size: Size) -> tuple[float, float]:
        """From one pixel to the next, down and right."""
        return 2 / (min(size) * self.zoom[0]), 2 / (min(size) * self.zoom[1])

    def dragged(self, by: tuple[Number, Number], size: Size) -> "Place":
        """After the picture was moved by so many pixels, right and down."""
        down, right = self.steps(size)
        return Place((self.center[0] - by[1] * down, self.center[1] - by[0] * right), self.zoom)

    def magnified(self, factor: Number, at: tuple[Number, Number], size: Size) -> "Place":
        """`factor` times as large; what is at the pixel `at` = (x, y) stays there, as far as float32 reaches."""
        factor = min(max(factor, LEAST_ZOOM / min(self.zoom)), max(self.finest(size) / max(self.zoom), 1.0))
        down, right = self.steps(size)
        shift = 1 - 1 / factor
        row = self.center[0] + (at[1] - size[0] / 2) * down * shift
        column = self.center[1] + (at[0] - size[1] / 2) * right * shift
        return Place((row, column), (self.zoom[0] * factor, self.zoom[1] * factor))

    def finest(self, size: Size) -> float:
        """The zoom from which on float32 no longer tells neighbouring pixels apart."""
        return 2 / (min(size) * FLOAT_STEPS * max(*map(abs, self.center), NEAR))

    def to_json(self) -> dict[str, list[float]]:
        return {"center": list(self.center), "zoom": list(self.zoom)}

    @classmethod
    def from_json(cls, data: object) -> "Place":
        """What `to_json` gave; ValueError, KeyError or TypeError for all else."""
        if not isinstance(data, dict):
            raise TypeError(f"a place is an object; got {type(data).__name__}.")
        center, zoom = (per_axis([_number(n) for n in data[name]], 2, name) for name in ("center", "zoom"))
        if min(zoom) <= 0:
            raise ValueError(f"a zoom is above 0; got {zoom}.")
        return cls((center[0], center[1]), (zoom[0], zoom[1]))


def _number(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"a place has finite numbers; got {value!r}.")
    return float(value)
