"""Window and show: frames that the program turns itself, in a window, headless and without OpenGL."""

import gc
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

import easel
from easel import show, ui
from easel.viewer.imgui.events import CloseAsked
from easel.viewer.window import Window, create_tensor

BACKENDS = ["window", "headless", "none"]


@pytest.fixture
def open_window(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    """Opens windows in a backend and destroys them at the end."""
    windows = []

    def open_(title: str = "Test", width: int = 320, height: int = 240, *, backend: str = "headless", **settings):
        if backend == "window":
            monkeypatch.setenv("DISPLAY", request.getfixturevalue("xvfb"))
        if backend == "headless":
            request.getfixturevalue("gl")
        windows.append(Window(title, width, height, backend=backend, **settings))
        assert windows[-1].backend.name == backend, windows[-1].backend_reason
        return windows[-1]

    yield open_
    for window in windows:
        window.destroy()


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def frame(window: Window, body: Callable[[], object], at: tuple[float, float] = (0, 0)) -> list[tuple[float, float]]:
    """One frame with `body` in a Dear ImGui window; the corners of its last item."""
    assert window.poll() and window.begin_frame()
    ui.set_next_window_pos(*at)
    ui.set_next_window_size(window.width, window.height)
    ui.begin("Panel", True, 0)
    body()
    corners = [ui.get_item_rect_min(), ui.get_item_rect_max()]
    ui.end()
    window.end_frame()
    return corners


def seen(window: Window, corners: list[tuple[float, float]]) -> Tensor:
    (left, top), (right, bottom) = [(round(x), round(y)) for x, y in corners]
    return window.capture()[top:bottom, left:right]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("shape", [(40, 50, 3), (33, 57), (31, 20, 1), (27, 35, 4), (1, 1, 3)])
def test_shown_pixels_are_the_tensor_s(open_window, backend, shape) -> None:
    window, tensor = open_window(backend=backend), noise(*shape)
    shown = seen(window, frame(window, lambda: show(tensor)))
    picture = tensor[..., None] if tensor.ndim == 2 else tensor
    assert shown.shape[:2] == picture.shape[:2]
    assert (shown - picture[..., :3]).abs().max() <= 1 / 255


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.uint8, torch.bool])
def test_every_picture_type_is_shown(open_window, dtype) -> None:
    values = noise(20, 30, 3)
    tensor = {torch.uint8: (values * 255).round(), torch.bool: values > 0.5}.get(dtype, values).to(dtype)
    expected = tensor.float() / (255 if dtype == torch.uint8 else 1)
    window = open_window()
    assert (seen(window, frame(window, lambda: show(tensor))) - expected).abs().max() <= 1 / 255


def test_in_a_panel_of_a_view_pixels_are_the_tensor_s(open_any) -> None:
    view, tensor, spots = open_any("View", 320, 240), noise(40, 50, 3), []
    panel = view.panel("P")

    @panel.on_frame
    def draw() -> None:
        show(tensor, name="mine")
        if view.drawn:
            spots[:] = [ui.get_item_rect_min(), ui.get_item_rect_max()]

    view.run(max_frames=2)
    assert Window._current is view.window
    if view.backend_name in ("window", "headless"):
        (left, top), (right, bottom) = [(round(x), round(y)) for x, y in spots]
        assert (view.capture()[top:bottom, left:right] - tensor).abs().max() <= 1 / 255
    assert view.window.get_texture_size("mine") == ((50, 40) if view.drawn else (0, 0))


def test_two_views_show_each_its_own(open_headless) -> None:
    views = [open_headless(f"V{n}", 160, 120) for n in range(2)]
    for n, view in enumerate(views):
        view.panel("P").on_frame(lambda n=n: show(torch.full((60, 80, 3), float(n))))
    for _ in range(3):
        for view in views:
            view.step()
            view.end_step()
    assert [view.capture()[70, 40].tolist() for view in views] == [[0, 0, 0], [1, 1, 1]]


