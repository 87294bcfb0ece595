"""What a view and its panels share: the frame they are in and what of it must be drawn."""

from collections.abc import Callable
from dataclasses import dataclass, field

from easel.viewer.canvas.canvas import Share
from easel.viewer.canvas.placement import Placement
from easel.viewer.imgui import context
from easel.viewer.imgui.context import UI
from easel.viewer.imgui.dialogs import Dialogs
from easel.viewer.imgui.edits import Edits


@dataclass
class Turn:
    """One frame after another; there is one of these per view."""

    ui: UI | None
    """None where Dear ImGui cannot load: widgets then hand out what they hold."""
    dialogs: Dialogs
    strict: bool = False
    recording_clock: str = "frames"
    """How recordings tell time, unless they say: "wall" where a person watches."""
    share: Share | None = None
    """What makes tensors in memory that OpenGL draws from."""
    index: int = 0
    """Frames begun so far."""
    running: bool = False
    """Between `step` and `end_step`."""
    layout_reset: bool = False
    """Somebody wants the panels back where the program placed them."""
    placements: list[Placement] = field(default_factory=list)
    edits: Edits = field(default_factory=Edits)
    kept: dict[tuple[str, str], dict[str, object]] = field(default_factory=dict)
    """By page and panel, what a session has for panels that are not there yet."""

    _opener: Callable[[], None] | None = None

    def doze(self, opener: Callable[[], None]) -> None:
        """Leave this step without a frame until somebody needs one: `opener` opens it."""
        self._opener = opener
        context.frame_openers.append(self.wake)

    def wake(self) -> bool:
        """Open the frame that this step has left out so far; whether there was such a step."""
        opener, self._opener = self._opener, None
        if opener is None:
            return False
        context.frame_openers.remove(self.wake)
        opener()
        return True

    def rise(self) -> bool:
        """End a step that nobody needed a frame in; whether it was one."""
        dozed, self._opener = self._opener is not None, None
        if dozed:
            context.frame_openers.remove(self.wake)
        return dozed

    @property
    def dozing(self) -> bool:
        """This step has no frame so far."""
        return self._opener is not None

    @property
    def drawing(self) -> bool:
        """Whether a widget called now can draw itself."""
        return self.running and self.ui is not None
