"""`easel fields export`: a field for other programs."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from tyro.conf import Positional

from easel.commands.fields.models import open_model
from easel.console import explained, prepare_folder

if TYPE_CHECKING:
    from easel.fields.artist.inrf import INRF


@dataclass(frozen=True)
class FieldExportConfig:
    """Write a field as a web page and as ONNX; without a choice as both.

    The page is one file that any browser opens: drag to move, wheel to zoom, sliders for the latent. The ONNX file
    computes raw values from coordinates and is compared with torch before it is written.
    """

    file: Annotated[Positional[Path], tyro.conf.arg(metavar="FILE")]
    """A PNG or TIFF that Easel painted, or the .safetensors of a field."""
    html: Path | None = None
    """The web page to write."""
    onnx: Path | None = None
    """The ONNX file to write (extra export)."""
    out: Path = Path("easel-out")
    """Folder for field.html and field.onnx where neither --html nor --onnx names a file."""


def export(config: FieldExportConfig) -> int:
    """Write the files; returns 0."""
    html, onnx = config.html, config.onnx
    if html is None and onnx is None:
        html, onnx = config.out / "field.html", config.out / "field.onnx"
    # Both folders first: an export that takes a while must not end at a folder that cannot be written.
    for path in filter(None, (html, onnx)):
        prepare_folder(path.parent)
    model = open_model(config.file)
    if html is not None:
        _save_html(model, html, config.file.stem)
        print(f"wrote {html}")
    if onnx is not None:
        print(f"wrote {onnx}, which differs from torch by {_save_onnx(model, onnx):.2g} at most")
    return 0


def _save_html(model: "INRF", path: Path, title: str) -> None:
    from easel.fields.export.shader import to_shader
    from easel.fields.export.web_page import PageSettings, save_page
    from easel.fields.model.extent import per_axis

    latent = model.map_fn.latent
    shown = model.fields.window
    calibration = model.calibration()
    size = model.output_shape[:-1]
    # The page opens with the part that the picture shows; its coordinates are those of the whole view.
    whole = replace(shown, zoom=1.0, pan=0.0, center=None)
    extent = [shown.latent_scale * n / across for n, (_, across) in zip(size, whole.fractions(size), strict=True)]
    middle = [offset / across for offset, across in shown.fractions(size)]
    # A page zooms both axes alike: the smaller factor shows all of the picture.
    zooms = per_axis(shown.zoom, len(size), "zoom")
    with explained(after=" Its pictures can still be rendered."):
        settings = PageSettings(
            (size[0], size[1]),
            extent=extent,
            center=middle,
            zoom=min(zooms[:2]),
            low=float(calibration.lo),
            high=float(calibration.hi),
            latent=[] if latent is None else latent.tolist(),
            reach=2.0 * float(model.recipe.latent_scale),
        )
        shader = to_shader(model.map_fn, model.dimensions, len(settings.latent))
        save_page(path, shader, settings, title=title)


def _save_onnx(model: "INRF", path: Path) -> float:
    from easel.fields.export.onnx_export import OnnxMissingError, save_onnx

    # The file is compared with torch before it is written, so its error is known here.
    with explained(errors=OnnxMissingError):
        return save_onnx(
            path, model.map_fn, model.dimensions, latent=model.map_fn.latent, recipe=model.recipe.to_json()
        )
