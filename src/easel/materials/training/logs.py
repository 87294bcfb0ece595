"""Logs of a run: metrics.jsonl, which is the truth, and from the same records TensorBoard and W&B.

This file owns tensorboardX and wandb. Neither is needed, and neither can stop a run.
"""

import json
import logging
import math
import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from easel.graphics.files import write_whole
from easel.materials.config import TrainConfig

log = logging.getLogger("easel")

METRICS = "metrics.jsonl"


class Logs:
    """One object per line: step, time, epoch and scalars by tags such as train/g_loss and val/albedo_psnr."""

    def __init__(self, config: TrainConfig, step: int) -> None:
        """Continue the files in checkpoint_dir after `step` steps: what they say of later ones is cut off."""
        training = config.training
        self.folder = Path(training.checkpoint_dir)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.path = self.folder / METRICS
        # A resumed run takes those steps again: without the cut they would stand there twice.
        if self.path.exists():
            _cut_after(self.path, step)
        self._file = self.path.open("a", encoding="utf-8")
        self._writer = _Guarded("TensorBoard", lambda: _tensorboard(self.folder / "logs", step))
        if not training.use_tensorboard:
            self._writer.stop()
        self._wandb = _Guarded("Weights & Biases", lambda: _wandb(config, self.folder))
        if not training.use_wandb:
            self._wandb.stop()

    def scalars(self, step: int, epoch: int, values: Mapping[str, float]) -> None:
        """Append a line. JSON has no number that is not finite: such values are null, and `nonfinite` names them."""
        finite = {name: value if math.isfinite(value) else None for name, value in values.items()}
        record: dict[str, Any] = {"step": step, "time": time.time(), "epoch": epoch, **finite}
        if None in finite.values():
            record["nonfinite"] = [name for name, value in finite.items() if value is None]
        self._file.write(json.dumps(record, allow_nan=False) + "\n")
        # Line by line: a killed run keeps what it has told.
        self._file.flush()
        for name, value in values.items():
            self._writer.call("add_scalar", name, value, step)
        self._wandb.call("log", dict(values), step=step)

    def picture(self, step: int, tag: str, picture: Float[Tensor, "h w 3"]) -> None:
        """Send a picture to TensorBoard."""
        self._writer.call("add_image", tag, picture.detach().cpu().clamp(0, 1).numpy(), step, dataformats="HWC")

    def close(self) -> None:
        self._file.close()
        self._writer.call("close")
        self._wandb.call("finish")


class _Guarded:
    """An optional place to log to: whatever goes wrong there is one warning, and then it is left alone."""

    def __init__(self, name: str, start: Any) -> None:
        self.name = name
        self._start = start
        self._target = None
        self._stopped = False

    def stop(self) -> None:
        self._stopped = True

    def call(self, method: str, *arguments: Any, **options: Any) -> None:
        if self._stopped:
            return
        try:
            self._target = self._target or self._start()
            getattr(self._target, method)(*arguments, **options)
        except Exception as error:  # a run of days must not end because a logger did
            self.stop()
            log.warning("no longer writing to %s: %s", self.name, " ".join(str(error).split())[:200])


def _tensorboard(folder: Path, step: int) -> Any:
    try:
        writer = import_module("tensorboardX").SummaryWriter
    except ModuleNotFoundError:
        raise RuntimeError("tensorboardX is missing: pip install 'torch-easel[train]'") from None
    # TensorBoard then hides what an earlier attempt wrote of later steps.
    return writer(str(folder), purge_step=step or None)


def _wandb(config: TrainConfig, folder: Path) -> Any:
    try:
        wandb = import_module("wandb")
    except ModuleNotFoundError:
        raise RuntimeError("wandb is missing: pip install 'torch-easel[wandb]'") from None
    training = config.training
    return wandb.init(
        project=training.wandb_project, name=training.wandb_run_name, config=config.to_dict(), dir=str(folder)
    )


def _cut_after(path: Path, step: int) -> None:
    """Drop the lines of later steps, and a line that a killed process left unfinished."""
    kept = []
    # Undecodable bytes are those of a line that was cut, which is dropped as well.
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line + "\n")
        except (ValueError, KeyError, TypeError):
            continue
    with write_whole(path) as partial:
        partial.write_text("".join(kept), encoding="utf-8")
