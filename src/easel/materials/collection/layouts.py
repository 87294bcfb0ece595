"""Laid units: bricks, tiles and boards, each with its place in the course and the way to its joint."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt32
from numpy import ndarray

from easel.materials.collection.noise import Points, combine, uniform


@dataclass(frozen=True)
class Units:
    """The unit under every texel; lengths in tile sides."""

    border: Float32[ndarray, "h w"]
    """To the nearest side of the unit, negative nowhere: the middle of a joint is 0."""
    identity: UInt32[ndarray, "h w"]
    """A random word per unit."""
    across: Float32[ndarray, "h w"]
    up: Float32[ndarray, "h w"]
    """From the unit's middle, in [-½, ½] of its width and height."""


def courses(
    points: Points,
    columns: int,
    rows: int,
    seed: int,
    *,
    offset: float = 0.5,
    scatter: float = 0.0,
    corner: float = 0.0,
) -> Units:
    """Rows of units, every second one shifted by `offset` units, each by up to `scatter` more of its own.

    With an offset `rows` is even. `corner` rounds the corners by that many tile sides.
    """
    y = points.y * np.float32(rows)
    row = np.floor(y)
    course = row.astype(np.int32) % np.int32(rows)
    shift = (course % 2).astype(np.float32) * np.float32(offset)
    if scatter:
        shift = shift + np.float32(scatter) * uniform(course.astype(np.uint32), seed)
    x = points.x * np.float32(columns) + shift
    column = np.floor(x)
    place = column.astype(np.int32) % np.int32(columns)
    across, up = x - column - np.float32(0.5), y - row - np.float32(0.5)
    aside = (np.float32(0.5) - np.abs(across)) * np.float32(1 / columns)
    above = (np.float32(0.5) - np.abs(up)) * np.float32(1 / rows)
    border = np.minimum(aside, above)
    if corner:
        inner_x, inner_y = np.maximum(corner - aside, 0), np.maximum(corner - above, 0)
        rounded = np.float32(corner) - np.sqrt(inner_x * inner_x + inner_y * inner_y)
        border = np.where((inner_x > 0) & (inner_y > 0), rounded, border)
    words = (course * np.int32(columns) + place).astype(np.uint32)
    shape = np.broadcast_shapes(across.shape, up.shape)
    return Units(border, combine(words, seed), np.broadcast_to(across, shape), np.broadcast_to(up, shape))
