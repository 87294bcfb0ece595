"""Input events as plain records: the same from a window, a browser tab or a script.

Positions are in window pixels with (0, 0) at the top left corner.
"""

from dataclasses import dataclass

from easel.viewer.imgui.sketch import Number


@dataclass(frozen=True, slots=True)
class PointerMoved:
    """The pointer has moved to (x, y)."""

    x: Number
    y: Number


@dataclass(frozen=True, slots=True)
class PointerButton:
    """A button went down or up where the pointer is; 0 is left, 1 right, 2 middle."""

    button: int
    down: bool


@dataclass(frozen=True, slots=True)
class WheelTurned:
    """The wheel turned by so many notches; up and right are positive."""

    x: Number
    y: Number


@dataclass(frozen=True, slots=True)
class KeyChanged:
    """A key went down or up: "a", "7", "enter", "left", "f5", "ctrl"; see `KEYS`."""

    key: str
    down: bool


@dataclass(frozen=True, slots=True)
class TextTyped:
    """Characters as the keyboard layout or the input method composed them."""

    text: str


@dataclass(frozen=True, slots=True)
class FilesDropped:
    """Files were dropped on the window."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resized:
    """The window has a new size, or was covered and must be redrawn."""


@dataclass(frozen=True, slots=True)
class CloseAsked:
    """The window's close box was clicked."""


Event = PointerMoved | PointerButton | WheelTurned | KeyChanged | TextTyped | FilesDropped | Resized | CloseAsked

# Names rather than key codes: GLFW's, a browser's and Dear ImGui's differ, and scripts are read by people.
LETTERS = tuple("abcdefghijklmnopqrstuvwxyz")
DIGITS = tuple("0123456789")
FUNCTION_KEYS = tuple(f"f{n}" for n in range(1, 13))
MODIFIERS = ("ctrl", "shift", "alt", "super")
NAMED_KEYS = ("enter", "escape", "space", "tab", "backspace", "delete", "insert", "home", "end", "page_up", "page_down",
              "left", "right", "up", "down", "comma", "period", "left_bracket", "right_bracket")  # fmt: skip
KEYS = LETTERS + DIGITS + FUNCTION_KEYS + MODIFIERS + NAMED_KEYS
"""All names of keys that `KeyChanged` can carry."""
