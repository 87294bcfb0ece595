"""Look inside a network, in 3D: every tensor is one sheet in space, coloured by value and exact under the mouse."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from easel.inspector.forward import Capture, capture
    from easel.inspector.graph import Edge, Graph, Node, TensorRef
    from easel.inspector.model_tensors import tensors

_HOME = {
    "Capture": "forward",
    "Edge": "graph",
    "Graph": "graph",
    "Node": "graph",
    "TensorRef": "graph",
    "capture": "forward",
    "tensors": "model_tensors",
}
__all__ = ["Capture", "Edge", "Graph", "Node", "TensorRef", "capture", "tensors"]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
