"""A person's way through all pages, by what is written on them, with a picture of each."""

import pytest
import torch
from PIL import Image

from easel.graphics.image import imwrite
from easel.viewer.driver import Driver
from easel.workstation.app import PAGES, WorkstationConfig, open_shell, open_view
from easel.workstation.photograph import load_photograph

LEAST_COLOURS = 500
"""An empty page has fewer."""


@pytest.fixture
def shell(gl, tmp_path, picture):
    Image.fromarray((picture * 255).round().byte().numpy()).save(tmp_path / "photograph.png")
    config = WorkstationConfig(image=tmp_path / "photograph.png", page="fit", out=tmp_path, headless=True, steps=40)
    with open_view("Easel", config) as view:
        shell = open_shell(view, config, load_photograph(config.image), "cpu")
        yield shell
        shell.close()


def turn(shell):
    assert shell.view.step()
    shell.advance()
    shell.view.end_step()


def show(shell, tmp_path, name):
    """The page as a picture, which is no empty one; nothing has failed until here."""
    assert [host.failure for host in shell.hosts.values() if host.failure] == []
    picture = shell.view.capture()
    imwrite(tmp_path / f"page-{name}.png", picture)
    assert len(torch.unique((picture * 255).round().to(torch.int).flatten(0, 1), dim=0)) > LEAST_COLOURS


@pytest.mark.slow
def test_fit_look_inside_breed_and_come_back(shell, tmp_path):
    driver = Driver(shell.view, lambda: turn(shell))
    driver.frames(2)
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

    driver.click("Art")
    art = shell.page("Art")
    driver.click("New seed")
    for _ in range(200):
        turn(shell)
        if art.settled:
            break
    show(shell, tmp_path, "art")

    driver.click("Materials")
    assert not shell.hosts["Materials"].failure
    assert set(driver.labels()) > set(PAGES.values()), "it offers more than the bar does"

    driver.click("Fit")
    assert driver.labels("Controls")[0] == "Open Image..."
