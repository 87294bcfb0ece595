"""Extents: which part of a field a picture or volume shows, and where its samples lie.

The unit view spans [-1, 1] on every axis; `latent_scale` stretches the coordinates of everything. An axis of n samples
has sample i at

    latent_scale · ((2i + 1 - n) / n + pan) / zoom

so samples sit at pixel centres, one sample sits in the middle, and no sample sits on the border. Standard library only.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

PerAxis = float | int | Sequence[float | int]
"""One number for all axes, or one for each, in the order of the array: (row, column) or (X, Y, Z)."""


@dataclass(frozen=True)
class Extent:
    """Zoom, pan and sample positions of a view. `easel.fields.Window` is its older name.

    Extents of one view share the bits of every coordinate that they share: a zoom equals a crop of a larger picture.

        fields.render(field, (512, 512), window=fields.Extent(zoom=4, center=(0.25, -0.5)))
    """

    zoom: PerAxis = 1.0
    """Magnification, above 0: 1 is the whole view, 10 shows a tenth of each axis."""
    pan: PerAxis = 0.0
    """Shift in half-widths of the part shown, towards larger indices; 1 moves by half of what is seen."""
    center: PerAxis | None = None
    """Instead of `pan`: the point of the unit view in the middle, which stays there at any zoom."""
    latent_scale: float | int = 1.0
    """Factor of all coordinates."""
    aspect: Literal["stretch", "keep"] = "stretch"
    """'stretch': every axis spans [-1, 1]; 'keep': the shortest does, the others as much more as they are longer."""
    align: Literal["centers", "corners"] = "centers"
    """Samples in the middle of pixels, or the first and last of them on the border of the view."""

    def __post_init__(self) -> None:
        for name in ("zoom", "pan", "center", "latent_scale"):
            value = getattr(self, name)
            if value is None:
                continue
            # A scalar stays one: it means all axes, however many there will be.
            bare = isinstance(value, (int, float))
            numbers = (value,) if bare else tuple(value)
            if not all(math.isfinite(number) and (number > 0 or name != "zoom") for number in numbers):
                raise ValueError(f"{name} is {value}; every number must be finite{' and above 0' * (name == 'zoom')}.")
            # Floats and tuples only, so that extents that say the same are equal and have one hash.
            object.__setattr__(self, name, float(value) if bare else tuple(map(float, numbers)))
        # 0 is the default of pan, which nobody has to take away to give a centre.
        if self.center is not None and self.pan != 0.0:
            raise ValueError(f"pan={self.pan} and center={self.center} both place the window; give one of them.")
        for name, known in (("aspect", ("stretch", "keep")), ("align", ("centers", "corners"))):
            if getattr(self, name) not in known:
                raise ValueError(f"unknown {name} {getattr(self, name)!r}. Known: {', '.join(known)}.")

    def fractions(self, size: Sequence[int]) -> list[tuple[float, float]]:
        """Return (offset, denominator) of every axis: sample i has latent_scale · (2i + 1 - n + offset) / denominator.

        Integers as long as possible: the one division that follows rounds alike for all sizes that share a position.
        """
        dimensions = len(size)
        spans = [samples if self.align == "centers" else max(samples - 1, 1) for samples in size]
        zooms = per_axis(self.zoom, dimensions, "zoom")
        # With 'keep' all axes are measured by the shortest: squares of the field are squares of the picture.
        bases = spans if self.aspect == "stretch" else [min(spans)] * dimensions
        if self.center is None:
            pans = per_axis(self.pan, dimensions, "pan")
            offsets = [pan * span for pan, span in zip(pans, spans, strict=True)]
        else:
            centers = per_axis(self.center, dimensions, "pan")
            offsets = [at * zoom * base for at, zoom, base in zip(centers, zooms, bases, strict=True)]
        return [(offset, base * zoom) for offset, base, zoom in zip(offsets, bases, zooms, strict=True)]


WHOLE = Extent()
"""The unit view."""


def per_axis(value: PerAxis, dimensions: int, name: str) -> tuple[float, ...]:
    """Return one number for every axis; ValueError, in which `name` stands, when their number is another."""
    if isinstance(value, (int, float)):
        return (float(value),) * dimensions
    if len(value) != dimensions:
        raise ValueError(f"{name} has {len(value)} numbers; give one, or one for each of the {dimensions} axes.")
    return tuple(map(float, value))


def from_divisor(zoom: PerAxis, pan: PerAxis, dimensions: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Convert zoom and pan of neural-canvas, whose pan divides and whose whole view is zoom 0.5, pan 2, to ours."""
    zooms, pans = per_axis(zoom, dimensions, "zoom"), per_axis(pan, dimensions, "pan")
    if 0.0 in pans:
        raise ValueError(f"pan={pan} divides by zero in pan_mode='divisor'; its centre is 2.")
    return tuple(2 * number for number in zooms), tuple(1 - 2 / number for number in pans)
