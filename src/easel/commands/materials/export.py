"""`easel materials export`: a trained network for other programs, as ONNX, as Core ML or as plain weights."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from tyro.conf import FlagCreatePairsOff, Positional

from easel.commands.materials.trained import open_trained
from easel.console import BadInput, complain, explained

if TYPE_CHECKING:
    from easel.materials.models.network_files import Trained

MOST_PHONE_MB = 15
"""A larger package is no longer one for phones."""


@dataclass(frozen=True)
class NetworkExportConfig:
    """Write a trained network into files that other programs run: --onnx, --coreml, --inference, or several of them.

    ONNX and Core ML files hold the graph as it was trained, with super-resolution; `easel materials infer` runs them.
    """

    checkpoint: Positional[Path]
    """A run's folder, a .pth or a .safetensors."""
    output: Path | None = None
    """One of the files below, by its suffix: .mlpackage, .onnx, .pth or .safetensors."""
    onnx: Path | None = None
    """FILE.onnx: photos of any number and size, compared with torch before it is written."""
    coreml: Path | None = None
    """FILE.mlpackage for iOS 17: three RGB pictures in, four pictures out; made on any system, run by Apple's."""
    inference: Path | None = None
    """FILE.pth with config and weights alone, for torch.load."""
    weights: Path | None = None
    """FILE.safetensors with config and weights, proof against altering."""
    fixed_size: Annotated[bool, FlagCreatePairsOff] = False
    """ONNX for photos of one size, that the network learned from, as some programs want it."""
    opset: int = 18
    """ONNX's operators."""
    no_fp16: Annotated[bool, FlagCreatePairsOff] = False
    """Core ML in float32: larger, where float16 shows artefacts."""
    palettization: Annotated[bool, FlagCreatePairsOff] = False
    """Core ML's weights as 8-bit indices: smaller, a little coarser."""
    test_resolution: Annotated[int | None, tyro.conf.arg(metavar="PIXELS")] = None
    """Core ML for photos of that side, to test a device's memory; super-resolution is left out."""
    use_sr: Annotated[bool, FlagCreatePairsOff] = False
    """Keep super-resolution with --test-resolution."""


def export(config: NetworkExportConfig) -> int:
    """Write what was asked for; returns 0."""
    from easel.materials.export.running import ExportError

    files = _files(config)
    # On the CPU: a traced graph would remember a GPU.
    trained = open_trained(config.checkpoint, "cpu")
    with explained(errors=ExportError):
        for suffix, path in files.items():
            _WRITERS[suffix](config, trained, path)
    return 0


def _files(config: NetworkExportConfig) -> dict[str, Path]:
    """Return suffix → path; BadInput for none, for two of a kind, and for a suffix that says something else."""
    asked = {
        ".onnx": config.onnx,
        ".mlpackage": config.coreml,
        ".pth": config.inference,
        ".safetensors": config.weights,
    }
    files = {suffix: path for suffix, path in asked.items() if path is not None}
    for suffix, path in files.items():
        if path.suffix != suffix:
            raise BadInput(f"{path}: a file of that kind is named *{suffix}.")
    # The predecessor's flag: the kind follows from the suffix.
    if config.output is not None:
        suffix = config.output.suffix
        if suffix not in asked:
            raise BadInput(f"--output {config.output}: the suffix says what is written, {', '.join(asked)}.")
        if suffix in files:
            raise BadInput(f"--output {config.output} and {files[suffix]} are of the same kind: name one.")
        files[suffix] = config.output
    if not files:
        raise BadInput("nothing to write: name a file with --onnx, --coreml, --inference or --weights.")
    # Written in place of what is read, a failed export would destroy the network.
    for path in files.values():
        if path.resolve() == config.checkpoint.resolve():
            raise BadInput(f"{path} is the checkpoint itself: choose another name.")
    return files


def _write_onnx(config: NetworkExportConfig, trained: "Trained", path: Path) -> None:
    from easel.materials.export.onnx_export import save_onnx

    record = save_onnx(path, trained, fixed=config.fixed_size, opset=config.opset)
    print(f"wrote {path}: {_megabytes(path.stat().st_size)}, photos of {record.sizes}")
    print(f"onnxruntime's maps differ from torch's by {record.error:.1e} at most")


def _write_coreml(config: NetworkExportConfig, trained: "Trained", path: Path) -> None:
    from easel.materials.export.coreml_export import package_bytes, save_coreml

    side = config.test_resolution
    # A test is of a device's memory, which super-resolution would fill by itself.
    keeps_sr = side is None or config.use_sr
    record = save_coreml(
        path, trained, half=not config.no_fp16, palettized=config.palettization, side=side, keeps_sr=keeps_sr
    )
    size = package_bytes(path)
    another = side is not None and (side, side) != trained.config.data.image_size
    test = ", a size for memory tests alone" if another else ""
    print(f"wrote {path}: {_megabytes(size)}, photos of {record.sizes}{test}")
    if size > MOST_PHONE_MB * 1e6:
        complain(f"{path.name} has {_megabytes(size)}, more than the {MOST_PHONE_MB} MB that suit a phone.")


def _write_inference(config: NetworkExportConfig, trained: "Trained", path: Path) -> None:
    from easel.materials.models.network_files import save_inference

    save_inference(path, trained)
    print(f"wrote {path}: {_megabytes(path.stat().st_size)}, config and model_state_dict")


def _write_weights(config: NetworkExportConfig, trained: "Trained", path: Path) -> None:
    from easel.materials.models.network_files import save_generator

    save_generator(path, trained)
    print(f"wrote {path}: {_megabytes(path.stat().st_size)}")


_WRITERS = {".onnx": _write_onnx, ".mlpackage": _write_coreml, ".pth": _write_inference, ".safetensors": _write_weights}


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
