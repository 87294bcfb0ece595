"""The Fit page through its widgets, the way a person uses it."""

import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageGrab

from easel.graphics.image import imread, resize
from easel.graphics.metrics import psnr
from easel.viewer.driver import Driver
from easel.viewer.imgui.events import FilesDropped
from easel.viewer.view import View
from easel.workstation.fit.fit_page import FitPage
from easel.workstation.fit.live_fit import End
from easel.workstation.fit.photograph import Photograph


@pytest.fixture(params=["headless", "window"])
def page(request, live_fit, picture, tmp_path, monkeypatch):
    if request.param == "window":
        monkeypatch.setenv("DISPLAY", request.getfixturevalue("xvfb"))
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    else:
        request.getfixturevalue("gl")
    live_fit.end = End()
    live_fit.restart()
    with View("fit page", 1000, 760, backend=request.param, strict=True) as view:
        assert view.backend_name == request.param, view.backend_reason
        page = FitPage(view.page("Fit"), live_fit, Photograph("test", picture), tmp_path, max_size=0)
        page.controls.set("Steps / Frame", 1)
        page.view = view
        view.on_drop(lambda dropped: page.open(Path(dropped.paths[0])))
        yield page
        page.close()


@pytest.fixture
def driver(page):
    turn(page, 2)
    return Driver(page.view)


def turn(page, frames):
    """What the application does, so many times; a driver's own frames leave out the training."""
    for _ in range(frames):
        assert page.view.step()
        page.advance()
        page.view.end_step()


def until(page, condition):
    """Turn the page until something has happened beside the loop, however slow the machine is just now."""
    limit = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < limit, "it never came"
        turn(page, 1)


@pytest.mark.slow
def test_pause_stops_the_steps_and_not_the_frames(page, driver):
    driver.click("Pause")
    steps, frames = page.fit.index, page.view.frame_count
    turn(page, 5)
    assert page.fit.index == steps
    assert page.view.frame_count == frames + 5
    driver.click("Pause")
    turn(page, 2)
    assert page.fit.index > steps


@pytest.mark.slow
def test_a_paused_page_leaves_the_processor_alone(page, driver):
    driver.click("Pause")
    wall, cpu = time.perf_counter(), time.process_time()
    turn(page, 10)
    assert time.process_time() - cpu < 0.5 * (time.perf_counter() - wall)


@pytest.mark.slow
def test_the_rate_that_is_dragged_acts_at_the_next_step(page, driver):
    driver.drag("log10(LR)", -4.0)
    page.fit.advance(steps=1)
    assert page.fit.step.lr == pytest.approx(1e-4, rel=0.1)
    assert page.fit.step.lr == page.fit.knobs.lr


@pytest.mark.slow
def test_weight_decay_is_off_at_its_lowest_and_acts_above(page, driver):
    assert page.fit.knobs.weight_decay == 0
    driver.drag("log10(WD)", -3.0)
    assert page.fit.knobs.weight_decay == pytest.approx(1e-3, rel=0.2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("label", "item", "knob", "value"),
    [
        ("Optimizer", "SGD", "optimizer", "sgd"),
        ("Optimizer", "AdamW", "optimizer", "adamw"),
        ("Loss", "L1", "loss", "l1"),
        ("Loss", "Huber", "loss", "huber"),
    ],
)
def test_optimizer_and_loss_are_swapped_with_the_weights_kept(page, driver, label, item, knob, value):
    driver.click("Pause")
    weights = [parameter.detach().clone() for parameter in page.fit.field.parameters()]
    driver.select(label, item)
    turn(page, 1)
    assert getattr(page.fit.knobs, knob) == value
    assert all(torch.equal(a, b) for a, b in zip(weights, page.fit.field.parameters(), strict=True))


@pytest.mark.slow
def test_a_changed_architecture_waits_for_apply_and_then_counts_right(page, driver):
    field = page.fit.field
    driver.select("Encoding", "Fourier")
    turn(page, 2)
    assert page.fit.field is field
    assert "Apply & Reset" in driver.labels()
    driver.click("Apply & Reset")
    turn(page, 1)
    assert page.fit.field.size == 36_867  # 26-128-128-128-3, the network of the tutorial
    turn(page, 1)
    assert "Apply & Reset" not in driver.labels()


@pytest.mark.slow
def test_error_gain_changes_the_map_at_once_and_only_the_map(page, driver):
    driver.click("Pause")
    before = page.fit.error_map(page.error_gain)
    driver.drag("Error Gain", 15.0)
    assert page.error_gain == pytest.approx(15.0, abs=0.5)
    assert not torch.equal(before, page.fit.error_map(page.error_gain))


@pytest.mark.parametrize("page", ["window"], indirect=True)
def test_the_screen_shows_the_prediction(page, driver, xvfb):
    page.fit.advance(steps=100)
    driver.click("Pause")
    page.look()
    driver.frames(2)
    # Without a window manager the window stands in the screen's corner.
    left, top, width, height = (round(side) for side in page.prediction_canvas.rectangle)

    def likeness():
        screen = torch.from_numpy(np.array(ImageGrab.grab(xdisplay=xvfb).convert("RGB"))) / 255
        seen = resize(screen[top : top + height, left : left + width], page.fit.picture.shape[:2])
        return psnr(seen, page.fit.prediction)

    # The X server shows a frame when it comes to it: on a busy machine, long after the call that swapped the buffers.
    until(page, lambda: likeness() > 25)


@pytest.mark.slow
def test_snapshots_equal_what_is_shown(page, driver, tmp_path):
    driver.click("Pause")
    driver.click("Save Snapshots")
    (saved,) = tmp_path.glob("*-prediction.png")
    assert torch.equal(imread(saved, channels=3), page.fit.shown)


@pytest.mark.slow
def test_reset_begins_again(page, driver):
    turn(page, 5)
    driver.click("Pause")
    driver.click("Reset Model")
    assert page.fit.index <= 1


@pytest.mark.slow
def test_opening_a_picture_takes_it_in_without_stopping(page, driver, tmp_path):
    Image.new("RGB", (20, 10), (255, 0, 0)).save(tmp_path / "red.png")
    driver.answer_dialog(str(tmp_path / "red.png"))
    driver.click("Open Image...")
    until(page, lambda: page.photograph.name == "red.png")
    assert page.fit.picture.shape == (10, 20, 3)
    turn(page, 3)
    assert page.fit.index >= 3


def test_a_dropped_picture_is_opened_too(page, driver, tmp_path):
    Image.new("L", (8, 6), 100).save(tmp_path / "grey.png")
    page.view.post(FilesDropped((str(tmp_path / "grey.png"),)))
    until(page, lambda: page.photograph.name == "grey.png")
    assert page.fit.picture.shape == (6, 8, 1)


@pytest.mark.slow
def test_a_bad_file_says_so_in_the_panel_and_the_fit_goes_on(page, driver, tmp_path):
    (tmp_path / "bad.png").write_text("no picture")
    picture = page.fit.picture
    driver.answer_dialog(str(tmp_path / "bad.png"))
    driver.click("Open Image...")
    until(page, lambda: "bad.png" in page.notice and "Opening" not in page.notice)
    assert page.fit.picture is picture
    steps = page.fit.index
    turn(page, 3)
    assert page.fit.index == steps + 3
