"""Dither: less than half a level, nothing on average, the same every time."""

import torch

from easel.graphics.dither import BAYER_PIXELS, bayer, dithered
from easel.graphics.image import as_bytes


def test_every_threshold_occurs_once():
    pattern = bayer(torch.device("cpu"))
    levels = (pattern.flatten().sort().values + 0.5) * BAYER_PIXELS**2 - 0.5
    assert torch.allclose(levels, torch.arange(BAYER_PIXELS**2).float(), atol=1e-4)
    assert pattern.abs().max() < 0.5


def test_a_level_between_two_is_a_mixture_of_both():
    between = torch.full((32, 48, 3), 100.25 / 255)
    levels = as_bytes(dithered(between)).float()
    assert levels.unique().tolist() == [100, 101]
    assert abs(levels.mean().item() - 100.25) < 1e-4
    assert torch.equal(dithered(between), dithered(between))


def test_whole_levels_and_alpha_stay():
    levels = torch.arange(256).reshape(16, 16, 1).expand(-1, -1, 4) / 255
    assert torch.equal(as_bytes(dithered(levels)), as_bytes(levels))
    assert torch.equal(dithered(levels)[..., 3], levels[..., 3])
    assert dithered(levels).min() >= 0 and dithered(levels).max() <= 1
