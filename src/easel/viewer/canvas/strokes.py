"""Strokes: what a person draws over a canvas, in pieces that join, in the pixels of its tensor."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from easel.viewer.imgui.layout import Rectangle
from easel.viewer.imgui.sketch import Number
from easel.viewer.imgui.toolkit import imgui

Point = tuple[Number, Number]
BUTTONS = (0, 1, 2)
"""Left, right, middle."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """A straight piece of a line that is drawn with a button held; it begins where the piece before it ended.

    `start` and `end` are (x, y) in tensor pixels, (0, 0) at the outer corner of the first one, and lie outside the
    picture where the hand goes on beyond its edge. The first piece of a line is a single point.
    """

    start: Point
    end: Point
    button: int
    """0 is left, 1 right, 2 middle."""
    begins: bool
    """The first piece of a line."""

    def pixels(self) -> Iterator[tuple[int, int]]:
        """The (x, y) of each pixel on the way, connected, without the one that the piece before ended on."""
        (x, y), (to_x, to_y) = ((math.floor(x), math.floor(y)) for x, y in (self.start, self.end))
        if self.begins:
            yield x, y
        steps = max(abs(to_x - x), abs(to_y - y))
        for step in range(1, steps + 1):
            yield x + round((to_x - x) * step / steps), y + round((to_y - y) * step / steps)


@dataclass
class Trail:
    """What a person draws over one canvas: the lines in progress, and the pieces that this frame added."""

    strokes: tuple[Stroke, ...] = ()
    _tips: dict[int, Point] = field(default_factory=dict)
    """Where the lines in progress have come to, by button."""

    def follow(self, at: Point, inside: bool, taken: int | None) -> None:
        """Draw on to `at`; a line begins `inside` only, and with a button that is not `taken` for something else."""
        strokes = []
        seen = imgui.is_mouse_pos_valid()  # crossing the window's edge, the pointer is nowhere for a moment
        for button in BUTTONS:
            if not seen:
                pass
            elif inside and button != taken and imgui.is_mouse_clicked(button):
                strokes.append(Stroke(at, at, button, True))
                self._tips[button] = at
            elif button in self._tips and at != self._tips[button]:
                strokes.append(Stroke(self._tips[button], at, button, False))
                self._tips[button] = at
            if not imgui.is_mouse_down(button):
                self._tips.pop(button, None)
        self.strokes = tuple(strokes)

    def end(self) -> None:
        """Nobody can draw here now."""
        self.strokes = ()
        self._tips.clear()


def in_pixels(position: Point, rectangle: Rectangle, size: tuple[int, int]) -> Point:
    """A point of the window in the pixels of a picture of `size` = (height, width) that fills `rectangle`."""
    left, top, width, height = rectangle
    return (position[0] - left) / width * size[1], (position[1] - top) / height * size[0]
