"""Report: a view as one HTML file that stands alone: its pictures, curves and settings, and no script."""

import base64
import html
import json
import platform
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from easel.graphics.codecs import encode
from easel.graphics.files import write_whole
from easel.graphics.image import as_picture, resize
from easel.version import __version__
from easel.viewer.canvas.canvas import Canvas
from easel.viewer.imgui.sketch import Bar, Curve, Sketch, Words
from easel.viewer.panels.pages import Page
from easel.viewer.panels.panel import Panel
from easel.viewer.view import View
from easel.viewer.widgets.readouts import finite_range, finite_runs

MOST_PIXELS = 1024
"""Pixels on a picture's longest side; a larger one is reduced."""
MOST_POINTS = 1500
"""Points of a curve, at most."""
CURVE_WIDTH, CURVE_HEIGHT = 720, 140
STYLE = """
:root { color-scheme: light dark; --ink: #1b1f27; --quiet: #5a6371; --paper: #f7f8fa; --edge: #ccd2db; --line: #1f6feb }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e7ec; --quiet: #8f97a5; --paper: #191c22; --edge: #2c313b; --line: #5aa2ff }
}
body { max-width: 1080px; margin: 2.5em auto; padding: 0 1.2em; background: var(--paper); color: var(--ink);
       font: 15px/1.5 system-ui, sans-serif }
h1 { margin-bottom: 0 } h2 { margin-top: 2.2em; padding-bottom: .2em; border-bottom: 1px solid var(--edge) }
h3 { margin-bottom: .4em } p { margin: .2em 0; white-space: pre-wrap }
.quiet, figcaption, th { color: var(--quiet); font-weight: normal }
.pictures { display: flex; flex-wrap: wrap; gap: 1em } figure { margin: .6em 0 }
img { max-width: 100%; border: 1px solid var(--edge); border-radius: 4px } .pictures img { max-height: 420px }
table { border-collapse: collapse } th, td { padding: .15em 1.4em .15em 0; text-align: left; vertical-align: top }
svg { width: 100%; height: auto; border: 1px solid var(--edge); border-radius: 4px }
polyline { fill: none; stroke: var(--line); stroke-width: 1.5; vector-effect: non-scaling-stroke }
svg text { fill: var(--quiet); font-size: 12px }
"""
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""The file asks the browser to load nothing and run nothing."""


def write_report(view: View, path: Path) -> None:
    """Write the report of all pages as they are now; FileError or OSError if it cannot be written.

    Call it between two frames, as `View.capture`.
    """
    text = "\n".join(_document(view)) + "\n"
    with write_whole(path) as beside:
        beside.write_text(text, encoding="utf-8")


def _document(view: View) -> Iterator[str]:
    when = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    made = f"{when} · Easel {__version__} · torch {torch.__version__} · Python {platform.python_version()}"
    yield "<!doctype html>"
    yield f'<html lang="en"><head><meta charset="utf-8"><title>{_text(view.title)}: report</title>'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    yield f"<style>{STYLE}</style></head><body>"
    yield f'<h1>{_text(view.title)}</h1><p class="quiet">{_text(made)}</p>'
    # First the window: it shows what the person saw, the rest what they may look for.
    yield _figure("The window", view.capture())
    for page in dict.fromkeys((*view.pages.values(), view.shown_page)):
        yield from _page(page)
    yield "</body></html>"


def _page(page: Page) -> Iterator[str]:
    # A page that is not shown has drawn nothing lately: its panels tell of the time when it was.
    if not page.shown:
        page.rehearse()
    panels = page.panels.values()
    pictures = [(canvas, picture) for panel in panels for canvas in panel.canvases.values()
                if canvas.bound and (picture := panel.look(canvas)) is not None]  # fmt: skip
    if not pictures and not any(panel.values or _has_curve(panel) for panel in panels):
        return  # words alone: they say what could be done here
    if page.name:
        yield f"<h2>{_text(page.name)}</h2>"
    if pictures:
        figures = "".join(_figure(_caption(canvas), picture) for canvas, picture in pictures)
        yield f'<div class="pictures">{figures}</div>'
    for panel in panels:
        told = "\n".join((*_readings(panel), *_settings(panel.values)))
        if told:
            yield f"<h3>{_text(panel.name)}</h3>\n{told}"


def _settings(values: dict[str, object]) -> Iterator[str]:
    """Yield a table of the values of a panel's widgets."""
    if values:
        yield "<table>"
        for label, value in values.items():
            yield f"<tr><th>{_text(_shown(label))}</th><td>{_text(_plain(value))}</td></tr>"
        yield "</table>"


