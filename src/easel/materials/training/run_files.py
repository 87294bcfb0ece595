"""The files of a run: folders to continue it from, and weights to hand on. Nothing in them is a pickle that runs code.

Under the checkpoint folder `latest`, `best_model` and `checkpoint_epoch_0010` are folders that appear whole and prove
their content; beside each lies a thin `.pth` of the same name, for `torch.load`. Equal files are linked, not copied.
"""

import io
import json
import logging
import os
import shutil
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from easel import checkpoint
from easel.graphics.files import FileError, open_file, write_whole
from easel.materials.config import TrainConfig
from easel.materials.models.build import build_model
from easel.materials.training.networks import Networks, misfit
from easel.materials.training.progress import Progress

log = logging.getLogger("easel")

PREVIOUS = "previous"
MOST_LAYERS = 256
"""Of one kind, in a network that a file describes: more would take for ever to build."""
CONFIG, STATE = "config.json", "state.json"
PREDECESSOR = (
    "NeuroPBR's own checkpoints hold its configuration as a pickled class, which would run code: they are not read. "
    "Train again, or take their weights out with NeuroPBR."
)


@dataclass(frozen=True)
class Names:
    """What the checkpoints of a run are called."""

    latest: str
    best: str
    epoch: str
    """Before the number of an epoch."""
    weights: str
    """Where a `.pth` has the weights."""

    def of_epoch(self, epoch: int) -> str:
        return f"{self.epoch}_{epoch:04d}"


TEACHER = Names("latest", "best_model", "checkpoint_epoch", "generator_state_dict")
STUDENT = Names("latest_student", "best_student", "student_epoch", "student_state_dict")


def names_of(config: TrainConfig) -> Names:
    return STUDENT if config.is_student else TEACHER


@dataclass(frozen=True)
class Run:
    """A folder to continue from."""

    folder: Path
    config: TrainConfig
    progress: Progress


@dataclass(frozen=True)
class Trained:
    """A generator and what it was trained as."""

    model: nn.Module
    """In evaluation mode."""
    config: TrainConfig
    step: int
    """Steps it was trained for."""
    digest: str
    """SHA-256 of its weights."""


# Writing


def save_run(folder: Path, names: Sequence[str], networks: Networks, progress: Progress) -> list[Path]:
    """Save under every name: the first is written, the others are links to it. Returns a path for each, to tell of."""
    facts = {"kind": "materials run", "step": progress.step, "epoch": progress.epoch, "time": time.time()}
    first = folder / names[0]
    called = names_of(networks.config)
    previous = folder / PREVIOUS if names[0] == called.latest else None
    config = networks.config.to_dict()
    with checkpoint.whole_folder(first, facts, previous=previous) as partial:
        for name, tensors in networks.tensors().items():
            checkpoint.write(partial / f"{name}.safetensors", _apart(tensors), {})
        _write_json(partial / STATE, {**progress.to_json(), "learner": networks.state()})
        _write_json(partial / CONFIG, config)
    for name in names[1:]:
        with checkpoint.whole_folder(folder / name, facts) as partial:
            for path in first.iterdir():
                if path.name != checkpoint.MANIFEST:
                    _link(path, partial / path.name)
    if not networks.config.training.save_pth:
        return [folder / name for name in names]
    weights = {name: value.cpu() for name, value in networks.weights().items()}
    thin = {
        called.weights: weights,
        "sha256": checkpoint.digest(weights),
        "config": config,
        "epoch": progress.epoch,
        "global_step": progress.step,
        "val_loss": progress.val_loss,
        "best_val_loss": progress.best,
    }
    paths = [folder / f"{name}.pth" for name in names]
    buffer = io.BytesIO()
    torch.save(thin, buffer)  # onto a full disk it would be a RuntimeError without a reason
    with write_whole(paths[0]) as partial:
        partial.write_bytes(buffer.getbuffer())
    for path in paths[1:]:
        with write_whole(path) as partial:
            partial.unlink()
            _link(paths[0], partial)
    return paths


