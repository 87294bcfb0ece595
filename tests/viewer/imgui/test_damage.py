"""Only what looks different is drawn again, and what was left looks as if all had been drawn."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from easel.viewer.backends.browser import BrowserBackend
from easel.viewer.backends.canvas_texture import paste
from easel.viewer.driver import Driver
from easel.viewer.imgui.damage import Box
from easel.viewer.imgui.events import PointerMoved
from easel.viewer.view import View


class Tab:
    """Somebody who looks all the time, and what they were given."""

    def __init__(self, view: View, monkeypatch: pytest.MonkeyPatch) -> None:
        assert isinstance(view._backend, BrowserBackend)
        self.view, self.damage = view, []
        monkeypatch.setattr(view._backend, "due", lambda: True)
        monkeypatch.setattr(view._backend.server, "offer", self._offer)
        for _ in range(4):
            self.look()

    def _offer(self, pixels: np.ndarray, damage: list[Box]) -> None:
        self.pixels, self.damage = pixels, damage

    def look(self) -> list[Box]:
        """Turn a frame; where it differed from the one before."""
        self.damage = []
        self.view.step()
        self.view.end_step()
        return self.damage

    def error(self) -> tuple[float, int]:
        """The share of pixels that a capture of the whole has otherwise by more than a level, and by how much at most.

        The same numbers take another way through the driver there.
        """
        whole = np.rint(self.view.capture().numpy() * 255).astype(int)
        apart = np.abs(whole - self.pixels[..., :3]).max(-1)
        return float((apart > 1).mean()), int(apart.max())


@pytest.fixture
def open_tab(
    gl: None, open_view: Callable[..., View], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[[View], Tab]:
    pytest.importorskip("aiohttp", reason="a view in a browser needs aiohttp")
    return lambda view: Tab(view, monkeypatch)


@pytest.fixture
def view(gl: None, open_view: Callable[..., View]) -> View:
    pytest.importorskip("aiohttp", reason="a view in a browser needs aiohttp")
    return open_view("Damage", 400, 300, backend="browser", scale=1)


def noise(seed: int, *shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def area(boxes: list[Box]) -> int:
    return sum(width * height for _, _, width, height in boxes)


def test_nothing_new_is_no_damage_and_a_widget_only_its_own(view, open_tab) -> None:
    controls = view.panel("Controls", side="left", width=0.5)
    controls.on_frame(lambda: (controls.slider("speed", 0.0, 10.0), controls.checkbox("on")))
    view.panel("Picture").canvas("c").bind(noise(0, 40, 50, 3))
    tab = open_tab(view)
    assert tab.look() == []
    controls.set("on", True)
    assert 0 < area(tab.look()) < 400 * 300 / 10
    controls.set("speed", 7.0)
    assert 0 < area(tab.look()) < 400 * 300 / 10
    assert tab.error() == (0, 0)


def test_a_new_picture_damages_its_own_place(view, open_tab) -> None:
    canvas = view.panel("P").canvas("c").bind(noise(0, 30, 40, 3))
    tab = open_tab(view)
    for seed, kind in enumerate((torch.float32, torch.uint8, torch.float16), 1):
        canvas.bind((noise(seed, 30, 40, 3) * (255 if kind is torch.uint8 else 1)).to(kind))
        tab.look()
        canvas.bind((noise(seed + 9, 30, 40, 3) * (255 if kind is torch.uint8 else 1)).to(kind))
        (box,) = tab.look()
        place = canvas.rectangle
        assert box == (place.x, place.y, place.width, place.height)
        share, most = tab.error()
        assert share < 0.005 and most <= 2, kind


def test_a_picture_of_another_shape_leaves_nothing_of_the_old_one(view, open_tab) -> None:
    canvas = view.panel("P").canvas("c").bind(torch.ones(20, 60, 3))
    tab = open_tab(view)
    for shape in ((60, 20, 3), (9, 9), (200, 700, 4)):
        canvas.bind(noise(len(shape), *shape))
        tab.look()
        assert tab.error()[0] < 0.005


def test_what_hovers_comes_and_goes(view, open_tab) -> None:
    panel = view.panel("P")
    panel.on_frame(lambda: panel.button("Go") and None)
    view.panel("Q").canvas("c").bind(noise(0, 30, 40, 3))
    tab = open_tab(view)
    spot = Driver(view)._spot("Go", None)
    for place in ((spot.x + 3.0, spot.y + 3.0), (200.0, 200.0), (1.0, 1.0)):
        view.post(PointerMoved(*place))
        for _ in range(3):
            tab.look()
        assert tab.error()[0] < 0.005


def test_a_zoomed_picture_of_squares_follows_the_loupe(view, open_tab) -> None:
    canvas = view.panel("P").canvas("c").bind(noise(0, 30, 40, 3))
    canvas.filter = "nearest"
    tab = open_tab(view)
    for zoom, center in ((4.0, (0.5, 0.5)), (4.0, (0.3, 0.6)), (1.0, (0.5, 0.5))):
        canvas.loupe.zoom, canvas.loupe.center = zoom, center
        assert tab.look()
        assert tab.error()[0] < 0.005


def test_who_looks_is_shown_also_what_a_recording_has_drawn_first(view, open_tab) -> None:
    pictures = iter(noise(seed, 20, 20, 3) for seed in range(9))
    canvas = view.panel("P").canvas("c").bind(lambda: next(pictures), live=False)
    tab = open_tab(view)
    canvas.refresh()
    view._backend.due = lambda: False
    tab.look()
    view.capture()
    view._backend.due = lambda: True
    tab.look()
    assert tab.error()[0] < 0.005


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pasting_is_linear_filtering(channels: int) -> None:
    picture = noise(channels, 13, 17, channels)
    part = np.zeros((31, 29, 4), np.uint8)
    assert paste(picture, part)
    planes = torch.nn.functional.interpolate(picture.permute(2, 0, 1)[None], (31, 29), mode="bilinear")[0]
    expected = (planes[:3] if channels > 1 else planes.repeat(3, 1, 1)).permute(1, 2, 0) * 255
    assert (torch.from_numpy(part[..., :3]) - expected).abs().max() < 2
    assert not paste(picture, np.zeros((6, 8, 4), np.uint8)), "an average of pixels is left to others"
