import math

import torch

from easel.fields.art.graphml import GraphNode
from easel.fields.art.topology import GraphNetwork

NODES = [
    GraphNode(),
    GraphNode((0,), "shift"),
    GraphNode((0, 1), "scale"),
    GraphNode((0,), "linear", "Tanh"),
    GraphNode((2, 3), "conv", "sin"),
    GraphNode((1,), "scale"),
]


def network():
    activations = ["identity", "identity", "identity", "identity", "identity", "identity", "identity"]
    built = GraphNetwork([1, 1], 0, 4, 3, activations, NODES)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.normal_(generator=generator)
    return built


def test_every_input_of_a_node_counts_and_open_ends_are_summed():
    built = network()
    coords = torch.randn(20, 2, generator=torch.Generator().manual_seed(1))
    shift, scale, linear, conv, last = built.operations
    with torch.no_grad():
        n0 = built.hidden(built.entry.inputs[0](coords[:, :1]) + built.entry.inputs[1](coords[:, 1:]))
        n1 = n0 + shift.value
        n2 = (n0 + n1) / math.sqrt(2) * scale.value
        n3 = linear[0](n0).tanh()
        n4 = conv[0]((n2 + n3) / math.sqrt(2)).sin()
        n5 = n1 * last.value
        assert built.outputs == [4, 5]
        assert torch.allclose(built(coords), built.output(n4 + n5) * built.ending[1].value, atol=1e-5)


def test_all_weights_take_part():
    built = network()
    built(torch.randn(20, 2, generator=torch.Generator().manual_seed(1))).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in built.parameters())
