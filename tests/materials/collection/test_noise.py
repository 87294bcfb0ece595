"""Noise and cells: periodic, even, and what they say of distances."""

import numpy as np
import pytest

from easel.materials.collection.cells import cells, courses
from easel.materials.collection.marks import scratches, spots, stains
from easel.materials.collection.noise import Points, bumps, fbm, noise, ramp, scramble, tile_rows, uniform, wave

POINTS = tile_rows(96, 0, 96)
SCATTERED = Points(POINTS.x + 0 * POINTS.y, POINTS.y + 0 * POINTS.x, 96)


@pytest.mark.parametrize("frequency", [1, 7, (24, 3), (3, 24)])
def test_noise_on_a_grid_is_noise_at_its_points(frequency):
    assert np.abs(noise(POINTS, frequency, 5) - noise(SCATTERED, frequency, 5)).max() < 1e-6


def test_noise_repeats_is_even_and_differs_by_seed():
    one = noise(POINTS, 12, 5)
    assert np.abs(one - noise(POINTS.moved(3.0, -1.0), 12, 5)).max() < 1e-4
    assert abs(one.mean()) < 0.05 and 0.25 < one.std() < 0.45 and np.abs(one).max() < 1.1
    assert abs(np.corrcoef(one.ravel(), noise(POINTS, 12, 6).ravel())[0, 1]) < 0.2


def test_octaves_that_a_picture_cannot_show_are_left_out():
    assert np.array_equal(fbm(POINTS, 64, 1, 1), np.zeros((96, 96), np.float32))
    fine = noise(POINTS, 48, 1)
    assert np.abs(fbm(POINTS, 16, 1, 4, 1.0)).max() < 2 and np.abs(fine).max() > 0.3


@pytest.mark.parametrize("slope", [0.1, 0.4])
def test_bumps_have_the_slope_that_is_asked_for(slope):
    points = tile_rows(512, 0, 512)
    height = bumps(points, 8, 3, slope, 3)
    up, right = np.gradient(height, 1 / 512)
    assert np.hypot(up, right).mean() == pytest.approx(slope, rel=0.25)


def test_hash_and_wave():
    words = scramble(np.arange(2**16, dtype=np.uint32))
    assert len(np.unique(words)) == 2**16
    numbers = uniform(words, 3)
    assert abs(numbers.mean() - 0.5) < 0.01 and abs(numbers.var() - 1 / 12) < 0.002
    turns = np.linspace(-1, 1, 81, dtype=np.float32)
    assert np.abs(wave(turns) - np.sin(2 * np.pi * turns)).max() < 0.06
    assert ramp(turns, 0.5, -0.5)[0] == 1 and ramp(turns, 0.5, -0.5)[-1] == 0


def test_cells_know_their_point_and_their_border():
    found = cells(SCATTERED, 5, 3, 0.5)
    assert np.allclose(np.hypot(found.right, found.up), found.distance, atol=1e-6)
    assert (found.border > -1e-6).all()
    # a step across a border goes through 0
    changes = found.identity[:, 1:] != found.identity[:, :-1]
    step = 5 / 96
    assert np.minimum(found.border[:, 1:], found.border[:, :-1])[changes].max() < step
    # brute force: the nearest of all points of 3 x 3 tiles
    points = {}
    for i, j in zip(*np.unravel_index(np.unique(found.identity, return_index=True)[1], (96, 96)), strict=True):
        place = (SCATTERED.x[i, j] * 5 - found.right[i, j], SCATTERED.y[i, j] * 5 - found.up[i, j])
        points[found.identity[i, j]] = place
    sites = np.array([(x + 5 * a, y + 5 * b) for x, y in points.values() for a in (-1, 0, 1) for b in (-1, 0, 1)])
    to = np.stack((SCATTERED.x, SCATTERED.y), -1)[..., None, :] * 5 - sites
    assert np.abs(np.sqrt((to**2).sum(-1)).min(-1) - found.distance).max() < 1e-4


def test_courses_are_shifted_and_keep_their_distance():
    units = courses(SCATTERED, 3, 4, 1, offset=0.5)
    assert len(np.unique(units.identity)) == 12
    assert 0 <= units.border.min() and units.border.max() <= 1 / 8
    assert units.identity[36, 1] != units.identity[36, 94] and units.identity[10, 1] == units.identity[10, 94]


def test_marks_stay_in_their_range_and_cover_what_they_should():
    for mark in (scratches(POINTS, 6, 1), spots(POINTS, 6, 1, 0.4), stains(POINTS, 1)):
        assert 0 <= mark.min() and mark.max() <= 1
    assert scratches(POINTS, 6, 1, share=0.0).max() == 0
    assert stains(POINTS, 1, coverage=0.8).mean() > stains(POINTS, 1, coverage=0.2).mean() + 0.2
