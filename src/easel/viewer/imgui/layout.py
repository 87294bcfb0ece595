"""Sides and shares → rectangles: pure arithmetic, so that a docked window and a picture without GL agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from easel.viewer.imgui.sketch import Number

SIDES = ("left", "right", "top", "bottom")
DEFAULT_SHARE = 0.2
"""What a sided panel takes of the space that remains when its `width` is 0."""


class Rectangle(NamedTuple):
    """Left, top, width and height in pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class PanelPlace:
    """Where a panel asked to be: `width` is its share, in (0, 1), of what remains along the axis of its side."""

    panel: str
    side: str | None = None
    width: Number = 0.0


@dataclass(frozen=True)
class Split:
    """An area cut in two: `first` lies at `side` and takes `share` of it, `rest` the remainder."""

    side: str
    share: Number
    first: "Area"
    rest: "Area"


Area = Split | str | None
"""A cut, a panel that fills the area, or nothing."""


def arrange(places: Sequence[PanelPlace]) -> Area:
    """The cuts that give every panel its place.

    Sided panels are cut off what remains, in the order of their creation, so earlier ones keep the full length. Panels
    without a side share what is left: one fills it, several stand above each other with equal heights.
    """
    sided = [place for place in places if place.side is not None]
    area = _stack([place.panel for place in places if place.side is None])
    for place in reversed(sided):
        assert place.side is not None
        area = Split(place.side, place.width if 0 < place.width < 1 else DEFAULT_SHARE, place.panel, area)
    return area


def _stack(panels: list[str]) -> Area:
    if len(panels) < 2:
        return panels[0] if panels else None
    return Split("top", 1 / len(panels), panels[0], _stack(panels[1:]))


def insert(area: Area, place: PanelPlace, neighbour: str | None) -> Area:
    """`area` with one panel more: beside `neighbour`, at its own side or below, or in the middle without one."""
    if area is None or area == neighbour or (neighbour is None and isinstance(area, str)):
        share = place.width if 0 < place.width < 1 else DEFAULT_SHARE if place.side else 0.5
        return Split(place.side or "bottom", share, place.panel, area)
    if isinstance(area, str):
        return area
    if neighbour in panels(area.first):
        return Split(area.side, area.share, insert(area.first, place, neighbour), area.rest)
    return Split(area.side, area.share, area.first, insert(area.rest, place, neighbour))


def panels(area: Area) -> list[str]:
    """The panels in an area."""
    if isinstance(area, Split):
        return panels(area.first) + panels(area.rest)
    return [] if area is None else [area]


def rectangles(area: Area, room: Rectangle) -> dict[str, Rectangle]:
    """The rectangle of every panel when `area` fills `room`."""
    if area is None:
        return {}
    if isinstance(area, str):
        return {area: room}
    first, rest = cut(room, area.side, area.share)
    return rectangles(area.first, first) | rectangles(area.rest, rest)


def cut(room: Rectangle, side: str, share: Number) -> tuple[Rectangle, Rectangle]:
    """The part of `room` at `side` that takes `share` of it, and the rest."""
    x, y, width, height = room
    if side in ("left", "right"):
        part = width * share
        left, right = (part, width - part) if side == "left" else (width - part, part)
        pair = Rectangle(x, y, left, height), Rectangle(x + left, y, right, height)
    else:
        part = height * share
        top, bottom = (part, height - part) if side == "top" else (height - part, part)
        pair = Rectangle(x, y, width, top), Rectangle(x, y + top, width, bottom)
    return pair if side in ("left", "top") else (pair[1], pair[0])


def fit(size: tuple[int, int], room: Rectangle) -> Rectangle:
    """The largest rectangle of a picture's own aspect, centred in `room`, on whole pixels; `size`: (height, width)."""
    height, width = size
    scale = min(room.width / width, room.height / height)
    shown_width, shown_height = max(round(width * scale), 1), max(round(height * scale), 1)
    # Whole pixels: a picture that starts between two of them is blurred, even at 1:1.
    x, y = round(room.x + (room.width - shown_width) / 2), round(room.y + (room.height - shown_height) / 2)
    return Rectangle(x, y, shown_width, shown_height)


def native(size: tuple[int, int], room: Rectangle) -> Rectangle:
    """One picture pixel per screen pixel, from the top left corner of `room`."""
    return Rectangle(round(room.x), round(room.y), size[1], size[0])


def overlap(a: Rectangle, b: Rectangle) -> Rectangle:
    """What two rectangles share; without width or height where that is nothing."""
    x, y = max(a.x, b.x), max(a.y, b.y)
    right, bottom = min(a.x + a.width, b.x + b.width), min(a.y + a.height, b.y + b.height)
    return Rectangle(x, y, max(right - x, 0), max(bottom - y, 0))
