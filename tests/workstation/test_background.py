"""Work in the background: one result at a time, the newest request's, and threads that end."""

import threading

import pytest

from easel.workstation.background import Background, Dropped

SECONDS = 30.0


@pytest.fixture
def background():
    background = Background("test")
    yield background
    background.close()


class Step:
    """Work that begins, waits to be let go, reports and returns."""

    def __init__(self, background):
        self.background = background
        self.begun, self.let_go = threading.Event(), threading.Event()
        self.dropped = False

    def __call__(self, result):
        self.begun.set()
        assert self.let_go.wait(SECONDS)
        try:
            self.background.report(0.5)
        except Dropped:
            self.dropped = True
            raise
        return result


def test_a_result_is_taken_once_and_errors_are_those_of_the_work(background):
    assert not background.busy and not background.done
    background.start(pow, 2, 5)
    assert background.wait(SECONDS) and background.busy
    assert background.result() == 32 and not background.busy and not background.done
    background.start(int, "no number")
    with pytest.raises(ValueError, match="no number"):
        background.result()


def test_the_newest_request_wins(background):
    old = Step(background)
    background.start(old, "old")
    assert old.begun.wait(SECONDS)
    background.start(str, "never begun")
    background.start(str, "new")
    assert not background.done
    old.let_go.set()
    assert background.wait(SECONDS) and background.result() == "new"
    assert old.dropped


def test_progress_is_of_the_newest_request(background):
    step = Step(background)
    background.start(step, "result")
    assert background.progress == 0.0
    step.let_go.set()
    assert background.wait(SECONDS) and background.progress == 0.5
    background.start(str, "next")
    assert background.progress == 0.0


def test_what_is_dropped_is_no_result(background):
    step = Step(background)
    background.start(step, "result")
    assert step.begun.wait(SECONDS)
    background.drop()
    assert not background.busy and not background.wait(0.0)
    step.let_go.set()


def test_closing_ends_the_thread():
    background = Background("closed")
    background.start(str, "x")
    background.wait(SECONDS)
    assert any(thread.name.startswith("easel-closed") for thread in threading.enumerate())
    background.close()
    assert not any(thread.name.startswith("easel-closed") for thread in threading.enumerate())
