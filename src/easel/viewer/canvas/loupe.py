"""Loupe: zoom and pan of a picture.

The wheel zooms about the pointer; the middle button, or the left one with Space, drags; a double click with Space or
the key 0 shows the whole picture again, 1 one tensor pixel per screen pixel, and Ctrl+H the histogram. Where two
pictures are compared, a drag with Shift chooses the part that the numbers are of. Other drags are the program's.
"""

from dataclasses import dataclass

from easel.viewer.imgui.layout import Point, Rectangle
from easel.viewer.imgui.sketch import Number

NOTCH = 2 ** (1 / 4)
"""Zoom factor of one notch of the wheel."""
MOST_PIXELS = 256.0
"""Largest size of a tensor pixel on screen."""


@dataclass(eq=False)
class Loupe:
    """The visible part of a picture, in shares of the picture: canvases of any size can share one."""

    zoom: Number = 1.0
    """Magnification; 1 shows the picture as the canvas fits it."""
    center: Point = (0.5, 0.5)
    """The point in the middle of the canvas, as a share of the picture's width and height."""
    cursor: Point | None = None
    """The pointer on one of the canvases, as such a share."""
    owner: object = None
    """The canvas that the pointer is on."""

    @property
    def unzoomed(self) -> bool:
        return self.zoom == 1.0

    def reset(self) -> None:
        """Show the whole picture as the canvas fits it."""
        self.zoom, self.center = 1.0, (0.5, 0.5)

    def place(self, fitted: Rectangle) -> Rectangle:
        """Return the rectangle of the enlarged picture, which goes on covering its rectangle at zoom 1, `fitted`."""
        if self.unzoomed:
            return fitted
        # Whole pixels, so that squares have sharp edges and grid lines lie on them.
        width = max(round(fitted.width * self.zoom), 1)
        height = max(round(fitted.height * self.zoom), 1)
        x = _centered(fitted.x, fitted.width, width, self.center[0])
        y = _centered(fitted.y, fitted.height, height, self.center[1])
        return Rectangle(round(x), round(y), width, height)

    def magnify(self, zoom: Number, at: Point, fitted: Rectangle) -> None:
        """Set the zoom; the point `at` of the screen keeps its content, as far as the picture's edges allow."""
        # Not `place`, which is on whole pixels: over several notches their fractions would add up.
        width, height = fitted.width * self.zoom, fitted.height * self.zoom
        x = (at[0] - _centered(fitted.x, fitted.width, width, self.center[0])) / width
        y = (at[1] - _centered(fitted.y, fitted.height, height, self.center[1])) / height
        # Up and down by equal notches ends within rounding of 1, and must end at it: `unzoomed` compares exactly.
        if abs(zoom - 1) < 1e-3:
            zoom = 1.0
        self.zoom = zoom
        width, height = fitted.width * zoom, fitted.height * zoom
        self._move_to(Rectangle(at[0] - x * width, at[1] - y * height, width, height), fitted)

    def drag(self, by: Point, fitted: Rectangle) -> None:
        """Move the picture by `by` pixels of the screen, as far as its edges allow."""
        # From where it stands on the screen, so that the picture follows the pointer pixel by pixel.
        x, y, width, height = self.place(fitted)
        self._move_to(Rectangle(x + by[0], y + by[1], width, height), fitted)

    def _move_to(self, wanted: Rectangle, fitted: Rectangle) -> None:
        # Not past the edges: what is dragged further than it goes must not have to be dragged back.
        x = fitted.x + fitted.width / 2 - _within(wanted.x, fitted.x, fitted.width - wanted.width)
        y = fitted.y + fitted.height / 2 - _within(wanted.y, fitted.y, fitted.height - wanted.height)
        self.center = (x / wanted.width, y / wanted.height)


def zoom_limits(pixels: Number) -> tuple[Number, Number]:
    """Return the smallest and largest zoom of a picture whose pixels cover `pixels` of the screen's at zoom 1."""
    return min(1.0, 1 / pixels), max(1.0, MOST_PIXELS / pixels)


def _centered(start: Number, length: Number, size: Number, center: Number) -> Number:
    """Return the coordinate of a picture of `size` whose share `center` is in the middle of `length`."""
    return _within(start + length / 2 - center * size, start, length - size)


def _within(value: Number, start: Number, room: Number) -> Number:
    """Clamp `value` between `start` and `start + room`; `room` may be negative."""
    return min(max(value, min(start, start + room)), max(start, start + room))
