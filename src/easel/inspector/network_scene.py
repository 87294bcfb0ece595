"""NetworkScene: a network in space: tensors, layout and camera → a picture, and what is under the mouse in it."""

import fnmatch
import math
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
from jaxtyping import Float
from torch import Tensor

from easel.gl.context import GLUnavailable
from easel.graphics.camera import Camera
from easel.inspector.captions import captions
from easel.inspector.flat import flat_picture
from easel.inspector.focus import focus_picture
from easel.inspector.graph import Graph, TensorRef
from easel.inspector.labels import Rows, place
from easel.inspector.layout import Arrangement, Box, arrange, corners_of
from easel.inspector.legend import legend_of, legend_rows
from easel.inspector.pick import Hit, Picker, ray_through, value_at
from easel.inspector.pyramid import AGGREGATES
from easel.inspector.sheet import RANGES, Sheet
from easel.inspector.studio import Studio
from easel.inspector.view import Eye, facing

Number = float | int

ANGLES = {"rows": (-0.12, 0.09), "stack": (-0.85, 0.3)}
"""Azimuth and elevation from where a scene is seen at first, in radians: from the left and above."""


class NetworkScene:
    """All tensors of a network as sheets in space; nothing of the network is changed.

    `draw` gives the picture that a camera sees, `pick` what is at a pixel of it. What a person can switch is an
    attribute; `update` shows new values.
    """

    def __init__(
        self,
        refs: Mapping[str, TensorRef] | Iterable[TensorRef],
        graph: Graph | None = None,
        *,
        style: str = "rows",
        aspect: Number = 16 / 9,
        arrangement: Arrangement | None = None,
    ) -> None:
        self.refs = {ref.name: ref for ref in (refs.values() if isinstance(refs, Mapping) else refs)}
        self.arrangement = arrangement or arrange(self.refs.values(), graph, style=style, aspect=aspect)
        self._style = style
        self.boxes: dict[str, Box] = {box.name: box for box in self.arrangement.boxes}
        self.sheets = [Sheet(box, self.refs[box.name]) for box in self.arrangement.boxes if box.sheet is not None]
        self.corners = np.array(
            [corners_of(box.origin, box.right, box.down) for box in self.arrangement.boxes]
        ).reshape(-1, 4, 3)
        """Of all boxes, the upper left one first."""
        self.docked = np.array([bool(box.docked_to) for box in self.arrangement.boxes], bool)
        self._stage_values = Counter[str]()
        for box in self.arrangement.boxes:
            self._stage_values[box.stage] += self.refs[box.name].tensor.numel()
        self.labels = True
        self.outlines = True
        self.filled = True
        """False leaves nothing of a sheet but its outline."""
        self.legend = True
        self.hover: Hit | None = None
        """The value whose cell is marked."""
        self.selected = ""
        """The tensor that is framed, and that the legend speaks of."""
        self._aggregate, self._ranges = AGGREGATES[0], RANGES[0]
        self._by_name = {sheet.box.name: sheet for sheet in self.sheets}
        self._aliases = {alias: ref.name for ref in self.refs.values() for alias in ref.aliases}
        self._picker = Picker(tuple(sheet.box for sheet in self.sheets))
        self._studio: Studio | None = None
        self.fallback: str | None = None
        """Why pictures are drawn without OpenGL; None while they are not."""
        self._shown: tuple[object, ...] = ()
        self._picture: Float[Tensor, "h w 3"] | None = None

    def __repr__(self) -> str:
        return (
            f"NetworkScene({len(self.sheets)} sheets, {sum(ref.tensor.numel() for ref in self.refs.values()):,} values)"
        )

    @property
    def aggregate(self) -> str:
        """What a pixel shows that covers many cells: "peak", "rms" or "mean"."""
        return self._aggregate

    @aggregate.setter
    def aggregate(self, value: str) -> None:
        if value not in AGGREGATES:
            raise ValueError(f"unknown aggregate {value!r}. Known: {', '.join(AGGREGATES)}.")
        self._aggregate = value

    @property
    def ranges(self) -> str:
        """Where colours end: "own", at 99.5 % of a tensor's magnitudes, "peak", or "shared" by all tensors."""
        return self._ranges

    @ranges.setter
    def ranges(self, value: str) -> None:
        if value not in RANGES:
            raise ValueError(f"unknown ranges {value!r}. Known: {', '.join(RANGES)}.")
        self._ranges = value

    def home(self, size: tuple[int, int] = (720, 1280)) -> Camera:
        """A camera that sees everything, in a picture of `size` = (height, width)."""
        low, high = self.arrangement.bounds
        corners = np.array([(x, y, z) for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
        return facing(corners, size, *ANGLES[self._style])

    def look_at(self, name: str, size: tuple[int, int] = (720, 1280), index: tuple[int, ...] | None = None) -> Camera:
        """A camera before one tensor, or so near to one of its values that a few dozen cells fill the picture."""
        box = self._box(name)
        origin, right, down = (np.array(vector) for vector in (box.origin, box.right, box.down))
        if index is None or box.sheet is None:
            return facing(_rectangle(origin, right, down), size, *_toward(right))
        row, column = box.sheet.cell(index)
        rows, columns = box.sheet.grid
        cell_right, cell_down = right / columns, down / rows
        corner = origin + (column - 8) * cell_right + (row - 8) * cell_down
        camera = facing(_rectangle(corner, 17 * cell_right, 17 * cell_down), size, *_toward(right))
        middle = corner + 8.5 * (cell_right + cell_down)
        camera.target = float(middle[0]), float(middle[1]), float(middle[2])
        return camera

    def find(self, pattern: str) -> list[str]:
        """Names that contain `pattern`, or match it where it has * or ?; in the order of the network."""
        wild = pattern if any(mark in pattern for mark in "*?[") else f"*{pattern}*"
        names = {name: (name, *ref.aliases) for name, ref in self.refs.items()}
        return [name for name, known in names.items() if any(fnmatch.fnmatchcase(one, wild) for one in known)]

    def update(self, values: Mapping[str, Tensor]) -> list[str]:
        """Show new values under known names; returns the names of what may have changed. Unknown names are left out."""
        changed = []
        for name, tensor in values.items():
            sheet = self._by_name.get(self._aliases.get(name, name))
            if sheet is not None and sheet.update(tensor):
                changed.append(sheet.box.name)
        return changed

    def draw(self, camera: Camera, size: tuple[int, int], *, upload_bytes: int | None = None) -> Float[Tensor, "h w 3"]:
        """What `camera` sees, in [0, 1], of `size` = (height, width); the same tensor again where nothing changed.

        With `upload_bytes`, finer values come over several pictures, until `is_complete`.
        """
        wanted = (*self._state(camera, size), self._studio is not None and not self._studio.is_complete)
        if self._picture is None or self._shown != wanted or wanted[-1]:
            studio = self._opened()
            self._picture = (
                flat_picture(self, camera, size) if studio is None else studio.draw(self, camera, size, upload_bytes)
            )
            self._shown = (*self._state(camera, size), not self.is_complete)
        return self._picture

    @property
    def is_complete(self) -> bool:
        """Whether the last picture shows everything as finely as it can be seen."""
        return self._studio is None or self._studio.is_complete

    def pick(self, camera: Camera, size: tuple[int, int], x: Number, y: Number) -> Hit | None:
        """What is at a point of the picture, in pixels right and down of its upper left corner; None on nothing."""
        met = self._picker.meet(*ray_through(camera, size, x, y))
        if met is None:
            return None
        number, u, v, point = met
        sheet = self.sheets[number]
        rows, columns = sheet.map.grid
        cell = min(int(v * rows), rows - 1), min(int(u * columns), columns - 1)
        index = sheet.map.index(*cell)
        if index is None:
            return Hit(sheet.box.name, point, cell)
        if sheet.tensor.is_complex():
            index = index[:-1]
        return Hit(sheet.box.name, point, cell, index, value_at(sheet.tensor, index))

    def focus(
        self, name: str, size: tuple[int, int] = (720, 1280), index: tuple[int, ...] = ()
    ) -> Float[Tensor, "h w 3"]:
        """One tensor, or the part of it at the beginning of an index, such as a kernel, flat, with its histogram."""
        box, sheet = self._box(name), self.sheet(name)
        if sheet is None:
            raise ValueError(f"{box.name!r} has nothing to show: {box.note}.")
        return focus_picture(sheet, self._aggregate, size, index)

    def limits(self, sheet: Sheet) -> list[float]:
        """The limit of every level of a sheet's colours, of scaled values."""
        return sheet.limits(self._aggregate, self._ranges, self.shared_limit)

    def text(self, eye: Eye) -> Rows:
        """Names and legend as quads."""
        legend, taken = np.zeros((0, 12), np.float32), []
        if self.legend:
            legend, region = legend_rows(self._legend(eye), eye.size)
            taken.append(region)
        names, _ = place(captions(self, eye) if self.labels else (), eye.size, taken)
        return np.vstack([names, legend])

    def stage_values(self, stage: str) -> int:
        """How many numbers a stage has."""
        return self._stage_values[stage]

    def sheet(self, name: str) -> Sheet | None:
        """The sheet of a tensor under any of its names; None where there is nothing to show."""
        return self._by_name.get(self._aliases.get(name, name))

    def close(self) -> None:
        """Give the GPU's memory back; the next picture starts afresh."""
        if self._studio is not None:
            self._studio.close()
        self._studio, self._picture = None, None

    def _opened(self) -> Studio | None:
        """Where pictures are drawn; None where there is no OpenGL."""
        if self._studio is None and self.fallback is None:
            try:
                self._studio = Studio()
            except GLUnavailable as error:
                self.fallback = str(error)
        return self._studio

    def _legend(self, eye: Eye):
        name = self.hover.name if self.hover is not None else self.selected
        sheet = self.sheet(name) if name else None
        if sheet is None:
            return legend_of(None, "", False, 1, self._ranges)
        box = sheet.box
        corners = np.array([box.origin, np.add(box.origin, box.right), np.add(box.origin, box.down)])
        at = eye.project(corners)
        rows, columns = sheet.map.grid
        across = max(math.dist(at[0, :2], at[1, :2]), 1e-6)
        down = max(math.dist(at[0, :2], at[2, :2]), 1e-6)
        level = max(math.ceil(math.log2(max(columns / across, rows / down))), 0) if at[:, 2].min() > 0 else 0
        cells = min(1 << level, rows) * min(1 << level, columns)
        pyramid = sheet.pyramid(self._aggregate)
        return legend_of(pyramid, box.name, sheet.is_sequential(self._aggregate), cells, self._ranges)

    @property
    def shared_limit(self) -> float:
        """Where the colours of all tensors end, if they share their range; else 0."""
        if self._ranges != "shared":
            return 0.0
        return max((sheet.pyramid(self._aggregate).limit for sheet in self.sheets), default=1.0)

    def _state(self, camera: Camera, size: tuple[int, int]) -> tuple[object, ...]:
        eye = camera.azimuth, camera.elevation, camera.distance, tuple(camera.target), camera.fov
        switches = self.labels, self.outlines, self.filled, self.legend, self.selected, self._aggregate, self._ranges
        cell = None if self.hover is None else (self.hover.name, self.hover.cell)
        return eye, size, switches, cell, tuple(sheet.version for sheet in self.sheets)

    def _box(self, name: str) -> Box:
        known = self._aliases.get(name, name)
        if known not in self.boxes:
            near = self.find(name)[:3] or list(self.boxes)[:3]
            raise ValueError(f"no tensor {name!r} in this network. Known are, for instance, {', '.join(near)}.")
        return self.boxes[known]


def _rectangle(origin: np.ndarray, right: np.ndarray, down: np.ndarray) -> np.ndarray:
    return np.array([origin, origin + right, origin + down, origin + right + down])


def _toward(right: np.ndarray) -> tuple[float, float]:
    """Azimuth and elevation from which a sheet is seen upright, straight on."""
    return math.atan2(-right[2], right[0]), 0.0
