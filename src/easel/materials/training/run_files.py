"""Folders to continue a run from. Nothing in them is a pickle that runs code.

Under the checkpoint folder `latest`, `best_model` and `checkpoint_epoch_0010` are folders that appear whole and prove
their content; beside each lies a thin `.pth` of the same name, for `torch.load`. Equal files are linked, not copied.
"""

import io
import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from easel import checkpoint
from easel.graphics.files import FileError, write_whole
from easel.materials.config import TrainConfig
from easel.materials.models.network_files import CONFIG, apart, find_run, names_of, portable, read_config, read_record
from easel.materials.training.networks import Networks
from easel.materials.training.progress import RunProgress

PREVIOUS = "previous"
"""Name of the `latest` before the newest one."""
STATE = "state.json"


@dataclass(frozen=True)
class Run:
    """A saved run: its folder, its config, and how far it has come."""

    folder: Path
    config: TrainConfig
    progress: RunProgress


def save_run(folder: Path, names: Sequence[str], networks: Networks, progress: RunProgress) -> list[Path]:
    """Save a run under every name: the first is written, the others link to it. Returns the path of each, to report."""
    # By `time` the newest whole folder is found and continued.
    facts = {"kind": "materials run", "step": progress.step, "epoch": progress.epoch, "time": time.time()}
    first = folder / names[0]
    called = names_of(networks.config)
    previous = None
    if names[0] == called.latest:
        # The run before the last survives a fault that the last one has saved already.
        previous = folder / PREVIOUS
    with checkpoint.whole_folder(first, facts, previous=previous) as partial:
        for name, tensors in networks.tensors().items():
            checkpoint.write(partial / f"{name}.safetensors", apart(tensors), {})
        _write_json(partial / STATE, {**progress.to_json(), "learner": networks.state()})
        _write_json(partial / CONFIG, portable(networks.config, folder, shared=False))
    # Links share their bytes: `best_model` of the same step costs no disk space.
    for name in names[1:]:
        with checkpoint.whole_folder(folder / name, facts) as partial:
            for path in first.iterdir():
                if path.name != checkpoint.MANIFEST:
                    _link(path, partial / path.name)
    if not networks.config.training.save_pth:
        return [folder / name for name in names]
    # The average where there is one: this file is handed on, not trained on.
    weights = {name: value.cpu() for name, value in networks.weights().items()}
    thin = {
        called.weights: weights,
        "sha256": checkpoint.digest(weights),
        "config": portable(networks.config, folder),
        "epoch": progress.epoch,
        "global_step": progress.step,
        "val_loss": progress.val_loss,
        "best_val_loss": progress.best,
    }
    paths = [folder / f"{name}.pth" for name in names]
    buffer = io.BytesIO()
    # Into memory first: on a full disk torch.save itself raises a RuntimeError that gives no reason.
    torch.save(thin, buffer)
    with write_whole(paths[0]) as partial:
        partial.write_bytes(buffer.getbuffer())
    # A link cannot replace a file: the empty sibling goes first.
    for path in paths[1:]:
        with write_whole(path) as partial:
            partial.unlink()
            _link(paths[0], partial)
    return paths


def _write_json(path: Path, record: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(record, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # some file systems have no links
        shutil.copyfile(source, target)


def read_run(path: str | os.PathLike[str]) -> Run:
    """Read a run's config and progress; FileError of one line for whatever is wrong with it."""
    folder = find_run(path)
    config = read_config(folder)
    try:
        return Run(folder, config, RunProgress.from_json(read_record(folder / STATE)))
    except ValueError as error:
        raise FileError(f"cannot continue from {str(folder)!r}: {error}.") from None


def restore(run: Run, networks: Networks) -> None:
    """Restore everything that a step changes; FileError, before anything changes, where the files do not fit."""
    # All files are read before the first tensor is copied: a damaged one changes nothing.
    tensors = {name: checkpoint.read(run.folder / f"{name}.safetensors")[0] for name in networks.tensors()}
    try:
        networks.load(tensors, read_record(run.folder / STATE).get("learner"))
    except ValueError as error:
        raise FileError(f"cannot continue from {str(run.folder)!r}: {error}.") from None
