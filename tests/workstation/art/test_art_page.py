"""The Art page through its widgets, its drags and its files."""

import json
import time
from pathlib import Path

import pytest
import torch

from easel.fields.art.architecture import Architecture
from easel.fields.artist.inrf import INRF2D, INRF3D
from easel.fields.artist.recipe import Recipe
from easel.fields.model.latents import Fields
from easel.graphics.image import imread, imwrite
from easel.viewer.driver import Driver
from easel.viewer.imgui.events import FilesDropped
from easel.viewer.view import View
from easel.workstation.art.art_page import ArtPage
from easel.workstation.art.art_session import ArtSession
from easel.workstation.art.genome import Genome
from easel.workstation.art.variations import GAP, PARENT, THUMBNAIL, framed_sheet, number_at
from easel.workstation.art.viewport import Viewport

SMALL = Recipe(3, (64, 64, 3), Architecture(topology="simple", width=8, latent_dim=2), latent_scale=2.0)


@pytest.fixture
def page(gl, tmp_path):
    with View("art", 620, 460, backend="headless", strict=True) as view:
        page = ArtPage(view.page("Art"), tmp_path)
        page.session.history[0].genome = Genome(SMALL)
        page.turn = lambda: view.step() and (page.advance(), view.end_step())
        page.window = view
        yield page
        page.close()


@pytest.fixture
def driver(page):
    driver = Driver(page.window, page.turn)
    driver.frames(3)
    return driver


def settle(page: ArtPage, *, bred: bool = False) -> torch.Tensor:
    """What the picture's canvas shows when it is painted, files are written and, if asked for, offspring are there."""
    until = time.monotonic() + 120
    page.turn()
    while not page.painting.settled or page.session.job is not None or (bred and not page.settled):
        assert time.monotonic() < until
        time.sleep(0.03)
        page.turn()
    page.turn()
    return page.picture.look()


def rendered(page: ArtPage) -> torch.Tensor:
    fields = Fields(page.size, page.session.viewport.extent)
    return page.session.genome.model.generate(fields=fields, supersample=2)


def click(driver: Driver, canvas, number: int, columns: int) -> None:
    row, column = divmod(number, columns)
    pitch = THUMBNAIL + GAP
    driver.stroke(canvas, [(GAP + (column + 0.5) * pitch, GAP + (row + 0.5) * pitch)])


def test_the_picture_is_as_large_as_its_panel_and_the_field_at_its_window(page, driver):
    picture = settle(page)
    area = page.picture.rectangle
    assert picture.shape[:2] == page.size == (area.height, area.width)
    assert torch.equal(picture, rendered(page))


def test_wheel_and_drags_fly_into_the_picture(page, driver):
    height, width = page.picture.size
    driver.wheel(page.picture, 8, at=(width / 4, height / 4))
    viewport = page.session.viewport
    assert viewport.zoom == pytest.approx((4, 4)) and viewport.center[0] < -0.3 and viewport.center[1] < -0.3
    driver.stroke(page.picture, [(60, 60), (90, 50)])
    moved = page.session.viewport
    assert moved.center == pytest.approx(viewport.dragged((30, -10), page.size).center, abs=1e-3)
    assert torch.equal(settle(page), rendered(page))
    page.actions()["Whole picture"]()
    assert page.session.viewport == Viewport()


def test_breeding_goes_on_from_the_picture_that_is_clicked_and_back_again(page, driver):
    settle(page, bred=True)
    parent, variations = page.session.genome, page.session.variations
    click(driver, page.variations, 0, 3)
    chosen = page.session.genome
    assert chosen is variations.genomes[0] and chosen is not parent
    settle(page, bred=True)
    assert torch.equal(page.session.variations.thumbnails[PARENT], variations.thumbnails[0])
    page.window.undo()
    assert page.session.genome is parent
    page.window.redo()
    assert page.session.genome is chosen
    click(driver, page.history, 0, 9)
    assert page.session.genome is parent
    page.window.undo()
    assert page.session.genome is chosen


def test_new_variations_are_others_and_ways_differ(page, driver):
    settle(page, bred=True)
    before = page.session.variations
    driver.click("New variations")
    settle(page, bred=True)
    assert page.session.variations is not before
    assert not torch.equal(page.session.variations.thumbnails[0], before.thumbnails[0])
    driver.select("Vary", "Weights")
    driver.frames(1)
    settle(page, bred=True)
    assert page.session.variations.genomes[0].recipe.draw > 0


def test_sliders_turn_traits_and_latents_and_undo_takes_back_all_of_a_turn(page, driver):
    first = page.session.genome
    driver.drag("width", 16)
    assert page.session.genome.traits.width == pytest.approx(16, abs=2) and len(page.session.history) == 2
    driver.type("z2", "1.5")
    assert page.session.genome.latent == pytest.approx((first.latent[0], 1.5))
    for _ in range(2):
        page.window.undo()
        driver.frames(2)
    assert page.session.genome is first
    assert driver.read("width") == 8 and driver.read("z2") == pytest.approx(first.latent[1])
    driver.select("topology", "conv")
    assert page.session.genome.traits.topology == "conv" and len(page.session.history) == 2


