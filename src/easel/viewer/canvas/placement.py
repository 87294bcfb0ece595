"""Where the canvases of a panel stand: laid out before anybody knows what they will show, settled when it is drawn."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from jaxtyping import Shaped
from torch import Tensor

from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.overlay import draw_overlay
from easel.viewer.canvas.pointer_input import move_loupe, pointer, share_cursor
from easel.viewer.imgui.layout import Rectangle, fit, native, overlap
from easel.viewer.imgui.sketch import Number
from easel.viewer.imgui.toolkit import imgui

FIRST_TEXTURE_ID = 1 << 30
"""Draw lists name canvases by numbers from here on, far above any texture's; a backend puts textures there."""
LEAST_PIXELS = 48.0
"""A fit canvas is never lower than this; a panel with too much in it scrolls."""

Look = Callable[[Canvas], Shaped[Tensor, "h w c"] | None]


@dataclass
class Placement:
    """A canvas that is seen in this frame: the room it has, and where its picture stands in the draw list."""

    canvas: Canvas
    room: Rectangle
    look: Callable[[], Shaped[Tensor, "h w c"] | None]
    """The content now; None when unbound, or when a bound function failed (its panel tells)."""
    texture_id: int
    draw_list: "imgui.ImDrawList | None" = None
    """None for a picture that fills its room whatever its size: nothing is left to settle."""
    first_vertex: int = 0

    def settle(self) -> tuple[Rectangle, Rectangle]:
        """Give the picture the place that its size asks for, which may have changed since the frame was laid out.

        Returns where the whole picture stands, and the part of that which is seen.
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
        vertices, (x, y, width, height) = self.draw_list.vtx_buffer, visible
        for index, (across, down) in enumerate(((0, 0), (1, 0), (1, 1), (0, 1)), self.first_vertex):
            corner = x + across * width, y + down * height
            vertices[index].pos = imgui.ImVec2(*corner)
            u, v = (corner[0] - source.x) / source.width, (corner[1] - source.y) / source.height
            vertices[index].uv = imgui.ImVec2(u, v)
        return picture, visible


def stand(canvas: Canvas, room: Rectangle) -> tuple[Rectangle, Rectangle]:
    """Where a canvas's picture stands in `room`, and the part of that which is seen under its loupe."""
    rest, frame = _rest(canvas, room)
    picture = canvas.loupe.place(rest)
    return picture, rest if canvas.loupe.unzoomed else overlap(picture, frame)


def _rest(canvas: Canvas, room: Rectangle) -> tuple[Rectangle, Rectangle]:
    """Where the picture stands by itself, and through what it is seen when it is larger."""
    if canvas.size is None:
        return room, room
    if canvas.fit:
        return fit(canvas.size, room), room
    rest = native(canvas.size, room)
    return rest, Rectangle(room.x, room.y, max(room.width, rest.width), rest.height)


def place_canvases(canvases: Iterable[Canvas], below: Number, look: Look, placements: list[Placement]) -> None:
    """Lay out the canvases of the window that is begun, and add those that are seen to `placements`.

    Fit canvases share the height that remains above `below` pixels of widgets; the others take their own.
    """
    shown = [canvas for canvas in canvases if _is_bound(canvas)]
    for canvas in shown:
        if canvas.size is None:
            look(canvas)  # a function: where its picture stands, and what the pointer is on, its size decides
    gap = imgui.get_style().item_spacing.y
    native_heights = [canvas.size[0] for canvas in shown if canvas.size and not canvas.fit]
    free = imgui.get_content_region_avail().y - below - sum(native_heights) - gap * (len(shown) - (not below))
    share = max(free / max(len(shown) - len(native_heights), 1), LEAST_PIXELS)
    for number, canvas in enumerate(shown, 1):
        _place(canvas, share, gap if below or number < len(shown) else 0.0, look, placements)
        canvas.point_at(pointer(), imgui.is_item_hovered())
        share_cursor(canvas)


def _is_bound(canvas: Canvas) -> bool:
    """Whether there is something to place; if not, the panel says so."""
    if not canvas.bound:
        canvas.point_at(None)
        imgui.text_unformatted(f"[Canvas {canvas.name!r}: no tensor bound]")
    return canvas.bound


def _place(canvas: Canvas, share: Number, gap: Number, look: Look, placements: list[Placement]) -> None:
    at = imgui.get_cursor_screen_pos()
    room = Rectangle(at.x, at.y, max(imgui.get_content_region_avail().x, 1.0), share)
    rest, _ = _rest(canvas, room)
    move_loupe(canvas, rest, *stand(canvas, room))
    picture, visible = stand(canvas, room)
    imgui.dummy(imgui.ImVec2(room.width, (share if canvas.fit else rest.height) + gap))
    below = imgui.ImVec2(at.x, imgui.get_item_rect_max().y)
    imgui.set_cursor_screen_pos(imgui.ImVec2(visible.x, visible.y))
    draw_list = imgui.get_window_draw_list()
    texture_id, first_vertex = FIRST_TEXTURE_ID + len(placements), draw_list.vtx_buffer.size()
    imgui.image(imgui.ImTextureRef(texture_id), imgui.ImVec2(visible.width, visible.height))
    # Out of sight, Dear ImGui draws nothing, and then nothing is uploaded either.
    if draw_list.vtx_buffer.size() > first_vertex:
        canvas.rectangle = picture
        placements.append(Placement(canvas, room, partial(look, canvas), texture_id, draw_list, first_vertex))
        draw_overlay(canvas, picture, visible)
    imgui.set_cursor_screen_pos(below)
