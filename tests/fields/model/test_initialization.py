import math
from itertools import pairwise

import pytest
import torch

from easel.fields.model.initialization import INITS, Initialization, empty_linear


def layers(widths=(200, 300, 300, 30), **settings):
    made = [[empty_linear(i, o)] for i, o in pairwise(widths)]
    Initialization(**settings)(made, torch.Generator().manual_seed(0))
    return [layer for (layer,) in made]


@pytest.mark.parametrize(
    ("settings", "stds"),
    [
        ({"name": "normal", "std": 3.0}, [3, 3, 3]),
        ({"name": "normal", "std": (1, 2, 0.5)}, [1, 2, 0.5]),
        ({"name": "uniform", "low": -1.0, "high": 1.0}, [3**-0.5] * 3),
        ({"name": "dip"}, [200**-0.5, 300**-0.5, 0]),
        ({"name": "siren", "scale": 30}, [1 / 200 / 3**0.5, math.sqrt(2 / 300) / 30, math.sqrt(2 / 300) / 30]),
        ({"name": "he"}, [0.1, math.sqrt(2 / 300), math.sqrt(2 / 300)]),
        ({"name": "torch"}, [(3 * 200) ** -0.5, 1 / 30, 1 / 30]),
    ],
)
def test_spreads(settings, stds):
    drawn = layers(**settings)
    assert [layer.weight.std().item() for layer in drawn] == pytest.approx(stds, rel=0.03)
    biased = settings["name"] in ("siren", "torch")
    assert all((layer.bias.abs().max() > 0) == biased for layer in drawn)


@pytest.mark.parametrize("name", INITS)
def test_the_generator_alone_decides(name):
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    for one, other in zip(layers(name=name), layers(name=name), strict=True):
        assert torch.equal(one.weight, other.weight) and torch.equal(one.bias, other.bias)
    assert torch.equal(torch.rand(3), expected)


def test_one_value_for_each_layer_or_one_for_all():
    with pytest.raises(ValueError, match="3 layers; got 2 values"):
        layers(mean=(1, 2))
