"""Exported networks, run in place of the torch network they came from: onnxruntime anywhere, Core ML on macOS.

A record in the file says which network it holds, so that the file alone is enough to run it.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from easel.graphics.files import FileError, open_file
from easel.materials.config import TrainConfig
from easel.materials.maps import MAP_NAMES
from easel.materials.models.network_files import Trained, portable
from easel.materials.recovery.infer import GRAIN_PIXELS

SUFFIXES = (".onnx", ".mlpackage")
MOST_BYTES = 2**31
KEY = "easel.materials"
"""Its name among a file's own notes."""
MOST_CHARACTERS = 1 << 20


class ExportError(RuntimeError):
    """A network cannot be exported, or an exported one cannot be run, the way that was asked; one line says why."""


@dataclass(frozen=True)
class NetworkRecord:
    """Facts about an exported network: its config, its weights, and the photos it takes."""

    config: TrainConfig
    step: int
    digest: str
    """SHA-256 of its weights."""
    least_side: int
    """Pixels; photos of the file are no smaller."""
    fixed: bool
    """Photos have least_side pixels on each side, no others; else multiples of GRAIN_PIXELS from there on."""
    error: float
    """Largest difference from torch that was seen when the file was written; NaN where it could not be run."""

    def to_json(self) -> str:
        error = None if self.error != self.error else self.error
        return json.dumps({**vars(self), "config": portable(self.config, None), "error": error}, allow_nan=False)

    @staticmethod
    def from_json(text: str | None) -> "NetworkRecord":
        """Undo `to_json`; ValueError, of one line, for anything else."""
        if not text or len(text) > MOST_CHARACTERS:
            raise ValueError("it is no network that `easel materials export` wrote")
        try:
            found = json.loads(text)
            error = found["error"]
            record = NetworkRecord(
                TrainConfig.from_dict(found["config"]),
                int(found["step"]),
                str(found["digest"]),
                int(found["least_side"]),
                bool(found["fixed"]),
                float("nan") if error is None else float(error),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            reason = " ".join(str(error).split())[:120]
            raise ValueError(f"what it says of its network cannot be read ({reason})") from None
        if record.least_side < 1:
            raise ValueError(f"it claims photos of {record.least_side} pixels")
        return record

    @property
    def sizes(self) -> str:
        """In words."""
        if self.fixed:
            return f"{self.least_side} x {self.least_side} pixels"
        return f"{self.least_side} pixels and more on each side, in multiples of {GRAIN_PIXELS}"


def record_of(trained: Trained, least_side: int, *, fixed: bool, error: float = float("nan")) -> NetworkRecord:
    return NetworkRecord(trained.config, trained.step, trained.digest, least_side, fixed, error)


class OnnxNetwork(nn.Module):
    """Photos → maps, as the network that was exported; ExportError for photos of a size that the file does not take."""

    def __init__(self, session: Any, record: NetworkRecord) -> None:
        super().__init__()
        self.session = session
        self.record = record

    def forward(self, views: Tensor, valid: Tensor | None = None, cameras: Tensor | None = None) -> dict[str, Tensor]:
        check_size(self.record, views)
        given = {"views": views, "valid": valid, "cameras": cameras}
        # Inputs that are left out have defaults in the graph.
        feed = {name: value.detach().cpu().numpy() for name, value in given.items() if value is not None}
        try:
            found = self.session.run(list(MAP_NAMES), feed)
        except Exception as error:  # onnxruntime has an exception for each of its statuses
            raise ExportError(f"onnxruntime cannot run this network: {' '.join(str(error).split())[:160]}") from None
        return {name: torch.from_numpy(value) for name, value in zip(MAP_NAMES, found, strict=True)}


class CoreMLNetwork(nn.Module):
    """The first three photos → maps; masks and cameras are not asked. `model` is coremltools' MLModel, or alike."""

    def __init__(self, model: Any, record: NetworkRecord) -> None:
        super().__init__()
        self.model = model
        self.record = record

    def forward(self, views: Tensor, valid: Tensor | None = None, cameras: Tensor | None = None) -> dict[str, Tensor]:
        """Run the network on `views` (1, n, 3, h, w), normalised."""
        import numpy as np
        from PIL import Image

        check_size(self.record, views)
        if views.shape[1] < 3:
            raise ExportError(f"a Core ML network takes three photos; got {views.shape[1]}. Add more.")
        transform = self.record.config.transform
        mean, std = (views.new_tensor(values)[:, None, None] for values in (transform.mean, transform.std))
        # Undo the normalisation: the package takes pictures and normalises them itself.
        bytes_ = ((views[0, :3] * std + mean).clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1)
        photos = {f"view{number}": Image.fromarray(photo.numpy()) for number, photo in enumerate(bytes_, 1)}
        found: Mapping[str, Any] = self.model.predict(photos)
        maps = {}
        for name in MAP_NAMES:
            values = torch.from_numpy(np.asarray(found[name], dtype=np.float32) / 255)
            maps[name] = (values[None] if values.ndim == 2 else values.permute(2, 0, 1)[:3])[None]
        # Eight bits round unit vectors off their length.
        maps["normal"] = torch.nn.functional.normalize(maps["normal"] * 2 - 1, dim=1)
        return maps


def check_size(record: NetworkRecord, views: Tensor) -> None:
    """Raise ExportError for photos of a size that the file does not take."""
    height, width = views.shape[-2:]
    if record.fixed:
        fits = height == width == record.least_side
    else:
        fits = min(height, width) >= record.least_side and not height % GRAIN_PIXELS and not width % GRAIN_PIXELS
    if not fits:
        raise ExportError(f"this exported network takes photos of {record.sizes}; got {width} x {height}.")


def load_exported(path: str | os.PathLike[str]) -> Trained:
    """Open the network of an .onnx or .mlpackage file that Easel wrote; FileError or ExportError of one line."""
    path = Path(path)
    return _load_coreml(path) if path.suffix == ".mlpackage" else _load_onnx(path)


def open_session(onnxruntime: Any, data: bytes) -> Any:
    """Open a session on the CPU; without its remark that inputs which may be left out are no constants."""
    options = onnxruntime.SessionOptions()
    # Errors alone.
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def _load_onnx(path: Path) -> Trained:
    # The size is looked at first: a file of any length may have the suffix.
    with open_file(path) as file:
        if os.fstat(file.fileno()).st_size > MOST_BYTES:
            raise FileError(f"cannot read {str(path)!r}: it is larger than an ONNX file can be.")
        data = file.read()
    try:
        onnxruntime = import_module("onnxruntime")
    except ImportError:
        raise ExportError("running ONNX needs onnxruntime: pip install 'torch-easel[export]'.") from None
    try:
        session = open_session(onnxruntime, data)
    except Exception as error:  # whatever a damaged file makes it raise
        reason = " ".join(str(error).split())[:120]
        raise FileError(f"cannot read {str(path)!r}: it is no ONNX file, or a damaged one ({reason}).") from None
    try:
        record = NetworkRecord.from_json(session.get_modelmeta().custom_metadata_map.get(KEY))
    except ValueError as error:
        raise FileError(f"cannot read {str(path)!r}: {error}.") from None
    return _trained(OnnxNetwork(session, record), record)


def _load_coreml(path: Path) -> Trained:
    if sys.platform != "darwin":
        raise ExportError(
            f"{path.name}: Core ML runs on macOS alone, and this is {sys.platform}. "
            "`easel materials export --onnx` writes the same network for any machine."
        )
    if not path.is_dir():
        raise FileError(f"cannot read {str(path)!r}: there is no such package. Check the name and the folder.")
    try:
        coremltools = import_module("coremltools")
    except ImportError:
        raise ExportError("running Core ML needs coremltools: pip install 'torch-easel[export]'.") from None
    try:
        model = coremltools.models.MLModel(str(path))
        record = NetworkRecord.from_json(model.user_defined_metadata.get(KEY))
    except Exception as error:  # whatever a damaged package makes it raise
        reason = " ".join(str(error).split())[:120]
        raise FileError(f"cannot read {str(path)!r}: it is no package of ours, or damaged ({reason}).") from None
    return _trained(CoreMLNetwork(model, record), record)


def _trained(network: nn.Module, record: NetworkRecord) -> Trained:
    return Trained(network.eval(), record.config, record.step, record.digest)
