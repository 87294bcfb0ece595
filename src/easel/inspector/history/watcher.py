"""A training loop that is watched: snapshots from inside of it, as often as a clock and thrift allow."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn, optim

from easel.inspector.history.snapshot import Snapshot, copied, live_tensors
from easel.inspector.history.timeline import MEMORY_BYTES, Timeline
from easel.inspector.models.graph import Kind
from easel.inspector.tracing.forward import Capture, capture

THRIFT = 0.02
"""The share of time that a watch takes at most: after one that took long it waits longer."""


class Watch:
    """Copies a model's tensors while it learns; `watch` makes one.

    It only reads: no flag, no weight, no hook and no random number changes, so that a training with it goes as it
    would without.
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
        self.model, self.optimizer = model, optimizer
        self.seconds, self.gradients, self.optimizer_state, self.sample = seconds, gradients, optimizer_state, sample
        self.capture: Capture | None = None
        """The latest forward pass of the sample."""
        self._timeline = Timeline() if timeline is None else timeline
        self._clock = clock
        self._due = -float("inf")
        self._step = -1
        self._last: Mapping[str, Tensor] = {}
        self._coming: _Coming | None = None

    def record(self, step: int | None = None) -> bool:
        """Take a snapshot if one is due, and tell whether; call it after each `optimizer.step()`.

        Steps count themselves where none is given. Gradients are seen before `zero_grad` clears them. When nothing is
        due, this reads the clock and no more.
        """
        now = self._clock()
        self._step = self._step + 1 if step is None else step
        if now < self._due:
            return False
        self._receive()
        state = self.optimizer if self.optimizer_state else None
        found = live_tensors(self.model, state, gradients=self.gradients)
        if self.sample is not None:
            args, kwargs = _arguments(self.sample)
            self.capture = capture(self.model, *args, **kwargs)
            found |= {
                name: (ref.tensor, "activation")
                for name, ref in self.capture.activations.items()
                if ref.is_materialised
            }
        self._coming = _Coming.of(self._step, found)
        if self._coming.event is None:
            self._receive()
        if self.seconds:
            self._due = now + max(self.seconds, (self._clock() - now) / THRIFT)
        return True

    @property
    def timeline(self) -> Timeline:
        """All snapshots until now."""
        self._receive()
        return self._timeline

    def _receive(self) -> None:
        """Take in what was on its way from a GPU."""
        if (coming := self._coming) is None:
            return
        self._coming = None
        if coming.event is not None:
            coming.event.synchronize()
        tensors = {name: copied(tensor, self._last.get(name)) for name, tensor in coming.tensors.items()}
        self._last = tensors
        self._timeline.add(Snapshot(coming.step, tensors, coming.kinds))


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

    At most one snapshot in so many seconds, and fewer where they would take more than 2 % of the time; with `seconds=0`
    one at every call, whatever it costs. They hold parameters and buffers and, if asked for, gradients and the
    optimizer's memory. With a `sample`, a tensor, a tuple of arguments or a dict of keywords, each also runs one
    forward pass and holds its activations. `memory_bytes` and `folder` are the timeline's.
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


@dataclass(frozen=True)
class _Coming:
    """Tensors that are to be taken in: those of the CPU as they are, those of a GPU on their way into pinned memory."""

    step: int
    tensors: Mapping[str, Tensor]
    kinds: Mapping[str, Kind]
    event: torch.cuda.Event | None
    """Has happened when all have arrived; None where nothing travels."""

    @staticmethod
    def of(step: int, found: Mapping[str, tuple[Tensor, Kind]]) -> "_Coming":
        kinds: dict[str, Kind] = {name: kind for name, (_, kind) in found.items()}
        tensors = {name: tensor for name, (tensor, _) in found.items()}
        travelling = [name for name, tensor in tensors.items() if tensor.is_cuda and tensor.layout is torch.strided]
        if not travelling:
            return _Coming(step, tensors, kinds, None)
        for name, tensor in tensors.items():
            if name in travelling:
                pinned = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
                tensors[name] = pinned.copy_(tensor, non_blocking=True)
            else:  # the next step may write into it before the others have arrived
                tensors[name] = copied(tensor)
        event = torch.cuda.Event()
        event.record()
        return _Coming(step, tensors, kinds, event)


def _arguments(sample: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if isinstance(sample, Mapping):
        return (), dict(sample)
    return (tuple(sample), {}) if isinstance(sample, tuple | list) else ((sample,), {})