@pytest.mark.parametrize(
    ("asked", "size"),
    [({}, (50, 40)), ({"width": 100}, (100, 80)), ({"height": 20}, (25, 20)), ({"width": 30, "height": 60}, (30, 60)),
     ({"width": -1, "height": 0}, (50, 40)), ({"width": 0.1}, (1, 1))],
)  # fmt: skip
def test_sizes(open_window, asked, size) -> None:
    window = open_window(backend="none")
    (left, top), (right, bottom) = frame(window, lambda: show(noise(40, 50, 3), **asked))
    assert (right - left, bottom - top) == size


def test_nearest_pixels_are_squares_and_linear_ones_blend(open_window) -> None:
    window, tensor = open_window(), noise(4, 5, 3)
    shown = seen(window, frame(window, lambda: show(tensor, width=50, filter="nearest")))
    squares = tensor.repeat_interleave(10, 0).repeat_interleave(10, 1)
    assert (shown - squares).abs().max() <= 1 / 255
    shown = seen(window, frame(window, lambda: show(tensor, width=50)))
    assert (shown - squares).abs().max() > 0.1


def test_a_position_between_two_pixels_is_rounded(open_window) -> None:
    window, tensor = open_window(), noise(40, 50, 3)

    def body() -> None:
        ui.set_cursor_pos(20.5, 60.5)
        show(tensor)

    assert (seen(window, frame(window, body)) - tensor).abs().max() <= 1 / 255


def test_one_name_may_show_several_tensors_in_a_frame(open_window) -> None:
    window, first, second, spots = open_window(), noise(40, 50, 3), noise(30, 20, seed=1), []

    def body() -> None:
        for tensor in (first, second):
            show(tensor)
            spots.append([ui.get_item_rect_min(), ui.get_item_rect_max()])

    frame(window, body)
    assert (seen(window, spots[0]) - first).abs().max() <= 1 / 255
    assert (seen(window, spots[1]) - second[..., None]).abs().max() <= 1 / 255


def test_what_is_written_before_the_frame_ends_is_shown(open_window) -> None:
    window, tensor = open_window(), torch.zeros(40, 50, 3)

    def body() -> None:
        show(tensor)
        tensor.fill_(1)

    assert seen(window, frame(window, body)).min() == 1


def test_a_graph_is_not_kept(open_window) -> None:
    window, weight = open_window(backend="none"), torch.ones(4, 5, requires_grad=True)
    frame(window, lambda: (show(weight * 2), window.upload_tensor(weight * 3, name="up")))
    assert all(canvas._source.grad_fn is None for canvas in window.pictures._named.values())


@pytest.mark.parametrize(
    ("bad", "error", "words"),
    [
        (torch.zeros(4, 4, 2), ValueError, "channels"),
        (torch.zeros(3, 4, 5), ValueError, r"channels.*permute"),
        (torch.zeros(2, 3, 4, 5), ValueError, "2D or 3D"),
        (torch.zeros(5), ValueError, "2D or 3D"),
        (torch.zeros(4, 4, dtype=torch.int64), ValueError, "dtype"),
        (torch.zeros(0, 4), ValueError, "at least one pixel"),
        ([[0.0]], TypeError, "tensor"),
        (None, TypeError, "tensor"),
    ],
)
def test_what_is_no_picture_is_named_and_the_frame_goes_on(open_window, capfd, bad, error, words) -> None:
    window = open_window(backend="none")
    for call in (lambda: show(bad), lambda: window.upload_tensor(bad)):
        with pytest.raises(error, match=words):
            frame(window, call)
    assert window.tensor_size == (0, 0) and window.tensor_texture_id == 0
    frame(window, lambda: show(noise(4, 4)))
    assert not capfd.readouterr().out, "a library does not print"


