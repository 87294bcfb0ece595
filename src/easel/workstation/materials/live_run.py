"""A training run as a person watches it: what its folder tells, whoever trains it."""

import json
import math
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from jaxtyping import Float
from torch import Tensor, nn

from easel.graphics.files import FileError
from easel.materials.contact import labelled_sheet, map_pictures, relit, square
from easel.materials.dataset.dataset import PBRDataset
from easel.materials.maps import MAP_NAMES
from easel.materials.recovery.evaluate import judge
from easel.materials.training.logs import METRICS
from easel.materials.training.run_files import STUDENT, TEACHER, Trained, load_generator
from easel.workstation.materials.live_recovery import saved_at

POLL_SECONDS = 0.3
MOST_BYTES = 1 << 22
"""Of the log that are read at a time."""
MOST_POINTS = 20_000
"""Of a curve; a longer one keeps every second point."""
SHEET_SAMPLES, SHEET_SIDE = 3, 112


@dataclass
class Curve:
    """A figure over the steps of a run."""

    steps: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, step: int, value: float) -> None:
        self.steps.append(step)
        self.values.append(value)
        if len(self.values) > MOST_POINTS:
            del self.steps[:-1:2], self.values[:-1:2]


@dataclass(frozen=True, eq=False)
class Sheet:
    """What a checkpoint answers for materials that it never learned from, beside the truth."""

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
        self.curves: dict[str, Curve] = {}
        """Tags such as train/g_loss and val/albedo_psnr."""
        self.step = self.epoch = 0
        self.sheet: Sheet | None = None
        self.model: nn.Module | None = None
        """The network, whose tensors become those of every new checkpoint."""
        self.problem = ""
        """Why there is no sheet, in one line."""
        self._read_bytes = 0
        self._polled_at = self._judged_at = 0.0
        self._judge = ThreadPoolExecutor(1, "easel-held-out")
        self._judging: Future[Sheet] | None = None

    def poll(self) -> bool:
        """Read what is new, a few times a second; True where there is a new sheet."""
        now = time.perf_counter()
        if now - self._polled_at < POLL_SECONDS:
            return False
        self._polled_at = now
        self._read_log()
        if self._judging is None:
            saved = saved_at(self.folder)
            if saved > self._judged_at:
                self._judged_at = saved
                self._judging = self._judge.submit(held_out, newest(self.folder))
            return False
        if not self._judging.done():
            return False
        judging, self._judging = self._judging, None
        try:
            self.sheet, self.problem = judging.result(), ""
        except (FileError, OSError, ValueError, KeyError) as error:
            self.problem = str(error.args[0] if isinstance(error, KeyError) else error)
            return False
        model = self.sheet.trained.model
        if self.model is None:
            self.model = model
        else:
            self.model.load_state_dict(model.state_dict())
        return True

    @property
    def judging(self) -> bool:
        return self._judging is not None

    def close(self) -> None:
        self._judge.shutdown(cancel_futures=True)

    def _read_log(self) -> None:
        path = self.folder / METRICS
        try:
            size = path.stat().st_size
            if size < self._read_bytes:  # a run that was continued from an earlier step
                self._read_bytes, self.curves = 0, {}
            if size == self._read_bytes:
                return
            with path.open("rb") as file:
                file.seek(self._read_bytes)
                text = file.read(MOST_BYTES)
        except OSError:
            return
        whole = text[: text.rfind(b"\n") + 1]
        # A line longer than all that is read at a time is none of a run's
        self._read_bytes += len(whole) or (len(text) if len(text) == MOST_BYTES else 0)
        for line in whole.splitlines():
            self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            record = json.loads(line)
            step, epoch = record["step"], record["epoch"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return  # left unfinished by a killed process
        if type(step) is not int or type(epoch) is not int:
            return
        self.step, self.epoch = step, epoch
        for tag, value in record.items():
            if "/" in tag and isinstance(value, int | float):
                self.curves.setdefault(tag, Curve()).add(step, float(value))
            elif "/" in tag:
                self.curves.setdefault(tag, Curve()).add(step, math.nan)


def newest(folder: Path) -> Path:
    """What a run saved last. Another checkpoint may be replaced while it is read: that one is written first."""
    return next((path for name in (TEACHER.latest, STUDENT.latest) if (path := folder / name).is_dir()), folder)


def held_out(folder: Path) -> Sheet:
    """The sheet of a checkpoint; FileError, ValueError or KeyError for what cannot be read."""
    trained = load_generator(folder)
    dataset = held_out_materials(trained)
    rows, labels = [], []
    photos = trained.config.data.num_views
    for index in islice(range(len(dataset)), SHEET_SAMPLES):
        judged = judge(trained, dataset.sample(index), photos)
        sample = judged.sample
        seen = (sample.photos[:2] * sample.valid[:2]).permute(0, 2, 3, 1)
        sides = (("predicted", seen[0], judged.predicted), ("true", seen[-1], sample.maps))
        for name, photo, maps in sides:
            rows.append([square(photo, SHEET_SIDE), *map_pictures(maps, SHEET_SIDE), relit(maps, SHEET_SIDE)])
            labels.append(f"{sample.material[:18]}\n{name}")
    return Sheet(trained, labelled_sheet(rows, ["photo", *MAP_NAMES, "relit"], labels))


def held_out_materials(trained: Trained) -> PBRDataset:
    """What the run keeps for validation; ValueError where it keeps nothing or its data are elsewhere."""
    data = trained.config.data
    dataset = PBRDataset(
        data.input_dir,
        data.output_dir,
        data.metadata_path,
        image_size=data.image_size,
        output_size=data.output_size,
        curriculum_mode=data.render_curriculum,
        split="val",
        val_ratio=data.val_ratio,
        seed=trained.config.split_seed,
        num_views=data.num_views,
        rectify=data.rectify,
    )
    if not len(dataset):
        raise ValueError("this run keeps no material for validation: its data.val_ratio is 0.")
    return dataset
