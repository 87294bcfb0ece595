"""Pointer, wheel and keys on a canvas; see `loupe` for what a person can do."""

import math

from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.loupe import NOTCH, zoom_limits
from easel.viewer.canvas.strokes import in_pixels
from easel.viewer.imgui.layout import Point, Rectangle
from easel.viewer.imgui.toolkit import imgui

LEFT = 0
MIDDLE = 2
REACH_PIXELS = 8.0
"""Distance from a wipe's line within which the pointer takes hold of it."""


def pointer() -> Point:
    """Return the pointer's position in the window: the middle of the pixel that it is on."""
    # +0.5: Dear ImGui tells whole pixels, and what one of them shows is what the picture has in its middle.
    at = imgui.get_mouse_pos()
    return at.x + 0.5, at.y + 0.5


def zoom_and_pan(canvas: Canvas, fitted: Rectangle, picture: Rectangle, visible: Rectangle) -> None:
    """Act on a canvas whose picture is at `picture`, seen at `visible`, and would be at `fitted` without zoom."""
    corner = (visible.x + visible.width, visible.y + visible.height)
    hovered = imgui.is_mouse_hovering_rect((visible.x, visible.y), corner) and imgui.is_window_hovered()
    # Lines and regions lie above the picture: they take a drag before it does.
    _drag_split(canvas, hovered, picture, visible)
    _drag_region(canvas, hovered, picture)
    _drag_picture(canvas, hovered, fitted)
    if hovered and canvas.zoomable and canvas.size is not None:
        _zoom(canvas, fitted, fitted.width / canvas.size[1])


def _zoom(canvas: Canvas, fitted: Rectangle, pixel: float) -> None:
    """Act on wheel and keys; `pixel` is the size of a tensor pixel on screen without zoom."""
    loupe = canvas.loupe
    io = imgui.get_io()
    # The wheel is this canvas's: the panel would scroll as well.
    imgui.internal.set_key_owner(imgui.Key.mouse_wheel_y, imgui.get_id(canvas.name))
    if io.mouse_wheel:
        least, most = zoom_limits(pixel)
        loupe.magnify(min(max(loupe.zoom * NOTCH**io.mouse_wheel, least), most), pointer(), fitted)
    # With Ctrl a digit goes to a page, and what is typed into a field is the field's.
    if not io.key_ctrl and not io.want_text_input:
        if imgui.is_key_pressed(imgui.Key._0):
            loupe.reset()
        if imgui.is_key_pressed(imgui.Key._1):
            loupe.magnify(1 / pixel, pointer(), fitted)
    if io.key_ctrl and imgui.is_key_pressed(imgui.Key.h):
        canvas.histogram = canvas.histogram is None
    if imgui.is_key_down(imgui.Key.space) and imgui.is_mouse_double_clicked(LEFT):
        loupe.reset()


def share_cursor(canvas: Canvas) -> None:
    """Tell the canvases that are linked with this one where the pointer is."""
    # In shares of the picture: linked canvases may have other resolutions.
    loupe = canvas.loupe
    if canvas.mouse is not None and canvas.size is not None:
        loupe.owner = canvas
        loupe.cursor = (canvas.mouse[0] / canvas.size[1], canvas.mouse[1] / canvas.size[0])
    elif loupe.owner is canvas:
        loupe.owner = loupe.cursor = None


def _drag_split(canvas: Canvas, hovered: bool, picture: Rectangle, visible: Rectangle) -> None:
    """Let a person drag the line of a wipe; out of sight, it waits at the edge."""
    if (comparison := canvas.comparison) is None or comparison.mode != "wipe":
        return
    away = abs(imgui.get_mouse_pos().x - comparison.split_x(picture, visible))
    near = hovered and away <= REACH_PIXELS * imgui.get_style().font_scale_dpi
    # With Space, the left button drags the picture.
    taken = near and imgui.is_mouse_clicked(LEFT) and not imgui.is_key_down(imgui.Key.space)
    comparison.held = imgui.is_mouse_down(LEFT) and (comparison.held or taken)
    if comparison.held:
        canvas.grabbed = LEFT
        comparison.split = min(max((imgui.get_mouse_pos().x - picture.x) / picture.width, 0.0), 1.0)


def _drag_region(canvas: Canvas, hovered: bool, picture: Rectangle) -> None:
    """Let a person drag, with Shift, the rectangle that a comparison's numbers are of; a click gives it up."""
    if (comparison := canvas.comparison) is None or canvas.size is None:
        return
    column, row = in_pixels(pointer(), picture, canvas.size)
    if comparison.corner is None:
        if hovered and imgui.get_io().key_shift and imgui.is_mouse_clicked(LEFT) and not comparison.held:
            comparison.corner = (row, column)
            comparison.region = None
        return
    canvas.grabbed = LEFT
    if not imgui.is_mouse_down(LEFT):
        comparison.corner = canvas.grabbed = None
        return
    # Outwards to whole pixels: all that the rectangle touches belongs to it.
    first_row, first_column = comparison.corner
    top = max(math.floor(min(first_row, row)), 0)
    bottom = min(math.ceil(max(first_row, row)), canvas.size[0])
    left = max(math.floor(min(first_column, column)), 0)
    right = min(math.ceil(max(first_column, column)), canvas.size[1])
    if bottom - top > 1 and right - left > 1:
        comparison.region = top, left, bottom, right


def _drag_picture(canvas: Canvas, hovered: bool, fitted: Rectangle) -> None:
    """Begin, continue or end a drag of the picture; it continues outside the canvas."""
    if canvas.grabbed is None and hovered and canvas.zoomable:
        if imgui.is_mouse_clicked(MIDDLE):
            canvas.grabbed = MIDDLE
        elif imgui.is_key_down(imgui.Key.space) and imgui.is_mouse_clicked(LEFT):
            canvas.grabbed = LEFT
    elif canvas.grabbed is not None and not imgui.is_mouse_down(canvas.grabbed):
        canvas.grabbed = None
    comparison = canvas.comparison
    held = comparison is not None and (comparison.held or comparison.corner is not None)
    if canvas.grabbed is not None and not held and not canvas.loupe.unzoomed:
        moved = imgui.get_io().mouse_delta
        canvas.loupe.drag((moved.x, moved.y), fitted)
