"""What a view and its panels share: the frame they are in and what of it must be drawn."""

from collections.abc import Callable
from dataclasses import dataclass, field

from jaxtyping import Shaped
from torch import Tensor

from easel.viewer.canvas import Canvas
from easel.viewer.context import UI
from easel.viewer.dialogs import Dialogs
from easel.viewer.layout import Rectangle, fit, native
from easel.viewer.toolkit import imgui


@dataclass
class Placement:
    """A canvas that is seen in this frame: the room it has, and where its picture stands in the draw list."""

    canvas: Canvas
    room: Rectangle
    look: Callable[[], Shaped[Tensor, "h w c"] | None]
    """The content now; None when unbound, or when a bound function failed (its panel tells)."""
    texture_id: int
    draw_list: "imgui.ImDrawList"
    first_vertex: int

    def settle(self) -> Rectangle:
        """Give the picture the place that its size asks for, which may have changed since the frame was laid out."""
        canvas = self.canvas
        assert canvas.size is not None
        target = (fit if canvas.fit else native)(canvas.size, self.room)
        if target != canvas.rectangle:
            left, top, right, bottom = target.x, target.y, target.x + target.width, target.y + target.height
            corners = ((left, top), (right, top), (right, bottom), (left, bottom))
            for index, (x, y) in enumerate(corners, self.first_vertex):
                self.draw_list.vtx_buffer[index].pos = imgui.ImVec2(x, y)
            canvas.rectangle = target
        return target


@dataclass
class Turn:
    """One frame after another; there is one of these per view."""

    ui: UI | None
    """None where Dear ImGui cannot load: widgets then hand out what they hold."""
    dialogs: Dialogs
    strict: bool = False
    index: int = 0
    """Frames begun so far."""
    running: bool = False
    """Between `step` and `end_step`."""
    layout_reset: bool = False
    """Somebody wants the panels back where the program placed them."""
    placements: list[Placement] = field(default_factory=list)

    @property
    def drawing(self) -> bool:
        """Whether a widget called now can draw itself."""
        return self.running and self.ui is not None
