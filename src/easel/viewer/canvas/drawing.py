"""Drawings: what OpenGL draws by itself where a canvas would show a tensor."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from easel.viewer.canvas.placement import FIRST_TEXTURE_ID

if TYPE_CHECKING:
    import moderngl

FIRST_DRAWING_ID = FIRST_TEXTURE_ID // 4
"""Draw lists name the drawings of a frame by numbers from here on."""


@runtime_checkable
class Renderer(Protocol):
    """Draws a subject in one OpenGL context, which is current in every call."""

    def draw(self, subject: Any, size: tuple[int, int], /) -> "moderngl.Texture":
        """`subject` as it is now, at `size` = (height, width); the first row is at the bottom, as OpenGL has it."""
        ...

    def release(self) -> None: ...


@runtime_checkable
class Subject(Protocol):
    """Something that can be drawn."""

    def renderer(self, context: Any) -> Renderer:
        """What draws it in `context`, and does not hold on to it: it is released when the subject is gone."""
        ...


@dataclass(frozen=True)
class Drawing:
    """A subject that is seen in this frame, and the size at which it is shown."""

    subject: Subject
    size: tuple[int, int]
    texture_id: int
