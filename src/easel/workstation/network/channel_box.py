"""ChannelBox: a box along a network; the layers that it reaches are taken apart, every channel map by itself.

It lies in path coordinates: z runs along the network from its input at 0, every activation as deep as it has channels
with a gap of 5 between two; x and y are cells of a map from its centre, right and up.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from easel.inspector.layout.arrangement import Box, Route
from easel.inspector.layout.sheet_map import sheet_of
from easel.inspector.models.graph import Graph, TensorRef
from easel.inspector.network_scene import NetworkScene

Number = float | int
BOX_RANGE = (-100, 100, -100, 100, -75, 75)
GAP = 5
"""Depth between two activations on the path."""
APART = 0.12
"""Gap between two maps, in sides of a map."""
LIFT = 0.7
"""Distance of the maps from the sheet that they stand before, in units of the scene."""


class ChannelBox:
    """The box: its range, and how far along the network it has been moved."""

    def __init__(self, range: Sequence[Number], step: Number) -> None:
        if len(range) != 6 or any(range[k] >= range[k + 1] for k in (0, 2, 4)):
            raise ValueError(f"box_render_range is xmin, xmax, ymin, ymax, zmin, zmax, each pair rising; got {range}.")
        self.range = tuple(range)
        self.step = step
        self.shift: Number = 0
        self._covered: dict[str, tuple[str, ...]] = {}
        """The activations that it reaches → the names of their maps."""
        self._spans: dict[str, tuple[Number, Number]] = {}
        """Each activation → its start and end on the path."""

    @property
    def span(self) -> tuple[Number, Number]:
        """Its start and end along the network."""
        return self.range[4] + self.shift, self.range[5] + self.shift

    @property
    def covered(self) -> tuple[str, ...]:
        """The activations that are taken apart."""
        return tuple(self._covered)

    def holds(self, name: str) -> bool:
        """Return True if a sheet is one of the box."""
        return name in self._covered or any(name in maps for maps in self._covered.values())

    def move(self, by: Number) -> bool:
        """Move along the network, never beyond its ends; True if it moved."""
        end = max((stop for _, stop in self._spans.values()), default=0)
        before = self.shift
        # From just before the input to just behind the last activation.
        self.shift = min(max(self.shift + by, -self.range[5]), end - self.range[4])
        return self.shift != before

    def move_to(self, name: str) -> bool:
        """Move its middle to an activation; True if it moved."""
        if name not in self._spans:
            return False
        start, stop = self._spans[name]
        return self.move((start + stop) / 2 - sum(self.span) / 2)

    def expand(self, scene: NetworkScene, graph: Graph) -> NetworkScene:
        """Return the scene with the maps of the layers in the box apart."""
        self._spans = path_spans(scene.refs.values())
        self._covered = {}
        low, high = self.span
        refs = dict(scene.refs)
        boxes = list(scene.arrangement.boxes)
        routes = list(scene.arrangement.routes)
        for box in scene.arrangement.boxes:
            ref = scene.refs[box.name]
            start, stop = self._spans[box.name]
            # Only (batch, channels, rows, columns) has maps; a vector of activations stays one sheet.
            if box.sheet is None or ref.tensor.ndim != 4 or stop < low or start > high:
                continue
            maps = self._maps(ref)
            standing = _stand(box, maps)
            refs |= {single.name: single for single in maps}
            boxes += standing
            routes.append(_frame(box.name, standing))
            self._covered[box.name] = tuple(single.name for single in maps)
        arrangement = replace(scene.arrangement, boxes=tuple(boxes), routes=tuple(routes))
        return NetworkScene(refs, graph, arrangement=arrangement)

    def _maps(self, ref: TensorRef) -> list[TensorRef]:
        """Return every channel of the first sample, cut to the cells that the box reaches over."""
        left, right, bottom, top = self.range[:4]
        height, width = ref.tensor.shape[-2:]
        # Rows count downwards, y upwards.
        rows = slice(max(round(height / 2 - top), 0), max(round(height / 2 - bottom), 1))
        columns = slice(max(round(width / 2 + left), 0), max(round(width / 2 + right), 1))
        maps = {f"{ref.name}[0, {channel}]": each for channel, each in enumerate(ref.tensor[0, :, rows, columns])}
        return [TensorRef(name, each, "activation", ref.module_path) for name, each in maps.items() if each.numel()]


def path_spans(refs: Iterable[TensorRef]) -> dict[str, tuple[Number, Number]]:
    """Return the start and end of each activation on the path, by its name."""
    spans = {}
    start = 0
    for ref in refs:
        # A vector of activations is one sheet, whatever its length.
        depth = ref.shape[1] if len(ref.shape) > 2 else 1
        spans[ref.name] = (start, start + depth)
        start += depth + GAP
    return spans


def _stand(box: Box, maps: list[TensorRef]) -> list[Box]:
    """Place the maps as a grid before their sheet, in the order that they have there."""
    assert box.sheet is not None
    # Columns as in the sheet behind them, so that a map stands before its own cells.
    across = min(box.sheet.across, len(maps)) or 1
    down = -(-len(maps) // across)
    width, height = abs(box.right[0]) / across, abs(box.down[1]) / down
    x, y, z = (start + (along + below) / 2 for start, along, below in zip(box.origin, box.right, box.down, strict=True))
    # With gaps the grid is larger than the sheet; its middle stays that of the sheet.
    pitch = width * (1 + APART), height * (1 + APART)
    left = x - (across * pitch[0] - APART * width) / 2
    top = y + (down * pitch[1] - APART * height) / 2
    standing = []
    for number, single in enumerate(maps):
        origin = (left + number % across * pitch[0], top - number // across * pitch[1], z + LIFT)
        edges = (width, 0.0, 0.0), (0.0, -height, 0.0)
        standing.append(Box(single.name, origin, *edges, sheet_of(single), box.name, box.stage))
    return standing


def _frame(name: str, boxes: list[Box]) -> Route:
    """Return the outline around the maps that were taken apart."""
    x, y, z = boxes[0].origin
    margin = 2 * APART * boxes[0].right[0]
    left, top = x - margin, y + margin
    right = max(box.origin[0] + box.right[0] for box in boxes) + margin
    bottom = min(box.origin[1] + box.down[1] for box in boxes) - margin
    outline = [(left, top, z), (right, top, z), (right, bottom, z), (left, bottom, z), (left, top, z)]
    # A route ends in the tip of an arrow along its last piece: one without length has none.
    return Route(name, name, (*outline, outline[-1]), skips=True)
