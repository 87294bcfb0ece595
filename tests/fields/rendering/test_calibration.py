import numpy as np
import pytest
import torch

from easel.fields import unnormalize_and_numpy


def test_values_are_rounded_to_the_nearest_level_and_clamped():
    values = torch.tensor([[-0.1, 0.0, 0.4 / 255, 0.6 / 255, 1.0, 7.0, torch.nan]])
    assert unnormalize_and_numpy(values).tolist() == [[0, 0, 0, 1, 255, 255, 0]]


def test_bounds_become_black_and_white():
    assert unnormalize_and_numpy(np.array([-1.0, 0.0, 1.0]), bounds=(-1, 1)).tolist() == [0, 128, 255]
    assert unnormalize_and_numpy(torch.tensor([3.0, 4.0, 5.0]), bounds="auto").tolist() == [0, 128, 255]
    assert unnormalize_and_numpy(torch.full((3,), 4.0), bounds="auto").tolist() == [0, 0, 0]


def test_bytes_stay_and_every_level_survives_the_round_trip():
    levels = torch.arange(256, dtype=torch.uint8)
    assert np.array_equal(unnormalize_and_numpy(levels), levels.numpy())
    assert np.array_equal(unnormalize_and_numpy(levels.float() / 255), levels.numpy())
    assert unnormalize_and_numpy(torch.rand(2, 3, requires_grad=True)).shape == (2, 3)


@pytest.mark.parametrize("x", [torch.arange(3), torch.empty(0)])
def test_other_numbers_are_refused(x):
    with pytest.raises(ValueError, match="floats or uint8"):
        unnormalize_and_numpy(x)


def test_bounds_go_upwards():
    with pytest.raises(ValueError, match="smaller first"):
        unnormalize_and_numpy(torch.rand(3), bounds=(1, 0))
