"""The decoder's size, its super-resolution and how its maps start."""

import pytest
import torch

from easel.materials.config import ModelConfig
from easel.materials.models.decoder import Decoder, super_resolution


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_default_has_the_documented_size():
    with torch.device("meta"):
        assert parameters(Decoder(2048, [64, 256, 512, 1024], ModelConfig())) == 23_488_648


@pytest.mark.parametrize(("scale", "count"), [(0, 0), (2, 205_504), (4, 775_808)])
def test_super_resolution(scale, count):
    with torch.device("meta"):
        network = super_resolution(scale, "group", "zeros")
        assert parameters(network) == count
        assert network(torch.empty(1, 64, 8, 12)).shape == (1, 64, 8 * max(scale, 1), 12 * max(scale, 1))


def test_maps_start_in_the_middle_and_normals_upright():
    decoder = Decoder(16, [8, 16], ModelConfig(predict_uncertainty=True))
    with torch.no_grad():
        found = decoder(torch.randn(1, 16, 4, 4), [torch.randn(1, 8, 16, 16), torch.randn(1, 16, 8, 8)])
    assert list(found) == ["albedo", "roughness", "metallic", "normal", "log_variance"]
    for name in ("albedo", "roughness", "metallic"):
        assert (found[name] - 0.5).abs().max() < 0.2
    assert found["normal"][:, 2].min() > 0.8
    assert found["log_variance"].shape == (1, 4, 16, 16)
