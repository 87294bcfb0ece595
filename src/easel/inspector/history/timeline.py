"""Timelines: snapshots of a run by step, within a budget of memory: the first, the last, and evenly many between."""

from collections import Counter
from collections.abc import Iterator
from operator import lt
from pathlib import Path

from easel import checkpoint
from easel.graphics.files import FileError
from easel.inspector.history.snapshot import Snapshot

MEMORY_BYTES = 512 * 2**20
MOST_SNAPSHOTS = 4096
"""Finer than a slider can be set; networks of a few bytes reach it before they reach their budget."""


class Timeline:
    """Snapshots in the order of their steps.

    When they outgrow `memory_bytes`, or are more than 4096, every second one between the first and the last is given
    up, and from then on only every second new one is kept; again and again, so that the rest covers the whole run
    evenly. Tensors that snapshots share count once. The first and the last stay even if they alone exceed the budget.

    With a `folder` (created when it is needed) dropped snapshots are written there and read again when their step is
    asked for. If that fails the snapshot is lost, `notice` tells why, and the training that is watched goes on.

        timeline = Timeline(memory_bytes=2**30, folder="snapshots")
        timeline.add(Snapshot(0, tensors))
        timeline.nearest(500).tensors["conv1.weight"]
    """

    def __init__(self, memory_bytes: int = MEMORY_BYTES, folder: str | Path | None = None) -> None:
        if memory_bytes <= 0:
            raise ValueError(f"a timeline needs a budget above 0 bytes; got {memory_bytes}.")
        self.memory_bytes = memory_bytes
        self.folder = None if folder is None else Path(folder)
        self.notice = ""
        """Reason why the folder does not take a snapshot, in one line."""
        # Exchanged as a whole, never written into: a window may read while a training adds.
        self._held: dict[int, Snapshot] = {}
        self._ordinals: dict[int, int] = {}
        """Step → its place in the order in which snapshots came."""
        self._spilled: frozenset[int] = frozenset()
        """Steps of the snapshots in the folder."""
        self._holders = Counter[int]()
        """id of a tensor → number of held snapshots that share it."""
        self.used_bytes = 0
        """Memory of all snapshots in memory, shared tensors counted once."""
        self._stride = 1
        self._count = 0

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[Snapshot]:
        """Iterate over all snapshots in order, one at a time: those in the folder are never all in memory."""
        return (self.at(step) for step in self.steps)

    @property
    def steps(self) -> tuple[int, ...]:
        """Steps of all snapshots, in order."""
        return tuple(sorted({*self._held, *self._spilled}))

    @property
    def first(self) -> Snapshot | None:
        return next(iter(self), None)

    @property
    def last(self) -> Snapshot | None:
        return next((self.at(step) for step in reversed(self.steps)), None)

    def add(self, snapshot: Snapshot) -> None:
        """Add a snapshot; one of the same step is replaced."""
        step = snapshot.step
        held = dict(self._held)
        if step in held:
            self._account(held[step], -1)
        held[step] = snapshot
        self._account(snapshot, 1)
        if step not in self._ordinals:
            self._ordinals[step] = self._count
            self._count += 1
        self._spilled -= {step}
        # The one that was last until now may have been there for that alone.
        held = self._thinned(held)
        while (self.used_bytes > self.memory_bytes or len(held) > MOST_SNAPSHOTS) and len(held) > 2:
            self._stride *= 2
            held = self._thinned(held)
        self._held = held
        self._ordinals = {step: self._ordinals[step] for step in held}

    def at(self, step: int) -> Snapshot:
        """Return the snapshot of exactly this step. Raises KeyError if there is none."""
        if (snapshot := self._held.get(step)) is not None:
            return snapshot
        if step not in self._spilled:
            raise KeyError(f"no snapshot of step {step}; the nearest is {self._nearest(step)}")
        tensors, config = checkpoint.read(self._path(step))
        return Snapshot(step, tensors, config["kinds"])

    def nearest(self, step: int) -> Snapshot | None:
        """Return the snapshot whose step is closest, the earlier of two; None while there is none."""
        found = self._nearest(step)
        return None if found is None else self.at(found)

    def values(self, name: str, index: tuple[int, ...] = ()) -> list[tuple[int, float | int | complex]]:
        """Return (step, value) of one element through time, from the snapshots that have it."""
        found: list[tuple[int, float | int | complex]] = []
        for snapshot in self:
            tensor = snapshot.tensors.get(name)
            # A layer may have been added, or have grown, while the network was trained.
            if tensor is not None and tensor.ndim == len(index) and all(map(lt, index, tensor.shape)):
                found.append((snapshot.step, tensor[index].item()))
        return found

    def _thinned(self, held: dict[int, Snapshot]) -> dict[int, Snapshot]:
        """Return the snapshots that stay at the present stride; the others are dropped, or written to the folder."""
        ends = {min(held), max(held)}
        kept: dict[int, Snapshot] = {}
        for step in sorted(held):
            snapshot = held[step]
            # A stride beyond the count leaves the ends alone: where steps came out of order, number 0 is none of them.
            if step in ends or (self._ordinals[step] % self._stride == 0 and self._stride <= self._count):
                kept[step] = snapshot
                continue
            self._account(snapshot, -1)
            if self.folder is not None:
                self._spill(snapshot)
        return kept

    def _spill(self, snapshot: Snapshot) -> None:
        """Write a snapshot to the folder."""
        config = {"step": snapshot.step, "kinds": dict(snapshot.kinds)}
        try:
            checkpoint.write(self._path(snapshot.step), snapshot.tensors, config)
        # A full disk must not end the training that is watched.
        except (FileError, OSError) as error:
            self.notice = f"step {snapshot.step} is lost: {error}"
        else:
            self._spilled |= {snapshot.step}

    def _account(self, snapshot: Snapshot, change: int) -> None:
        """Count a snapshot's tensors in (1) or out (−1)."""
        for tensor in snapshot.tensors.values():
            self._holders[id(tensor)] += change
            holders = self._holders[id(tensor)]
            # Only the first and the last holder change the memory.
            if holders == 0 or holders - change == 0:
                self.used_bytes += change * tensor.numel() * tensor.element_size()
            # An id lives on in another tensor: an entry that stayed would count for that one.
            if holders == 0:
                del self._holders[id(tensor)]

    def _nearest(self, step: int) -> int | None:
        # Of two that are equally near, `min` takes the earlier one.
        return min(self.steps, key=lambda other: abs(other - step), default=None)

    def _path(self, step: int) -> Path:
        assert self.folder is not None
        return self.folder / f"step-{step:08d}.safetensors"
