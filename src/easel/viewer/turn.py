"""What a view and its panels share: the frame they are in and what of it must be drawn."""

from dataclasses import dataclass, field

from easel.viewer.canvas import Share
from easel.viewer.context import UI
from easel.viewer.dialogs import Dialogs
from easel.viewer.history import Timeline
from easel.viewer.placement import Placement


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
    timeline: Timeline = field(default_factory=Timeline)
    placements: list[Placement] = field(default_factory=list)

    @property
    def drawing(self) -> bool:
        """Whether a widget called now can draw itself."""
        return self.running and self.ui is not None
