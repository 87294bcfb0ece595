"""Progress of a run: everything that continues besides the networks."""

import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from easel.materials.training.schedule import Plateau
from easel.materials.training.step import Outcome


@dataclass
class RunProgress:
    """Counters and sums."""

    epoch: int = 0
    """Epochs that are over."""
    batch: int = 0
    """Batches of the next one that are over."""
    step: int = 0
    """Steps of all epochs."""
    best: float | None = None
    """Lowest validation loss so far."""
    val_loss: float | None = None
    """The last validation's."""
    g_sum: float = 0.0
    """Sum of the generator's losses in this epoch."""
    g_count: int = 0
    d_sum: float = 0.0
    """Sum of the discriminator's losses in this epoch."""
    d_count: int = 0
    faults: int = 0
    """Steps in a row whose loss was not finite."""
    reloads: int = 0
    """Number of times that a checkpoint was loaded again because of them; each halves the rates."""
    plateau: Plateau = field(default_factory=Plateau)

    def count(self, batches: int, outcome: Outcome) -> None:
        """Count a step over so many batches."""
        self.batch += batches
        self.step += 1
        if outcome.skipped:
            self.faults += 1
            return
        self.faults = 0
        self.g_sum += outcome.loss
        self.g_count += 1
        if outcome.d_loss is not None:
            self.d_sum += outcome.d_loss
            self.d_count += 1

    def means(self) -> tuple[float, float | None]:
        """Return the mean of both losses over this epoch."""
        return (
            self.g_sum / self.g_count if self.g_count else math.nan,
            self.d_sum / self.d_count if self.d_count else None,
        )

    def end_epoch(self) -> None:
        self.epoch += 1
        self.batch = 0
        self.g_sum = self.d_sum = 0.0
        self.g_count = self.d_count = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(record: dict[str, Any]) -> "RunProgress":
        """Undo `to_json`, other entries aside; ValueError names what is missing or unfit."""
        # Its own record, so that the fields of both need no prefixes.
        plateau = record.get("plateau")
        if not isinstance(plateau, dict):
            raise ValueError("its plateau is missing")
        return RunProgress(**_numbers(RunProgress(), record), plateau=Plateau(**_numbers(Plateau(), plateau)))


def _numbers(like: Any, record: dict[str, Any]) -> dict[str, Any]:
    """Return the entries for the fields of `like` that are counts, measures, or measures not made yet."""
    found = {}
    for name in (entry.name for entry in fields(like)):
        default = getattr(like, name)
        value = record.get(name, "missing")
        count = type(value) is int and 0 <= value < 2**53
        measure = type(value) in (int, float) and math.isfinite(value)
        if isinstance(default, Plateau):
            continue
        if not (count if isinstance(default, int) else measure or (default is None and value is None)):
            raise ValueError(f"its {name} is {str(value)[:40]}")
        found[name] = value
    return found
