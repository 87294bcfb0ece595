"""Arrangement: where every part of a network stands in space.

World axes are those of `graphics.camera`: x to the right, y up, z toward the viewer. Sheets face +z.
"""

from dataclasses import dataclass
from functools import cached_property

from easel.inspector.layout.sheet_map import SheetMap

Vector = tuple[float, float, float]
"""x to the right, y up, z toward the viewer."""


@dataclass(frozen=True)
class Box:
    """One tensor in space: a rectangle from `origin`, its upper left corner, along two edges."""

    name: str
    origin: Vector
    right: Vector
    """Edge along the rows, to the upper right corner."""
    down: Vector
    """Edge to the lower left corner."""
    sheet: SheetMap | None
    """None if there is nothing to show: a tensor without values or without memory."""
    docked_to: str = ""
    """Name of the tensor beside which this one stands; empty if it stands alone."""
    stage: str = ""
    note: str = ""
    """Remark for a label, such as why there is nothing to show."""


@dataclass(frozen=True)
class Pad:
    """An operation without tensors, or the input: a small square."""

    name: str
    text: str
    origin: Vector
    side: float
    error: str = ""


@dataclass(frozen=True)
class Plate:
    """The ground of a stage: a rectangle behind its sheets."""

    title: str
    """Empty if the stage goes on from the line above."""
    origin: Vector
    width: float
    height: float


@dataclass(frozen=True)
class Route:
    """A polyline from one layer to another; its last point is the tip of an arrow."""

    source: str
    target: str
    points: tuple[Vector, ...]
    values: int = 0
    """Count of the numbers that pass; 0 if nobody has counted."""
    skips: bool = False
    """True if it passes over other layers."""
    is_known: bool = True
    """True if a forward pass has shown it; else it only says what was defined after what."""


# Frozen, as all of them: renderers keep buffers for an arrangement, and know another one by its identity.
@dataclass(frozen=True)
class Arrangement:
    """All that can be drawn of a network, and its place."""

    boxes: tuple[Box, ...]
    pads: tuple[Pad, ...] = ()
    plates: tuple[Plate, ...] = ()
    routes: tuple[Route, ...] = ()
    scalars: tuple[str, ...] = ()
    """Names of the tensors without an axis, which are text and nothing else."""

    @cached_property
    def bounds(self) -> tuple[Vector, Vector]:
        """Lowest and highest corner; those of a unit cube if there is nothing."""
        corners = [corner for box in self.boxes for corner in corners_of(box.origin, box.right, box.down)]
        for pad in self.pads:
            corners += upright_corners(pad.origin, pad.side, pad.side)
        for plate in self.plates:
            corners += upright_corners(plate.origin, plate.width, plate.height)
        # Cameras divide by the size of what they look at: an empty scene must have one too.
        if not corners:
            return (-0.5, -0.5, -0.5), (0.5, 0.5, 0.5)
        xs, ys, zs = zip(*corners, strict=True)
        return (min(xs), min(ys), min(zs)), (max(xs), max(ys), max(zs))


def corners_of(origin: Vector, right: Vector, down: Vector) -> list[Vector]:
    """Return the four corners of a rectangle, around it from the upper left one."""
    x, y, z = origin
    return [
        (x + s * right[0] + t * down[0], y + s * right[1] + t * down[1], z + s * right[2] + t * down[2])
        for s, t in ((0, 0), (1, 0), (1, 1), (0, 1))
    ]


def upright_corners(origin: Vector, width: float, height: float) -> list[Vector]:
    """Return the four corners of a rectangle that faces the viewer."""
    return corners_of(origin, (width, 0.0, 0.0), (0.0, -height, 0.0))
