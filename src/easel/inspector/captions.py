"""What is written at a network's parts: names, shapes, types and ranges, as much as there is room for."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from easel.inspector.colors import AMBER, FAINT, FAULT, TEXT
from easel.inspector.labels import NAME, SMALL, TITLE, Label
from easel.inspector.layout import Box
from easel.inspector.view import Eye

if TYPE_CHECKING:
    from easel.inspector.network_scene import NetworkScene

LEAST_PIXELS = 12
"""Sheets that are smaller on the screen have no name."""


def captions(scene: "NetworkScene", eye: Eye) -> Iterator[Label]:
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
    for box in scene.arrangement.boxes:
        label = _box_label(scene, box, eye)
        if label is not None:
            yield label
    for pad in scene.arrangement.pads:
        (x, y, depth), (right, *_) = eye.project(np.array([pad.origin, np.add(pad.origin, (pad.side, 0, 0))]))
        if depth > 0 and right - x > LEAST_PIXELS * 0.8:
            color = FAULT if pad.error else TEXT
            kind, _, size = pad.text.partition(" ")
            long = ((kind, SMALL, color), (pad.error or size, SMALL, FAINT)) if size else ((kind, SMALL, color),)
            yield Label(float(x), float(y), (long, ((kind, SMALL, color),)), float(right - x))


def _box_label(scene: "NetworkScene", box: Box, eye: Eye) -> Label | None:
    origin = np.array(box.origin)
    corners = origin + np.array([(0, 0, 0), box.right, box.down, np.add(box.right, box.down)])
    at = eye.project(corners)
    if at[:, 2].min() <= 0:
        return None
    low, high = at[:, :2].min(axis=0), at[:, :2].max(axis=0)
    width, height = (float(part) for part in high - low)
    if max(width, height) < LEAST_PIXELS or high[0] < 0 or high[1] < 0 or low[0] > eye.size[1] or low[1] > eye.size[0]:
        return None
    if box.docked_to and width < 3 * LEAST_PIXELS:
        return None
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
    # Hidden by its neighbours' names is better than naming what is too small to be seen.
    x, y = max(float(low[0]), 0.0), float(at[0, 1])
    inside = y < 40 and high[1] > 60
    return Label(x, 42.0 if inside else y, choices, width * height, max(1.15 * width, 60.0))


def _short(name: str, stage: str) -> str:
    """A name within its stage, without the word that most names end with."""
    inside = name.removeprefix(f"{stage}.") if stage else name
    return inside.removesuffix(".weight") or inside


def _count(values: int) -> str:
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if values >= limit:
            return f"{values / limit:.3g} {unit}"
    return str(values)
