"""A program's own flags: where it is shown, when it ends, and the picture that it leaves."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from easel.graphics.image import imread
from easel.viewer.launcher import launch
from easel.viewer.view import View


@pytest.fixture
def start(gl: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., View]]:
    """Starts "turn.py" with flags, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    views = []

    def start_(*flags: str, **settings) -> View:
        monkeypatch.setattr(sys, "argv", ["programs/turn.py", *flags])
        views.append(launch("Turn", 200, 150, strict=True, **settings))
        return views[-1]

    yield start_
    for view in views:
        view.close()


@pytest.mark.parametrize(("flags", "frames"), [(("--frames", "3"), 3), ((), 5)])
def test_headless_it_ends_by_itself_and_leaves_a_picture(start, capsys, tmp_path, flags, frames) -> None:
    view = start("--headless", *flags, frames=5, dt=0.1)
    canvas = view.panel("P").canvas("c").bind(torch.tensor([1.0, 0.0, 0.0]).expand(8, 8, 3))
    view.run()
    assert view.frame_count == frames and view.time == pytest.approx(frames / 10)
    assert not view.step(), "and stays at its end"
    assert capsys.readouterr().out == "wrote turn.png\n"
    assert torch.equal(imread("turn.png", channels=3, device="cpu"), view.capture())
    assert canvas.rectangle is not None and [path.name for path in tmp_path.iterdir()] == ["turn.png"]


def test_the_environment_may_end_it_earlier(start, monkeypatch) -> None:
    monkeypatch.setenv("EASEL_MAX_FRAMES", "2")
    view = start("--headless", "--frames", "9")
    view.run()
    assert view.frame_count == 2


def test_without_a_flag_it_has_no_end_of_its_own(start, monkeypatch) -> None:
    monkeypatch.setenv("EASEL_BACKEND", "none")
    assert start().window.most_frames is None
    view = start("--frames", "4")
    view.run()
    assert view.frame_count == 4 and not Path("turn.png").exists()


@pytest.mark.parametrize("flags", [("--frames", "0"), ("--frames", "many"), ("--frame",), ("--fast",)])
def test_other_flags_are_refused(start, capsys, flags) -> None:
    with pytest.raises(SystemExit):
        start(*flags)
    assert "turn.py: error: " in capsys.readouterr().err


def test_who_listens_for_the_end_hears_it_once(start, monkeypatch) -> None:
    monkeypatch.setenv("EASEL_BACKEND", "none")
    view, ends = start("--frames", "2"), []
    view.on_close(lambda event: ends.append(view.frame_count))
    view.run()
    view.run()
    assert ends == [2] and not view.closed
