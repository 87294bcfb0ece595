"""What there is to look at in a network: its tensors by name, the operations that ran, and what flowed between them.

Plain facts without drawing. A name is a path as the user knows it, `layer1.0.conv1.weight`; wrappers of torch
(`module.`, `_orig_mod.`) are left out of it.
"""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

Kind = Literal["parameter", "buffer", "activation", "gradient", "state"]


@dataclass(frozen=True, eq=False)
class TensorRef:
    """One tensor of a network, under its first name."""

    name: str
    tensor: Tensor
    """Detached; a parameter or buffer shares its memory, so it follows a training that works in place.

    Where there are no values it is a tensor on `meta`, of the shape that is known, and `note` tells why.
    """
    kind: Kind = "parameter"
    module_path: str = ""
    """The module that owns it, or whose operation made it; empty for the model itself."""
    aliases: tuple[str, ...] = ()
    """Its other names, where weights are tied."""
    module: str = ""
    """The class of that module, `ConvTranspose2d`, `LSTM`; empty where only a file is known."""
    groups: int = 1
    """Groups of a convolution."""
    note: str = ""
    """What a label has to tell besides: `not materialised`, `local shard of (1024, 512)`."""

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.tensor.shape)

    @property
    def is_materialised(self) -> bool:
        """Whether there are values to show."""
        return not self.tensor.is_meta


@dataclass(frozen=True)
class Node:
    """One operation of a forward pass: a layer, a function, an input of the model or a tensor from outside."""

    name: str
    """`layer1.0.conv1`, `layer1.0.add`, `input`; with `:1`, `:2` … where it ran several times."""
    kind: str
    """The module's class (`Conv2d`), the function (`add`, `cat`), `input` or `outside`."""
    module_path: str = ""
    """The layer itself, or the module in whose forward the function ran."""
    inputs: tuple[str, ...] = ()
    """Names of the activations that it read, each once."""
    outputs: tuple[str, ...] = ()
    """Names of the activations that it made: its own name, or `lstm.0`, `lstm.1.0` where there are several."""
    tensors: tuple[str, ...] = ()
    """Names of the parameters and buffers that it used."""
    shape: tuple[int, ...] | None = None
    """Of its first output."""
    error: str = ""
    """Why the forward pass ended here, in one line."""


@dataclass(frozen=True)
class Edge:
    """One activation on its way from the node that made it to one that read it."""

    source: str
    target: str
    shape: tuple[int, ...] = ()
    tensor: str = ""
    """The activation's name."""


@dataclass(frozen=True)
class Graph:
    """The operations in the order in which they ran; every edge leads to a later one."""

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
