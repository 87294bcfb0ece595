"""The state that a view shares with its panels: the frame that is open, what is placed in it, and edits to undo."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, reduce
from operator import or_
from pathlib import Path
from typing import Any

from torch import Tensor

from easel.viewer.imgui import context
from easel.viewer.imgui.context import UI
from easel.viewer.imgui.dialogs import Dialogs
from easel.viewer.imgui.edits import Edits
from easel.viewer.imgui.toolkit import imgui


@dataclass
class FrameState:
    """The current frame of one view. A step may defer its frame: a widget that needs one opens it then."""

    ui: UI | None
    """None where Dear ImGui cannot load: widgets then return the values that they hold."""
    dialogs: Dialogs
    hand_out: Callable[[Path], object]
    """`Backend.hand_out`: gives the person a file that the program has written."""
    strict: bool = False
    """Callbacks' exceptions leave the loop, for tests and scripts."""
    recording_clock: str = "frames"
    """Default clock of recordings: "wall" in a window that a person watches."""
    share: Callable[..., Tensor | None] | None = None
    """`Backend.share`: allocates tensors in memory that OpenGL draws from."""
    index: int = 0
    """Number of frames begun so far."""
    running: bool = False
    """True between `step` and `end_step`, once the frame is open."""
    layout_reset: bool = False
    """Request: put the panels back where the program placed them."""
    # Any: only canvases and renderers know `Placement`, and naming it here would stack every panel on top of them.
    placements: list[Any] = field(default_factory=list)
    """The `Placement`s of the canvases that are seen in this frame."""
    edits: Edits = field(default_factory=Edits)
    kept: dict[tuple[str, str], dict[str, object]] = field(default_factory=dict)
    """Restored widget values by (page, panel), for panels that do not exist yet."""

    _opener: Callable[[], None] | None = None

    def defer_frame(self, opener: Callable[[], None]) -> None:
        """Begin a step without a frame; `ensure_frame` calls `opener` if anything needs one."""
        self._opener = opener
        # So that `easel.ui` and `easel.show`, which know no view, can open the frame as well.
        context.frame_openers.append(self.ensure_frame)

    def ensure_frame(self) -> bool:
        """Open the deferred frame. True if there was one."""
        # Dropped before it is called: the opener draws widgets, which ask for the frame again.
        if (opener := self._opener) is None:
            return False
        self.discard_frame()
        opener()
        return True

    def discard_frame(self) -> bool:
        """Drop the deferred frame. True if there was one."""
        if self._opener is None:
            return False
        self._opener = None
        context.frame_openers.remove(self.ensure_frame)
        return True

    @property
    def deferred(self) -> bool:
        """True while this step has no frame."""
        return self._opener is not None

    @property
    def drawing(self) -> bool:
        """True while a widget that is called can draw itself."""
        return self.running and self.ui is not None

    def pressed(self, keys: str) -> bool:
        """Return True if this frame is drawn and a shortcut such as "Ctrl+Shift+Z" was pressed in it."""
        # Global: it works whatever has the focus, unless a text field takes the same keys, such as its own Ctrl+Z.
        return self.drawing and imgui.shortcut(_chord(keys), imgui.InputFlags_.route_global)


@cache
def _chord(keys: str) -> int:
    names = {"Ctrl": "mod_ctrl", "Shift": "mod_shift"} | {str(digit): f"_{digit}" for digit in range(10)}
    return reduce(or_, (getattr(imgui.Key, names.get(key, key.lower())) for key in keys.split("+")))
