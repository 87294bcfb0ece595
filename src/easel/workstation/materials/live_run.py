"""LiveRun: the curves and checkpoints of a training, read from its folder, whoever trains it."""

import json
import math
import time
from dataclasses import dataclass, field
from pathlib import Path

from jaxtyping import Float
from torch import Tensor, nn

from easel.checkpoint import MANIFEST
from easel.graphics.files import FileError
from easel.materials.dataset.dataset import PBRDataset
from easel.materials.models.network_files import STUDENT, TEACHER, Trained, load_generator, saved_runs
from easel.materials.models.training_data import training_dataset
from easel.materials.recovery.evaluate import judge, judged_sheet
from easel.materials.training.logs import METRICS
from easel.workstation.background import Background

POLL_SECONDS = 0.3
"""Time between two looks at the folder."""
MOST_BYTES = 1 << 22
"""Bytes of the log that are read at a time: a page must not stand still because it was opened late."""
MOST_POINTS = 20_000
"""Points of a curve; a longer one keeps every second."""
SHEET_SAMPLES, SHEET_SIDE = 3, 112


@dataclass
class LoggedCurve:
    """A figure over the steps of a run."""

    steps: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, step: int, value: float) -> None:
        """Append a point; a curve that grows too long loses every second one before it."""
        self.steps.append(step)
        self.values.append(value)
        if len(self.values) > MOST_POINTS:
            del self.steps[:-1:2], self.values[:-1:2]


@dataclass(frozen=True, eq=False)
class HeldOutSheet:
    """The maps that a checkpoint infers for materials it never learned from, beside the true ones."""

    trained: Trained
    picture: Float[Tensor, "h w 3"]

    @property
    def step(self) -> int:
        """Steps that the network was trained for."""
        return self.trained.step


class LiveRun:
    """Follows the folder of a run: its log as it grows, and every checkpoint that it saves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.curves: dict[str, LoggedCurve] = {}
        """Curves by tag, such as train/g_loss and val/albedo_psnr."""
        self.step = 0
        self.epoch = 0
        self.sheet: HeldOutSheet | None = None
        self.model: nn.Module | None = None
        """The network, one object for the whole run; every new checkpoint is loaded into it."""
        self.problem = ""
        """The reason, in one line, why there is no sheet."""
        self._read_bytes = 0
        self._polled_at = 0.0
        self._judged_at = 0.0
        """Time at which the checkpoint was saved that was judged last."""
        self._judge = Background[HeldOutSheet]("held-out")

    def poll(self) -> bool:
        """Read the folder, a few times a second; True if there is a new sheet."""
        now = time.perf_counter()
        # Sixty looks a second would be felt on a network drive.
        if now - self._polled_at < POLL_SECONDS:
            return False
        self._polled_at = now
        self._read_log()
        # One checkpoint at a time: a fast training would otherwise drop every sheet before it is complete.
        if not self._judge.busy:
            saved = saved_at(self.folder)
            if saved > self._judged_at:
                self._judged_at = saved
                self._judge.start(held_out, newest(self.folder))
            return False
        if not self._judge.done:
            return False
        try:
            self.sheet = self._judge.result()
        except (FileError, OSError, ValueError, KeyError) as error:
            self.problem = str(error.args[0] if isinstance(error, KeyError) else error)
            return False
        self.problem = ""
        model = self.sheet.trained.model
        if self.model is None:
            self.model = model
        else:
            # Into the same object: whoever looks into the network keeps its past.
            self.model.load_state_dict(model.state_dict())
        return True

    @property
    def judging(self) -> bool:
        """True while a sheet is being made."""
        return self._judge.busy

    def close(self) -> None:
        self._judge.close()

    def _read_log(self) -> None:
        path = self.folder / METRICS
        try:
            size = path.stat().st_size
            if size < self._read_bytes:  # a run that was continued from an earlier step
                self._read_bytes = 0
                self.curves = {}
            if size == self._read_bytes:
                return
            with path.open("rb") as file:
                file.seek(self._read_bytes)
                text = file.read(MOST_BYTES)
        except OSError:
            return
        # The run may be writing its last line just now: that one is read when it is complete.
        whole = text[: text.rfind(b"\n") + 1]
        if not whole and len(text) == MOST_BYTES:
            # A line longer than all that is read at a time is none of a run's.
            whole = text
        self._read_bytes += len(whole)
        for line in whole.splitlines():
            self._take(line)

    def _take(self, line: bytes) -> None:
        """Add a line of the log to the curves."""
        try:
            record = json.loads(line)
            step, epoch = record["step"], record["epoch"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return  # left unfinished by a killed process
        # Not isinstance: JSON's true is an int to Python.
        if type(step) is not int or type(epoch) is not int:
            return
        self.step = step
        self.epoch = epoch
        for tag, value in record.items():
            if "/" in tag:
                # JSON has no NaN: a loss that was none is null.
                number = float(value) if isinstance(value, int | float) else math.nan
                self.curves.setdefault(tag, LoggedCurve()).add(step, number)


def saved_at(network: Path) -> float:
    """Return the time at which a network's file was written, or the newest of a run's; 0 if there is none."""
    files = [network]
    if network.is_dir():
        files = [network / MANIFEST, *(run / MANIFEST for run in saved_runs(network))]
    return max((path.stat().st_mtime for path in files if path.exists()), default=0.0)


def newest(folder: Path) -> Path:
    """Return what a run saved last. Another checkpoint may be replaced while it is read: that one is written first."""
    return next((path for name in (TEACHER.latest, STUDENT.latest) if (path := folder / name).is_dir()), folder)


def held_out(folder: Path) -> HeldOutSheet:
    """Make the sheet of a checkpoint; FileError, ValueError or KeyError for one that cannot be read."""
    trained = load_generator(folder)
    dataset = held_out_materials(trained)
    photos = trained.config.data.num_views
    samples = map(dataset.sample, range(min(len(dataset), SHEET_SAMPLES)))
    return HeldOutSheet(trained, judged_sheet((judge(trained, sample, photos) for sample in samples), SHEET_SIDE))


def held_out_materials(trained: Trained) -> PBRDataset:
    """Return the materials that a run keeps for validation; ValueError if it keeps none or its data are elsewhere."""
    dataset = training_dataset(trained, split="val")
    if not len(dataset):
        raise ValueError("this run keeps no material for validation: its data.val_ratio is 0.")
    return dataset
