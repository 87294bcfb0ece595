import torch

from easel.fields.networks import MLP


def mlp(seed=0, **settings):
    settings = {"inputs": 400, "outputs": 3, "hidden": 300, "layers": 4} | settings
    return MLP(**settings, generator=torch.Generator().manual_seed(seed))


def test_layers_counts_the_linear_ones():
    for layers in range(1, 6):
        assert len(mlp(layers=layers).linears) == layers


def test_he_initialisation_keeps_the_strength_of_a_signal():
    signal = torch.randn(1000, 400, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for linear in mlp(layers=5).linears[:-1]:
            signal = torch.relu(linear(signal))
    assert 0.5 < signal.square().mean() < 2


def test_untrained_outputs_start_at_the_bias():
    assert torch.equal(mlp(bias=0.5)(torch.zeros(2, 400)), torch.full((2, 3), 0.5))


def test_the_generator_decides_alone():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    assert torch.equal(mlp(5).linears[0].weight, mlp(5).linears[0].weight)
    assert not torch.equal(mlp(5).linears[0].weight, mlp(6).linears[0].weight)
    assert torch.equal(torch.rand(3), expected)
