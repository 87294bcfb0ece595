"""Scenes of tensors that tests make by hand."""

from collections.abc import Callable, Iterator

import pytest
from torch import Tensor

from easel.inspector.models.graph import TensorRef
from easel.inspector.network_scene import NetworkScene


@pytest.fixture
def scene(gl: None) -> Iterator[Callable[..., NetworkScene]]:
    """`scene(name=tensor, …)`: what a network of these tensors looks like."""
    made: list[NetworkScene] = []

    def make(kind: str = "parameter", **tensors: Tensor) -> NetworkScene:
        refs = [
            TensorRef(name.replace("_", "."), tensor, kind, name.partition("_")[0]) for name, tensor in tensors.items()
        ]
        made.append(NetworkScene(refs))
        return made[-1]

    yield make
    for one in made:
        one.close()
