"""All text of a picture: names and the legend."""

import math

import numpy as np

from easel.inspector.drawing.captions import captions
from easel.inspector.drawing.labels import Rows, place
from easel.inspector.drawing.legend import LegendText, legend_of, legend_rows
from easel.inspector.scene.content import Content
from easel.inspector.scene.view import Eye


def text_rows(content: Content, eye: Eye) -> Rows:
    """Names and legend as quads."""
    legend, taken = np.zeros((0, 12), np.float32), []
    if content.legend:
        legend, region = legend_rows(_legend(content, eye), eye.size)
        taken.append(region)
    names, _ = place(captions(content, eye) if content.labels else (), eye.size, taken)
    return np.vstack([names, legend])


def _legend(content: Content, eye: Eye) -> LegendText:
    name = content.hover.name if content.hover is not None else content.selected
    sheet = content.sheet(name) if name else None
    if sheet is None:
        return legend_of(None, "", False, 1, content.ranges)
    box = sheet.box
    corners = np.array([box.origin, np.add(box.origin, box.right), np.add(box.origin, box.down)])
    at = eye.project(corners)
    rows, columns = sheet.map.grid
    across = max(math.dist(at[0, :2], at[1, :2]), 1e-6)
    down = max(math.dist(at[0, :2], at[2, :2]), 1e-6)
    level = max(math.ceil(math.log2(max(columns / across, rows / down))), 0) if at[:, 2].min() > 0 else 0
    cells = min(1 << level, rows) * min(1 << level, columns)
    pyramid = sheet.pyramid(content.aggregate)
    return legend_of(pyramid, box.name, sheet.is_sequential(content.aggregate), cells, content.ranges)
