"""`easel materials preview` through its widgets, its drags and its command."""

import time
from dataclasses import replace

import pytest
import torch

from easel.cli import main
from easel.graphics.image import imread
from easel.materials.collection.procedural import procedural
from easel.materials.maps import MAP_NAMES
from easel.materials.rendering.environment import procedural_environment
from easel.viewer.driver import Driver
from easel.viewer.view import View
from easel.workstation.materials.material_page import MaterialPage
from easel.workstation.materials.material_view import MaterialView, Stage, StageLamp, Surroundings, film, poster
from easel.workstation.materials.relighting import DraftSize

DARK = Surroundings("none")


@pytest.fixture(scope="module")
def maps():
    return procedural(3, 32, "painted_metal")


@pytest.fixture
def material(maps):
    return MaterialView(maps)


@pytest.fixture
def page(gl, material, tmp_path):
    with View("material", 700, 420, backend="headless", strict=True) as view:
        page = MaterialPage(view, material, Stage(surroundings=DARK), tmp_path)
        yield page
        page.close()


@pytest.fixture
def driver(page):
    driver = Driver(page.view)
    driver.frames(2)
    return driver


def brightest(picture: torch.Tensor) -> tuple[float, float]:
    """Where the light lies: right and up from the middle, from -1 to 1."""
    light = picture.mean(-1) ** 4
    side = len(light)
    x = (torch.arange(side) + 0.5) / side * 2 - 1
    return float((light.sum(0) * x).sum() / light.sum()), float(-(light.sum(1) * x).sum() / light.sum())


@pytest.mark.parametrize("surface", ["ball", "plane"])
@pytest.mark.parametrize("turn", [0.0, 75.0])
def test_the_light_is_where_the_lamp_is_however_the_material_is_turned(material, surface, turn):
    draw = getattr(material, surface)
    stage = Stage(surroundings=DARK, tilt=0.0, turn=turn, repeats=1.0)
    for azimuth, axis, sign in ((0.0, 0, 1), (180.0, 0, -1), (90.0, 1, 1), (-90.0, 1, -1)):
        lit = draw(replace(stage, lamp=StageLamp(1.0, azimuth, 40.0)), 48, samples=1)
        assert sign * brightest(lit)[axis] > 0.08


def test_exposure_lamp_and_surroundings_add_light(material):
    dark = material.plane(Stage(lamp=StageLamp(0.0), surroundings=DARK), 24)
    assert dark.max() == 0
    lamp, both = (material.plane(Stage(surroundings=s), 24).mean() for s in (DARK, Surroundings("room")))
    brighter = material.plane(Stage(surroundings=DARK, exposure=1.0), 24).mean()
    assert 0 < lamp < both and lamp < brighter


def test_a_coarser_picture_is_of_the_same_material(material):
    stage = Stage(surroundings=DARK)
    fine, coarse = (material.ball(stage, side).mean((0, 1)) for side in (64, 16))
    assert torch.allclose(fine, coarse, atol=0.03)


def test_the_surroundings_of_a_file_are_those_that_were_given(maps):
    environment = procedural_environment("sky", 4, rows=16)
    stage = Stage(lamp=StageLamp(0.0), surroundings=Surroundings("file"))
    assert MaterialView(maps, environment).plane(stage, 16).mean() > 0.05
    assert MaterialView(maps).plane(stage, 16).max() == 0


def test_a_poster_has_both_pictures_and_the_maps(material, maps):
    ball, plane = torch.full((64, 64, 3), 0.3), torch.full((64, 64, 3), 0.6)
    sheet = poster(ball, plane, maps)
    assert (sheet[12:76, 12:76] == 0.3).all() and (sheet[12:76, 88:152] == 0.6).all()
    assert sheet[90:-12, 12:-12].std() > 0.05


def test_a_film_turns(material, tmp_path):
    assert film(material, Stage(surroundings=DARK), tmp_path / "turn.png", 16, frames=3) == tmp_path / "turn.png"
    frames = [imread(path) for path in sorted((tmp_path / "turn").iterdir())]
    assert len(frames) == 3 and not torch.equal(frames[0], frames[1])


def test_a_pace_finds_the_side_that_fits_and_stays():
    pace = DraftSize(0.04, 160)
    for _ in range(30):
        pace.note(1e-6 * pace.side**2)
    assert pace.side == pytest.approx(200, abs=2)
    pace.note(5.0)
    assert pace.side > 130


