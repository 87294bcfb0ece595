"""A generator as ONNX; with `running` the room's owner of onnx and onnxruntime (extra `export`).

Inputs: `views` (1, n, 3, h, w), normalised photos; `valid` (1, n, 1, h, w), which may be left out for ones; `cameras`
(1, n, 3), which may be left out for NaN, unknown. Outputs are the maps by name.
"""

import io
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
from easel.materials.config import ModelConfig
from easel.materials.export.running import KEY, ExportError, NetworkRecord, open_session, record_of
from easel.materials.maps import MAP_NAMES
from easel.materials.models.network_files import Trained
from easel.materials.recovery.infer import GRAIN_PIXELS, usual_tile
from easel.materials.resolve import fusion_of, output_stride

_LOG = logging.getLogger("easel")

OPSETS = range(18, 22)
"""Versions of ONNX's operators that are written."""
MOST_BYTES = 2**31 - 2**20
"""An ONNX file is one protocol buffer, of less than 2 GiB."""
MOST_ERROR = 1e-3
"""A file whose maps differ from torch's by more is not written."""
MOST_GRAINS = 256
PHOTOS = 3
"""Of the traced call."""
INPUTS = ("views", "valid", "cameras")


class _Named(nn.Module):
    """The network with its maps in their order."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, views: Tensor, valid: Tensor, cameras: Tensor) -> tuple[Tensor, ...]:
        maps: Mapping[str, Tensor] = self.network(views, valid, cameras)
        return tuple(maps[name] for name in MAP_NAMES)


def save_onnx(path: str | Path, trained: Trained, *, fixed: bool = False, opset: int = 18) -> NetworkRecord:
    """Write the network; photos' number, height and width stay free, or are `fixed` at the side it was trained at.

    Where the network itself allows one size alone, the file has that one. The record has the largest difference
    between torch's maps and onnxruntime's. ExportError, before anything is written, for what is not possible.
    """
    # Checked before the trace, which takes minutes for a network of that size.
    weights = sum(parameter.numel() for parameter in trained.model.parameters())
    if 4 * weights > MOST_BYTES:
        raise ExportError(
            f"an ONNX file holds less than 2 GiB, and {weights:,} weights take {4 * weights / 2**30:.1f}: "
            "export a student instead."
        )
    if opset not in OPSETS:
        raise ExportError(f"opset {opset}: this network is written in opsets {OPSETS[0]} to {OPSETS[-1]}.")
    try:
        for library in ("onnxscript", "onnx", "onnxruntime"):
            import_module(library)
    except ImportError as error:
        raise ExportError(f"writing ONNX needs {error.name}: pip install 'torch-easel[export]'.") from None
    # A dict of outputs has no order in ONNX.
    network = _Named(trained.model).eval()
    with _quiet():
        program, fixed = _program(network, trained, fixed)
        side = _fixed_side(trained) if fixed else least_side(trained.config.model)
        try:
            exported = torch.onnx.export(
                program,
                **{"opset_version": opset, "verbose": False, "input_names": INPUTS, "output_names": MAP_NAMES},
            )
        except Exception as error:  # the exporter raises whatever one of its libraries does
            raise ExportError(f"torch cannot write this network as ONNX: {_line(error)}") from None
    assert exported is not None
    model = exported.model_proto
    _make_optional(model, fixed)
    record = _checked(model, network, trained, side, fixed)
    entry = model.metadata_props.add()
    entry.key = KEY
    entry.value = record.to_json()
    # Only now: a file that fails the comparison never appears.
    with write_whole(path) as partial:
        partial.write_bytes(model.SerializeToString())
    return record


def least_side(model: ModelConfig) -> int:
    """Return the smallest side, in pixels, that a file of any size takes: its latent exceeds a window of attention."""
    # A size of one would be taken for a constant.
    grains = 2
    if model.encoder_type != "compact" and fusion_of(model) == "vit" and model.fusion_attention == "views_windows":
        texel = (
            16 * output_stride(model)
            if not model.encoder_type.startswith("unet")
            else 2 ** (len(model.encoder_channels) - 1)
        )
        grains = max(grains, model.window_size * texel // GRAIN_PIXELS + 1)
    return grains * GRAIN_PIXELS


def _fixed_side(trained: Trained) -> int:
    """Return the side that the network learned from, rounded up to whole grains."""
    return -(-usual_tile(trained) // GRAIN_PIXELS) * GRAIN_PIXELS


def _program(network: nn.Module, trained: Trained, fixed: bool) -> tuple[Any, bool]:
    """Return (traced network, True if its size is fixed)."""
    least = least_side(trained.config.model)
    if not fixed and least > usual_tile(trained):
        _LOG.warning("this network's windows of attention fit into photos of %d pixels: one size is exported.", least)
    elif not fixed:
        photos = torch.export.Dim("photos", min=1, max=64)
        grains = least // GRAIN_PIXELS
        height, width = (
            GRAIN_PIXELS * torch.export.Dim(f"{name}_in_{GRAIN_PIXELS}s", min=grains, max=MOST_GRAINS)
            for name in ("height", "width")
        )
        free = ({1: photos, 3: height, 4: width}, {1: photos, 3: height, 4: width}, {1: photos})
        try:
            example = _example(least, least + GRAIN_PIXELS, PHOTOS)
            return torch.export.export(network, example, dynamic_shapes=free, strict=False), False
        except Exception as error:  # a layer that asks for a size makes torch raise one of many things
            _LOG.warning("this network is exported for one size of photos: %s", _line(error))
    # Either it was asked for, or free sizes could not be traced.
    side = _fixed_side(trained)
    try:
        return torch.export.export(network, _example(side, side, PHOTOS), strict=False), True
    except Exception as error:
        raise ExportError(f"torch cannot trace this network: {_line(error)}") from None


def _example(height: int, width: int, photos: int) -> tuple[Tensor, Tensor, Tensor]:
    """Draw photos of noise, masks with holes, and cameras of which the last is unknown."""
    # Seeded: the same network gives the same file and the same error.
    generator = torch.Generator().manual_seed(0)
    views = torch.rand(1, photos, 3, height, width, generator=generator) * 2 - 1
    valid = (torch.rand(1, photos, 1, height, width, generator=generator) > 0.1).float()
    cameras = torch.randn(1, photos, 3, generator=generator) * 0.2 + torch.tensor([0.0, 0.0, 1.2])
    # The branch for unknown cameras must be part of the graph.
    cameras[:, -1] = torch.nan
    return views * valid, valid, cameras


def _make_optional(model: Any, fixed: bool) -> None:
    """Give `valid` and `cameras` default values, of one texel and one photo, which are spread over all."""
    import onnx
    from onnx import helper, numpy_helper

    graph = model.graph
    shapes = {"valid": (1, 1, 1, 1, 1), "cameras": (1, 1, 3)}
    one = numpy_helper.from_array(np.ones(1, np.int64), "easel_one")
    sizes = [("easel_count", 0, 2), ("easel_sides", 3, 5)]
    nodes = [helper.make_node("Shape", ["views"], [name], start=start, end=end) for name, start, end in sizes]
    targets = {"valid": ["easel_count", "easel_one", "easel_sides"], "cameras": ["easel_count", "easel_one"]}
    for name, shape in shapes.items():
        whole = f"{name}_of_all"
        for node in graph.node:
            for number, source in enumerate(node.input):
                if source == name:
                    node.input[number] = whole
        nodes.append(helper.make_node("Concat", targets[name], [f"{name}_shape"], axis=0))
        nodes.append(helper.make_node("Expand", [name, f"{name}_shape"], [whole]))
        value = np.full(shape, 1.0 if name == "valid" else np.nan, np.float32)
        graph.initializer.append(numpy_helper.from_array(value, name))
        for place in graph.input:
            if place.name == name:
                sides = [size if size == 3 else f"{name}_{axis}" for axis, size in enumerate(shape)]
                place.CopyFrom(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, sides))
    graph.initializer.append(one)
    # Protocol buffers cannot insert in front: the list is emptied and filled again.
    kept = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *kept])


def _checked(model: Any, network: nn.Module, trained: Trained, side: int, fixed: bool) -> NetworkRecord:
    """Return the record of a file whose maps are torch's; ExportError where they are not."""
    import onnx
    import onnxruntime

    # What is checked is what is written.
    serialized = model.SerializeToString()
    onnx.checker.check_model(onnx.load_model(io.BytesIO(serialized)))
    session = open_session(onnxruntime, serialized)
    height, photos = (side, PHOTOS) if fixed else (side + GRAIN_PIXELS, PHOTOS - 1)
    inputs = _example(height, side, photos)
    # Defaults of left-out inputs must equal masks of ones and unknown cameras.
    unknown = (inputs[0], torch.ones_like(inputs[1]), torch.full_like(inputs[2], torch.nan))
    error = 0.0
    for given, count in ((inputs, 3), (unknown, 1)):
        with torch.inference_mode():
            expected = network(*given)
        feed = {name: value.numpy() for name, value in zip(INPUTS[:count], given[:count], strict=True)}
        found = session.run(list(MAP_NAMES), feed)
        error = max(error, *(float(np.abs(a - b.numpy()).max()) for a, b in zip(found, expected, strict=True)))
    if not error < MOST_ERROR:
        raise ExportError(f"its maps in onnxruntime differ from torch's by {error:.2g}, not below {MOST_ERROR}.")
    return record_of(trained, side, fixed=fixed, error=error)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:160]


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence torch's exporter and its libraries."""
    # They warn of much that is no matter to who exports.
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "torch.fx")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
