import pytest
import torch

from easel.fields.model.networks import MLP, Finer, Siren, Wire


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


@pytest.mark.parametrize("kind", [Siren, Finer, Wire])
@pytest.mark.parametrize("layers", [2, 4])
def test_sines_and_wavelets_learn_in_every_layer_and_repeat(kind, layers):
    def built():
        return kind(2, 3, 24, layers, bias=0.5, generator=torch.Generator().manual_seed(0))

    network, coords = built(), torch.rand(300, 2, generator=torch.Generator().manual_seed(1)) * 2 - 1
    values = network(coords)
    assert values.shape == (300, 3) and network.channels == 3
    assert torch.equal(values, built()(coords))
    values.square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters())


def test_siren_keeps_the_strength_of_a_signal():
    network = Siren(2, 256, 256, 6, generator=torch.Generator().manual_seed(0))
    values = torch.rand(1000, 2, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad():
        for layer, omega in zip(list(network.linears)[:-1], network.omegas, strict=True):
            values = network.activate(layer(values), omega)
            assert 0.55 < values.std() < 0.85  # arcsine distributed: 0.71 (Sitzmann et al. 2020, theorem 1.8)


def test_finer_is_siren_with_growing_frequency():
    generator = torch.Generator().manual_seed(0)
    finer = Finer(2, 3, 8, 3, generator=generator)
    x = torch.tensor([[-0.5, 0.1]])
    assert torch.allclose(finer.activate(x, 30.0), torch.sin(30.0 * torch.tensor([[-0.75, 0.11]])), atol=1e-5)
    assert 10 < finer.linears[0].bias.abs().max() <= 20


def test_wire_is_the_complex_network_it_stands_for():
    wire = Wire(2, 3, 12, 3, omega=5.0, omega_hidden=7.0, spread=2.0, generator=torch.Generator().manual_seed(0))
    coords = torch.rand(50, 2, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad():
        z = coords.to(torch.complex64)
        for number, (real, imaginary) in enumerate(zip(wire.real, wire.imaginary, strict=True)):
            bias = real.bias if imaginary.bias is None else torch.complex(real.bias, imaginary.bias)
            z = z @ torch.complex(real.weight, imaginary.weight).T + bias
            if number < 2:
                z = (1j * wire.omegas[number] * z - (2.0 * z).abs().square()).exp()
        assert torch.allclose(wire(coords), z.real, atol=1e-5)
