"""LiveTraining: a training inside the workstation: a few steps at a time in a thread, and it can pause."""

import time
from collections.abc import Iterator
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
from easel.workstation.background import Background

SLICE_SECONDS = 0.25
"""Training between two looks at what a person wants."""


@dataclass(frozen=True)
class TrainingOptions:
    """The choices of a person who trains on a dataset."""

    preset: Literal["tiny", "laptop"] = "tiny"
    """tiny learns from 64 pixels in minutes, laptop from 128 in hours."""
    epochs: Annotated[int, Range(1, 500)] = 40
    """Passes over all materials."""
    seed: Annotated[int, Range(0, 1000)] = 42
    """All randomness comes from it."""


class LiveTraining:
    """Runs `train` in a thread of its own; a `LiveRun` reads the files that it writes."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.paused = False
        self.finished = False
        self.problem = ""
        """The error that ended it, in one line; empty while all is well."""
        self.step: Step | None = None
        self._knobs = Knobs()
        self._run: Iterator[Step] | None = None
        self._trainer = Background[Step | None]("training")

    @property
    def folder(self) -> Path:
        return Path(self.config.training.checkpoint_dir)

    @property
    def progress(self) -> float:
        """Share of the epochs that is done, in [0, 1]."""
        if self.step is None:
            return float(self.finished)
        done = self.step.epoch - 1 + self.step.position / self.step.steps_per_epoch
        return min(done / self.config.training.epochs, 1.0)

    @property
    def summary(self) -> str:
        """State of the training in a few words."""
        if self.finished:
            return "stopped" if self.progress < 1 else "done"
        if self.step is None:
            return "starting ..."
        return f"epoch {self.step.epoch}, step {self.step.index:,}" + ", paused" * self.paused

    def advance(self) -> None:
        """Take the steps of the last slice, and begin the next unless the training is paused."""
        if self._trainer.busy:
            if not self._trainer.done:
                return
            try:
                step = self._trainer.result()
            except (FileError, OSError, ValueError, KeyError, RuntimeError) as error:
                self.finished = True
                self.problem = str(error.args[0] if isinstance(error, KeyError) else error)
                return
            # An empty slice is the end of the run; its last step is known already.
            self.step = step or self.step
            self.finished = step is None or step.stopped_by is not None
        if not self.finished and not self.paused:
            self._trainer.start(self._train_slice)

    def stop(self) -> None:
        """End the run after its step, with a checkpoint to continue from."""
        self._knobs.stop = True
        self.paused = False

    def close(self) -> None:
        """Stop, and wait for the step that is under way and for the checkpoint that ends the run."""
        if not self.finished:
            self.stop()
            self._trainer.wait()
            # A paused run has no slice under way: one more lets it see the wish to stop, and save.
            if self._run is not None:
                self._trainer.start(self._train_slice)
                self._trainer.wait()
        self._trainer.close()

    def _train_slice(self) -> Step | None:
        """Take, in the thread, as many steps as fit into a slice, at least one; returns the last of them."""
        # Here, in the thread: building networks and reading the dataset takes seconds.
        if self._run is None:
            self._run = train(self.config, self._knobs)
        until = time.perf_counter() + SLICE_SECONDS
        last = None
        for last in self._run:
            if last.stopped_by or time.perf_counter() >= until:
                break
        return last


def new_run(data: Path, folder: Path, options: TrainingOptions) -> TrainConfig:
    """Return the config of a run on `data`, with input/ and output/, that writes its files into `folder`."""
    config = PRESETS[options.preset]()
    config.data.input_dir, config.data.output_dir = str(data / "input"), str(data / "output")
    config.training.epochs = options.epochs
    config.training.seed = options.seed
    # A preset's warmup may be longer than a short run: its learning rate would never reach the top.
    config.optimizer.scheduler_warmup_epochs = min(config.optimizer.scheduler_warmup_epochs, options.epochs)
    return _watchable(config, folder)


def continued(folder: Path, epochs: int) -> TrainConfig:
    """Return the config that trains a saved run for so many more epochs; FileError or ValueError if it cannot go on."""
    config = saved_config(folder)
    # A run's folder may come from anybody.
    if config.loss.extra:
        raise ValueError(
            f"{folder.name} names loss functions of its own, which would run code: continue it with "
            "`easel materials train --resume` if you trust them."
        )
    config.training.resume_from = str(folder)
    config.training.steps = None
    config.training.epochs += epochs
    return _watchable(config, folder)


def _watchable(config: TrainConfig, folder: Path) -> TrainConfig:
    """Have the run saved and logged so often that a person can watch it."""
    training = config.training
    training.checkpoint_dir = str(folder)
    training.val_every_n_epochs = training.save_every_n_epochs = training.log_every_n_steps = 1
    # A checkpoint of every epoch would fill the disk; best and latest are what is watched.
    training.save_best_only = True
    training.save_pth = training.use_tensorboard = False
    return config
