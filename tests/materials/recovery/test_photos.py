"""Photos of a folder come into one frame, whichever way it is known."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from easel.graphics.files import FileError
from easel.graphics.image import imwrite
from easel.materials.collection.procedural import procedural
from easel.materials.dataset.matching import Features, Match
from easel.materials.dataset.views import Shot, ShotList, write_views_json
from easel.materials.recovery.photos import photo_paths, read_photos
from easel.materials.rendering.lights import DirectionalLight
from easel.materials.rendering.plane import render_plane
from easel.materials.rendering.plane_camera import PlaneCamera
from easel.materials.tiles import Crop

SIDE = 128
WHOLE = Crop(0, 0, SIDE, SIDE)
CAMERAS = [PlaneCamera.orbit(azimuth, tilt, width=192, height=144) for azimuth, tilt in ((0, 0), (20, 20), (200, 25))]


@pytest.fixture(scope="module")
def maps():
    # Without highlights, all cameras see one colour at each texel.
    made = procedural(4, SIDE, "terrazzo")
    return made.__class__(made.albedo, made.roughness * 0 + 1, made.metallic * 0, made.normal)


@pytest.fixture(scope="module")
def pictures(maps):
    sun = [DirectionalLight((0.1, 0.1, 1.0), (2.5, 2.5, 2.5))]
    with torch.inference_mode():
        return [render_plane(maps, camera, sun).permute(1, 2, 0) for camera in CAMERAS]


@pytest.fixture
def folder(pictures, tmp_path):
    for number, picture in enumerate(pictures):
        imwrite(tmp_path / f"{number}.png", picture)
    return tmp_path


def difference(photos, size=(SIDE, SIDE)):
    """Mean difference of what the others show from what the first shows, where both do."""
    seen, valid = photos.cut(WHOLE, size)
    both = valid[0] * valid[1:]
    assert both.mean() > 0.3
    return float(((seen[1:] - seen[0]).abs() * both).sum() / both.sum() / 3)


@pytest.mark.slow
def test_stored_cameras_bring_photos_into_the_frame_of_the_maps(folder, maps):
    write_views_json(folder / "views.json", ShotList(0, tuple(Shot(f"{n}.png", c) for n, c in enumerate(CAMERAS))))
    photos = read_photos(folder)
    assert photos.how == "camera" and difference(photos) < 0.03
    assert torch.allclose(photos.cameras[0], torch.tensor([0.0, 0.0, 1.2]), atol=1e-5)
    seen, _ = photos.cut(WHOLE, (SIDE, SIDE))
    stacked = torch.stack([seen[0].flatten(), maps.albedo.flatten()])
    assert torch.corrcoef(stacked)[0, 1] > 0.9
    assert photos.photos[0].shot is not None


def test_windows_are_parts_of_the_whole_and_begin_anew_over_the_edge(folder):
    write_views_json(folder / "views.json", ShotList(0, tuple(Shot(f"{n}.png", c) for n, c in enumerate(CAMERAS))))
    photos = read_photos(folder)
    whole, _ = photos.cut(WHOLE, (SIDE, SIDE))
    part, _ = photos.cut(Crop(100, 90, 50, 40), (SIDE, SIDE))
    assert torch.allclose(part[:, :, :28, :38], whole[:, :, 100:, 90:], atol=0.02)
    assert torch.allclose(part[:, :, 28:, :38], whole[:, :, :22, 90:], atol=0.02)


@pytest.fixture
def known_matches(monkeypatch):
    """Matching, which takes seconds, answers what the cameras say; 1.png matches only in `pairs`."""
    features = [Features((144, 192), torch.zeros(8, 8), np.zeros((0, 2)), np.zeros((0, 128))) for _ in CAMERAS]
    coming, pairs = iter(features), set()
    homographies = [camera.uv_to_pixel().double() for camera in CAMERAS]

    def match(reference, photo, _):
        pair = features.index(reference), features.index(photo)
        if 1 in pair and pair not in pairs:
            return Match(None, 3, 0.0, "only 3 features agree")
        return Match((homographies[pair[1]] @ torch.linalg.inv(homographies[pair[0]])).float(), 99, 0.9)

    monkeypatch.setattr("easel.materials.recovery.photos.features_of", lambda _: next(coming))
    monkeypatch.setattr("easel.materials.dataset.registration.match", match)
    return pairs


def test_without_cameras_photos_are_matched_with_the_first(folder, known_matches):
    photos = read_photos(folder)
    assert photos.how == "match" and [photo.path.name for photo in photos.photos] == ["0.png", "2.png"]
    assert difference(photos) < 0.05 and photos.cameras.isnan().all()
    assert photos.notes == ("1.png is left out: it does not match 0.png, only 3 features agree",)


def test_a_photo_may_match_another_one_than_the_first(folder, known_matches):
    known_matches.add((2, 1))
    photos = read_photos(folder)
    assert len(photos.photos) == 3 and difference(photos) < 0.05 and not photos.notes


def test_corners_are_what_was_marked(folder):
    quads = []
    for camera in CAMERAS:
        corners = torch.tensor([[0.0, 1, 1], [1, 1, 1], [1, 0, 1], [0, 0, 1]])
        mapped = corners @ camera.uv_to_pixel().T
        quads.append((mapped[:, :2] / mapped[:, 2:]).tolist())
    numbers = tuple(float(number) for quad in quads for point in quad for number in point)
    assert difference(read_photos(folder, "corners", numbers)) < 0.03
    (folder / "corners.json").write_text(json.dumps({f"{n}.png": quad for n, quad in enumerate(quads)}))
    stored = read_photos(folder)
    assert stored.how == "corners" and difference(stored) < 0.03


def test_the_corners_of_the_first_photo_are_enough(folder, known_matches):
    corners = torch.tensor([[0.0, 1, 1], [1, 1, 1], [1, 0, 1], [0, 0, 1]])
    mapped = corners @ CAMERAS[0].uv_to_pixel().T
    photos = read_photos(folder, "corners", tuple((mapped[:, :2] / mapped[:, 2:]).flatten().tolist()))
    assert len(photos.photos) == 2 and difference(photos) < 0.03


def test_one_photo_is_its_largest_middle_square(pictures, tmp_path):
    imwrite(tmp_path / "photo.png", pictures[0])
    photos = read_photos(tmp_path)
    seen, valid = photos.cut(Crop(0, 0, 144, 144), (144, 144))
    assert photos.how == "none" and photos.side == 144 and valid.all()
    expected = pictures[0].permute(2, 0, 1)[None, :, :, 24:168].clamp(0, 1)
    assert torch.allclose(seen, expected, atol=1.5 / 255)


def test_numbers_count_as_numbers(tmp_path):
    for name in ("10.png", "2.png", "1.JPG"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no photo")
    assert [path.name for path in photo_paths(tmp_path)] == ["1.JPG", "2.png", "10.png"]


def test_what_does_not_fit_is_told(folder, tmp_path):
    for how, corners, told in (
        ("camera", (), "views.json tells of 0 of 3"),
        ("corners", (), "no corners are given"),
        ("corners", (1.0,) * 6, "8 numbers"),
        ("corners", (0.0, 0.0, 9.0, 9.0, 9.0, 0.0, 0.0, 9.0), "clockwise"),
    ):
        with pytest.raises(ValueError, match=told):
            read_photos(folder, how, corners)
    (folder / "corners.json").write_text('{"0.png": [[0, 0], [9, 0], [9, 9], [0, 9]]}')
    with pytest.raises(FileError, match=r"no corners of 1\.png, 2\.png"):
        read_photos(folder)
    (folder / "corners.json").unlink()
    (folder / "1.png").write_bytes((folder / "0.png").read_bytes()[:500])
    with pytest.raises(FileError, match=r"1\.png"):
        read_photos(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileError, match="holds 0 photos"):
        read_photos(tmp_path / "empty")
