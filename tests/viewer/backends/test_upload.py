"""What of a canvas travels to the graphics driver, how, and when nothing does."""

import numpy as np
import pytest
import torch

from easel.viewer.canvas.canvas import Canvas, blank
from easel.viewer.canvas.change_detector import STRIP_BYTES, ChangeDetector
from easel.viewer.imgui.events import Resized
from easel.viewer.view import View


def frame(view: View) -> None:
    view.step()
    view.end_step()


def test_a_canvas_tells_how_its_pixels_travelled_and_how_many(open_headless) -> None:
    view = open_headless()
    canvas = view.panel("P").canvas("c").bind(torch.zeros(20, 30, 3))
    assert (canvas.path, canvas.moved_bytes) == ("none", 0)
    frame(view)
    assert (canvas.path, canvas.moved_bytes) == ("none", 0)  # nobody looks: nothing moves
    for drawn in (1, 2):
        view.capture()
        assert (canvas.path, canvas.moved_bytes) == ("host", drawn * 20 * 30 * 3 * 4)


def test_far_smaller_on_screen_only_what_is_seen_moves(open_headless) -> None:
    view = open_headless("Test", 160, 120)
    canvas = view.panel("P").canvas("c").bind(torch.zeros(1024, 1024, 3))
    view.capture()
    assert canvas.rectangle is not None
    assert canvas.moved_bytes < 2 * canvas.rectangle.width * canvas.rectangle.height * 3 * 4


def test_a_picture_out_of_sight_moves_nothing(open_headless) -> None:
    view = open_headless()
    panel = view.panel("P")
    panel.canvas("large", fit=False).bind(torch.zeros(1000, 100, 3))
    below = panel.canvas("below", fit=False).bind(torch.zeros(50, 50, 3))
    view.capture()
    assert (below.path, below.moved_bytes) == ("none", 0)


def test_without_opengl_nothing_travels(open_view) -> None:
    view = open_view(backend="none")
    canvas = view.panel("P").canvas("c").bind(torch.zeros(20, 30, 3))
    frame(view)
    view.capture()
    assert (canvas.path, canvas.moved_bytes) == ("none", 0)


def test_path_is_an_answer_and_no_setting() -> None:
    with pytest.raises(AttributeError):
        Canvas("c").path = "host"


@pytest.mark.parametrize("backend", ["headless", "none"])
def test_shared_memory_that_is_not_to_be_had_is_an_ordinary_tensor(open_view, gl, backend) -> None:
    view = open_view(backend=backend)
    canvas = view.panel("P").canvas("c")
    tensor = canvas.alloc(20, 30, 3, "cpu", shared=True)
    assert tensor.shape == (20, 30, 3) and not tensor.any() and canvas.bound
    view.close()
    tensor.fill_(1)  # and outlives the view


def test_shared_memory_is_asked_for_only_for_a_gpu(monkeypatch) -> None:
    asked = []

    def share(*question) -> torch.Tensor:
        asked.append(question)
        return torch.ones(2, 3, 1)

    assert not blank(2, 3, 1, "cpu", name="t", share=share).any() and not asked
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert blank(2, 3, 1, "cuda:1", name="t", share=share).all()
    assert asked == [(2, 3, 1, torch.device("cuda", 1))]


# What has not changed


class Watched:
    """A view in a window that may draw every frame, and how often it did."""

    def __init__(self, view: View, monkeypatch: pytest.MonkeyPatch) -> None:
        self.view, self.drawn, self._backend = view, 0, view._backend
        monkeypatch.setattr(self._backend, "due", lambda: True)
        swap = self._backend._glfw.swap_buffers
        monkeypatch.setattr(self._backend._glfw, "swap_buffers", lambda window: self._count(swap, window))
        for _ in range(6):  # until the desktop, the layout and the checksums have settled
            frame(view)

    def frames(self, count: int) -> tuple[int, int]:
        """Turn some; returns how many of them were drawn, and how many pictures uploaded."""
        drawn, uploads = self.drawn, self._backend._renderer.uploads
        for _ in range(count):
            frame(self.view)
        return self.drawn - drawn, self._backend._renderer.uploads - uploads

    def _count(self, swap, window) -> None:
        self.drawn += 1
        swap(window)


@pytest.fixture
def window(xvfb, open_view, monkeypatch) -> View:
    monkeypatch.setenv("DISPLAY", xvfb)
    return open_view(backend="window", width=320, height=240)


def test_a_window_in_which_nothing_changes_is_not_drawn_again(window, monkeypatch) -> None:
    canvas = window.panel("P").canvas("c").bind(torch.rand(64, 64, 3))
    watched = Watched(window, monkeypatch)
    assert watched.frames(5) == (0, 0)
    canvas.filter = "nearest"
    assert watched.frames(5)[0] == 1
    canvas.exposure = 1
    assert watched.frames(5)[0] > 0
    window._backend._events.append(Resized())  # the desktop has lost some of it
    assert watched.frames(5) == (1, 0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.uint8])
def test_every_write_of_torch_is_drawn_at_once(window, monkeypatch, dtype) -> None:
    tensor = torch.zeros(64, 64, 3, dtype=dtype)
    window.panel("P").canvas("c").bind(tensor)
    watched = Watched(window, monkeypatch)
    tensor[3, 4, 1] = 1
    assert watched.frames(1) == (1, 1)
    watched.frames(3)
    tensor[5:].mul_(1)
    assert watched.frames(1) == (1, 1)


