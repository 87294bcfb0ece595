"""Random settings for galleries, from those that a person might have tried by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from easel.fields.model.streams import stream

_PICTURES: Mapping[str, Sequence[Any]] = {
    "latent_dim": (8, 16, 32, 64),
    "latent_scale": (0.1, 0.5, 1.0, 4.0, 8.0, 16.0, 32.0, 64.0),
    "width": (16, 32, 64),
    "activations": ("fixed", "random"),
    "topology": ("simple", "mlp", "WS"),
    "num_graph_nodes": (8, 16, 32, 64),
    "final_activation": ("sigmoid", "tanh", "none"),
    "weight_init": ("normal", "uniform"),
    "weight_init_mean": (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0),
    "weight_init_std": (0.5, 0.85, 1.0, 1.15),
    "weight_init_min": (-3.0, -2.0, -1.0),
    "weight_init_max": (1.0, 2.0, 3.0),
}
# Fewer choices: a volume of wild weights is fog.
_VOLUMES: Mapping[str, Sequence[Any]] = {
    "latent_scale": (8.0, 16.0, 32.0),
    "width": (16, 32),
    "topology": ("mlp", "WS"),
    "num_graph_nodes": (8, 16, 32),
    "weight_init": ("normal",),
    "weight_init_mean": (0.0,),
    "weight_init_std": (0.85, 1.0, 1.15),
}
# Setting → (another one, its value): without that value it would have no effect.
_ONLY_WITH = {
    "num_graph_nodes": ("topology", "WS"),
    "weight_init_mean": ("weight_init", "normal"),
    "weight_init_std": ("weight_init", "normal"),
    "weight_init_min": ("weight_init", "uniform"),
    "weight_init_max": ("weight_init", "uniform"),
}


def random_settings(dimensions: int, seed: int) -> dict[str, Any]:
    """Draw topology, sizes, activations and initialization for 2 or 3 dimensions; one seed, one answer."""
    generator = stream(seed, "settings")
    choices = {2: _PICTURES, 3: _VOLUMES}[dimensions]
    # All are drawn, also those without effect: what one choice is leaves the others as they were.
    drawn = {
        name: values[int(torch.randint(len(values), (1,), generator=generator))] for name, values in choices.items()
    }
    return {
        name: value
        for name, value in drawn.items()
        if name not in _ONLY_WITH or drawn[_ONLY_WITH[name][0]] == _ONLY_WITH[name][1]
    }
