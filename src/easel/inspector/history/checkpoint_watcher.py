"""Following a checkpoint on disk that another program keeps writing: each complete state of it, once."""

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from torch import Tensor, nn

from easel.graphics.files import FileError
from easel.inspector.history.comparison import difference
from easel.inspector.history.snapshot import Snapshot
from easel.inspector.models.graph import Kind
from easel.inspector.models.model_tensors import tensors
from easel.inspector.models.weights_file import clean_names, last_number, read_weights

TRIES = 3
"""Times that a file that cannot be read, and does not change, is tried."""


class Follower:
    """Polls a checkpoint file, or a folder of them, for new states; call `poll` as often as it should look.

    A file is read once two polls found it alike. One that is half written, damaged or not there leaves a `notice` of
    one line and is tried again later. With a `model`, which is only read, names and shapes have to be its own.
    """

    def __init__(self, path: str | os.PathLike[str], model: nn.Module | None = None) -> None:
        self.path = Path(path)
        self.notice = ""
        """Fault of the present files, in one line; empty while all is well."""
        self._expected = None if model is None else _Expected(model)
        self._seen: dict[Path, tuple[int, ...]] = {}
        """File → its stamp at the last poll."""
        self._read: dict[Path, tuple[int, ...]] = {}
        """File → its stamp when it was read, or given up."""
        self._tries: dict[Path, int] = {}
        self._step = -1

    def poll(self) -> Snapshot | None:
        """Return the next complete state that was not returned yet, or None; of a folder one file at a time."""
        try:
            files = self._files()
        except OSError as error:
            reason = error.strerror or error
            self.notice = f"cannot look at {str(self.path)!r}: {reason}. Check the name and the folder."
            return None
        before, self._seen = self._seen, files
        for path, stamp in files.items():
            # Only what rests: a file that changed since the last poll may be half written.
            if self._read.get(path) != stamp and before.get(path) == stamp and (found := self._snapshot(path, stamp)):
                return found
        return None

    def _files(self) -> dict[Path, tuple[int, ...]]:
        """Return file → stamp of all files, in the order of the numbers in their names."""
        if not self.path.is_dir():
            return {self.path: _stamp(self.path)}
        # Hidden files are what programs write to before they rename it.
        inside = [path for path in self.path.iterdir() if path.is_file() and not path.name.startswith(".")]
        return {path: _stamp(path) for path in sorted(inside, key=_order)}

    def _snapshot(self, path: Path, stamp: tuple[int, ...]) -> Snapshot | None:
        """Read a file; None, with a `notice`, if it is not complete."""
        try:
            weights = read_weights(path)
            if _stamp(path) != stamp:  # written while it was read: old and new might be mixed
                return None
            held = {name: tensor for name, tensor in weights.tensors.items() if not tensor.is_meta}
            kinds: dict[str, Kind] = {}
            if self._expected is not None:
                held, kinds = self._expected.fit(path, held)
        except (FileError, OSError) as error:
            self.notice = str(error)
            tries = self._tries[path] = self._tries.get(path, 0) + 1
            # Given up until it changes: reading a damaged file of gigabytes at every poll would stop the window.
            if tries >= TRIES:
                self._settle(path, stamp)
            return None
        self._settle(path, stamp)
        self.notice = ""
        # A file that tells no step, or tells the same again, is one later than what was.
        self._step = max(weights.step or 0, self._step + 1)
        return Snapshot(self._step, held, kinds)

    def _settle(self, path: Path, stamp: tuple[int, ...]) -> None:
        """Leave a file alone until it changes."""
        self._read[path] = stamp
        self._tries[path] = 0


def follow(
    path: str | os.PathLike[str], *, seconds: float | int = 1.0, model: nn.Module | None = None
) -> Iterator[Snapshot]:
    """Yield the snapshots of a checkpoint file or folder as they come, for ever; closing the generator ends it.

    The file need not exist yet. It is looked at every so many seconds and read when it has come to rest.

        for snapshot in follow("run/last.pt", seconds=5):
            scene.update(snapshot.tensors)
    """
    follower = Follower(path, model)
    while True:
        # No pause after a snapshot: a folder may hold many that are new.
        if (snapshot := follower.poll()) is not None:
            yield snapshot
        else:
            time.sleep(seconds)


class _Expected:
    """Names, shapes and kinds of a model's weights."""

    def __init__(self, model: nn.Module) -> None:
        refs = tensors(model)
        self.names = {alias: ref.name for ref in refs.values() for alias in (ref.name, *ref.aliases)}
        """Each name that a file may use → the first one."""
        # A state dict leaves out buffers that are not persistent; no file has to have them.
        stored = {self.names.get(name) for name in clean_names(model.state_dict(keep_vars=True))}
        # On `meta` a difference compares names and shapes alone, and computes nothing.
        self.like = {name: ref.tensor.to("meta") for name, ref in refs.items() if name in stored}
        """Tensors of the shapes that a file must have."""
        self.kinds: dict[str, Kind] = {name: ref.kind for name, ref in refs.items()}

    def fit(self, path: Path, held: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Kind]]:
        """Return (tensors, kinds) under the model's first names. Raises FileError if they are not the model's."""
        renamed = {self.names.get(name, name): tensor for name, tensor in held.items()}
        if mismatch := difference(self.like, {name: tensor.to("meta") for name, tensor in renamed.items()}).mismatch:
            raise FileError(f"{str(path)!r} does not fit the model: {mismatch}.")
        return renamed, {name: self.kinds.get(name, "parameter") for name in renamed}


def _stamp(path: Path) -> tuple[int, ...]:
    """Return what changes when a file does. The inode too: a rename can keep size and time."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ino


def _order(path: Path) -> tuple[bool, int, str]:
    """Return the sort key of a file, the last number in its name: `step-9` comes before `step-10`."""
    number = last_number(path.stem, 18)
    return number is not None, number or 0, path.name
