"""Scenery of a scene: points, lines and camera frusta beside its surface.

Their attributes are live: assign to one, or write into the tensor that it was given, and the next picture shows it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Real
from torch import Tensor

from easel.gl.draw import LineBrush, PointBrush
from easel.graphics.camera import rays
from easel.viewer.imgui.arguments import checked_attribute
from easel.viewer.imgui.sketch import Number

if TYPE_CHECKING:
    import moderngl

Numbers = Tensor | np.ndarray | Sequence[Any]
"""A table of numbers, nested sequences included."""

AMBER = (1.0, 0.72, 0.25)
"""Default colour of scenery: it stands out from most pictures, and from the background."""


class Brushes:
    """The brushes that draw scenery in one OpenGL context."""

    def __init__(self, context: "moderngl.Context") -> None:
        self.points = PointBrush(context)
        self.lines = LineBrush(context)

    def release(self) -> None:
        self.points.release()
        self.lines.release()


class Colored:
    """The base of points and lines: each one has its own colour, or all have one."""

    def __init__(self, colors: Numbers, count: int, who: str) -> None:
        self.visible = True
        self.colors = colors
        # Checked when it is made only: live data may grow before its colours do.
        if len(self.colors) not in (1, count):
            raise ValueError(f"{count} {who} have one color or {count}; got {len(self.colors)}.")

    @checked_attribute
    def colors(self, value: Numbers) -> Real[Tensor, "n_or_1 3"]:
        """In [0, 1], or 0 to 255 as uint8: one for each, or one for all."""
        return _colors(value)


class PointCloud(Colored):
    """Round points in world coordinates; made by `SceneView.add_points`."""

    def __init__(self, positions: Numbers, colors: Numbers, size: Number) -> None:
        self.positions = positions
        super().__init__(colors, len(self.positions), "points")
        self.size = size
        """Diameter in pixels."""

    @checked_attribute
    def positions(self, value: Numbers) -> Real[Tensor, "n 3"]:
        """Positions in the world."""
        return _table(value, "positions", (3,))

    def draw(self, brushes: Brushes, clip_from_world: Float[Tensor, "4 4"]) -> None:
        """Draw the current points."""
        # In every frame: a program writes into the tensor without telling.
        brushes.points.load(self.positions.cpu().float(), _spread(self.colors, len(self.positions)))
        brushes.points.draw(clip_from_world, self.size)


class Lines(Colored):
    """Straight lines in world coordinates; made by `SceneView.add_lines`."""

    def __init__(self, segments: Numbers, colors: Numbers, width: Number) -> None:
        self.segments = segments
        super().__init__(colors, len(self.segments), "lines")
        self.width = width
        """Width in pixels."""

    @checked_attribute
    def segments(self, value: Numbers) -> Real[Tensor, "n 2 3"]:
        """Start and end of each line in the world."""
        return _table(value, "segments", (2, 3))

    def draw(self, brushes: Brushes, clip_from_world: Float[Tensor, "4 4"]) -> None:
        """Draw the current lines."""
        brushes.lines.load(self.segments.cpu().float(), _spread(self.colors, len(self.segments)))
        brushes.lines.draw(clip_from_world, self.width)


class Frustum:
    """The field of view of a camera as a pyramid, with a mark on its upper side; made by `SceneView.add_frustum`."""

    def __init__(
        self, pose: Numbers, fov_degrees: Number, aspect: Number, depth: Number, color: Numbers, width: Number
    ) -> None:
        self.visible = True
        self.pose = pose
        self.fov_degrees = fov_degrees
        self.aspect = aspect
        self.depth = depth
        """Length of the pyramid along the viewing direction, in world units."""
        self.color = color
        self.width = width
        """Width of its lines in pixels."""

    @checked_attribute
    def pose(self, value: Numbers) -> Real[Tensor, "4 4"]:
        """Camera → world, as `graphics.camera` has it: the camera looks along its own -Z."""
        # The table's check is of columns only.
        if len(pose := _table(value, "pose", (4,))) != 4:
            raise ValueError(f"the pose of a frustum is (4, 4), camera to world; got {tuple(pose.shape)}.")
        return pose

    @checked_attribute
    def color(self, value: Numbers) -> Real[Tensor, "1 3"]:
        """Its colour, in [0, 1], or 0 to 255 as uint8."""
        if len(color := _colors(value)) != 1:
            raise ValueError(f"a frustum has one color; got {len(color)} of them.")
        return color

    def segments(self) -> Float[Tensor, "n 2 3"]:
        """Return its lines in the world: four from the eye, four around the far side, three of the mark."""
        # Two pixels by two at unit focal length: corners and middles are whole numbers.
        corner = torch.tensor([[0, 0], [2, 0], [2, 2], [0, 2], [0.6, -0.15], [1.4, -0.15], [1, -0.6]])
        eye, directions = rays(corner, torch.eye(4), self.fov_degrees, (2, 2))
        # Scaled to depth 1 along -Z, then to the frustum's own depth and aspect.
        at = directions / -directions[:, 2:] * self.depth * torch.tensor([float(self.aspect), 1.0, 1.0])
        edges = [(0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (2, 3), (3, 4), (4, 1), (5, 6), (6, 7), (7, 5)]
        inside = torch.cat([eye[None], at])[torch.tensor(edges)]
        pose = self.pose.float().cpu()
        return inside @ pose[:3, :3].T + pose[:3, 3]

    def draw(self, brushes: Brushes, clip_from_world: Float[Tensor, "4 4"]) -> None:
        """Draw the current frustum."""
        segments = self.segments()
        brushes.lines.load(segments, _spread(self.color, len(segments)))
        brushes.lines.draw(clip_from_world, self.width)


Item = PointCloud | Lines | Frustum


def _table(value: Numbers, who: str, row: tuple[int, ...]) -> Tensor:
    """Return `value` as rows of shape `row`, sharing its memory where it can, without its graph."""
    try:
        # Shares memory with tensors and arrays, so that writing into them is seen.
        table = torch.as_tensor(value).detach()
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{who} in a scene are numbers; got {type(value).__name__} ({error}).") from error
    if table.is_complex() or table.ndim != len(row) + 1 or tuple(table.shape[1:]) != row:
        wanted = ", ".join(map(str, ("N", *row)))
        raise ValueError(f"{who} in a scene have the shape ({wanted}); got {tuple(table.shape)} {table.dtype}.")
    return table


def _colors(value: Numbers) -> Tensor:
    """Return one colour, or a table of colours, as (n, 3)."""
    # Three numbers are one colour; three rows are three.
    one = isinstance(value, Sequence) and len(value) == 3 and all(isinstance(part, float | int) for part in value)
    if one or (isinstance(value, Tensor | np.ndarray) and value.ndim == 1):
        value = torch.as_tensor(value)[None]
    if not len(colors := _table(value, "colors", (3,))):
        raise ValueError("colors in a scene are at least one; got none.")
    return colors


def _spread(colors: Tensor, count: int) -> Float[Tensor, "n 3"]:
    """Return `count` colours in [0, 1]; where there are too few, the last is repeated."""
    colors = colors.cpu().float() / (255 if colors.dtype == torch.uint8 else 1)
    missing = max(count - len(colors), 0)
    return torch.cat([colors[:count], colors[-1:].expand(missing, 3)]).clamp(0, 1)
