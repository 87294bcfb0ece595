"""A canvas against another: exact pixels of every mode, and the numbers of what is displayed."""

import math

import pytest
import torch

from easel.graphics.color import colormap
from easel.graphics.flip import flip_map
from easel.graphics.image import imread
from easel.graphics.metrics import psnr, ssim
from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.comparison import FLICKER_SECONDS, Comparison
from easel.viewer.canvas.overlay import closeness
from easel.viewer.driver import Driver
from easel.viewer.imgui.events import KeyChanged


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def pair() -> tuple[Canvas, Canvas]:
    return Canvas("mine").bind(noise(30, 40, 3)), Canvas("theirs").bind(noise(30, 40, 3, seed=1))


def test_a_wipe_has_one_left_and_the_other_right_of_its_line():
    mine, theirs = pair()
    a, b = mine.look(), theirs.look()
    mine.compare(theirs)
    for split in (0.0, 0.3, 1.0):
        mine.comparison.split = split
        column = round(40 * split)
        assert torch.equal(mine.look(), torch.cat([a[:, :column], b[:, column:]], dim=1))
    mine.compare(None)
    assert mine.look() is a or torch.equal(mine.look(), a)


def test_differences_are_the_formulas_in_false_colour():
    mine, theirs = pair()
    a, b = mine.look(), theirs.look()
    l1, l2 = (a - b).abs().mean(-1), (a - b).square().mean(-1).sqrt()
    assert torch.equal(mine.compare(theirs, "l1").look(), colormap(l1, vmin=0, vmax=1))
    assert torch.equal(mine.compare(theirs, "l2", gain=4).look(), colormap(l2, vmin=0, vmax=0.25))
    same = Canvas("same").bind(a)
    assert torch.equal(mine.compare(same, "ssim").look(), colormap(torch.zeros(30, 40), vmin=0, vmax=1))


def test_flicker_takes_turns():
    mine, theirs = pair()
    clock = [0.0]
    mine.comparison = Comparison(theirs, "flicker", now=lambda: clock[0])
    shown = []
    for turn in range(4):
        clock[0] = (turn + 0.5) * FLICKER_SECONDS
        shown.append(mine.look())
    assert torch.equal(shown[0], mine.mapped()) and torch.equal(shown[1], theirs.mapped())
    assert torch.equal(shown[2], shown[0]) and torch.equal(shown[3], shown[1])


def test_numbers_are_those_of_what_is_displayed():
    mine, theirs = pair()
    mine.exposure = 1.0
    mine.compare(theirs)
    mine.look()
    a, b = mine.mapped(), theirs.mapped()
    assert mine.comparison.psnr == pytest.approx(psnr(a, b).item())
    assert mine.comparison.ssim == pytest.approx(ssim(a, b).item())
    mine.compare(mine).look()
    assert mine.comparison.psnr == math.inf


def test_pictures_of_other_sizes_and_types_compare():
    mine = Canvas("mine").bind(noise(30, 40))
    for tensor in (noise(15, 20, 3), noise(60, 80, 4), torch.zeros(30, 40, dtype=torch.uint8)):
        assert mine.compare(Canvas("o").bind(tensor), "wipe").look().shape == (30, 40, 3)
    assert torch.equal(mine.compare(Canvas("unbound")).look(), mine.mapped())


def test_two_canvases_may_be_compared_with_each_other():
    mine, theirs = pair()
    mine.compare(theirs)
    theirs.compare(mine)
    assert torch.equal(torch.cat([mine.look()[:, :20], theirs.look()[:, 20:]], dim=1), mine.mapped())


def test_bad_comparisons_are_named():
    mine, theirs = pair()
    with pytest.raises(ValueError, match=r"unknown comparison 'swipe'. Known: wipe, flicker, l1"):
        mine.compare(theirs, "swipe")
    with pytest.raises(ValueError, match="gain is above 0"):
        mine.compare(theirs, "l1", gain=0)


