"""Facts that an exported file holds of its network, so that the file alone is enough to run it."""

import json
from dataclasses import dataclass

from easel.materials.config import TrainConfig
from easel.materials.models.network_files import Trained, portable
from easel.materials.recovery.infer import GRAIN_PIXELS

KEY = "easel.materials"
"""Its name among a file's own notes."""
MOST_CHARACTERS = 1 << 20


class ExportError(RuntimeError):
    """A network cannot be exported, or an exported one cannot be run, the way that was asked; one line says why."""


@dataclass(frozen=True)
class NetworkRecord:
    """Facts about an exported network: its config, its weights, and the photos it takes."""

    config: TrainConfig
    step: int
    digest: str
    """SHA-256 of its weights."""
    least_side: int
    """Pixels; photos of the file are no smaller."""
    fixed: bool
    """Photos have least_side pixels on each side, no others; else multiples of GRAIN_PIXELS from there on."""
    error: float
    """Largest difference from torch that was seen when the file was written; NaN where it could not be run."""

    def to_json(self) -> str:
        error = None if self.error != self.error else self.error
        return json.dumps({**vars(self), "config": portable(self.config, None), "error": error}, allow_nan=False)

    @staticmethod
    def from_json(text: str | None) -> "NetworkRecord":
        """Undo `to_json`; ValueError, of one line, for anything else."""
        if not text or len(text) > MOST_CHARACTERS:
            raise ValueError("it is no network that `easel materials export` wrote")
        try:
            found = json.loads(text)
            error = found["error"]
            record = NetworkRecord(
                TrainConfig.from_dict(found["config"]),
                int(found["step"]),
                str(found["digest"]),
                int(found["least_side"]),
                bool(found["fixed"]),
                float("nan") if error is None else float(error),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            reason = " ".join(str(error).split())[:120]
            raise ValueError(f"what it says of its network cannot be read ({reason})") from None
        if record.least_side < 1:
            raise ValueError(f"it claims photos of {record.least_side} pixels")
        return record

    @property
    def sizes(self) -> str:
        """In words."""
        if self.fixed:
            return f"{self.least_side} x {self.least_side} pixels"
        return f"{self.least_side} pixels and more on each side, in multiples of {GRAIN_PIXELS}"


def record_of(trained: Trained, least_side: int, *, fixed: bool, error: float = float("nan")) -> NetworkRecord:
    return NetworkRecord(trained.config, trained.step, trained.digest, least_side, fixed, error)
