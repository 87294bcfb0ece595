import math
from itertools import pairwise

import pytest
import torch

from easel.materials.collection.procedural import procedural
from easel.materials.maps import MaterialMaps
from easel.materials.rendering.light_json import light_from_json
from easel.materials.rendering.plane import render_plane
from easel.materials.synthesis.degrade import Faults, photograph
from easel.materials.synthesis.photo_setups import PhotoSetups, incident, misaimed

MAPS = procedural(3, 16)


def flat(albedo=1.0, roughness=1.0, metallic=0.0, size=8):
    grey = [
        torch.full((channels, size, size), value) for channels, value in ((3, albedo), (1, roughness), (1, metallic))
    ]
    return MaterialMaps(*grey, torch.tensor([0.0, 0.0, 1.0])[:, None, None].expand(3, size, size))


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def twins():
    scenes = PhotoSetups(seed=4, size=16, views=2, both=True)
    return {source: scenes.take(MAPS, 2, source) for source in ("clean", "dirty")}


@pytest.mark.slow
def test_a_sample_is_a_function_of_its_index_alone(twins):
    scenes = PhotoSetups(seed=4, size=16, views=2, both=True)
    scenes.take(MAPS, 0, "dirty")
    again = scenes.take(MAPS, 2, "dirty")
    assert all(torch.equal(a, b) and s == t for (a, s), (b, t) in zip(twins["dirty"], again, strict=True))
    other = scenes.take(MAPS, 3, "dirty")
    assert not torch.equal(again[0][0], other[0][0])


def test_the_record_makes_the_clean_photo_again(twins):
    for picture, shot in twins["clean"]:
        lights = [light_from_json(light) for light in shot.lights]
        light = render_plane(MAPS, shot.camera, lights) * shot.exposure
        torch.testing.assert_close(photograph(light, Faults(), torch.Generator()), picture, atol=2e-3, rtol=0)
        assert not shot.artefacts


def test_twins_differ_by_what_the_record_says(twins):
    for (clean, pristine), (dirty, spoiled) in zip(*twins.values(), strict=True):
        assert (pristine.camera, pristine.lights, pristine.exposure) == (
            spoiled.camera,
            spoiled.lights,
            spoiled.exposure,
        )
        assert not torch.equal(clean, dirty)
        assert {"exposure_stops", "white_balance", "jpeg_quality"} <= spoiled.artefacts.keys()
        assert {"smudges", "shadow"} & spoiled.artefacts.keys()


def test_cameras_look_at_the_tile_from_all_around():
    cameras = [camera for index in range(60) for camera in PhotoSetups(seed=1).cameras(index)]
    for camera in cameras:
        assert math.dist(camera.position, (0, 0, 0)) == pytest.approx(0.6)
        assert camera.position[2] >= 0.6 * math.cos(math.radians(40)) - 1e-9
    quarters = {(camera.position[0] > 0, camera.position[1] > 0) for camera in cameras}
    assert len(quarters) == 4 and len({camera.position for camera in cameras}) == len(cameras)


@pytest.mark.parametrize("views", [1, 3, 8])
def test_photos_of_a_sample_are_from_all_sides_and_one_from_above(views):
    for index in range(10):
        places = [camera.position for camera in PhotoSetups(seed=1, views=views).cameras(index)]
        tilts = [math.degrees(math.acos(z / math.hypot(x, y, z))) for x, y, z in places]
        assert sorted(int(tilt * views / 40.001) for tilt in tilts) == list(range(views))
        around = sorted(math.degrees(math.atan2(y, x)) for x, y, _ in places)
        gaps = [after - before for before, after in pairwise([*around, around[0] + 360])]
        assert max(gaps) <= 720 / views + 1e-6


def test_the_flash_is_beside_the_lens():
    scenes = PhotoSetups(seed=1)
    for index in range(20):
        cameras = scenes.cameras(index)
        for camera, flash in zip(cameras, scenes.flashes(index, cameras), strict=True):
            assert 0.005 < math.dist(camera.position, flash.position) < 0.05
    assert PhotoSetups(light="room").flashes(0, cameras) == [None] * 3


def test_flash_outshines_the_dim_room():
    assert all(0.02 <= PhotoSetups().surroundings(index).strength <= 0.2 for index in range(2))
    brighter = [PhotoSetups(light="mixed").surroundings(index) for index in range(4)]
    assert max(room.strength for room in brighter) > 1
    assert len({room.source.split(":")[0] for room in brighter}) > 1
    assert PhotoSetups(light="room").surroundings(0).strength == 1


@pytest.mark.parametrize("light", ["flash", "room", "mixed"])
def test_the_exposure_shows_a_white_card_as_white(light):
    card = flat()
    for picture, _ in PhotoSetups(size=16, views=1, light=light).take(card, 1, "clean"):
        assert 0.75 < picture[6:10, 6:10].mean() < 0.97


def test_the_meter_measures_what_a_white_sheet_reflects():
    scenes = PhotoSetups(light="mixed")
    room, (flash, *_) = scenes.surroundings(1), scenes.flashes(1, scenes.cameras(1))
    assert incident(room, flash) == pytest.approx(incident(room, None) + incident(room.turned(0, 0.0), flash))
    assert incident(room, None) == pytest.approx(room.strength, rel=0.1)


def test_a_quarter_is_dirty():
    sources = [PhotoSetups(seed=3).sources(index) for index in range(1000)]
    assert 0.21 < sources.count(("dirty",)) / 1000 < 0.29
    assert {PhotoSetups(p_dirty=0.0).sources(index) for index in range(50)} == {("clean",)}
    assert {PhotoSetups(both=True).sources(index) for index in range(50)} == {("clean", "dirty")}


def test_every_dirty_sample_has_a_shadow_or_dirt():
    mishaps = [PhotoSetups(seed=3).mishaps(index) for index in range(1000)]
    assert all(shadow is not None or lens is not None for shadow, lens in mishaps)
    # of those with either, which are 9 in 10
    assert sum(shadow is not None for shadow, _ in mishaps) / 1000 == pytest.approx(0.75 / 0.9, abs=0.04)
    assert sum(lens is not None for _, lens in mishaps) / 1000 == pytest.approx(0.60 / 0.9, abs=0.05)


@pytest.mark.parametrize(("right", "down"), [(1.5, 0.0), (0.0, -2.0), (0.7, 1.1)])
def test_aim_moves_the_middle_of_the_photo(right, down):
    camera = PhotoSetups(size=200).cameras(7)[0]
    seen = misaimed(camera, right, down).uv_to_pixel() @ torch.tensor([0.5, 0.5, 1.0])
    x, y = (seen[:2] / seen[2]).tolist()
    assert (x - 100, y - 100) == pytest.approx((right, down), abs=0.02)
