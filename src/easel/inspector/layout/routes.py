"""The ways of data between layers: straight to the next, around to another line, in arcs over what is skipped."""

import itertools
import math
from dataclasses import dataclass

from easel.inspector.layout.layers import Item
from easel.inspector.layout.places import Vector
from easel.inspector.models.graph import Graph

BEHIND = -0.03
"""Ways pass behind sheets, and in front of plates."""
CORNER = 0.3
STEPS = 12
"""Straight pieces of an arc."""
ARC = 0.35
"""Height of an arc above what it skips."""


@dataclass(frozen=True)
class Route:
    """A polyline from one layer to another; its last point is the tip of an arrow."""

    source: str
    target: str
    points: tuple[Vector, ...]
    values: int = 0
    """How many numbers pass; 0 where nobody has counted."""
    skips: bool = False
    """Whether it passes over other layers."""
    is_known: bool = True
    """Whether a forward pass has shown it; else it only says what was defined after what."""


def routes(items: list[Item], graph: Graph | None) -> tuple[Route, ...]:
    """All ways, of data where there is a graph, else of definition."""
    if graph is None or not graph.edges:
        return tuple(_route(a, b, False, 0, False) for a, b in itertools.pairwise(items))
    home = {name: item for item in items for name in item.nodes}
    order = {id(item): number for number, item in enumerate(item for item in items)}
    spine = [item for item in items if not item.depth]
    follows = {id(a): id(b) for a, b in itertools.pairwise(spine)}
    found: dict[tuple[int, int], Route] = {}
    for edge in graph.edges:
        source, target = home.get(edge.source), home.get(edge.target)
        if source is None or target is None or source is target or (id(source), id(target)) in found:
            continue
        neighbour = follows.get(id(source)) == id(target)
        skips = not neighbour and not (source.depth or target.depth) and order[id(source)] < order[id(target)]
        found[id(source), id(target)] = _route(source, target, skips, math.prod(edge.shape), True)
    return tuple(found.values())


def _route(source: Item, target: Item, skips: bool, values: int, is_known: bool) -> Route:
    start, end = (source.right, source.middle, source.depth), (target.left, target.middle, target.depth)
    if source.line == target.line and not skips and target.left >= source.right:
        points = [start, end] if not (source.depth or target.depth) else _step(start, end)
    elif source.line == target.line:
        points = _arc(source, target)
    else:
        points = _around(source, target)
    shown = tuple((float(x), float(y), float(z + BEHIND)) for x, y, z in points)
    return Route(source.title, target.title, shown, values, skips, is_known)


def _step(start: Vector, end: Vector) -> list[Vector]:
    """Up or down to another height, halfway."""
    x = (start[0] + end[0]) / 2
    return _rounded([start, (x, start[1], start[2]), (x, end[1], end[2]), end])


def _arc(source: Item, target: Item) -> list[Vector]:
    """Over all that stands between two layers of a line."""
    left, right = (source.left + source.right) / 2, (target.left + target.right) / 2
    start = source.middle + source.height / 2
    end = target.middle + target.height / 2
    top = max(source.ceiling, target.ceiling, start, end) + ARC + 0.02 * abs(right - left)
    points = []
    for step in range(STEPS + 1):
        t = step / STEPS
        # A superellipse, flat above and steep at both ends.
        x = left + (right - left) * (0.5 - 0.5 * math.cos(math.pi * t))
        lift = (1 - abs(2 * (x - left) / (right - left or 1) - 1) ** 4) ** 0.25
        foot = start + (end - start) * t
        points.append((x, foot + (top - foot) * lift, 0.0))
    return points


def _around(source: Item, target: Item) -> list[Vector]:
    """Along the gutter under the source's line to the target."""
    out, enter = source.right + CORNER, target.left - CORNER
    depth = source.depth
    return _rounded(
        [
            (source.right, source.middle, depth),
            (out, source.middle, depth),
            (out, source.gutter, depth),
            (enter, source.gutter, target.depth),
            (enter, target.middle, target.depth),
            (target.left, target.middle, target.depth),
        ]
    )


def _rounded(points: list[Vector]) -> list[Vector]:
    """The polyline with its corners cut off."""
    result = [points[0]]
    for before, at, after in zip(points, points[1:], points[2:], strict=False):
        for other in (before, after):
            length = math.dist(other, at)
            share = min(CORNER / 2, length / 2) / length if length else 0.0
            result.append(tuple(a + (o - a) * share for a, o in zip(at, other, strict=True)))  # type: ignore[arg-type]
    return [*result, points[-1]]
