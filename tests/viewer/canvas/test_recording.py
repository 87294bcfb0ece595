"""Recordings last as long as they should, hold what was shown, are whole or absent, and never hold up the loop."""

import itertools
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.recording import FrameQueue, Recorder, free_path, letterbox
from easel.viewer.driver import Driver
from easel.viewer.view import View


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def flat(value: int, height: int = 4, width: int = 6) -> torch.Tensor:
    return torch.full((height, width, 3), value, dtype=torch.uint8)


def values(folder: Path | str) -> list[int]:
    """The first value of every picture of a sequence."""
    return [int(np.asarray(Image.open(path))[0, 0, 0]) for path in sorted(Path(folder).iterdir())]


def milliseconds(path: Path | str) -> int:
    with Image.open(path) as gif:
        total = 0
        for number in range(getattr(gif, "n_frames", 1)):
            gif.seek(number)
            total += gif.info["duration"]
        return total


def record(path: Path, at: list[float], end: float, fps: float | int = 10) -> Recorder:
    """A recording by the wall clock of one frame at each of some moments; frame n is n everywhere."""
    clock = Clock()
    recorder = Recorder(path, fps=fps, now=clock)
    for number, seconds in enumerate(at):
        clock.seconds = seconds
        recorder.feed(lambda number=number: flat(number))
    clock.seconds = end
    recorder.stop()
    recorder.wait()
    assert recorder.save_error is None
    return recorder


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(0, 0.6), min_size=1, max_size=12), st.integers(1, 50))
def test_by_the_wall_clock_a_film_lasts_as_long_as_its_recording(tmp_path_factory, pauses, fps):
    at = list(itertools.accumulate(pauses))
    path = record(tmp_path_factory.mktemp("film") / "a.gif", at, at[-1] + 0.1, fps).path
    assert abs(milliseconds(path) / 1000 - at[-1] - 0.1) <= 1 / fps + 0.01


def test_every_tick_takes_the_newest_picture(tmp_path):
    # ticks at 0, .1, .2 …: frames 1 and 2 come between two of them, nothing comes for those at .4 and .5
    recorder = record(tmp_path / "a.png", [0.0, 0.02, 0.05, 0.11, 0.2, 0.31, 0.62], 0.78)
    assert values(recorder.path) == [0, 3, 4, 5, 5, 5, 6, 6]


def test_a_first_frame_that_is_late_is_seen_from_the_start(tmp_path):
    assert values(record(tmp_path / "a.png", [0.35], 0.4).path) == [0] * 4


def test_a_recording_of_no_time_has_its_frame(tmp_path):
    assert values(record(tmp_path / "a.png", [0.0], 0.0).path) == [0]


def test_pictures_between_two_ticks_are_not_even_looked_at(tmp_path):
    clock = Clock()
    recorder, looks = Recorder(tmp_path / "a.gif", fps=10, now=clock), []
    for number in range(100):
        clock.seconds = number / 100 + 0.001
        recorder.feed(lambda number=number: looks.append(number) or flat(number))
    recorder.stop()
    assert looks == list(range(0, 100, 10))


def test_by_the_frames_every_frame_is_one(tmp_path):
    recorder = Recorder(tmp_path / "a.png", clock="frames")
    for number in range(5):
        recorder.feed(lambda number=number: flat(number))
        time.sleep(0.01)
    recorder.stop()
    recorder.wait()
    assert values(recorder.path) == [0, 1, 2, 3, 4]


def test_a_frame_is_a_copy_and_keeps_no_graph(tmp_path):
    picture = torch.zeros(4, 6, 3, requires_grad=True)
    recorder = Recorder(tmp_path / "a.png", clock="frames")
    for value in (51, 102, 153):
        with torch.no_grad():
            picture.fill_(value / 255)
        recorder.feed(lambda: picture * 1)
    recorder.stop()
    recorder.wait()
    assert values(recorder.path) == [51, 102, 153]


