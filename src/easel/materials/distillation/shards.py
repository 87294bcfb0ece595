"""A teacher's answers on disk, to be read one sample at a time.

shard_00000.safetensors     the maps of a few samples: sample_0000/clean/albedo, …/roughness, …/metallic, …/normal
shard_00000.json            what is in it, its SHA-256, and the CRC-32 of each map
index.json                  the same of all shards, and whose answers they are

A shard is written whole, and then its record; the index is made of the records. Processes may therefore write shards of
one folder at once, on any machines. A killed one leaves a folder .shard_00000.partial, until the next attempt.
"""

import hashlib
import json
import os
import re
import shutil
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from easel import checkpoint
from easel.graphics.files import FileError, open_file, write_whole
from easel.materials.dataset.listing import ListedSample
from easel.materials.maps import CHANNELS, MAP_NAMES, MaterialMaps, unit_normals

SCHEMA = 1
INDEX = "index.json"
RECORD = re.compile(r"shard_\d{5,}\.json")
MOST_INDEX_BYTES = 2**28
"""Some 250 bytes for each of a million samples."""
TAIL_BYTES = 64
"""More than a PNG's last chunks: the pixels' Adler-32 and CRC-32, and IEND."""
COLOUR_SPACE = dict.fromkeys(MAP_NAMES, "linear") | {
    "albedo": "sRGB",
    "roughness": "linear, perceptual",
    "normal": "tangent space, OpenGL (green is up)",
}
FORMS = {"float16": "F16", "uint8": "U8"}
"""Storage of numbers → its name in safetensors. uint8 has 255 for 1, and n/2 + 1/2 of normals."""

Form = Literal["float16", "uint8"]


@dataclass(frozen=True)
class Origin:
    """Whose answers, to what: the same for all shards of a folder."""

    teacher_sha256: str
    """Of the teacher's weights."""
    config_sha256: str
    """Of its config."""
    dataset_sha256: str
    """Of the photos that it was shown: see `photos_digest`."""
    split_seed: int
    """With `val_ratio` what its training materials are; it was shown no others."""
    val_ratio: float
    height: int
    """Of the maps, in texels."""
    width: int
    form: Form

    def differs(self, other: "Origin") -> str:
        """Name the first fact that another origin does not share, in a few words; empty when it is the same."""
        words = {"teacher_sha256": "teacher", "config_sha256": "config of the teacher", "dataset_sha256": "dataset"}
        for name, mine in asdict(self).items():
            theirs = getattr(other, name)
            if mine != theirs:
                return f"another {words[name]}" if name in words else f"{name} {theirs}, not {mine}"
        return ""


@dataclass(frozen=True)
class Stored:
    """One sample in a shard."""

    photos_sha256: str
    crc32: Mapping[str, int]
    """Of the bytes of each map."""


def photos_digest(entry: ListedSample) -> str:
    """Return the SHA-256 of what tells a sample from others: its names, and length and end of each photo's file.

    A PNG ends with checksums of its pixels, so that no photo has to be read.
    """
    # The end of a file changes with its pixels; whole files would be read for every start.
    facts: list[Any] = [entry.name, entry.material]
    for path in entry.photos:
        with path.open("rb") as file:
            length = file.seek(0, os.SEEK_END)
            file.seek(max(0, length - TAIL_BYTES))
            facts.append([path.name, length, file.read().hex()])
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def shard_name(number: int) -> str:
    return f"shard_{number:05d}.safetensors"


# Writing


