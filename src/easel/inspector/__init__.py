"""Look inside a network, in 3D: every tensor is one sheet in space, coloured by value and exact under the mouse."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from easel.inspector.graph import Edge, Graph, Node, TensorRef
    from easel.inspector.model_tensors import tensors

_HOME = {
    "Edge": "graph",
    "Graph": "graph",
    "Node": "graph",
    "TensorRef": "graph",
    "tensors": "model_tensors",
}
__all__ = ["Edge", "Graph", "Node", "TensorRef", "tensors"]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
