"""ONNX files: the weights bit by bit, the graph by names, and one line for what is none."""

import numpy as np
import pytest
import torch

from easel.graphics.files import FileError
from easel.inspector.models.sources import open_source

onnx = pytest.importorskip("onnx")


def model_bytes(*initializers) -> bytes:
    helper = onnx.helper
    real = onnx.TensorProto.FLOAT
    nodes = [
        helper.make_node("Conv", ["x", "conv.weight", "conv.bias"], ["a"], name="conv"),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Relu", ["b"], ["c"]),
        helper.make_node("Add", ["a", "c"], ["y"], name="add"),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "net", [value("x", real, [1, 3, 8, 8])], [value("y", real, [1, 4, 6, 6])], list(initializers)
    )
    return helper.make_model(graph).SerializeToString()


def weights(*shape: int, dtype="float32") -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(dtype)


def test_weights_and_graph(tmp_path):
    arrays = {"conv.weight": weights(4, 3, 3, 3), "conv.bias": weights(4)}
    path = tmp_path / "net.onnx"
    path.write_bytes(model_bytes(*(onnx.numpy_helper.from_array(a, n) for n, a in arrays.items())))
    found = open_source(str(path))
    assert all(np.array_equal(found.tensors[name].tensor.numpy(), array) for name, array in arrays.items())
    assert found.tensors["conv.weight"].module_path == "conv"
    assert [(edge.source, edge.target) for edge in found.graph.edges] == [
        ("x", "conv"),
        ("conv", "Relu:1"),
        ("Relu:1", "Relu:2"),
        ("conv", "add"),
        ("Relu:2", "add"),
    ]
    nodes = {node.name: node for node in found.graph.nodes}
    assert (nodes["conv"].tensors, nodes["x"].shape) == (("conv.weight", "conv.bias"), (1, 3, 8, 8))
    assert nodes["add"].shape == (1, 4, 6, 6)
    renamed = tmp_path / "net"
    renamed.write_bytes(path.read_bytes())
    assert list(open_source(str(renamed)).tensors) == list(arrays)


def test_half_and_brain_floats(tmp_path):
    proto = onnx.helper.make_tensor("h", onnx.TensorProto.BFLOAT16, [3], [1.0, -2.0, 0.5])
    half = onnx.numpy_helper.from_array(weights(3, dtype="float16"), "g")
    (tmp_path / "net.onnx").write_bytes(model_bytes(proto, half))
    found = open_source(str(tmp_path / "net.onnx")).tensors
    assert found["h"].tensor.tolist() == [1, -2, 0.5]
    assert found["g"].tensor.dtype == torch.float16


def test_weights_in_other_files_are_not_fetched(tmp_path):
    proto = onnx.numpy_helper.from_array(weights(2, 2), "w")
    onnx.external_data_helper.set_external_data(proto, "/etc/passwd")
    proto.ClearField("raw_data")
    (tmp_path / "net.onnx").write_bytes(model_bytes(proto))
    ref = open_source(str(tmp_path / "net.onnx")).tensors["w"]
    assert ref.shape == (2, 2) and not ref.is_materialised
    assert ref.note == "not materialised: its values are in another file"


@pytest.mark.parametrize("kind", ["claims", "text", "cut", "nothing"])
def test_damaged_files_are_refused_in_one_line(tmp_path, kind):
    proto = onnx.numpy_helper.from_array(weights(2, 2), "w")
    if kind == "claims":
        proto.dims[:] = [10**6, 10**6]
    data = model_bytes(proto)
    data = {"claims": data, "text": b"no model", "cut": data[:-9], "nothing": b"\x08\x07"}[kind]
    (tmp_path / "net.onnx").write_bytes(data)
    with pytest.raises(FileError, match="Export it again") as caught:
        open_source(str(tmp_path / "net.onnx"))
    assert "\n" not in str(caught.value)
