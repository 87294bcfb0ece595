"""Trained generators in files: runs, `.pth` and `.safetensors`. Nothing in them is a pickle that runs code.

A stored config names no absolute path: folders of the machine that trained are written relative to the folder of the
file, or left out where only the root of the disk is common to both.
"""

import io
import logging
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

import torch
from torch import Tensor, nn

from easel import checkpoint
from easel.graphics.files import FileError, open_file, write_whole
from easel.materials.config import DataConfig, TrainConfig
from easel.materials.models.build import build_model, misfit

log = logging.getLogger("easel")

SHIPPED = Path(__file__).parents[1] / "weights" / "laptop.safetensors"
"""The network that comes with Easel. May be absent: a checkout need not have it."""
MOST_LAYERS = 256
"""Of one kind, in a network that a file describes: more would take for ever to build."""
CONFIG = "config.json"
"""Name of the config in a run's folder."""
PREDECESSOR = (
    "NeuroPBR's own checkpoints hold its configuration as a pickled class, which would run code: they are not read. "
    "Train again, or take their weights out with NeuroPBR."
)
NOT_OF_THE_NETWORK = ("weights", "gradient_checkpointing")
"""Settings under `model` that leave the generator's tensors as they are."""
PATHS = {
    "data": ("input_dir", "output_dir", "metadata_path", "shards_dir"),
    "model": ("weights",),
    "training": ("checkpoint_dir", "resume_from", "teacher_checkpoint"),
}
"""Settings that hold a path, by section."""


@dataclass(frozen=True)
class CheckpointNames:
    """Names of a run's checkpoints."""

    latest: str
    best: str
    epoch: str
    """Prefix of the number of an epoch."""
    weights: str
    """Key of the weights in a `.pth`."""

    def of_epoch(self, epoch: int) -> str:
        return f"{self.epoch}_{epoch:04d}"


TEACHER = CheckpointNames("latest", "best_model", "checkpoint_epoch", "generator_state_dict")
STUDENT = CheckpointNames("latest_student", "best_student", "student_epoch", "student_state_dict")


def names_of(config: TrainConfig) -> CheckpointNames:
    """Return the names that a run of this config gives to its checkpoints."""
    return STUDENT if config.is_student else TEACHER


@dataclass(frozen=True)
class Trained:
    """A generator and the config it was trained with."""

    model: nn.Module
    """In evaluation mode."""
    config: TrainConfig
    """As stored: its paths may be relative to `folder`."""
    step: int
    """Steps it was trained for."""
    digest: str
    """SHA-256 of its weights."""
    folder: Path | None = None
    """Folder of the run or file it was read from."""

    @property
    def data(self) -> DataConfig:
        """Settings of the dataset that it learned from, with folders where they lie on this machine."""
        return located(self.config, self.folder).data


# Paths in configs


def portable(config: TrainConfig, folder: Path | None, *, shared: bool = True) -> dict[str, Any]:
    """Return a config as plain data without absolute paths, for a file in `folder`.

    An absolute path becomes one relative to `folder`. Where they have the root of the disk alone in common, that would
    spell out the same folders: a `shared` file leaves such a path out, and so does a file in no folder.
    """
    stored = config.to_dict()
    absent = TrainConfig().to_dict()
    for name in ("input_dir", "output_dir"):
        # Nobody's ./data is meant.
        absent["data"][name] = ""
    for section, names in PATHS.items():
        for name in names:
            path = stored[section][name]
            if path and _is_absolute(path):
                stored[section][name] = _relative(path, folder, shared) or absent[section][name]
    return stored


def _is_absolute(path: str) -> bool:
    # A config of another system's machine is no less private: C:\\… on Linux, /… on Windows.
    return Path(path).is_absolute() or PureWindowsPath(path).is_absolute() or path.startswith(("/", "~"))


def _relative(path: str, folder: Path | None, shared: bool) -> str:
    """Return `path` as seen from `folder`; empty where it is to be left out."""
    if folder is None or not Path(path).is_absolute():
        return ""
    home = os.path.abspath(folder)
    try:
        common = Path(os.path.commonpath([home, path]))
    except ValueError:  # another drive
        return ""
    if shared and common == Path(common.anchor):
        return ""
    return Path(os.path.relpath(path, home)).as_posix()


def located(config: TrainConfig, folder: Path | None) -> TrainConfig:
    """Return a copy of a stored config whose relative paths lead to what lies beside `folder`, as far as it is there.

    Other relative paths stay as they are, for the working directory.
    """
    found = config.copy()
    if folder is None:
        return found
    for section, names in PATHS.items():
        for name in names:
            path = getattr(getattr(found, section), name)
            if path and (folder / path).exists():
                setattr(getattr(found, section), name, os.path.normpath(folder / path))
    return found


# Writing


