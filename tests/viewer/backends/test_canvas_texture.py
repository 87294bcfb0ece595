"""A canvas has one set of textures, for as long as it lives."""

import gc

import pytest
import torch

from easel.viewer.backends.canvas_texture import CanvasTexture


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[CanvasTexture]:
    """The textures that are made from here on."""
    textures: list[CanvasTexture] = []
    make = CanvasTexture.__init__
    monkeypatch.setattr(CanvasTexture, "__init__", lambda self, *given: (textures.append(self), make(self, *given))[1])
    return textures


def test_textures_are_made_once_for_every_canvas(open_headless, made):
    view = open_headless()
    panel = view.panel("P")
    for number in range(4):
        panel.canvas(f"c{number}").bind(torch.rand(32, 32, 3))
    for _ in range(20):
        view.step()
        view.end_step()
        view.capture()
    assert len(made) == 4


def test_a_dropped_canvas_gives_its_textures_back(open_headless, made):
    view = open_headless()
    page = view.page("Page")
    page.panel("P").canvas("old").bind(torch.rand(8, 8, 3))
    view.run(max_frames=2)
    view.capture()
    kept = view._backend._renderer._textures
    assert len(kept) == 1
    page.clear()
    page.panel("P").canvas("new").bind(torch.rand(8, 8, 3))
    view.run(max_frames=2)
    gc.collect()
    view.capture()
    assert len(made) == 2 and list(kept.values()) == [made[1]]
