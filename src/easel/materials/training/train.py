"""A training run: from a config to a trained generator, one step at a time.

    for step in train(config):
        print(step.index, step.loss)

Every random draw is keyed by (seed, epoch, place, purpose), so that a run which is resumed at any step goes on with
the same bits as one that was never interrupted.
"""

import logging
import math
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Protocol

import torch

from easel.checkpoint import finish_folders
from easel.graphics.files import FileError
from easel.materials.config import TrainConfig
from easel.materials.dataset.batches import Answers, Batches
from easel.materials.dataset.keys import key_seed
from easel.materials.dataset.listing import ListedSample
from easel.materials.models.build import build_discriminator, build_model
from easel.materials.models.network_files import differences, find_run, is_lone, load_generator, names_of, saved_runs
from easel.materials.resolve import resolve
from easel.materials.training.engine import Engine, compiled, fit_to_memory, numerics, start_engine
from easel.materials.training.learner import Trainer
from easel.materials.training.logs import Logs
from easel.materials.training.networks import Networks, Objective
from easel.materials.training.progress import RunProgress
from easel.materials.training.run_files import Run, read_run, restore, save_run
from easel.materials.training.schedule import learning_rate
from easel.materials.training.step import Epoch, Knobs, Outcome, SavedCheckpoint, Step
from easel.materials.training.validation import pictures, validate

log = logging.getLogger("easel")

MOST_FAULTS = 3
"""Steps in a row whose loss is not finite, before an earlier checkpoint is loaded."""


class DivergedError(RuntimeError):
    """The loss is not finite, again and again; the message is a report."""


class Teacher(Protocol):
    """Source of a student's lessons beside the truth, such as `distillation.teacher_source.TeacherSource`."""

    config: TrainConfig
    """The student's, with the validation split of its teacher."""

    @property
    def answers(self) -> Answers | None:
        """Stored answers by the name of a sample; None where the teacher itself is asked at every step."""
        ...

    def check(self, entries: Sequence[ListedSample]) -> None:
        """Raise ValueError where the answers are not those to these samples."""
        ...

    def objective(self, networks: Networks) -> Objective:
        """Return the loss that the generator of `networks` is trained with."""
        ...


OpenTeacher = Callable[[TrainConfig, Engine], Teacher]


def train(config: TrainConfig, knobs: Knobs | None = None, teacher: OpenTeacher | None = None) -> Iterator[Step]:
    """Train as the config says; write checkpoints and logs into its checkpoint_dir.

    Asking is training: a caller that does not ask pauses the run, one that closes it stops it, and `knobs.stop` ends it
    with a checkpoint. `training.resume_from` continues a run. A student's config needs a `teacher`, which
    `easel.materials.train` opens. ValueError for a config that does not fit, the dataset's errors, FileError for files
    that do not fit, RuntimeError for a device that is absent or memory that is too small, DivergedError when the loss
    explodes.
    """
    config = resolve(config)
    if config.is_student and teacher is None:
        raise ValueError("this config names a teacher: `easel.materials.train` opens it, this function is given one.")
    return _Training(config, knobs or Knobs(), teacher).steps()