def write_shard(path: Path, origin: Origin, answers: Mapping[str, tuple[str, MaterialMaps]]) -> None:
    """Write maps (C, H, W) by the name of their sample, each with the digest of its photos; whole or not at all."""
    tensors: dict[str, Tensor] = {}
    samples: dict[str, Any] = {}
    for name, (photos, maps) in answers.items():
        stored = {key: stored_values(key, maps[key], origin.form) for key in MAP_NAMES}
        for key, value in stored.items():
            if value.is_floating_point() and not value.isfinite().all():
                raise ValueError(f"{name}: the teacher's {key} is not finite. Is it a network that diverged?")
        tensors |= {f"{name}/{key}": value for key, value in stored.items()}
        # A CRC for every map: one sample can be proved without reading the others.
        samples[name] = {"photos_sha256": photos, "crc32": {key: crc32(value) for key, value in stored.items()}}
    # Beside the shard, on the same disk: a rename is then atomic.
    unfinished = partial_of(path)
    try:
        shard = unfinished / path.name
        checkpoint.write(shard, tensors, {"kind": "teacher answers", "origin": asdict(origin)})
        with shard.open("rb") as file:
            facts = {"bytes": shard.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
        record = shard.with_suffix(".json")
        _write_json(record, {"origin": asdict(origin), **facts, "samples": samples})
        # The record last: what it describes is there already.
        shard.replace(path)
        record.replace(path.with_suffix(".json"))
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def partial_of(path: Path) -> Path:
    """Return the folder that holds a shard and its record while they are written."""
    return path.with_name(f".{path.stem}.partial")


def write_index(folder: Path, origin: Origin) -> Path:
    """Make the index of the records that are there, and return its path; several processes may do so at once."""
    known = None
    while (records := sorted(path for path in folder.iterdir() if RECORD.fullmatch(path.name))) != known:
        # Who writes last has seen all records: one that came while it wrote is found when it looks again
        known = records
        shards = {path.with_suffix(".safetensors").name: _read_json(path) for path in records}
        index = {
            "schema": SCHEMA,
            "origin": asdict(origin),
            "dtype": origin.form,
            "shapes": {name: [c, origin.height, origin.width] for name, c in CHANNELS.items()},
            "colour_space": COLOUR_SPACE,
            "shards": {
                name: {key: record[key] for key in ("bytes", "sha256", "samples")} for name, record in shards.items()
            },
        }
        _write_json(folder / INDEX, index)
    return folder / INDEX


def is_written(path: Path, origin: Origin, names: list[str]) -> bool:
    """True if a shard holds the answers of that origin to these samples, and is as it was written."""
    # Both files, or the shard is made again.
    record = path.with_suffix(".json")
    if not (path.is_file() and record.is_file()):
        return False
    try:
        found = _read_json(record)
        same = found["origin"] == asdict(origin) and list(found["samples"]) == names
        return same and _fault(path, found) == ""
    except (FileError, KeyError, TypeError):
        return False


def check_folder(folder: Path, origin: Origin) -> None:
    """Raise FileError where a folder holds the answers of another teacher, or to another dataset."""
    if not (folder / INDEX).exists():
        return
    other = _origin(_read_json(folder / INDEX), folder)
    # Answers of two teachers in one folder would teach a mixture.
    difference = origin.differs(other)
    if difference:
        raise FileError(f"{str(folder)!r} holds answers with {difference}. Name another folder, or remove this one.")


def stored_values(name: str, value: Tensor, form: Form) -> Tensor:
    """Quantise a map to the numbers of a shard; `values` undoes it."""
    if form == "float16":
        return value.half()
    return ((value / 2 + 0.5 if name == "normal" else value) * 255).round().clamp(0, 255).to(torch.uint8)


def values(name: str, stored: Tensor) -> Tensor:
    if stored.dtype == torch.float16:
        return stored.float()
    value = stored.float() / 255
    return value * 2 - 1 if name == "normal" else value


def crc32(value: Tensor) -> int:
    return zlib.crc32(value.contiguous().numpy().data)


# Reading


class Shards:
    """The answers of a folder. Opening it reads every shard once, to see that it is what was written.

    What is missing or altered is a FileError that names it.
    """

    def __init__(self, folder: str | os.PathLike[str], *, verify: bool = True) -> None:
        """Open a folder; `verify=False` leaves the proof to another process that opens the same one."""
        self.folder = Path(folder)
        if not (self.folder / INDEX).is_file():
            raise FileError(
                f"{str(folder)!r} has no {INDEX}: it is no folder of a teacher's answers. "
                "`easel materials shards` makes them."
            )
        index = _read_json(self.folder / INDEX)
        self.origin = _origin(index, self.folder)
        self.samples: dict[str, tuple[Path, Stored]] = {}
        """By name, such as "sample_0000/clean", where it is."""
        self._records: dict[Path, Mapping[str, Any]] = {}
        try:
            for name, record in index["shards"].items():
                path = self.folder / name
                # An index from elsewhere must not lead out of the folder.
                if Path(name).name != name:
                    raise ValueError(f"{name!r} is no shard's name")
                self._records[path] = {"bytes": record["bytes"], "sha256": record["sha256"]}
                for sample, facts in record["samples"].items():
                    crc = {key: int(facts["crc32"][key]) for key in MAP_NAMES}
                    self.samples[sample] = path, Stored(facts["photos_sha256"], crc)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise FileError(f"{str(self.folder / INDEX)!r} is damaged: {error}. Remove it and make it again.") from None
        for path, reason in self.faults() if verify else ():
            raise FileError(f"{str(path)!r} {reason}. Run `easel materials shards` again to replace it.")

    def __len__(self) -> int:
        return len(self.samples)

    def faults(self) -> Iterator[tuple[Path, str]]:
        """Yield the shards that are not what was written, and why; all of every shard is read."""
        for path, record in self._records.items():
            reason = _fault(path, record)
            if reason:
                yield path, reason

    def read(self, name: str) -> MaterialMaps:
        """Read the maps (C, H, W) of a sample, without the rest of its shard; FileError, of one line."""
        if name not in self.samples:
            raise FileError(f"{name}: {str(self.folder)!r} has no answer for it. Run `easel materials shards` again.")
        path, stored = self.samples[name]
        origin = self.origin
        found = {}
        try:
            with safe_open(path, framework="pt") as file:
                for key, channels in CHANNELS.items():
                    part = file.get_slice(f"{name}/{key}")
                    kind = part.get_dtype(), tuple(part.get_shape())
                    # Before anything is read: a damaged header may claim any size
                    if kind != (FORMS[origin.form], (channels, origin.height, origin.width)):
                        _refuse(path, f"{name}/{key} is {kind[0]} of {kind[1]}, unlike the index")
                    found[key] = part[:]
                    if crc32(found[key]) != stored.crc32[key]:
                        _refuse(path, f"{name}/{key} was altered")
        except (OSError, SafetensorError) as error:
            _refuse(path, " ".join(str(error).split())[:120])
        maps = {key: values(key, value) for key, value in found.items()}
        return MaterialMaps(**maps | {"normal": unit_normals(maps["normal"])})


def _fault(path: Path, record: Mapping[str, Any]) -> str:
    """Say why a shard is not what its record says; empty when it is."""
    if not path.is_file():
        return "is missing"
    if path.stat().st_size != record["bytes"]:
        return f"has {path.stat().st_size} bytes, not {record['bytes']}"
    with path.open("rb") as file:
        same = hashlib.file_digest(file, "sha256").hexdigest() == record["sha256"]
    return "" if same else "was altered: its SHA-256 does not match"


def _refuse(path: Path, reason: str) -> NoReturn:
    raise FileError(f"cannot read {str(path)!r}: {reason}. Run `easel materials shards` again to replace it.") from None


def _origin(index: Mapping[str, Any], folder: Path) -> Origin:
    try:
        if index["schema"] != SCHEMA:
            raise ValueError(f"its schema is {index['schema']}, this version reads {SCHEMA}")
        origin = Origin(**index["origin"])
        if origin.form not in FORMS:
            raise ValueError(f"it is stored as {origin.form}")
    except (KeyError, TypeError, ValueError) as error:
        raise FileError(f"{str(folder / INDEX)!r} is damaged: {error}. Remove it and make it again.") from None
    return origin


def _read_json(path: Path) -> dict[str, Any]:
    with open_file(path) as file:
        data = file.read(MOST_INDEX_BYTES + 1)
    try:
        if len(data) > MOST_INDEX_BYTES:
            raise ValueError("it is too long")
        return checkpoint.read_json(data.decode())
    except ValueError as error:
        raise FileError(f"cannot read {str(path)!r}: {error}. Remove it and make it again.") from None


def _write_json(path: Path, record: Mapping[str, Any]) -> None:
    with write_whole(path) as partial:
        partial.write_text(json.dumps(record, allow_nan=False) + "\n", encoding="utf-8")
