"""Placement of canvases in a panel, and of other drawings: laid out with the widgets, settled when they are drawn."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from jaxtyping import Shaped
from torch import Tensor

from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.histogram_plot import draw_histogram
from easel.viewer.canvas.overlay import draw_overlay
from easel.viewer.canvas.pointer_input import pointer, share_cursor, zoom_and_pan
from easel.viewer.imgui.layout import Rectangle, fit, native, overlap
from easel.viewer.imgui.sketch import Number
from easel.viewer.imgui.toolkit import imgui

if TYPE_CHECKING:
    import moderngl

FIRST_TEXTURE_ID = 1 << 30
"""First of the numbers by which draw lists name canvases, far above any texture's; a backend puts textures there."""
FIRST_DRAWING_ID = FIRST_TEXTURE_ID // 4
"""First of the numbers by which draw lists name the drawings of a frame."""
LEAST_PIXELS = 48.0
"""Least height of a fit canvas; a panel with too much in it scrolls."""

Look = Callable[[Canvas], Shaped[Tensor, "h w c"] | None]


@runtime_checkable
class Renderer(Protocol):
    """Draws a subject in one OpenGL context, which is current in every call."""

    def draw(self, subject: Any, size: tuple[int, int], /) -> "moderngl.Texture":
        """Return `subject` as it is now, at `size` = (height, width); the first row is at the bottom, as in OpenGL."""
        ...

    def release(self) -> None: ...


@runtime_checkable
class Subject(Protocol):
    """An object that OpenGL draws by itself where a canvas would show a tensor."""

    def renderer(self, context: Any) -> Renderer:
        """Return its renderer in `context`, which must not hold on to it: it is released when the subject is gone."""
        ...


@dataclass(frozen=True)
class Drawing:
    """A subject visible in this frame, and the (height, width) at which it is shown."""

    subject: Subject
    size: tuple[int, int]
    texture_id: int


@dataclass
class Placement:
    """A canvas visible in this frame: its room, and its rectangle in the draw list."""

    canvas: Canvas
    room: Rectangle
    look: Callable[[], Shaped[Tensor, "h w c"] | None]
    """Returns the picture now; None when unbound, or when a bound function failed (its panel tells)."""
    texture_id: int
    draw_list: "imgui.ImDrawList | None" = None
    """None for a picture that fills its room whatever its size: nothing is left to settle."""
    first_vertex: int = 0

    def settle(self) -> tuple[Rectangle, Rectangle]:
        """Give the picture the rectangle that its size asks for, which may have changed since the layout.

        Returns the rectangles of the whole picture and of its visible part.
        """
        canvas = self.canvas
        if self.draw_list is None:
            canvas.rectangle = self.room
            return self.room, self.room
        assert canvas.size is not None
        picture, visible = stand(canvas, self.room)
        canvas.rectangle = picture
        # Enlarged to squares, a texture holds no more than what is seen.
        source = visible if canvas.squares else picture
        vertices = self.draw_list.vtx_buffer
        # The four corners in the order in which the library has written its rectangle.
        for index, (across, down) in enumerate(((0, 0), (1, 0), (1, 1), (0, 1)), self.first_vertex):
            x = visible.x + across * visible.width
            y = visible.y + down * visible.height
            vertices[index].pos = imgui.ImVec2(x, y)
            vertices[index].uv = imgui.ImVec2((x - source.x) / source.width, (y - source.y) / source.height)
        return picture, visible


def stand(canvas: Canvas, room: Rectangle) -> tuple[Rectangle, Rectangle]:
    """Return the rectangles of a canvas's whole picture in `room`, under its loupe, and of its visible part."""
    fitted, frame = _fitted(canvas, room)
    picture = canvas.loupe.place(fitted)
    return picture, fitted if canvas.loupe.unzoomed else overlap(picture, frame)


def _fitted(canvas: Canvas, room: Rectangle) -> tuple[Rectangle, Rectangle]:
    """Return the picture's rectangle without zoom, and the frame through which it is seen when it is larger."""
    if canvas.size is None:
        return room, room
    if canvas.fit:
        return fit(canvas.size, room), room
    fitted = native(canvas.size, room)
    return fitted, Rectangle(room.x, room.y, max(room.width, fitted.width), fitted.height)


def place_canvases(canvases: Iterable[Canvas], below: Number, look: Look, placements: list[Placement]) -> None:
    """Lay out the canvases of the window that is begun, and add the visible ones to `placements`.

    Fit canvases share the height that remains above `below` pixels of widgets; the others take their own.
    """
    shown = [canvas for canvas in canvases if _is_bound(canvas)]
    for canvas in shown:
        if canvas.size is None:
            look(canvas)  # a function: its picture's rectangle, and so the pixel under the pointer, need its size
    gap = imgui.get_style().item_spacing.y
    native_heights = [canvas.size[0] for canvas in shown if canvas.size and not canvas.fit]
    # Gaps stand between items only: one fewer where no widget follows.
    free = imgui.get_content_region_avail().y - below - sum(native_heights) - gap * (len(shown) - (not below))
    share = max(free / max(len(shown) - len(native_heights), 1), LEAST_PIXELS)
    for number, canvas in enumerate(shown, 1):
        _place(canvas, share, gap * bool(below or number < len(shown)), look, placements)
        # The last item is the picture: `draw_overlay` draws none, and the histogram in a window of its own.
        canvas.point_at(pointer(), imgui.is_item_hovered())
        share_cursor(canvas)


def _is_bound(canvas: Canvas) -> bool:
    """Return True if there is a picture to place; if not, write so into the panel."""
    if not canvas.bound:
        canvas.point_at(None)
        imgui.text_unformatted(f"[Canvas {canvas.name!r}: no tensor bound]")
    return canvas.bound


def _place(canvas: Canvas, share: Number, gap: Number, look: Look, placements: list[Placement]) -> None:
    at = imgui.get_cursor_screen_pos()
    room = Rectangle(at.x, at.y, max(imgui.get_content_region_avail().x, 1.0), share)
    fitted, _ = _fitted(canvas, room)
    zoom_and_pan(canvas, fitted, *stand(canvas, room))
    # Again, as the pointer may just have moved it: the frame shows what the hand does now.
    picture, visible = stand(canvas, room)
    imgui.dummy(imgui.ImVec2(room.width, (share if canvas.fit else fitted.height) + gap))
    # The room is one item; the picture is drawn back into it, and the widgets go on below.
    below = imgui.ImVec2(at.x, imgui.get_item_rect_max().y)
    imgui.set_cursor_screen_pos(imgui.ImVec2(visible.x, visible.y))
    draw_list = imgui.get_window_draw_list()
    # A number in place of a texture: which one it will be is known when the frame is drawn.
    texture_id = FIRST_TEXTURE_ID + len(placements)
    first_vertex = draw_list.vtx_buffer.size()
    imgui.image(imgui.ImTextureRef(texture_id), imgui.ImVec2(visible.width, visible.height))
    # Out of sight, Dear ImGui draws nothing, and then nothing is uploaded either.
    if draw_list.vtx_buffer.size() > first_vertex:
        canvas.rectangle = picture
        placements.append(Placement(canvas, room, partial(look, canvas), texture_id, draw_list, first_vertex))
        draw_overlay(canvas, picture, visible)
        draw_histogram(canvas, visible)
    imgui.set_cursor_screen_pos(below)
