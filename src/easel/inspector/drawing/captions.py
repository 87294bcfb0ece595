"""What is written at a network's parts: names, shapes, types and ranges, as much as there is room for."""

from collections.abc import Iterator

import numpy as np

from easel.inspector.drawing.colors import AMBER, FAINT, FAULT, TEXT
from easel.inspector.drawing.labels import NAME, SMALL, TITLE, Label
from easel.inspector.layout.arrangement import Box
from easel.inspector.scene.content import Content
from easel.inspector.scene.view import Eye

LEAST_PIXELS = 12
"""Sheets that are smaller on the screen have no name."""


def captions(scene: Content, eye: Eye) -> Iterator[Label]:
    """Labels of all that is in the picture; `labels.place` drops those that find no room."""
    for plate in scene.arrangement.plates:
        if not plate.title:
            continue
        corners = np.array([plate.origin, np.add(plate.origin, (plate.width, 0, 0))])
        (x, y, depth), (right, _, other) = eye.project(corners)
        if min(depth, other) > 0 and right - x > 2 * LEAST_PIXELS:
            values = _count(scene.stage_values(plate.title))
            titles = (f"{plate.title}   {values} values", TITLE), (plate.title, TITLE), (plate.title, NAME)
            choices = tuple(((text, letters, AMBER),) for text, letters in titles)
            yield Label(float(x), float(y), choices, 1e9 + float(right - x))
    boxes = scene.arrangement.boxes
    places = eye.project(scene.corners)
    low, high = places[..., :2].min(axis=1), places[..., :2].max(axis=1)
    sizes, nearest = high - low, places[..., 2].min(axis=1)
    shown = (nearest > 0) & (sizes.max(axis=1) >= LEAST_PIXELS) & (~scene.docked | (sizes[:, 0] >= 3 * LEAST_PIXELS))
    shown &= (high > 0).all(axis=1) & (low < (eye.size[1], eye.size[0])).all(axis=1)
    for number in np.flatnonzero(shown):
        left, top, bottom = float(low[number, 0]), float(places[number, 0, 1]), float(high[number, 1])
        yield _box_label(scene, boxes[number], (left, top, bottom), float(sizes[number, 0]), float(sizes[number, 1]))
    for pad in scene.arrangement.pads:
        (x, y, depth), (right, *_) = eye.project(np.array([pad.origin, np.add(pad.origin, (pad.side, 0, 0))]))
        if depth > 0 and right - x > LEAST_PIXELS * 0.8:
            color = FAULT if pad.error else TEXT
            kind, _, size = pad.text.partition(" ")
            long = ((kind, SMALL, color), (pad.error or size, SMALL, FAINT)) if size else ((kind, SMALL, color),)
            yield Label(float(x), float(y), (long, ((kind, SMALL, color),)), float(right - x))


def _box_label(scene: Content, box: Box, edges: tuple[float, float, float], width: float, height: float) -> Label:
    """The label of a box whose left, upper and lower `edges`, `width` and `height` on the picture are known."""
    ref = scene.refs[box.name]
    shape = "×".join(map(str, ref.tensor.shape)) or "scalar"
    short = _short(box.name, box.stage)
    kind = str(ref.tensor.dtype).removeprefix("torch.")
    detail = f"{shape}  {kind}"
    if box.note:
        detail = f"{shape}  {box.note}"
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
    """A name within its stage, without the word that most names end with."""
    inside = name.removeprefix(f"{stage}.") if stage else name
    inside = inside.removesuffix(".weight") or inside
    return name.removesuffix(".weight") if inside.isdigit() else inside  # a number alone says nothing


def _count(values: int) -> str:
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if values >= limit:
            return f"{values / limit:.3g} {unit}"
    return str(values)
