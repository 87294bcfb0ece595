"""A step does without a frame while nothing is due, happens or runs, and nobody can tell."""

import pytest
import torch

import easel
from easel import ui
from easel.viewer import loop as loop_module
from easel.viewer.imgui.events import PointerMoved

pytestmark = pytest.mark.usefixtures("toolkit")


@pytest.fixture
def toolkit(xvfb, monkeypatch):
    monkeypatch.setenv("DISPLAY", xvfb)
    monkeypatch.setattr(loop_module, "QUIET_SECONDS", 0.0)


@pytest.fixture
def quiet(monkeypatch):
    """A window that has shown a canvas, and in which nothing is due from now on."""
    with easel.View("quiet", 160, 120, backend="window") as view:
        view.panel("Panel").canvas("picture").bind(torch.zeros(4, 4, 3))
        for _ in range(loop_module.QUIET_STEPS + 3):
            view.step()
            view.end_step()
        view._backend.due = lambda: False
        while not _dozes(view):
            pass
        yield view


def _dozes(view: easel.View) -> bool:
    """Take a step; whether it needed no frame."""
    before = view._frame_state.index
    assert view.step()
    view.end_step()
    return view._frame_state.index == before


def test_steps_count_and_no_frame_is_made(quiet):
    before = quiet.frame_count
    assert all(_dozes(quiet) for _ in range(5))
    assert quiet.frame_count == before + 5


def test_an_event_wakes_it_for_a_while(quiet):
    quiet.post(PointerMoved(10.0, 10.0))
    assert not any(_dozes(quiet) for _ in range(loop_module.QUIET_STEPS))
    assert _dozes(quiet)


def test_what_is_called_between_the_halves_of_a_step_has_its_frame(quiet):
    before = quiet._frame_state.index
    assert quiet.step()
    assert quiet.panel("Panel").slider("rate", 0.0, 1.0, default=0.5) == 0.5
    assert quiet._frame_state.index == before + 1 and quiet._frame_state.running
    quiet.end_step()
    assert _dozes(quiet) and quiet.step()
    ui.begin("raw")
    ui.text("drawn")
    ui.end()
    quiet.end_step()
    with pytest.raises(RuntimeError, match="no frame is open"):
        ui.text("too late")


def test_a_due_picture_wakes_it(quiet):
    quiet._backend.due = lambda: True
    assert not _dozes(quiet)


def test_callbacks_run_in_every_step(quiet):
    calls = []
    quiet.panel("Panel").on_frame(lambda: calls.append(1))
    for _ in range(4):
        _dozes(quiet)
    assert len(calls) == 4


def test_a_capture_shows_what_is_there_now(quiet):
    quiet.panel("Panel").canvas("picture").bind(torch.ones(4, 4, 3))
    assert _dozes(quiet)
    assert quiet.capture().amax() == 1.0
    quiet.panel("Other").canvas("new").bind(torch.ones(4, 4, 3))
    assert _dozes(quiet)
    quiet.capture()
    assert quiet.panel("Other").canvas("new").rectangle is not None


def test_a_loop_that_leaves_out_the_second_half(quiet):
    before = quiet._frame_state.index
    assert quiet.step() and quiet.step() and quiet.step()
    quiet.end_step()
    assert quiet._frame_state.index == before


def test_headless_every_step_has_its_frame():
    with easel.View("headless", 64, 48, headless=True) as view:
        assert not any(_dozes(view) for _ in range(loop_module.QUIET_STEPS + 3))
