"""Weights in files from anywhere: safetensors, and what `torch.save` wrote. Nothing in them is ever run.

A file is judged by its content, not by its name, and by what it claims before anything of that size is made.
"""

import io
import os
import pickle
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from easel import checkpoint
from easel.graphics.files import FileError, open_file
from easel.inspector.models.model_tensors import WRAPPERS

LIMIT_BYTES = checkpoint.LIMIT_BYTES
"""Neither larger files are read, nor tensors that claim more in all."""
DEEPEST, MOST_TENSORS = 16, 100_000
WEIGHTS_KEYS = ("state_dict", "model_state_dict", "model", "module", "net", "network", "weights", "params")
"""Where training programs put a model's weights beside other things."""
STEP_KEYS = ("step", "global_step", "iteration", "iter", "epoch")
_SAVE_WEIGHTS = "In the program that made it, save the weights alone: torch.save(model.state_dict(), path)"


@dataclass(frozen=True)
class Weights:
    """What a file holds."""

    tensors: Mapping[str, Tensor]
    """By name; on the CPU, or on `meta` where the file has no values."""
    step: int | None = None
    """Of the training that wrote it, where the file or its name tells."""


def read_weights(path: str | os.PathLike[str]) -> Weights:
    """The tensors of a file; whatever is wrong with it is a FileError of one line."""
    with open_file(path) as file:
        before = os.fstat(file.fileno())
        if before.st_size > LIMIT_BYTES:
            came = f"it has {before.st_size / 2**30:.1f} GiB, up to {LIMIT_BYTES / 2**30:g} are read"
            raise FileError(f"cannot read {os.fspath(path)!r}: {came}.")
        data = file.read()
        after = os.fstat(file.fileno())
    try:
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise ValueError("it is being written. Read it again when it is complete")
        return _weights(data, Path(path).stem)
    except ValueError as error:
        raise FileError(f"cannot read {os.fspath(path)!r}: {str(error).rstrip('.')}.") from None


def clean_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Names without what DataParallel, torch.compile and sharding put into them."""
    is_parallel = bool(tensors) and all(name.startswith("module.") for name in tensors)
    names = {name: name.removeprefix("module.") if is_parallel else name for name in tensors}
    names = {name: ".".join(part for part in new.split(".") if part not in WRAPPERS) for name, new in names.items()}
    # Two names that become one keep their own.
    unique = len(set(names.values())) == len(names)
    return {names[name] if unique else name: tensor for name, tensor in tensors.items()}


def _weights(data: bytes, stem: str) -> Weights:
    # The header of a safetensors file comes after its length, whose bytes may look like the others' first ones.
    if data[8:9] == b"{" or data[:1] not in (b"P", b"\x80"):
        loaded = checkpoint.unpack_any(data)[0]
    elif data[:1] == b"P":
        loaded = _unzip(data)
    else:
        raise ValueError(f"it is a pickle, and loading one can run code. {_SAVE_WEIGHTS}")
    numbers = re.findall(r"\d+", stem)
    step = int(numbers[-1][:12]) if numbers else None
    if isinstance(loaded, Mapping):
        step = next((value for key in STEP_KEYS if isinstance(value := loaded.get(key), int)), step)
        inner = [loaded[key] for key in WEIGHTS_KEYS if isinstance(loaded.get(key), Mapping)]
        loaded = next((part for part in inner if any(True for _ in _leaves(part))), loaded)
    tensors: dict[str, Tensor] = {}
    total_bytes = 0
    for name, tensor in _leaves(loaded):
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
    """What `torch.save` put into a zip; ValueError, of one line, for all else."""
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


def _leaves(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Tensor]]:
    """(dotted name, tensor) of all that a nested checkpoint holds."""
    if isinstance(value, Tensor):
        yield path or "tensor", value
    elif isinstance(value, Mapping | list | tuple) and depth < DEEPEST:
        inner = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, part in inner:
            yield from _leaves(part, f"{path}.{key}" if path else str(key), depth + 1)


def _checked_bytes(name: str, tensor: Tensor) -> int:
    """Memory that a tensor needs when it is laid out; ValueError where it claims more than the file holds."""
    label = name[:60]
    if tensor.is_meta:
        return 0
    if tensor.layout is not torch.strided or tensor.is_quantized:
        raise ValueError(f"{label!r} is a sparse or quantized tensor; dense ones are read")
    needed_bytes = tensor.numel() * tensor.element_size()
    held_bytes = tensor.untyped_storage().nbytes()
    if needed_bytes > held_bytes:
        raise ValueError(f"{label!r} claims {tensor.numel():,} elements and holds {held_bytes:,} bytes")
    return needed_bytes
