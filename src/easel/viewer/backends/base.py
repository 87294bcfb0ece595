"""The contract between a view and a backend: open, poll → events, present and capture frames, close.

A backend of another toolkit needs this file alone: a frame is given as panes, pictures and rectangles. What Dear ImGui
draws lies beside that, for the backends that draw with it. `backends.select` has the table that a new backend enters.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from easel.viewer.imgui.events import Event
from easel.viewer.imgui.layout import Rectangle
from easel.viewer.imgui.questions import Dialog, Question
from easel.viewer.imgui.sketch import Number, Sketch

if TYPE_CHECKING:
    from easel.viewer.imgui.context import UI

MOST_PIXELS = 16_384
"""Largest side of a window: graphics drivers of today can draw at least that."""


class BackendUnavailableError(RuntimeError):
    """This backend cannot run here; the message is the reason in one line."""


class Standing(NamedTuple):
    """The place of a picture, in window pixels."""

    whole: Rectangle
    visible: Rectangle
    """The part that is seen."""
    nearest: bool
    """True to show every pixel as a square, False to filter."""


@dataclass(frozen=True)
class Picture:
    """A picture of a frame. Call `look` before the other functions: its size may be unknown until then."""

    name: str
    look: Callable[[], Shaped[Tensor, "h w c"] | None]
    """Returns what it shows now, display-referred in [0, 1] or uint8; None where nothing is bound."""
    stand: Callable[[Rectangle], Standing]
    """Takes its place in a room."""
    caption: Callable[[], str]
    """Returns the text for its lower left corner; "" for none."""
    room: Rectangle | None = None
    """Its room; None where the backend stacks pictures above the widgets of a pane."""


@dataclass(frozen=True)
class Pane:
    """A rectangle of a frame: pictures, and widgets below them. A pane without a title is a bare window."""

    title: str
    rectangle: Rectangle
    pictures: Sequence[Picture]
    widgets: Sequence[Sketch]


@dataclass(frozen=True)
class Frame:
    """A complete frame."""

    panes: Callable[[tuple[int, int]], Sequence[Pane]]
    """Returns what a window of (width, height) shows, as it is now."""
    # Any: what these are is known to the canvases and to the renderer, and is none of another toolkit's business.
    placements: Sequence[Any] = ()
    """The `Placement`s of the canvases that are seen, in the draw lists of the current Dear ImGui context."""
    numbered: Sequence[Any] = ()
    """The `Placement`s of pictures that the program itself draws by number, wherever it likes."""
    drawings: Sequence[Any] = ()
    """The `Drawing`s: what OpenGL draws by itself."""


def enlarged(width: int, height: int, scale: float) -> tuple[int, int]:
    """Return `width` × `height` times `scale`, as far as a driver can draw it."""
    # Clamped, not refused: a large window on a dense screen is a wish, and a smaller one still shows everything.
    return min(round(width * scale), MOST_PIXELS), min(round(height * scale), MOST_PIXELS)


class Backend(ABC):
    """One way of showing a view. Between `prepare` and `present`, the view draws a frame on `ui` if there is one."""

    name: ClassVar[str]
    interactive: ClassVar[bool] = False
    """A person sits in front of it, whose layout is saved and whose desktop has dialogs."""

    ui: "UI | None" = None
    """The Dear ImGui context of the widgets; None where they only hold values."""
    size: tuple[int, int]
    """(width, height) in pixels."""
    scale: float = 1.0
    """Pixels per pixel of a plain 96 dpi monitor."""
    address: str = ""
    """Address for a browser, as good as a key to the view; "" where none shows it."""

    @abstractmethod
    def open(self, title: str, width: int, height: int, scale: Number | None = None) -> None:
        """Get ready to show frames of `width` × `height`, each times `scale`; None is the monitor's own scale.

        Raises BackendUnavailableError where that cannot work; `close` is called then, too.
        """

    def set_vsync(self, on: bool) -> None:  # noqa: B027  most backends have no screen to wait for
        """Draw every frame and let `present` wait for the screen; off at first, when nothing ever waits for it."""

    def poll(self) -> list[Event]:
        """Return what happened since the last call; the widgets of `ui` know of it already."""
        return []

    def prepare(self, seconds: float) -> None:
        """Tell `ui`, and the graphics driver, that a frame begins, `seconds` after the last one."""
        assert self.ui is not None
        self.ui.activate()
        self.ui.prepare(self.size, seconds)

    def due(self) -> bool:
        """Return True when somebody looks and a frame may be drawn for them now."""
        return False

    def wait(self, seconds: float) -> None:
        """Sleep until something happens, at most `seconds`."""
        # A negative time is a frame that took longer than it may.
        time.sleep(max(seconds, 0.0))

    def present(self, frame: Frame) -> None:  # noqa: B027  nobody looks
        """Draw `frame` for those who look."""

    def ask(self, question: Question) -> Dialog | str:
        """Open the person's own file dialog, or return the reason why there is none."""
        # Not an error: `Dialogs` then draws a file browser of our own in the window.
        return f"nobody sits in front of a window in backend {self.name}"

    def hand_out(self, path: Path) -> None:  # noqa: B027  who shares our disk has the file already
        """Give the person a file that the program has written."""

    def share(self, height: int, width: int, channels: int, device: torch.device) -> Tensor | None:
        """Return a zero-filled float32 tensor in memory that this backend draws from; None where there is none such.

        The tensor may outlive the backend, which then keeps the graphics driver's context until the program ends.
        """
        return None

    @abstractmethod
    def capture(self, frame: Frame) -> Float[Tensor, "h w 3"]:
        """Return `frame` as a picture in [0, 1], top row first."""

    @abstractmethod
    def close(self) -> None:
        """Give everything back; idempotent, also after a failed `open`."""
