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
