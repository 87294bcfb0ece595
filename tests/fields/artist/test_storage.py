"""Models and recipes in files, from friends and from strangers."""

import base64
import hashlib
import json
import logging
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
import tifffile
import torch

from easel import checkpoint
from easel.fields import INRF2D, INRF3D
from easel.fields.artist.recipe import Recipe
from easel.fields.files.sample_files import png_text
from easel.graphics.files import FileError
from easel.graphics.image import imread
from easel.graphics.png import chunk as png_chunk


def painted(seed=3, **options):
    model = INRF2D(seed=seed, output_shape=(20, 30, 3), **options)
    model.init_map_weights()
    model.new_latents()
    return model


def scene(size=(20, 30)):
    rows, columns = torch.meshgrid(*(torch.linspace(0, 1, n) for n in size), indexing="ij")
    return torch.stack([rows, columns, (rows > columns).float()], dim=-1)


def fitted(preset="tiny"):
    model = INRF2D(seed=3)
    model.fit(scene(), steps=20, preset=preset)
    return model


@pytest.mark.parametrize("topology", ["mlp", "conv", "WS", "siren"])
def test_a_saved_model_is_the_same_model(tmp_path, topology):
    model = painted(graph_topology=topology, latent_scale=2.0)
    model.save(tmp_path / "a.safetensors")
    again = INRF2D.load(tmp_path / "a.safetensors")
    assert torch.equal(again.generate(), model.generate()) and again.metadata() == model.metadata()
    again.save(tmp_path / "b.safetensors")
    assert (tmp_path / "b.safetensors").read_bytes() == (tmp_path / "a.safetensors").read_bytes()


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_picture_is_rendered_larger_from_its_recipe(tmp_path, suffix):
    model, path = painted(graph_topology="WS"), tmp_path / f"a{suffix}"
    model.save_image(path, size=(20, 30), zoom=4, center=(0.25, -0.25))
    again = INRF2D.from_metadata(path)
    expected = model.generate(size=(60, 90), zoom=4, center=(0.25, -0.25))
    assert torch.equal(again.generate(), expected[1::3, 1::3])
    assert torch.equal(again.generate(output_shape=(60, 90)), expected)
    assert torch.equal(again.generate(size=(8, 8), zoom=1), model.generate(size=(8, 8)))


def test_a_volume_has_a_recipe_too(tmp_path):
    model = INRF3D(seed=1, output_shape=(4, 5, 6, 3))
    model.save_image(tmp_path / "a.tif")
    assert torch.equal(INRF3D.from_metadata(tmp_path / "a.tif").generate(), model.generate())
    with pytest.raises(FileError, match="3 axes; INRF2D has 2"):
        INRF2D.from_metadata(tmp_path / "a.tif")


def test_a_fitted_picture_carries_small_weights(tmp_path):
    model = fitted()
    assert not torch.equal(model.generate(), INRF2D(seed=3).generate(size=(20, 30)))
    model.save_image(tmp_path / "a.png")
    model.save_image(tmp_path / "a.tif")
    for name in ("a.png", "a.tif"):
        assert torch.equal(INRF2D.from_metadata(tmp_path / name).generate(), model.generate())


def test_a_fitted_picture_names_large_weights(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("easel.fields.artist.storage.EMBEDDED_BYTES", 100)
    model = fitted()
    with caplog.at_level(logging.WARNING, "easel"):
        model.save_image(tmp_path / "a.png")
    assert "a.png lacks the learned weights" in caplog.text
    with pytest.raises(FileError, match="save"):
        INRF2D.from_metadata(tmp_path / "a.png")
    model.save(tmp_path / "w.safetensors")
    model.save_image(tmp_path / "a.png")
    assert torch.equal(INRF2D.from_metadata(tmp_path / "a.png").generate(), model.generate())
    fitted("siren").save(tmp_path / "w.safetensors")
    with pytest.raises(FileError, match="other weights"):
        INRF2D.from_metadata(tmp_path / "a.png")
    (tmp_path / "w.safetensors").unlink()
    with pytest.raises(FileError, match=r"'w\.safetensors', which is not beside"):
        INRF2D.from_metadata(tmp_path / "a.png")


def test_a_named_checkpoint_lies_beside_the_picture_and_nowhere_else(tmp_path, monkeypatch):
    monkeypatch.setattr("easel.fields.artist.storage.EMBEDDED_BYTES", 100)
    model = fitted()
    model.save(tmp_path / "secret" / "w.safetensors")
    data = model.metadata()
    data["weights"]["file"] = str(tmp_path / "secret" / "w.safetensors")
    with pytest.raises(ValueError, match="not beside"):
        INRF2D.from_metadata(data)


@pytest.mark.slow
def test_a_new_process_makes_the_same_bytes(tmp_path):
    model = fitted()
    model.save(tmp_path / "a.safetensors")
    painted(graph_topology="WS").save_image(tmp_path / "b.png")
    code = (
        "import sys, hashlib; from easel.fields import INRF2D\n"
        "for model in (INRF2D.load(sys.argv[1]), INRF2D.from_metadata(sys.argv[2])):\n"
        "    print(hashlib.sha256(model.generate(splits=3).numpy().tobytes()).hexdigest())"
    )
    paths = [str(tmp_path / name) for name in ("a.safetensors", "b.png")]
    done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True)
    expected = [model.generate(), painted(graph_topology="WS").generate()]
    assert done.stdout.split() == [hashlib.sha256(picture.numpy().tobytes()).hexdigest() for picture in expected]