def test_other_mistakes_are_named(open_window) -> None:
    window = open_window(backend="none")
    with pytest.raises(ValueError, match=r"unknown filter 'cubic' for show\(name='tensor'\). Known: linear, nearest"):
        frame(window, lambda: show(noise(4, 4), filter="cubic"))
    with pytest.raises(RuntimeError, match="show: no frame is open"):
        window.end_frame()
        show(noise(4, 4))
    with pytest.raises(RuntimeError, match="no complete frame"):
        open_window(backend="none").capture()
    with pytest.raises(ValueError, match="at least one pixel each way, and at most 16384; got width=0, height=5"):
        Window(width=0, height=5)
    with pytest.raises(ValueError, match="unknown backend 'vulkan'"):
        Window(backend="vulkan")
    assert Window._current is not None


@pytest.mark.parametrize("call", [lambda: show(torch.zeros(2, 2)), lambda: create_tensor(2, 2)])
def test_without_a_window_there_is_nothing_to_show_in(call) -> None:
    if Window._current is not None:
        Window._current.destroy()
    with pytest.raises(RuntimeError, match=r"^No active easel\.Window - create one first$"):
        call()


def test_the_current_window_is_the_newest_or_the_one_activated(open_window) -> None:
    first, second = open_window(backend="none"), open_window(backend="none")
    assert Window._current is second
    first.activate()
    assert Window._current is first
    second.destroy()
    assert Window._current is first
    first.destroy()
    first.destroy()
    assert Window._current is None
    with Window(backend="none") as third:
        assert Window._current is third and not third.closed
    assert Window._current is None and third.closed


@pytest.mark.parametrize("backend", BACKENDS)
def test_several_windows_take_turns(open_window, backend) -> None:
    windows = [open_window(f"W{n}", 160 + 16 * n, 120, backend=backend, vsync=False) for n in range(3)]
    tensors = [noise(20, 30, 3, seed=n) for n in range(3)]
    pairs = list(zip(windows, tensors, strict=True))
    for _ in range(3):
        spots = [frame(window, lambda tensor=tensor: show(tensor)) for window, tensor in pairs]
    for window, spot, tensor in zip(windows, spots, tensors, strict=True):
        assert (seen(window, spot) - tensor).abs().max() <= 1 / 255
    assert [(window.width, window.height) for window in windows] == [(160, 120), (176, 120), (192, 120)]
    windows[0].destroy()
    assert (seen(windows[2], frame(windows[2], lambda: show(tensors[0]))) - tensors[0]).abs().max() <= 1 / 255


def test_frames_of_two_windows_may_be_open_at_once(open_window) -> None:
    first, second = open_window(backend="none"), open_window(backend="none")
    assert first.begin_frame() and second.begin_frame()
    show(noise(4, 6), window=first)
    assert Window._current is first
    first.end_frame()
    second.end_frame()
    assert (first.tensor_size, second.tensor_size) == ((6, 4), (0, 0))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_window_asks_to_be_closed(open_window, monkeypatch: pytest.MonkeyPatch, backend) -> None:
    window = open_window(backend=backend)
    frame(window, ui.new_line)
    monkeypatch.setattr(window.backend, "poll", lambda: [CloseAsked()])
    assert not window.poll() and window.closed
    assert window.begin_frame(), "the program decides what it still draws"
    window.end_frame()
    window.destroy()
    assert not window.poll() and not window.begin_frame()
    window.end_frame()
    with pytest.raises(RuntimeError, match="destroyed"):
        window.capture()


def test_the_environment_bounds_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EASEL_MAX_FRAMES", "3")
    window, turns = easel.Window(backend="none"), 0
    while window.poll():
        if not window.begin_frame():
            continue
        ui.begin("Panel", True, 0)
        show(torch.zeros(4, 4))
        ui.end()
        window.end_frame()
        turns += 1
    window.destroy()
    assert turns == window.frame_count == 3


