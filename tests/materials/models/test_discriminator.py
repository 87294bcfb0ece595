"""Discriminators: sizes, what a logit sees, and the smallest maps they take."""

import pytest
import torch
from torch import nn

from easel.materials.config import ModelConfig
from easel.materials.models.discriminator import PatchDiscriminator
from easel.materials.resolve import PATCHGAN_LEAST_PIXELS, SIMPLE_LEAST_PIXELS

LOGITS_AT_2048 = {3: 254, 4: 126, 5: 62, 6: 30}


def field(network):
    """Texels that one logit sees."""
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    seen = 1
    for convolution in reversed(convolutions):
        seen = (seen - 1) * convolution.stride[0] + convolution.kernel_size[0]
    return seen


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("layers", "count", "sees"),
    [(3, 2_770_753, 70), (4, 6_966_081, 142), (5, 11_161_409, 286), (6, 15_356_737, 574)],
)
def test_configurable(layers, count, sees):
    least = PATCHGAN_LEAST_PIXELS[layers]
    with torch.device("meta"):
        network = PatchDiscriminator(ModelConfig(discriminator_n_layers=layers))
        assert network(torch.empty(1, 8, 2048, 2048)).shape[-1] == LOGITS_AT_2048[layers]
        assert network(torch.empty(1, 8, least, least)).shape == (1, 1, 1, 1)
        with pytest.raises((RuntimeError, ValueError)):
            network(torch.empty(1, 8, least - 1, least - 1))
        grouped = PatchDiscriminator(ModelConfig(discriminator_n_layers=layers, discriminator_norm="group"))
    assert parameters(network) == parameters(grouped) == count
    assert field(network) == sees


def test_simple():
    with torch.device("meta"):
        network = PatchDiscriminator(ModelConfig(discriminator_type="simple"))
        assert network(torch.empty(1, 8, SIMPLE_LEAST_PIXELS, SIMPLE_LEAST_PIXELS)).shape == (1, 1, 1, 1)
    assert field(network) == 94
    assert parameters(network) == 2_770_753


def test_it_learns_to_tell_two_textures_apart():
    network = PatchDiscriminator(ModelConfig(discriminator_type="simple", discriminator_ndf=8)).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    for _ in range(10):
        rough = torch.rand(2, 8, 32, 32)
        smooth = torch.nn.functional.avg_pool2d(torch.rand(2, 8, 34, 34), 3, 1)
        logits = network(torch.cat([rough, smooth]))
        loss = (1 - logits[:2]).relu().mean() + (1 + logits[2:]).relu().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert logits[:2].mean() > logits[2:].mean() + 0.5


def test_a_sigmoid_is_for_looking():
    network = PatchDiscriminator(ModelConfig(discriminator_type="simple", discriminator_use_sigmoid=True))
    with torch.no_grad():
        found = network(torch.rand(1, 8, 48, 48))
    assert found.min() >= 0 and found.max() <= 1
