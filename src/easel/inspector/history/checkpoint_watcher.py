"""A checkpoint on disk that another program goes on writing: each complete state of it, once."""

import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from easel.graphics.files import FileError
from easel.inspector.history.comparison import difference
from easel.inspector.history.snapshot import Snapshot
from easel.inspector.models.graph import Kind
from easel.inspector.models.model_tensors import tensors
from easel.inspector.models.weights_file import clean_names, read_weights

TRIES = 3
"""Polls at which a file that cannot be read, and does not change, is tried again."""


class Follower:
    """Asks a file, or a folder of them, for what is new; `poll` at the rate at which it should be looked at.

    A file is read once two polls found it alike. One that is half written, damaged or not there leaves a `notice` of
    one line and is tried again later. With a `model`, which is only read, names and shapes have to be its own.
    """

    def __init__(self, path: str | os.PathLike[str], model: nn.Module | None = None) -> None:
        self.path = Path(path)
        self.notice = ""
        """What is wrong with what is there now; empty while all is well."""
        self._expected = None if model is None else _Expected.of(model)
        self._seen: dict[Path, tuple[int, ...]] = {}
        self._read: dict[Path, tuple[int, ...]] = {}
        self._tries: dict[Path, int] = {}
        self._step = -1

    def poll(self) -> Snapshot | None:
        """The next state that is complete and was not given yet, or None; of a folder one file at a time."""
        try:
            files = self._files()
        except OSError as error:
            self.notice = (
                f"cannot look at {str(self.path)!r}: {error.strerror or error}. Check the name and the folder."
            )
            return None
        found = None
        before, self._seen = self._seen, files
        for path, mark in files.items():
            if self._read.get(path) == mark or before.get(path) != mark:
                continue
            found = self._snapshot(path, mark)
            if found is not None:
                break
        return found

    def _files(self) -> dict[Path, tuple[int, ...]]:
        """What is there: file → what tells that it changed, in the order of the numbers in the names."""
        if not self.path.is_dir():
            return {self.path: _mark(self.path)}
        inside = [path for path in self.path.iterdir() if path.is_file() and not path.name.startswith(".")]
        return {path: _mark(path) for path in sorted(inside, key=_order)}

    def _snapshot(self, path: Path, mark: tuple[int, ...]) -> Snapshot | None:
        try:
            weights = read_weights(path)
            if _mark(path) != mark:  # written while it was read: old and new might be mixed
                return None
            held = {name: tensor for name, tensor in weights.tensors.items() if not tensor.is_meta}
            kinds: dict[str, Kind] = {}
            if self._expected is not None:
                held, kinds = self._expected.fit(path, held)
        except (FileError, OSError) as error:
            self.notice = str(error)
            tries = self._tries[path] = self._tries.get(path, 0) + 1
            if tries >= TRIES:
                self._read[path], self._tries[path] = mark, 0
            return None
        self._read[path], self._tries[path], self.notice = mark, 0, ""
        # A file that tells no step, or tells the same again, is one later than what was.
        self._step = weights.step if weights.step is not None and weights.step > self._step else self._step + 1
        return Snapshot(self._step, held, kinds)


def follow(
    path: str | os.PathLike[str], *, seconds: float | int = 1.0, model: nn.Module | None = None
) -> Iterator[Snapshot]:
    """Snapshots of a checkpoint file or folder as they come, for ever; closing the generator ends it.

    The file need not exist yet. It is looked at every so many seconds and read when it has come to rest.
    """
    follower = Follower(path, model)
    while True:
        if (snapshot := follower.poll()) is not None:
            yield snapshot
        else:
            time.sleep(seconds)


@dataclass(frozen=True)
class _Expected:
    """Names and shapes of a model's weights."""

    names: Mapping[str, str]
    """Each name that a file may use → the first one."""
    like: Mapping[str, Tensor]
    kinds: Mapping[str, Kind]

    @staticmethod
    def of(model: nn.Module) -> "_Expected":
        refs = tensors(model)
        names = {alias: ref.name for ref in refs.values() for alias in (ref.name, *ref.aliases)}
        stored = {names[name] for name in clean_names(model.state_dict(keep_vars=True)) if name in names}
        like = {name: ref.tensor for name, ref in refs.items() if name in stored}
        return _Expected(names, like, {name: ref.kind for name, ref in refs.items()})

    def fit(self, path: Path, held: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Kind]]:
        """The file's tensors under the model's first names; FileError where they are not the model's."""
        renamed = {self.names.get(name, name): tensor for name, tensor in held.items()}
        if told := difference(
            {name: tensor.to("meta") for name, tensor in self.like.items()},
            {name: tensor.to("meta") for name, tensor in renamed.items()},
        ).mismatch:
            raise FileError(f"{str(path)!r} does not fit the model: {told}.")
        return renamed, {name: self.kinds.get(name, "parameter") for name in renamed}


def _mark(path: Path) -> tuple[int, ...]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ino


def _order(path: Path) -> tuple[int, str]:
    """`step-9` before `step-10`: by the last number in the name."""
    numbers = re.findall(r"\d+", path.stem)
    return int(numbers[-1][:18]) if numbers else -1, path.name
