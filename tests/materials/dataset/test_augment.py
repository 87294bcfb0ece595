import math
from dataclasses import replace

import pytest
import torch

from easel.graphics.color import linear_to_srgb
from easel.materials.dataset.augment import Augmentation, brighten, draw, flip_h, flip_v, random_window, rot90
from easel.materials.dataset.registration import by_camera
from easel.materials.dataset.sample import PackedSample, pack, pack_maps
from easel.materials.rendering.lights import PointLight
from easel.materials.rendering.plane import render_plane
from easel.materials.rendering.plane_camera import PlaneCamera
from easel.materials.tiles import Crop

SIDE = 32
WHOLE = Crop(0, 0, SIDE, SIDE)


def photographed(maps, cameras, light, margin=0):
    """The record of a material under one lamp: highlights and slopes tell which way everything points."""
    pictures = [linear_to_srgb(render_plane(maps, camera, [light]).clamp(0, 1)) for camera in cameras]
    found = by_camera(pictures, cameras, (SIDE, SIDE), margin=margin)
    packed = pack(found.photos, torch.uint16)
    return PackedSample(packed, found.valid > 0, found.cameras, pack_maps(maps), found.margin)


def moved(camera, light, change):
    """Camera and lamp with their points changed; directions have no place."""
    x, y, z = change((0.0, 0.0, 0.0))
    up = tuple(a - b for a, b in zip(change(camera.up), (x, y, z), strict=True))
    position, target = change(camera.position), change(camera.target)
    return replace(camera, position=position, target=target, up=up), replace(light, position=change(light.position))


@pytest.fixture(scope="module")
def maps(scene):
    return scene.material(11, SIDE)


CAMERAS = [PlaneCamera.orbit(azimuth, tilt, width=80, height=80) for azimuth, tilt in ((35, 10), (190, 30))]
LIGHT = PointLight((0.15, 0.22, 0.35), (0.4, 0.35, 0.3))

TURNS = {
    "flip_h": (flip_h, lambda maps: maps.flip_h(), lambda p: (-p[0], p[1], p[2])),
    "flip_v": (flip_v, lambda maps: maps.flip_v(), lambda p: (p[0], -p[1], p[2])),
    "rot90": (lambda cut: rot90(cut, 1), lambda maps: maps.rot90(1), lambda p: (-p[1], p[0], p[2])),
    "rot180": (lambda cut: rot90(cut, 2), lambda maps: maps.rot90(2), lambda p: (-p[0], -p[1], p[2])),
    "rot270": (lambda cut: rot90(cut, 3), lambda maps: maps.rot90(3), lambda p: (p[1], -p[0], p[2])),
}


@pytest.mark.parametrize("turn", TURNS)
def test_a_turned_sample_is_what_turned_cameras_see_of_the_turned_material(maps, turn):
    of_cut, of_maps, of_point = TURNS[turn]
    turned = of_cut(photographed(maps, CAMERAS, LIGHT).crop(WHOLE, [0, 1]))
    world = [moved(camera, LIGHT, of_point) for camera in CAMERAS]
    expected = photographed(of_maps(maps), [camera for camera, _ in world], world[0][1]).crop(WHOLE, [0, 1])
    both = turned.valid * expected.valid
    assert (turned.valid != expected.valid).float().mean() < 0.01
    assert ((turned.photos - expected.photos).abs() * both).max() < 0.02
    assert torch.allclose(turned.cameras, expected.cameras, atol=1e-5)
    assert torch.allclose(turned.maps.to_tensor(), expected.maps.to_tensor(), atol=1e-4)


@pytest.mark.parametrize(("rows", "columns"), [(3, -4), (-4, 4)])
def test_a_shifted_sample_is_what_is_seen_of_a_tile_that_begins_elsewhere(maps, rows, columns):
    cut = photographed(maps, CAMERAS, LIGHT, margin=4).crop(Crop(rows, columns, SIDE, SIDE), [0, 1])
    x, y = -0.5 * columns / SIDE, 0.5 * rows / SIDE
    world = [moved(camera, LIGHT, lambda p: (p[0] + x, p[1] + y, p[2])) for camera in CAMERAS]
    expected = photographed(maps.roll(-rows, -columns), [camera for camera, _ in world], world[0][1])
    expected = expected.crop(WHOLE, [0, 1])
    both = cut.valid * expected.valid
    assert both.mean() > 0.75 and (cut.valid != expected.valid).float().mean() < 0.01
    assert ((cut.photos - expected.photos).abs() * both).max() < 0.02
    assert torch.allclose(cut.cameras, expected.cameras, atol=1e-5)
    assert torch.allclose(cut.maps.to_tensor(), expected.maps.to_tensor(), atol=1e-4)


