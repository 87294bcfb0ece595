"""Web pages of fields: one HTML file with the shader, the weights and controls for pan, zoom and latents."""

import base64
import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from easel.fields.export.shader import FieldShader
from easel.graphics.files import write_whole

CHANNELS = (1, 2, 3, 4)


@dataclass(frozen=True)
class PageSettings:
    """Initial state of the page."""

    shape: tuple[int, int]
    """Pixels (height, width) of the picture whose whole view the page opens with."""
    extent: Sequence[float | int] = (1.0, 1.0, 1.0)
    """Coordinate at the edge of that view, for every axis: the latent scale, and the aspect where it is kept."""
    center: Sequence[float | int] = (0.0, 0.0, 0.0)
    """Point in the middle at first, from -1 to 1 along every axis of the whole view."""
    zoom: float | int = 1.0
    """Magnification at first; 1 is the whole view."""
    low: float | int = 0.0
    """Raw value that is shown as 0 …"""
    high: float | int = 1.0
    """… and as 1."""
    latent: Sequence[float | int] = ()
    """The latent as the field's network takes it; the page has a slider for each number."""
    reach: float | int = 2.0
    """Least range of those sliders, from -reach to reach."""


def save_page(
    path: str | Path,
    shader: FieldShader,
    settings: PageSettings,
    *,
    title: str = "A neural field",
    recipe: Mapping[str, Any] | None = None,
) -> None:
    """Write the page: self-contained, nothing is fetched; any browser with WebGL 2 draws it.

    A volume is shown as a slice with a slider. The recipe travels along as JSON. Raises ValueError for more than four
    channels, for more than three dimensions and for a latent of another length than the shader's.
    """
    if shader.channels not in CHANNELS or not 1 <= shader.dimensions <= 3:
        raise ValueError(
            f"a page shows 1 to 4 channels in 1 to 3 dimensions; "
            f"this field has {shader.channels} in {shader.dimensions}."
        )
    if len(settings.latent) != shader.latents:
        raise ValueError(f"this field's latent has {shader.latents} numbers; got {len(settings.latent)}.")
    facts = {
        **asdict(settings),
        # Plain floats: NumPy's and torch's own numbers are no JSON.
        **{name: [float(n) for n in getattr(settings, name)] for name in ("latent", "extent", "center")},
        "dimensions": shader.dimensions,
        "latents": shader.latents,
        "channels": shader.channels,
    }
    # Placeholders of the template, {{name}}; all texts are escaped, since a title or a recipe may come from a file.
    parts = {
        "title": html.escape(title),
        "settings": _json(facts),
        "recipe": _json(dict(recipe or {})),
        "shader": shader.source,
        "weights": base64.b64encode(shader.weights.numpy().tobytes()).decode(),
    }
    page = resources.files("easel.fields.export").joinpath("web_page.html").read_text(encoding="utf-8")
    # Not str.format: scripts and styles are full of braces.
    for name, part in parts.items():
        page = page.replace("{{" + name + "}}", part)
    with write_whole(path) as partial:
        partial.write_text(page, encoding="utf-8")


def _json(facts: dict[str, Any]) -> str:
    # A closing tag inside a string would end the script element that holds the JSON.
    return json.dumps(facts).replace("</", "<\\/")