class _Training:
    """Networks, data and files of one run."""

    def __init__(self, config: TrainConfig, knobs: Knobs, teacher: OpenTeacher | None) -> None:
        training = config.training
        self.knobs = knobs
        self.folder = Path(training.checkpoint_dir)
        self.engine = start_engine(training.device, training.distributed)
        config = fit_to_memory(config, self.engine.device)
        self.teacher = None
        if teacher is not None:
            self.teacher = teacher(config, self.engine)
            config = self.teacher.config
        self.config = config
        # A process killed between two renames leaves folders that only their writer may repair.
        if self.engine.rank == 0:
            finish_folders(self.folder)
        # torchrun starts all processes again when one is lost, with the same arguments: what they saved comes first.
        restarted = int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")) > 0 and self._has_saved()
        resume = str(self.folder) if restarted else training.resume_from
        self.resumed = None if resume is None or is_lone(resume) else self._run_at(resume)
        place = {"rank": self.engine.rank, "world": self.engine.world, "strict": config.data.strict}
        self.batches = Batches(config, "train", **place, answers=None if self.teacher is None else self.teacher.answers)
        self.held_out = Batches(config, "val", **place)
        if len(self.batches) == 0:
            raise ValueError(
                f"no sample is left for training: data.val_ratio {config.data.val_ratio} keeps them all for validation."
            )
        if self.teacher is not None:
            self.teacher.check(self.batches.dataset.entries)
        self.learner, self.progress = self._start(self.resumed)

    def _run_at(self, path: str | os.PathLike[str]) -> Run:
        """Read the run to continue from, the same in every process."""
        found = None
        if self.engine.rank == 0:
            try:
                found = find_run(path)
            except FileError as error:
                found = error
        # Errors travel, too: a process that raised alone would leave the others waiting.
        found = self.engine.from_first(found)
        if not isinstance(found, Path):
            raise found
        run = read_run(found)
        different = differences(self.config, run.config)
        if different:
            raise FileError(f"cannot continue from {str(path)!r}, which is of another network: {different}.")
        return run

    def _has_saved(self) -> bool:
        """True if this run, or an earlier one in its folder, has saved anything."""
        return self.engine.from_first(bool(saved_runs(self.folder)))

    def _start(self, run: Run | None) -> tuple[Trainer, RunProgress]:
        """Return networks and counters as `run` has them, or as they are before the first step."""
        config = self.config
        engine = self.engine
        # The weights are drawn from a stream of their own, so that the program's random numbers are untouched.
        with torch.random.fork_rng([]):
            torch.manual_seed(key_seed(config.training.seed, "weights") >> 1)
            generator = build_model(config, pretrained=run is None)
            discriminator = build_discriminator(config) if config.model.use_gan else None
        learner = Trainer(config, engine, generator, discriminator)
        if self.teacher is not None:
            learner.objective = self.teacher.objective(learner)
        # Only the call is compiled: state_dict would get another prefix for every name.
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
        return learner, RunProgress(epoch=config.training.start_epoch)

    def steps(self) -> Iterator[Step]:
        """Yield every step until the run ends."""
        first = self.engine.rank == 0
        if first:
            self.folder.mkdir(parents=True, exist_ok=True)
        self.engine.wait()
        if len(self.held_out) == 0:
            log.warning("no material is kept for validation: the best checkpoint is that of the lowest training loss.")
        logs = None
        if first:
            # One writer: several processes would interleave their lines.
            logs = Logs(self.config, self.progress.step)
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
        training = self.config.training
        progress = self.progress
        if progress.epoch >= training.epochs:
            return "epochs"
        if training.steps is not None and progress.step >= training.steps:
            return "steps"
        if stop:
            return "stop"
        return None

    def _epoch(self, logs: Logs | None) -> Iterator[Step]:
        """Yield the rest of an epoch's steps, up to the point where an earlier checkpoint had to be loaded."""
        training = self.config.training
        progress = self.progress
        number = progress.epoch + 1
        per_epoch = math.ceil(len(self.batches) / training.accumulate)
        batches = self.batches.epoch(progress.epoch, progress.batch)
        rates = self._rates()
        while group := list(islice(batches, training.accumulate)):
            # Compared after the step, to tell of a change once.
            splits = self.learner.splits
            with numerics(training.deterministic, self.engine.device):
                outcome = self.learner.step(group, progress.batch, number, progress.step, rates)
            notes = []
            if outcome.splits > splits:
                notes.append(f"out of memory: batches are computed in {outcome.splits} parts from now on.")
            progress.count(len(group), outcome)
            position = math.ceil(progress.batch / training.accumulate)
            ended: Epoch | None = None
            saved: list[SavedCheckpoint] = []
            if outcome.skipped:
                notes.append(f"step {progress.step} is skipped, its loss or gradient is not finite.")
            elif progress.step % training.log_every_n_steps == 0:
                self._log(logs, number, outcome, rates)
            # One process may have been told to stop: all of them have to end with the same step.
            stop = self.engine.any([self.knobs.stop])[0]
            if progress.faults >= MOST_FAULTS and not stop:
                notes.append(self._go_back(outcome))
            else:
                if progress.batch >= len(self.batches):
                    ended = self._end_epoch(logs, number)
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
            # `_go_back` has replaced it: the rest of this epoch belongs to a run that no longer exists.
            if progress is not self.progress:
                return

    def _rates(self) -> tuple[float, float]:
        """Return the learning rates of generator and discriminator in this epoch."""
        optimizer = self.config.optimizer
        progress = self.progress
        epochs = self.config.training.epochs
        # A run that diverged goes on at half the rate.
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

    def _end_epoch(self, logs: Logs | None, number: int) -> Epoch:
        """Validate where that is due, and reset the counters of the epoch."""
        training = self.config.training
        progress = self.progress
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
        """Return the names that a checkpoint is to be saved under now; none when none is due."""
        training = self.config.training
        progress = self.progress
        called = names_of(self.config)
        # `latest` is the first name: it is written, others are links to it.
        names = [called.latest] if stopped_by else []
        if ended is None:
            return names
        if ended.number % training.save_every_n_epochs == 0:
            names = [called.latest]
            if not training.save_best_only:
                names.append(called.of_epoch(ended.number))
        judged = ended.validation.get("loss") if len(self.held_out) else ended.g_loss
        # NaN compares as False with everything: it must never become the best.
        if judged is not None and math.isfinite(judged):
            progress.val_loss = judged
            progress.plateau.update(self.config.optimizer, judged)
            if progress.best is None or judged < progress.best:
                progress.best = judged
                names.append(called.best)
        return names

    def _save(self, names: list[str]) -> list[SavedCheckpoint]:
        """Write under these names, in the first process; return those worth a line to the user."""
        saved = []
        if names and self.engine.rank == 0:
            paths = save_run(self.folder, names, self.learner, self.progress)
            called = names_of(self.config)
            told = [name for name in names if name != called.latest or len(names) == 1 or names[1] == called.best]
            saved = [
                SavedCheckpoint(path, name == called.best)
                for name, path in zip(names, paths, strict=True)
                if name in told
            ]
        self.engine.wait()
        return saved

    def _go_back(self, outcome: Outcome) -> str:
        """Load the newest checkpoint of this run, or start again, at half the rate; DivergedError the second time."""
        bad = [name for name, value in outcome.info.items() if not math.isfinite(value.item())]
        cause = f"not finite: {', '.join(bad)}" if bad else "a gradient was not finite"
        report = (
            f"the loss was not finite in {MOST_FAULTS} steps in a row, the last of them step {self.progress.step} of "
            f"epoch {self.progress.epoch + 1} with {', '.join(outcome.batch.ids)}; {cause}"
        )
        if self.progress.reloads:
            raise DivergedError(
                f"{report}. It happened again at half the rate. Lower --optimizer.g-lr or --training.grad-clip-norm, "
                "delay the discriminator, or look at these samples with `easel materials check`."
            )
        run = self._run_at(self.folder) if self._has_saved() else None
        self.learner, self.progress = self._start(run)
        # Progress was loaded as well, and with it the counters of before the fault.
        self.progress.reloads = 1
        self.progress.faults = 0
        start = run.folder.name if run else "the start"
        return f"{report}. Going on from {start} with half the rate."
