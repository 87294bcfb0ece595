import numpy as np
import pytest
import torch

from easel.fields import unnormalize_and_numpy
from easel.fields.rendering.calibration import is_blank, is_dull, is_noise


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


def test_generate_and_the_art_page_leave_out_the_same_seeds():
    from easel.commands.fields.models import FieldOptions, make_model
    from easel.fields.art.random_settings import random_settings
    from easel.workstation.art.genome import random_genome
    from easel.workstation.art.variations import thumbnail

    dull = []
    for seed in range(12):
        model = make_model(FieldOptions(**random_settings(2, seed)), (64, 64, 3), seed)
        assert model.is_dull() == is_dull(thumbnail(random_genome(seed))), seed
        dull.append(model.is_dull())
    # Both kinds occur: a rule that knows one answer would agree with itself as well.
    assert 0 < sum(dull) < 12


def test_a_gradient_is_neither_blank_nor_noise():
    ramp = torch.linspace(0, 1, 32)
    assert not is_dull(ramp[:, None, None] * torch.ones(1, 32, 3) * ramp[None, :, None].sqrt())
    assert is_blank(torch.full((32, 32, 3), 0.5)) and not is_noise(ramp[:, None, None] * torch.ones(1, 32, 1))
    assert is_noise(torch.rand(32, 32, 3, generator=torch.Generator().manual_seed(0)))
    # Alpha is no texture.
    noisy_alpha = torch.cat([ramp[:, None, None].expand(32, 32, 3), torch.rand(32, 32, 1)], dim=2)
    assert not is_noise(noisy_alpha)