def test_a_bare_name_goes_into_the_output_folder(tmp_path):
    model = painted(output_dir=tmp_path / "pictures")
    assert not (tmp_path / "pictures").exists()
    assert model.save_image("a.png") == tmp_path / "pictures" / "a.png"
    for name in ("a.jpg", "a.webp"):
        model.save_image(tmp_path / name)
        assert imread(tmp_path / name).shape == (20, 30, 4)


def test_pictures_flow_into_files(tmp_path):
    model = painted()
    picture = model.generate(dtype="uint16")
    assert torch.equal(model.generate(out=tmp_path / "a.npy", dtype="uint16"), picture)
    described = model.generate(out=tmp_path / "a.png", dtype="uint16")
    assert described.shape == picture.shape and described.is_meta
    array = np.zeros((20, 30, 3), np.float32)
    assert model.generate(out=array).data_ptr() == array.ctypes.data and (array == model.generate().numpy()).all()
    with pytest.raises(ValueError, match="64"):
        model.generate(size=(2**17, 2**17), out=tmp_path / "b.npy")


GOOD = painted().metadata()


def changed(**changes):
    return {name: value for name, value in (GOOD | changes).items() if value != "gone"}


HOSTILE = {
    "a newer format": (changed(format=2, easel="9.9"), "written by easel 9.9"),
    "no format": (changed(format="gone"), "'format'"),
    "a format that is no number": (changed(format=True), "'format'"),
    "an unknown key": (changed(password=1), "unknown keys: password"),
    "a lacking key": (changed(seed="gone"), "lacks seed"),
    "an unknown kind": (changed(kind="executable"), "unknown kind"),
    "a seed that is a text": (changed(seed="3"), "seed is 3; it must be a whole number"),
    "a negative seed": (changed(seed=-3), "seed is -3; it must be 0 to"),
    "an absurd size": (changed(output_shape=[2**40, 2**40, 3]), "it must be 1 to 16777216"),
    "a size of nothing": (changed(output_shape=[0, 8, 3]), "1 to"),
    "too many channels": (changed(output_shape=[8, 8, 10**6]), "channels"),
    "a size that is a text": (changed(output_shape="88"), "list"),
    "latents of another length": (changed(latents=[[1.0, 2.0]]), "latents"),
    "latents that are texts": (changed(latents=[["a"] * 8]), "it must be a finite number"),
    "latents without an end": (changed(latents=[[0.0] * 10**6]), "list of up to"),
    "a window of nothing": (changed(window={"zoom": 0}), "above 0"),
    "an unknown window key": (changed(window={"eval": 1}), "makes no sense"),
    "a window that is a list": (changed(window=[1]), "an object"),
    "a calibration upside down": (changed(calibration=[1, 0]), "smaller"),
    "a calibration of three": (changed(calibration=[1, 2, 3]), "makes no sense"),
    "an absurd width": (changed(network=GOOD["network"] | {"width": 10**9}), "width"),
    "an unknown topology": (changed(network=GOOD["network"] | {"topology": "gan"}), "topology"),
    "a network that is a text": (changed(network="mlp"), "an object"),
    "an unknown activation": (changed(network=GOOD["network"] | {"final_activation": "exec"}), "activation"),
    "a width that is a text": (changed(network=GOOD["network"] | {"width": "wide"}), "makes no sense"),
    "an absurd config": (changed(kind="config", network={"hidden": 10**9}, config_size=[8, 8]), "hidden.*1 to 4096"),
    "an unknown encoding": (changed(kind="config", network={"encoding": "tape"}, config_size=[8, 8]), "tape"),
    "a config without a size": (changed(kind="config", network={}), "config_size"),
    "fitted without weights": (changed(fitted=True), "lacks the weights"),
    "weights that are no base64": (changed(fitted=True, weights={"data": "%%%"}), "weights"),
    "weights that are no checkpoint": (
        changed(fitted=True, weights={"data": base64.b64encode(b"x" * 99).decode()}),
        "weights",
    ),
    "weights of another field": (
        changed(
            fitted=True,
            weights={"data": base64.b64encode(checkpoint.pack({"a": torch.zeros(3)}, {})).decode()},
        ),
        "do not fit",
    ),
    "weights that are a number": (changed(fitted=True, weights=3), "an object"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_a_strangers_recipe_is_refused_in_one_line(name, tmp_path):
    data, words = HOSTILE[name]
    with pytest.raises(ValueError, match=words) as failure:
        INRF2D.from_metadata(data)
    assert "\n" not in str(failure.value) and len(str(failure.value)) < 500
    (tmp_path / "a.png").write_bytes(png(png_text(json.dumps(data))))
    with pytest.raises(FileError, match=words):
        INRF2D.from_metadata(tmp_path / "a.png")


def png(*chunks):
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixels = png_chunk(b"IDAT", zlib.compress(b"\0\0"))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + b"".join(chunks) + pixels + png_chunk(b"IEND", b"")


BOMB = b"easel.recipe\0\1\0\0\0" + zlib.compress(bytes(2**26))
TEXT = json.dumps(GOOD).encode()
STRANGE = {
    "no recipe": (png(), "holds no recipe"),
    "a cut picture": (png(png_text("{}"))[:60], "cut short"),
    "a wrong checksum": (png(png_chunk(b"iTXt", b"easel.recipe\0\0\0\0\0{}")[:-4] + b"abcd"), "altered"),
    "a text that is no JSON": (png(png_text("exec('rm -rf /')")), "JSON"),
    "a text that is a list": (png(png_text("[1]")), "not an object"),
    "a deep text": (png(png_text("[" * 100_000)), "JSON"),
    "numbers that are none": (png(png_text('{"format": NaN}')), "NaN"),
    "a bomb": (png(png_chunk(b"iTXt", BOMB)), "larger than 8 MiB"),
    "a cut compression": (png(png_chunk(b"iTXt", BOMB[:60])), "cut short"),
    "a text that is no text": (png(png_chunk(b"iTXt", b"easel.recipe\0\0\0\0\0\xff\xfe")), "recipe"),
    "fields that lack": (png(png_chunk(b"iTXt", b"easel.recipe\0\0")), "recipe"),
    "no picture": (b"hello, this is text", "holds no recipe"),
    "a broken TIFF": (b"II*\0" + b"\xff" * 40, "damaged"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_strangers_picture_is_refused_in_one_line(name, tmp_path):
    data, words = STRANGE[name]
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(FileError, match=words) as failure:
        INRF2D.from_metadata(tmp_path / "a.png")
    assert "\n" not in str(failure.value) and len(str(failure.value)) < 500


def test_an_uncompressed_text_is_read_too(tmp_path):
    (tmp_path / "a.png").write_bytes(png(png_chunk(b"iTXt", b"easel.recipe\0\0\0\0\0" + TEXT)))
    assert torch.equal(INRF2D.from_metadata(tmp_path / "a.png").generate(), painted().generate())


def test_a_saved_model_that_was_altered_is_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    painted().save(path)
    data = path.read_bytes()
    for broken in (data[:-1], data[:100], data[:-1] + b"\0" if data[-1] else data[:-1] + b"\1", b"", b"abc"):
        path.write_bytes(broken)
        with pytest.raises(FileError) as failure:
            INRF2D.load(path)
        assert "\n" not in str(failure.value)
    checkpoint.write(path, {}, {"format": 1, "kind": "architecture"})
    with pytest.raises(FileError, match="lacks"):
        INRF2D.load(path)


def test_a_recipe_comes_back_from_its_json():
    recipe = Recipe.from_json(json.loads(json.dumps(GOOD)))
    assert recipe.to_json() == GOOD


THEIRS = {
    "seed": 17,
    "latent_dim": "4",
    "latent_scale": "2.0",
    "x_dim": 16,
    "y_dim": 24,
    "c_dim": 3,
    "device": "cuda",
    "mlp_layer_width": 16,
    "conv_feature_map_size": "None",
    "input_encoding_dim": 1,
    "activations": "basic",
    "final_activation": "None",
    "weight_init": "normal",
    "weight_init_mean": 0,
    "weight_init_std": "1.2",
    "weight_init_min": "None",
    "weight_init_max": None,
    "graph_topology": "mlp",
    "num_graph_nodes": 10,
    "graph": None,
    "latents": [[[0.5, -0.5, 1.0, 0.0]]],
}


def test_settings_of_the_predecessor_make_the_same_kind(tmp_path, caplog):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((16, 24, 3), np.uint8), photometric="rgb", metadata=THEIRS)
    with caplog.at_level(logging.WARNING, "easel"):
        model = INRF2D.from_metadata(tmp_path / "a.tif")
    assert "not the same" in caplog.text
    assert (model.seed, model.output_shape, model.recipe.latent_scale) == (17, (16, 24, 3), 2.0)
    network = model.recipe.network
    assert (network.width, network.weight_init_std, network.final_activation) == (16, 1.2, "identity")
    assert model.sample_latents().sample.flatten().tolist() == [0.5, -0.5, 1.0, 0.0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": "many"}, "no number"),
        ({"latent_scale": "nan"}, "finite"),
        ({"exploit": 1}, "unknown setting"),
        ({"x_dim": 10**12}, "1 to"),
        ({"latents": [0.0] * 10**5}, "4096"),
        ({"graph_topology": "transformer"}, "Known"),
    ],
)
def test_their_nonsense_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        INRF2D.from_metadata(THEIRS | changes)
