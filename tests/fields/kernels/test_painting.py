"""The painting kernel against plain torch."""

import os
import subprocess
import sys

import pytest
import torch

from easel.fields import Architecture, Identity, build
from easel.fields.art.networks import ArtMLP
from easel.fields.kernels import dispatch, painting
from easel.fields.model.coordinates import pixel_centers

pytest.importorskip("numba")

SETTINGS = [
    pytest.param({"topology": topology, "dimensions": dimensions}, id=f"{topology}-{dimensions}d")
    for topology in ("mlp", "simple", "conv", "WS", "siren")
    for dimensions in (2, 3)
] + [
    pytest.param({"latent_dim": 0, "topology": "siren"}, id="plain"),
    pytest.param({"norm": "layer", "topology": "conv"}, id="layer"),
    pytest.param({"norm": "batch", "topology": "conv", "latent_dim": 0}, id="batch"),
    pytest.param({"width": 19, "channels": 5, "fourier_freqs": 3, "activations": "random"}, id="odd"),
    pytest.param({"encoding": "grid", "topology": "WS", "activations": "random"}, id="grid"),
]


def inputs_of(field, count=1000):
    coords = torch.rand(count, field.dimensions, generator=torch.Generator().manual_seed(0)) * 2 - 1
    radius = coords.square().sum(1, keepdim=True).sqrt()
    return torch.cat([coords, radius], 1) if field.radius else coords


def by_torch(field, inputs):
    features = field.encoding(inputs)
    return field.network(features) if field.latent is None else field.network(features, field.latent)


@pytest.mark.parametrize("settings", SETTINGS)
def test_values_are_those_of_torch(settings):
    for seed in range(2):
        field = build(Architecture(**settings), seed)
        with torch.inference_mode():
            inputs = inputs_of(field)
            assert isinstance(dispatch.for_(field), painting.PaintingEvaluator)
            found = painting.evaluate(field.network, field.encoding, inputs, field.latent)
            expected = by_torch(field, inputs)
            assert torch.allclose(found, expected, atol=2e-3)
            levels = (field.output(found) * 255).round() - (field.output(expected) * 255).round()
            assert levels.abs().max() <= 1


NAMES = (
    *(
        "sin",
        "cos",
        "gaussian",
        "half_sine",
        "scale",
        "add",
        "gain",
        "step",
        "Tanh",
        "Sigmoid",
        "Softplus",
        "LogSigmoid",
    ),
    *(
        "Mish",
        "SiLU",
        "ELU",
        "SELU",
        "CELU",
        "GELU",
        "LeakyReLU",
        "RReLU",
        "Hardtanh",
        "Softshrink",
        "Tanhshrink",
        "ReLU",
    ),
)


@pytest.mark.parametrize("name", NAMES)
def test_an_activation_alone(name):
    network = ArtMLP([1], 0, 4, 4, ["identity", "identity", "identity", "identity", name])
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(1.7) if parameter.numel() == 1 else parameter.zero_()
        for layer in (network.entry.inputs[0].weight, network.hidden[0].weight[:, :1], network.output.weight[:, :1]):
            layer.fill_(1.0)
    x = torch.linspace(-40, 40, 4001)[:, None]
    with torch.inference_mode():
        expected = network(x)
        assert torch.allclose(painting.evaluate(network, Identity(), x, None), expected, rtol=2e-6, atol=1e-6)


def test_others_run_in_torch():
    field = build(Architecture(activations="Hardswish"), 0)
    coords = pixel_centers((8, 8))
    with torch.inference_mode():
        assert dispatch.for_(field) is None
        assert field(coords).isfinite().all()
    painted = build(Architecture(), 0)
    # The field itself is torch's, with gradients, also where rendering takes the kernel.
    assert dispatch.for_(painted) is not None
    assert torch.equal(painted(coords), painted.output(by_torch(painted, painted.inputs(coords))))
    painted(coords).sum().backward()


def test_bits_depend_neither_on_company_nor_on_threads():
    field = build(Architecture("WS"), 1)
    with torch.inference_mode():
        inputs = inputs_of(field, 5000)
        whole = painting.evaluate(field.network, field.encoding, inputs, field.latent)
        threads = torch.get_num_threads()
        try:
            torch.set_num_threads(3)
            assert torch.equal(painting.evaluate(field.network, field.encoding, inputs, field.latent), whole)
        finally:
            torch.set_num_threads(threads)
        for index in ([0], [7, 4999, 130], list(range(100, 400))):
            assert torch.equal(
                painting.evaluate(field.network, field.encoding, inputs[index], field.latent), whole[index]
            )


def test_without_numba_torch_takes_over(tmp_path):
    (tmp_path / "numba.py").write_text("raise ImportError")
    program = (
        "from easel.fields import Architecture, build, render\nfrom easel.fields.kernels import dispatch\n"
        "f = build(Architecture(), 0)\n"
        "assert dispatch.for_(f) is None\n"
        "assert render(f, (4, 4)).isfinite().all()"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    subprocess.run([sys.executable, "-c", program], check=True, env=os.environ | {"PYTHONPATH": path})
