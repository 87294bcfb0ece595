"""Viewport: the part of an endless field that is looked at, on a screen of square pixels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from easel.fields.model.extent import Extent, per_axis

Number = float | int
Size = tuple[int, int]
"""(rows, columns) of a picture."""
LEAST_ZOOM = 1e-3
FLOAT_STEPS = 2.0**-22
"""Relative distance at which two float32 coordinates differ for certain: two steps of their 23 bits."""
NEAR = 1e-4
"""Distance from the origin below which coordinates no longer gain precision from their exponents."""


@dataclass(frozen=True)
class Viewport:
    """Centre and magnification for pictures of any size: the shorter side of a picture spans 2 / zoom."""

    center: tuple[float, float] = (0.0, 0.0)
    """(row, column) of the unit view in the middle of the picture."""
    zoom: tuple[float, float] = (1.0, 1.0)
    """Magnification of rows and columns; they differ if a file's picture was stretched."""

    @classmethod
    def of(cls, extent: Extent, size: Sequence[int]) -> "Viewport":
        """Return the viewport that shows what an extent shows in a picture of that size."""
        (down, rows), (right, columns) = extent.fractions(size)
        base = min(size)
        # An extent is measured in halves of each side, a viewport in halves of the shorter one.
        return cls((down / rows, right / columns), (rows / base, columns / base))

    @property
    def extent(self) -> Extent:
        """The same as an extent of the field."""
        return Extent(self.zoom, center=self.center, aspect="keep")

    def stretched(self, size: Size, zoom: Number = 1.0) -> tuple[float, float]:
        """Return the zooms, times a factor, of the extent that shows at any size what this shows at `size`."""
        base = min(size)
        return zoom * self.zoom[0] * base / size[0], zoom * self.zoom[1] * base / size[1]

    def steps(self, size: Size) -> tuple[float, float]:
        """Return the distances from one pixel to the next, down and right, in units of the field."""
        return 2 / (min(size) * self.zoom[0]), 2 / (min(size) * self.zoom[1])

    def dragged(self, by: tuple[Number, Number], size: Size) -> "Viewport":
        """Return the viewport after the picture was moved by so many pixels, right and down."""
        down, right = self.steps(size)
        return Viewport((self.center[0] - by[1] * down, self.center[1] - by[0] * right), self.zoom)

    def magnified(self, factor: Number, at: tuple[Number, Number], size: Size) -> "Viewport":
        """Return the viewport `factor` times as near; the point at the pixel `at` = (x, y) stays there.

        The factor is reduced where float32 would no longer tell two pixels apart.
        """
        # At least 1: where a drag has led too far out for this zoom already, it stays and does not jump.
        most = max(self.finest(size) / max(self.zoom), 1.0)
        factor = min(max(factor, LEAST_ZOOM / min(self.zoom)), most)
        down, right = self.steps(size)
        # Of the way from the middle to the point, the share that the middle has to move to keep it in place.
        shift = 1 - 1 / factor
        row = self.center[0] + (at[1] - size[0] / 2) * down * shift
        column = self.center[1] + (at[0] - size[1] / 2) * right * shift
        return Viewport((row, column), (self.zoom[0] * factor, self.zoom[1] * factor))

    def finest(self, size: Size) -> float:
        """Return the zoom from which on float32 no longer tells neighbouring pixels apart."""
        return 2 / (min(size) * FLOAT_STEPS * max(*map(abs, self.center), NEAR))

    def to_json(self) -> dict[str, list[float]]:
        return {"center": list(self.center), "zoom": list(self.zoom)}

    @classmethod
    def from_json(cls, data: object) -> "Viewport":
        """Invert `to_json`; ValueError, KeyError or TypeError for all else."""
        if not isinstance(data, dict):
            raise TypeError(f"a place is an object; got {type(data).__name__}.")
        center, zoom = (per_axis([_number(n) for n in data[name]], 2, name) for name in ("center", "zoom"))
        # Sessions and recipes are files, which anybody may have written.
        if min(zoom) <= 0:
            raise ValueError(f"a zoom is above 0; got {zoom}.")
        return cls((center[0], center[1]), (zoom[0], zoom[1]))


def _number(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"a place has finite numbers; got {value!r}.")
    return float(value)
