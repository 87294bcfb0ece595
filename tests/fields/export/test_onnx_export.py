"""A field as ONNX: other programs compute what torch computes."""

import json

import numpy as np
import pytest
import torch

from easel.fields.art.architecture import Architecture, build
from easel.fields.export.onnx_export import save_onnx

pytestmark = pytest.mark.usefixtures("onnx_runtime")


@pytest.mark.slow
@pytest.mark.parametrize("topology", ["mlp", "siren"])
def test_onnxruntime_computes_the_field(tmp_path, topology):
    import onnxruntime

    field = build(Architecture(topology=topology), seed=4)
    path = tmp_path / "field.onnx"
    assert save_onnx(path, field, 2, latent=field.latent, recipe={"seed": 4}) < 1e-4
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    points, z = np.random.default_rng(0).uniform(-1, 1, (1000, 2)).astype(np.float32), np.zeros(8, np.float32)
    got = session.run(None, {"coordinates": points, "latent": z})[0]
    with torch.no_grad():
        expected = field(torch.from_numpy(points), torch.from_numpy(z)).numpy()
    assert np.abs(got - expected).max() < 1e-4
    assert json.loads(session.get_modelmeta().custom_metadata_map["easel.recipe"]) == {"seed": 4}


@pytest.mark.slow
def test_without_a_latent_there_is_one_input(tmp_path):
    import onnx

    field = build(Architecture(topology="siren", latent_dim=0, width=8), seed=4).train()
    save_onnx(tmp_path / "field.onnx", field, 2, recipe={})
    graph = onnx.load(tmp_path / "field.onnx").graph
    assert [entry.name for entry in graph.input] == ["coordinates"] and graph.output[0].name == "values"
    assert field.training
