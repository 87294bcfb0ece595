"""NetworkScene: a network in space: tensors, layout and camera → a picture, and what is under the mouse in it."""

import fnmatch
import math
from collections.abc import Iterable, Mapping

import numpy as np
from jaxtyping import Float
from torch import Tensor

from easel.gl.context import GLUnavailable
from easel.graphics.camera import Camera
from easel.inspector.drawing.flat import flat_picture
from easel.inspector.drawing.focus import focus_picture
from easel.inspector.drawing.render_thread import Studio
from easel.inspector.layout.arrangement import Arrangement, Box
from easel.inspector.layout.layout import arrange
from easel.inspector.models.graph import Graph, TensorRef
from easel.inspector.scene.content import Content
from easel.inspector.scene.pick import Hit, Picker, ray_through, value_at
from easel.inspector.scene.view import facing

Number = float | int

ANGLES = {"rows": (-0.12, 0.09), "stack": (-0.85, 0.3)}
"""Azimuth and elevation from where a scene is seen at first, in radians: from the left and above."""


class NetworkScene(Content):
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
        self._style = style
        named = {ref.name: ref for ref in (refs.values() if isinstance(refs, Mapping) else refs)}
        super().__init__(named, arrangement or arrange(named.values(), graph, style=style, aspect=aspect))
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

    def draw(self, camera: Camera, size: tuple[int, int], *, upload_bytes: int | None = None) -> Float[Tensor, "h w 3"]:
        """What `camera` sees, in [0, 1], of `size` = (height, width); the same tensor again where nothing changed.

        With `upload_bytes`, finer values come over several pictures, until `is_complete`.
        """
        wanted = (*self.state(camera, size), self._studio is not None and not self._studio.is_complete)
        if self._picture is None or self._shown != wanted or wanted[-1]:
            studio = self._opened()
            self._picture = (
                flat_picture(self, camera, size) if studio is None else studio.draw(self, camera, size, upload_bytes)
            )
            self._shown = (*self.state(camera, size), not self.is_complete)
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

    def state(self, camera: Camera, size: tuple[int, int]) -> tuple[object, ...]:
        """All that decides what is drawn: equal states, equal pictures."""
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
