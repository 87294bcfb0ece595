"""Weights in files from anywhere: safetensors, and the files of `torch.save`. Nothing in them is ever run.

A file is judged by its content, not by its name, and by what it claims before anything of that size is made.
"""

import io
import os
import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from easel import checkpoint
from easel.graphics.files import FileError, open_file
from easel.inspector.models.model_tensors import clean_path
from easel.inspector.models.tree import leaves

LIMIT_BYTES = checkpoint.LIMIT_BYTES
"""Neither larger files are read, nor tensors that claim more in all."""
MOST_TENSORS = 100_000
WEIGHTS_KEYS = ("state_dict", "model_state_dict", "model", "module", "net", "network", "weights", "params")
"""Keys under which training programs put a model's weights beside other things."""
STEP_KEYS = ("step", "global_step", "iteration", "iter", "epoch")
_SAVE_WEIGHTS = "In the program that made it, save the weights alone: torch.save(model.state_dict(), path)"


@dataclass(frozen=True)
class Weights:
    """Tensors of a weights file."""

    tensors: Mapping[str, Tensor]
    """By name; on the CPU, or on `meta` if the file has no values."""
    step: int | None = None
    """Step of the training that wrote it, if the file or its name tells."""


def read_weights(path: str | os.PathLike[str]) -> Weights:
    """Read the tensors of a file. Raises FileError, of one line, whatever is wrong with it."""
    with open_file(path) as file:
        before = os.fstat(file.fileno())
        if before.st_size > LIMIT_BYTES:
            came = f"it has {before.st_size / 2**30:.1f} GiB, up to {LIMIT_BYTES / 2**30:g} are read"
            raise FileError(f"cannot read {os.fspath(path)!r}: {came}.")
        data = file.read()
        after = os.fstat(file.fileno())
    try:
        # A training may be writing it: half of the old file and half of the new one can still be valid.
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise ValueError("it is being written. Read it again when it is complete")
        return _weights(data, Path(path).stem)
    except ValueError as error:
        raise FileError(f"cannot read {os.fspath(path)!r}: {str(error).rstrip('.')}.") from None


def clean_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors under names without the parts that DataParallel, torch.compile and sharding put into them."""
    # A model may have a child called `module`; only a wrapper puts that in front of every name.
    prefix = "module." if all(name.startswith("module.") for name in tensors) else ""
    cleaned = {clean_path(name.removeprefix(prefix)): tensor for name, tensor in tensors.items()}
    # Two names that become one keep their own.
    return cleaned if len(cleaned) == len(tensors) else dict(tensors)


def last_number(stem: str, digits: int) -> int | None:
    """Return the last number in a file's name, of its first `digits`: `model-epoch2-step00400` is at 400."""
    return next((int(number[:digits]) for number in reversed(re.findall(r"\d+", stem))), None)


def _weights(data: bytes, stem: str) -> Weights:
    """Decode a file's bytes; `stem` is its name without suffix, which may tell the step. ValueError: anything wrong."""
    # The header of a safetensors file comes after its length, whose bytes may look like the others' first ones.
    if data[8:9] == b"{" or data[:1] not in (b"P", b"\x80"):
        loaded = checkpoint.unpack_any(data)[0]
    elif data[:1] == b"P":
        loaded = _unzip(data)
    else:
        raise ValueError(f"it is a pickle, and loading one can run code. {_SAVE_WEIGHTS}")
    step = last_number(stem, 12)
    if isinstance(loaded, Mapping):
        step = next((value for key in STEP_KEYS if isinstance(value := loaded.get(key), int)), step)
        # The weights alone: beside them lie an optimizer's tensors, which have no place in the network.
        inner = [loaded[key] for key in WEIGHTS_KEYS if isinstance(loaded.get(key), Mapping)]
        loaded = next((part for part in inner if any(True for _ in leaves(part))), loaded)
    tensors: dict[str, Tensor] = {}
    total_bytes = 0
    for suffix, tensor in leaves(loaded):
        name = suffix.removeprefix(".") or "tensor"
        total_bytes += _checked_bytes(name, tensor)
        tensors[name] = tensor.detach()
        if total_bytes > LIMIT_BYTES:
            raise ValueError(f"its tensors claim more than {LIMIT_BYTES / 2**30:g} GiB")
        if len(tensors) > MOST_TENSORS:
            raise ValueError(f"it holds more than {MOST_TENSORS:,} tensors")
    if not tensors:
        raise ValueError(f"it holds no tensors. {_SAVE_WEIGHTS}")
    return Weights(clean_names(tensors), step)


def _unzip(data: bytes) -> Any:
    """Load the objects that `torch.save` put into a zip. Raises ValueError, of one line, for all else."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError):
        raise ValueError("it is cut short or damaged. Copy or save it again") from None
    if any("/code/" in entry.filename or entry.filename.endswith("constants.pkl") for entry in entries):
        raise ValueError(f"it is a TorchScript program, and loading one can run code. {_SAVE_WEIGHTS}")
    # torch stores without compression; a small file that unpacks to gigabytes is somebody's trap.
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise ValueError("its content is compressed, which torch.save does not do. Save it again with torch.save")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL ([\w.]+)", str(error))
        what = f" ({found[1]})" if found else ""
        raise ValueError(f"it holds Python objects{what} whose loading can run code. {_SAVE_WEIGHTS}") from None
    # A crafted or half-written file makes torch fail in many ways; each means the same.
    except Exception as error:
        reason = " ".join(str(error).split())[:120]
        raise ValueError(f"it is damaged ({type(error).__name__}: {reason}). Copy or save it again") from None


def _checked_bytes(name: str, tensor: Tensor) -> int:
    """Return the bytes that a tensor takes when laid out. Raises ValueError if it claims more than the file holds."""
    if tensor.is_meta:
        return 0
    label = name[:60]
    if tensor.layout is not torch.strided or tensor.is_quantized:
        raise ValueError(f"{label!r} is a sparse or quantized tensor; dense ones are read")
    # Strides of 0 let a few bytes claim any size; laid out, they would fill the memory.
    needed_bytes = tensor.numel() * tensor.element_size()
    held_bytes = tensor.untyped_storage().nbytes()
    if needed_bytes > held_bytes:
        raise ValueError(f"{label!r} claims {tensor.numel():,} elements and holds {held_bytes:,} bytes")
    return needed_bytes
