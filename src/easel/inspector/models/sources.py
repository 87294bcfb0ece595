"""Sources: a file of weights, an ONNX file, or a function that returns a model, by the name that a person gives."""

import importlib
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from easel.graphics.files import open_file
from easel.inspector.models.graph import Graph, Kind, TensorRef, meta_note, one_line
from easel.inspector.models.model_tensors import tensors
from easel.inspector.models.onnx_file import read_onnx
from easel.inspector.models.weights_file import read_weights

BUFFERS = ("running_mean", "running_var", "num_batches_tracked")
"""Last parts of names that are no parameters, as far as a name can tell."""


@dataclass(frozen=True)
class Source:
    """A network that was found under a name."""

    tensors: Mapping[str, TensorRef]
    model: nn.Module | None = None
    graph: Graph | None = None
    """Graph of a file that tells how data flows; a model tells it by `capture`."""
    step: int | None = None
    """Training step of a checkpoint, if it tells one."""


class SourceError(ValueError):
    """A name leads to nothing that can be looked at; one line tells what to do."""


def open_source(name: str) -> Source:
    """Open a `.safetensors`, `.pt` or `.pth` file, an ONNX file, or `package.module:function`.

    Files are judged by their content and never run; the function is the user's own code and does run, without
    arguments. Raises FileError, SourceError or OnnxReaderMissingError, each of one line.

        open_source("checkpoints/model.pt").tensors["conv1.weight"]
        open_source("torchvision.models:resnet18").model
    """
    # A file of such a name wins: a colon is legal in a path.
    if not os.path.lexists(name) and re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", name):
        model = _model(name)
        return Source(tensors(model), model)
    with open_file(name) as file:
        head = file.read(16)
    if _is_onnx(head, Path(name)):
        refs, graph = read_onnx(name)
        return Source(refs, graph=graph)
    weights = read_weights(name)
    return Source(refs_of(weights.tensors), step=weights.step)


def refs_of(weights: Mapping[str, Tensor]) -> dict[str, TensorRef]:
    """Return weights without a model as a scene takes them: the tree of their names is all the structure there is."""
    refs = {}
    for name, tensor in weights.items():
        path, _, last = name.rpartition(".")
        kind: Kind = "buffer" if last in BUFFERS else "parameter"
        refs[name] = TensorRef(name, tensor, kind, path, note=meta_note(tensor))
    return refs


def _is_onnx(head: bytes, path: Path) -> bool:
    """Return True for an ONNX file, by its suffix or by the first 16 bytes."""
    # A protobuf begins with the number of its first field: the version, a small number, in ONNX. The header's length of
    # a safetensors file may begin with the same byte; then a brace follows the eight bytes.
    return path.suffix.lower() == ".onnx" or (head[:1] == b"\x08" and head[8:9] != b"{")


def _model(name: str) -> nn.Module:
    """Import `package.module:function` and call it. Raises SourceError for anything but a model."""
    module_name, _, path = name.partition(":")
    here = os.getcwd()
    # Modules of the current folder can be imported, as by `python -m`.
    sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module_name)
        for part in path.split("."):
            found = getattr(found, part)
        # A module is callable too, and calling it would run a forward pass.
        model = found if isinstance(found, nn.Module) else found()
    except ModuleNotFoundError as error:
        fits = "Name a file, or package.module:function."
        raise SourceError(f"cannot open {name!r}: there is no module {error.name!r} here. {fits}") from error
    except AttributeError as error:
        raise SourceError(f"cannot open {name!r}: {error}.") from error
    # The user's own code may raise anything.
    except Exception as error:
        raise SourceError(f"cannot open {name!r}: it raised {one_line(error)}") from error
    finally:
        # By value, not by place: the code that ran may have put other folders in front, or taken this one away.
        if here in sys.path:
            sys.path.remove(here)
    if not isinstance(model, nn.Module):
        came = type(model).__name__
        raise SourceError(f"{name!r} returned a {came}; a function that returns a torch.nn.Module fits.")
    return model
