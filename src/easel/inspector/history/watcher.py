"""Watching a training loop from inside: snapshots at intervals of time, within a small share of it."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn, optim

from easel.inspector.history.snapshot import Snapshot, copied, live_tensors
from easel.inspector.history.timeline import MEMORY_BYTES, Timeline
from easel.inspector.models.graph import Kind
from easel.inspector.tracing.forward import Capture, capture

THRIFT = 0.02
"""Share of the time that a watch takes at most: after a snapshot that took long it waits longer."""


class Watch:
    """Takes snapshots of a model while it learns; `watch` makes one.

    It only reads: no flag, no weight, no hook and no random number changes, so that a training with it goes as it
    would without. Raises ValueError for `optimizer_state` without an optimizer and for negative `seconds`.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: optim.Optimizer | None = None,
        *,
        seconds: float | int = 0.5,
        gradients: bool = False,
        optimizer_state: bool = False,
        sample: Any = None,
        timeline: Timeline | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if optimizer_state and optimizer is None:
            raise ValueError("optimizer_state=True needs the optimizer: watch(model, optimizer, optimizer_state=True).")
        if not seconds >= 0:
            raise ValueError(f"seconds between two snapshots are 0 or more; got {seconds}.")
        self.model = model
        self.optimizer = optimizer
        self.seconds = seconds
        self.gradients = gradients
        self.optimizer_state = optimizer_state
        self.sample = sample
        self.capture: Capture | None = None
        """Latest forward pass of the sample."""
        # Not `timeline or …`: an empty one is false.
        self._timeline = Timeline() if timeline is None else timeline
        self._clock = clock
        self._due = -float("inf")
        self._step = -1
        self._last: Mapping[str, Tensor] = {}
        self._transfer: tuple[Snapshot, torch.cuda.Event | None] | None = None
        """The coming snapshot, and the event that has happened when all of it has arrived."""

    def record(self, step: int | None = None) -> bool:
        """Take a snapshot if one is due; call it after each `optimizer.step()`. True if one was taken.

        Without a `step` the calls are counted. Gradients are seen before `zero_grad` clears them. When nothing is due,
        this reads the clock and no more.
        """
        now = self._clock()
        self._step = self._step + 1 if step is None else step
        if now < self._due:
            return False
        # The last one first: snapshots must come to the timeline in order.
        self._receive()
        optimizer = self.optimizer if self.optimizer_state else None
        found = live_tensors(self.model, optimizer, gradients=self.gradients)
        if self.sample is not None:
            # As it is, not in evaluation: these are the activations of the training.
            args, kwargs = _arguments(self.sample)
            self.capture = capture(self.model, *args, **kwargs)
            kept = {name: ref.tensor for name, ref in self.capture.activations.items() if ref.is_materialised}
            found |= {name: (tensor, "activation") for name, tensor in kept.items()}
        self._transfer = _start_transfer(self._step, found)
        # From a GPU the tensors arrive while the next step computes; they are received when the next one is due.
        if self._transfer[1] is None:
            self._receive()
        # Long enough that snapshots take THRIFT of the time, however large the network is.
        if self.seconds:
            self._due = now + max(self.seconds, (self._clock() - now) / THRIFT)
        return True

    @property
    def timeline(self) -> Timeline:
        """All snapshots until now."""
        self._receive()
        return self._timeline

    def _receive(self) -> None:
        """Add the tensors that were on their way from a GPU to the timeline."""
        if self._transfer is None:
            return
        (came, event), self._transfer = self._transfer, None
        if event is not None:
            event.synchronize()
        # What is equal to the snapshot before becomes the very same tensor, and takes no more memory.
        self._last = {name: copied(tensor, self._last.get(name)) for name, tensor in came.tensors.items()}
        self._timeline.add(Snapshot(came.step, self._last, came.kinds))


def watch(
    model: nn.Module,
    optimizer: optim.Optimizer | None = None,
    *,
    seconds: float | int = 0.5,
    gradients: bool = False,
    optimizer_state: bool = False,
    sample: Any = None,
    memory_bytes: int = MEMORY_BYTES,
    folder: str | Path | None = None,
) -> Watch:
    """Watch a model learn: call `.record(step)` in the loop, read `.timeline` at any time.

    At most one snapshot in so many seconds, and fewer if they would take more than 2 % of the time; with `seconds=0`
    one at every call, whatever it costs. They hold parameters and buffers and, if asked for, gradients and the
    optimizer's memory. With a `sample`, a tensor, a tuple of arguments or a dict of keywords, each also runs one
    forward pass and holds its activations. `memory_bytes` and `folder` are the timeline's.

        watching = watch(model, optimizer, gradients=True)
        for step, (x, y) in enumerate(batches):
            ...
            optimizer.step()
            watching.record(step)
    """
    return Watch(
        model,
        optimizer,
        seconds=seconds,
        gradients=gradients,
        optimizer_state=optimizer_state,
        sample=sample,
        timeline=Timeline(memory_bytes, folder),
    )


def _start_transfer(step: int, found: Mapping[str, tuple[Tensor, Kind]]) -> tuple[Snapshot, torch.cuda.Event | None]:
    """Return a snapshot of tensors of the CPU as they are, and those of a GPU on their way into pinned memory.

    The event has happened when all have arrived; None if all are on the CPU already.
    """
    kinds: dict[str, Kind] = {name: kind for name, (_, kind) in found.items()}
    tensors = {name: tensor for name, (tensor, _) in found.items()}
    travelling = [name for name, tensor in tensors.items() if tensor.is_cuda and tensor.layout is torch.strided]
    if not travelling:
        return Snapshot(step, tensors, kinds), None
    for name, tensor in tensors.items():
        if name in travelling:
            # Pinned: only into such memory does a GPU copy beside the program's work.
            pinned = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
            tensors[name] = pinned.copy_(tensor, non_blocking=True)
        else:  # the next step may write into it before the others have arrived
            tensors[name] = copied(tensor)
    # Recorded behind the copies, on their stream: it happens when the last of them is done.
    event = torch.cuda.Event()
    event.record()
    return Snapshot(step, tensors, kinds), event


def _arguments(sample: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the (positional, keyword) arguments that a sample stands for."""
    if isinstance(sample, Mapping):
        return (), dict(sample)
    return tuple(sample) if isinstance(sample, tuple | list) else (sample,), {}
