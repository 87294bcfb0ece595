import math

import pytest
import skimage.data
import torch

from easel.graphics.image import as_picture, resize
from easel.materials.dataset.registration import as_they_are, by_camera, by_corners, by_matching, overlap_picture
from easel.materials.rendering.plane_camera import PlaneCamera

CAMERAS = [PlaneCamera.orbit(azimuth, tilt, width=150, height=150) for azimuth, tilt in ((20, 0), (130, 30), (250, 35))]


@pytest.fixture(scope="module")
def astronaut():
    return resize(as_picture(skimage.data.astronaut()), (256, 256)).movedim(-1, 0)


@pytest.fixture(scope="module")
def by_cameras(astronaut, scene):
    photos = [scene.photograph(astronaut, camera) for camera in CAMERAS]
    return photos, by_camera(photos, CAMERAS, (96, 96))


def difference(one, other):
    both = one.valid * other.valid
    return float(((one.photos - other.photos).abs() * both).sum() / (3 * both.sum()))


def test_cameras_are_told_in_the_frame_of_the_tile(by_cameras):
    _, found = by_cameras
    expected = torch.tensor([camera.position for camera in CAMERAS]) / 0.5
    assert torch.allclose(found.cameras, expected)


def test_a_photo_may_have_been_resized_since(by_cameras):
    photos, found = by_cameras
    smaller = [resize(photo.movedim(0, -1), (100, 100)).movedim(-1, 0) for photo in photos]
    assert difference(by_camera(smaller, CAMERAS, (96, 96)), found) < 0.04


def test_corners_give_what_cameras_give(by_cameras):
    photos, found = by_cameras
    unit = torch.tensor([[0, 1, 1], [1, 1, 1], [1, 0, 1], [0, 0, 1.0]])
    corners = [(places := unit @ camera.uv_to_pixel().T)[:, :2] / places[:, 2:] for camera in CAMERAS]
    marked = by_corners(photos, corners, (96, 96))
    assert difference(marked, found) < 1e-3
    assert marked.cameras.isnan().all()


@pytest.mark.slow
def test_photos_are_matched_with_the_albedo(by_cameras, astronaut):
    photos, found = by_cameras
    matched = by_matching(photos, (96, 96), reference=astronaut)
    assert matched.notes == () and (matched.valid.mean((1, 2, 3)) > 0.9).all()
    assert difference(matched, found) < 0.01


@pytest.mark.slow
def test_photos_are_matched_with_the_first(by_cameras):
    photos, _ = by_cameras
    dark = [photos[0], photos[1] * 0.6, photos[2] * torch.linspace(0.4, 1, 150)]
    matched = by_matching(dark, (150, 150))
    assert torch.allclose(matched.photos[0], photos[0], atol=1e-3) and matched.valid[0].all()
    undone = torch.tensor([1, 0.6])[:, None, None, None] * photos[0]
    assert ((matched.photos[:2] - undone).abs() * matched.valid[:2]).mean() < 0.02
    assert torch.equal(matched.photos, by_matching(dark, (150, 150)).photos)


def test_what_cannot_be_matched_says_why(by_cameras):
    photos, _ = by_cameras
    other = torch.rand(3, 150, 150, generator=torch.Generator().manual_seed(0))
    matched = by_matching([photos[0], torch.full((3, 90, 90), 0.5), other], (64, 64))
    assert matched.valid.mean((1, 2, 3)).tolist() == [1, 0, 0]
    assert len(matched.notes) == 2 and "photo 1: only 0 features agree, 8 are needed" in matched.notes[0]


def test_plain_photos_keep_everything(by_cameras):
    photos, _ = by_cameras
    plain = as_they_are(photos, (150, 150))
    assert torch.equal(plain.photos, torch.stack(photos)) and plain.valid.all() and plain.cameras.isnan().all()


def test_the_overlap_is_dark_where_photos_fit_and_bright_where_not(by_cameras):
    photos, found = by_cameras
    good, bad = overlap_picture(found), overlap_picture(as_they_are(photos, (96, 96)))
    assert good.shape == bad.shape and good.shape[-1] == 3 and 0 <= good.min() and good.max() <= 1
    side = math.ceil(good.shape[1] / 3)
    corner = slice(-side, None)
    assert good[corner, corner].mean() < 0.5 * bad[corner, corner].mean()
