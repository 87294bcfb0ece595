"""Snapshots of a run by step, within a budget of memory: the first, the last, and evenly many between."""

import bisect
from collections.abc import Iterator
from pathlib import Path

from torch import Tensor

from easel import checkpoint
from easel.inspector.snapshot import Snapshot

MEMORY_BYTES = 512 * 2**20


class Timeline:
    """Snapshots in the order of their steps.

    When they outgrow `memory_bytes`, every second one between the first and the last is given up, and from then on
    only every second new one is kept; again and again, so that what is left covers the whole run evenly. Tensors that
    snapshots share count once. The first and the last stay even where they alone are larger than the budget.

    With a `folder` (created when it is needed) nothing is lost: what is given up is written there and read again when
    its step is asked for. OSError or FileError where it cannot be written.
    """

    def __init__(self, memory_bytes: int = MEMORY_BYTES, folder: str | Path | None = None) -> None:
        if memory_bytes <= 0:
            raise ValueError(f"a timeline needs a budget above 0 bytes; got {memory_bytes}.")
        self.memory_bytes = memory_bytes
        self.folder = None if folder is None else Path(folder)
        # Exchanged as a whole, never written into: a window may read while a training adds.
        self._held: dict[int, Snapshot] = {}
        self._ordinals: dict[int, int] = {}
        self._spilled: frozenset[int] = frozenset()
        self._stride = 1
        self._count = 0

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[Snapshot]:
        """All snapshots in order, one at a time."""
        return (self.at(step) for step in self.steps)

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps whose snapshots can be had, in order."""
        return tuple(sorted({*self._held, *self._spilled}))

    @property
    def first(self) -> Snapshot | None:
        return self.at(self.steps[0]) if self.steps else None

    @property
    def last(self) -> Snapshot | None:
        return self.at(self.steps[-1]) if self.steps else None

    @property
    def used_bytes(self) -> int:
        """Memory of all snapshots that are held, shared tensors counted once."""
        return _size_bytes(self._held)

    def add(self, snapshot: Snapshot) -> None:
        """Take a snapshot in; one of the same step is replaced."""
        held = {**self._held, snapshot.step: snapshot}
        if snapshot.step not in self._ordinals:
            self._ordinals[snapshot.step] = self._count
            self._count += 1
        # The one that was last until now may have been there for that alone.
        held = self._thinned(held)
        while _size_bytes(held) > self.memory_bytes and len(held) > 2:
            self._stride *= 2
            held = self._thinned(held)
        self._held, self._spilled = held, self._spilled - {snapshot.step}
        self._ordinals = {step: self._ordinals[step] for step in held}

    def at(self, step: int) -> Snapshot:
        """The snapshot of exactly this step; KeyError where there is none."""
        if (snapshot := self._held.get(step)) is not None:
            return snapshot
        if step not in self._spilled:
            raise KeyError(f"no snapshot of step {step}; the nearest is {self._nearest(step)}")
        tensors, config = checkpoint.read(self._path(step))
        return Snapshot(step, tensors, config["kinds"])

    def nearest(self, step: int) -> Snapshot | None:
        """The snapshot whose step is closest, the earlier of two; None while there is none."""
        found = self._nearest(step)
        return None if found is None else self.at(found)

    def values(self, name: str, index: tuple[int, ...] = ()) -> list[tuple[int, float | int | complex]]:
        """(step, value) of one element through time, from the snapshots that have it."""
        found: list[tuple[int, float | int | complex]] = []
        for snapshot in self:
            tensor = snapshot.tensors.get(name)
            fits = tensor is not None and tensor.ndim == len(index)
            if tensor is not None and fits and all(i < n for i, n in zip(index, tensor.shape, strict=True)):
                found.append((snapshot.step, tensor[index].item()))
        return found

    def _thinned(self, held: dict[int, Snapshot]) -> dict[int, Snapshot]:
        ends = {min(held), max(held)}
        kept: dict[int, Snapshot] = {}
        for step in sorted(held):
            if step in ends or self._ordinals[step] % self._stride == 0:
                kept[step] = held[step]
            elif self.folder is not None:
                snapshot = held[step]
                checkpoint.write(self._path(step), snapshot.tensors, {"step": step, "kinds": dict(snapshot.kinds)})
                self._spilled |= {step}
        return kept

    def _nearest(self, step: int) -> int | None:
        steps = self.steps
        if not steps:
            return None
        place = bisect.bisect_left(steps, step)
        return min(steps[max(place - 1, 0) : place + 1], key=lambda other: abs(other - step))

    def _path(self, step: int) -> Path:
        assert self.folder is not None
        return self.folder / f"step-{step:08d}.safetensors"


def _size_bytes(held: dict[int, Snapshot]) -> int:
    tensors: dict[int, Tensor] = {id(t): t for snapshot in held.values() for t in snapshot.tensors.values()}
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