def _sketches(panel: Panel) -> Iterator[Sketch]:
    """Return the plain forms of a panel's read-outs, curves and bars."""
    return (item.sketch() for item in panel.items if not isinstance(item, tuple))


def _has_curve(panel: Panel) -> bool:
    return any(isinstance(sketch, Curve) for sketch in _sketches(panel))


def _readings(panel: Panel) -> Iterator[str]:
    """Yield the read-outs of a panel as elements of HTML."""
    for sketch in _sketches(panel):
        match sketch:
            case Words(text):
                yield f"<p>{_text(text)}</p>"
            # The browser draws a progress bar itself, in its own theme.
            case Bar(fraction, overlay):
                yield f'<p><progress value="{float(fraction):.4f}"></progress> {_text(overlay)}</p>'
            # Headings have no case: what they stand over is a table here.
            case Curve(values, overlay):
                yield curve_svg(values, overlay)


def curve_svg(values: Float64[np.ndarray, " n"], title: str) -> str:
    """Draw a curve over its own range as an SVG element; NaN leaves a gap, and peaks stay where points are left out."""
    low, high = finite_range(values)
    across = CURVE_WIDTH / max(len(values) - 1, 1)
    # A constant has no range: any scale draws it.
    up = (CURVE_HEIGHT - 40) / ((high - low) or 1.0)
    elements = []
    for start, stop in finite_runs(values):
        points = " ".join(
            f"{(start + at) * across:.1f},{CURVE_HEIGHT - 10 - (values[start + at] - low) * up:.1f}"
            for at in _extremes(values[start:stop])
        )
        elements.append(f'<polyline points="{points}"/>')
    elements.append(f'<text x="8" y="18">{_text(title)}</text>')
    if high > low:
        elements.append(f'<text x="{CURVE_WIDTH - 8}" y="18" text-anchor="end">{low:.4g} … {high:.4g}</text>')
    return f'<svg viewBox="0 0 {CURVE_WIDTH} {CURVE_HEIGHT}" role="img">{"".join(elements)}</svg>'


def _extremes(run: Float64[np.ndarray, " n"]) -> list[int]:
    """Return the indices that a line needs: all, or the lowest and highest of every stretch, and the last."""
    # Two points of a stretch: a line of a thousand pixels cannot show more, and would lose peaks with fewer.
    stride = max(2 * len(run) // MOST_POINTS, 1)
    found: list[int] = []
    for start in range(0, len(run), stride):
        stretch = run[start : start + stride]
        found += sorted({start + int(stretch.argmin()), start + int(stretch.argmax())})
    return list(dict.fromkeys([*found, len(run) - 1]))


def _figure(caption: str, picture: Tensor) -> str:
    """Return a figure whose picture lies inside the file itself."""
    # PNG, not JPEG: false colours and single pixels are what the pictures are looked at for.
    data = base64.b64encode(encode(_reduced(picture), ".png")).decode("ascii")
    image = f'<img src="data:image/png;base64,{data}" alt="{_text(caption)}">'
    return f"<figure>{image}<figcaption>{_text(caption)}</figcaption></figure>"


def _reduced(picture: Tensor) -> np.ndarray:
    """Reduce a picture to `MOST_PIXELS` on its longest side, (h, w, c) in [0, 1]."""
    whole = as_picture(picture).float()
    # A photograph of 20 megapixels would make a file that no mail takes.
    height, width, _ = whole.shape
    if max(height, width) > MOST_PIXELS:
        share = MOST_PIXELS / max(height, width)
        whole = resize(whole, (max(round(height * share), 1), max(round(width * share), 1)))
    return whole.cpu().contiguous().numpy()


def _caption(canvas: Canvas) -> str:
    height, width = canvas.size or (0, 0)
    return f"{canvas.name}  {width} x {height}"


def _shown(label: str) -> str:
    return label.partition("##")[0] or label.removeprefix("##")


def _plain(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else json.dumps(value)


def _text(text: str) -> str:
    return html.escape(text, quote=True)
