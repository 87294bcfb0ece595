"""The run: from a config to a trained generator, one step at a time.

    for step in train(config):
        print(step.index, step.loss)

Every random draw is keyed by (seed, epoch, place, purpose), so that a run which is resumed at any step goes on with
the same bits as one that was never interrupted.
"""

import logging
import math
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import torch

from easel.checkpoint import finish_folders
from easel.graphics.files import FileError
from easel.materials.config import TrainConfig
from easel.materials.dataset.batches import Batches
from easel.materials.dataset.keys import key_seed
from easel.materials.distillation.teacher_source import open_lesson
from easel.materials.models.build import build_discriminator, build_model
from easel.materials.resolve import resolve
from easel.materials.training.engine import compiled, fit_to_memory, numerics, start_engine
from easel.materials.training.learner import Learner, Outcome
from easel.materials.training.logs import Logs
from easel.materials.training.progress import Progress
from easel.materials.training.run_files import (
    Run,
    find_run,
    is_lone,
    load_generator,
    names_of,
    read_run,
    restore,
    save_run,
    saved_runs,
)
from easel.materials.training.schedule import learning_rate
from easel.materials.training.step import Epoch, Knobs, Saved, Step
from easel.materials.training.validation import pictures, validate

log = logging.getLogger("easel")

MOST_FAULTS = 3
"""Steps in a row whose loss is not finite, before an earlier checkpoint is loaded."""
NOT_OF_THE_NETWORK = ("weights", "gradient_checkpointing")
"""Settings under `model` that leave the generator's tensors as they are."""


class DivergedError(RuntimeError):
    """The loss is not finite, again and again; the message is a report."""


def train(config: TrainConfig, knobs: Knobs | None = None) -> Iterator[Step]:
    """Train as the config says; writes checkpoints and logs into its checkpoint_dir.

    Asking is training: a caller that does not ask pauses the run, one that closes it stops it, and `knobs.stop` ends it
    with a checkpoint. `training.resume_from` continues a run. ValueError for a config that does not fit, the dataset's
    errors, FileError for files that do not fit, RuntimeError for a device that is absent or memory that is too small,
    DivergedError when the loss explodes.
    """
    config = resolve(config)
    return _Training(config, knobs or Knobs()).steps()


