import dataclasses
import math

import pytest
import torch

from easel.graphics.color import linear_to_srgb, tonemap
from easel.materials.synthesis.degrade import (
    Faults,
    add_noise,
    defocus,
    draw_dirt,
    draw_faults,
    jpeg,
    motion_blur,
    photograph,
    vignette,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def light():
    return torch.rand(3, 24, 32, generator=seeded(1)) * 0.7


def test_a_perfect_camera_shows_the_light(light):
    assert torch.equal(photograph(light, Faults(), seeded()), tonemap(light.movedim(0, -1)))


def test_a_photo_is_a_function_of_its_faults_and_its_generator(light):
    faults = draw_faults(seeded(4), 24)
    once, again = (photograph(light, faults, seeded(5)) for _ in range(2))
    assert torch.equal(once, again)
    assert not torch.equal(once, photograph(light, faults, seeded(6)))


@pytest.mark.parametrize("field", dataclasses.fields(Faults), ids=lambda field: field.name)
def test_every_fault_changes_the_photo_and_is_recorded(light, field):
    faults = Faults(**{field.name: getattr(draw_faults(seeded(7), 256), field.name)})
    strengths = faults.strengths()
    if field.name == "clipping":
        light, strengths = light + 0.5, Faults(clipping=1.0).strengths()
        faults = Faults(clipping=1.0)
    assert set(strengths) == {field.name}
    changed = not torch.equal(photograph(light, faults, seeded()), photograph(light, Faults(), seeded()))
    assert changed == (field.name != "registration_pixels")  # that is the aim of the camera


def test_faults_are_drawn_within_their_ranges():
    drawn = [draw_faults(seeded(seed), 512) for seed in range(200)]
    assert all(abs(f.exposure_stops) <= 1 and 70 <= f.jpeg_quality <= 95 for f in drawn)
    assert all(math.hypot(*f.registration_pixels) <= 2.00001 for f in drawn)
    assert all(0.8 < min(f.white_balance) <= max(f.white_balance) < 1.2 for f in drawn)
    assert 0.3 < sum(f.clipping for f in drawn) / 200 < 0.7
    # a small photo cannot be off by as many of its large pixels
    assert max(math.hypot(*draw_faults(seeded(seed), 64).registration_pixels) for seed in range(50)) <= 0.50001


def test_a_stop_more_is_twice_the_light(light):
    brighter = photograph(light / 4, Faults(exposure_stops=1.0), seeded())
    torch.testing.assert_close(brighter, photograph(light / 2, Faults(), seeded()))


@pytest.mark.parametrize("blur", [lambda light: defocus(light, 1.7), lambda light: motion_blur(light, 3.2, -1.1)])
def test_blur_moves_light_and_loses_none(blur):
    point = torch.zeros(3, 21, 21)
    point[:, 10, 10] = 1
    spread = blur(point)
    torch.testing.assert_close(spread.sum((1, 2)), torch.ones(3))
    assert spread.max() < 0.5 and spread.min() >= 0
    torch.testing.assert_close(spread, spread.flip(1, 2))  # nothing is displaced
    even = torch.full((3, 9, 9), 0.4)
    torch.testing.assert_close(blur(even), even)


def test_no_blur_is_the_light_itself(light):
    torch.testing.assert_close(defocus(light, 0.0), light)
    torch.testing.assert_close(motion_blur(light, 0.0, 0.0), light)


def test_shake_blurs_along_its_path_only():
    line = torch.zeros(3, 15, 15)
    line[:, 7] = 1
    torch.testing.assert_close(motion_blur(line, 4.0, 0.0), line)
    assert motion_blur(line, 0.0, 4.0)[0, 7, 7] < 0.3


def test_a_larger_disc_is_wider():
    point = torch.zeros(3, 21, 21)
    point[:, 10, 10] = 1
    peaks = [defocus(point, radius)[0, 10, 10].item() for radius in (0.0, 0.3, 0.6, 1.0, 1.4, 2.0)]
    assert peaks == sorted(peaks, reverse=True) and len(set(peaks)) == len(peaks)


def test_vignetting_takes_the_corners(light):
    dimmed = vignette(torch.ones(3, 33, 33), 0.3)
    assert dimmed[0, 16, 16] == 1 and dimmed[0, 0, 0].item() == pytest.approx(0.7)
    assert (vignette(light, 0.3) <= light).all()


def test_noise_grows_with_the_root_of_the_light():
    for level in (0.1, 0.4, 0.9):
        noisy = add_noise(torch.full((3, 128, 128), level), 0.001, 0.002, seeded(2))
        assert noisy.mean().item() == pytest.approx(level, abs=0.001)
        assert noisy.var().item() == pytest.approx(0.001 * level + 0.002**2, rel=0.05)


def test_jpeg_stores_bytes_and_worse_ones_err_more():
    picture = torch.rand(32, 32, 3, generator=seeded(3))
    errors = [(jpeg(picture, quality) - picture).abs().mean() for quality in (95, 70)]
    assert errors[0] < errors[1] < 0.3
    stored = jpeg(picture, 80) * 255
    torch.testing.assert_close(stored, stored.round())


def test_clipped_highlights_end_at_white():
    light = torch.full((3, 4, 4), 0.5)
    picture = photograph(light, Faults(clipping=1.0), seeded())
    torch.testing.assert_close(picture, linear_to_srgb(light).movedim(0, -1))
    assert (photograph(light * 3, Faults(clipping=1.0), seeded()) > 0.99999).all()
    assert (photograph(light * 3, Faults(), seeded()) < 0.999).all()


def test_dirt_is_the_lens_and_shows_at_every_size():
    small, large, other = draw_dirt(64, 64, 11), draw_dirt(128, 128, 11), draw_dirt(64, 64, 12)
    assert not torch.equal(small.alpha, other.alpha)
    for dirt in (small, large):
        assert 0 <= dirt.alpha.min() and 0.05 < dirt.alpha.max() <= 0.9
    shrunk = torch.nn.functional.avg_pool2d(large.alpha[None, None], 2)[0, 0]
    assert (shrunk - small.alpha).abs().mean() < 0.005


def test_dirt_is_veiled_light_of_its_colour(light):
    dirt = draw_dirt(24, 32, 3)
    picture = photograph(light, Faults(), seeded(), dirt)
    veiled = light * (1 - dirt.alpha) + dirt.colour * dirt.alpha
    torch.testing.assert_close(picture, tonemap(veiled.movedim(0, -1)))
