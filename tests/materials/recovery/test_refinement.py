"""Maps come nearer to the truth where they are rendered as the photos were taken."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from easel.graphics.color import tonemap
from easel.materials.collection.procedural import procedural
from easel.materials.dataset.sample import pack
from easel.materials.dataset.views import Shot
from easel.materials.maps import MaterialMaps
from easel.materials.recovery.observation import difference, guessed_eye, guessed_strengths, observe
from easel.materials.recovery.photos import Photo, Photos
from easel.materials.recovery.refinement import RefinementConfig, carried, from_unbounded, refine, to_unbounded
from easel.materials.rendering.light_json import light_to_json
from easel.materials.rendering.lights import DirectionalLight, PointLight
from easel.materials.rendering.plane import render_plane
from easel.materials.rendering.plane_camera import TILE_SIDE, PlaneCamera
from easel.materials.training.losses import angle_degrees
from easel.materials.training.rerendering import rerender_metrics

SIDE = 24
CPU = torch.device("cpu")
CAMERAS = [PlaneCamera.orbit(azimuth, 25, width=32, height=32) for azimuth in (0, 120, 240)]
SUN = DirectionalLight((0.2, 0.1, 1.0), (0.4, 0.4, 0.4))


def flash(camera):
    return PointLight(camera.position, (1.1, 1.0, 0.9))


def wrong(truth):
    """Too rough, no metal, flat."""
    flat = torch.zeros_like(truth.normal)
    flat[2] = 1
    return MaterialMaps(truth.albedo * 0.8 + 0.1, truth.roughness * 0 + 0.8, truth.metallic * 0 + 0.1, flat)


@pytest.fixture(scope="module")
def truth():
    return procedural(7, SIDE, "tile")


@pytest.fixture(scope="module")
def photos(truth):
    """Three photos of a repeating texture under a flash and a weak sun."""
    taken = []
    with torch.inference_mode():
        for number, camera in enumerate(CAMERAS):
            lights = [flash(camera), SUN]
            picture = tonemap(render_plane(truth, camera, lights).movedim(0, -1)).movedim(-1, 0).clamp(0, 1).clone()
            shot = Shot(f"{number}.png", camera, tuple(light_to_json(light) for light in lights))
            position = tuple(part / TILE_SIDE for part in camera.position)
            taken.append(Photo(Path(shot.file), pack(picture, torch.uint16), camera.uv_to_pixel(), position, shot))
    return Photos(tuple(taken), "camera", ())


def refined(maps, observations, **config):
    *_, last = refine(maps, observations, RefinementConfig(**config), generator=torch.Generator().manual_seed(0))
    return last


def errors(maps, truth):
    """Of roughness, of normals in degrees, and relit under lights that no photo had."""
    mine, true = (each.each(lambda value: value[None]) for each in (maps, truth))
    relit = rerender_metrics(mine, true)["rerender_rmse"]
    return (
        float((maps.roughness - truth.roughness).abs().mean()),
        float(angle_degrees(mine.normal, true.normal).mean()),
        float(relit),
    )


def test_maps_without_bounds_are_the_same_maps(truth):
    back = from_unbounded(to_unbounded(truth))
    for name, value in truth.items():
        assert torch.allclose(back[name], value, atol=1e-5)
    assert to_unbounded(truth).isfinite().all()


def test_what_went_over_the_end_finds_its_way_back():
    values = torch.full((7, 1, 1), 9.0, requires_grad=True)
    maps = from_unbounded(values)
    assert maps.albedo.max() == 1
    maps.albedo.sum().backward()
    assert values.grad is not None and (values.grad[:3] > 0).all()


def test_the_truth_stays(truth, photos):
    observations = observe(photos, SIDE, CPU)
    strengths = [each.strengths for each in observations]
    assert all(each.is_lit_as_told for each in observations)
    assert difference(truth, observations, strengths) < 0.015
    rough, angle, relit = errors(refined(truth, observations, steps=8, learning_rate=0.01).maps, truth)
    assert rough < 0.05 and angle < 3.5 and relit < 0.03


@pytest.mark.slow
def test_a_wrong_start_comes_nearer_under_any_light(truth, photos):
    observations = observe(photos, SIDE, CPU)
    before = errors(wrong(truth), truth)
    last = refined(wrong(truth), observations, steps=40)
    last.maps.validate()
    after = errors(last.maps, truth)
    assert after[0] < 0.75 * before[0] and after[1] < 0.5 * before[1] and after[2] < 0.65 * before[2]


@pytest.mark.slow
def test_light_that_nobody_stored_is_estimated(truth, photos):
    unlit = replace(photos, photos=tuple(replace(photo, shot=None) for photo in photos.photos))
    observations = observe(unlit, SIDE, CPU)
    assert not any(each.is_lit_as_told for each in observations)
    strengths = [guessed_strengths(wrong(truth), each) for each in observations]
    before = difference(wrong(truth), observations, strengths)
    last = refined(wrong(truth), observations, steps=25)
    assert difference(last.maps, observations, last.strengths) < 0.6 * before
    # A flash that is a little red is found to be so
    assert all(each[0, 0] > each[0, 2] for each in last.strengths)


def test_larger_maps_take_over_the_corrections_of_smaller_ones(truth):
    large = truth.resize((2 * SIDE, 2 * SIDE))
    assert torch.allclose(carried(large, truth, truth).to_tensor(), large.to_tensor(), atol=1e-5)
    rougher = MaterialMaps(truth.albedo, (truth.roughness + 0.1).clamp(0, 1), truth.metallic, truth.normal)
    assert (carried(large, truth, rougher).roughness > large.roughness).float().mean() > 0.99


def test_a_camera_that_nobody_stored_stands_where_the_homography_says():
    for camera in (PlaneCamera.orbit(70, 30), PlaneCamera((0.1, -0.2, 0.7), (0.05, 0.0, 0.0), width=400, height=300)):
        size = camera.height, camera.width
        # Homographies are known up to their scale
        eye = guessed_eye(3 * camera.uv_to_pixel(), size)
        assert torch.allclose(eye, torch.tensor(camera.position, dtype=eye.dtype), atol=1e-3)


def test_photos_much_finer_than_the_maps_are_shrunk(truth, photos):
    fine = replace(photos.photos[0], pixels=photos.photos[0].pixels.repeat_interleave(8, 1).repeat_interleave(8, 2))
    scale = torch.tensor([8.0, 8.0, 1.0])[:, None]
    fine = replace(fine, uv_to_pixel=scale * fine.uv_to_pixel)
    (observation,) = observe(replace(photos, photos=(fine,)), SIDE, CPU)
    assert max(observation.pixels.shape) < 64
    assert difference(truth, [observation], [observation.strengths]) < 0.03


def test_photos_that_do_not_repeat_count_inside_their_frame(photos):
    marked = observe(replace(photos, how="corners"), SIDE, CPU)
    assert all(
        len(mine.shown) < len(whole.shown) for mine, whole in zip(marked, observe(photos, SIDE, CPU), strict=True)
    )


def test_photos_of_something_else_are_left_out(photos):
    marked = replace(photos, how="corners")
    aside = torch.tensor([[1.0, 0.0, 1e4], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    elsewhere = replace(photos.photos[0], uv_to_pixel=aside @ photos.photos[0].uv_to_pixel)
    assert len(observe(replace(marked, photos=(elsewhere, *photos.photos[1:])), SIDE, CPU)) == 2
    with pytest.raises(ValueError, match="no photo shows the frame"):
        observe(replace(marked, photos=(elsewhere,)), SIDE, CPU)
