"""`easel materials train`: a dataset becomes a network that recovers maps from photos."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from easel.console import BadInput, complain, explained
from easel.materials.config import TrainConfig
from easel.materials.config_files import open_config

if TYPE_CHECKING:
    from easel.materials.training.step import Knobs, Step

ALIASES = {
    "--batch-size": "--data.batch-size",
    "--input-dir": "--data.input-dir",
    "--output-dir": "--data.output-dir",
    "--metadata-path": "--data.metadata-path",
    "--render-curriculum": "--data.render-curriculum",
    "--use-dirty": "--data.use-dirty-renders",
    "--strict": "--data.strict",
    "--device": "--training.device",
    "--epochs": "--training.epochs",
    "--steps": "--training.steps",
    "--checkpoint-dir": "--training.checkpoint-dir",
    "--distributed": "--training.distributed",
    "--weights": "--model.weights",
    "--training.batch-size": "--data.batch-size",
}
"""Short flags → the settings that they are."""
SQUARES = ("--data.image-size", "--data.output-size")
"""Settings of two numbers that one number sets to a square."""
TAKEN = ("--config", "--resume", "--data-root")
"""Flags that say where the config comes from."""
BAR_WIDTH = 10
INTERVAL_SECONDS = 5.0
"""Between plain lines, where standard error is no terminal."""


def train(config: TrainConfig) -> int:
    """Train a network that recovers maps from photos.

    --config NAME|FILE starts from a preset or from a config file (a .py file is run as it is: trusted
    files only). --resume FILE|FOLDER continues a run and needs nothing else. --data-root D stands for D/input and
    D/output. --batch-size, --input-dir, --output-dir, --metadata-path, --use-dirty, --render-curriculum, --strict,
    --device, --epochs, --steps, --checkpoint-dir, --distributed and --weights are short for the settings below.

    Several processes: torchrun --nproc_per_node=4 -m easel materials train … --distributed
    With --max-restarts 3 they survive the loss of one, if TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 is set for torchrun.

    It ends with 0, with 1 where it cannot go on, and after SIGTERM or SIGINT with 143 or 130 and a checkpoint.
    """
    # Both are read when CUDA starts
    os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")
    if config.training.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    from easel.materials.distillation.teacher_source import train as run
    from easel.materials.training.engine import DeviceError
    from easel.materials.training.learner import OutOfMemoryError
    from easel.materials.training.step import Knobs
    from easel.materials.training.train import DivergedError

    knobs = Knobs()
    stopped_by = None
    # One voice: all processes would print the same lines.
    speaks = not config.training.distributed or os.environ.get("RANK", "0") == "0"
    # From before the run is built: a signal during the first epoch's reading ends it properly, too.
    with stopping(knobs) as received:
        with explained(errors=(ValueError, FileNotFoundError, DeviceError, KeyError)):
            steps = run(config, knobs)
        bar = EpochBar()
        try:
            for step in steps:
                stopped_by = step.stopped_by
                if speaks:
                    report(step, bar)
        except (OutOfMemoryError, DivergedError) as error:
            complain(str(error))
            return 1
    if speaks:
        print(f"wrote {config.training.checkpoint_dir}")
    return 128 + received[0] if received and stopped_by == "stop" else 0


@contextmanager
def stopping(knobs: "Knobs") -> Iterator[list[int]]:
    """Let SIGTERM and SIGINT end the run after its step, and a second one at once; yields those that came."""
    received: list[int] = []

    def stop(number: int, _frame: object) -> None:
        # The second signal: whoever sends it does not want to wait for the step.
        if received:
            os._exit(128 + number)
        received.append(number)
        knobs.stop = True
        complain("stopping after this step, with a checkpoint; once more stops at once.")

    # Python lets the main thread alone set signal handlers.
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    # Whatever handled them before does so again after the run.
    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class EpochBar:
    """Epoch 10:  40%|████      | 400/1000 [05:02<07:33, 1.32it/s, G_loss=0.123, D_loss=0.568]"""

    def __init__(self) -> None:
        self.alive = sys.stderr.isatty()
        self._epoch = self._first = 0
        self._started_at = self._said_at = time.monotonic()

    def update(self, epoch: int, position: int, steps: int, losses: dict[str, float]) -> None:
        """Show that `position` of `steps` of this epoch are done."""
        # Monotonic: a clock that is set meanwhile must not make steps negative.
        now = time.monotonic()
        if epoch != self._epoch:
            # A resumed epoch begins in the middle: its pace is that of the steps since then
            self._epoch = epoch
            self._started_at = now
            self._first = position - 1
        if self.alive or now - self._said_at >= INTERVAL_SECONDS:
            self._said_at = now
            line = _line(epoch, position, steps, now - self._started_at, position - self._first, losses)
            end = "\n" if position == steps or not self.alive else ""
            print("\r" + line if self.alive else line, end=end, file=sys.stderr, flush=True)


def _line(epoch: int, position: int, steps: int, seconds: float, done: int, losses: dict[str, float]) -> str:
    filled = BAR_WIDTH * position // steps
    pace = done / seconds if seconds > 0 else 0.0
    left = _clock((steps - position) / pace) if pace else "?"
    speed = f"{pace:.2f}it/s" if pace >= 1 or not pace else f"{1 / pace:.2f}s/it"
    shown = "".join(f", {name}={value:.3f}" for name, value in losses.items())
    bar = "█" * filled + " " * (BAR_WIDTH - filled)
    return (
        f"Epoch {epoch}: {position / steps:4.0%}|{bar}| {position}/{steps} [{_clock(seconds)}<{left}, {speed}{shown}]"
    )


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes:02d}:{seconds:02d}"


def report(step: "Step", bar: EpochBar) -> None:
    """Print what a step brought: the bar, the summary of an epoch that ended, and the checkpoints written."""
    losses = {"G_loss": step.loss}
    # Only a run with a discriminator has a second loss.
    if step.d_loss is not None:
        losses["D_loss"] = step.d_loss
    bar.update(step.epoch, step.position, step.steps_per_epoch, losses)
    for note in step.notes:
        complain(note)
    if (ended := step.ended) is not None:
        print(f"Epoch {ended.number} Summary:\n  Generator Loss: {ended.g_loss:.3f}")
        if ended.d_loss is not None:
            print(f"  Discriminator Loss: {ended.d_loss:.3f}")
        if "loss" in ended.validation:
            print(f"[Validation] Epoch {ended.number} - Loss: {ended.validation['loss']:.3f}")
    for saved in step.saved:
        print(f"Saved {'best model' if saved.best else 'checkpoint'}: {saved.path}")
    # Into a pipe Python buffers whole blocks: logs would lag by epochs.
    sys.stdout.flush()


# The arguments, before tyro sees them


def prepare_train(arguments: Sequence[str]) -> tuple[list[str], TrainConfig]:
    """Return (arguments that name settings in full, the config that they change)."""
    return prepared(arguments, ALIASES, "default")


def prepared(arguments: Sequence[str], aliases: Mapping[str, str], preset: str) -> tuple[list[str], TrainConfig]:
    """Prepare arguments as `prepare_train` does, with other short flags, and another preset where none is named."""
    left, taken = _take(arguments)
    written_out = _written_out(left, aliases)
    # Help shows the defaults of the default preset, whatever else is named.
    if {"-h", "--help"} & set(written_out):
        return written_out, TrainConfig()
    if "--resume" in taken:
        config = _resumed(taken["--resume"], taken.get("--config"), "--loss.extra" in written_out)
    else:
        config = _opened(taken.get("--config", preset))
    if "--data-root" in taken:
        root = Path(taken["--data-root"])
        config.data.input_dir, config.data.output_dir = str(root / "input"), str(root / "output")
    # The old metadata file names samples of the old folder.
    if "--data-root" in taken or "--data.input-dir" in written_out:
        config.data.metadata_path = None
    return written_out, config


def _take(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return (the other arguments, the values of TAKEN flags); the last of several counts."""
    left, taken = [], {}
    waiting = iter(arguments)
    for argument in waiting:
        name, equals, value = argument.partition("=")
        name = name.replace("_", "-")
        if name not in TAKEN:
            left.append(argument)
            continue
        if not equals:
            value = next(waiting, "")
        # A flag that follows at once means that the value was forgotten.
        if not value or value.startswith("--"):
            raise BadInput(f"{name} needs a value.")
        taken[name] = value
    return left, taken


