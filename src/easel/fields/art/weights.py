"""How the weights of painting networks begin: an initialization, and what keeps it from painting noise."""

import torch

from easel.fields.art.networks import ArtNetwork, ArtSiren
from easel.fields.art.topology import GraphNetwork
from easel.fields.model.initialization import Initialization, linears

GRAPH_GAIN = 0.7
"""Inside a graph, the std of 'normal' (and the bounds of 'uniform') are relative to this over √width. Paths run through
many maps: were each of them 3 √width strong, as its default says, all pictures would be noise."""
MODULATOR_GAIN = 2.0
"""What multiplies sine layers is drawn as PyTorch draws, this much stronger: a factor far below 1 in each of five
layers leaves nothing to see."""


@torch.no_grad()
def draw_weights(network: ArtNetwork, rule: Initialization, octaves: int, generator: torch.Generator) -> None:
    """Draw all linear maps of a network that sees that many octaves of Fourier features; 0 are coordinates."""
    rule(network.layers(), generator)
    if isinstance(network, ArtSiren):
        Initialization("torch")([linears(network.modulators)], generator)
        for parameter in network.modulators.parameters():
            parameter *= MODULATOR_GAIN
    if rule.name not in ("normal", "uniform"):
        return
    if isinstance(network, GraphNetwork):
        for layer in network.inner:
            layer.weight *= GRAPH_GAIN * layer.in_features**-0.5
    if octaves:
        # Each octave half as strong as the one below, as in pictures of the world; equal ones paint noise.
        strengths = 2.0 ** -torch.arange(octaves).repeat(2)
        for receiver in network.receivers:
            columns = (receiver.in_features - network.latents_beside) // len(strengths) * len(strengths)
            receiver.weight[:, :columns] *= strengths.repeat(columns // len(strengths))
