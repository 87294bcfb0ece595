"""The protocol between a view and a browser tab: small JSON objects up, parts of pictures and JSON objects down.

A message of a tab is checked as if a stranger had typed it: a kind from a fixed table, exactly its entries, finite
numbers within the window, known keys, short texts. Everything else is a `ProtocolError` and has no effect.

Down, a picture is a binary message: `HEADER`, then an encoded image that replaces the rectangle it names.
"""

import json
import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from easel.viewer.imgui.events import KEYS, Event, KeyChanged, PointerButton, PointerMoved, TextTyped, WheelTurned
from easel.viewer.imgui.sketch import Number

MOST_MESSAGE_BYTES = 1 << 20
MOST_TEXT = 100_000
"""Most characters that are typed, pasted or copied at once."""
LEAST_SIDE = 64
MOST_SIDE = 4096
"""Bounds of a window's sides in pixels."""
MOST_RATIO = 4.0
"""Largest ratio of a screen's pixels to a page's."""
MOST_NOTCHES = 100.0
"""Most notches of the wheel at once."""

HEADER = struct.Struct("<IHHHHHH")
"""Frame number; x, y, width and height of the part; width and height of the frame."""


class ProtocolError(ValueError):
    """A message that no page of ours sends."""


@dataclass(frozen=True, slots=True)
class Resize:
    """The tab shows `width` × `height` pixels, `ratio` of them side by side in one pixel of the page."""

    width: int
    height: int
    ratio: float


@dataclass(frozen=True, slots=True)
class Seen:
    """The frame of this number is on the screen."""

    number: int


@dataclass(frozen=True, slots=True)
class Visible:
    """The tab came into sight, or went out of it."""

    on: bool


@dataclass(frozen=True, slots=True)
class Pasted:
    """The person pastes this text."""

    text: str


@dataclass(frozen=True, slots=True)
class Steer:
    """The person of a tab that only watches wants to take over."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The person's answer to question `id`: a name to save under, or "" to give up."""

    id: int
    name: str


Message = Event | Resize | Seen | Visible | Pasted | Steer | Answer


def parse(text: str) -> Message:
    """Parse a message of a tab. ProtocolError for anything else."""
    try:
        # Python's reader would accept NaN and Infinity, which are no JSON.
        message = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("no JSON") from error
    if not isinstance(message, dict) or not isinstance(message.get("kind"), str) or message["kind"] not in _KINDS:
        raise ProtocolError("no message of a known kind")
    # Exactly its entries: one more is as wrong as one less.
    make, entries = _KINDS[message.pop("kind")]
    if message.keys() != entries.keys():
        raise ProtocolError(f"{sorted(message)} where {sorted(entries)} belong")
    return make(**{name: check(message[name]) for name, check in entries.items()})


def pack(number: int, box: tuple[int, int, int, int], size: tuple[int, int], image: bytes) -> bytes:
    """Return the binary message of part `box` = (x, y, width, height) of a frame of `size` = (width, height)."""
    # Four bytes count the frames of more than two years at 60 a second, and then begin again.
    return HEADER.pack(number % 2**32, *box, *size) + image


def unpack(message: bytes) -> tuple[int, tuple[int, int, int, int], tuple[int, int], bytes]:
    """Return (number, box, size, image) of a message of `pack`."""
    number, *box, width, height = HEADER.unpack_from(message)
    x, y, part_width, part_height = box
    return number, (x, y, part_width, part_height), (width, height), message[HEADER.size :]


def _refuse(name: str) -> Number:
    raise ProtocolError(f"{name} is no number")


def _number(least: Number, most: Number, value: Any) -> float:
    # bool is an int for Python; NaN fails the comparison with infinity as well.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < math.inf:
        raise ProtocolError("no finite number")
    # Clamped, not refused: a pointer that is dragged far outside is no mistake.
    return float(min(max(value, least), most))


def _whole(least: int, most: int, value: Any) -> int:
    return round(_number(least, most, value))


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ProtocolError("neither true nor false")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MOST_TEXT or "\0" in value:
        raise ProtocolError("no text, or too long")
    # Half a surrogate pair is no character, and Dear ImGui takes UTF-8.
    return value.encode("utf-8", "replace").decode("utf-8")


def _key(value: Any) -> str:
    # From the table only: a key's name reaches Dear ImGui.
    if not isinstance(value, str) or value not in KEYS:
        raise ProtocolError("no key")
    return value


_side = partial(_whole, LEAST_SIDE, MOST_SIDE)
_place = partial(_number, -MOST_SIDE, 2 * MOST_SIDE)  # a drag goes on outside the window
_notches = partial(_number, -MOST_NOTCHES, MOST_NOTCHES)
_KINDS: Mapping[str, tuple[Callable[..., Message], Mapping[str, Callable[[Any], Any]]]] = {
    "move": (PointerMoved, {"x": _place, "y": _place}),
    "button": (PointerButton, {"button": partial(_whole, 0, 2), "down": _truth}),
    "wheel": (WheelTurned, {"x": _notches, "y": _notches}),
    "key": (KeyChanged, {"key": _key, "down": _truth}),
    "text": (TextTyped, {"text": _text}),
    "size": (Resize, {"width": _side, "height": _side, "ratio": partial(_number, 0.5, MOST_RATIO)}),
    "seen": (Seen, {"number": partial(_whole, 0, 2**32 - 1)}),
    "visible": (Visible, {"on": _truth}),
    "paste": (Pasted, {"text": _text}),
    "steer": (Steer, {}),
    "answer": (Answer, {"id": partial(_whole, 0, 2**31), "name": _text}),
}
"""Message class by kind, with a check for each of its entries."""