def test_what_is_bound_anew_is_drawn_although_it_may_have_the_old_one_s_memory(window, monkeypatch) -> None:
    canvas = window.panel("P").canvas("c").bind(torch.zeros(64, 64, 3))
    watched = Watched(window, monkeypatch)
    for value in range(6):
        canvas.bind(torch.full((64, 64, 3), value / 5))
        assert watched.frames(1) == (1, 1)


def test_the_same_tensor_bound_in_every_frame_is_uploaded_once(window, monkeypatch) -> None:
    tensor = torch.rand(64, 64, 3)
    canvas = window.panel("P").canvas("c")
    window.on_frame(lambda: canvas.bind(tensor))
    assert Watched(window, monkeypatch).frames(5) == (0, 0)


def test_beside_a_curve_that_grows_a_resting_picture_is_not_uploaded_again(window, monkeypatch) -> None:
    panel, losses = window.panel("P"), []
    panel.canvas("c").bind(torch.rand(64, 64, 3))

    @panel.on_frame
    def draw() -> None:
        losses.append(1 / (1 + len(losses)))
        panel.plot(losses)

    assert Watched(window, monkeypatch).frames(5) == (5, 0)


def test_a_function_and_a_comparison_are_looked_at_in_every_frame(window, monkeypatch) -> None:
    panel = window.panel("P")
    panel.canvas("a").bind(lambda: torch.zeros(8, 8))
    panel.canvas("b").bind(torch.zeros(8, 8)).compare(Canvas("c").bind(torch.ones(8, 8)))
    assert Watched(window, monkeypatch).frames(5) == (5, 10)


def test_writes_past_torch_are_found_and_such_a_tensor_is_not_believed_again(window, monkeypatch) -> None:
    array = np.zeros((64, 64, 3), np.float32)
    window.panel("P").canvas("c").bind(array)
    watched = Watched(window, monkeypatch)
    assert watched.frames(1) == (0, 0)
    for value in (1, 2, 3):
        array[value, 4] = value
        assert watched.frames(1) == (1, 1)


def test_one_number_written_past_torch_is_found_as_soon_as_its_strip_comes_by() -> None:
    tensor = torch.zeros(1024, 300, 3)
    strips = tensor.nbytes // STRIP_BYTES
    canvas, detector = Canvas("c").bind(tensor), ChangeDetector()
    assert [detector.unchanged(canvas) for _ in range(2 + strips)] == [False, False] + [True] * strips
    tensor.numpy()[700, 5, 1] = 1e-30
    assert not all(detector.unchanged(canvas) for _ in range(strips))
    assert not detector.unchanged(canvas)


@pytest.mark.parametrize("tensor", [torch.rand(3, 40, 50).permute(1, 2, 0), torch.rand(1, 1), torch.rand(9, 8) > 0.5])
def test_any_memory_layout_can_rest(tensor) -> None:
    canvas, detector = Canvas("c").bind(tensor), ChangeDetector()
    assert [detector.unchanged(canvas) for _ in range(4)] == [False, False, True, True]


def test_what_torch_does_not_count_is_never_known_to_rest() -> None:
    with torch.inference_mode():
        canvas = Canvas("c").bind(torch.rand(4, 4))
    detector = ChangeDetector()
    assert not any(detector.unchanged(canvas) for _ in range(4))


@pytest.mark.parametrize("shape", [(64, 64, 3), (512, 768, 3), (2048, 1024, 3)])
@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1)])
def test_a_brush_of_numpy_is_found_at_the_next_look_at_any_size(shape, axes) -> None:
    array = np.zeros(shape, np.float32).transpose(axes).copy()
    canvas, detector = Canvas("c"), ChangeDetector()
    canvas.layout = "hwc" if axes == (0, 1, 2) else "chw"
    canvas.bind(torch.from_numpy(array))
    assert [detector.unchanged(canvas) for _ in range(4)] == [False, False, True, True]
    array[tuple(n // 2 for n in array.shape)] = 1e-30
    assert not detector.unchanged(canvas)


def test_an_array_that_is_asked_for_later_shares_the_memory_from_then_on() -> None:
    tensor = torch.zeros(1024, 300, 3)
    canvas, detector = Canvas("c").bind(tensor), ChangeDetector()
    for _ in range(6):
        detector.unchanged(canvas)
    array = tensor.numpy()
    assert [detector.unchanged(canvas) for _ in range(3)] == [False, False, True]
    array[0, 0, 0] = 1
    assert not detector.unchanged(canvas)


def test_a_refresh_is_drawn_whatever_was_noticed(window, monkeypatch) -> None:
    canvas = window.panel("P").canvas("c").bind(torch.rand(64, 64, 3))
    watched = Watched(window, monkeypatch)
    assert watched.frames(3) == (0, 0)
    canvas.refresh()
    assert watched.frames(1) == (1, 1)
    assert watched.frames(3)[1] <= 1


def test_drawing_a_tensor_does_not_mark_its_memory_as_shared(window, monkeypatch) -> None:
    tensors = [torch.rand(64, 64, 3), torch.zeros(64, 64, 3, dtype=torch.uint8), torch.rand(3, 64, 64).permute(1, 2, 0)]
    for number, tensor in enumerate(tensors):
        window.panel("P").canvas(f"{number}").bind(tensor)
    Watched(window, monkeypatch)
    assert all(tensor.untyped_storage().resizable() for tensor in tensors)
