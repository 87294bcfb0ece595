"""Facts about a network: its tensors by name, the operations of one forward pass, and the activations between them.

Plain records without drawing. A name is a path as the user knows it, `layer1.0.conv1.weight`; wrappers of torch
(`module.`, `_orig_mod.`) are left out of it.
"""

from collections import Counter
from collections.abc import Container
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

    Without values it is a tensor on `meta`, of the known shape, and `note` gives the reason.
    """
    kind: Kind = "parameter"
    module_path: str = ""
    """Path of the module that owns it, or whose operation made it; empty for the model itself."""
    aliases: tuple[str, ...] = ()
    """Its other names, if weights are tied."""
    module: str = ""
    """Class of that module, `ConvTranspose2d`, `LSTM`; empty if only a file is known."""
    groups: int = 1
    """Groups of a convolution."""
    note: str = ""
    """Remark for a label: `not materialised`, `local shard of (1024, 512)`."""

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.tensor.shape)

    @property
    def is_materialised(self) -> bool:
        """True if there are values to show."""
        return not self.tensor.is_meta


@dataclass(frozen=True)
class Node:
    """One operation of a forward pass: a layer, a function, an input of the model or a tensor from outside."""

    name: str
    """`layer1.0.conv1`, `layer1.0.add`, `input`; numbered `:1`, `:2` … if it ran several times."""
    kind: str
    """Class of the module (`Conv2d`), name of the function (`add`, `cat`), `input` or `outside`."""
    module_path: str = ""
    """Path of the layer itself, or of the module in whose forward the function ran."""
    inputs: tuple[str, ...] = ()
    """Names of the activations that it read, each once."""
    outputs: tuple[str, ...] = ()
    """Names of the activations that it made: its own name, or `lstm.0`, `lstm.1.0` if there are several."""
    tensors: tuple[str, ...] = ()
    """Names of the parameters and buffers that it used."""
    shape: tuple[int, ...] | None = None
    """Shape of its first output."""
    error: str = ""
    """Reason why the forward pass ended here, in one line."""


@dataclass(frozen=True)
class Edge:
    """One activation on its way from the node that made it to one that read it."""

    source: str
    target: str
    shape: tuple[int, ...] = ()
    tensor: str = ""
    """Name of the activation."""


@dataclass(frozen=True)
class Graph:
    """Operations in the order in which they ran; every edge leads to a later one."""

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()


def number_names(bases: list[str], taken: Container[str]) -> list[str]:
    """Return the bases in order, numbered `:1`, `:2` … if they come more than once or are taken."""
    times, seen = Counter(bases), Counter[str]()
    names: list[str] = []
    for base in bases:
        seen[base] += 1
        # All repetitions get a number, the first too: `relu` beside `relu:2` would look like another function.
        names.append(f"{base}:{seen[base]}" if times[base] > 1 or base in taken else base)
    return names


def meta_note(tensor: Tensor) -> str:
    """Return the note of a tensor without values; empty for others."""
    return "not materialised" if tensor.is_meta else ""


def one_line(error: BaseException) -> str:
    """Return an exception as one line for a label: its type, and up to about 300 characters of its text."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:300].removesuffix(": ")
