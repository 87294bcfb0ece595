"""The pages of the workstation in one window: made when they are shown, failing alone, opening what is theirs."""

from pathlib import Path

import pytest

from easel.viewer.driver import Driver
from easel.viewer.imgui.events import FilesDropped
from easel.viewer.view import View
from easel.workstation.page import WorkstationPage
from easel.workstation.shell import Shell


class Counting(WorkstationPage):
    """Counts what is asked of it; opens files of one kind."""

    kind = ""

    def __init__(self, page, out):
        super().__init__(page, out)
        self.frames, self.hidden_frames, self.opened, self.broken, self.closed = 0, 0, [], "", False
        panel = page.panel("Controls", side="left", width=0.5)
        panel.on_frame(lambda: panel.text(f"{self.frames} frames"))

    def advance(self):
        if self.broken:
            raise ValueError(self.broken)
        self.frames += 1

    def background(self):
        self.hidden_frames += 1

    def open(self, path: Path) -> bool:
        fits = path.suffix == self.kind
        self.opened += [path.name] * fits
        return fits

    def close(self):
        self.closed = True


class Tables(Counting):
    name, kind = "Tables", ".csv"


class Sounds(Counting):
    name, kind = "Sounds", ".wav"


@pytest.fixture
def shell(gl, tmp_path):
    with View("shell", 500, 300, backend="headless") as view:
        shell = Shell(view, {page.name: lambda where, page=page: page(where, tmp_path) for page in (Tables, Sounds)})
        shell.driver = Driver(view, lambda: turn(shell))
        shell.driver.frames(2)
        yield shell
        shell.close()


def turn(shell):
    assert shell.view.step()
    shell.advance()
    shell.view.end_step()


def test_a_page_is_made_when_it_is_first_shown_and_rests_while_it_is_not(shell):
    assert list(shell.pages) == ["Tables"]
    shell.driver.click("Sounds")
    tables, sounds = shell.pages.values()
    before = tables.frames, sounds.hidden_frames
    shell.driver.frames(3)
    assert (tables.frames, sounds.hidden_frames) == before
    assert sounds.frames >= 3 and tables.hidden_frames >= 3


def test_a_page_that_fails_says_so_and_the_others_go_on(shell):
    shell.page("Tables").broken = "no such table"
    shell.driver.frames(2)
    assert "no such table" in shell.hosts["Tables"].failure
    assert "Retry" in shell.driver.labels("Problem")
    shell.driver.click("Sounds")
    assert shell.page("Sounds").frames > 0
    shell.page("Tables").broken = ""
    shell.driver.click("Tables")
    shell.driver.click("Retry")
    frames = shell.page("Tables").frames
    shell.driver.frames(2)
    assert shell.page("Tables").frames > frames and not shell.hosts["Tables"].failure


def test_a_page_that_cannot_be_made_is_tried_again(shell, tmp_path):
    host, tries = shell.hosts["Sounds"], []

    def fail_once(page):
        page.panel("Half made").on_frame(lambda: None)
        tries.append(page)
        if len(tries) == 1:
            raise RuntimeError("no loudspeaker")
        return Sounds(page, tmp_path)

    host._maker = fail_once
    shell.driver.click("Sounds")
    assert list(host.page.panels) == ["Problem"] and "no loudspeaker" in host.failure
    shell.driver.click("Retry")
    shell.driver.frames(2)
    assert list(host.page.panels) == ["Half made", "Controls"] and host.content.frames > 0


def test_a_file_goes_to_the_page_that_takes_it_which_is_then_shown(shell):
    shell.view.post(FilesDropped(("a.wav",)))
    shell.driver.frames(3)
    assert shell.page("Sounds").opened == ["a.wav"] and shell.view.shown_page.name == "Sounds"
    assert not shell.open(Path("a.txt")) and "a.txt" in shell.notice
    assert shell.view.shown_page.name == "Sounds"


def test_what_was_made_is_closed(shell):
    shell.close()
    assert shell.page("Tables").closed
