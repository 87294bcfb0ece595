"""Records that a run yields, and the settings that can be changed while it runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from easel.materials.dataset.sample import Batch


@dataclass(frozen=True)
class Outcome:
    """Result of one optimisation step."""

    loss: float
    """The generator's; not finite where the step was skipped for that."""
    d_loss: float | None
    """The discriminator's, where it took part."""
    info: Mapping[str, Tensor]
    """Parts of the loss, detached and on the device: reading them waits for it."""
    maps: Mapping[str, Tensor]
    """The generator's answer to the last part of the batch, detached."""
    batch: Batch
    """That part."""
    skipped: bool
    """True if no weights moved, because a loss or a gradient was not finite."""
    splits: int = 1
    """Number of parts in which each batch was computed."""


@dataclass
class Knobs:
    """Settings that a person may change while a run goes on; read at every step."""

    stop: bool = False
    """End the run after this step, with a checkpoint to continue from."""


@dataclass(frozen=True)
class SavedCheckpoint:
    """A checkpoint that was written."""

    path: Path
    best: bool
    """True for the best so far, False for the newest or a periodic one."""


@dataclass(frozen=True)
class Epoch:
    """An epoch that is over."""

    number: int
    """From 1."""
    g_loss: float
    """Mean of the generator's losses."""
    d_loss: float | None
    """Mean of the discriminator's, where it took part."""
    validation: Mapping[str, float]
    """`loss` and the metrics of the validation samples, where there was a validation."""


@dataclass(frozen=True)
class Step:
    """One step of a run."""

    index: int
    """Steps of the whole run, this one included."""
    epoch: int
    """From 1."""
    position: int
    """Steps of this epoch, this one included."""
    steps_per_epoch: int
    loss: float
    """The generator's, over all processes; not finite where the step was skipped for that."""
    d_loss: float | None
    """The discriminator's, where it took part."""
    rate: float
    """Learning rate of the generator."""
    info: Mapping[str, Tensor]
    """Parts of the generator's loss in this process, detached: reading them waits for the device."""
    maps: Mapping[str, Tensor]
    """Maps that the generator predicted for `batch`, before this step moved it."""
    batch: Batch
    """The last part of what this process learned from."""
    ended: Epoch | None = None
    """On the last step of an epoch, how the epoch went."""
    saved: tuple[SavedCheckpoint, ...] = ()
    """Checkpoints that were written after this step."""
    notes: tuple[str, ...] = ()
    """Problems that were dealt with, a line each."""
    stopped_by: str | None = None
    """On the last step of a run: 'epochs', 'steps' or 'stop'."""
