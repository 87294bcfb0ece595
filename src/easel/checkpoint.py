"""One way to save and load what was learned: tensors and plain settings in one safetensors file, without pickle.

Nothing in such a file can run. It is written whole or not at all, and its settings and tensors carry a digest: a file
that was cut short or altered says so, instead of becoming a different model.
"""

import hashlib
import json
import os
import struct
from collections.abc import Mapping
from typing import Any, NoReturn

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, uint8

from easel.graphics.files import FileError, open_file, write_whole

LIMIT_BYTES = 4 * 2**30
"""Larger files are not read."""
_NOTE = "easel"


def pack(tensors: Mapping[str, Tensor], config: Mapping[str, Any]) -> bytes:
    """The bytes of a file with these tensors and these settings, which are plain data; always the same."""
    text = json.dumps(config, sort_keys=True, allow_nan=False)
    stored = {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(tensors.items())}
    # One note alone: several would be stored in a random order.
    return save(stored, {_NOTE: json.dumps({"config": text, "sha256": digest(stored, text)})})


def unpack(data: bytes) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """(tensors, settings) of such bytes; ValueError, of one line, when they are anything else."""
    tensors, notes = unpack_any(data)
    if not isinstance(notes.get(_NOTE), str):
        raise ValueError("it is a safetensors file without Easel's settings")
    note = read_json(notes[_NOTE])
    text = note.get("config")
    if not isinstance(text, str) or note.get("sha256") != digest(tensors, text):
        raise ValueError("it was altered: its digest does not match its content")
    return tensors, read_json(text)


def unpack_any(data: bytes) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """(tensors, notes) of any safetensors file's bytes, whoever wrote it; ValueError, of one line, for all else."""
    try:
        (header_bytes,) = struct.unpack("<Q", data[:8])
        if header_bytes > len(data) - 8:
            raise ValueError("it is cut short or no safetensors file")
        header = read_json(data[8 : 8 + header_bytes].decode())
        notes = header.get("__metadata__")
        tensors = load(data)
    except (struct.error, SafetensorError, UnicodeDecodeError) as error:
        raise ValueError(f"it is damaged or no safetensors file ({' '.join(str(error).split())[:120]})") from None
    return tensors, notes if isinstance(notes, dict) else {}


def write(path: str | os.PathLike[str], tensors: Mapping[str, Tensor], config: Mapping[str, Any]) -> None:
    """Save tensors and settings, whole or not at all, creating missing folders; FileError where that is impossible."""
    data = pack(tensors, config)
    with write_whole(path) as partial:
        partial.write_bytes(data)


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """(tensors, settings) that `write` saved; whatever is wrong with the file is a FileError of one line."""

    def refuse(reason: str) -> NoReturn:
        raise FileError(f"cannot read {os.fspath(path)!r}: {reason}. Copy or save it again.")

    with open_file(path) as file:
        size_bytes = os.fstat(file.fileno()).st_size
        if size_bytes > LIMIT_BYTES:
            refuse(f"it has {size_bytes / 2**30:.1f} GiB, up to {LIMIT_BYTES / 2**30:g} are read")
        data = file.read()
    try:
        return unpack(data)
    except ValueError as error:
        refuse(str(error))


def digest(tensors: Mapping[str, Tensor], text: str = "") -> str:
    """SHA-256 of tensors, by their names, types, shapes and bits, and of a text."""
    total = hashlib.sha256(text.encode())
    for name, tensor in sorted(tensors.items()):
        plain = tensor.detach().cpu().contiguous()
        total.update(f"\0{name}\0{plain.dtype}\0{tuple(plain.shape)}\0".encode())
        total.update(plain.reshape(-1).view(uint8).numpy().data if plain.numel() else b"")
    return total.hexdigest()


def read_json(text: str) -> dict[str, Any]:
    """The object that a text from anywhere holds; ValueError of one line for all else."""
    try:
        found = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its settings are no JSON ({' '.join(str(error).split())[:120]})") from None
    if not isinstance(found, dict):
        raise ValueError(f"its settings are a {type(found).__name__}, not an object")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
