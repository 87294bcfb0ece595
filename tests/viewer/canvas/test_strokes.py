"""Painting: what is painted lies under the pointer, without gaps, whatever the panel looks like."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.strokes import Stroke
from easel.viewer.driver import Driver
from easel.viewer.imgui.events import PointerButton, PointerMoved
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.view import View

coordinates = st.floats(-300, 300)
points = st.tuples(coordinates, coordinates)


def paint_program(view: View, height: int = 64, width: int = 64, **settings) -> tuple[Canvas, Tensor]:
    """A canvas on which the left button paints single pixels and the right one erases them."""
    tensor = torch.zeros(height, width)
    panel = view.panel("Paint")
    canvas = panel.canvas("c", filter="nearest", **settings).bind(tensor)

    @panel.on_frame
    def paint() -> None:
        for stroke in canvas.strokes:
            for x, y in stroke.pixels():
                if 0 <= x < width and 0 <= y < height:
                    tensor[y, x] = 1.0 if stroke.button == 0 else 0.0

    return canvas, tensor


def painted(tensor: Tensor) -> list[list[int]]:
    """(x, y) of every pixel that is set."""
    return tensor.nonzero().flip(-1).tolist()


@given(points, points, st.booleans())
def test_pixels_are_connected_from_under_the_start_to_under_the_end(start, end, begins) -> None:
    pixels = list(Stroke(start, end, 0, begins).pixels())
    first, last = (tuple(int(v // 1) for v in point) for point in (start, end))
    whole = pixels if begins else [first, *pixels]
    assert whole[0] == first and whole[-1] == last and len(set(whole)) == len(whole)
    assert all(max(abs(x2 - x), abs(y2 - y)) == 1 for (x, y), (x2, y2) in pairwise(whole))
    length = ((last[0] - first[0]) ** 2 + (last[1] - first[1]) ** 2) ** 0.5 or 1.0
    across = ((last[0] - first[0]) * (y - first[1]) - (last[1] - first[1]) * (x - first[0]) for x, y in whole)
    assert all(abs(distance) / length <= 0.5 + 1e-9 for distance in across), "never off the straight line"


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["window", "headless", "none"])
@pytest.mark.parametrize(
    ("size", "scale", "fit"),
    [
        ((640, 480), 1, True),
        ((300, 520), 1, True),
        ((480, 300), 1.5, True),
        ((320, 240), 2, True),
        ((640, 480), 1, False),
    ],
)
def test_the_painted_pixel_is_the_one_under_the_pointer(
    open_view, request, monkeypatch, backend, size, scale, fit
) -> None:
    if backend == "window":
        monkeypatch.setenv("DISPLAY", request.getfixturevalue("xvfb"))
    elif backend == "headless":
        request.getfixturevalue("gl")
    view = open_view("Paint", *size, backend=backend, scale=scale)
    canvas, tensor = paint_program(view, 48, 64, fit=fit)
    Driver(view).frames(2)
    driver = Driver(view)
    for x, y in ((0, 0), (63, 47), (20, 7), (40, 33)):
        tensor.zero_()
        driver.stroke(canvas, [(x + 0.5, y + 0.5)])
        assert painted(tensor) == [[x, y]]
        driver.stroke(canvas, [(x + 0.5, y + 0.5)], button=1)
        assert not tensor.any(), "the right button erases it"


def test_a_script_may_draw_before_the_first_frame_and_behind_a_tab(open_headless) -> None:
    view = open_headless("Early", 300, 200)
    first, second = (view.panel(name).canvas("c").bind(torch.zeros(20, 30, 3)) for name in "AB")
    drawn, driver = [], Driver(view)
    for canvas in (first, second):
        view.panel("A").on_frame(lambda canvas=canvas: drawn.extend(canvas for _ in canvas.strokes))
    driver.stroke(first, [(3.5, 4.5), (20.5, 4.5)])
    assert drawn == [first, first]
    view.window.activate()
    place = imgui.internal.find_window_by_name("A").dock_id
    for name in "AB":
        imgui.internal.dock_builder_dock_window(name, place)
    imgui.internal.dock_builder_finish(place)
    driver.frames(2)
    assert {panel.visible for panel in view.panels.values()} == {True, False}
    for canvas in (second, first):
        driver.stroke(canvas, [(3.5, 4.5)])
        assert drawn[-1] is canvas
    with pytest.raises(LookupError, match=r"Canvas\('nowhere', unbound\) is not in sight"):
        driver.move(Canvas("nowhere"), 0, 0)


def test_a_fast_stroke_has_no_gaps_and_each_piece_comes_once(open_headless) -> None:
    view = open_headless()
    canvas, tensor = paint_program(view)
    seen, driver = [], Driver(view)
    view.on_frame(lambda: seen.extend(canvas.strokes))
    driver.frames(2)
    driver.stroke(canvas, [(2.5, 2.5), (60.5, 10.5), (5.5, 60.5)])
    driver.frames(2)
    assert [stroke.begins for stroke in seen] == [True, False, False]
    assert all(before.end == after.start for before, after in pairwise(seen))
    columns = tensor[:11].any(0)
    assert columns[2:61].all(), "every column on the way"
    rows = tensor.any(1)
    assert rows[10:61].all(), "every row on the way"
    assert not canvas.strokes


def test_a_line_goes_on_beyond_the_edge_and_comes_back(open_headless) -> None:
    view = open_headless()
    canvas, tensor = paint_program(view)
    driver = Driver(view)
    driver.frames(2)
    driver.stroke(canvas, [(60.5, 20.5), (90.5, 20.5), (90.5, 30.5), (60.5, 30.5)])
    assert tensor[20, 60:].all() and tensor[30, 60:].all()
    assert tensor.sum() == 8


def test_only_what_begins_on_the_canvas_draws(open_headless) -> None:
    view = open_headless()
    canvas, tensor = paint_program(view)
    side = view.panel("Side", side="left", width=0.3)
    side.on_frame(lambda: side.slider("s"))
    driver = Driver(view)
    driver.frames(3)
    driver.drag("s", 1.0)
    spot = side.item_layout.placed["s"].rectangle
    assert canvas.rectangle is not None
    inside = canvas.rectangle.x + 5, canvas.rectangle.y + 50
    driver._drag([(spot.x + 5, spot.y + 5), inside, inside], 0)
    driver.stroke(canvas, [(30.5, 30.5), (35.5, 30.5)], button=2)  # moves the picture
    assert not tensor.any()


def test_a_press_and_a_release_within_one_long_step_still_draw(open_headless) -> None:
    view = open_headless()
    canvas, tensor = paint_program(view)
    driver = Driver(view)
    driver.frames(2)
    assert canvas.rectangle is not None
    left, top, width, _ = canvas.rectangle
    scale = width / 64
    at = [PointerMoved(left + (x + 0.5) * scale, top + 8.5 * scale) for x in (10, 20)]
    view.post(at[0], PointerButton(0, True), at[1], PointerButton(0, False))
    for _ in range(6):
        view.step()
        view.end_step()
    assert tensor[8, 10:21].all() and tensor.sum() == 11


def test_on_a_hidden_or_unbound_canvas_nobody_draws(open_any) -> None:
    view = open_any()
    canvas, tensor = paint_program(view)
    view.panel("Paint").open = False
    view.run(max_frames=2)
    assert canvas.strokes == () and canvas.mouse is None and not tensor.any()
