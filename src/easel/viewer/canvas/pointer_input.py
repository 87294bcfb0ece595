"""The hand on a canvas: what pointer, wheel and keys do to its loupe; see `loupe` for what a person can do."""

import math

from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.loupe import NOTCH, Point, zoom_limits
from easel.viewer.imgui.layout import Rectangle
from easel.viewer.imgui.sketch import Number
from easel.viewer.imgui.toolkit import imgui

LEFT, MIDDLE = 0, 2
REACH_PIXELS = 8.0
"""How near to a wipe's line the pointer takes hold of it."""


def pointer() -> Point:
    """Where the pointer is in the window: in the middle of the pixel that it is on."""
    # +0.5: Dear ImGui tells whole pixels, and what one of them shows is what the picture has in its middle.
    at = imgui.get_mouse_pos()
    return at.x + 0.5, at.y + 0.5


def move_loupe(canvas: Canvas, rest: Rectangle, picture: Rectangle, visible: Rectangle) -> None:
    """Act on a canvas whose picture stands at `rest` by itself, now at `picture`, and is seen at `visible`."""
    loupe, io = canvas.loupe, imgui.get_io()
    right, bottom = visible.x + visible.width, visible.y + visible.height
    hovered = imgui.is_mouse_hovering_rect((visible.x, visible.y), (right, bottom)) and imgui.is_window_hovered()
    _drag_split(canvas, hovered, picture, visible)
    _drag_region(canvas, hovered, picture)
    _drag(canvas, hovered, rest)
    if not hovered or not canvas.zoomable or canvas.size is None:
        return
    # The wheel is this canvas's: the panel would scroll as well.
    imgui.internal.set_key_owner(imgui.Key.mouse_wheel_y, imgui.get_id(canvas.name))
    pixels = rest.width / canvas.size[1]
    least, most = zoom_limits(pixels)
    if io.mouse_wheel:
        zoom = min(max(loupe.zoom * NOTCH**io.mouse_wheel, least), most)
        loupe.magnify(zoom, pointer(), rest)
    # With Ctrl a digit goes to a page, and what is typed into a field is the field's.
    if not io.key_ctrl and not io.want_text_input:
        if imgui.is_key_pressed(imgui.Key._0):
            loupe.rest()
        if imgui.is_key_pressed(imgui.Key._1):
            loupe.magnify(1 / pixels, pointer(), rest)
    if io.key_ctrl and imgui.is_key_pressed(imgui.Key.h):
        canvas.histogram = canvas.histogram is None
    if imgui.is_key_down(imgui.Key.space) and imgui.is_mouse_double_clicked(LEFT):
        loupe.rest()


def share_cursor(canvas: Canvas) -> None:
    """Tell the canvases that are linked with this one where the pointer is."""
    loupe = canvas.loupe
    if canvas.mouse is not None and canvas.size is not None:
        loupe.owner, loupe.cursor = canvas, (canvas.mouse[0] / canvas.size[1], canvas.mouse[1] / canvas.size[0])
    elif loupe.owner is canvas:
        loupe.owner = loupe.cursor = None


def _drag_split(canvas: Canvas, hovered: bool, picture: Rectangle, visible: Rectangle) -> None:
    """Let a person drag the line of a wipe; out of sight, it waits at the edge."""
    comparison = canvas.comparison
    if comparison is None or comparison.mode != "wipe":
        return
    if comparison.held:
        comparison.held = imgui.is_mouse_down(LEFT)
    elif hovered and imgui.is_mouse_clicked(LEFT) and not imgui.is_key_down(imgui.Key.space):
        away = imgui.get_mouse_pos().x - split_line(comparison.split, picture, visible)
        comparison.held = abs(away) <= REACH_PIXELS * imgui.get_style().font_scale_dpi
    if comparison.held:
        canvas.grabbed = LEFT
        comparison.split = min(max((imgui.get_mouse_pos().x - picture.x) / picture.width, 0.0), 1.0)


def _drag_region(canvas: Canvas, hovered: bool, picture: Rectangle) -> None:
    """Let a person drag, with Shift, the rectangle that a comparison's numbers are of; a click gives it up."""
    comparison = canvas.comparison
    if comparison is None or canvas.size is None:
        return
    height, width = canvas.size
    x, y = pointer()
    at = (y - picture.y) / picture.height * height, (x - picture.x) / picture.width * width
    if comparison.corner is None:
        if hovered and imgui.get_io().key_shift and imgui.is_mouse_clicked(LEFT) and not comparison.held:
            comparison.corner = at
            comparison.region = None
        return
    canvas.grabbed = LEFT
    if not imgui.is_mouse_down(LEFT):
        comparison.corner = canvas.grabbed = None
        return
    rows, columns = (sorted(pair) for pair in zip(comparison.corner, at, strict=True))
    top, bottom = max(math.floor(rows[0]), 0), min(math.ceil(rows[1]), height)
    left, right = max(math.floor(columns[0]), 0), min(math.ceil(columns[1]), width)
    if bottom - top > 1 and right - left > 1:
        comparison.region = top, left, bottom, right


def split_line(split: Number, picture: Rectangle, visible: Rectangle) -> Number:
    """Where on the screen a wipe's line stands, or the edge that it is beyond."""
    return min(max(picture.x + split * picture.width, visible.x), visible.x + visible.width)


def _drag(canvas: Canvas, hovered: bool, rest: Rectangle) -> None:
    """Begin, go on with or end a drag of the picture; it goes on outside the canvas."""
    with_space = imgui.is_key_down(imgui.Key.space)
    if canvas.grabbed is None and hovered and canvas.zoomable:
        if imgui.is_mouse_clicked(MIDDLE):
            canvas.grabbed = MIDDLE
        elif with_space and imgui.is_mouse_clicked(LEFT):
            canvas.grabbed = LEFT
    elif canvas.grabbed is not None and not imgui.is_mouse_down(canvas.grabbed):
        canvas.grabbed = None
    held = canvas.comparison is not None and (canvas.comparison.held or canvas.comparison.corner is not None)
    if canvas.grabbed is not None and not held and not canvas.loupe.unzoomed:
        by: Point = (imgui.get_io().mouse_delta.x, imgui.get_io().mouse_delta.y)
        canvas.loupe.drag(by, rest)
