"""All text of a picture: names, shapes and ranges at a network's parts, and the legend along the lower edge."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from easel.inspector.drawing.colors import AMBER, BACKGROUND, FAINT, FAULT, LOUD, TEXT, Rgb, value_colors
from easel.inspector.drawing.labels import NAME, SMALL, TITLE, Label, Region, Rows, filled, glyphs, place
from easel.inspector.layout.arrangement import Box
from easel.inspector.scene.content import Content
from easel.inspector.scene.pyramid import Pyramid
from easel.inspector.scene.view import Eye

LEAST_PIXELS = 12
"""Size on the screen below which sheets have no name."""
LEGEND_STEPS = 48
"""Rectangles of the legend's bar."""
LEGEND_WIDTH = 200
"""Width of the legend's bar in pixels."""
LEGEND_HEIGHT = 28
LEGEND_MARGIN = 12
"""Pixels left of the legend."""


@dataclass(frozen=True)
class LegendText:
    """Words of the legend: the ends of the bar, and a remark."""

    left: str
    right: str
    note: str
    sequential: bool = False


def text_rows(content: Content, eye: Eye) -> Rows:
    """Return names and legend as quads."""
    # The legend first: names keep out of its way, not it out of theirs.
    legends = [_legend_rows(_legend(content, eye), eye.size)] if content.legend else []
    labels = captions(content, eye) if content.labels else ()
    names, _ = place(labels, eye.size, [region for _, region in legends])
    return np.vstack([names, *(rows for rows, _ in legends)])


def captions(scene: Content, eye: Eye) -> Iterator[Label]:
    """Yield the labels of everything in the picture; `labels.place` drops those that find no room."""
    yield from _plate_labels(scene, eye)
    boxes = scene.arrangement.boxes
    corners = eye.project(scene.corners)
    low, high = corners[..., :2].min(axis=1), corners[..., :2].max(axis=1)
    sizes = high - low
    # Docked strips are narrow: their names would cover the sheet beside them.
    shown = (sizes.max(axis=1) >= LEAST_PIXELS) & (~scene.docked | (sizes[:, 0] >= 3 * LEAST_PIXELS))
    shown &= corners[..., 2].min(axis=1) > 0
    shown &= (high > 0).all(axis=1) & (low < (eye.size[1], eye.size[0])).all(axis=1)
    for number in np.flatnonzero(shown):
        edges = float(low[number, 0]), float(corners[number, 0, 1]), float(high[number, 1])
        yield _box_label(scene, boxes[number], edges, *sizes[number].tolist())
    for pad in scene.arrangement.pads:
        (x, y, depth), (right, *_) = eye.project(np.array([pad.origin, np.add(pad.origin, (pad.side, 0, 0))]))
        if depth > 0 and right - x > LEAST_PIXELS * 0.8:
            color = FAULT if pad.error else TEXT
            kind, _, size = pad.text.partition(" ")
            short = ((kind, SMALL, color),)
            full = (*short, (pad.error or size, SMALL, FAINT)) if size else short
            yield Label(float(x), float(y), (full, short), float(right - x))


def _plate_labels(scene: Content, eye: Eye) -> Iterator[Label]:
    """Yield the titles of the stages."""
    for plate in scene.arrangement.plates:
        if not plate.title:
            continue
        corners = np.array([plate.origin, np.add(plate.origin, (plate.width, 0, 0))])
        (x, y, depth), (right, _, other) = eye.project(corners)
        if min(depth, other) > 0 and right - x > 2 * LEAST_PIXELS:
            count = _count(scene.stage_values(plate.title))
            titles = (f"{plate.title}   {count} values", TITLE), (plate.title, TITLE), (plate.title, NAME)
            choices = tuple(((text, letters, AMBER),) for text, letters in titles)
            # Heavier than any box: a stage tells more than the name of one of its tensors.
            yield Label(float(x), float(y), choices, 1e9 + float(right - x))


def _box_label(scene: Content, box: Box, edges: tuple[float, float, float], width: float, height: float) -> Label:
    """Return the label of a box whose left, upper and lower `edges`, `width` and `height` are given in pixels."""
    ref = scene.refs[box.name]
    shape = "×".join(map(str, ref.tensor.shape)) or "scalar"
    short = _short(box.name, box.stage)
    detail = f"{shape}  {box.note or str(ref.tensor.dtype).removeprefix('torch.')}"
    if (sheet := scene.sheet(box.name)) is not None:
        pyramid = sheet.pyramid(scene.aggregate)
        detail += f"  {pyramid.low:.2g} … {pyramid.high:.2g}"
        if pyramid.bad:
            detail += f"  {pyramid.bad} NaN or Inf"
    if ref.aliases:
        detail += f"  = {', '.join(ref.aliases)}"
    choices = (
        ((box.name, NAME, TEXT), (detail, SMALL, FAINT)),
        ((short, NAME, TEXT), (shape, SMALL, FAINT)),
        ((short, NAME, TEXT),),
        ((short, SMALL, TEXT),),
    )
    left, top, bottom = edges
    # What reaches above the picture keeps its name inside.
    y = 42.0 if top < 40 and bottom > 60 else top
    # Hidden by its neighbours' names is better than naming what is too small to be seen.
    return Label(max(left, 0.0), y, choices, width * height, max(1.15 * width, 60.0))


