"""`easel fields export`: a field for other programs."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from tyro.conf import Positional

from easel.commands.fields.models import open_model
from easel.console import BadInput, prepare_folder

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
    pages, models = config.html, config.onnx
    if pages is None and models is None:
        pages, models = config.out / "field.html", config.out / "field.onnx"
    for path in (pages, models):
        if path is not None:
            prepare_folder(path.parent)
    model = open_model(config.file)
    if pages is not None:
        _page(model, pages, config.file.stem)
        print(f"wrote {pages}")
    if models is not None:
        print(f"wrote {models}, which differs from torch by {_onnx(model, models):.2g} at most")
    return 0


def _page(model: "INRF", path: Path, title: str) -> None:
    from easel.fields.export.glsl import ShaderError
    from easel.fields.export.shader import to_shader
    from easel.fields.export.web_page import PageSettings, save_page
    from easel.fields.model.extent import per_axis

    field, latent, shown = model.map_fn, model.map_fn.latent, model.fields.window
    calibration, size = model.calibration(), model.output_shape[:-1]
    whole = replace(shown, zoom=1.0, pan=0.0, center=None)
    extent = [shown.latent_scale * n / across for n, (_, across) in zip(size, whole.fractions(size), strict=True)]
    middle = [offset / across for offset, across in shown.fractions(size)]
    zooms = per_axis(shown.zoom, len(size), "zoom")
    try:
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
        save_page(path, to_shader(field, model.dimensions, len(settings.latent)), settings, title=title)
    except (ShaderError, ValueError) as error:
        raise BadInput(f"{error} Its pictures can still be rendered.") from None


def _onnx(model: "INRF", path: Path) -> float:
    from easel.fields.export.onnx_export import OnnxMissingError, save_onnx

    try:
        return save_onnx(
            path, model.map_fn, model.dimensions, latent=model.map_fn.latent, recipe=model.recipe.to_json()
        )
    except OnnxMissingError as error:
        raise BadInput(str(error)) from None
