"""Checkpoints: tensors and plain settings in one safetensors file, without pickle.

Nothing in such a file can run. It is written whole or not at all, and its settings and tensors carry a digest: a file
that was cut short or altered says so, instead of becoming a different model. The state from which a run continues is a
folder of such files: it appears whole, with a manifest of its files, or not at all.
"""

import hashlib
import json
import os
import re
import secrets
import shutil
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, uint8

from easel.graphics.files import FileError, open_file, write_whole

LIMIT_BYTES = 4 * 2**30
"""Largest file that is read."""
MANIFEST = "manifest.json"
MOST_MANIFEST_BYTES = 1 << 20
UNFINISHED = ".unfinished"
"""Suffix of a folder while it is being written."""
_PARTIAL = re.compile(r"\.[0-9a-f]{16}(\.\w+)?")
"""Names of the siblings that `write_whole` fills."""
_NOTE = "easel"
"""Key of the settings in a safetensors header."""


def pack(tensors: Mapping[str, Tensor], config: Mapping[str, Any]) -> bytes:
    """Return the bytes of a file with these tensors and these settings, which are plain data; always the same."""
    text = json.dumps(config, sort_keys=True, allow_nan=False)
    # Sorted: the same tensors give the same bytes, in whatever order they were collected.
    stored = {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(tensors.items())}
    # One note alone: several would be stored in a random order.
    return save(stored, {_NOTE: json.dumps({"config": text, "sha256": digest(stored, text)})})


def unpack(data: bytes) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return (tensors, settings) of such bytes; ValueError, of one line, when they are anything else."""
    tensors, notes = unpack_any(data)
    if not isinstance(notes.get(_NOTE), str):
        raise ValueError("it is a safetensors file without Easel's settings")
    # The settings are a text inside the note, since the digest is of that very text.
    note = read_json(notes[_NOTE])
    text = note.get("config")
    if not isinstance(text, str) or note.get("sha256") != digest(tensors, text):
        raise ValueError("it was altered: its digest does not match its content")
    return tensors, read_json(text)


def unpack_any(data: bytes) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return (tensors, notes) of a safetensors file by anybody; ValueError, of one line, for all other bytes."""
    try:
        # The header is read here as well: the library's own loader of bytes keeps the notes to itself.
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
    """Return (tensors, settings) that `write` saved; whatever is wrong with the file is a FileError of one line."""

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


@contextmanager
def whole_folder(folder: Path, facts: Mapping[str, Any], *, previous: Path | None = None) -> Iterator[Path]:
    """Yield an empty sibling of `folder` to put files into; ending well, it takes the name, with a manifest.

    An older `folder` becomes `previous`, or is removed; when the block fails it is untouched. The manifest has
    every file's size and SHA-256, and the `facts`, which are plain data.
    """
    partial = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}{UNFINISHED}")
    replaced = previous or folder.with_name(f".{folder.name}.{secrets.token_hex(8)}{UNFINISHED}")
    try:
        partial.mkdir(parents=True)
        yield partial
        files = {path.name: _file_facts(path) for path in sorted(partial.iterdir())}
        text = json.dumps({**facts, "files": files}, indent=1, sort_keys=True, allow_nan=False)
        # The manifest comes last: with it the folder is whole, and `finish_folders` may give it its name.
        with write_whole(partial / MANIFEST) as manifest:
            manifest.write_text(text + "\n", encoding="utf-8")
        _settle(partial)
        if folder.exists():
            # A folder cannot be renamed onto another; `finish_folders` repairs a process killed between the two.
            shutil.rmtree(replaced, ignore_errors=True)
            folder.rename(replaced)
        partial.rename(folder)
        _settle(folder.parent)
        if previous is None:
            shutil.rmtree(replaced, ignore_errors=True)
    except OSError as error:
        error.filename = str(folder)
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the facts of a folder that `whole_folder` wrote, after checking every file in it against the manifest.

    FileError, of one line, names the file that is missing or altered.
    """

    def refuse(reason: str) -> NoReturn:
        raise FileError(f"{str(folder)!r} is damaged: {reason}.")

    with open_file(folder / MANIFEST) as file:
        text = file.read(MOST_MANIFEST_BYTES + 1)
    try:
        if len(text) > MOST_MANIFEST_BYTES:
            raise ValueError("it is too long")
        facts = read_json(text.decode())
    except ValueError as error:
        refuse(f"its manifest cannot be read, {error}")
    files = facts.pop("files", None)
    if not isinstance(files, dict) or not files:
        refuse("its manifest lists no files")
    for name, expected in files.items():
        # A manifest is a text from anywhere: its names must not lead out of the folder.
        if Path(name).name != name or not (folder / name).is_file():
            refuse(f"{name} of its manifest is missing")
        if _file_facts(folder / name) != expected:
            refuse(f"{name} does not match its manifest")
    return facts


def finish_folders(parent: Path) -> None:
    """Repair the remains of a process that was killed while it wrote: whole folders get their name, all else goes."""
    for path in parent.glob(".*"):
        if _PARTIAL.fullmatch(path.name):
            path.unlink(missing_ok=True)
    # The newest first: of two whole folders it gets the name.
    for path in sorted(parent.glob(f".*{UNFINISHED}"), key=lambda path: path.stat().st_mtime, reverse=True):
        folder = parent / path.name[1:].removesuffix(UNFINISHED).rpartition(".")[0]
        try:
            read_manifest(path)
            path.rename(folder)  # fails where a folder has that name
        except (FileError, OSError):
            shutil.rmtree(path, ignore_errors=True)


def _file_facts(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"bytes": os.fstat(file.fileno()).st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _settle(folder: Path) -> None:
    """Flush the folder's names to the disk: otherwise a power failure could lose a rename that was reported."""
    with suppress(OSError):  # Windows opens no folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def digest(tensors: Mapping[str, Tensor], text: str = "") -> str:
    """Return the SHA-256 of tensors, by their names, types, shapes and bits, and of a text."""
    total = hashlib.sha256(text.encode())
    for name, tensor in sorted(tensors.items()):
        plain = tensor.detach().cpu().contiguous()
        # Divided by a byte that no name holds, so that no two sets of tensors are one text.
        total.update(f"\0{name}\0{plain.dtype}\0{tuple(plain.shape)}\0".encode())
        if plain.numel():
            total.update(plain.reshape(-1).view(uint8).numpy().data)
    return total.hexdigest()


def read_json(text: str) -> dict[str, Any]:
    """Return the JSON object of a text from anywhere; ValueError of one line for all else."""
    try:
        found = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its settings are no JSON ({' '.join(str(error).split())[:120]})") from None
    if not isinstance(found, dict):
        raise ValueError(f"its settings are a {type(found).__name__}, not an object")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
