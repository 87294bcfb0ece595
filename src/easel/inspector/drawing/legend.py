"""What the colours mean: written on every picture."""

from dataclasses import dataclass

import numpy as np

from easel.inspector.drawing.colors import AMBER, BACKGROUND, FAINT, LOUD, TEXT, Rgb, value_colors
from easel.inspector.drawing.labels import NAME, Region, Rows, filled, glyphs
from easel.inspector.scene.pyramid import Pyramid

STEPS = 48
WIDTH, HEIGHT, MARGIN = 200, 28, 12
"""Of the bar, of the legend, and left of it, in pixels."""


@dataclass(frozen=True)
class LegendText:
    """What the legend says."""

    left: str
    right: str
    note: str
    sequential: bool = False


def legend_of(pyramid: Pyramid | None, name: str, sequential: bool, cells: int, ranges: str) -> LegendText:
    """The legend of one sheet, or of all where `pyramid` is None; `cells` is what a pixel covers of it."""
    means = f"{pyramid.aggregate if pyramid else 'peak'} of {cells} cells" if cells > 1 else "one cell"
    if pyramid is None:
        note = {
            "own": "zero is white; each tensor has its own limit",
            "peak": "zero is white; each limit is a largest magnitude",
        }.get(ranges, "zero is white; one limit for all tensors")
        return LegendText("-limit", "+limit", note)
    limit = f"{pyramid.peak if ranges == 'peak' else pyramid.limit:.3g}"
    note = f"{name} · a pixel is {means if cells > 1 else 'part of one cell'}"
    if sequential:
        return LegendText("0", limit if pyramid.high > 0 else f"-{limit}", note, True)
    return LegendText(f"-{limit}", f"+{limit}", note)


def legend_rows(text: LegendText, size: tuple[int, int]) -> tuple[Rows, Region]:
    """The quads of a legend along the lower edge of a picture of `size` = (height, width), and what it covers."""
    table = glyphs()
    top, left, right = float(size[0] - HEIGHT), 0.0, float(size[1])
    rows = [filled(left, top, right - left, HEIGHT, BACKGROUND, 0.9)]
    x, y = left + MARGIN, top + (HEIGHT - NAME) / 2 - 1

    def write(words: str, color: Rgb = TEXT, gap: int = 6) -> None:
        nonlocal x
        rows.append(table.rows(words, x, y, NAME, color))
        x += table.width(words, NAME) + gap

    write(text.left)
    bar = min(WIDTH, size[1] // 4)
    shares = np.linspace(0 if text.sequential else -1, 1, STEPS)
    edges = np.round(np.linspace(x, x + bar, STEPS + 1))
    for start, end, color in zip(edges, edges[1:], value_colors(shares, sequential=text.sequential), strict=False):
        rows.append(
            filled(start, top + 7, end - start, HEIGHT - 14, (float(color[0]), float(color[1]), float(color[2])))
        )
    x += bar + 6
    write(text.right, gap=24)
    rows.append(filled(x, top + 9, HEIGHT - 18, HEIGHT - 18, LOUD))
    x += HEIGHT - 12
    write("NaN, Inf", FAINT, 24)
    write(text.note, AMBER)
    return np.vstack(rows), (left, top, right, float(size[0]))