class _Training:
    """A run between its files and its networks."""

    def __init__(self, config: TrainConfig, knobs: Knobs) -> None:
        training = config.training
        self.knobs, self.folder = knobs, Path(training.checkpoint_dir)
        self.engine = start_engine(training.device, training.distributed)
        config = fit_to_memory(config, self.engine.device)
        self.lesson = open_lesson(config, self.engine) if config.is_student else None
        self.config = config = self.lesson.config if self.lesson else config
        if self.engine.rank == 0:
            finish_folders(self.folder)
        # torchrun starts all processes again when one is lost, with the same arguments: what they saved comes first
        restarted = int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")) > 0 and self._has_saved()
        resume = str(self.folder) if restarted else training.resume_from
        self.resumed = None if resume is None or is_lone(resume) else self._run_at(resume)
        place = {"rank": self.engine.rank, "world": self.engine.world, "strict": config.data.strict}
        answers = self.lesson and self.lesson.answers
        self.batches, self.held_out = (
            Batches(config, "train", **place, answers=answers),
            Batches(config, "val", **place),
        )
        if len(self.batches) == 0:
            raise ValueError(
                f"no sample is left for training: data.val_ratio {config.data.val_ratio} keeps them all for validation."
            )
        if self.lesson:
            self.lesson.check(self.batches.dataset.entries)
        self.learner, self.progress = self._start(self.resumed)

    def _run_at(self, path: str | os.PathLike[str]) -> Run:
        """The run to continue from, the same in every process."""
        found = None
        if self.engine.rank == 0:
            try:
                found = find_run(path)
            except FileError as error:
                found = error
        found = self.engine.from_first(found)
        if not isinstance(found, Path):
            raise found
        run = read_run(found)
        different = differences(self.config, run.config)
        if different:
            raise FileError(f"cannot continue from {str(path)!r}, which is of another network: {different}.")
        return run

    def _has_saved(self) -> bool:
        """Whether this run, or an earlier one in its folder, has saved anything."""
        return self.engine.from_first(bool(saved_runs(self.folder)))

    def _start(self, run: Run | None) -> tuple[Learner, Progress]:
        """Networks and counters as they were in `run`, or as they are before the first step."""
        config, engine = self.config, self.engine
        with torch.random.fork_rng([]):
            torch.manual_seed(key_seed(config.training.seed, "weights") >> 1)
            generator = build_model(config, pretrained=run is None)
            discriminator = build_discriminator(config) if config.model.use_gan else None
        learner = Learner(config, engine, generator, discriminator)
        if self.lesson:
            learner.objective = self.lesson.objective(learner)
        learner.forward = compiled(learner.generator, engine.device)
        if run is not None:
            restore(run, learner)
            return learner, run.progress
        resume = config.training.resume_from
        if resume is not None and is_lone(resume):
            log.warning(
                "%s has no folder of that name beside it: its weights are taken, and the run is a new one.", resume
            )
            learner.take_weights(load_generator(resume).model.state_dict())
        return learner, Progress(epoch=config.training.start_epoch)

    def steps(self) -> Iterator[Step]:
        first = self.engine.rank == 0
        if first:
            self.folder.mkdir(parents=True, exist_ok=True)
        self.engine.wait()
        if len(self.held_out) == 0:
            log.warning("no material is kept for validation: the best checkpoint is that of the lowest training loss.")
        logs = Logs(self.config, self.progress.step) if first else None
        try:
            while self._stopped_by(False) is None:
                for step in self._epoch(logs):
                    yield step
                    if step.stopped_by:
                        return
        finally:
            if logs is not None:
                logs.close()

    def _stopped_by(self, stop: bool) -> str | None:
        training, progress = self.config.training, self.progress
        if progress.epoch >= training.epochs:
            return "epochs"
        if training.steps is not None and progress.step >= training.steps:
            return "steps"
        return "stop" if stop else None

    def _epoch(self, logs: Logs | None) -> Iterator[Step]:
        """The rest of an epoch; it breaks off where an earlier checkpoint had to be loaded."""
        training, progress = self.config.training, self.progress
        number, per_epoch = progress.epoch + 1, math.ceil(len(self.batches) / training.accumulate)
        batches = self.batches.epoch(progress.epoch, progress.batch)
        rates = self._rates()
        while group := list(islice(batches, training.accumulate)):
            splits = self.learner.splits
            with numerics(training.deterministic, self.engine.device):
                outcome = self.learner.step(group, progress.batch, number, progress.step, rates)
            notes = []
            if outcome.splits > splits:
                notes.append(f"out of memory: batches are computed in {outcome.splits} parts from now on.")
            progress.count(len(group), outcome)
            position = math.ceil(progress.batch / training.accumulate)
            ended, saved = None, []
            if outcome.skipped:
                notes.append(f"step {progress.step} is skipped, its loss or gradient is not finite.")
            elif progress.step % training.log_every_n_steps == 0:
                self._log(logs, number, outcome, rates)
            stop = self.engine.any([self.knobs.stop])[0]
            if progress.faults >= MOST_FAULTS and not stop:
                notes.append(self._go_back(outcome))
            else:
                ended = self._end_epoch(logs, number) if progress.batch >= len(self.batches) else None
                saved = self._save(self._due(ended, self._stopped_by(stop)))
            yield Step(
                index=progress.step,
                epoch=number,
                position=position,
                steps_per_epoch=per_epoch,
                loss=outcome.loss,
                d_loss=outcome.d_loss,
                rate=rates[0],
                info=outcome.info,
                maps=outcome.maps,
                batch=outcome.batch,
                ended=ended,
                saved=tuple(saved),
                notes=tuple(notes),
                stopped_by=self._stopped_by(stop),
            )
            if progress is not self.progress:
                return

    def _rates(self) -> tuple[float, float]:
        """The learning rates of both networks in this epoch."""
        optimizer, progress, epochs = self.config.optimizer, self.progress, self.config.training.epochs
        share = 0.5**progress.reloads

        def rate(highest: float) -> float:
            return share * learning_rate(optimizer, highest, progress.epoch, epochs, progress.plateau.factor)

        return rate(optimizer.g_lr), rate(optimizer.d_lr)

    def _log(self, logs: Logs | None, number: int, outcome: Outcome, rates: tuple[float, float]) -> None:
        self.engine.average(list(outcome.info.values()))
        if logs is None:
            return
        values = {"train/g_loss": outcome.loss, "train/g_lr": rates[0]}
        if outcome.d_loss is not None:
            values |= {"train/d_loss": outcome.d_loss, "train/d_lr": rates[1]}
        values |= {f"train/{name}": value.item() for name, value in outcome.info.items()}
        logs.scalars(self.progress.step, number, values)

    # The end of an epoch

    def _end_epoch(self, logs: Logs | None, number: int) -> Epoch:
        training, progress = self.config.training, self.progress
        g_loss, d_loss = progress.means()
        ended = Epoch(number, g_loss, d_loss, {})
        last = number >= training.epochs
        if len(self.held_out) and (number % training.val_every_n_epochs == 0 or last):
            with numerics(training.deterministic, self.engine.device):
                figures, answer = validate(self.learner, self.held_out)
            ended = Epoch(number, g_loss, d_loss, figures)
            if logs is not None:
                logs.scalars(progress.step, number, {f"val/{name}": value for name, value in figures.items()})
                if answer is not None and (number % training.log_images_every_n_epochs == 0 or last):
                    for tag, picture in pictures(answer, self.config.transform.mean, self.config.transform.std):
                        logs.picture(progress.step, tag, picture)
        progress.end_epoch()
        return ended

    def _due(self, ended: Epoch | None, stopped_by: str | None) -> list[str]:
        """The names to save under now."""
        training, progress = self.config.training, self.progress
        called = names_of(self.config)
        names = [called.latest] if stopped_by else []
        if ended is None:
            return names
        if ended.number % training.save_every_n_epochs == 0:
            names = [called.latest]
            if not training.save_best_only:
                names.append(called.of_epoch(ended.number))
        judged = ended.validation.get("loss") if len(self.held_out) else ended.g_loss
        if judged is not None and math.isfinite(judged):
            progress.val_loss = judged
            progress.plateau.update(self.config.optimizer, judged)
            if progress.best is None or judged < progress.best:
                progress.best = judged
                names.append(called.best)
        return names

    def _save(self, names: list[str]) -> list[Saved]:
        """Write under these names, in the first process; what to tell of."""
        saved = []
        if names and self.engine.rank == 0:
            paths = save_run(self.folder, names, self.learner, self.progress)
            called = names_of(self.config)
            told = [name for name in names if name != called.latest or len(names) == 1 or names[1] == called.best]
            saved = [Saved(path, name == called.best) for name, path in zip(names, paths, strict=True) if name in told]
        self.engine.wait()
        return saved

    # Faults

    def _go_back(self, outcome: Outcome) -> str:
        """Load the newest checkpoint of this run, or start again, at half the rate; DivergedError the second time."""
        bad = [name for name, value in outcome.info.items() if not math.isfinite(value.item())]
        report = (
            f"the loss was not finite in {MOST_FAULTS} steps in a row, the last of them step {self.progress.step} of "
            f"epoch {self.progress.epoch + 1} with {', '.join(outcome.batch.ids)}"
            + (f"; not finite: {', '.join(bad)}" if bad else "; a gradient was not finite")
        )
        if self.progress.reloads:
            raise DivergedError(
                f"{report}. It happened again at half the rate. Lower --optimizer.g-lr or --training.grad-clip-norm, "
                "delay the discriminator, or look at these samples with `easel materials check`."
            )
        run = self._run_at(self.folder) if self._has_saved() else None
        self.learner, self.progress = self._start(run)
        self.progress.reloads, self.progress.faults = 1, 0
        return f"{report}. Going on from {run.folder.name if run else 'the start'} with half the rate."


def differences(config: TrainConfig, other: TrainConfig) -> str:
    """The settings of the network that differ, in a few words; empty when none does."""
    mine, theirs = config.model.to_dict(), other.model.to_dict()
    named = [
        f"model.{name} is {theirs[name]!r} there and {mine[name]!r} here"
        for name in mine
        if name not in NOT_OF_THE_NETWORK and mine[name] != theirs[name]
    ]
    return ", ".join(named)
