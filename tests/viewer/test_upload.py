"""What of a canvas travels to the graphics driver, how, and when nothing does."""

import pytest
import torch

from easel.viewer.canvas import Canvas, blank


def frame(view) -> None:
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
