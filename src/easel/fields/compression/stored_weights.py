"""Compressed weights of fitted fields: rounded to some bits each and entropy-coded.

Every tensor of floats has one scale; whole numbers of so many bits, times the scale, are its values. One for all, since
rare large numbers cost an entropy coder little: a scale per block of 4,096 was measured to take more bytes for the same
PSNR. All else in a checkpoint is kept as it is.
"""

import math
import os
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from easel import checkpoint
from easel.fields.compression import entropy_coder
from easel.fields.compression.compressed_file import WEIGHTS, frame, read_as, unframe
from easel.graphics.files import write_whole

FEWEST_BITS = 2
MOST_BITS = 12
MOST_NUMBERS = 2**26
"""Most weights of a file that is read."""
_HEAD_BYTES = 2**26
_HEAD = struct.Struct("<I")


@dataclass(frozen=True)
class StoredWeights:
    """A checkpoint whose floats are whole numbers times a scale."""

    config: Mapping[str, Any]
    """The checkpoint's settings: a field's recipe."""
    exact: Mapping[str, Tensor]
    """Tensors that are kept as they are."""
    numbers: Mapping[str, NDArray[np.int32]]
    """Rounded weights, in the tensors' shapes."""
    scales: Mapping[str, float]

    @property
    def count(self) -> int:
        """Weights that were rounded."""
        return sum(array.size for array in self.numbers.values())

    def tensors(self) -> dict[str, Tensor]:
        """Return the tensors of the rebuilt checkpoint, float32."""
        rounded = {
            name: torch.from_numpy(np.asarray(array.astype(np.float32) * np.float32(self.scales[name])))
            for name, array in self.numbers.items()
        }
        return rounded | dict(self.exact)


def quantize(tensors: Mapping[str, Tensor], config: Mapping[str, Any], bits: int) -> StoredWeights:
    """Round a checkpoint's floats to so many bits, 2 to 12. ValueError for other numbers and weights not finite."""
    if not FEWEST_BITS <= bits <= MOST_BITS:
        raise ValueError(f"weights are stored with {FEWEST_BITS} to {MOST_BITS} bits; got {bits}.")
    exact = {}
    numbers = {}
    scales = {}
    for name, tensor in tensors.items():
        # Whole numbers, such as seeds and shapes, mean something only exactly.
        if not tensor.is_floating_point() or tensor.numel() == 0:
            exact[name] = tensor
            continue
        values = tensor.detach().cpu().double().numpy()
        if not np.isfinite(values).all():
            raise ValueError(f"the weights {name!r} are not all finite: the fit diverged. Fit again with a lower rate.")
        # As float32, since that is what the file keeps: rounding must use the scale that reading will use.
        scale = float(np.float32(np.abs(values).max() / (2 ** (bits - 1) - 1))) or 1.0
        numbers[name] = np.rint(values / scale).astype(np.int32)
        scales[name] = scale
    return StoredWeights(config, exact, numbers, scales)


def pack(stored: StoredWeights) -> bytes:
    """Return the bytes of a file."""
    shapes = {name: list(array.shape) for name, array in stored.numbers.items()}
    config = {"config": dict(stored.config), "shapes": shapes, "scales": dict(stored.scales)}
    head = zlib.compress(checkpoint.pack(stored.exact, config), 9)
    room = 4096 + 2 * stored.count
    while True:
        model = entropy_coder.fresh()
        data = np.zeros(room, np.uint8)
        # Every tensor has its own statistics: a layer's weights and its biases differ in size.
        for place, name in enumerate(sorted(stored.numbers)):
            entropy_coder.code_numbers(stored.numbers[name].ravel().copy(), place % 16, model, data, True)
        used = int(entropy_coder.finish(model, data))
        if used <= room:
            return frame(WEIGHTS, _HEAD.pack(len(head)) + head + data[:used].tobytes())
        room = used + 64


def unpack(data: bytes) -> StoredWeights:
    """Return the weights of such bytes; ValueError, of one line, for anything else."""
    kind, body = unframe(data)
    if kind != WEIGHTS:
        raise ValueError("it holds a picture, not the weights of a fitted field")
    end = _HEAD.size
    if len(body) >= end:
        end += _HEAD.unpack_from(body)[0]
    if len(body) < end:
        raise ValueError("it is too short for its settings")
    # Bounded: a few bytes can inflate to gigabytes.
    inflate = zlib.decompressobj()
    try:
        head = inflate.decompress(body[_HEAD.size : end], _HEAD_BYTES)
    except zlib.error:
        raise ValueError("its settings are damaged") from None
    if not inflate.eof:
        raise ValueError(f"its settings are cut short, or larger than {_HEAD_BYTES // 2**20} MiB")
    exact, config = checkpoint.unpack(head)
    shapes, scales = _checked(config)
    payload = np.frombuffer(bytearray(body[end:]), np.uint8)
    model = entropy_coder.fresh()
    numbers = {}
    entropy_coder.begin(model, payload)
    for place, name in enumerate(sorted(shapes)):
        flat = np.zeros(math.prod(shapes[name]), np.int32)
        entropy_coder.code_numbers(flat, place % 16, model, payload, False)
        numbers[name] = flat.reshape(shapes[name])
    return StoredWeights(config["config"], exact, numbers, scales)


def write(path: str | os.PathLike[str], stored: StoredWeights) -> int:
    """Write the file, whole or not at all; returns its bytes."""
    data = pack(stored)
    with write_whole(path) as partial:
        partial.write_bytes(data)
    return len(data)


def read(path: str | os.PathLike[str]) -> StoredWeights:
    """Read weights that `write` wrote. FileError, of one line, for whatever is wrong with the file."""
    return read_as(unpack, path)


def _checked(config: Mapping[str, Any]) -> tuple[dict[str, tuple[int, ...]], dict[str, float]]:
    """Return the shapes and scales of a file's settings, which may come from anywhere."""
    shapes = config.get("shapes")
    scales = config.get("scales")
    if not isinstance(shapes, dict) or not isinstance(scales, dict) or not isinstance(config.get("config"), dict):
        raise ValueError("its settings lack shapes or scales")
    if shapes.keys() != scales.keys():
        raise ValueError("its shapes and scales name different weights")
    for name, shape in shapes.items():
        if not isinstance(shape, list) or not all(type(n) is int and 1 <= n <= MOST_NUMBERS for n in shape):
            raise ValueError(f"the shape of {name[:40]!r} makes no sense")
        if not isinstance(scales[name], float) or not math.isfinite(scales[name]):
            raise ValueError(f"the scale of {name[:40]!r} makes no sense")
    total = sum(math.prod(shape) for shape in shapes.values())
    if total > MOST_NUMBERS:
        raise ValueError(f"it claims {total:,} weights; up to {MOST_NUMBERS:,} are read")
    return {name: tuple(shape) for name, shape in shapes.items()}, scales
