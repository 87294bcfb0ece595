"""Routes of data between layers: straight to the next, around to another line, in arcs over what is skipped."""

import itertools
import math

from easel.inspector.layout.arrangement import Route, Vector
from easel.inspector.layout.layers import Layer
from easel.inspector.models.graph import Graph

BEHIND = -0.03
"""z of routes: behind sheets, and in front of plates."""
CORNER = 0.3
"""Distance at which a route leaves a layer, and the size of its rounded corners."""
STEPS = 12
"""Straight pieces of an arc."""
ARC = 0.35
"""Height of an arc above what it skips."""


def routes(layers: list[Layer], graph: Graph | None) -> tuple[Route, ...]:
    """Return all routes: of data if there is a graph, else in the order of definition."""
    if graph is None or not graph.edges:
        return tuple(_route(a, b, skips=False, values=0, is_known=False) for a, b in itertools.pairwise(layers))
    home = {name: number for number, layer in enumerate(layers) for name in layer.nodes}
    # Along the main path: branches stand farther back.
    neighbours = set(itertools.pairwise(number for number, layer in enumerate(layers) if not layer.depth))
    found: dict[tuple[int, int], Route] = {}
    for edge in graph.edges:
        if edge.source not in home or edge.target not in home:
            continue
        pair = home[edge.source], home[edge.target]
        # Inside a layer nothing moves; of several activations on the same way one is drawn.
        if pair[0] == pair[1] or pair in found:
            continue
        source, target = layers[pair[0]], layers[pair[1]]
        # Only along the main path: branches stand above it, and nothing stands between them and their ends.
        skips = pair not in neighbours and pair[0] < pair[1] and not source.depth and not target.depth
        found[pair] = _route(source, target, skips=skips, values=math.prod(edge.shape), is_known=True)
    return tuple(found.values())


def _route(source: Layer, target: Layer, *, skips: bool, values: int, is_known: bool) -> Route:
    if source.line != target.line:
        points = _around(source, target)
    elif skips or target.left < source.right:
        points = _arc(source, target)
    else:
        points = _straight(source, target)
    shifted = tuple((float(x), float(y), float(z + BEHIND)) for x, y, z in points)
    return Route(source.title, target.title, shifted, values, skips, is_known)


def _straight(source: Layer, target: Layer) -> list[Vector]:
    """Return the way to the next layer; to or from a branch, with a step up or down halfway."""
    start = source.right, source.middle, source.depth
    end = target.left, target.middle, target.depth
    if not source.depth and not target.depth:
        return [start, end]
    x = (start[0] + end[0]) / 2
    return _rounded([start, (x, *start[1:]), (x, *end[1:]), end])


def _arc(source: Layer, target: Layer) -> list[Vector]:
    """Return a curve over all that stands between two layers of a line."""
    left, right = (source.left + source.right) / 2, (target.left + target.right) / 2
    start, end = source.middle + source.height / 2, target.middle + target.height / 2
    # The wider, the higher: arcs that begin or end together stay apart.
    top = max(source.ceiling, target.ceiling, start, end) + ARC + 0.02 * abs(right - left)
    points = []
    for step in range(STEPS + 1):
        t = step / STEPS
        # A superellipse, flat above and steep at both ends. Points by the cosine lie denser where it bends.
        x = left + (right - left) * (0.5 - 0.5 * math.cos(math.pi * t))
        # `or 1`: between a layer and a branch right above it there is no width to divide by.
        lift = (1 - abs(2 * (x - left) / (right - left or 1) - 1) ** 4) ** 0.25
        foot = start + (end - start) * t
        points.append((x, foot + (top - foot) * lift, 0.0))
    return points


def _around(source: Layer, target: Layer) -> list[Vector]:
    """Return the way along the gutter under the source's line to a layer of another line."""
    leave, enter = source.right + CORNER, target.left - CORNER
    first = [(source.right, source.middle), (leave, source.middle), (leave, source.gutter)]
    second = [(enter, source.gutter), (enter, target.middle), (target.left, target.middle)]
    return _rounded([*((x, y, source.depth) for x, y in first), *((x, y, target.depth) for x, y in second)])


def _rounded(points: list[Vector]) -> list[Vector]:
    """Return the polyline with its corners cut off."""
    result = [points[0]]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        result += [_toward(corner, before), _toward(corner, after)]
    return [*result, points[-1]]


def _toward(corner: Vector, other: Vector) -> Vector:
    """Return the point CORNER / 2 from `corner` toward `other`, at most halfway, where the next cut begins."""
    length = math.dist(other, corner)
    # `or 1`: two points in one place have no direction, and nothing is cut.
    share = min(CORNER / 2, length / 2) / (length or 1)
    x, y, z = (a + (b - a) * share for a, b in zip(corner, other, strict=True))
    return x, y, z
