"""ONNX files of fields. The one file that knows onnx and onnxruntime (extra `export`)."""

import io
import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from easel.graphics.files import write_whole

POINTS = 3
"""Points of the traced call. More than one: torch takes a size of 1 for a constant. The file leaves the number free."""


class OnnxMissingError(RuntimeError):
    """A library of the extra `export` is missing; the message names it."""


def save_onnx(
    path: str | Path, field: nn.Module, dimensions: int, *, latent: Tensor | None = None, recipe: Mapping[str, Any]
) -> float:
    """Write a function from coordinates (n, dimensions), float32, to raw values (n, channels); return its error.

    With a `latent` (l,) the file has a second input of that name, with no default: z travels in the recipe, which is
    the model's metadata `easel.recipe`. The error is the largest difference between torch and onnxruntime on random
    points in [-1, 1]. Raises OnnxMissingError where a library is missing.
    """
    inputs = [torch.zeros(POINTS, dimensions)]
    if latent is not None:
        inputs.append(latent.detach())
    names = ["coordinates", "latent"][: len(inputs)]
    # Coordinates may come in any number; a latent has its length.
    free = ({0: torch.export.Dim("points")}, *[{}] * (len(inputs) - 1))
    training = {module: module.training for module in field.modules()}
    try:
        for library in ("onnxscript", "onnx", "onnxruntime"):  # torch's exporter needs the first and explains less
            import_module(library)
    except ImportError as error:
        raise OnnxMissingError(f"writing ONNX needs {error.name}: pip install 'torch-easel[export]'.") from error
    try:
        with _quiet():
            program = torch.onnx.export(
                field.eval(),
                tuple(inputs),
                dynamo=True,
                verbose=False,
                input_names=names,
                output_names=["values"],
                dynamic_shapes=free,
            )
    finally:
        for module, mode in training.items():
            module.training = mode
    import onnx
    import onnxruntime

    assert program is not None
    model = program.model_proto
    model.metadata_props.append(onnx.StringStringEntryProto(key="easel.recipe", value=json.dumps(dict(recipe))))
    # Checked and run from the very bytes that are written.
    serialized = model.SerializeToString()
    onnx.checker.check_model(onnx.load_model(io.BytesIO(serialized)))
    session = onnxruntime.InferenceSession(serialized, providers=["CPUExecutionProvider"])
    # Another number of points than in the traced call: a size that was fixed by mistake shows.
    points = torch.rand(257, dimensions, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        expected = field(points, *inputs[1:]).numpy()
    feed = dict(zip(names, [points.numpy(), *(i.numpy() for i in inputs[1:])], strict=True))
    error = float(np.abs(np.asarray(session.run(["values"], feed)[0]) - expected).max())
    with write_whole(path) as partial:
        partial.write_bytes(serialized)
    return error


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence torch's exporter and its libraries."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