def test_a_crop_is_a_part_of_the_whole(maps):
    record = photographed(maps, CAMERAS, LIGHT)
    whole, part = record.crop(WHOLE, [0, 1]), record.crop(Crop(8, 16, 8, 8), [1])
    assert torch.equal(part.photos, whole.photos[1:, :, 8:16, 16:24])
    assert torch.equal(part.maps.normal, whole.maps.normal[:, 8:16, 16:24])
    # Seen from the middle of the crop, in its sides of a quarter: (20, 12) texels from the top left.
    expected = 4 * (whole.cameras[1] - torch.tensor([20 / 32 - 0.5, 0.5 - 12 / 32, 0]))
    assert torch.allclose(part.cameras[0], expected)


def stub(side=16, map_side=16, margin=0):
    photos = torch.zeros(3, 3, side + 2 * margin, side + 2 * margin, dtype=torch.uint8)
    maps = torch.full((8, map_side, map_side), 32768, dtype=torch.uint16)
    maps[7] = 65535
    return PackedSample(photos, photos[:, :1] == 0, torch.zeros(3, 3), maps, margin)


def windows(record, augmentation, count=200):
    return [random_window(record, augmentation, 0, 0, index) for index in range(count)]


def test_crops_reach_everywhere_and_no_further():
    found = windows(stub(), Augmentation(crop_size=12))
    assert {window.top for window in found} == {window.left for window in found} == set(range(5))
    assert {(window.height, window.width) for window in found} == {(12, 12)}
    assert set(windows(stub(margin=2), Augmentation())) == {Crop(0, 0, 16, 16)}
    shifted = windows(stub(margin=2), Augmentation(shift=True))
    assert {window.top for window in shifted} == {-2, -1, 0, 1, 2}


@pytest.mark.parametrize(("map_side", "step"), [(64, 1), (8, 2), (4, 4), (24, 2)])
def test_crops_hold_whole_texels(map_side, step):
    record, augmentation = stub(map_side=map_side, margin=3), Augmentation(crop_size=8, shift=True)
    found = windows(record, augmentation, 60)
    assert {window.top % step for window in found} == {0}
    cut = draw(record, [0], augmentation, 0, 0, 0)
    assert cut.photos.shape[-1] == 8 and cut.maps.size == (map_side // 2, map_side // 2)


@pytest.mark.parametrize("crop", [17, 9])
def test_crops_that_do_not_fit_are_refused(crop):
    with pytest.raises(ValueError, match="up to 16, in multiples of 2"):
        random_window(stub(map_side=8), Augmentation(crop_size=crop), 0, 0, 0)


def test_draws_depend_on_their_key_alone(maps):
    record = photographed(maps, CAMERAS, LIGHT, margin=4)
    augmentation = Augmentation(True, True, True, 16, True, 0.5, 0.1)
    first = draw(record, [0, 1], augmentation, 42, 3, 5)
    torch.rand(100)
    again = draw(record, [0, 1], augmentation, 42, 3, 5)
    assert torch.equal(first.photos, again.photos) and torch.equal(first.maps.normal, again.maps.normal)
    others = [draw(record, [0, 1], augmentation, *key) for key in ((43, 3, 5), (42, 4, 5), (42, 3, 6))]
    assert not any(torch.equal(first.photos, other.photos) for other in others)


def test_without_augmentation_nothing_changes(maps):
    record = photographed(maps, CAMERAS, LIGHT, margin=4)
    cut, plain = draw(record, [1, 0], Augmentation(), 1, 2, 3), record.crop(WHOLE, [1, 0])
    assert torch.equal(cut.photos, plain.photos) and torch.equal(cut.cameras, plain.cameras)


def test_exposure_is_changed_in_linear_light():
    photos = torch.linspace(0, 1, 12).expand(1, 3, 1, 12)
    assert torch.allclose(brighten(photos, torch.ones(1, 3, 1, 1)), photos, atol=1e-6)
    twice = brighten(linear_to_srgb(torch.full((1, 3, 1, 1), 0.2)), torch.full((1, 3, 1, 1), 2.0))
    assert torch.allclose(twice, linear_to_srgb(torch.tensor(0.4)))
    assert brighten(photos, torch.full((1, 3, 1, 1), math.e)).max() == pytest.approx(1)
