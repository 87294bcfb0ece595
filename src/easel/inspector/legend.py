"""What the colours mean: written on every picture."""

from dataclasses import dataclass

import numpy as np

from easel.inspector.colors import AMBER, BACKGROUND, FAINT, LOUD, value_colors
from easel.inspector.labels import NAME, SMALL, Region, Rows, filled, glyphs
from easel.inspector.pyramid import Pyramid

STEPS = 48
WIDTH, BAR, MARGIN = 270, 12, 12
"""Of the legend, its bar and its distance to the picture's edge, in pixels."""


@dataclass(frozen=True)
class LegendText:
    """What the legend says."""

    left: str
    middle: str
    right: str
    note: str
    sequential: bool = False


def legend_of(pyramid: Pyramid | None, name: str, sequential: bool, cells: int, ranges: str) -> LegendText:
    """The legend of one sheet, or of all where `pyramid` is None; `cells` is what a pixel covers of it."""
    means = f"{pyramid.aggregate if pyramid else 'peak'} of {cells} cells" if cells > 1 else "one cell"
    if pyramid is None:
        note = {"own": "each tensor's own range: 99.5 % of |v|", "peak": "each tensor's own peak"}.get(
            ranges, "one range for all tensors"
        )
        return LegendText("−limit", "0", "+limit", note)
    limit = f"{pyramid.peak if ranges == 'peak' else pyramid.limit:.3g}"
    note = f"{name} · a pixel is {means if cells > 1 else 'part of one cell'}"
    if sequential:
        return LegendText("0", "", limit if pyramid.high > 0 else f"−{limit}", note, True)
    return LegendText(f"−{limit}", "0", f"+{limit}", note)


def legend_rows(text: LegendText, size: tuple[int, int]) -> tuple[Rows, Region]:
    """The quads of a legend in the lower left corner of a picture of `size` = (height, width), and what it covers."""
    table = glyphs()
    width = min(max(WIDTH, table.width(text.note, SMALL) + 20), size[1] - 2 * MARGIN)
    height = BAR + NAME + SMALL + 24
    left, top = MARGIN, size[0] - MARGIN - height
    bar = width - 20
    shares = np.linspace(0 if text.sequential else -1, 1, STEPS)
    rows = [filled(left, top, width, height, BACKGROUND, 0.82)]
    edges = np.round(np.linspace(left + 10, left + 10 + bar, STEPS + 1))
    for start, end, color in zip(edges, edges[1:], value_colors(shares, sequential=text.sequential), strict=False):
        rows.append(filled(start, top + 8, end - start, BAR, (float(color[0]), float(color[1]), float(color[2]))))
    y = top + 8 + BAR + 3
    rows.append(table.rows(text.left, left + 10, y, NAME))
    rows.append(table.rows(text.middle, left + 10 + (bar - table.width(text.middle, NAME)) / 2, y, NAME))
    rows.append(table.rows(text.right, left + 10 + bar - table.width(text.right, NAME), y, NAME))
    rows.append(filled(left + 10 + 0.75 * bar - 16, y + 4, 9, 9, LOUD) if not text.sequential else filled(0, 0, 0, 0, LOUD))
    if not text.sequential:
        rows.append(table.rows("NaN", left + 10 + 0.75 * bar - 4, y + 1, SMALL, FAINT))
    rows.append(table.rows(text.note, left + 10, y + NAME + 4, SMALL, AMBER))
    return np.vstack(rows), (float(left), float(top), float(left + width), float(top + height))
