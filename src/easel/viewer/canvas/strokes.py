"""Strokes: lines that a person draws over a canvas, in joining pieces, in tensor pixels."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from easel.viewer.imgui.layout import Point, Rectangle
from easel.viewer.imgui.toolkit import imgui

BUTTONS = (0, 1, 2)
"""Left, right, middle."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """A straight piece of a line drawn with a button held; it begins where the piece before it ended.

    `start` and `end` are (x, y) in tensor pixels, (0, 0) at the outer corner of the first one, and lie outside the
    picture where the pointer goes on beyond its edge. The first piece of a line is a single point.
    """

    start: Point
    end: Point
    button: int
    """0 is left, 1 right, 2 middle."""
    begins: bool
    """True for the first piece of a line."""

    def pixels(self) -> Iterator[tuple[int, int]]:
        """Yield (x, y) of each pixel on the way, connected, without the one that the piece before ended on."""
        x, y = map(math.floor, self.start)
        to_x, to_y = map(math.floor, self.end)
        if self.begins:
            yield x, y
        # Steps of the longer axis: each moves to one of the eight neighbours, so no gap opens.
        steps = max(abs(to_x - x), abs(to_y - y))
        for step in range(1, steps + 1):
            yield x + round((to_x - x) * step / steps), y + round((to_y - y) * step / steps)


@dataclass
class Trail:
    """The lines in progress over one canvas, and the pieces that this frame added."""

    strokes: tuple[Stroke, ...] = ()
    _tips: dict[int, Point] = field(default_factory=dict)
    """Button → the last point of its line in progress."""

    def follow(self, at: Point, inside: bool, taken: int | None) -> None:
        """Draw on to `at`; a line begins `inside` only, and with a button that is not `taken` for something else."""
        strokes = []
        # Crossing the window's edge, the pointer has no position for a moment: lines wait for the next one.
        seen = imgui.is_mouse_pos_valid()
        for button in BUTTONS:
            if seen and inside and button != taken and imgui.is_mouse_clicked(button):
                strokes.append(Stroke(at, at, button, True))
                self._tips[button] = at
            elif seen and button in self._tips and at != self._tips[button]:
                strokes.append(Stroke(self._tips[button], at, button, False))
                self._tips[button] = at
            # After its last piece: a release comes together with the movement that led to it.
            if not imgui.is_mouse_down(button):
                self._tips.pop(button, None)
        self.strokes = tuple(strokes)

    def end(self) -> None:
        """End all lines: the canvas is out of sight."""
        self.strokes = ()
        self._tips.clear()


def in_pixels(position: Point, rectangle: Rectangle, size: tuple[int, int]) -> Point:
    """Convert a point of the window to pixels of a picture of `size` = (height, width) that fills `rectangle`."""
    # Not rounded: a stroke in a zoomed picture is finer than its pixels.
    left, top, width, height = rectangle
    return (position[0] - left) / width * size[1], (position[1] - top) / height * size[0]
