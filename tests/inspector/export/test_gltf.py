"""A network as glTF: what other programs read of it."""

import io
import json
import struct

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from easel.inspector.drawing.colors import LOUD, ZERO
from easel.inspector.export.gltf import save_gltf, sheet_picture
from easel.inspector.layout.layout import arrange
from easel.inspector.layout.sheet_map import sheet_of
from easel.inspector.models.graph import TensorRef
from easel.inspector.models.model_tensors import tensors
from easel.inspector.scene.sheet import Sheet


def parts(path):
    """(JSON, binary) of a `.glb`, by its own rules."""
    data = path.read_bytes()
    magic, version, length = struct.unpack("<4sII", data[:12])
    assert (magic, version, length) == (b"glTF", 2, len(data))
    chunks, at = {}, 12
    while at < length:
        size, kind = struct.unpack("<I4s", data[at : at + 8])
        assert size % 4 == 0
        chunks[kind] = data[at + 8 : at + 8 + size]
        at += 8 + size
    return json.loads(chunks[b"JSON"]), chunks[b"BIN\0"]


def alone(tensor):
    """The sheet of one tensor."""
    ref = TensorRef("w", tensor)
    return Sheet(arrange([ref]).boxes[0], ref)


@pytest.fixture
def network(tmp_path):
    torch.manual_seed(0)
    refs = tensors(nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Linear(70, 5)))
    path = tmp_path / "network.glb"
    return refs, path, save_gltf(path, refs.values())


def test_every_sheet_is_a_node_that_tells_what_it_is(network):
    refs, path, _ = network
    document, _ = parts(path)
    told = {node["name"]: node["extras"] for node in document["nodes"]}
    assert set(told) == {name for name, ref in refs.items() if ref.tensor.ndim}
    for name, facts in told.items():
        assert facts["shape"] == list(refs[name].shape) and facts["dtype"] == "float32"
    assert told["0.weight"]["limit"] == pytest.approx(refs["0.weight"].tensor.abs().max().item(), rel=1e-3)


def test_nodes_stand_where_the_arrangement_has_them(network):
    refs, path, _ = network
    document, _ = parts(path)
    boxes = {box.name: box for box in arrange(refs.values()).boxes}
    for node in document["nodes"]:
        matrix = np.array(node["matrix"]).reshape(4, 4).T
        box = boxes[node["name"]]
        lower_right = np.array(box.origin) + box.right + box.down
        assert np.allclose((matrix @ [0, 0, 0, 1])[:3], box.origin)
        assert np.allclose((matrix @ [1, 1, 0, 1])[:3], lower_right)
        assert np.linalg.det(matrix) > 0


def test_pictures_have_a_texel_for_every_cell(network):
    refs, path, reduced = network
    document, binary = parts(path)
    assert reduced == ()
    for node, image in zip(document["nodes"], document["images"], strict=True):
        view = document["bufferViews"][image["bufferView"]]
        png = binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
        rows, columns = sheet_of(refs[node["name"]]).grid
        assert Image.open(io.BytesIO(png)).size == (columns, rows)


def test_other_programs_read_it(network):
    trimesh = pytest.importorskip("trimesh")
    refs, path, _ = network
    scene = trimesh.load(path)
    assert len(scene.geometry) == sum(ref.tensor.ndim > 0 for ref in refs.values())


def test_colours_tell_sign_zero_and_what_is_not_a_number():
    weights = torch.zeros(4, 4)
    weights[0, 0], weights[1, 1], weights[2, 2] = 1, -1, torch.nan
    picture, limit, cells = sheet_picture(alone(weights), 64)
    assert (limit, cells) == (1, 1)
    red, _, blue, alpha = picture[0, 0].astype(int)
    assert red > blue + 60 and alpha == 255
    assert picture[1, 1, 2] > picture[1, 1, 0]
    assert picture[2, 2, :3].tolist() == [round(255 * part) for part in LOUD]
    assert np.abs(picture[3, 3, :3] - 255 * np.array(ZERO)).max() <= 1


def test_large_sheets_keep_their_peaks():
    weights = torch.zeros(100, 100)
    weights[99, 99] = -5
    picture, _, cells = sheet_picture(alone(weights), 16)
    assert cells == 8 and max(picture.shape[:2]) <= 16
    assert picture[-1, -1, 2] > picture[-1, -1, 0] + 60


def test_too_large_and_nothing_to_show_are_refused(tmp_path):
    refs = tensors(nn.Linear(300, 300))
    with pytest.raises(ValueError, match="most_texels"):
        save_gltf(tmp_path / "large.glb", refs.values(), limit_bytes=1000)
    with pytest.raises(ValueError, match="no tensor"):
        save_gltf(tmp_path / "empty.glb", [])
    assert list(tmp_path.iterdir()) == []
