"""Histograms: counts against numpy's, when they are counted, and the handles that set the range."""

import numpy as np
import pytest
import torch

from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.histogram import BINS, SAMPLE_PIXELS, Histogram, count, stride_of
from easel.viewer.canvas.histogram_plot import remarks
from easel.viewer.driver import Driver
from easel.viewer.imgui.events import KeyChanged, PointerButton, PointerMoved


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def test_counts_are_numpys():
    values = noise(40, 50, 3) * 3 - 1
    counts = count(values)
    assert counts is not None
    for channel, shares in enumerate(counts.shares):
        expected, edges = np.histogram(values[..., channel].numpy(), BINS, (values.min().item(), values.max().item()))
        assert np.abs(shares * 2000 - expected).sum() <= 8  # rounding may move a value that lies on an edge
        assert np.allclose(counts.edges, edges, atol=1e-6)
    assert counts.shares.sum(axis=1) == pytest.approx(1)
    assert (counts.low, counts.high) == (values.min().item(), values.max().item())


def test_every_level_of_8_bits_has_a_bin_of_its_own():
    levels = torch.arange(256).reshape(16, 16, 1) / 255
    assert (count(levels).shares == 1 / 256).all()


def test_logarithmic_bins_have_equal_ratios_and_tell_what_they_cannot_show():
    values = torch.tensor([0.0, -1.0, 0.001, 0.01, 0.1, 1.0, 10.0, 1000.0]).reshape(2, 4, 1)
    counts = count(values, log_values=True)
    ratios = counts.edges[1:] / counts.edges[:-1]
    assert ratios == pytest.approx(ratios[0], rel=1e-4) and counts.edges[0] == pytest.approx(0.001)
    assert counts.hidden == pytest.approx(0.25) and "25.0% too low" in remarks(counts)


def test_strange_and_constant_values():
    values = torch.full((4, 4, 1), 0.5)
    values[0, 0], values[0, 1] = torch.nan, torch.inf
    counts = count(values)
    assert counts.invalid == 2 and counts.low == counts.high == 0.5 and counts.shares.sum() == pytest.approx(14 / 16)
    assert count(torch.full((2, 2, 1), torch.nan)) is None
    assert count(torch.full((2, 2, 1), 7.0)).shares.max() == 1


def test_alpha_is_not_counted_and_many_channels_are_counted_as_one():
    assert len(count(noise(4, 4, 4)).shares) == 3
    assert len(count(noise(4, 4, 9)).shares) == 1


def test_large_pictures_are_sampled():
    for height, width in ((300, 400), (1024, 1024), (4096, 4096), (3, 10**6)):
        stride = stride_of(height, width)
        assert (height // stride) * (width // stride) <= SAMPLE_PIXELS
    assert stride_of(300, 400) == 1 and stride_of(4096, 4096) == 12


def test_a_still_picture_is_counted_once_and_a_live_one_within_its_share_of_time():
    clock = [0.0]
    histogram = Histogram(now=lambda: clock[0])

    def read() -> torch.Tensor:
        clock[0] += 0.01
        return noise(4, 4, 3)

    for _ in range(20):
        histogram.renew("a", False, read, 1)
        clock[0] += 1
    assert histogram.counted == 1
    began = clock[0]
    while clock[0] < began + 10:
        histogram.renew("b", True, read, 1)
        clock[0] += 0.001
    assert 80 <= histogram.counted <= 102  # 0.01 s of every 0.11


def test_counts_stay_when_the_next_ones_fail(monkeypatch):
    histogram = Histogram()
    histogram.renew("a", False, lambda: noise(4, 4, 3), 1)
    before, histogram._due = histogram.counts, 0.0
    monkeypatch.setattr("easel.viewer.canvas.histogram.count", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        histogram.renew("b", False, lambda: noise(4, 4, 3), 1)
    assert before is not None and histogram.counts is before


def test_it_counts_stored_values(open_headless):
    view = open_headless("Test", 800, 600)
    canvas = view.panel("P").canvas("c").bind(lambda: noise(30, 40, 3) * 9)
    canvas.tonemap = "neutral"
    assert canvas.histogram is None
    canvas.histogram = True
    view.run(max_frames=1)
    view.capture()
    view.run(max_frames=1)
    assert 8.5 < canvas.histogram.counts.high <= 9 and canvas.histogram.area is not None
    canvas.histogram = "log values"
    assert canvas.histogram.axes == "log values"
    canvas.histogram = False
    assert canvas.histogram is None
    with pytest.raises(ValueError, match="linear, log counts, log values"):
        canvas.histogram = "cubic"


def test_its_handles_set_the_range_and_the_canvas_below_does_not_notice(open_headless):
    view = open_headless("Test", 800, 600)
    canvas = view.panel("P").canvas("c").bind(noise(300, 400), live=False)
    canvas.histogram = True
    painted = []
    view.on_frame(lambda: painted.extend(canvas.strokes))
    driver = Driver(view)
    driver.frames(3)
    area, (start, stop) = canvas.histogram.area, canvas.histogram.span

    def at(value: float) -> PointerMoved:
        return PointerMoved(area.x + (value - start) / (stop - start) * area.width, area.y + area.height / 2)

    for event in (at(1.0), PointerButton(0, True), at(0.9), at(0.6), PointerButton(0, False)):
        view.post(event)
        view.run(max_frames=2)
    assert canvas.vmax == pytest.approx(0.6, abs=0.02) and canvas.vmin == pytest.approx(0)
    assert painted == [] and canvas.loupe.unzoomed
    assert canvas.look().max() == 1


def test_ctrl_h_shows_and_hides_it(open_headless):
    view = open_headless("Test", 800, 600)
    canvas = view.panel("P").canvas("c").bind(noise(300, 400), live=False)
    driver = Driver(view)
    driver.frames(2)
    for shown in (True, False):
        driver.move(canvas, 30, 250)
        view.post(KeyChanged("ctrl", True))
        driver.key("h")
        view.post(KeyChanged("ctrl", False))
        driver.frames(1)
        assert (canvas.histogram is not None) == shown


def test_flow_and_components_are_counted_as_their_range_means_them(open_headless):
    view = open_headless("Test", 800, 600)
    canvas = view.panel("P").canvas("c")
    canvas.channels = "norm"
    canvas.bind(torch.full((300, 400, 16), 0.25), live=False)
    canvas.histogram = True
    view.run(max_frames=2)
    assert canvas.histogram.counts.high == pytest.approx(1)


def test_a_canvas_too_small_for_it_goes_without(open_headless):
    view = open_headless("Test", 200, 150)
    canvas = view.panel("P").canvas("c").bind(noise(30, 40), live=False)
    canvas.histogram = True
    view.run(max_frames=2)
    assert canvas.histogram.area is None


def test_a_canvas_without_a_view_has_one_too():
    canvas = Canvas("c").bind(noise(4, 4))
    canvas.histogram = "log counts"
    assert canvas.histogram.axes == "log counts" and canvas.histogram.counts is None


def test_what_nobody_sees_is_not_counted(open_headless):
    view = open_headless("Test", 800, 600)
    front, back = (view.panel(name) for name in ("front", "back"))
    canvas = back.canvas("c").bind(noise(30, 40), live=False)
    canvas.histogram = True
    back.open = False
    view.run(max_frames=3)
    assert canvas.histogram.counted == 0 and front.open
