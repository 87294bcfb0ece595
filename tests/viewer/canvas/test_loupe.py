"""The loupe: exact pixels and an exact pointer wherever one looks, and hands that move what they should."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.loupe import Loupe, zoom_limits
from easel.viewer.driver import Driver
from easel.viewer.imgui.events import KeyChanged, PointerButton, PointerMoved, WheelTurned
from easel.viewer.imgui.layout import Rectangle
from easel.viewer.view import View

SIZES = st.floats(1, 2000)
RESTS = st.builds(Rectangle, st.integers(-500, 500), st.integers(-500, 500), st.integers(1, 900), st.integers(1, 900))


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def opened(open_headless, tensor: torch.Tensor, **settings) -> tuple[View, Canvas, Driver]:
    view = open_headless()
    canvas = view.panel("P").canvas("c", **settings).bind(tensor)
    driver = Driver(view)
    driver.frames(2)
    return view, canvas, driver


def turn(driver: Driver, notches: int) -> None:
    for _ in range(abs(notches)):
        driver._frame(WheelTurned(0, 1 if notches > 0 else -1))


def at(view: View, canvas: Canvas, x: float, y: float) -> torch.Tensor:
    """The screen's pixel over (x, y) in the canvas's tensor."""
    picture, area = view.capture(), canvas.rectangle
    assert area is not None and canvas.size is not None
    return picture[int(area.y + y / canvas.size[0] * area.height), int(area.x + x / canvas.size[1] * area.width)]


@given(RESTS, st.lists(st.tuples(st.floats(0.3, 3), st.floats(0, 1), st.floats(0, 1)), max_size=8))
def test_however_one_zooms_the_picture_covers_its_place_and_the_point_stays(rest, steps):
    loupe = Loupe()
    for factor, u, v in steps:
        zoom = min(max(loupe.zoom * factor, 1.0), 200.0)
        point = rest.x + u * rest.width, rest.y + v * rest.height
        before = loupe.place(rest)
        loupe.magnify(zoom, point, rest)
        after = loupe.place(rest)
        assert after.x <= rest.x and after.y <= rest.y
        assert after.x + after.width >= rest.x + rest.width and after.y + after.height >= rest.y + rest.height
        if zoom > before.width / rest.width:
            share = (point[0] - before.x) / before.width
            assert after.x + share * after.width == pytest.approx(point[0], abs=1 + after.width / rest.width)
    loupe.magnify(1.0, (0, 0), rest)
    assert loupe.place(rest) == rest


def test_limits_hold_the_picture_between_itself_and_single_pixels():
    assert zoom_limits(0.25) == (1, 1024)
    assert zoom_limits(8.0) == (1 / 8, 32)


def test_the_wheel_zooms_about_the_pointer_and_back(open_headless):
    view, canvas, driver = opened(open_headless, noise(60, 80, 3))
    rest = canvas.rectangle
    driver.move(canvas, 20.5, 15.5)
    before = canvas.mouse
    turn(driver, 12)
    driver.frames(1)
    assert canvas.rectangle.width == round(8 * rest.width)
    assert canvas.mouse == pytest.approx(before, abs=0.1)
    turn(driver, -12)
    driver.frames(1)
    assert canvas.loupe.unzoomed and canvas.rectangle == rest
    assert view.capture().shape == (480, 640, 3)


@pytest.mark.parametrize("filter", ["linear", "nearest"])
@pytest.mark.parametrize("fit", [True, False])
def test_zoomed_in_every_pixel_is_where_the_pointer_says(open_headless, filter, fit):
    tensor = noise(48, 64, 3)
    view, canvas, driver = opened(open_headless, tensor, filter=filter, fit=fit)
    driver.move(canvas, 30.5, 20.5)
    turn(driver, 6 if fit else 16)
    for x, y in ((30.5, 20.5), (29.5, 19.5), (31.5, 21.5)):
        driver.move(canvas, x, y)
        assert canvas.mouse == pytest.approx((x, y), abs=0.51)
        driver.move(canvas, -100, -100)
        shown = at(view, canvas, x, y)
        expected = tensor[int(y), int(x)]
        assert (shown - expected).abs().max() < (0.02 if canvas.squares else 0.1)


def test_large_pixels_become_squares_unless_the_filter_was_chosen(open_headless):
    _, canvas, driver = opened(open_headless, noise(48, 64, 3))
    assert not canvas.squares
    driver.move(canvas, 32, 24)
    turn(driver, 4)
    assert canvas.squares
    canvas.filter = "linear"
    assert not canvas.squares
    canvas.filter = "nearest"
    turn(driver, -4)
    assert canvas.squares


def test_a_drag_with_the_middle_button_moves_the_picture_also_outside(open_headless):
    _, canvas, driver = opened(open_headless, noise(60, 80, 3))
    driver.move(canvas, 40, 30)
    turn(driver, 8)
    before = canvas.rectangle
    driver._frame(PointerButton(2, True))
    assert canvas.grabbed == 2
    start = driver._pointer
    for step in (10, 40, 120):
        driver._pointer = PointerMoved(start.x - step, start.y + step / 2)
        driver._frame()
    driver._frame(PointerButton(2, False))
    driver.frames(1)
    assert (canvas.rectangle.x, canvas.rectangle.y) == pytest.approx((before.x - 120, before.y + 60), abs=1)
    assert canvas.grabbed is None


def test_space_drags_and_a_double_click_with_it_fits(open_headless):
    _, canvas, driver = opened(open_headless, noise(60, 80, 3))
    driver.move(canvas, 40, 30)
    turn(driver, 8)
    before = canvas.rectangle
    driver._frame(PointerButton(0, True))
    driver._pointer = PointerMoved(driver._pointer.x + 20, driver._pointer.y)
    driver._frame()
    driver._frame(PointerButton(0, False))
    assert canvas.rectangle == before  # a left drag is the program's
    driver._frame(KeyChanged("space", True))
    driver._frame(PointerButton(0, True))
    driver._pointer = PointerMoved(driver._pointer.x + 20, driver._pointer.y)
    driver._frame()
    driver._frame(PointerButton(0, False))
    driver.frames(1)
    assert canvas.rectangle.x == pytest.approx(before.x + 20, abs=1)
    for _ in range(2):
        driver._frame(PointerButton(0, True))
        driver._frame(PointerButton(0, False))
    driver._frame(KeyChanged("space", False))
    assert canvas.loupe.unzoomed


def test_keys_show_the_whole_picture_or_pixel_for_pixel(open_headless):
    tensor = torch.randint(0, 256, (60, 80, 3), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    view, canvas, driver = opened(open_headless, tensor)
    rest = canvas.rectangle
    driver.move(canvas, 40, 30)
    driver.key("1")
    driver.frames(1)
    assert canvas.rectangle[2:] == (80, 60)
    driver.move(canvas, -50, -50)
    x, y = map(int, canvas.rectangle[:2])
    assert torch.equal((view.capture()[y : y + 60, x : x + 80] * 255).round().to(torch.uint8), tensor)
    driver.move(canvas, 40, 30)
    driver.key("0")
    driver.frames(1)
    assert canvas.rectangle == rest
    driver._frame(KeyChanged("ctrl", True))
    driver.key("1")
    driver._frame(KeyChanged("ctrl", False))
    driver.frames(1)
    assert canvas.rectangle == rest, "with Ctrl, a digit goes to a page"


def test_a_zooming_canvas_owns_the_wheel(open_headless):
    view = open_headless()
    panel = view.panel("Long")
    first, second = (panel.canvas(name, fit=False).bind(noise(400, 300)) for name in "ab")
    driver = Driver(view)
    driver.frames(2)
    top = first.rectangle.y
    driver.move(first, 150, 100)
    turn(driver, 3)
    driver.frames(3)
    assert not first.loupe.unzoomed and second.loupe.unzoomed and first.rectangle.y <= top
    first.loupe.reset()
    first.zoomable = False
    driver.frames(2)
    turn(driver, -3)
    driver.frames(3)
    assert first.loupe.unzoomed and first.rectangle.y < top  # the panel has scrolled instead


def test_linked_canvases_show_the_same_part_whatever_their_size(open_headless):
    view = open_headless()
    left = view.panel("L", side="left", width=0.5).canvas("a").bind(noise(30, 40, 3))
    right = view.panel("R").canvas("b").bind(noise(60, 80, 3))
    left.link(right)
    driver = Driver(view)
    driver.frames(2)
    driver.wheel(left, 6, at=(10, 8))
    assert right.rectangle.width == pytest.approx(left.rectangle.width, rel=0.01)
    assert right.loupe is left.loupe and not left.loupe.unzoomed
    assert left.loupe.owner is left and left.loupe.cursor == pytest.approx((10 / 40, 8 / 30), abs=0.01)
    driver.move(right, 30, 20)
    assert left.loupe.owner is right
    right.unlink()
    right.loupe.reset()
    driver.frames(1)
    assert not left.loupe.unzoomed


def test_values_are_read_as_stored_and_as_shown(open_headless):
    canvas = Canvas("c").bind(torch.tensor([[1.0, 2.0], [3.0, 5.0]]))
    canvas.cmap = "gray"
    canvas.look()
    stored, shown = canvas.probe(slice(1, 2), slice(0, 2))
    assert stored.flatten().tolist() == [3, 5]
    assert torch.equal(shown, canvas.look()[1:2])
    assert Canvas("empty").probe(slice(0, 1), slice(0, 1)) is None


def test_values_are_written_into_pixels_that_are_large_enough(open_headless):
    view, canvas, driver = opened(open_headless, torch.full((8, 8), 0.25))
    driver.move(canvas, 4, 4)
    turn(driver, 6)
    driver.move(canvas, -9, -9)
    assert canvas.rectangle.width / 8 > 100
    _, top, _, height = canvas.rectangle
    cell = view.capture()[int(top + 3 * height / 8) + 2 : int(top + 4 * height / 8) - 2, 300:400]
    assert cell.max() > 0.8  # light ink on dark grey


def test_a_legend_tells_the_settings_and_can_be_hidden(open_headless):
    view, canvas, _ = opened(open_headless, torch.full((64, 64, 3), 0.5))
    plain = view.capture()
    canvas.gamma = 1.0001
    view.run(max_frames=2)
    told = view.capture()
    assert ((told - plain).abs().max(-1).values > 0.1).sum() > 500
    canvas.legend = False
    view.run(max_frames=2)
    assert (view.capture() - plain).abs().max() <= 1.5 / 255


def test_without_opengl_a_sheet_shows_the_same_part(open_view):
    view = open_view(backend="none")
    ramp = torch.linspace(0, 1, 64).expand(64, 64).clone()
    canvas = view.panel("P").canvas("c").bind(ramp)
    driver = Driver(view)
    driver.frames(2)
    driver.move(canvas, 64 * 0.25, 32)
    turn(driver, 12)
    driver.frames(1)
    shown = view.capture()[200:300, 280:360].mean()
    assert shown == pytest.approx(0.3, abs=0.1)
