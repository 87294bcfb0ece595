"""The file browser inside the window: what it lists, and clicking through it."""

from pathlib import Path

import pytest

from easel.viewer.dialogs import Question, entries
from easel.viewer.driver import Driver

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
