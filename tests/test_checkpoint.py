"""Files of weights: what goes in comes out, and what was altered is refused in one line."""

import json
import struct

import pytest
import torch
from safetensors.torch import load, save

from easel import checkpoint
from easel.graphics.files import FileError

TENSORS = {
    "b": torch.linspace(-1, 1, 7),
    "a": torch.arange(6, dtype=torch.int64).view(2, 3),
    "half": torch.ones(3, dtype=torch.float16),
    "empty": torch.empty(0),
    "scalar": torch.tensor(3.5),
}


def test_what_goes_in_comes_out(tmp_path):
    checkpoint.write(tmp_path / "deep" / "a.safetensors", TENSORS, {"width": 32, "name": "ü"})
    tensors, config = checkpoint.read(tmp_path / "deep" / "a.safetensors")
    assert config == {"width": 32, "name": "ü"} and set(tensors) == set(TENSORS)
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)
    assert checkpoint.pack(tensors, config) == checkpoint.pack(TENSORS, config)


def test_other_programs_read_the_tensors():
    assert torch.equal(load(checkpoint.pack(TENSORS, {}))["a"], TENSORS["a"])


DATA = checkpoint.pack(TENSORS, {"width": 32})


@pytest.mark.parametrize("length", [0, 1, 7, 8, 20, len(DATA) // 2, len(DATA) - 1])
def test_a_file_that_was_cut_is_refused(length):
    with pytest.raises(ValueError) as failure:
        checkpoint.unpack(DATA[:length])
    assert "\n" not in str(failure.value)


def test_a_changed_byte_is_noticed():
    for place in range(8, len(DATA), 13):
        altered = bytearray(DATA)
        altered[place] ^= 0x10
        with pytest.raises(ValueError) as failure:
            checkpoint.unpack(bytes(altered))
        assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"not a file of weights at all", "safetensors"),
        (struct.pack("<Q", 2**62) + b"{}", "cut short"),
        (struct.pack("<Q", 2) + b"{}", "without Easel's"),
        (struct.pack("<Q", 2) + b"[]", "not an object"),
        (struct.pack("<Q", 100_000) + b"[" * 100_000, "JSON"),
        (save({"a": torch.zeros(2)}), "without Easel's"),
        (save({"a": torch.zeros(2)}, {"easel": '{"config": "{}", "sha256": "0"}'}), "altered"),
        (b"\x80\x04\x95" + bytes(40), "safetensors"),
    ],
)
def test_other_files_are_refused(data, words):
    with pytest.raises(ValueError, match=words) as failure:
        checkpoint.unpack(data)
    assert "\n" not in str(failure.value) and len(str(failure.value)) < 250


def test_a_header_that_claims_more_than_there_is_allocates_nothing():
    header = json.dumps({"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}).encode()
    with pytest.raises(ValueError, match="damaged"):
        checkpoint.unpack(struct.pack("<Q", len(header)) + header)


def test_settings_are_numbers_that_json_has():
    with pytest.raises(ValueError):
        checkpoint.pack({}, {"lr": float("nan")})
    with pytest.raises(ValueError, match="NaN"):
        checkpoint.read_json('{"lr": NaN}')
    with pytest.raises(ValueError, match="JSON"):
        checkpoint.read_json("[" * 100_000)
    with pytest.raises(ValueError, match="list"):
        checkpoint.read_json("[1]")


@pytest.mark.parametrize("name", ["missing.safetensors", "", "empty.safetensors"])
def test_files_that_are_none_are_file_errors(tmp_path, name):
    (tmp_path / "empty.safetensors").touch()
    with pytest.raises(FileError):
        checkpoint.read(tmp_path / name)


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.safetensors"
    checkpoint.write(path, TENSORS, {})
    before = path.read_bytes()
    with pytest.raises(TypeError):
        checkpoint.write(path, TENSORS, {"what": object()})
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def put(folder, text, **options):
    with checkpoint.whole_folder(folder, {"step": len(text)}, **options) as partial:
        (partial / "state.json").write_text(text)
        checkpoint.write(partial / "weights.safetensors", TENSORS, {})


def test_a_folder_is_replaced_whole(tmp_path):
    folder = tmp_path / "deep" / "latest"
    put(folder, "old", previous=tmp_path / "deep" / "previous")
    put(folder, "newer", previous=tmp_path / "deep" / "previous")
    put(folder, "newest", previous=tmp_path / "deep" / "previous")
    assert checkpoint.read_manifest(folder) == {"step": 6} and (folder / "state.json").read_text() == "newest"
    assert checkpoint.read_manifest(tmp_path / "deep" / "previous") == {"step": 5}
    put(folder, "last")
    assert sorted(path.name for path in folder.parent.iterdir()) == ["latest", "previous"]


def test_a_folder_whose_writing_failed_leaves_what_was_there(tmp_path):
    put(tmp_path / "latest", "old")
    with pytest.raises(KeyboardInterrupt), checkpoint.whole_folder(tmp_path / "latest", {}) as partial:
        (partial / "state.json").write_text("half")
        raise KeyboardInterrupt
    assert checkpoint.read_manifest(tmp_path / "latest") == {"step": 3} and len(list(tmp_path.iterdir())) == 1


def test_a_folder_from_a_killed_process_is_finished_or_removed(tmp_path):
    put(tmp_path / "a", "whole")
    (tmp_path / "a").rename(tmp_path / f".latest.0123{checkpoint.UNFINISHED}")
    (tmp_path / f".latest.4567{checkpoint.UNFINISHED}").mkdir()
    (tmp_path / ".0123456789abcdef.pth").touch()
    checkpoint.finish_folders(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["latest"] and checkpoint.read_manifest(tmp_path / "latest")


@pytest.mark.parametrize("harm", ["flip", "cut", "remove", "manifest", "escape"])
def test_a_damaged_folder_names_what_is_wrong(tmp_path, harm):
    put(tmp_path / "latest", "text")
    weights, manifest = tmp_path / "latest" / "weights.safetensors", tmp_path / "latest" / checkpoint.MANIFEST
    if harm == "flip":
        data = bytearray(weights.read_bytes())
        data[-1] ^= 1
        weights.write_bytes(data)
    elif harm == "cut":
        weights.write_bytes(weights.read_bytes()[:-1])
    elif harm == "remove":
        weights.unlink()
    elif harm == "manifest":
        manifest.write_text(manifest.read_text()[:-9])
    else:
        manifest.write_text(manifest.read_text().replace("weights.safetensors", "../a"))
    with pytest.raises(FileError, match=r"manifest|weights\.safetensors") as failure:
        checkpoint.read_manifest(tmp_path / "latest")
    assert "\n" not in str(failure.value)