def test_undo_goes_back_through_all_that_was_done_in_its_order(page, driver):
    """Whatever it was: another picture, a slider of the field, how strongly offspring differ, other offspring."""
    kept, session = [], page.session

    def seen():
        return session.genome, session.generation, driver.read("Strength")

    for act in (
        lambda: driver.click("New seed"),
        lambda: driver.drag("width", 30),
        lambda: driver.drag("Strength", 0.5),
        lambda: driver.click("New variations"),
        page.surprise,
    ):
        kept.append(seen())
        act()
        driver.frames(1)
        assert seen() != kept[-1]
    last = seen()
    for before in reversed(kept):
        page.window.undo()
        driver.frames(2)
        assert seen() == before
    for _ in kept:
        page.window.redo()
        driver.frames(2)
    assert seen() == last


def test_a_saved_picture_is_what_is_seen_and_dropped_it_comes_back(page, driver, tmp_path):
    page.window.on_drop(lambda dropped: page.open(Path(dropped.paths[0])))
    page.session.viewport = Viewport((0.2, -0.4), (3.0, 3.0))
    driver.select("Shape", "Square")
    driver.type("Longer side", "512")
    driver.click("Save picture")
    settle(page)
    file = tmp_path / "art-3.png"
    seen, genome = page.session.viewport, page.session.genome
    exact = genome.model.generate(fields=Fields((512, 512), seen.extent), supersample=2, dtype="uint8")
    assert torch.equal((imread(file, channels=3) * 255).round().to(torch.uint8), exact)
    driver.click("Surprise me")
    page.window.post(FilesDropped((str(file),)))
    driver.frames(2)
    assert page.session.genome is not genome
    assert page.session.viewport.center == pytest.approx(seen.center) and page.session.viewport.zoom == pytest.approx(
        seen.zoom
    )
    page.session.viewport = seen
    assert torch.equal(settle(page), genome.model.generate(fields=Fields(page.size, seen.extent), supersample=2))


def test_films_are_written_and_can_be_given_up(page, driver, tmp_path):
    session = page.session
    for kind in ("zoom", "latent walk"):
        session.film(tmp_path / f"{kind}.png", kind, (8, 12), 5, 24)
        settle(page)
        assert not page.failed, page.notice
        frames = [imread(path, channels=3) for path in sorted((tmp_path / kind).iterdir())]
        assert len(frames) == 5 and frames[0].shape == (8, 12, 3) and not torch.equal(frames[0], frames[1])
    session.save(tmp_path / "large.png", (4096, 4096))
    driver.click("Give up")
    settle(page)
    assert page.failed and not (tmp_path / "large.png").exists()


def test_files_without_a_recipe_are_not_of_its_kind_and_bad_ones_are_told(page, tmp_path):
    imwrite(tmp_path / "photo.png", torch.rand(4, 4, 3))
    (tmp_path / "notes.txt").write_text("x")
    assert not page.open(tmp_path / "photo.png") and not page.open(tmp_path / "notes.txt")
    INRF3D(output_shape=(4, 4, 4, 3), seed=1).save(tmp_path / "volume.safetensors")
    assert page.open(tmp_path / "volume.safetensors") and page.failed and "axes" in page.notice
    assert page.open(tmp_path / "gone.png") and page.failed
    INRF2D(output_shape=(4, 4, 2), seed=1).save(tmp_path / "two.safetensors")
    assert page.open(tmp_path / "two.safetensors") and "channels" in page.notice
    assert len(page.session.history) == 1


def test_a_fitted_field_is_shown_and_has_no_sliders(page, driver, tmp_path):
    model = INRF2D(output_shape=(16, 16, 3), seed=1)
    model.fit(torch.rand(16, 16, 3), steps=2)
    model.save(tmp_path / "fitted.safetensors")
    assert page.open(tmp_path / "fitted.safetensors")
    driver.frames(2)
    assert "topology" not in driver.labels("Field")
    assert torch.equal(settle(page), rendered(page))


@pytest.mark.parametrize("from_file", [False, True])
def test_a_session_brings_the_very_picture_back(from_file, tmp_path):
    session, other = ArtSession(Genome(SMALL)), ArtSession()
    if from_file:
        session.genome.model.save_image(tmp_path / "it.png", size=(8, 8))
        assert session.open(tmp_path / "it.png")
    session.viewport, session.varied, session.generation = Viewport((0.5, 0.1), (9.0, 9.0)), "weights", 4
    other.restore(json.loads(json.dumps(session.state())))
    assert other.state() == session.state()
    pictures = [s.genome.model.generate(fields=Fields((9, 9), s.viewport.extent)) for s in (session, other)]
    assert torch.equal(*pictures)
    for wrong in (
        {},
        session.state() | {"way": "magic"},
        session.state() | {"recipe": "it.png"},
        session.state() | {"recipe": {"format": 99}},
    ):
        with pytest.raises((ValueError, KeyError, TypeError)):
            other.restore(wrong)
    for s in (session, other):
        s.close()


def test_a_sheet_tells_what_is_at_a_point():
    sheet = framed_sheet([None] * 9, 3, PARENT)
    assert sheet.shape == (3 * (THUMBNAIL + GAP) + GAP,) * 2 + (3,)
    centres = [(GAP + (n % 3 + 0.5) * (THUMBNAIL + GAP), GAP + (n // 3 + 0.5) * (THUMBNAIL + GAP)) for n in range(9)]
    assert [number_at(at, 3, 9) for at in centres] == list(range(9))
    assert number_at(centres[8], 3, 8) is None and number_at((-9, 5), 3, 9) is None
