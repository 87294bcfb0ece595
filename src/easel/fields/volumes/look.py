"""Appearance of volumes in ray-marched pictures. Standard library only: help texts must not wait for torch."""

from dataclasses import dataclass
from typing import Annotated

from easel.graphics.checked_record import Number, Range, check

Color = tuple[Number, Number, Number]


@dataclass(frozen=True)
class Look:
    """Opacity, light and background of a ray-marched picture; lengths in half sides of the volume's box."""

    transfer: str = "norm/mean"
    """Transfer function, from the gradient to opacity; a name of `transfer`."""
    density: Annotated[Number, Range(0)] = 160.0
    """Light that passes through a length d of fully opaque matter is exp(-density·d)."""
    contrast: Annotated[Number, Range(0.1, 10)] = 5.0
    """Power of the opacity: above 1 clears the mist between steep places."""
    shading: Annotated[Number, Range(0, 1)] = 1.0
    """0 shows the volume's own colours, 1 lights them as surfaces across the gradient."""
    shadows: Annotated[Number, Range(0, 1)] = 0.7
    """0 lets the light through, 1 takes away all of it that the volume holds back."""
    shape: str = "box"
    """'box', all of it, or 'ball', the ellipsoid inside."""
    up: str = "Y"
    """Array axis, 'Y' or 'Z', that stands upright; of medical scans that is Z."""
    background: tuple[Color, Color] = ((0.10, 0.11, 0.14), (0.02, 0.02, 0.03))
    """Colour behind the volume at the middle of the picture and at its corners, display-referred."""

    def __post_init__(self) -> None:
        check(self)
        for name, known in (("shape", ("box", "ball")), ("up", ("Y", "Z"))):
            if getattr(self, name) not in known:
                raise ValueError(f"Look.{name} is {getattr(self, name)!r}. Known: {', '.join(known)}.")
