"""The file browser inside the window: what it lists, and clicking through it."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import easel
from easel.viewer.driver import Driver
from easel.viewer.imgui.dialogs import entries
from easel.viewer.imgui.events import CloseAsked
from easel.viewer.imgui.questions import Question

IMAGES = (("Images", "*.png *.jpg"), ("All", "*.md"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    (tmp_path / ".hidden").mkdir()
    for name in ("b.PNG", "a.jpg", "notes.txt", "read.md", "deep/inside.png"):
        (tmp_path / name).write_text("x")
    return tmp_path


def test_folders_come_first_and_filters_hold(folder: Path) -> None:
    assert entries(folder, Question("Open", IMAGES)) == ["../", "deep/", "a.jpg", "b.PNG", "read.md"]
    assert entries(folder, Question("Open")) == ["../", "deep/", "a.jpg", "b.PNG", "notes.txt", "read.md"]
    assert entries(folder, Question("Open", [("All files", "*.*")])) == entries(folder, Question("Open"))


def test_what_is_typed_narrows_the_list_unless_nothing_is_left(folder: Path) -> None:
    assert entries(folder, Question("Open"), "a") == ["../", "a.jpg"]
    assert len(entries(folder, Question("Open"), "zzz")) == 6
    assert entries(folder, Question("Open"), ".h") == ["../", ".hidden/"]
    assert entries(folder / "gone", Question("Open")) == ["../"]


def test_only_what_is_saved_gets_an_extension() -> None:
    assert Question("Save", save=True, default_extension=".png").complete("a") == "a.png"
    assert Question("Save", save=True, default_extension=".png").complete("a.tif") == "a.tif"
    assert Question("Open", default_extension=".png").complete("a") == "a"


@pytest.mark.parametrize("backend", ["headless", "none"])
def test_a_person_clicks_to_a_file(gl: None, open_view, folder: Path, backend: str) -> None:
    view = open_view(backend=backend)
    panel = view.panel("P")
    answers, frames = [], []

    @panel.on_frame
    def draw() -> None:
        frames.append(1)
        answers.append(panel.file_dialog("Open ...", title="Open a picture", filters=IMAGES, initial_dir=str(folder)))

    driver = Driver(view)
    driver.click("Open ...")
    driver.frames(2)
    driver.click("deep/")
    driver.click("inside.png")
    before = len(frames)
    driver.click("Open")
    driver.frames(2)
    assert [a for a in answers if a] == [str(folder / "deep" / "inside.png")]
    assert len(frames) > before
    driver.click("Open ...")
    driver.frames(2)
    driver.click("Cancel")
    driver.frames(2)
    assert not view.dialogs.browsers and len([a for a in answers if a]) == 1


def test_a_waiting_caller_gets_what_a_script_answers(open_any, tmp_path: Path) -> None:
    driver = Driver(open_any())
    for answer in (tmp_path / "photo.jpg", "", tmp_path / "picture", tmp_path / "picture.tif"):
        driver.answer_dialog(answer)
    assert easel.open_file_dialog() == str(tmp_path / "photo.jpg")
    assert easel.open_file_dialog("Another?", [("PNG", "*.png")], str(tmp_path)) is None
    assert easel.save_file_dialog() == str(tmp_path / "picture.png")
    assert easel.save_file_dialog(default_extension=".png") == str(tmp_path / "picture.tif")


def test_where_nobody_can_be_asked_the_answer_is_none_and_the_log_says_why(
    open_view, caplog, monkeypatch, tmp_path: Path
) -> None:
    with open_view("Alone", backend="none"):
        assert easel.open_file_dialog() is None
    assert caplog.messages == ["open_file_dialog gives None: nobody sits in front of a window in backend none."]
    assert easel.save_file_dialog() is None
    assert "there is no display" in caplog.messages[-1]
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert easel.open_file_dialog() is None
    assert "zenity or kdialog" in caplog.messages[-1]


@pytest.fixture
def zenity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, xvfb: str) -> Path:
    """A dialog program that answers after a while with the path in the file that is returned."""
    if sys.platform != "linux":
        pytest.skip("other desktops bring their own dialog")
    answer, program = tmp_path / "answer", tmp_path / "bin" / "zenity"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && exit\nsleep 0.3\necho "$@" > {answer}.asked\ncat {answer}\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", xvfb)
    return answer


def test_the_window_lives_while_the_caller_waits(open_view, zenity: Path) -> None:
    view = open_view("Waits", 200, 150, backend="window")
    zenity.write_text("/pictures/cat.png\n")
    view.run(max_frames=2)
    shown, keep_alive = [], view.window.keep_alive
    view._backend.present = lambda frame, present=view._backend.present: (shown.append(frame), present(frame))
    polls = []
    view.window.keep_alive = lambda seconds: polls.append(seconds) or keep_alive(seconds)
    assert easel.open_file_dialog("Which one?") == "/pictures/cat.png"
    asked = Path(f"{zenity}.asked").read_text()
    assert "Which one?" in asked and "*.tga" in asked
    assert len(polls) > 5 and 2 < len(shown) and set(map(id, shown)) == {id(view._complete)}
    view.step()
    assert easel.open_file_dialog() == "/pictures/cat.png", "within a frame, too"
    view.end_step()
    with ThreadPoolExecutor(1) as pool:
        count, waiting_ = len(polls), pool.submit(easel.save_file_dialog)
        while not waiting_.done():
            view.run(max_frames=1)
        assert waiting_.result() == "/pictures/cat.png" and len(polls) == count


def test_closing_the_window_gives_up_and_is_not_forgotten(open_view, zenity: Path) -> None:
    view = open_view("Closes", 200, 150, backend="window")
    zenity.write_text("/pictures/cat.png\n")
    view.run(max_frames=1)
    view._backend._events.append(CloseAsked())
    assert easel.open_file_dialog() is None
    assert not view.step() and view.closed
