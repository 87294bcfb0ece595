"""A training that goes on inside the workstation: a few steps at a time, beside the loop, and it can pause."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from easel.graphics.checked_record import Range
from easel.graphics.files import FileError
from easel.materials.config import TrainConfig
from easel.materials.distillation.teacher_source import train
from easel.materials.models.network_files import saved_config
from easel.materials.presets import PRESETS
from easel.materials.training.step import Knobs, Step

SLICE_SECONDS = 0.25
"""Of training between two looks at what a person wants."""


@dataclass(frozen=True)
class Recipe:
    """What is trained here."""

    preset: Literal["tiny", "laptop"] = "tiny"
    """tiny learns from 64 pixels in minutes, laptop from 128 in hours."""
    epochs: Annotated[int, Range(1, 500)] = 40
    """How often every material is seen."""
    seed: Annotated[int, Range(0, 1000)] = 42
    """All randomness comes from it."""


class LiveTraining:
    """Turns a run of `train` in a thread of its own; the files that it writes are for a `LiveRun` to read."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.paused = False
        self.finished = False
        self.problem = ""
        """What ended it, in one line; empty while all is well."""
        self.step: Step | None = None
        self._knobs = Knobs()
        self._run: Iterator[Step] | None = None
        self._trainer = ThreadPoolExecutor(1, "easel-training")
        self._slice: Future[Step | None] | None = None

    @property
    def folder(self) -> Path:
        return Path(self.config.training.checkpoint_dir)

    @property
    def progress(self) -> float:
        """In [0, 1]."""
        if self.step is None:
            return float(self.finished)
        done = self.step.epoch - 1 + self.step.position / self.step.steps_per_epoch
        return min(done / self.config.training.epochs, 1.0)

    @property
    def summary(self) -> str:
        if self.finished:
            return "stopped" if self.progress < 1 else "done"
        if self.step is None:
            return "starting ..."
        return f"epoch {self.step.epoch}, step {self.step.index:,}" + (", paused" if self.paused else "")

    def advance(self) -> None:
        """Take what was trained since, and let it go on unless it is paused."""
        if self._slice is not None:
            if not self._slice.done():
                return
            done, self._slice = self._slice, None
            try:
                step = done.result()
            except (FileError, OSError, ValueError, KeyError, RuntimeError) as error:
                self.finished, self.problem = True, str(error.args[0] if isinstance(error, KeyError) else error)
                return
            self.step = step or self.step
            self.finished = step is None or step.stopped_by is not None
        if not self.finished and not self.paused:
            self._slice = self._trainer.submit(self._turn)

    def stop(self) -> None:
        """End the run after its step, with a checkpoint to continue from."""
        self._knobs.stop, self.paused = True, False

    def close(self) -> None:
        """Wait for the step that is under way, and for the checkpoint that ends the run."""
        if not self.finished:
            self.stop()
            if self._run is not None:
                self._trainer.submit(self._turn)
        self._trainer.shutdown()

    def _turn(self) -> Step | None:
        """In the trainer: as many steps as fit into a slice, at least one; the last of them."""
        if self._run is None:
            self._run = train(self.config, self._knobs)
        until, last = time.perf_counter() + SLICE_SECONDS, None
        for last in self._run:
            if last.stopped_by or time.perf_counter() >= until:
                break
        return last


def new_run(data: Path, folder: Path, recipe: Recipe) -> TrainConfig:
    """The config of a run on `data`, with input/ and output/, whose files come into `folder`."""
    config = PRESETS[recipe.preset]()
    config.data.input_dir, config.data.output_dir = str(data / "input"), str(data / "output")
    training = config.training
    training.epochs, training.seed = recipe.epochs, recipe.seed
    config.optimizer.scheduler_warmup_epochs = min(config.optimizer.scheduler_warmup_epochs, recipe.epochs)
    return _told_often(config, folder)


def continued(folder: Path, epochs: int) -> TrainConfig:
    """The config that trains a saved run for so many epochs more; FileError or ValueError where it cannot go on."""
    config = saved_config(folder)
    if config.loss.extra:
        raise ValueError(
            f"{folder.name} names loss functions of its own, which would run code: continue it with "
            "`easel materials train --resume` if you trust them."
        )
    config.training.resume_from, config.training.steps = str(folder), None
    config.training.epochs += epochs
    return _told_often(config, folder)


def _told_often(config: TrainConfig, folder: Path) -> TrainConfig:
    """The same, saved and logged so often that a person can watch."""
    training = config.training
    training.checkpoint_dir = str(folder)
    training.val_every_n_epochs = training.save_every_n_epochs = training.log_every_n_steps = 1
    training.save_best_only, training.save_pth, training.use_tensorboard = True, False, False
    return config
