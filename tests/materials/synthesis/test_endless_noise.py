import numpy as np
import pytest

from easel.materials.synthesis.endless_noise import fbm, value_noise, worley


def grid(x=(0.0, 8.0), y=(0.0, 8.0), size=64):
    across, along = (np.linspace(*span, size, dtype=np.float32) for span in (x, y))
    return tuple(np.ascontiguousarray(part) for part in np.broadcast_arrays(across[None, :], along[:, None]))


def test_values_fill_the_unit_interval_about_a_half():
    values = value_noise(*grid((-40, 40), (-40, 40), 200), seed=3)
    assert values.min() >= 0 and values.max() <= 1 and abs(values.mean() - 0.5) < 0.02


@pytest.mark.parametrize("noise", [value_noise, fbm, lambda x, y, seed: worley(x, y, seed, 0.8)])
def test_noise_is_smooth_and_its_own_for_every_seed(noise):
    x, y = grid(size=256)
    values = noise(x, y, 5)
    assert np.abs(np.diff(values, axis=1)).max() < 0.4
    assert np.array_equal(values, noise(x, y, 5))
    assert np.abs(values - noise(x, y, 6)).mean() > 0.05


def test_no_step_where_coordinates_change_their_sign():
    before, after = (value_noise(*grid((s, s + 1e-6), (-2, 2), 8), seed=1) for s in (-1e-4, 1e-4))
    assert np.abs(before - after).max() < 1e-3


def test_it_does_not_come_back():
    here, far = (value_noise(*grid((s, s + 8)), seed=1) for s in (0, 256))
    assert np.abs(here - far).mean() > 0.1
    x, y = grid()
    assert np.abs(value_noise(x, y, 1) - value_noise(y, x, 1)).mean() > 0.1


def test_octaves_sum_to_less_than_one():
    values = fbm(*grid((0, 50), (0, 50), 200), seed=2)
    assert values.min() >= 0 and values.max() <= 1 - 2**-4


def test_without_jitter_points_lie_in_the_middle_of_their_cells():
    x, y = grid((0.5, 7.5), (0.5, 7.5), 8)
    np.testing.assert_allclose(worley(x, y, 9, jitter=0), 0, atol=1e-6)
    x, y = grid((0, 7), (0, 7), 8)
    np.testing.assert_allclose(worley(x, y, 9, jitter=0), 0.5**0.5, rtol=1e-6)
