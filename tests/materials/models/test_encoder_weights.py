"""Weights of an encoder from files, and files that are something else."""

import pickle
import zipfile

import pytest
import torch

from easel import checkpoint
from easel.graphics.files import FileError
from easel.materials.config import ModelConfig
from easel.materials.models.encoder_weights import load_encoder, over_channels
from easel.materials.models.encoders import build_encoder


def encoder(seed, **settings):
    torch.manual_seed(seed)
    config = ModelConfig(encoder_type="mobilenetv3", encoder_backbone="mobilenet_v3_small", **settings)
    return build_encoder(config)


@pytest.fixture(scope="module")
def published():
    """What a classifier's file holds: batch statistics, and a head that no encoder has."""
    return {**encoder(1, norm="batch").state_dict(), "classifier.0.weight": torch.zeros(3, 3)}


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("norm", ["batch", "group"])
def test_weights_arrive(tmp_path, published, suffix, norm):
    path = tmp_path / f"weights{suffix}"
    if suffix == ".pth":
        torch.save(published, path)
    else:
        checkpoint.write(path, published, {})
    network = encoder(2, norm=norm)
    load_encoder(network, path)
    for name, value in network.state_dict().items():
        assert torch.equal(value, published[name]), name


def test_a_grey_photo_in_every_channel_gives_the_same_as_before(tmp_path, published):
    torch.save(published, tmp_path / "weights.pth")
    network = encoder(2, norm="batch", encoder_in_channels=5)
    load_encoder(network, tmp_path / "weights.pth")
    weight = published["features.0.0.weight"]
    assert over_channels(weight, 3) is weight
    # Five channels hold three and two of them again; six hold each twice.
    torch.testing.assert_close(over_channels(weight, 6).sum(1), weight.sum(1))
    torch.testing.assert_close(network.get_parameter("features.0.0.weight")[:, 3], weight[:, 0] * 3 / 5)


def changed(tensors, **changes):
    return {name: value for name, value in {**tensors, **changes}.items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"features.1.block.0.0.weight": None}, "it has no 'features.1.block.0.0.weight'"),
        ({"features.12.1.bias": torch.zeros(3)}, r"\(3,\), this encoder's \(576,\)"),
        ({"features.13.weight": torch.zeros(3)}, "also has 'features.13.weight'"),
        ({"features.12.1.bias": torch.zeros(1).expand(576)}, "claims more than the file holds"),
        ({"features.12.1.bias": torch.zeros(576).to_sparse()}, "claims more than the file holds"),
        ({"features.12.1.bias": 3}, "no tensors by name"),
    ],
)
def test_another_network_is_refused_and_nothing_changes(tmp_path, published, changes, words):
    path = tmp_path / "weights.pth"
    torch.save(changed(published, **changes), path)
    network = encoder(2)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(FileError, match=words) as caught:
        load_encoder(network, path)
    assert "\n" not in str(caught.value)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


class Trap:
    def __reduce__(self):
        return print, ("this code ran",)


def test_files_that_are_no_weights_are_refused_and_nothing_runs(tmp_path, capsys):
    path = tmp_path / "weights.pth"
    torch.save({"a": Trap()}, path)
    whole = path.read_bytes()
    (tmp_path / "packed.pth").touch()
    with zipfile.ZipFile(tmp_path / "packed.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data", b"0" * 1000)
    (tmp_path / "pickle.pth").write_bytes(pickle.dumps({"a": Trap()}))
    (tmp_path / "cut.pth").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.safetensors").write_bytes(b"hello, I am a text")
    network = encoder(0)
    for name in ("weights.pth", "packed.pth", "pickle.pth", "cut.pth", "text.safetensors", "missing.pth"):
        with pytest.raises(FileError) as caught:
            load_encoder(network, tmp_path / name)
        assert "\n" not in str(caught.value)
    assert capsys.readouterr().out == ""
