"""Weights that a training leaves in a file, for a model that is shown with them."""

import pickle
import zipfile
from pathlib import Path

import torch
from torch import Tensor, nn

from easel.graphics.files import FileError, open_file
from easel.inspector.model_tensors import tensors

NAMED = 3
"""So many names a message tells; it counts the rest."""


def read_weights(path: Path, model: nn.Module) -> dict[str, Tensor]:
    """The state dict of a file by the names of the model's tensors; FileError of one line for what does not fit."""
    with open_file(path) as file:
        try:
            found = torch.load(file, map_location="cpu", weights_only=True)
        except (RuntimeError, pickle.UnpicklingError, EOFError, zipfile.BadZipFile) as error:
            raise FileError(f"cannot read {str(path)!r}: it is no file of weights alone ({error}).") from None
    return fitting(found, model, path)


def fitting(found: dict[str, Tensor], model: nn.Module, path: Path) -> dict[str, Tensor]:
    """The same, when every tensor of the model has one of its shape in it; else FileError with the names."""
    wanted = {name: ref.shape for name, ref in tensors(model).items()}
    faults = {
        "missing": [name for name in wanted if name not in found],
        "unexpected": [name for name in found if name not in wanted],
        "of another shape": [
            f"{name} {tuple(found[name].shape)} for {shape}"
            for name, shape in wanted.items()
            if name in found and tuple(found[name].shape) != shape
        ],
    }
    if any(faults.values()):
        told = "; ".join(
            f"{len(names)} {fault}: {', '.join(names[:NAMED])}{' …' if len(names) > NAMED else ''}"
            for fault, names in faults.items()
            if names
        )
        raise FileError(f"{str(path)!r} does not fit the model ({told}). The weights in memory are shown.")
    return found
