"""The Materials page through its widgets, the way a person uses it."""

import json
import time

import pytest
import torch

from easel.materials.maps import MaterialMaps
from easel.materials.training.train import train
from easel.viewer.driver import Driver
from easel.viewer.view import View
from easel.workstation.materials import recovery_panel
from easel.workstation.materials.material_view import Stage, Surroundings
from easel.workstation.materials.materials_page import MaterialsPage


@pytest.fixture
def page(gl, tmp_path, monkeypatch):
    monkeypatch.setattr("easel.workstation.materials.relighting.MOST_SIDE", 97)
    monkeypatch.setattr("easel.workstation.materials.live_run.POLL_SECONDS", 0.0)
    monkeypatch.setattr("easel.materials.recovery.evaluate.relit", lambda maps, side: torch.zeros(side, side, 3))
    # The filtered surroundings alone would take longer than everything else here.
    monkeypatch.setattr(recovery_panel, "Stage", lambda: Stage(surroundings=Surroundings("none")))
    monkeypatch.setattr(recovery_panel, "SHIPPED", tmp_path / "none")
    with View("materials", 1000, 640, backend="headless", strict=True) as view:
        page = MaterialsPage(view.page("Materials"), tmp_path / "out")
        page.view = view
        yield page
        page.close()


@pytest.fixture
def driver(page):
    def turn():
        assert page.view.step()
        page.advance()
        page.view.end_step()

    driver = Driver(page.view, turn)
    driver.frames(2)
    return driver


def until(driver, condition):
    limit = time.perf_counter() + 60
    while not condition():
        assert time.perf_counter() < limit, "it never came"
        driver.frames(1)
        time.sleep(0.01)
    driver.frames(1)


@pytest.fixture
def open_material(page, driver, dataset, network):
    assert page.open(network) and page.open(dataset / "input" / "clean" / "sample_0002")
    until(driver, lambda: page.recovery.found is not None and page.settled)


def told(page):
    return [str(getattr(item, "text", "")) for panel in page.view.panels.values() for item in panel.items]


def test_an_empty_page_says_what_to_do(page, driver):
    assert any("Drop one or more photos" in text for text in told(page))
    assert any("no network of its own" in text for text in told(page))
    assert set(page.view.panels) >= {"Materials", "Relit"} and not page.view.panels["Relit"].open
    driver.click("Training")
    assert any("Open a run to watch it" in text for text in told(page))


@pytest.mark.usefixtures("open_material")
def test_photos_become_maps_in_linked_canvases_and_are_relit_and_exported(page, driver, tmp_path):
    panels = page.view.panels
    shown = panels["Albedo, roughness"].canvases | panels["Metallic, normal"].canvases
    assert set(shown) == {"albedo", "roughness", "metallic", "normal"}
    driver.wheel(shown["albedo"], 2)
    assert len({canvas.loupe.zoom for canvas in shown.values()}) == 1 and shown["normal"].loupe.zoom > 1
    ball = panels["Relit"].canvases["ball"]
    height, width = ball.size
    driver.stroke(ball, [(width / 2, height / 2), (0.75 * width, height / 2)])
    assert page.recovery.stage.lamp.azimuth == pytest.approx(0, abs=3)
    driver.select("Format", "PNG, 16 bit")
    driver.click("Export")
    until(driver, lambda: page.settled)
    assert MaterialMaps.load(tmp_path / "out" / "material").size == (16, 16)
    assert "Wrote 4 files" in page.recovery.notice


@pytest.mark.usefixtures("open_material")
def test_options_ask_anew_and_clearing_leaves_an_empty_page(page, driver):
    driver.click("tileable##maps")
    until(driver, lambda: page.recovery.found.request.options.tileable)
    driver.click("Clear")
    assert page.recovery.found is None and not page.view.panels["Relit"].open
    assert any("Drop one or more photos" in text for text in told(page))


@pytest.mark.usefixtures("open_material")
def test_what_is_open_comes_back(page, driver, tmp_path):
    state = json.loads(json.dumps(page.state()))
    other = MaterialsPage(page.view.page("Again"), tmp_path)
    other.restore(state)
    assert other.state() == page.state() and other.recovery.photos == page.recovery.photos
    other.close()
    for damage in ({"tab": "Else"}, {"photos": "a"}, {"network": 3}):
        with pytest.raises((ValueError, TypeError)):
            page.restore({**state, **damage})
    with pytest.raises(KeyError):
        page.restore({})


def test_bad_photos_are_told_in_the_page(page, driver, network, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.png").write_bytes(b"no picture")
    page.open(network)
    page.open(tmp_path / "empty")
    driver.frames(2)
    assert any("holds 0 photos" in text for text in told(page))
    page.open(tmp_path / "bad.png")
    until(driver, lambda: not page.recovery.live.working and page.recovery.live.problem)
    assert any("bad.png" in text for text in told(page))
    assert not page.open(tmp_path / "sound.wav")


def test_a_run_is_watched_and_its_network_used(page, driver, run_config, dataset):
    for _ in train(run_config):
        pass
    folder = run_config.training.checkpoint_dir
    assert page.open(page.out.parent / "run") and page.tab == "Training"
    until(driver, lambda: page.runs.sheet is not None)
    assert page.pictures.canvases["pictures"].bound and page.training().step == 4
    assert "##train/g_loss" in str(page.view.panels["Materials"].items) or page.runs.run.curves
    page.open(dataset / "input" / "clean" / "sample_0000")
    driver.click("Training")
    driver.click("Use this network")
    assert str(page.recovery.network) == folder and page.tab == "Photos"
    until(driver, lambda: page.recovery.found is not None)
    assert page.recovery.found.step == 4


def test_a_dataset_is_trained_on_here(page, driver, dataset, run_config, monkeypatch):
    monkeypatch.setattr("easel.workstation.materials.training_panel.new_run", lambda data, folder, recipe: run_config)
    assert page.open(dataset) and page.runs.data == dataset
    driver.frames(2)
    driver.click("Train")
    until(driver, lambda: page.runs.training.step is not None)
    assert "Stop the training" in page.actions() or page.runs.training.finished
    page.background()
    until(driver, lambda: page.runs.training.finished)
    assert not page.runs.notice
