"""Encoder weights from a local file whose names are torchvision's."""

import os
import zipfile
from collections.abc import Mapping
from typing import Any, NoReturn

import torch
from torch import Tensor

from easel import checkpoint
from easel.graphics.files import FileError, open_file
from easel.materials.models.backbone import StagedEncoder

IGNORED = ("fc.", "classifier.")
"""Prefixes of the layers of a classifier behind its encoder."""
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
"""Suffixes of tensors that only batch normalisation has."""


def load_encoder(encoder: StagedEncoder, path: str | os.PathLike[str]) -> None:
    """Take over the weights in a .safetensors file or in a .pth file that holds tensors alone, which cannot run code.

    A first convolution for another number of channels is repeated over them and scaled to the same sum. FileError, and
    nothing changed, when a weight is missing or has another shape.
    """
    found = {name.removeprefix("module."): value for name, value in _read(path).items()}
    expected = encoder.state_dict()
    first = next(name for name, value in expected.items() if value.ndim == 4)
    if first in found and found[first].ndim == 4:
        found[first] = over_channels(found[first], expected[first].shape[1])
    fitting = {}
    for name, value in expected.items():
        if name not in found and name.endswith(STATISTICS):
            continue
        if name not in found:
            _refuse(path, f"it has no {name!r}, so it holds another network")
        if found[name].shape != value.shape:
            shapes = f"{tuple(found[name].shape)}, this encoder's {tuple(value.shape)}"
            _refuse(path, f"its {name!r} is {shapes}: it holds another network")
        fitting[name] = found[name]
    spare = {name for name in found if name not in expected and not name.startswith(IGNORED)}
    spare = {name for name in spare if not name.endswith(STATISTICS)}
    if spare:
        _refuse(path, f"it also has {min(spare)!r}, which this encoder lacks: it holds another network")
    encoder.load_state_dict(fitting, strict=False)


def over_channels(weight: Tensor, channels: int) -> Tensor:
    """Adapt (d, c, side, side) to (d, channels, side, side): repeated, and divided by how much more there is."""
    held = weight.shape[1]
    if held == channels:
        return weight
    times = -(-channels // held)
    # The response to a constant picture stays what it was.
    return weight.repeat(1, times, 1, 1)[:, :channels] * (held / channels)


def _read(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    with open_file(path) as file:
        if os.fstat(file.fileno()).st_size > checkpoint.LIMIT_BYTES:
            _refuse(path, f"it has more than {checkpoint.LIMIT_BYTES / 2**30:g} GiB")
        if os.fspath(path).endswith(".safetensors"):
            try:
                return checkpoint.unpack_any(file.read())[0]
            except ValueError as error:
                _refuse(path, str(error))
        try:
            with zipfile.ZipFile(file) as archive:
                # torch stores without compression; a small file that unpacks to gigabytes is somebody's trap.
                if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                    raise ValueError("its content is compressed, which torch.save does not do")
            file.seek(0)
            found = torch.load(file, map_location="cpu", weights_only=True)
        # A crafted or half-written file makes zipfile and torch fail in many ways; each means the same.
        except Exception as error:
            _refuse(path, f"it is no file of tensors alone ({' '.join(str(error).split())[:120]})")
    return _dense(found, path)


def _dense(found: Any, path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Return tensors by name, none of which claims more elements than the file holds."""
    if not isinstance(found, Mapping) or not found or not all(isinstance(value, Tensor) for value in found.values()):
        _refuse(path, "it holds no tensors by name; save the encoder's state_dict")
    for name, value in found.items():
        is_plain = value.layout == torch.strided and not value.is_quantized and not value.is_meta
        if not is_plain or value.numel() * value.element_size() > value.untyped_storage().nbytes():
            _refuse(path, f"{str(name)[:60]!r} claims more than the file holds")
    return {str(name): value for name, value in found.items()}


def _refuse(path: str | os.PathLike[str], reason: str) -> NoReturn:
    raise FileError(f"cannot use the weights {os.fspath(path)!r}: {reason}.") from None
