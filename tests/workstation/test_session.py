"""A session comes back; a file that is none is refused and stays; what cannot be used is not lost."""

import json

import pytest
import torch
from PIL import Image

from easel.cli import main
from easel.console import BadInput
from easel.viewer.driver import Driver
from easel.viewer.view import View
from easel.workstation.page import WorkstationPage
from easel.workstation.report import write_report
from easel.workstation.session import Session


class Desk(WorkstationPage):
    """A page with one slider and one file."""

    name = "Desk"

    def __init__(self, page, out):
        super().__init__(page, out)
        self.file = "nothing"
        controls = page.panel("Controls")
        controls.on_frame(lambda: controls.slider("gain"))

    def state(self):
        return {"file": self.file}

    def restore(self, state):
        self.file = state["file"]


@pytest.fixture
def turn(tmp_path):
    """Opens a view with a desk as a session file has it, lets `act(page, driver)` happen, and saves."""

    def turn_(file, act=lambda page, driver: None):
        session = Session(file)
        with View("Test", 640, 480, backend="none", strict=True) as view:
            session.restore(view)
            page = session.restoring(lambda page: Desk(page, tmp_path))(view.page("Desk"))
            driver = Driver(view)
            driver.frames(2)
            act(page, driver)
            session.save(view, {"Desk": page})  # in the middle, and once more at the end
            return page.file, driver.read("gain"), session.save(view, {"Desk": page})

    return turn_


def work(page, driver):
    driver.drag("gain", 0.5)
    page.file = "photo.png"


def test_a_session_comes_back_and_pages_that_nobody_saw_stay_in_it(turn, tmp_path):
    file = tmp_path / "session.json"
    _, gain, saved = turn(file, work)
    assert saved == file and gain > 0.4
    told = json.loads(file.read_text())
    told["pages"]["Art"] = {"recipe": [1, 2]}
    file.write_text(json.dumps(told))
    assert turn(file) == ("photo.png", gain, file)
    assert json.loads(file.read_text())["pages"]["Art"] == {"recipe": [1, 2]}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "empty"),
        ("{", "line 1"),
        ("[]", "no session"),
        ("[" * 100_000, "nested"),
        ('{"easel": "session", "version": 2}', "version 2"),
        ('{"easel": "session", "version": 1, "view": {}, "pages": {}}', "version"),
        ('{"easel": "session", "version": 1, "view": {"version": 1}, "pages": []}', "pages"),
        ('{"easel": "session", "version": 1, "view": {"version": 1, "page": NaN}, "pages": {}}', "NaN"),
        ('{"easel": "session", "version": 1, "view": {"version": 1}, "pages": {}, "x": 1}', "'x'"),
    ],
)
def test_a_file_that_is_no_session_is_refused_in_one_line_and_stays(content, told, tmp_path, capsys):
    file = tmp_path / "session.json"
    file.write_text(content)
    with pytest.raises(BadInput, match=told) as caught:
        Session(file)
    assert "\n" not in str(caught.value) and file.read_text() == content
    assert main(["workstation", "--backend", "none", "--out", str(tmp_path / "out"), "--session", str(file)]) == 2
    assert file.read_text() == content and told in capsys.readouterr().err


def test_where_a_page_cannot_come_back_its_file_stays_and_the_session_goes_beside_it(turn, tmp_path, capsys):
    file = tmp_path / "session.json"
    turn(file, work)
    spoiled = file.read_text().replace('"file"', '"flie"')
    file.write_text(spoiled)
    page_file, gain, saved = turn(file)
    assert (page_file, saved.name) == ("nothing", "session-2.json") and gain > 0.4
    assert file.read_text() == spoiled and len(list(tmp_path.iterdir())) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.slow
def test_a_session_is_saved_in_between(tmp_path, picture, monkeypatch):
    photograph, file, seen = tmp_path / "p.png", tmp_path / "s.json", []
    Image.fromarray((picture * 255).round().byte().numpy()).save(photograph)
    save = Session.save
    monkeypatch.setattr("easel.workstation.session.SAVE_SECONDS", 0.0)
    monkeypatch.setattr(Session, "save", lambda *given: seen.append(file.exists()) or save(*given))
    arguments = ["--backend", "none", "--seconds", "0.3", "--out", str(tmp_path / "out"), "--session", str(file)]
    assert main(["workstation", str(photograph), *arguments]) == 0
    assert len(seen) > 2 and seen[:2] == [False, True], "every time when it is due, and at the end"


@pytest.mark.slow
def test_the_workstation_goes_on_with_a_session_and_reports(tmp_path, picture, capsys):
    photograph, session, report = tmp_path / "p.png", tmp_path / "s.json", tmp_path / "r.html"
    Image.fromarray((picture * 255).round().byte().numpy()).save(photograph)
    common = ["--backend", "none", "--steps", "5", "--out", str(tmp_path / "out"), "--session", str(session)]
    assert main(["workstation", str(photograph), *common]) == 0
    told = json.loads(session.read_text())
    assert told["view"]["page"] == "Fit" and told["pages"]["Fit"]["photograph"] == str(photograph)
    told["view"]["widgets"]["Fit"]["Controls"]["Loss"] = "L1"
    session.write_text(json.dumps(told))
    assert main(["workstation", *common, "--report", str(report)]) == 0
    assert json.loads(session.read_text())["view"]["widgets"]["Fit"]["Controls"]["Loss"] == "L1"
    page = report.read_text()
    assert page.count("data:image/png;base64,") >= 3 and "<svg" in page and "<td>L1</td>" in page
    assert main(["workstation", *common, "--report", str(tmp_path / "r.pdf")]) == 2


def test_a_report_stands_alone_and_runs_nothing(tmp_path):
    trap = "</h3><script src=//x>&\"'"
    with View(trap, 320, 240, backend="none") as view:
        panel = view.panel(trap)
        panel.on_frame(lambda: panel.input_text(trap, default=trap))
        panel.on_frame(lambda: panel.text(trap))
        panel.on_frame(lambda: panel.plot([1.0, float("nan"), *range(9000)], overlay=trap))
        panel.canvas(trap).bind(torch.zeros(3, 5000))
        Driver(view).frames(2)
        write_report(view, tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert "<script" not in page and "default-src 'none'" in page and "http:" not in page and "https:" not in page
    assert page.count("&lt;script") >= 6 and page.count("<polyline") == 2 and len(page) < 200_000


def test_a_report_holds_the_pages_that_are_not_shown_as_they_are_now(tmp_path):
    with View("Test", 320, 240, backend="none", strict=True) as view:
        losses, panel = [3.0, 1.0], view.page("Fit").panel("Metrics")
        panel.on_frame(lambda: panel.plot(losses, overlay=f"loss {losses[-1]}"))
        panel.on_frame(lambda: panel.text(f"step {len(losses)}"))
        empty = view.page("Empty").panel("Controls")
        empty.on_frame(lambda: empty.text("Open something."))
        view.page("Art").panel("Picture").canvas("flower").bind(torch.zeros(2, 3))
        driver = Driver(view)
        driver.frames(2)
        driver.click("Art")
        losses.append(0.5)
        write_report(view, tmp_path / "r.html")
        assert driver.labels() == ["Fit", "Empty", "Art"], "the page that is shown has stayed so"
    page = (tmp_path / "r.html").read_text()
    assert page.index("<h2>Fit") < page.index("loss 0.5") < page.index("step 3") < page.index("<h2>Art")
    assert "flower  3 x 2" in page and "<h2>Empty" not in page
