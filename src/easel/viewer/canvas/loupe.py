"""The loupe: which part of a picture is seen, and the hand that moves it.

The wheel zooms about the pointer; the middle button, or the left one with Space, drags; a double click with Space or
the key 0 shows the whole picture again, 1 one tensor pixel per screen pixel, and Ctrl+H the histogram. Where two
pictures are compared, a drag with Shift chooses the part that the numbers are of. Other drags are the program's.
"""

from dataclasses import dataclass

from easel.viewer.imgui.layout import Rectangle
from easel.viewer.imgui.sketch import Number

NOTCH = 2 ** (1 / 4)
"""How much larger everything is after a notch of the wheel."""
MOST_PIXELS = 256.0
"""Of the screen, for one of the tensor."""

Point = tuple[Number, Number]


@dataclass(eq=False)
class Loupe:
    """The part of a picture that is seen, in shares of the picture: canvases of any size can share one."""

    zoom: Number = 1.0
    """1: as the canvas shows the picture by itself."""
    center: Point = (0.5, 0.5)
    """What is in the middle, as a share of the picture's width and height."""
    cursor: Point | None = None
    """Where the pointer is on one of the canvases, as such a share."""
    owner: object = None
    """The canvas that the pointer is on."""

    @property
    def unzoomed(self) -> bool:
        return self.zoom == 1.0

    def rest(self) -> None:
        """Show the picture as the canvas does by itself."""
        self.zoom, self.center = 1.0, (0.5, 0.5)

    def place(self, rest: Rectangle) -> Rectangle:
        """Where a picture stands, enlarged, that stands at `rest` by itself: it goes on covering that."""
        if self.unzoomed:
            return rest
        width, height = max(round(rest.width * self.zoom), 1), max(round(rest.height * self.zoom), 1)
        x = _along(rest.x, rest.width, width, self.center[0])
        y = _along(rest.y, rest.height, height, self.center[1])
        return Rectangle(round(x), round(y), width, height)

    def magnify(self, zoom: Number, at: Point, rest: Rectangle) -> None:
        """Zoom; what is at the point `at` of the screen stays there, as far as the picture's edges allow."""
        # Not `place`, which is on whole pixels: over several notches their fractions would add up.
        width, height = rest.width * self.zoom, rest.height * self.zoom
        x = (at[0] - _along(rest.x, rest.width, width, self.center[0])) / width
        y = (at[1] - _along(rest.y, rest.height, height, self.center[1])) / height
        self.zoom = 1.0 if abs(zoom - 1) < 1e-3 else zoom
        width, height = rest.width * self.zoom, rest.height * self.zoom
        self._settle(Rectangle(at[0] - x * width, at[1] - y * height, width, height), rest)

    def drag(self, by: Point, rest: Rectangle) -> None:
        """Move the picture by so many pixels of the screen, as far as its edges allow."""
        x, y, width, height = self.place(rest)
        self._settle(Rectangle(x + by[0], y + by[1], width, height), rest)

    def _settle(self, wanted: Rectangle, rest: Rectangle) -> None:
        # Not past the edges: what is dragged further than it goes must not have to be dragged back.
        x = _within(wanted.x, rest.x, rest.width - wanted.width)
        y = _within(wanted.y, rest.y, rest.height - wanted.height)
        self.center = (
            (rest.x + rest.width / 2 - x) / wanted.width,
            (rest.y + rest.height / 2 - y) / wanted.height,
        )


def zoom_limits(pixels: Number) -> tuple[Number, Number]:
    """How far a picture zooms out and in whose pixels cover `pixels` of the screen's by itself."""
    return min(1.0, 1 / pixels), max(1.0, MOST_PIXELS / pixels)


def _along(start: Number, length: Number, size: Number, center: Number) -> Number:
    """One coordinate of a picture of `size` with its share `center` in the middle of `length`."""
    return _within(start + length / 2 - center * size, start, length - size)


def _within(value: Number, start: Number, room: Number) -> Number:
    """`value`, or the nearest that is between `start` and `start + room`; `room` may be negative."""
    return min(max(value, min(start, start + room)), max(start, start + room))
