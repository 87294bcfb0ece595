"""`easel view` through its widgets, its keys and its command."""

import time

import pytest
import torch
from PIL import Image

from easel.cli import main
from easel.graphics.image import imread, imwrite
from easel.viewer.driver import Driver
from easel.viewer.imgui.events import KeyChanged
from easel.viewer.view import View
from easel.workstation.view_page import ViewPage, describe, load


@pytest.fixture
def files(tmp_path, picture):
    """Two pictures of one size, one of another, and one of light."""
    imwrite(tmp_path / "first.png", picture)
    imwrite(tmp_path / "second.png", picture.flip(1))
    Image.new("L", (5, 4), 128).save(tmp_path / "small.png")
    imwrite(tmp_path / "light.hdr", picture * 4)
    return [tmp_path / name for name in ("first.png", "second.png", "small.png", "light.hdr")]


@pytest.fixture
def page(gl, files, tmp_path):
    with View("pictures", 900, 600, backend="headless", strict=True) as view:
        yield ViewPage(view, [load(file) for file in files], tmp_path / "out")


@pytest.fixture
def driver(page):
    driver = Driver(page.view)
    driver.frames(2)
    return driver


def test_keys_flip_through_the_pictures_and_around(page, driver):
    shown = []
    for _ in range(4):
        shown.append(page.first.path.name)
        page.view.post(KeyChanged("right", True), KeyChanged("right", False))
        driver.frames(2)
    assert shown == ["first.png", "second.png", "small.png", "light.hdr"]
    assert page.first is page.pictures[0]
    page.view.post(KeyChanged("left", True), KeyChanged("left", False))
    driver.frames(2)
    assert page.first is page.pictures[3]


def test_two_of_one_size_are_compared(page, driver):
    assert "PSNR" in page.likeness
    driver.select("Beside", "1  first.png")
    driver.frames(1)
    assert page.likeness == "PSNR inf dB   SSIM 1.0000"


def test_different_sizes_say_so_instead(page, driver):
    driver.select("Beside", "3  small.png")
    driver.frames(1)
    assert "different sizes" in page.likeness


def test_a_wipe_shows_the_first_left_and_the_second_right(page, driver):
    driver.select("Compare", "Wipe")
    driver.frames(1)
    seen, half = page.canvas.look(), 16
    assert torch.equal(seen[:, :half], page.pictures[0].values[:, :half])
    assert torch.equal(seen[:, half:], page.pictures[1].values[:, half:])
    driver.select("Compare", "Side by side")
    driver.frames(1)
    assert torch.equal(page.canvas.look(), page.pictures[0].values)


def test_exposure_changes_what_is_shown_and_saved(page, driver, tmp_path):
    driver.type("Exposure", "1")
    driver.frames(2)
    driver.click("Save as shown")
    saved = imread(tmp_path / "out" / "first-shown.png", channels=3)
    stored = imread(tmp_path / "first.png", channels=3)
    assert torch.allclose(saved, (2 * stored).clamp(0, 1), atol=1.01 / 255)


def test_light_is_tone_mapped_and_pictures_are_not(page, driver):
    driver.select("Picture", "4  light.hdr")
    driver.frames(1)
    assert page.canvas.tonemap == "neutral"
    driver.select("Picture", "1  first.png")
    driver.frames(1)
    assert page.canvas.tonemap is None
    assert torch.equal(page.canvas.look(), page.pictures[0].values)


def test_tone_map_false_colour_and_reset(page, driver):
    driver.select("Picture", "4  light.hdr")
    driver.select("Tone map", "sRGB only")
    driver.frames(1)
    assert (page.canvas.tonemap, page.beside.tonemap) == ("srgb", None)
    driver.select("False colour", "hot")
    driver.frames(1)
    assert page.canvas.cmap == page.beside.cmap == "hot" and page.canvas.tonemap is None
    driver.type("Exposure", "2")
    driver.click("Reset display")
    driver.frames(2)
    display = page.canvas.display
    assert (display.cmap, display.exposure, display.tonemap) == (None, 0, "srgb")


def test_the_histogram_is_of_the_first_picture_and_logarithmic_for_light(page, driver):
    assert driver.read("Histogram") == "linear" and page.histogram.counts.high <= 1
    driver.select("Picture", "4  light.hdr")
    limit = time.monotonic() + 60
    while not 1 < page.histogram.counts.high <= 4:  # not counted again before its share of the time is over
        assert time.monotonic() < limit, "it was never counted again"
        driver.frames(1)
        time.sleep(0.01)
    assert driver.read("Histogram") == "log values"
    assert page.histogram.area.width > 100


def test_a_range_from_the_histogram_holds_for_both(page, driver):
    page.canvas.set_display(vmin=0.2, vmax=0.7)
    driver.frames(2)
    assert (page.beside.vmin, page.beside.vmax) == (0.2, 0.7)


def test_flip_has_numbers_of_a_region(page, driver):
    driver.select("Compare", "FLIP")
    driver.frames(1)
    page.canvas.comparison.region = (2, 3, 20, 30)
    driver.select("Compare", "Relative")
    driver.frames(2)
    assert page.canvas.comparison.mode == "relative" and page.canvas.comparison.region == (2, 3, 20, 30)


def test_openexr_is_light(exr, tmp_path, picture):
    imwrite(tmp_path / "light.exr", picture * 8)
    loaded = load(tmp_path / "light.exr")
    assert loaded.radiance and torch.equal(loaded.values, picture * 8)
    out = tmp_path / "out"
    assert main(["view", str(tmp_path / "light.exr"), "--headless", "--out", str(out)]) == 0
    assert (out / "view.png").exists()


def test_a_picture_in_words(files):
    assert describe(load(files[2])) == "small.png: 5 x 4, 1 channel, values 0.502 to 0.502, mean 0.502"


def test_without_a_screen_it_draws_the_window_once(gl, files, tmp_path, capsys):
    assert main(["view", *map(str, files[:2]), "--headless", "--out", str(tmp_path / "out")]) == 0
    assert imread(tmp_path / "out" / "view.png").shape[:2] == (800, 1280)
    assert "first.png: 32 x 24" in capsys.readouterr().out


def test_a_file_that_is_no_picture_ends_with_one_line_and_2(files, tmp_path, capfd):
    (tmp_path / "text.png").write_text("no picture")
    assert main(["view", str(files[0]), str(tmp_path / "text.png"), "--out", str(tmp_path / "out")]) == 2
    assert len(capfd.readouterr().err.strip().splitlines()) == 1
    assert main(["view", "--out", str(tmp_path / "out")]) == 2
