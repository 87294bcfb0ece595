"""Weights and structure of an ONNX file; the one file of the inspector that knows onnx (extra `export`)."""

import os
from typing import Any

import numpy as np
import torch

from easel.graphics.files import FileError, open_file
from easel.inspector.models.graph import Edge, Graph, Node, TensorRef, number_names

LIMIT_BYTES = 2**31
"""Limit of a protobuf message; larger models keep their weights in other files."""


class OnnxReaderMissingError(RuntimeError):
    """The library of the extra `export` is missing; the message names it."""


def read_onnx(path: str | os.PathLike[str]) -> tuple[dict[str, TensorRef], Graph]:
    """Return (weights by name, graph) of a model. Nothing in the file runs.

    Weights that lie in other files are not fetched: they are on `meta`. Raises FileError, of one line, for anything
    that is no ONNX file, and OnnxReaderMissingError without the library.
    """
    try:
        import onnx
    except ImportError as error:
        raise OnnxReaderMissingError("reading ONNX needs onnx: pip install 'torch-easel[export]'.") from error

    cannot = f"cannot read {os.fspath(path)!r}:"
    with open_file(path) as file:
        if os.fstat(file.fileno()).st_size > LIMIT_BYTES:
            raise FileError(f"{cannot} it is larger than an ONNX file can be.")
        data = file.read()
    try:
        found = onnx.ModelProto.FromString(data).graph
        refs = {tensor.name: _ref(tensor) for tensor in found.initializer if tensor.name}
    except Exception as error:  # protobuf's and numpy's own, by the dozen
        reason = " ".join(str(error).split())[:120]
        raise FileError(f"{cannot} it is damaged or no ONNX file ({reason}). Export it again.") from None
    # Protobuf decodes many files that are no model, and finds nothing in them.
    if not found.node and not refs:
        raise FileError(f"{cannot} it holds no ONNX graph. Export it again.")
    return refs, _graph(found, refs)


def _ref(tensor: Any) -> TensorRef:
    from onnx import TensorProto, numpy_helper

    name, path = tensor.name, tensor.name.rpartition(".")[0]
    # Never fetched: a path inside a file from anywhere could lead to any file of this machine.
    if tensor.data_location == TensorProto.EXTERNAL:
        note = "not materialised: its values are in another file"
        return TensorRef(name, torch.empty(tuple(tensor.dims), device="meta"), module_path=path, note=note)
    array = numpy_helper.to_array(tensor)
    if array.dtype.kind not in "fiubc":  # bfloat16 and smaller, which numpy itself does not know
        array = array.astype(np.float32)
    # A copy: numpy's array is read-only where it shares the message's bytes, and torch warns of that.
    return TensorRef(name, torch.from_numpy(np.array(array)), module_path=path)


def _graph(found: Any, refs: dict[str, TensorRef]) -> Graph:
    """Return the operations of an ONNX graph, its inputs first; `refs` are its weights."""
    # Older files list the weights among the inputs.
    inputs = [value for value in found.input if value.name not in refs]
    names = number_names([*(value.name for value in inputs), *(node.name or node.op_type for node in found.node)], refs)
    shapes = {value.name: _shape(value) for value in (*found.input, *found.value_info, *found.output)}
    makers: dict[str, str] = {}
    nodes: list[Node] = []
    edges: list[Edge] = []
    for value, name in zip(inputs, names, strict=False):
        makers[value.name] = name
        nodes.append(Node(name, "input", outputs=(value.name,), shape=shapes[value.name]))
    for node, name in zip(found.node, names[len(inputs) :], strict=True):
        reads = [one for one in dict.fromkeys(node.input) if one in makers]
        used = tuple(one for one in dict.fromkeys(node.input) if one in refs)
        # An optional output that nobody wants has an empty name.
        makes = tuple(one for one in node.output if one)
        shape = next((shapes.get(one) for one in makes), None)
        nodes.append(Node(name, node.op_type, "", tuple(reads), makes, used, shape))
        edges += (Edge(makers[one], name, shapes.get(one) or (), one) for one in reads)
        makers |= dict.fromkeys(makes, name)
    return Graph(tuple(nodes), tuple(edges))


def _shape(value: Any) -> tuple[int, ...] | None:
    """Return a tensor's shape; None unless every axis has a fixed size."""
    axes = value.type.tensor_type.shape.dim
    # A batch axis may have a name in place of a size.
    if not all(axis.HasField("dim_value") for axis in axes):
        return None
    return tuple(axis.dim_value for axis in axes)
