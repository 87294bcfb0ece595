"""What stands around the sheets: plates of stages, pads of operations, empty boxes, and the ways of data."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from easel.inspector.drawing.colors import AMBER, EMPTY, FAULT, FLOW, ORDER, PAD, PLATE, PLATE_EDGE, SKIP, Rgb
from easel.inspector.layout.arrangement import Arrangement, Route

WIDTHS = (1.5, 2.0, 3.0, 4.0)
"""Pixels of ways, the more data the wider."""
TIP = 0.22
"""Length of an arrow's tip."""


def plate_rows(arrangement: Arrangement) -> Float[np.ndarray, "n 17"]:
    """Plates, pads and empty boxes as the brush wants them."""
    rows = []
    for plate in arrangement.plates:
        sides = (plate.width, 0, 0, 0, -plate.height, 0)
        rows.append((*plate.origin, *sides, *PLATE, 0.25, *PLATE_EDGE, 1.2))
    for pad in arrangement.pads:
        sides = (pad.side, 0, 0, 0, -pad.side, 0)
        rows.append((*pad.origin, *sides, *(FAULT if pad.error else PAD), 0.12, *FLOW, 1.5))
    for box in arrangement.boxes:
        if box.sheet is None:
            rows.append((*box.origin, *box.right, *box.down, *EMPTY, 0.0, *AMBER, 1.5))
    return np.array(rows, np.float32).reshape(-1, 17)


def line_sets(arrangement: Arrangement) -> Iterator[tuple[float, Float[Tensor, "n 2 3"], Float[Tensor, "n 3"]]]:
    """The ways, gathered by width: (pixels, segments, colours)."""
    sets: dict[float, list[tuple[np.ndarray, Rgb]]] = {}
    for route in arrangement.routes:
        color = SKIP if route.skips else FLOW if route.is_known else ORDER
        sets.setdefault(_width(route), []).append((_segments(route), color))
    for width, parts in sets.items():
        segments = np.concatenate([part for part, _ in parts]).astype(np.float32)
        colors = np.concatenate([np.tile(np.array(color, np.float32), (len(part), 1)) for part, color in parts])
        yield width, torch.from_numpy(segments), torch.from_numpy(colors)


def _width(route: Route) -> float:
    if not route.values:
        return WIDTHS[0]
    return WIDTHS[min(max(int(math.log10(route.values)) - 2, 0), len(WIDTHS) - 1)]


def _segments(route: Route) -> Float[np.ndarray, "n 2 3"]:
    """A way's pieces, and a fan of them as its tip."""
    points = np.array(route.points)
    pieces = [np.stack([points[:-1], points[1:]], axis=1)]
    along = points[-1] - points[-2]
    length = np.linalg.norm(along)
    if length > 0:
        along = along / length
        side = np.array([-along[1], along[0], 0.0])
        tip = points[-1]
        wings = [tip - TIP * along + share * TIP * side for share in (-0.5, -0.25, 0.0, 0.25, 0.5)]
        pieces.append(np.stack([np.stack([wing, tip]) for wing in wings]))
    return np.concatenate(pieces)