def save_generator(path: str | os.PathLike[str], trained: Trained) -> None:
    """One `.safetensors` file with weights and config, to hand on."""
    note = {"kind": "materials generator", "step": trained.step, "config": trained.config.to_dict()}
    checkpoint.write(path, _apart(trained.model.state_dict()), note)


def _apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """On the CPU; a tensor that has several names is stored under each."""
    seen: set[int] = set()
    found = {}
    for name, value in tensors.items():
        value = value.detach().cpu()
        found[name] = value.clone() if value.data_ptr() in seen else value
        seen.add(value.data_ptr())
    return found


def _write_json(path: Path, record: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(record, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a disk without links
        shutil.copyfile(source, target)


# Finding and reading


def find_run(path: str | os.PathLike[str]) -> Path:
    """The folder to continue from: `path` itself, the one beside a `.pth`, or the newest whole one in a folder.

    Damaged ones are passed over with a warning each. FileError when there is none.
    """
    path = Path(path)
    if path.suffix == ".pth":
        path = path.with_suffix("")
    if (path / checkpoint.MANIFEST).is_file():
        checkpoint.read_manifest(path)
        return path
    if not path.is_dir():
        raise FileError(f"cannot continue from {str(path)!r}: there is no such run. Name its folder or a .pth in it.")
    whole, damaged = [], []
    for folder in saved_runs(path):
        try:
            whole.append((checkpoint.read_manifest(folder).get("time", 0), folder))
        except FileError as error:
            damaged.append(str(error))
    if not whole:
        reason = " ".join(damaged) or "it holds no checkpoint."
        raise FileError(f"cannot continue from {str(path)!r}: {reason}")
    newest = max(whole)[1]
    for sentence in damaged:
        log.warning("%s Continuing from %s.", sentence, newest.name)
    return newest


def saved_runs(folder: Path) -> list[Path]:
    """What was saved in a checkpoint folder, damaged or not; a name that begins with a dot is still being written."""
    found = (manifest.parent for manifest in folder.glob(f"*/{checkpoint.MANIFEST}"))
    return sorted(path for path in found if not path.name.startswith("."))


def read_run(path: str | os.PathLike[str]) -> Run:
    """What a run was and how far it came; FileError of one line for whatever is wrong with it."""
    folder = find_run(path)
    config = _config(_json(folder / CONFIG), folder)
    try:
        return Run(folder, config, Progress.from_json(_json(folder / STATE)))
    except ValueError as error:
        raise FileError(f"cannot continue from {str(folder)!r}: {error}.") from None


def saved_config(path: str | os.PathLike[str]) -> TrainConfig:
    """The config of the run that `find_run` finds there, or of a `.pth` without its folder; FileError of one line."""
    if is_lone(path):
        return _config(_read_pth(Path(path))[1], Path(path))
    return read_run(path).config


def is_lone(path: str | os.PathLike[str]) -> bool:
    """Whether it is a `.pth` without the folder of the same name: weights, but no run to continue."""
    path = Path(path)
    return path.suffix == ".pth" and path.is_file() and not path.with_suffix("").is_dir()


def restore(run: Run, networks: Networks) -> None:
    """Put everything that a step changes back as it was; FileError, before anything moves, when it does not fit."""
    tensors = {name: checkpoint.read(run.folder / f"{name}.safetensors")[0] for name in networks.tensors()}
    try:
        networks.load(tensors, _json(run.folder / STATE).get("learner"))
    except ValueError as error:
        raise FileError(f"cannot continue from {str(run.folder)!r}: {error}.") from None


def load_generator(path: str | os.PathLike[str], device: str | torch.device = "cpu") -> Trained:
    """The generator of a run, of a folder of runs, of a `.pth` or of a `.safetensors` file; FileError of one line."""
    path = Path(path)
    if is_lone(path):
        step, config, weights = _read_pth(path)
    elif path.suffix == ".safetensors":
        weights, note = checkpoint.read(path)
        step, config = note.get("step"), note.get("config")
    else:
        run = find_run(path)
        averaged = run / "average.safetensors"
        weights = checkpoint.read(averaged if averaged.exists() else run / "generator.safetensors")[0]
        step, config = checkpoint.read_manifest(run).get("step"), _json(run / CONFIG)
    config = _config(config, path)
    model = _model(config, weights, path)
    return Trained(model.to(device).eval(), config, step if type(step) is int else 0, checkpoint.digest(weights))


def _model(config: TrainConfig, weights: Mapping[str, Tensor], path: Path) -> nn.Module:
    deepest = max(config.model.transformer_depth, config.model.num_blocks, len(config.model.encoder_channels))
    if deepest > MOST_LAYERS:
        raise FileError(
            f"cannot read {str(path)!r}: its config asks for {deepest} layers, up to {MOST_LAYERS} are built."
        )
    try:
        with torch.device("meta"):
            # Nothing is allocated before the sizes have proved to be those of the file
            expected = build_model(config).state_dict()
    except ValueError as error:
        raise FileError(f"cannot read {str(path)!r}: its config does not fit, {error}") from None
    reason = misfit(expected, weights)
    if reason:
        raise FileError(f"cannot read {str(path)!r}: {reason}.")
    with torch.random.fork_rng([]):  # initial weights that nobody will see
        model = build_model(config)
    model.load_state_dict(dict(weights))
    return model


def _read_pth(path: Path) -> tuple[Any, Any, dict[str, Tensor]]:
    """(step, config, weights) of a thin file; none of its code runs, and it cannot claim more than it holds."""
    with open_file(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                    raise FileError(
                        f"cannot read {str(path)!r}: its records are compressed, as torch never saves them."
                    )
            file.seek(0)
            found = torch.load(file, map_location="cpu", weights_only=True)
        except FileError:
            raise
        except Exception as error:  # torch.load raises whatever a crafted file makes it
            if "train_config" in str(error) or "TrainConfig" in str(error):
                raise FileError(f"cannot read {str(path)!r}: {PREDECESSOR}") from None
            reason = " ".join(str(error).split())[:120]
            raise FileError(f"cannot read {str(path)!r}: it is no checkpoint, or a damaged one ({reason}).") from None
    weights = None
    if isinstance(found, dict):
        known = (TEACHER.weights, STUDENT.weights, "model_state_dict")
        weights = next((found[name] for name in known if name in found), None)
    if not isinstance(weights, dict) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in weights.items()
    ):
        raise FileError(f"cannot read {str(path)!r}: it has no generator_state_dict or student_state_dict of tensors.")
    # A tensor of stride 0, a sparse one and one without a device claim any size without having it
    plain = (value.layout == torch.strided and value.device.type == "cpu" for value in weights.values())
    if not all(plain) or not all(value.is_contiguous() for value in weights.values()):
        raise FileError(f"cannot read {str(path)!r}: its tensors claim more than the file holds.")
    # Files that others made from ours, as the guides show, need not have one
    if "sha256" in found and found["sha256"] != checkpoint.digest(weights):
        raise FileError(f"cannot read {str(path)!r}: it was altered, its digest does not match its weights.")
    return found.get("global_step"), found.get("config"), weights


def _config(record: Any, path: Path) -> TrainConfig:
    if not isinstance(record, dict):
        raise FileError(f"cannot read {str(path)!r}: it has no config.")
    try:
        return TrainConfig.from_dict(record)
    except (ValueError, AttributeError, TypeError) as error:
        raise FileError(f"cannot read {str(path)!r}: its config does not fit, {error}") from None


def _json(path: Path) -> dict[str, Any]:
    with open_file(path) as file:
        text = file.read(checkpoint.MOST_MANIFEST_BYTES)
    try:
        return checkpoint.read_json(text.decode())
    except ValueError as error:
        raise FileError(f"cannot read {str(path)!r}: {error}.") from None
