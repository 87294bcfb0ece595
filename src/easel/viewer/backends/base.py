"""The contract between a view and what shows it: open, poll → events, present, close."""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from easel.viewer.canvas.drawing import Drawing
from easel.viewer.canvas.placement import Placement
from easel.viewer.imgui.context import UI
from easel.viewer.imgui.dialogs import Dialog, Question
from easel.viewer.imgui.events import Event
from easel.viewer.imgui.layout import Area
from easel.viewer.imgui.sketch import Number
from easel.viewer.panels.panel import Panel

MOST_PIXELS = 16_384
"""Of a window each way: what graphics drivers can draw at least on today's machines."""


class BackendUnavailableError(RuntimeError):
    """This backend cannot run here; the message is the reason in one line."""


@dataclass(frozen=True)
class Frame:
    """A frame that is complete: what must be drawn of it, and where."""

    placements: Sequence[Placement]
    """The canvases that are seen; their draw lists lie in the current Dear ImGui context."""
    area: Area
    panels: Mapping[str, Panel]
    numbered: Sequence[Placement] = ()
    """Pictures that the program itself draws by number, wherever it likes."""
    drawings: Sequence[Drawing] = ()
    """What OpenGL draws by itself."""


def enlarged(width: int, height: int, scale: float) -> tuple[int, int]:
    """`width` x `height` at `scale`, as far as a driver can draw it."""
    return min(round(width * scale), MOST_PIXELS), min(round(height * scale), MOST_PIXELS)


class Backend(ABC):
    """One way of showing a view. A frame is begun by the view on `ui`, when there is one, after `prepare`."""

    name: ClassVar[str]
    interactive: ClassVar[bool] = False
    """A person sits in front of it, who arranges panels for the next time and whose desktop has dialogs."""

    ui: UI | None = None
    """None where Dear ImGui cannot load."""
    size: tuple[int, int]
    """(width, height) in pixels."""
    scale: float = 1.0
    """Pixels per pixel of a plain 96 dpi monitor."""

    @property
    def address(self) -> str:
        """Where a browser finds it; "" where none does."""
        return ""

    @abstractmethod
    def open(self, title: str, width: int, height: int, scale: Number | None = None) -> None:
        """Get ready to show frames of `width` x `height`, each times `scale`; None is the monitor's own scale.

        Raises `BackendUnavailableError` where that cannot work, and can be closed then.
        """

    def set_vsync(self, on: bool) -> None:  # noqa: B027  most backends have no screen to wait for
        """Draw every frame and let `present` wait for the screen; off at first, when nothing ever waits for it."""

    def poll(self) -> list[Event]:
        """What happened since the last call; the widgets of `ui` know of it already."""
        return []

    def prepare(self, seconds: float) -> None:
        """Tell `ui`, and the graphics driver, that a frame begins, `seconds` after the last one."""
        assert self.ui is not None
        self.ui.activate()
        self.ui.prepare(self.size, seconds)

    def due(self) -> bool:
        """Whether somebody looks and a frame may be drawn for them now."""
        return False

    def wait(self, seconds: float) -> None:
        """Sleep until something happens, at most `seconds`."""
        time.sleep(max(seconds, 0.0))

    def present(self, frame: Frame) -> None:  # noqa: B027  nobody looks
        """Draw `frame` for those who look."""

    def ask(self, question: Question) -> Dialog | str:
        """Ask the person in front of it for a file, with what their desktop has; or why that is impossible."""
        return f"nobody sits in front of a window in backend {self.name}"

    def hand_out(self, path: Path) -> None:  # noqa: B027  who shares our disk has the file already
        """Give the person a file that the program has written."""

    def share(self, height: int, width: int, channels: int, device: torch.device) -> Tensor | None:
        """A zero-filled float32 tensor in memory that this backend draws from; None where it has none such.

        The tensor may outlive the backend, which then keeps the graphics driver's context until the program ends.
        """
        return None

    @abstractmethod
    def capture(self, frame: Frame) -> Float[Tensor, "h w 3"]:
        """`frame` as a picture."""

    @abstractmethod
    def close(self) -> None:
        """Give everything back; idempotent, also after a failed `open`."""
