"""`easel inspect`: a network from a file or a function, in a window, or as files that show the same."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from tyro.conf import FlagCreatePairsOff, Positional

from easel.console import BadInput, counted, explained, prepare_folder, progress
from easel.graphics.checked_record import Range
from easel.workstation.app import open_view
from easel.workstation.options import HostConfig

if TYPE_CHECKING:
    from torch import Tensor

    from easel.inspector.history.comparison import Difference
    from easel.inspector.models.graph import TensorRef
    from easel.inspector.models.sources import Source
    from easel.inspector.network_scene import NetworkScene
    from easel.inspector.tracing.forward import Capture

RANKED = 5
"""Tensors that are listed, of those that differ most."""


@dataclass(frozen=True)
class InspectConfig(HostConfig):
    """Look inside a network: every tensor is a sheet in space, exact under the mouse.

    SOURCE is a .safetensors file, weights that torch.save wrote, an ONNX file (extra export), or
    package.module:function, which runs your own code and returns a model. Nothing in a file is ever run. Without a
    display, overview.png, statistics.json, statistics.csv and network.html are written into --out.
    """

    source: Annotated[Positional[str], tyro.conf.arg(metavar="SOURCE")]
    """A file, or package.module:function."""
    out: Path = Path("easel-out")
    """Folder for the files."""
    size: tuple[int, int] = (1280, 720)
    """Width and height of the window and of pictures, in pixels."""
    diff: Annotated[str | None, tyro.conf.arg(metavar="OTHER")] = None
    """Show OTHER minus SOURCE, a source as well."""
    activations: Annotated[Path | None, tyro.conf.arg(metavar="IMAGE")] = None
    """Run the model on this picture and show what every step gives; SOURCE is then a function."""
    statistics: Annotated[bool, FlagCreatePairsOff] = False
    """Write statistics.json and statistics.csv, and print their warnings."""
    turntable: Annotated[int, Range(0), tyro.conf.arg(metavar="FRAMES")] = 0
    """Write turntable.gif with so many frames."""
    html: Annotated[bool, FlagCreatePairsOff] = False
    """Write network.html, a page that turns, zooms and tells values in any browser."""
    gltf: Annotated[bool, FlagCreatePairsOff] = False
    """Write network.glb for other programs."""


def inspect(config: InspectConfig) -> int:
    """Show the network and write the files that are asked for; returns 0."""
    if min(config.size) < 16 or max(config.size) > 16384:
        raise BadInput(f"--size is 16 to 16384 pixels each way; got {config.size[0]} x {config.size[1]}.")
    source = _open(config.source)
    other = None if config.diff is None else _open(config.diff)
    seen = config.activations and _run(source, config)
    prepare_folder(config.out)
    from easel.gl.context import GLUnavailable
    from easel.inspector.network_scene import NetworkScene

    refs, graph = (source.tensors, source.graph) if seen is None else (seen.activations, seen.graph)
    values = sum(ref.tensor.numel() for ref in refs.values())
    print(f"{config.source}: {len(refs)} tensors, {values:,} values")
    scene = NetworkScene(refs, graph, aspect=config.size[0] / config.size[1])
    # Activations are of one network on one picture: there is nothing of the other to subtract.
    if other is not None and seen is None:
        scene.update(_compare(source, other, config).tensors)
    try:
        with open_view(f"Easel - {config.source}", config, config.size) as view:
            watched = not view.headless
            if watched:
                from easel.workstation.network.network_page import NetworkPage

                page = NetworkPage(view.panel("Network"), scene, details=view.panel("Tensor", side="right", width=0.24))
                view.on_key(page.press)
                view.run()
        _write(config, scene, source, other, watched=watched)
    except GLUnavailable as error:
        raise BadInput(f"pictures of networks need OpenGL: {error}. `./dev system` tells what is missing.") from error
    finally:
        scene.close()
    return 0


def _open(name: str) -> "Source":
    """Open a source that has tensors; BadInput for any other."""
    from easel.inspector.models.onnx_file import OnnxReaderMissingError
    from easel.inspector.models.sources import SourceError, open_source

    with explained(errors=(SourceError, OnnxReaderMissingError)):
        source = open_source(name)
    if not source.tensors:
        raise BadInput(f"{name!r} has no parameters and no buffers: there is nothing to show.")
    return source


def _run(source: "Source", config: InspectConfig) -> "Capture":
    """Run the model on the picture of --activations; returns every step's output."""
    from easel.graphics.image import imread, to_batch
    from easel.inspector.tracing.forward import capture

    assert config.activations is not None
    # Weights alone cannot be run.
    if source.model is None:
        raise BadInput(
            f"--activations needs a model to run; {config.source} holds weights. Name package.module:function."
        )
    # The first convolution says how many channels the picture has to have; a colour picture is the usual.
    kernels = (parameter for parameter in source.model.parameters() if parameter.ndim == 4)
    channels = next((int(kernel.shape[1]) for kernel in kernels), 3)
    if channels not in (1, 3, 4):
        channels = 3
    picture = to_batch(imread(config.activations, channels=channels, device="cpu"))
    # The picture goes where the model is, and in its precision.
    like = next(source.model.parameters(), picture)
    # As it is used: dropout would show zeros that the network never has there.
    seen = capture(source.model, picture.to(like.device, like.dtype), mode="eval")
    if seen.error and not seen.activations:
        raise BadInput(f"the model cannot run on {config.activations}: {seen.error}.")
    if seen.error:
        print(f"the forward pass ended early: {seen.error}")
    return seen