def test_drags_move_the_lamp_and_turn_the_material(page, driver, monkeypatch):
    # The driver points at pixels of a picture, which must not become a finer one during the drag.
    monkeypatch.setattr("easel.workstation.materials.relighting.MOST_SIDE", 97)
    driver.frames(2)
    height, width = page.ball.size
    driver.stroke(page.ball, [(width / 2, height / 2), (0.75 * width, height / 2)])
    assert page.relighting.stage.lamp.azimuth == pytest.approx(
        0, abs=3
    ) and page.relighting.stage.lamp.elevation == pytest.approx(60, abs=3)
    assert driver.read("azimuth##lamp") == page.relighting.stage.lamp.azimuth
    before = page.relighting.stage
    height, width = page.plane.size
    driver.stroke(page.plane, [(width / 2, height / 2), (width / 4, 0.6 * height)], button=1)
    assert page.relighting.stage.turn == pytest.approx(45, abs=3) and page.relighting.stage.tilt == pytest.approx(
        before.tilt + 18, abs=3
    )
    assert page.relighting.stage.lamp == before.lamp


def test_widgets_change_the_pictures(page, driver):
    before = page.plane.look()
    driver.type("exposure", "1.5")
    driver.frames(2)
    assert page.relighting.stage.exposure == 1.5 and page.plane.look().mean() > before.mean()
    driver.select("kind##surroundings", "room")
    driver.frames(1)
    assert page.relighting.stage.surroundings.kind == "room"


def test_pictures_are_small_while_something_moves_and_full_at_rest(page, driver):
    def settle():
        limit = time.monotonic() + 60
        while not page.relighting.settled:
            assert time.monotonic() < limit, "the pictures were never drawn in full"
            driver.frames(1)
            time.sleep(0.01)
        return page.ball.size[0]

    full = settle()
    height, width = page.ball.size
    driver.stroke(page.ball, [(width / 2, height / 2), (width / 3, height / 2)])
    assert page.ball.size[0] < full
    assert settle() == full


def test_maps_zoom_together_and_pictures_are_saved(page, driver, maps, tmp_path):
    driver.wheel(page.maps[0], 2)
    assert len({canvas.loupe.zoom for canvas in page.maps}) == 1 and page.maps[0].loupe.zoom > 1
    for canvas, name in zip(page.maps, MAP_NAMES, strict=True):
        assert torch.equal(canvas.look(), maps.picture(name))
    driver.click("Save pictures")
    assert {path.name for path in tmp_path.iterdir()} == {"ball.png", "plane.png", "preview.png"}
    assert "Saved" in page.relighting.notice


def test_the_command_writes_pictures_where_nobody_looks(gl, maps, tmp_path, capsys):
    maps.save(tmp_path / "oak")
    arguments = ["materials", "preview", str(tmp_path / "oak"), "--headless", "--size", "32", "--light", "none"]
    film = ["--turntable", str(tmp_path / "turn.gif"), "--frames", "2"]
    assert main([*arguments, "--out", str(tmp_path / "out"), *film]) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"ball.png", "plane.png", "preview.png"}
    assert (tmp_path / "turn.gif").exists() and "32 x 32 texels" in capsys.readouterr().out


def test_bad_input_ends_with_one_line_and_2(maps, tmp_path, capfd):
    maps.save(tmp_path / "oak")
    (tmp_path / "pine").mkdir()
    maps.save(tmp_path / "ash")
    (tmp_path / "ash" / "normal.png").write_bytes((tmp_path / "oak" / "normal.png").read_bytes()[:200])
    oak, out = str(tmp_path / "oak"), ["--out", str(tmp_path / "out")]
    for arguments, told in (
        ([str(tmp_path / "oka")], "Did you mean"),
        ([str(tmp_path / "oak" / "albedo.png")], "is a file"),
        ([str(tmp_path / "pine")], "albedo, roughness, metallic, normal missing"),
        ([str(tmp_path / "ash")], "normal.png"),
        ([oak, "--light", "sofbox"], "Did you mean 'softbox'"),
        ([oak, "--light", str(tmp_path / "none.hdr")], "no such file"),
        ([oak, "--repeats", "0"], "--repeats is 1 to 8"),
        ([oak, "--turntable", "turn.avi"], ".avi"),
    ):
        assert main(["materials", "preview", *arguments, "--headless", *out]) == 2
        lines = capfd.readouterr().err.strip().splitlines()
        assert len(lines) == 1 and told in lines[0]
