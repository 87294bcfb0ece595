"""Where everything stands: tensors of a network → boxes in space, read like a page of text.

World axes are those of `graphics.camera`: x to the right, y up, z toward the viewer. Sheets face +z. Layers follow one
another from left to right, lines from top to bottom; a stage, such as `layer1`, stands on a plate of its own. Nothing
here draws.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from easel.inspector.layout.layers import Item, items_of
from easel.inspector.layout.places import Vector
from easel.inspector.layout.routes import Route, routes
from easel.inspector.layout.sheet_map import SheetMap, sheet_of
from easel.inspector.models.graph import Graph, TensorRef

SIZE, GROWTH = 0.25, 0.25
"""The longer side of a sheet of n cells is SIZE · n^GROWTH: sixteen times the cells, twice as long."""
GAP = 0.8
"""Between layers."""
LINE_GAP = 2.2
"""Between lines: for names, and for the ways of data."""
STRIP, STRIP_GAP = 0.16, 0.05
"""Width of what is one-dimensional, and its distance from what it belongs to."""
PAD = 0.5
"""Side of an operation without tensors."""
SET_BACK = 0.45
"""How far a branch stands behind the main path."""
LIFT = 1.2
"""Between a branch and what it stands above: room for a name."""
MARGIN = 0.45
SHELF = 1.2
"""From sheet to sheet in a stack."""
STYLES = ("rows", "stack")


@dataclass(frozen=True)
class Box:
    """One tensor in space: a rectangle from `origin`, its upper left corner, along two edges."""

    name: str
    origin: Vector
    right: Vector
    """Along the rows, to the upper right corner."""
    down: Vector
    """To the lower left corner."""
    sheet: SheetMap | None
    """None where there is nothing to show: a tensor without values or without memory."""
    docked_to: str = ""
    """The tensor beside which this one stands; empty where it stands alone."""
    stage: str = ""
    note: str = ""
    """What is to be said besides, such as why there is nothing to show."""


@dataclass(frozen=True)
class Pad:
    """An operation without tensors, or the input: a small square."""

    name: str
    text: str
    origin: Vector
    side: float
    error: str = ""


@dataclass(frozen=True)
class Plate:
    """What a stage stands on."""

    title: str
    """Empty where the stage goes on from the line above."""
    origin: Vector
    width: float
    height: float


@dataclass(frozen=True)
class Arrangement:
    """All that can be drawn, and where."""

    boxes: tuple[Box, ...]
    pads: tuple[Pad, ...] = ()
    plates: tuple[Plate, ...] = ()
    routes: tuple[Route, ...] = ()
    scalars: tuple[str, ...] = ()
    """Names of the tensors without an axis, which are text and nothing else."""

    @cached_property
    def bounds(self) -> tuple[Vector, Vector]:
        """The lowest and the highest corner; a unit cube where there is nothing."""
        corners = [corner for box in self.boxes for corner in corners_of(box.origin, box.right, box.down)]
        for pad in self.pads:
            corners += corners_of(pad.origin, (pad.side, 0.0, 0.0), (0.0, -pad.side, 0.0))
        for plate in self.plates:
            corners += corners_of(plate.origin, (plate.width, 0.0, 0.0), (0.0, -plate.height, 0.0))
        if not corners:
            return (-0.5, -0.5, -0.5), (0.5, 0.5, 0.5)
        columns = list(zip(*corners, strict=True))
        low, high = [min(column) for column in columns], [max(column) for column in columns]
        return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def corners_of(origin: Vector, right: Vector, down: Vector) -> list[Vector]:
    """The four corners of a rectangle, around it."""
    x, y, z = origin
    return [
        (x + s * right[0] + t * down[0], y + s * right[1] + t * down[1], z + s * right[2] + t * down[2])
        for s, t in ((0, 0), (1, 0), (1, 1), (0, 1))
    ]


def arrange(
    refs: Iterable[TensorRef], graph: Graph | None = None, *, style: str = "rows", aspect: float | int = 16 / 9
) -> Arrangement:
    """Boxes of all tensors: in the order of `graph` where there is one, in their own without.

    `style` is "rows", sheets that face the viewer, or "stack", one behind the other like books on a shelf; `aspect` is
    width / height of the picture that the rows shall fill.
    """
    if style not in STYLES:
        raise ValueError(f"unknown style {style!r}. Known: {', '.join(STYLES)}.")
    refs = list(refs)
    items = items_of([ref for ref in refs if ref.tensor.ndim], graph)
    for item in items:
        _measure(item, style)
    scalars = tuple(ref.name for ref in refs if not ref.tensor.ndim)
    return _Page(items, graph, style, float(aspect), scalars).arrangement()


@dataclass
class _Line:
    """Layers side by side."""

    items: list[tuple[float, Item]] = field(default_factory=list)
    """Each with its left edge."""
    width: float = 0.0

    @property
    def height(self) -> float:
        return max((item.height for _, item in self.items), default=0.0)

    @property
    def lift(self) -> float:
        """Room above for branches."""
        return max((_lift(item) for _, item in self.items), default=0.0)


class _Page:
    """Lines of layers, broken where the page would be too wide."""

    def __init__(
        self, items: list[Item], graph: Graph | None, style: str, aspect: float, scalars: tuple[str, ...]
    ) -> None:
        self.items, self.graph, self.style, self.aspect, self.scalars = items, graph, style, aspect, scalars

    def arrangement(self) -> Arrangement:
        lines = self._broken()
        total = sum(line.height + line.lift + LINE_GAP for line in lines)
        width = max((line.width for line in lines), default=0.0)
        boxes: list[Box] = []
        pads: list[Pad] = []
        plates: list[Plate] = []
        top, seen = total / 2, set[str]()
        for number, line in enumerate(lines):
            middle = top - line.lift - line.height / 2
            for x, item in line.items:
                item.line, item.gutter = number, top - line.lift - line.height - 0.72 * LINE_GAP
                item.ceiling = top - line.lift
                self._place(item, x - width / 2, middle, 0.0, boxes, pads)
                left = x - width / 2
                for branch in item.perched:
                    branch.line, branch.gutter, branch.ceiling = number, item.gutter, top
                    y = middle + item.height / 2 + LIFT + branch.height / 2
                    self._place(branch, left, y, -SET_BACK, boxes, pads)
                    left += branch.width + GAP / 2
            plates += [] if self.style == "stack" else self._plates(line, top, -width / 2, seen)
            top -= line.height + line.lift + LINE_GAP
        found = [each for item in self.items for each in (item, *item.perched)]
        ways = routes(found, self.graph) if self.style == "rows" else ()
        return Arrangement(tuple(boxes), tuple(pads), tuple(plates), ways, self.scalars)

    def _place(self, item: Item, left: float, middle: float, depth: float, boxes: list[Box], pads: list[Pad]) -> None:
        """Put a layer where it stands, its left edge at `left`, its height around `middle`."""
        item.left, item.middle, item.depth = left, middle, depth
        if item.node is not None:
            text, error = item.title, item.node.error
            pads.append(Pad(item.node.name, text, (left, middle + PAD / 2, depth), PAD, error))
            return
        x, top = left, middle + item.height / 2
        stacked = self.style == "stack"
        host = ""
        for ref, width, height in item.parts:
            across: Vector = (0.0, 0.0, width) if stacked else (width, 0.0, 0.0)
            origin: Vector = (left, top, depth + (x - left) - item.depth_span / 2) if stacked else (x, top, depth)
            sheet, note = _sheet(ref)
            boxes.append(Box(ref.name, origin, across, (0.0, -height, 0.0), sheet, host, item.stage, note))
            host = host or ref.name
            x += width + STRIP_GAP

    def _broken(self) -> list[_Line]:
        """Of many widths the one whose lines fill the picture best."""
        widest = max((item.width for item in self.items), default=1.0)
        total = sum(item.width + GAP + MARGIN for item in self.items) + widest
        best, least = [_Line()], math.inf
        for step in range(48):
            limit = widest * (total / widest) ** (step / 47)
            lines = self._lines(limit)
            height = sum(line.height + line.lift + LINE_GAP for line in lines)
            width = max(line.width for line in lines) if lines else 1.0
            # What the picture must span to show all of it: as little as possible.
            span = max(width, height * self.aspect)
            if span < least - 1e-9:
                best, least = lines, span
        return best

    def _lines(self, limit: float) -> list[_Line]:
        lines: list[_Line] = []
        for stage in _runs(self.items):
            length = sum(item.width + GAP for item in stage)
            if not lines or lines[-1].width + GAP + MARGIN + length > limit:
                lines.append(_Line())
            elif lines[-1].items:
                lines[-1].width += GAP + MARGIN
            for item in stage:
                line = lines[-1]
                if line.items and line.width + item.width > limit:
                    lines.append(line := _Line())
                if line.items and line.items[-1][1].stage == item.stage:
                    line.width += GAP
                line.items.append((line.width, item))
                line.width += item.width
        return lines

    def _plates(self, line: _Line, top: float, shift: float, seen: set[str]) -> list[Plate]:
        """The plates under a line, one for each stage that has more than one layer."""
        plates = []
        for stage in _runs([item for _, item in line.items]):
            edges = [(x, item) for x, item in line.items if item in stage]
            left, right = edges[0][0] + shift, edges[-1][0] + edges[-1][1].width + shift
            height = max(item.height + _lift(item) for item in stage)
            middle = top - line.lift - line.height / 2
            tall = max(item.height for item in stage)
            # Behind the branches, where there are any; else close, so that sheets do not seem to float.
            back = -SET_BACK - 0.1 if height > tall else -0.12
            title = "" if stage[0].stage in seen else stage[0].stage
            seen.add(stage[0].stage)
            plates.append(
                Plate(
                    title,
                    (left - MARGIN, middle + tall / 2 + (height - tall) + 1.2 * MARGIN, back),
                    right - left + 2 * MARGIN,
                    height + 2 * MARGIN,
                )
            )
        return plates


def _runs(items: list[Item]) -> list[list[Item]]:
    """Layers that follow one another in the same stage."""
    runs: list[list[Item]] = []
    for item in items:
        if runs and runs[-1][-1].stage == item.stage:
            runs[-1].append(item)
        else:
            runs.append([item])
    return runs


def _lift(item: Item) -> float:
    """What branches need above a layer."""
    return max((branch.height for branch in item.perched), default=-LIFT) + LIFT


def _sheet(ref: TensorRef) -> tuple[SheetMap | None, str]:
    if ref.tensor.is_meta:
        return None, ref.note or "not materialised"
    if not ref.tensor.numel():
        return None, ref.note or "empty"
    return sheet_of(ref), ref.note


def _measure(item: Item, style: str) -> None:
    """The sizes of a layer's parts, and its own."""
    item.parts = []
    if item.node is not None:
        item.width = item.height = PAD
    else:
        for number, ref in enumerate((*item.sheets, *item.strips)):
            docked = bool(item.parts) and number >= len(item.sheets)
            width, height = (STRIP, item.parts[0][2]) if docked else _size(ref)
            item.parts.append((ref, width, height))
        item.width = sum(width + STRIP_GAP for _, width, _ in item.parts) - STRIP_GAP
        item.height = max(height for _, _, height in item.parts)
        item.depth_span = item.width
        item.width = SHELF if style == "stack" else item.width
    for branch in item.perched:
        _measure(branch, style)
    if item.perched:
        item.width = max(item.width, sum(branch.width + GAP / 2 for branch in item.perched) - GAP / 2)


def _size(ref: TensorRef) -> tuple[float, float]:
    """Width and height of a sheet that stands alone."""
    count = max(ref.tensor.numel(), 1)
    long = SIZE * max(count, 16) ** GROWTH
    if ref.tensor.ndim == 1 and ref.kind != "activation":
        return STRIP, long
    sheet = sheet_of(ref) if ref.tensor.numel() else None
    rows, columns = sheet.grid if sheet is not None else (1, 1)
    aspect = min(max(columns / rows, 1 / 8), 8)
    return (long, long / aspect) if aspect > 1 else (long * aspect, long)
