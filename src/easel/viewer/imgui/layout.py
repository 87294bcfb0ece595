"""Arithmetic of rectangles: panels that tile a window, pictures that fit an area.

Pure functions, so that a docked window and a contact sheet drawn without OpenGL agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from easel.viewer.imgui.sketch import Number

SIDES = ("left", "right", "top", "bottom")
DEFAULT_SHARE = 0.2
"""Share of the remaining space that a sided panel takes when its `width` is 0."""
Point = tuple[Number, Number]
"""x and y."""


class Rectangle(NamedTuple):
    """Left, top, width and height in pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class PanelPlace:
    """The place that a panel asked for: `width` is its share, in (0, 1), of what remains along its side's axis."""

    panel: str
    side: str | None = None
    width: Number = 0.0

    def share(self, usual: Number) -> Number:
        """Return the share that was asked for, or `usual` where that is none."""
        return self.width if 0 < self.width < 1 else usual


@dataclass(frozen=True)
class Split:
    """An area cut in two: `first` lies at `side` and takes `share` of it, `rest` the remainder."""

    side: str
    share: Number
    first: "Area"
    rest: "Area"


Area = Split | str | None
"""A cut, the name of the panel that fills the area, or None for an empty area."""


def arrange(places: Sequence[PanelPlace]) -> Area:
    """Return the cuts that give every panel its place.

    Sided panels are cut off what remains, in the order of their creation, so earlier ones keep the full length. Panels
    without a side share what is left: one fills it, several stand above each other with equal heights.
    """
    area = _stack([place.panel for place in places if place.side is None])
    # From the inside out: the first panel cuts the whole window, so its split is made last.
    for place in reversed(places):
        if place.side is not None:
            area = Split(place.side, place.share(DEFAULT_SHARE), place.panel, area)
    return area


def _stack(panels: list[str]) -> Area:
    if len(panels) < 2:
        return panels[0] if panels else None
    # 1/n of n, then 1/(n-1) of the rest: all end up equally high.
    return Split("top", 1 / len(panels), panels[0], _stack(panels[1:]))


def insert(area: Area, place: PanelPlace, neighbour: str | None) -> Area:
    """Return `area` with one more panel: at its own side of `neighbour` or below it; in the middle without one."""
    if area is None or area == neighbour or (neighbour is None and isinstance(area, str)):
        # A panel that names no side shares the place equally with the one that it is put below.
        share = place.share(DEFAULT_SHARE if place.side else 0.5)
        return Split(place.side or "bottom", share, place.panel, area)
    if isinstance(area, str):
        return area
    # Down the side that holds the neighbour, so that all other panels keep their rectangles.
    if neighbour in panels(area.first):
        return Split(area.side, area.share, insert(area.first, place, neighbour), area.rest)
    return Split(area.side, area.share, area.first, insert(area.rest, place, neighbour))


def panels(area: Area) -> list[str]:
    """Return the names of the panels in an area."""
    if isinstance(area, Split):
        return panels(area.first) + panels(area.rest)
    return [] if area is None else [area]


def rectangles(area: Area, room: Rectangle) -> dict[str, Rectangle]:
    """Return the rectangle of every panel when `area` fills `room`."""
    if area is None:
        return {}
    if isinstance(area, str):
        return {area: room}
    first, rest = cut(room, area.side, area.share)
    return rectangles(area.first, first) | rectangles(area.rest, rest)


def cut(room: Rectangle, side: str, share: Number) -> tuple[Rectangle, Rectangle]:
    """Return the part of `room` at `side` that takes `share` of it, and the rest."""
    # What is left, not a second share: two products need not add up to the whole.
    x, y, width, height = room
    part, rest = width * share, width - width * share
    if side == "left":
        return Rectangle(x, y, part, height), Rectangle(x + part, y, rest, height)
    if side == "right":
        return Rectangle(x + rest, y, part, height), Rectangle(x, y, rest, height)
    part, rest = height * share, height - height * share
    if side == "top":
        return Rectangle(x, y, width, part), Rectangle(x, y + part, width, rest)
    return Rectangle(x, y + rest, width, part), Rectangle(x, y, width, rest)


def fit(size: tuple[int, int], room: Rectangle) -> Rectangle:
    """Return the largest rectangle of a picture's aspect ratio, centred in `room`; `size` is (height, width)."""
    height, width = size
    # The side that is scarcer decides; the other keeps free margins.
    scale = min(room.width / width, room.height / height)
    shown_width, shown_height = (max(round(length * scale), 1) for length in (width, height))
    # Whole pixels: a picture that starts between two of them is blurred, even at 1:1.
    x = round(room.x + (room.width - shown_width) / 2)
    y = round(room.y + (room.height - shown_height) / 2)
    return Rectangle(x, y, shown_width, shown_height)


def native(size: tuple[int, int], room: Rectangle) -> Rectangle:
    """Return one screen pixel per picture pixel, from the top left corner of `room`; `size` is (height, width)."""
    return Rectangle(round(room.x), round(room.y), size[1], size[0])


def overlap(a: Rectangle, b: Rectangle) -> Rectangle:
    """Return the intersection of two rectangles; its width or height is 0 where they do not meet."""
    x, y = max(a.x, b.x), max(a.y, b.y)
    right = min(a.x + a.width, b.x + b.width)
    bottom = min(a.y + a.height, b.y + b.height)
    return Rectangle(x, y, max(right - x, 0), max(bottom - y, 0))