class Slowly:
    """A film that takes frames only when it may."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go = threading.Event()
        append = sys.modules["easel.graphics.video"].VideoWriter.append
        wait = self.go.wait
        monkeypatch.setattr(
            "easel.graphics.video.VideoWriter.append",
            lambda self, pixels, count=1: wait(20) and append(self, pixels, count=count),
        )


def test_the_loop_never_waits_and_frames_that_memory_cannot_take_lie_on_the_disk(tmp_path, monkeypatch):
    slow = Slowly(monkeypatch)
    size = flat(0).numel()
    recorder = Recorder(tmp_path / "a.png", clock="frames", memory_bytes=3 * size)
    for number in range(200):
        recorder.feed(lambda number=number: flat(number))
    held = recorder._queue._held_bytes
    assert recorder.stop() == tmp_path / "a" and recorder.is_saving and not recorder.is_recording
    assert held <= 3 * size
    slow.go.set()
    recorder.wait()
    assert values(recorder.path) == list(range(200)) and not recorder.is_saving
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(0, 3)), max_size=20), st.integers(0, 200))
def test_a_spool_gives_what_it_was_given_in_order(tmp_path_factory, steps, memory_bytes):
    spool = FrameQueue(tmp_path_factory.getbasetemp(), memory_bytes)
    frames = [np.full((height, width, 3), n, np.uint8) for n, (height, width, _) in enumerate(steps)]
    reader, got = iter(spool), []
    for n, frame in enumerate(frames):
        spool.put(frame, n)
        for _ in range(min(steps[n][2], n + 1 - len(got))):
            got.append(next(reader))
        assert spool._held_bytes <= memory_bytes
    spool.close()
    got += reader
    spool.drop()
    assert [count for _, count in got] == list(range(len(frames)))
    assert all(np.array_equal(pixels, frame) for (pixels, _), frame in zip(got, frames, strict=True))


def test_a_full_disk_ends_the_recording_and_not_the_loop(tmp_path, monkeypatch):
    slow = Slowly(monkeypatch)
    monkeypatch.setattr(FrameQueue, "_write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    recorder = Recorder(tmp_path / "a.gif", clock="frames", memory_bytes=0)
    for number in range(5):
        recorder.feed(lambda number=number: flat(number))
    assert not recorder.is_recording
    slow.go.set()
    recorder.wait()
    assert "No space left" in (recorder.save_error or "")
    assert not list(tmp_path.iterdir())


def test_an_encoder_that_fails_is_told_and_leaves_what_was_there(tmp_path, monkeypatch, caplog):
    (tmp_path / "a.gif").write_bytes(b"before")
    monkeypatch.setattr("easel.graphics.gif._lzw", lambda *_: 1 // 0)
    canvas = Canvas("c").start_recording(tmp_path / "a.gif")
    with caplog.at_level(logging.ERROR, "easel"):
        canvas.feed_recording(lambda: flat(0))
        canvas.stop_recording()
        canvas.wait()
    assert canvas.save_error == "integer division or modulo by zero" and "recording" in caplog.text
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.gif", b"before")]


def test_nothing_to_record_is_told(tmp_path):
    canvas = Canvas("c").start_recording(tmp_path / "a.gif")
    canvas.feed_recording(lambda: None)
    assert canvas.stop_recording() == str(tmp_path / "a.gif")
    canvas.wait()
    assert "it got no picture" in (canvas.save_error or "") and not list(tmp_path.iterdir())


def test_another_size_is_fitted_into_the_first_with_one_warning(tmp_path, caplog):
    recorder = Recorder(tmp_path / "a.png", clock="frames")
    for height, width in ((40, 60), (80, 60), (10, 60), (40, 60)):
        recorder.feed(lambda size=(height, width): flat(200, *size))
    with caplog.at_level(logging.WARNING, "easel"):
        recorder.stop()
        recorder.wait()
    pictures = [np.asarray(Image.open(path)) for path in sorted(recorder.path.iterdir())]
    assert {picture.shape for picture in pictures} == {(40, 60, 3)}
    assert [(picture[..., 0] == 200).sum() for picture in pictures] == [2400, 40 * 30, 10 * 60, 2400]
    assert len(caplog.records) == 1 and "60 x 80 are fitted into 60 x 40" in caplog.text


def test_a_letterboxed_frame_stands_in_the_middle():
    frame = letterbox(np.full((10, 10, 3), 255, np.uint8), (20, 60))
    assert frame.shape == (20, 60, 3)
    assert (frame[:, 20:40] == 255).all() and not frame[:, :20].any() and not frame[:, 40:].any()


def test_a_second_recording_stops_the_first_and_waits_for_its_name(tmp_path, monkeypatch):
    slow = Slowly(monkeypatch)
    canvas = Canvas("c").start_recording(tmp_path / "a.gif")
    canvas.feed_recording(lambda: flat(10))
    canvas.start_recording(tmp_path / "a.gif")
    canvas.feed_recording(lambda: flat(20))
    assert canvas.is_recording and canvas.is_saving
    assert canvas.stop_recording() == str(tmp_path / "a.gif")
    assert canvas.stop_recording() is None
    slow.go.set()
    canvas.wait()
    assert not canvas.is_saving and canvas.save_error is None
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.convert("RGB").getpixel((0, 0)) == (20, 20, 20), "the later one has the name"


def test_bad_arguments_are_refused_at_once(tmp_path):
    canvas = Canvas("c")
    with pytest.raises(ValueError, match=r"\.gif \.mp4 \.webm \.png \.tif"):
        canvas.start_recording(tmp_path / "a.avi")
    with pytest.raises(ValueError, match="fps is 1 to 50"):
        canvas.start_recording(tmp_path / "a.gif", fps=60)
    with pytest.raises(ValueError, match="unknown clock 'sun'"):
        canvas.start_recording(tmp_path / "a.gif", clock="sun")
    assert not canvas.is_recording and not list(tmp_path.iterdir())


def test_names_step_aside_for_files_and_for_recordings(tmp_path):
    path = tmp_path / "recording.gif"
    assert free_path(path) == path
    path.touch()
    assert free_path(path) == tmp_path / "recording-2.gif"
    canvas = Canvas("c").start_recording(tmp_path / "recording-2.gif")
    assert free_path(path) == tmp_path / "recording-3.gif"
    canvas.stop_recording()
    canvas.wait()


PROGRAM = """
import torch
from easel.viewer import View
view = View("Ends", 64, 48, backend="none")
canvas = view.panel("P").canvas("c").bind(torch.zeros(64, 64, 3))
canvas.start_recording({path!r}, fps=25)
for n in range(40):
    canvas.bind(torch.full((64, 64, 3), n / 255) + torch.rand(64, 64, 3) / 9)
    assert view.step()
    view.end_step()
{end}
"""


@pytest.mark.slow
@pytest.mark.parametrize("end", ["canvas.stop_recording()", "raise SystemExit(0)"])
def test_a_program_that_just_ends_leaves_a_whole_film(tmp_path, end):
    code = PROGRAM.format(path=str(tmp_path / "new" / "a.gif"), end=end)
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert milliseconds(tmp_path / "new" / "a.gif") == 1600
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.gif"]


@pytest.mark.slow
def test_a_killed_program_leaves_no_half_film(tmp_path):
    code = PROGRAM.format(path=str(tmp_path / "a.gif"), end="import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    (tmp_path / "a.gif").write_bytes(b"before")
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == -9
    assert (tmp_path / "a.gif").read_bytes() == b"before"


def turn(view: View, frames: int, *, run: bool) -> None:
    if run:
        view.run(max_frames=frames)
    for _ in range(0 if run else frames):
        assert view.step()
        view.end_step()


@pytest.mark.parametrize("run", [True, False])
def test_every_frame_of_a_view_is_recorded_once_as_it_is_shown(open_any: Callable[..., View], tmp_path, run):
    view = open_any(width=160, height=120)
    shown = [0]
    canvas = view.panel("P").canvas("c").bind(lambda: flat(10 * shown[0], 16, 16))
    hidden = view.panel("Q").canvas("d").bind(flat(7))
    view.on_frame(lambda: shown.__setitem__(0, shown[0] + 1))
    canvas.start_recording(tmp_path / "canvas.png", clock="frames")
    hidden.start_recording(tmp_path / "hidden.png", clock="frames")
    view.start_recording(tmp_path / "view.png", clock="frames")
    turn(view, 3, run=run)
    assert view.stop_recording() == str(tmp_path / "view")
    whole = view.capture()
    canvas.stop_recording()
    for recorded in (view, canvas, hidden):
        recorded.stop_recording()
        recorded.wait()
        assert recorded.save_error is None
    assert values(tmp_path / "canvas") == [10, 20, 30] and values(tmp_path / "hidden") == [7, 7, 7]
    *_, last = pictures = [np.asarray(Image.open(path)) for path in sorted((tmp_path / "view").iterdir())]
    assert len(pictures) == 3
    assert np.array_equal(last, (whole * 255).round().to(torch.uint8).numpy())


def test_a_film_shows_what_the_canvas_shows_and_saves(open_any, tmp_path):
    view = open_any(width=160, height=120)
    canvas = view.panel("P").canvas("c").bind(torch.linspace(-3, 5, 120).reshape(10, 12))
    canvas.set_display(cmap="turbo", vmin=-2.0, vmax=4.0)
    canvas.start_recording(tmp_path / "film.png", clock="frames")
    turn(view, 1, run=False)
    canvas.stop_recording()
    canvas.wait()
    canvas.save(tmp_path / "saved.png")
    assert (tmp_path / "film" / "film-000000.png").exists()
    film, saved = (np.asarray(Image.open(tmp_path / name)) for name in ("film/film-000000.png", "saved.png"))
    assert np.array_equal(film, saved) and len(np.unique(film)) > 50


@pytest.mark.parametrize("backend", ["window", "none"])
def test_where_a_person_watches_the_clock_is_the_walls(open_view, tmp_path, monkeypatch, request, backend):
    if backend == "window":
        monkeypatch.setenv("DISPLAY", request.getfixturevalue("xvfb"))
    view = open_view(width=160, height=120, backend=backend)
    canvas = view.panel("P").canvas("c").bind(flat(1))
    began = time.perf_counter()
    canvas.start_recording(tmp_path / "a.gif", fps=20)
    for _ in range(4):
        view.step()
        time.sleep(0.06)
        view.end_step()
    canvas.stop_recording()
    took = time.perf_counter() - began
    canvas.wait()
    expected = took if backend == "window" else 4 / 20
    assert milliseconds(tmp_path / "a.gif") / 1000 == pytest.approx(expected, abs=1 / 20 + 0.01)


def test_closing_a_view_ends_its_recordings(open_any, tmp_path):
    view = open_any(width=160, height=120)
    canvas = view.panel("P").canvas("c").bind(flat(1)).start_recording(tmp_path / "a.gif")
    view.start_recording(tmp_path / "b.gif")
    turn(view, 2, run=False)
    view.close()
    canvas.wait()
    view.wait()
    assert sorted(path.name for path in tmp_path.glob("*.gif")) == ["a.gif", "b.gif"]


def test_the_button_records_saves_and_tells(open_any, tmp_path, monkeypatch):
    slow = Slowly(monkeypatch)
    view = open_any(width=320, height=240)
    panel = view.panel("P")
    canvas = panel.canvas("c").bind(flat(9))
    states = []
    panel.on_frame(lambda: states.append(panel.record_button(canvas, tmp_path / "r.gif", fps=20)))
    driver = Driver(view)
    (tmp_path / "r.gif").write_bytes(b"mine")
    driver.frames(2)
    driver.click("Record")
    assert states[-1] is canvas.is_recording is True and "Record" not in driver.labels()
    driver.frames(4)
    driver.click("Stop Recording")
    assert states[-1] is canvas.is_recording is False
    assert driver.labels() == ["Saving ..."] and canvas.is_saving
    driver.click("Saving ...")
    assert canvas.is_saving and not canvas.is_recording, "it can be pressed again only when the film is complete"
    slow.go.set()
    canvas.wait()
    driver.frames(1)
    assert driver.labels() == ["Record"]
    assert (tmp_path / "r.gif").read_bytes() == b"mine" and milliseconds(tmp_path / "r-2.gif") >= 50


def test_two_buttons_that_record_at_once_are_two_widgets(open_any, tmp_path):
    view = open_any(width=320, height=240)
    panel = view.panel("P")
    canvases = [panel.canvas(name).bind(flat(9)) for name in "ab"]
    panel.on_frame(
        lambda: [panel.record_button(c, tmp_path / "r.gif", start_label=f"Record {c.name}") for c in canvases]
    )
    driver = Driver(view)
    driver.frames(2)
    driver.click("Record a")
    driver.click("Record b")
    assert driver.labels() == ["Stop Recording", "Stop Recording##Record b"]
    driver.click("Stop Recording##Record b")
    driver.click("Stop Recording")
    for canvas in canvases:
        canvas.wait()
    assert sorted(path.name for path in tmp_path.glob("*.gif")) == ["r-2.gif", "r.gif"]


def test_what_cannot_be_recorded_is_told_under_the_button(open_any, tmp_path):
    view = open_any(width=320, height=240)
    panel = view.panel("P")
    canvas = panel.canvas("c").bind(flat(9))
    (tmp_path / "file").touch()
    panel.on_frame(lambda: panel.record_button(canvas, tmp_path / "file" / "r.gif"))
    driver = Driver(view)
    driver.frames(2)
    driver.click("Record")
    assert not canvas.is_recording and "what should be its folder is a file" in (canvas.save_error or "")
    assert any("what should be its folder" in str(item) for item in panel.items)
    panel.on_frame(lambda: panel.record_button(canvas, "r.avi", start_label="Other"))
    with pytest.raises(ValueError, match="names no film"):
        view.step()
