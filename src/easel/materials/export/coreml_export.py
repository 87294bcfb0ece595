"""A student as a Core ML package for iOS 17; the room's owner of coremltools (extra `export`).

Inputs view1, view2 and view3 are RGB pictures, and the network's normalisation is part of the graph. Outputs are
pictures as well: albedo and normal (n/2 + ½) RGB, roughness and metallic grey.
"""

import contextlib
import copy
import io
import logging
import os
import secrets
import shutil
import warnings
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from easel.graphics.files import FileError
from easel.materials.export.running import KEY, ExportError, NetworkRecord, record_of
from easel.materials.maps import CHANNELS, MAP_NAMES
from easel.materials.models.generator import MultiViewPBRGenerator
from easel.materials.models.network_files import Trained
from easel.materials.recovery.infer import GRAIN_PIXELS

VIEWS = ("view1", "view2", "view3")
SIDES = range(64, 4097, GRAIN_PIXELS)
"""Sides of photos that a network is converted for."""
LEAST_VERSION = 8
"""Of the specification: iOS 17."""
LARGEST_FOLDED = "1e6"
"""Constants of more numbers are not computed ahead: they would make the file larger than the weights."""


class _Pictures(nn.Module):
    """From three pictures in [0, 255] to the maps in [0, 255]."""

    scale: Tensor
    offset: Tensor

    def __init__(self, network: nn.Module, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.network = network
        # (x / 255 − mean) / std as one multiplication and one subtraction, which half precision rounds less.
        self.register_buffer("scale", (1 / (255 * std))[:, None, None])
        self.register_buffer("offset", (mean / std)[:, None, None])

    def forward(self, view1: Tensor, view2: Tensor, view3: Tensor) -> tuple[Tensor, ...]:
        views = torch.stack([view1, view2, view3], dim=1) * self.scale - self.offset
        maps: Mapping[str, Tensor] = self.network(views)
        return tuple((maps[name] * 0.5 + 0.5 if name == "normal" else maps[name]) * 255 for name in MAP_NAMES)


def save_coreml(
    path: str | Path,
    trained: Trained,
    *,
    half: bool = True,
    palettized: bool = False,
    side: int | None = None,
    keeps_sr: bool = True,
) -> NetworkRecord:
    """Write the package, whole or not at all, once its specification has proved to be the one described above.

    `half` computes in float16; `palettized` stores weights as 8-bit indices. `side` of the photos is the one that the
    network learned from; with another and without `keeps_sr` there is no super-resolution. ExportError for a network
    or a side that Core ML cannot take.
    """
    network = trained.model
    if not isinstance(network, MultiViewPBRGenerator):
        raise ExportError(
            "Core ML packages are made of students and teachers; this is the compact network, which wants to know "
            "where cameras were, and the package has photos alone. Export it with --onnx."
        )
    config = trained.config
    if config.model.fusion == "concat" and config.data.num_views != len(VIEWS):
        raise ExportError(f"the package has three photos, and this network was built for {config.data.num_views}.")
    size = config.data.image_size if side is None else (side, side)
    if any(length not in SIDES for length in size):
        raise ExportError(
            f"photos of {size[1]} x {size[0]} pixels: this network takes {SIDES[0]} to {SIDES[-1]}, in multiples of "
            f"{GRAIN_PIXELS}."
        )
    if not keeps_sr:
        # The caller's network keeps its decoder.
        network = copy.deepcopy(network)
        network.decoder.super_resolution = nn.Identity()
    mean = torch.tensor(config.transform.mean)
    std = torch.tensor(config.transform.std)
    pictures = _Pictures(network.cpu(), mean, std).eval()
    # coremltools prints progress bars and warns of every version of torch that it has not seen.
    with _quiet():
        try:
            tools = import_module("coremltools")
            # k-means of the palette; told now, not after minutes of conversion.
            if palettized:
                import_module("sklearn")
        except ImportError as error:
            raise ExportError(f"writing Core ML needs {error.name}: pip install 'torch-easel[export]'.") from None
        try:
            program = _traced(pictures, size)
            with torch.inference_mode():
                enlarged = [pictures(*(torch.zeros(1, 3, *size) for _ in VIEWS))[0].shape[-2:]][0]
            package = _converted(tools, program, size, half, palettized)
        except Exception as error:  # coremltools raises one of many things for a layer it does not know
            raise ExportError(f"Core ML cannot take this network: {' '.join(str(error).split())[:160]}") from None
        record = record_of(trained, size[0], fixed=True)
        package.user_defined_metadata[KEY] = record.to_json()
        package.short_description = "Three photos of a material to albedo, roughness, metallic and normal."
        with _whole_package(Path(path)) as partial:
            package.save(str(partial))
            _check_specification(tools.models.utils.load_spec(str(partial)), size, tuple(enlarged))
    return record


def package_bytes(path: Path) -> int:
    """Return the bytes of all files of a package."""
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _traced(pictures: nn.Module, size: tuple[int, int]) -> Any:
    """Trace the graph, without the aliases of a tensor that coremltools has no operator for."""
    # Values do not matter for a trace, shapes do.
    example = tuple(torch.zeros(1, 3, *size) for _ in VIEWS)
    # Core ML's frontend knows ATen operators, not the composite ones.
    program = torch.export.export(pictures, example, strict=False).run_decompositions({})
    graph = program.graph_module.graph
    # A copy of the list: nodes are erased from it meanwhile.
    for node in list(graph.nodes):
        if node.target is torch.ops.aten.alias.default:
            node.replace_all_uses_with(node.args[0])
            graph.erase_node(node)
    program.graph_module.recompile()
    return program


def _converted(tools: Any, program: Any, size: tuple[int, int], half: bool, palettized: bool) -> Any:
    layout = tools.colorlayout
    layouts = {name: layout.RGB if count == 3 else layout.GRAYSCALE for name, count in CHANNELS.items()}
    pipeline = tools.PassPipeline.DEFAULT
    pipeline.set_options("common::const_elimination", {"skip_const_by_size": LARGEST_FOLDED})
    pipeline.append_pass("common::dead_code_elimination")
    package = tools.convert(
        program,
        inputs=[tools.ImageType(name=name, shape=(1, 3, *size), color_layout=layout.RGB) for name in VIEWS],
        outputs=[tools.ImageType(name=name, color_layout=kind) for name, kind in layouts.items()],
        convert_to="mlprogram",
        minimum_deployment_target=tools.target.iOS17,
        compute_precision=tools.precision.FLOAT16 if half else tools.precision.FLOAT32,
        pass_pipeline=pipeline,
        skip_model_load=True,
    )
    if palettized:
        optimize = import_module("coremltools.optimize.coreml")
        palette = optimize.OpPalettizerConfig(mode="kmeans", nbits=8)
        package = optimize.palettize_weights(package, optimize.OptimizationConfig(global_config=palette))
    return package


def _check_specification(specification: Any, size: tuple[int, int], enlarged: tuple[int, int]) -> None:
    """Raise ExportError unless names, kinds and sizes are those that an app relies on."""
    # An older version would not load as ImageType outputs on the devices meant.
    if specification.specificationVersion < LEAST_VERSION:
        raise ExportError(f"coremltools wrote version {specification.specificationVersion}, before iOS 17.")
    colour = "RGB"
    grey = "GRAYSCALE"
    wanted = {name: (colour, size) for name in VIEWS}
    wanted |= {name: (colour if count == 3 else grey, enlarged) for name, count in CHANNELS.items()}
    found = {}
    for feature in (*specification.description.input, *specification.description.output):
        image = feature.type.imageType
        kind = image.ColorSpace.Name(image.colorSpace)
        found[feature.name] = (kind, (image.height, image.width))
    if found != wanted:
        differing = sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name))
        raise ExportError(f"coremltools wrote another specification than was asked for, in {', '.join(differing)}.")


@contextlib.contextmanager
def _whole_package(path: Path) -> Iterator[Path]:
    """Yield the name of a sibling to write the package to; ending well, it takes the name, failing, it is removed."""
    if path.exists() and not (path.is_dir() and (path / "Manifest.json").is_file()):
        raise FileError(f"cannot write {str(path)!r}: something else has that name. Choose another.")
    # Random: two exports to the same name must not fill one folder.
    mark = secrets.token_hex(8)
    partial, replaced = (path.with_name(f".{mark}.{role}{path.suffix}") for role in ("new", "old"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        # Before the rename: a power cut must not leave a package with empty files.
        for file in partial.rglob("*"):
            if file.is_file():
                with file.open("rb+") as stream:
                    os.fsync(stream.fileno())
        # A folder cannot be renamed onto another one.
        if path.exists():
            path.rename(replaced)
        partial.rename(path)
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        if replaced.exists() and not path.exists():
            replaced.rename(path)
        shutil.rmtree(replaced, ignore_errors=True)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the bars, warnings and version remarks of coremltools."""
    logger = logging.getLogger("coremltools")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
