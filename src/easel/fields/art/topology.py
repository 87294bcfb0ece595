"""Watts–Strogatz graphs as networks: small worlds of random operations."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from easel.fields.art.graphml import OPERATIONS, GraphNode, directed
from easel.fields.art.networks import ArtNetwork, InputSum
from easel.fields.model.activations import Add, Scale, activation, activation_name
from easel.fields.model.initialization import empty_linear, linears
from easel.fields.model.streams import stream, stream_seed

END_SPREAD = 2.5
"""Span of most values before the two last activations."""
END_SCALE = (1.0, 2.0)
"""Bounds of the scale between them."""
NEIGHBOURS = 4
"""Neighbours of a node on the ring from which a graph starts."""
REWIRED = 0.75
"""Share of the edges that are rewired."""
TRIES = 200
"""Graphs that are drawn until one is connected."""


def watts_strogatz(count: int, seed: int) -> list[GraphNode]:
    """Draw a connected small-world graph of at least 5 nodes, its operations still None (Watts and Strogatz 1998)."""
    from networkx import connected_watts_strogatz_graph

    # A seed of 32 bits is what every generator behind networkx takes.
    graph = connected_watts_strogatz_graph(
        count, NEIGHBOURS, REWIRED, tries=TRIES, seed=stream_seed(seed, "graph") % 2**32
    )
    return directed(count, list(graph.edges))


def with_operations(nodes: Sequence[GraphNode], activations: Sequence[str], seed: int) -> list[GraphNode]:
    """Return the graph with operations and activations drawn where they are None; node 0, the input, has none."""
    generator = stream(seed, "operations")
    # Two numbers for every node, needed or not: a choice that is given leaves those of the other nodes as they were.
    drawn: list[list[int]] = torch.randint(2**31, (len(nodes), 2), generator=generator).tolist()
    chosen = [nodes[0]]
    for node, (operation, number) in zip(nodes[1:], drawn[1:], strict=True):
        operation = node.operation or OPERATIONS[operation % len(OPERATIONS)]
        name = None
        if operation in ("linear", "conv"):
            name = activation_name(node.activation or activations[number % len(activations)])
        chosen.append(replace(node, operation=operation, activation=name))
    return chosen


class GraphNetwork(ArtNetwork):
    """Summed inputs, a linear map, a graph of operations, a linear output between two activations and a scale.

    A node takes the sum of all its inputs, divided by the root of their number so that the variance stays; nodes that
    feed no other are the graph's outputs and are summed.
    """

    def __init__(
        self,
        groups: Sequence[int],
        latent_dim: int,
        width: int,
        channels: int,
        activations: Sequence[str],
        nodes: Sequence[GraphNode],
    ) -> None:
        """Take as activations those of `InputSum`, one behind its linear map, one or two at the end."""
        slots = len(groups) + 2
        # The scale between the two ends stretches bounded values over more than one wave of the last activation.
        hidden, *ends = map(activation, activations[slots:])
        ending = nn.Sequential(ends[0], Scale(*END_SCALE), *ends[1:])
        super().__init__(width, channels, latent_dim, ending, spread=END_SPREAD)
        self.entry = InputSum(groups, latent_dim, width, activations[:slots])
        self.hidden = empty_linear(width, width)
        self.hidden_activation = hidden
        self.sources = [node.inputs for node in nodes]
        self.operations = nn.ModuleList(_operation(node, width) for node in nodes[1:])
        self.outputs = sorted(set(range(len(nodes))) - {source for node in nodes for source in node.inputs})

    @property
    def inner(self) -> list[nn.Linear]:
        """The maps between the sum of the inputs and the output."""
        return [module for module in [self.hidden, *self.operations.modules()] if isinstance(module, nn.Linear)]

    def layers(self) -> list[list[nn.Linear]]:
        return [self.entry.linears, self.inner[:1], self.inner[1:], [self.output]]

    @property
    def receivers(self) -> list[nn.Linear]:
        return linears(self.entry.inputs)

    def features(self, inputs: Float[Tensor, "n k"], z: Float[Tensor, " l"] | None) -> Float[Tensor, "n w"]:
        values = [self.hidden_activation(self.hidden(self.entry(inputs, z)))]
        for sources, operation in zip(self.sources[1:], self.operations, strict=True):
            total = sum(values[source] for source in sources)
            # Divided by √n: the sum of n independent values keeps the spread of one.
            values.append(operation(total * len(sources) ** -0.5))
        return torch.stack([values[place] for place in self.outputs]).sum(0)


def _operation(node: GraphNode, width: int) -> nn.Module:
    match node.operation:
        case "scale":
            return Scale(-1.0, 1.0)
        case "shift":
            return Add(-0.5, 0.5)
    assert node.activation is not None
    return nn.Sequential(empty_linear(width, width), activation(node.activation))