def test_a_refused_comparison_leaves_the_one_that_there_was():
    mine, theirs = pair()
    before = mine.compare(theirs).comparison
    with pytest.raises(ValueError, match="unknown comparison"):
        mine.compare(theirs, "swipe")
    assert before is not None and mine.comparison is before


def test_the_line_of_a_wipe_can_be_dragged_and_is_saved_as_shown(open_headless, tmp_path):
    view = open_headless()
    mine = view.panel("P").canvas("mine").bind(torch.zeros(48, 64, 3), live=False)
    mine.compare(Canvas("theirs").bind(torch.ones(48, 64, 3)))
    driver = Driver(view)
    driver.frames(2)
    driver.stroke(mine, [(10, 40), (30, 40)])
    assert mine.comparison.split == 0.5  # not on the line
    driver.stroke(mine, [(32, 40), (20, 40), (16, 40)])
    assert mine.comparison.split == pytest.approx(0.25, abs=0.01)
    assert mine.grabbed is None
    area, picture = mine.rectangle, view.capture()
    row = picture[int(area.y + area.height * 0.8), int(area.x) : int(area.x + area.width), 0]
    assert row[: len(row) // 5].max() == 0 and row[len(row) // 3 :].min() == 1
    mine.save(tmp_path / "wipe.png")
    saved = imread(tmp_path / "wipe.png", device="cpu")[0, :, 0]
    assert saved[:15].max() == 0 and saved[17:].min() == 1


def test_relative_and_visible_differences_are_the_formulas_too():
    mine, theirs = pair()
    a, b = mine.look(), theirs.look()
    relative = ((a - b).abs() / (b + 0.01)).mean(-1)
    assert torch.equal(mine.compare(theirs, "relative", gain=2).look(), colormap(relative, vmin=0, vmax=0.5))
    assert torch.equal(mine.compare(theirs, "flip").look(), colormap(flip_map(a, b), vmin=0, vmax=1))


def test_numbers_are_of_the_region_alone_and_at_once():
    mine, theirs = pair()
    mine.compare(theirs)
    mine.look()
    whole = mine.comparison.psnr
    mine.comparison.region = (4, 10, 20, 35)
    mine.look()
    a, b = mine.mapped()[4:20, 10:35], theirs.mapped()[4:20, 10:35]
    assert mine.comparison.psnr == pytest.approx(psnr(a, b).item()) != whole
    assert mine.comparison.ssim == pytest.approx(ssim(a, b).item())
    assert mine.comparison.l1 == pytest.approx((a - b).abs().mean().item(), rel=1e-5)
    assert closeness(mine.comparison).endswith("in 25 x 16 at 10, 4")
    mine.comparison.region = None
    mine.look()
    assert mine.comparison.psnr == whole
    with pytest.raises(ValueError, match="top, left, bottom, right"):
        mine.comparison.region = (5, 5, 5, 9)


def test_a_region_that_the_picture_has_left_has_no_numbers():
    mine, theirs = pair()
    mine.compare(theirs).comparison.region = (25, 30, 30, 40)
    mine.bind(noise(8, 8, 3)).look()
    assert mine.comparison.psnr is None and closeness(mine.comparison) == ""


def test_a_drag_with_shift_chooses_the_region_and_a_click_gives_it_up(open_headless):
    view = open_headless()
    mine = view.panel("P").canvas("mine").bind(noise(48, 64, 3), live=False)
    mine.compare(Canvas("theirs").bind(noise(48, 64, 3, seed=1)), "l1")
    driver = Driver(view)
    driver.frames(2)
    view.post(KeyChanged("shift", True))
    driver.stroke(mine, [(10.2, 8.3), (20, 20), (41.5, 30.6)])
    assert mine.comparison.region == (8, 10, 31, 42)
    assert mine.grabbed is None and mine.strokes == ()
    driver.stroke(mine, [(5, 5)])
    assert mine.comparison.region is None
    view.post(KeyChanged("shift", False))
    driver.stroke(mine, [(10, 8), (41, 30)])
    assert mine.comparison.region is None