def save_generator(path: str | os.PathLike[str], trained: Trained) -> None:
    """Write one `.safetensors` file with weights and config, to hand on."""
    note = {"kind": "materials generator", "step": trained.step, "config": portable(trained.config, Path(path).parent)}
    checkpoint.write(path, apart(trained.model.state_dict()), note)


def save_inference(path: str | Path, trained: Trained) -> None:
    """Write {"config": dict, "model_state_dict": tensors}; `build_model(config)` makes the network that takes them."""
    weights = {name: value.detach().cpu() for name, value in trained.model.state_dict().items()}
    buffer = io.BytesIO()
    torch.save({"config": portable(trained.config, Path(path).parent), "model_state_dict": weights}, buffer)
    with write_whole(path) as partial:
        partial.write_bytes(buffer.getbuffer())


def apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copy tensors to the CPU; one that has several names is stored under each."""
    seen: set[int] = set()
    found = {}
    for name, value in tensors.items():
        value = value.detach().cpu()
        found[name] = value.clone() if value.data_ptr() in seen else value
        # safetensors refuses two tensors that share memory.
        seen.add(value.data_ptr())
    return found


# Finding and reading


def find_run(path: str | os.PathLike[str]) -> Path:
    """Return the folder to continue from: `path`, the one beside a `.pth`, or the newest whole one in a folder.

    Damaged ones are passed over with a warning each. FileError when there is none.
    """
    path = Path(path)
    # A `.pth` stands for the run's folder beside it.
    if path.suffix == ".pth":
        path = path.with_suffix("")
    if (path / checkpoint.MANIFEST).is_file():
        checkpoint.read_manifest(path)
        return path
    if not path.is_dir():
        raise FileError(f"cannot continue from {str(path)!r}: there is no such run. Name its folder or a .pth in it.")
    whole = []
    damaged = []
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
    """Return the runs in a checkpoint folder, damaged or not; a name that begins with a dot is still being written."""
    found = (manifest.parent for manifest in folder.glob(f"*/{checkpoint.MANIFEST}"))
    return sorted(path for path in found if not path.name.startswith("."))


def saved_config(path: str | os.PathLike[str]) -> TrainConfig:
    """Read the config of the run that `find_run` finds, or of a `.pth` without its folder; FileError of one line."""
    if is_lone(path):
        return located(_config(_read_pth(Path(path))[1], Path(path)), Path(path).parent)
    run = find_run(path)
    return located(read_config(run), run.parent)


def read_config(run: Path) -> TrainConfig:
    """Read the config in a run's folder, as stored; FileError of one line."""
    return _config(read_record(run / CONFIG), run)


def is_lone(path: str | os.PathLike[str]) -> bool:
    """True for a `.pth` without the folder of the same name: weights, but no run to continue."""
    path = Path(path)
    return path.suffix == ".pth" and path.is_file() and not path.with_suffix("").is_dir()


def load_generator(path: str | os.PathLike[str], device: str | torch.device = "cpu") -> Trained:
    """Load the generator of a run, a folder of runs, a `.pth` or a `.safetensors` file; FileError of one line."""
    path = Path(path)
    folder = path.parent
    if is_lone(path):
        step, config, weights = _read_pth(path)
    elif path.suffix == ".safetensors":
        weights, note = checkpoint.read(path)
        step = note.get("step")
        config = note.get("config")
    else:
        run = find_run(path)
        folder = run.parent
        averaged = run / "average.safetensors"
        weights = checkpoint.read(averaged if averaged.exists() else run / "generator.safetensors")[0]
        step = checkpoint.read_manifest(run).get("step")
        config = read_record(run / CONFIG)
    config = _config(config, path)
    model = _model(config, weights, path).to(device).eval()
    # A file from elsewhere may hold anything there; True is an int, too.
    if type(step) is not int:
        step = 0
    return Trained(model, config, step, checkpoint.digest(weights), folder)


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
    # Initial weights that nobody will see.
    with torch.random.fork_rng([]):
        model = build_model(config)
    model.load_state_dict(dict(weights))
    return model


def _read_pth(path: Path) -> tuple[Any, Any, dict[str, Tensor]]:
    """Read (step, config, weights) of a thin file; none of its code runs, and it cannot claim more than it holds."""
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


def read_record(path: Path) -> dict[str, Any]:
    with open_file(path) as file:
        text = file.read(checkpoint.MOST_MANIFEST_BYTES)
    try:
        return checkpoint.read_json(text.decode())
    except ValueError as error:
        raise FileError(f"cannot read {str(path)!r}: {error}.") from None


def differences(config: TrainConfig, other: TrainConfig) -> str:
    """Name the settings of the network that differ, in a few words; empty when none does."""
    mine = config.model.to_dict()
    theirs = other.model.to_dict()
    named = [
        f"model.{name} is {theirs[name]!r} there and {mine[name]!r} here"
        for name in mine
        if name not in NOT_OF_THE_NETWORK and mine[name] != theirs[name]
    ]
    return ", ".join(named)
