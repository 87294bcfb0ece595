"""The Network page: files, functions and trainings, and what it says where there is nothing."""

import time

import pytest
import torch
from safetensors.torch import save_file

from easel.viewer.driver import Driver
from easel.viewer.view import View
from easel.viewer.widgets.readouts import Hint, Text
from easel.workstation.network.inspector_page import InspectorPage
from easel.workstation.page import Training


@pytest.fixture
def trainings():
    return {}


@pytest.fixture
def page(gl, trainings, tmp_path):
    with View("network", 900, 500, backend="headless", strict=True) as view:
        page = InspectorPage(view.page("Network"), tmp_path, lambda: trainings)
        page.view = view
        page.driver = Driver(view, lambda: turn(page))
        page.driver.frames(2)
        yield page
        page.close()


def turn(page):
    assert page.view.step()
    page.advance()
    page.view.end_step()


def wait(page):
    limit = time.monotonic() + 60
    while not page.settled:
        assert time.monotonic() < limit, "it never came"
        turn(page)
    turn(page)


def texts(panel):
    return " ".join(item.text for item in panel.items if isinstance(item, Text | Hint))


def test_without_a_network_it_says_what_to_do(page):
    assert "No network yet" in texts(page.panel) and "Open network..." in page.driver.labels()


def test_a_file_is_opened_and_another_takes_its_place(page, tmp_path):
    for name, tensors in (("a", {"w": torch.ones(4, 6)}), ("b", {"v": torch.zeros(3, 3), "u": torch.ones(2)})):
        save_file(tensors, tmp_path / f"{name}.safetensors")
        assert page.open(tmp_path / f"{name}.safetensors")
        wait(page)
        assert set(page.network.scene.refs) == set(tensors)
    assert not page.open(tmp_path / "picture.png")


def test_a_function_is_called_by_its_name(page, tmp_path, monkeypatch):
    (tmp_path / "my_models.py").write_text("from torch import nn\ndef tiny():\n    return nn.Linear(3, 2)\n")
    monkeypatch.chdir(tmp_path)
    page.driver.type("Function", "my_models:tiny")
    page.driver.click("Call it")
    wait(page)
    assert set(page.network.scene.refs) == {"weight", "bias"}


def test_what_cannot_be_opened_is_told_and_the_last_network_stays(page, tmp_path):
    (tmp_path / "no.safetensors").write_bytes(b"no weights")
    page.load(str(tmp_path / "no.safetensors"))
    wait(page)
    assert page.notice and page.notice in texts(page.sources) and page.network is None


def test_a_training_is_followed_live_and_a_new_model_starts_anew(page, trainings):
    model = torch.nn.Linear(4, 3)
    trainings["Fit"] = Training(model, 0)
    page.driver.click("Look inside Fit")
    page._watch.seconds = 0
    page._watch._due = 0.0
    with torch.no_grad():
        model.weight.fill_(7.0)
    trainings["Fit"] = Training(model, 5)
    page.driver.frames(3)
    assert (page.network.values["weight"] == 7).all()
    assert page._time.timeline.steps[-1] == 5
    trainings["Fit"] = Training(torch.nn.Linear(2, 2), 0)
    page.driver.frames(2)
    assert page.network.scene.refs["weight"].shape == (2, 2)


def test_a_session_comes_back_to_a_file_and_calls_no_function(page, tmp_path):
    save_file({"w": torch.ones(4, 6)}, tmp_path / "a.safetensors")
    page.open(tmp_path / "a.safetensors")
    wait(page)
    state = page.state()
    page.restore({"source": "os:getcwd", "following": None})
    assert page.settled
    page.driver.frames(1)
    assert page.driver.read("Function") == "os:getcwd"
    page.restore(state)
    wait(page)
    assert page.title == str(tmp_path / "a.safetensors")
    with pytest.raises(TypeError, match="texts or null"):
        page.restore({"source": 3, "following": None})
