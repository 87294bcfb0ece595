"""Layout: tensors of a network → boxes in space, read like a page of text.

Layers follow one another from left to right, lines from top to bottom; a stage, such as `layer1`, stands on a plate of
its own. `arrangement` has the axes. All lengths are in units of the world.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from easel.inspector.layout.arrangement import Arrangement, Box, Pad, Plate, Vector
from easel.inspector.layout.layers import Layer, layers_of
from easel.inspector.layout.routes import routes
from easel.inspector.layout.sheet_map import SheetMap, sheet_of
from easel.inspector.models.graph import Graph, TensorRef

SIZE = 0.25
GROWTH = 0.25
"""The longer side of a sheet of n cells is SIZE · n^GROWTH: sixteen times the cells, twice as long."""
GAP = 0.8
"""Gap between layers."""
LINE_GAP = 2.2
"""Gap between lines: for names, and for the ways of data."""
STRIP = 0.16
"""Width of a one-dimensional tensor."""
STRIP_GAP = 0.05
"""Gap between a strip and its sheet."""
PAD = 0.5
"""Side of an operation without tensors."""
SET_BACK = 0.45
"""Distance of a branch behind the main path."""
LIFT = 1.2
"""Gap between a branch and the layer below: room for a name."""
MARGIN = 0.45
"""Rim of a plate around its sheets."""
SHELF = 1.2
"""Step from sheet to sheet in a stack."""
STYLES = ("rows", "stack")


def arrange(
    refs: Iterable[TensorRef], graph: Graph | None = None, *, style: str = "rows", aspect: float | int = 16 / 9
) -> Arrangement:
    """Return the boxes of all tensors: in the order of `graph` if there is one, in their own without.

    `style` is "rows", sheets that face the viewer, or "stack", one behind the other like books on a shelf; `aspect` is
    width / height of the picture that the rows shall fill. Raises ValueError for another style.

        arrange(tensors(model).values(), aspect=4 / 3).boxes[0].origin
    """
    if style not in STYLES:
        raise ValueError(f"unknown style {style!r}. Known: {', '.join(STYLES)}.")
    # Twice: scalars stand in no line, and an iterator would be used up.
    refs = list(refs)
    layers = layers_of([ref for ref in refs if ref.tensor.ndim], graph)
    for layer in layers:
        _measure(layer, style)
    page = _Page(style)
    page.place(_best_lines(layers, float(aspect)))
    scalars = tuple(ref.name for ref in refs if not ref.tensor.ndim)
    placed = [each for layer in layers for each in (layer, *layer.branches)]
    ways = routes(placed, graph) if style == "rows" else ()
    return Arrangement(tuple(page.boxes), tuple(page.pads), tuple(page.plates), ways, scalars)


@dataclass
class _Line:
    """Layers side by side."""

    layers: list[tuple[float, Layer]] = field(default_factory=list)
    """Each with its left edge."""
    width: float = 0.0

    @property
    def height(self) -> float:
        return max((layer.height for _, layer in self.layers), default=0.0)

    @property
    def lift(self) -> float:
        """Room above for branches."""
        return max((_lift(layer) for _, layer in self.layers), default=0.0)

    @property
    def pitch(self) -> float:
        """Distance from the top of this line to the top of the next."""
        return self.height + self.lift + LINE_GAP


class _Page:
    """Places lines one below another, around the origin."""

    def __init__(self, style: str) -> None:
        self.style = style
        self.boxes: list[Box] = []
        self.pads: list[Pad] = []
        self.plates: list[Plate] = []
        self.titled: set[str] = set()
        """Stages whose name is on a plate already."""

    def place(self, lines: list[_Line]) -> None:
        """Add the boxes, pads and plates of all lines; their layers get their places too."""
        top = sum(line.pitch for line in lines) / 2
        width = max((line.width for line in lines), default=0.0)
        for number, line in enumerate(lines):
            ceiling = top - line.lift
            middle = ceiling - line.height / 2
            # Three quarters of the gap below: names stand right above the next line.
            gutter = ceiling - line.height - 0.72 * LINE_GAP
            for x, layer in line.layers:
                layer.line, layer.gutter, layer.ceiling = number, gutter, ceiling
                left = x - width / 2
                self._place(layer, left, middle, 0.0)
                for branch in layer.branches:
                    branch.line, branch.gutter, branch.ceiling = number, gutter, top
                    y = middle + layer.height / 2 + LIFT + branch.height / 2
                    self._place(branch, left, y, -SET_BACK)
                    left += branch.width + GAP / 2
            # A plate behind a stack would cut through it.
            if self.style == "rows":
                self._add_plates(line, middle, -width / 2)
            top -= line.pitch

    def _place(self, layer: Layer, left: float, middle: float, depth: float) -> None:
        """Put a layer with its left edge at `left` and its height around `middle`."""
        layer.left, layer.middle, layer.depth = left, middle, depth
        if layer.node is not None:
            origin = (left, middle + PAD / 2, depth)
            self.pads.append(Pad(layer.node.name, layer.title, origin, PAD, layer.node.error))
            return
        x, top, host = left, middle + layer.height / 2, ""
        for ref, width, height in layer.parts:
            if self.style == "stack":
                across: Vector = (0.0, 0.0, width)
                origin = (left, top, depth + (x - left) - layer.depth_span / 2)
            else:
                across = (width, 0.0, 0.0)
                origin = (x, top, depth)
            sheet, note = _sheet(ref)
            self.boxes.append(Box(ref.name, origin, across, (0.0, -height, 0.0), sheet, host, layer.stage, note))
            host = host or ref.name
            x += width + STRIP_GAP

    def _add_plates(self, line: _Line, middle: float, shift: float) -> None:
        """Add the plates under a line, one for each stage."""
        for stage, run in groupby(line.layers, key=lambda placed: placed[1].stage):
            placed = list(run)
            tallest = max(layer.height for _, layer in placed)
            height = max(layer.height + _lift(layer) for _, layer in placed)
            # Behind the branches, if there are any; else close, so that sheets do not seem to float.
            back = -SET_BACK - 0.1 if height > tallest else -0.12
            left = placed[0][0] + shift
            # 1.2: a little more above, where the title stands.
            top = middle + tallest / 2 + (height - tallest) + 1.2 * MARGIN
            title = "" if stage in self.titled else stage
            self.titled.add(stage)
            width = placed[-1][0] + placed[-1][1].width + shift - left + 2 * MARGIN
            self.plates.append(Plate(title, (left - MARGIN, top, back), width, height + 2 * MARGIN))


def _best_lines(layers: list[Layer], aspect: float) -> list[_Line]:
    """Return the lines that fill a picture of `aspect` = width / height best."""
    widest = max((layer.width for layer in layers), default=1.0)
    total = sum(layer.width + GAP + MARGIN for layer in layers) + widest
    best, least = [_Line()], math.inf
    # 48 widths, evenly in ratio, from one layer a line to all layers in one.
    for step in range(48):
        lines = _broken(layers, widest * (total / widest) ** (step / 47))
        if not lines:
            break
        # The width that the picture must span to show all of it: as little as possible.
        span = max(*(line.width for line in lines), sum(line.pitch for line in lines) * aspect)
        # The margin keeps the fewest breaks from depending on the last bits of equal spans.
        if span < least - 1e-9:
            best, least = lines, span
    return best


def _broken(layers: list[Layer], limit: float) -> list[_Line]:
    """Return the layers in lines of at most `limit` width, broken between stages rather than within them."""
    lines: list[_Line] = []
    for _, run in groupby(layers, key=lambda layer: layer.stage):
        stage = list(run)
        length = sum(layer.width + GAP for layer in stage)
        if not lines or lines[-1].width + GAP + MARGIN + length > limit:
            lines.append(_Line())
        elif lines[-1].layers:
            lines[-1].width += GAP + MARGIN
        for layer in stage:
            line = lines[-1]
            if line.layers and line.width + layer.width > limit:
                lines.append(line := _Line())
            if line.layers and line.layers[-1][1].stage == layer.stage:
                line.width += GAP
            line.layers.append((line.width, layer))
            line.width += layer.width
    return lines


def _lift(layer: Layer) -> float:
    """Return the height that branches need above a layer; 0 without branches."""
    return max((branch.height for branch in layer.branches), default=-LIFT) + LIFT


def _sheet(ref: TensorRef) -> tuple[SheetMap | None, str]:
    """Return the sheet of a tensor, None if it has nothing to show, and the note for its label."""
    if ref.tensor.is_meta:
        return None, ref.note or "not materialised"
    if not ref.tensor.numel():
        return None, ref.note or "empty"
    return sheet_of(ref), ref.note


def _measure(layer: Layer, style: str) -> None:
    """Fill in the sizes of a layer, its parts and its branches."""
    layer.parts = []
    if layer.node is not None:
        layer.width = layer.height = PAD
    else:
        refs = [*layer.sheets, *layer.strips]
        # Docked, a strip is as tall as the first part; without sheets the first strip is that part.
        alone = len(layer.sheets) or 1
        layer.parts = [(ref, *_size(ref)) for ref in refs[:alone]]
        layer.parts += [(ref, STRIP, layer.parts[0][2]) for ref in refs[alone:]]
        layer.width = layer.depth_span = sum(width + STRIP_GAP for _, width, _ in layer.parts) - STRIP_GAP
        if style == "stack":
            layer.width = SHELF
        layer.height = max(height for _, _, height in layer.parts)
    # `width` reserves room for branches as well; `parts` tells where the layer itself ends.
    for branch in layer.branches:
        _measure(branch, style)
    if layer.branches:
        layer.width = max(layer.width, sum(branch.width + GAP / 2 for branch in layer.branches) - GAP / 2)


def _size(ref: TensorRef) -> tuple[float, float]:
    """Return width and height of a sheet that stands alone."""
    # At least as large as sixteen cells: a bias of one number could not be seen.
    long = SIZE * max(ref.tensor.numel(), 16) ** GROWTH
    if ref.tensor.ndim == 1 and ref.kind != "activation":
        return STRIP, long
    rows, columns = sheet_of(ref).grid if ref.tensor.numel() else (1, 1)
    # Even a folded sheet of few cells could be a hair's breadth.
    aspect = min(max(columns / rows, 1 / 8), 8)
    return long * min(aspect, 1), long / max(aspect, 1)
