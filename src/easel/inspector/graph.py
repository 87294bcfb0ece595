"""What a network is made of: named tensors, and the nodes and edges along which data flows through them."""

from dataclasses import dataclass

from torch import Tensor

KINDS = ("parameter", "buffer", "activation", "gradient", "state")
"""What a tensor of a network can be."""


@dataclass(frozen=True, eq=False)
class TensorRef:
    """One tensor of a network, under its name."""

    name: str
    tensor: Tensor
    kind: str = "parameter"
    """One of `KINDS`."""
    module_path: str = ""
    """Of the module that owns it, or of the node whose output it is."""
    aliases: tuple[str, ...] = ()
    """Its other names, where weights are tied."""
    module: str = ""
    """The class of the module that owns it, such as "ConvTranspose2d"; empty where only a file is known."""
    groups: int = 1
    """Of a grouped convolution."""


@dataclass(frozen=True)
class Node:
    """One operation of a forward pass."""

    name: str
    kind: str
    """The function's or the module's name, such as "conv2d" or "add"."""
    module_path: str = ""
    inputs: tuple[str, ...] = ()
    """Names of the nodes whose outputs it takes."""
    outputs: tuple[str, ...] = ()
    """Names of the activations it makes."""
    tensors: tuple[str, ...] = ()
    """Names of the parameters and buffers it uses."""
    shape: tuple[int, ...] | None = None
    """Of its (first) output."""
    error: str = ""
    """Why it failed, in one line."""


@dataclass(frozen=True)
class Edge:
    """What one node hands to another."""

    source: str
    target: str
    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class Graph:
    """The operations of one forward pass in the order in which they ran."""

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
