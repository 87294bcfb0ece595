"""A person's way through all pages, by what is written on them, with a picture of each."""

import time

import numpy as np
import pytest
import torch
from PIL import Image

from easel.graphics.image import imwrite
from easel.viewer.driver import Driver
from easel.workstation.app import PAGES, WorkstationConfig, open_shell, open_view
from easel.workstation.materials.material_view import Stage, Surroundings

LEAST_COLOURS = 500
"""An empty page has fewer."""


@pytest.fixture
def shell(gl, tmp_path, picture, monkeypatch):
    monkeypatch.setattr("easel.workstation.materials.recovery_panel.EXAMPLE_PIXELS", 64)
    monkeypatch.setattr("easel.workstation.materials.relighting.MOST_SIDE", 160)
    # The filtered surroundings alone would take longer than the material.
    unlit = Stage(surroundings=Surroundings("none"))
    monkeypatch.setattr("easel.workstation.materials.recovery_panel.Stage", lambda: unlit)
    Image.fromarray((picture * 255).round().byte().numpy()).save(tmp_path / "photograph.png")
    config = WorkstationConfig(
        image=tmp_path / "photograph.png", page="fit", out=tmp_path, headless=True, steps=40, device="cpu"
    )
    with open_view("Easel", config) as view:
        shell = open_shell(view, config)
        yield shell
        shell.close()


def turn(shell):
    assert shell.view.step()
    shell.advance()
    shell.view.end_step()


def until(shell, condition):
    limit = time.monotonic() + 600
    while not condition():
        assert time.monotonic() < limit, "it never came"
        turn(shell)
        time.sleep(0.1)  # what is awaited happens beside the loop


def show(shell, tmp_path, name):
    """The page as a picture, which is no empty one; nothing has failed until here."""
    assert [host.failure for host in shell.hosts.values() if host.failure] == []
    picture = shell.view.capture()
    imwrite(tmp_path / f"page-{name}.png", picture)
    assert len(torch.unique((picture * 255).round().to(torch.int).flatten(0, 1), dim=0)) > LEAST_COLOURS


@pytest.mark.slow
def test_a_persons_way_through_all_four_pages(shell, tmp_path):
    driver = Driver(shell.view, lambda: turn(shell))
    driver.frames(2)

    # Fit a photograph, and look inside the network that learns it.
    fit = shell.page("Fit")
    driver.select("Compare", "Wipe")
    while not fit.settled:
        turn(shell)
    show(shell, tmp_path, "fit")
    assert fit.fit.psnr > 15
    driver.select("Compare", "Off")
    driver.click("Look inside")
    driver.frames(3)
    network = shell.page("Network")
    assert network.network.scene.refs.keys() == dict(fit.fit.field.named_parameters()).keys()
    show(shell, tmp_path, "network")

    # Breed a picture, and render it at 4096 x 4096.
    driver.click("Art")
    art = shell.page("Art")
    driver.type("width", "4")
    until(shell, lambda: art.settled)
    parent = art.session.genome
    height, width = art.variations.size
    driver.stroke(art.variations, [(width / 6, height / 6)])
    child = art.session.genome
    assert child is not parent
    driver.click("Undo")
    assert art.session.genome is parent
    driver.click("Redo")
    assert art.session.genome is child
    until(shell, lambda: art.settled)
    show(shell, tmp_path, "art")
    driver.select("Shape", "Square")
    driver.click("Save picture")
    until(shell, lambda: art.session.job is None)
    with Image.open(tmp_path / f"art-{child.recipe.seed}.png") as saved:
        assert saved.format == "PNG" and saved.size == (4096, 4096)
        seen = art.session.entry.thumbnail
        small = torch.from_numpy(np.array(saved.resize(seen.shape[1::-1], Image.Resampling.BOX))) / 255
        assert (small - seen).abs().mean() < 0.03, "it is what was bred"

    # Infer a material from photos with the network that comes with Easel, and turn it under a light.
    driver.click("Materials")
    materials = shell.page("Materials")
    driver.click("Try an example")
    until(shell, lambda: materials.recovery.found is not None and materials.settled)
    assert materials.recovery.network.name == "laptop.safetensors" and len(materials.recovery.found.names) == 3
    ball = shell.view.panels["Relit"].canvases["ball"]
    before = ball.look().clone()
    driver.drag("azimuth##lamp", -60.0)
    driver.drag("turn", 90.0)
    until(shell, lambda: materials.settled)
    after = ball.look()
    assert after.shape == before.shape and (after - before).abs().mean() > 0.02
    show(shell, tmp_path, "materials")

    driver.click("Fit")
    assert driver.labels("Controls")[0] == "Open Image..."
    assert set(driver.labels("Pages")) == {*(name for name, _ in PAGES.values()), "Undo", "Redo"}
