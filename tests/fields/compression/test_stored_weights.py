import zlib

import pytest
import torch

from easel import checkpoint
from easel.fields.compression import compressed_file, stored_weights
from easel.fields.compression.stored_weights import FEWEST_BITS, MOST_BITS, pack, quantize, unpack
from easel.graphics.files import FileError

TENSORS = {
    "table": torch.randn(400, generator=torch.Generator().manual_seed(0)),
    "layer.weight": torch.linspace(-1, 3, 12).view(3, 4),
    "zero": torch.zeros(2, 2),
    "scalar": torch.tensor(0.5),
    "count": torch.tensor([7, 9]),
    "empty": torch.zeros(0, 3),
}
CONFIG = {"name": "a field", "seed": 3}


@pytest.mark.parametrize("bits", [FEWEST_BITS, 4, 8, MOST_BITS])
def test_weights_come_back_within_half_a_step(bits):
    stored = quantize(TENSORS, CONFIG, bits)
    found = unpack(pack(stored))
    assert found.config == CONFIG
    for name, tensor in found.tensors().items():
        assert torch.equal(tensor, stored.tensors()[name]) and tensor.shape == TENSORS[name].shape
        step = TENSORS[name].abs().max() / (2 ** (bits - 1) - 1) if tensor.numel() else 0.0
        assert ((tensor - TENSORS[name]).abs() <= 0.5001 * step).all()
    assert torch.equal(found.tensors()["count"], TENSORS["count"])


def test_fewer_bits_are_fewer_bytes():
    sizes = [len(pack(quantize(TENSORS, CONFIG, bits))) for bits in (4, 6, 8)]
    assert sizes == sorted(sizes) and sizes[0] < sizes[2]


def test_what_cannot_be_stored_is_told():
    with pytest.raises(ValueError, match="2 to 12 bits; got 1"):
        quantize(TENSORS, CONFIG, 1)
    with pytest.raises(ValueError, match="'w' are not all finite"):
        quantize({"w": torch.tensor([1.0, float("nan")])}, CONFIG, 8)


def head(config: dict, tensors: dict | None = None) -> bytes:
    packed = zlib.compress(checkpoint.pack(tensors or {}, config))
    return compressed_file.frame(2, len(packed).to_bytes(4, "little") + packed)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (compressed_file.frame(1, bytes(40)), "holds a picture"),
        (compressed_file.frame(2, b""), "too short"),
        (compressed_file.frame(2, b"\xff\xff\xff\xff"), "too short"),
        (compressed_file.frame(2, b"\x04\0\0\0abcd"), "damaged"),
        (head({"config": {}}), "lack"),
        (head({"config": {}, "shapes": {"w": [2**40]}, "scales": {"w": 1.0}}), "makes no sense"),
        (head({"config": {}, "shapes": {"w": [2**20, 2**20]}, "scales": {"w": 1.0}}), "claims"),
        (head({"config": {}, "shapes": {"w": [True]}, "scales": {"w": 1.0}}), "makes no sense"),
        (head({"config": {}, "shapes": {"w": [2]}, "scales": {"v": 1.0}}), "different weights"),
        (head({"config": {}, "shapes": {"w": [2]}, "scales": {"w": "1"}}), "makes no sense"),
    ],
)
def test_hostile_files_are_told_in_one_line(data, words, tmp_path):
    with pytest.raises(ValueError, match=words) as told:
        unpack(data)
    assert "\n" not in str(told.value)
    (tmp_path / "w.easel").write_bytes(data)
    with pytest.raises(FileError):
        stored_weights.read(tmp_path / "w.easel")


@pytest.mark.slow
def test_a_thousand_times_a_small_file_is_refused_before_memory_is_used():
    packed = zlib.compress(bytes(2**26 + 1))
    with pytest.raises(ValueError, match="larger than"):
        unpack(compressed_file.frame(2, len(packed).to_bytes(4, "little") + packed))