def _compare(source: "Source", other: "Source", config: InspectConfig) -> "Difference":
    """Subtract the source from the other one, and print the tensors that differ most."""
    from easel.inspector.history.comparison import difference

    first, second = ({name: ref.tensor for name, ref in one.tensors.items()} for one in (source, other))
    found = difference(first, second)
    if not found.tensors:
        raise BadInput(f"{config.source} and {config.diff} have no tensor in common ({found.mismatch}).")
    if found.mismatch:
        print(f"left out: {found.mismatch}")
    for name, ratio in found.ranking[:RANKED]:
        print(f"{name}: changed by {ratio:.3g} of its norm")
    return found


def _write(
    config: InspectConfig, scene: "NetworkScene", source: "Source", other: "Source | None", *, watched: bool
) -> None:
    """Write the files that are asked for; if nobody looked at a window, also those that show the same."""
    from easel.graphics.image import imwrite
    from easel.graphics.video import VideoWriter
    from easel.inspector.export.gltf import save_gltf
    from easel.inspector.export.web_page import save_html
    from easel.inspector.network_scene import turntable

    size = config.size[1], config.size[0]
    # A tensor without a sheet has no values in the files either.
    shown = [replace(ref, tensor=values) for ref in scene.refs.values() if (values := _shown(scene, ref)) is not None]
    if not watched:
        _written(config.out / "overview.png", lambda path: imwrite(path, scene.draw(scene.home(size), size)))
    if config.statistics or not watched:
        _write_statistics(config, source, other)
    if config.html or not watched:
        coarse = _written(
            config.out / "network.html", lambda path: save_html(path, shown, scene.arrangement, title=config.source)
        )
        if coarse:
            names = ", ".join(coarse[:3])
            print(f"network.html shows peaks of several cells for {len(coarse)} large tensors: {names} …")
    if config.gltf:
        _written(config.out / "network.glb", lambda path: save_gltf(path, shown, scene.arrangement))
    if config.turntable:

        def film(path: Path) -> None:
            with VideoWriter(path, fps=20) as writer, progress("turning") as bar:
                for frame in counted(turntable(scene, config.turntable, size), config.turntable, bar):
                    writer.append(frame)

        _written(config.out / "turntable.gif", film)


def _shown(scene: "NetworkScene", ref: "TensorRef") -> "Tensor | None":
    """Return the values that the scene shows of a tensor, which may be a difference."""
    sheet = scene.sheet(ref.name)
    return sheet and sheet.tensor


def _write_statistics(config: InspectConfig, source: "Source", other: "Source | None") -> None:
    from easel.inspector.history.snapshot import Snapshot
    from easel.inspector.history.statistics import save_statistics, summarize_network

    def snapshot(one: "Source") -> Snapshot:
        known = {name: ref for name, ref in one.tensors.items() if ref.is_materialised}
        return Snapshot(one.step or 0, {n: r.tensor for n, r in known.items()}, {n: r.kind for n, r in known.items()})

    summary = summarize_network(snapshot(source))
    if other is not None:
        summary = summarize_network(snapshot(other), initial=snapshot(source))
    for suffix in ("json", "csv"):
        _written(config.out / f"statistics.{suffix}", lambda path: save_statistics(path, summary))
    for warning in summary.warnings:
        print(f"warning: {warning}")


def _written(path: Path, write: "Callable[[Path], tuple[str, ...] | None]") -> "tuple[str, ...] | None":
    """Write a file and print its path; returns what `write` returned. BadInput for content that the format refuses."""
    with explained(f"{path} was not written: "):
        told = write(path)
    print(f"wrote {path}")
    return told