def _written_out(arguments: Sequence[str], aliases: Mapping[str, str]) -> list[str]:
    """Write short flags out in full, and squares with both of their sides."""
    found: list[str] = []
    for place, argument in enumerate(arguments):
        if not argument.startswith("--"):
            found.append(argument)
            if found[-2:-1] and found[-2] in SQUARES and not _is_number(arguments[place + 1 : place + 2]):
                found.append(argument)
            continue
        name, equals, value = argument.partition("=")
        name = aliases.get(dashed := name.replace("_", "-"), dashed)
        # tyro's own message would list all hundred settings.
        if "." not in name and name != "--help":
            settings = [f"--{part}.{field}" for part, fields in TrainConfig().to_dict().items() for field in fields]
            near = get_close_matches(name, [*aliases, *TAKEN, *(one.replace("_", "-") for one in settings)], 1, 0.5)
            # Without quotes: a flag is copied as it stands.
            hint = "".join(f" Did you mean {flag}?" for flag in near)
            raise BadInput(f"unknown flag {name}.{hint} --help lists all.")
        # tyro wants two numbers; one is a square.
        if name in SQUARES and equals:
            found += [name, value, value]
        else:
            found.append(name + equals + value)
    if any(argument.startswith("--data.render-curriculum") for argument in found):
        # The old spelling of curriculum 2 gives way
        found = [argument for argument in found if argument != "--data.use-dirty-renders"]
    return found


def _is_number(arguments: Sequence[str]) -> bool:
    return bool(arguments) and arguments[0].isdecimal()


def _opened(name: str) -> TrainConfig:
    with explained():
        return open_config(name)


def _resumed(path: str, config_name: str | None, says_extra: bool) -> TrainConfig:
    """Open the config of the run at `path`, or the one that was named, told where to continue."""
    from easel.materials.models.network_files import saved_config

    found = saved_config(path)
    # A file from elsewhere must not choose which code is imported.
    if found.loss.extra and not says_extra:
        raise BadInput(
            f"{path} names loss functions of its own ({', '.join(found.loss.extra)}), which would run code: "
            "if you trust them, name them again with --loss.extra."
        )
    config = found if config_name is None else _opened(config_name)
    config.training.resume_from = path
    # Where the run lies now, and without a limit that has done its work
    folder = Path(path)
    # One checkpoint of a run was named, not the folder that holds them all.
    if not folder.is_dir() or (folder / "manifest.json").exists():
        folder = folder.parent
    config.training.checkpoint_dir = str(folder)
    config.training.steps = None
    return config