def _short(name: str, stage: str) -> str:
    """Return a name within its stage, without the word that most names end with."""
    inside = name.removeprefix(f"{stage}.").removesuffix(".weight")
    # A number alone says nothing.
    return name.removesuffix(".weight") if inside.isdigit() else inside or name


def _count(values: int) -> str:
    """Return `4.1 M`: a count of three digits."""
    # Three digits: more would be read as if they mattered.
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if values >= limit:
            return f"{values / limit:.3g} {unit}"
    return str(values)


def _legend(content: Content, eye: Eye) -> LegendText:
    """Return the legend of the tensor under the mouse, of the selected one, or of all."""
    # The mouse before the selection: the legend says what the cell under it means.
    name = content.hover.name if content.hover is not None else content.selected
    sheet = content.sheet(name)
    if sheet is None:
        notes = {
            "own": "zero is white; each tensor has its own limit",
            "peak": "zero is white; each limit is a largest magnitude",
            "shared": "zero is white; one limit for all tensors",
        }
        return LegendText("-limit", "+limit", notes[content.ranges])
    box = sheet.box
    corners = np.array([box.origin, np.add(box.origin, box.right), np.add(box.origin, box.down)])
    at = eye.project(corners)
    rows, columns = sheet.map.grid
    # A sheet that is seen edge on has no extent.
    across = max(math.dist(at[0, :2], at[1, :2]), 1e-6)
    down = max(math.dist(at[0, :2], at[2, :2]), 1e-6)
    # As the shader chooses its level: rounded up, so that no texel is smaller than a pixel.
    level = max(math.ceil(math.log2(max(columns / across, rows / down))), 0) if at[:, 2].min() > 0 else 0
    cells = min(1 << level, rows) * min(1 << level, columns)
    pyramid = sheet.pyramid(content.aggregate)
    return _sheet_legend(pyramid, box.name, sheet.is_sequential(content.aggregate), cells, content.ranges)


def _sheet_legend(pyramid: Pyramid, name: str, sequential: bool, cells: int, ranges: str) -> LegendText:
    """Return the legend of one sheet, of which a pixel covers so many `cells`."""
    limit = f"{pyramid.peak if ranges == 'peak' else pyramid.limit:.3g}"
    covered = f"{pyramid.aggregate} of {cells} cells" if cells > 1 else "part of one cell"
    note = f"{name} · a pixel is {covered}"
    if not sequential:
        return LegendText(f"-{limit}", f"+{limit}", note)
    return LegendText("0", limit if pyramid.high > 0 else f"-{limit}", note, True)


def _legend_rows(text: LegendText, size: tuple[int, int]) -> tuple[Rows, Region]:
    """Return the quads of a legend along the lower edge of a picture of `size` = (height, width), and its region."""
    table = glyphs()
    height, width = size
    top = float(height - LEGEND_HEIGHT)
    rows = [filled(0.0, top, width, LEGEND_HEIGHT, BACKGROUND, 0.9)]
    x = float(LEGEND_MARGIN)
    y = top + (LEGEND_HEIGHT - NAME) / 2 - 1

    def write(words: str, color: Rgb = TEXT, gap: int = 6) -> None:
        nonlocal x
        rows.append(table.rows(words, x, y, NAME, color))
        x += table.width(words, NAME) + gap

    write(text.left)
    bar = min(LEGEND_WIDTH, width // 4)
    shares = np.linspace(text.sequential - 1, 1, LEGEND_STEPS)
    # Whole pixels: between rectangles that share one, the background would shine through.
    edges = np.round(np.linspace(x, x + bar, LEGEND_STEPS + 1))
    for start, end, color in zip(edges, edges[1:], value_colors(shares, sequential=text.sequential), strict=False):
        rows.append(filled(start, top + 7, end - start, LEGEND_HEIGHT - 14, color.tolist()))
    x += bar + 6
    write(text.right, gap=24)
    rows.append(filled(x, top + 9, LEGEND_HEIGHT - 18, LEGEND_HEIGHT - 18, LOUD))
    x += LEGEND_HEIGHT - 12
    write("NaN, Inf", FAINT, 24)
    write(text.note, AMBER)
    return np.vstack(rows), (0.0, top, float(width), float(height))