def test_a_frame_that_an_exception_left_open_is_ended(open_window) -> None:
    window = open_window(backend="none")
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            frame(window, lambda: 1 / 0)
    frame(window, ui.new_line)
    assert window.frame_count == 4
    window.end_frame()
    assert window.frame_count == 4, "ending twice is ending once"


def test_an_uploaded_tensor_is_a_copy_with_a_number(open_window) -> None:
    window, tensor = open_window(), noise(40, 50, 3)
    assert (window.get_texture_id("x"), window.get_texture_size("x")) == (0, (0, 0))
    assert (window.tensor_texture_id, window.tensor_size) == (0, (0, 0))
    window.upload_tensor(tensor, name="x")
    kept = tensor.clone()
    tensor.zero_()
    number = window.get_texture_id("x")
    assert number > 0 and window.get_texture_size("x") == (50, 40)
    for _ in range(2):
        spot = frame(window, lambda: ui.image(number, 50, 40))
    assert (seen(window, spot) - kept).abs().max() <= 1 / 255
    window.upload_tensor(np.ones((20, 30), np.float32), name="x")
    window.upload_tensor(noise(8, 9))
    assert (window.get_texture_id("x"), window.get_texture_size("x")) == (number, (30, 20))
    assert window.tensor_texture_id not in (0, number) and window.tensor_size == (9, 8)
    assert seen(window, frame(window, lambda: ui.image(number, 30, 20))).min() == 1


def test_a_shown_tensor_has_a_number_too(open_window) -> None:
    window, tensor = open_window(), noise(40, 50, 3)

    def body() -> None:
        show(tensor, name="t", width=10)
        ui.image(window.get_texture_id("t"), 50, 40)

    assert (seen(window, frame(window, body)) - tensor).abs().max() <= 1 / 255


def test_an_unchanged_upload_moves_once(open_window) -> None:
    window = open_window()
    window.upload_tensor(noise(40, 50, 3))
    for _ in range(3):
        frame(window, lambda: ui.image(window.tensor_texture_id, 50, 40))
        window.capture()
    assert window.backend._renderer.uploads == 1


def test_the_default_window_waits_for_its_screen_and_a_view_s_never(open_window, open_view) -> None:
    window = open_window(backend="window", vsync=True)
    presented = []
    present = window.backend.present
    window.backend.present = lambda frame: (presented.append(1), present(frame))
    for _ in range(4):
        frame(window, ui.new_line)
    assert len(presented) == 4, "every frame is drawn"
    view = open_view(backend="window")
    assert isinstance(view.window, Window) and view.window.vsync is False
    assert (view.window.title, view.window.width, view.window.height) == ("Test", 640, 480)
    assert create_tensor(4, 5, 3, "cpu", window=view.window).shape == (4, 5, 3)


@pytest.mark.parametrize(("vsync", "waiting"), [(True, 3), (False, 0)])
def test_a_minimised_window_neither_spins_nor_stops_its_program(
    open_window, monkeypatch: pytest.MonkeyPatch, vsync: bool, waiting: int
) -> None:
    window, waits, turns = open_window(backend="window", vsync=vsync), [], []
    monkeypatch.setattr(window.backend, "due", lambda: False)
    monkeypatch.setattr(window.backend, "wait", waits.append)
    for _ in range(3):
        frame(window, lambda: turns.append(1))
    assert len(turns) == 3 and len(waits) == waiting and all(seconds <= 1 / 60 for seconds in waits)


def test_no_display_is_a_reason_and_not_an_end() -> None:
    with Window("Anywhere", 64, 48) as window:
        assert window.backend.name in ("headless", "none")
        assert "no window: no display" in window.backend_reason


@pytest.mark.slow
def test_a_dropped_window_gives_everything_back(open_window) -> None:
    window = Window("Dropped", 64, 48, backend="headless")
    backend = window.backend
    open_window(backend="none")
    del window
    gc.collect()
    # Between frames, and not wherever the collector happens to run
    assert backend._context is not None
    open_window(backend="none").begin_frame()
    assert backend._context is None
