"""A material as glTF: Khronos' validator finds nothing to say, and the pictures hold the maps."""

import io
import json
import struct
import subprocess

import numpy as np
import pytest
import torch
from PIL import Image

from easel.materials.asset_export.gltf import save_glb, save_gltf
from easel.materials.collection.procedural import procedural

VALIDATE = """
const {readFileSync} = require("fs"), {dirname, join} = require("path");
const [validator, ...files] = process.argv.slice(1);
const read = path => new Uint8Array(readFileSync(path));
Promise.all(files.map(file => require(validator).validateBytes(read(file), {
  externalResourceFunction: async uri => read(join(dirname(file), uri)),
}))).then(reports => console.log(JSON.stringify(reports)));
"""


@pytest.fixture
def maps():
    return procedural(0, 16)


@pytest.mark.slow
def test_khronos_validator_finds_nothing(maps, npm_pack, tmp_path):
    save_glb(tmp_path / "one.glb", maps, "one")
    save_glb(tmp_path / "two.glb", maps, "two", repeats=2.5, bits=16)
    save_gltf(tmp_path / "three.gltf", maps, "three")
    package = npm_pack("gltf-validator@2.0.0-dev.3.10")
    files = [str(tmp_path / name) for name in ("one.glb", "two.glb", "three.gltf")]
    command = ["node", "-e", VALIDATE, str(package / "index.js"), *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    for report in json.loads(done.stdout):
        assert report["issues"]["messages"] == []
        assert report["info"]["materialCount"] == 1 and report["info"]["drawCallCount"] == 2


def test_the_pictures_hold_the_maps(maps, tmp_path):
    save_glb(tmp_path / "one.glb", maps, "one")
    data = (tmp_path / "one.glb").read_bytes()
    length = struct.unpack("<I", data[12:16])[0]
    document, binary = json.loads(data[20 : 20 + length]), data[28 + length :]

    def picture(reference):
        assert document["samplers"][document["textures"][reference["index"]]["sampler"]]["wrapS"] == 10497
        image = document["images"][document["textures"][reference["index"]]["source"]]
        view = document["bufferViews"][image["bufferView"]]
        file = binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
        return torch.from_numpy(np.array(Image.open(io.BytesIO(file)))).permute(2, 0, 1) / 255

    (material,) = document["materials"]
    surface = material["pbrMetallicRoughness"]
    assert not {"metallicFactor", "roughnessFactor", "baseColorFactor"} & surface.keys()  # each is 1
    packed = picture(surface["metallicRoughnessTexture"])
    for found, true in (
        (picture(surface["baseColorTexture"]), maps.albedo),
        (packed[1:2], maps.roughness),
        (packed[2:], maps.metallic),
        (2 * picture(material["normalTexture"]) - 1, maps.normal),
    ):
        assert (found - true).abs().max() < 1.01 / 255


def test_one_material_at_a_time(maps, tmp_path):
    with pytest.raises(ValueError, match="one material"):
        save_glb(tmp_path / "batch.glb", type(maps).stack([maps, maps]), "batch")
    assert not list(tmp_path.iterdir())
