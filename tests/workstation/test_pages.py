"""A page of a new product: one row registers it, and it is shown, opens its files, is measured, saved and finished."""

import json

import pytest

from easel.cli import main
from easel.console import BadInput
from easel.viewer.driver import Driver
from easel.workstation.app import PAGES, WorkstationConfig, open_shell, open_view, prepare_page, run, save_results
from easel.workstation.page import WorkstationPage
from easel.workstation.session import Session

STEPS = 6


class ToyPage(WorkstationPage):
    """Counts frames up to a goal; opens .toy files."""

    name = "Toy"

    def __init__(self, page, out):
        super().__init__(page, out)
        self.frames, self.toy, self.closed = 0, "", False
        self.controls = page.panel("Toy controls")
        self.controls.on_frame(lambda: self.controls.slider("Size"))

    def advance(self):
        self.frames += 1

    @property
    def settled(self):
        return self.frames >= STEPS

    @property
    def task(self):
        return "playing"

    @property
    def progress(self):
        return self.frames / STEPS

    @property
    def summary(self):
        return f"{self.frames} frames"

    def open(self, path):
        if path.suffix != ".toy":
            return False
        self.toy = path.name
        return True

    def state(self):
        return {"toy": self.toy}

    def restore(self, state):
        self.toy = state["toy"]

    def finish(self):
        file = self.out / "toy.txt"
        file.write_text(f"{self.toy} {self.frames}")
        return [file]

    def close(self):
        self.closed = True


@pytest.fixture
def toy(monkeypatch):
    """All that a product with a page adds to the workstation."""
    monkeypatch.setitem(PAGES, "toy", ("Toy", f"{__name__}:{ToyPage.__name__}"))
    # Test modules are imported under names that only pytest knows.
    monkeypatch.setattr("easel.workstation.app.import_module", lambda name: import_of(name))


def import_of(name):
    import importlib
    import sys

    return sys.modules[__name__] if name == __name__ else importlib.import_module(name)


@pytest.mark.usefixtures("toy")
def test_one_row_registers_a_page(tmp_path):
    (tmp_path / "bear.toy").write_text("")
    session = Session(tmp_path / "session.json")
    config = WorkstationConfig(page="toy", image=tmp_path / "bear.toy", out=tmp_path, backend="none")
    with open_view("Easel", config) as view:
        shell = open_shell(view, config, session)
        page = shell.page("Toy")
        assert isinstance(page, ToyPage) and list(shell.pages) == ["Toy"], "the others wait until they are shown"
        assert page.toy == "bear.toy"
        driver = Driver(view)
        driver.frames(2)
        assert "Toy" in driver.labels("Pages") and "Size" in driver.labels("Toy controls")
        assert run(shell, session=session) == ""
        assert page.frames == STEPS
        files = save_results(shell, tmp_path)
        assert [file.name for file in files] == ["toy.txt", "workstation.png"]
        assert (tmp_path / "toy.txt").read_text() == f"bear.toy {STEPS}"
        session.save(view, shell.pages)
        shell.close()
        assert page.closed
    assert json.loads((tmp_path / "session.json").read_text())["pages"]["Toy"] == {"toy": "bear.toy"}


@pytest.mark.usefixtures("toy")
def test_the_command_shows_measures_and_finishes_it(tmp_path, capsys):
    (tmp_path / "doll.toy").write_text("")
    out = tmp_path / "out"
    arguments = ["--backend", "none", "--out", str(out), "--session", str(tmp_path / "s.json")]
    assert main(["workstation", str(tmp_path / "doll.toy"), "--page", "toy", *arguments]) == 0
    assert {file.name for file in out.iterdir()} == {"toy.txt", "workstation.png"}
    assert "toy.txt" in capsys.readouterr().out
    assert main(["workstation", *arguments]) == 0, "the session ended on this page"
    assert (out / "toy.txt").read_text() == f"doll.toy {STEPS}"


def test_an_unknown_page_is_one_line_with_the_nearest_name(tmp_path, capsys):
    with pytest.raises(BadInput, match="Did you mean 'network'"):
        prepare_page("netwrk", WorkstationConfig(out=tmp_path))
    assert main(["workstation", "--page", "netwrk", "--backend", "none", "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1 and "fit, art, network, materials" in said


@pytest.mark.parametrize("row", PAGES)
def test_every_row_names_a_page_of_that_name(row):
    name, home = PAGES[row]
    module, _, page = home.partition(":")
    assert getattr(import_of(module), page).name == name


def test_a_file_of_light_is_opened_by_the_page_that_fits_it(tmp_path):
    """Whatever the command line fits may be dropped as well: one table of suffixes serves both."""
    import torch

    from easel.graphics.image import imwrite
    from easel.workstation.fit.photograph import load_photograph

    config = WorkstationConfig(page="fit", out=tmp_path, backend="none", max_size=32)
    with open_view("Easel", config) as view:
        shell = open_shell(view, config)
        for suffix in (".hdr", ".exr"):
            file = tmp_path / f"light{suffix}"
            imwrite(file, torch.rand(6, 8, 3))
            assert load_photograph(file).picture.shape == (6, 8, 3)
            assert shell.open(file) and not shell.notice
        shell.close()
