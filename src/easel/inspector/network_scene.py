"""NetworkScene: a network in space, its pictures, films of it, and the values under the mouse."""

import fnmatch
import itertools
import math
import weakref
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from torch import Tensor

from easel.gl.context import GLUnavailable, open_headless
from easel.graphics.camera import Camera
from easel.inspector.drawing.flat import flat_picture
from easel.inspector.drawing.focus import focus_picture
from easel.inspector.drawing.renderer import NetworkRenderer
from easel.inspector.layout.arrangement import Arrangement, Box
from easel.inspector.layout.layout import arrange
from easel.inspector.models.graph import Graph, TensorRef
from easel.inspector.scene.content import Content
from easel.inspector.scene.pick import Hit, Picker, ray_through, value_at
from easel.inspector.scene.view import Number, facing

if TYPE_CHECKING:
    import moderngl

ANGLES = {"rows": (-0.12, 0.09), "stack": (-0.85, 0.3)}
"""Azimuth and elevation of the first view, in radians: from the left and above."""
SWING = 0.7
"""Azimuth of a turntable to each side in radians: sheets are read from the front, so it swings instead of turning."""
NOD = 0.12
"""Elevation of a turntable up and down in radians."""


class NetworkScene(Content):
    """All tensors of a network as sheets in space; nothing of the network is changed.

    `draw` returns the picture that a camera sees, `pick` the value at a pixel of it. Settings of a person are
    attributes; `update` shows new values.

        scene = NetworkScene(tensors(model))
        picture = scene.draw(scene.home((720, 1280)), (720, 1280))
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
        if isinstance(refs, Mapping):
            refs = refs.values()
        named = {ref.name: ref for ref in refs}
        super().__init__(named, arrangement or arrange(named.values(), graph, style=style, aspect=aspect))
        # Boxes without values are left out: there is nothing to read in them.
        self._picker = Picker(tuple(sheet.box for sheet in self.sheets))
        self._thread: RenderThread | None = None
        self.fallback: str | None = None
        """Reason why pictures are drawn without OpenGL; None while they are not."""
        self._shown: tuple[object, ...] = ()
        self._picture: Float[Tensor, "h w 3"] | None = None

    def __repr__(self) -> str:
        values = sum(ref.tensor.numel() for ref in self.refs.values())
        return f"NetworkScene({len(self.sheets)} sheets, {values:,} values)"

    def home(self, size: tuple[int, int] = (720, 1280)) -> Camera:
        """Return a camera that sees everything, in a picture of `size` = (height, width)."""
        corners = np.array(list(itertools.product(*zip(*self.arrangement.bounds, strict=True))))
        return facing(corners, size, *ANGLES[self._style])

    def look_at(self, name: str, size: tuple[int, int] = (720, 1280), index: tuple[int, ...] | None = None) -> Camera:
        """Return a camera before one tensor, or so near to one value that a few dozen cells fill the picture.

        Raises ValueError for an unknown name.
        """
        box = self._box(name)
        origin, right, down = (np.array(vector) for vector in (box.origin, box.right, box.down))
        # Straight on even in a stack, where all other sheets are seen at an angle.
        azimuth = math.atan2(-right[2], right[0])
        if index is None or box.sheet is None:
            return facing(_rectangle(origin, right, down), size, azimuth, 0.0)
        row, column = box.sheet.cell(index)
        rows, columns = box.sheet.grid
        cell_right, cell_down = right / columns, down / rows
        # 17 cells: the one that is looked at, and eight on each side.
        corner = origin + (column - 8) * cell_right + (row - 8) * cell_down
        camera = facing(_rectangle(corner, 17 * cell_right, 17 * cell_down), size, azimuth, 0.0)
        # Zooming keeps the target in place: the cell itself, not the middle of the free part of the picture.
        middle = corner + 8.5 * (cell_right + cell_down)
        camera.target = float(middle[0]), float(middle[1]), float(middle[2])
        return camera

    def find(self, pattern: str) -> list[str]:
        """Return the names that contain `pattern`, or match it if it has * or ?, in the order of the network."""
        wild = pattern if any(mark in pattern for mark in "*?[") else f"*{pattern}*"
        names = {name: (name, *ref.aliases) for name, ref in self.refs.items()}
        return [name for name, known in names.items() if any(fnmatch.fnmatchcase(one, wild) for one in known)]

    def draw(self, camera: Camera, size: tuple[int, int], *, upload_bytes: int | None = None) -> Float[Tensor, "h w 3"]:
        """Return a picture in [0, 1] of `size` = (height, width); the same tensor again if nothing changed.

        With `upload_bytes`, finer values come over several pictures, until `is_complete`.
        """
        state = self.state(camera, size)
        # A window asks for every frame, and most of them show what the last one did.
        if self._picture is None or self._shown != state or not self.is_complete:
            self._picture = self._drawn(camera, size, upload_bytes)
            self._shown = state
        return self._picture

    def _drawn(self, camera: Camera, size: tuple[int, int], upload_bytes: int | None) -> Float[Tensor, "h w 3"]:
        """Draw with OpenGL, or without if there is none."""
        # Opened when the first picture is drawn: many scenes are only picked, exported or drawn by a window's renderer.
        if self._thread is None and self.fallback is None:
            try:
                self._thread = RenderThread()
            except GLUnavailable as error:
                self.fallback = str(error)
        if self._thread is None:
            return flat_picture(self, camera, size)
        return self._thread.picture(self, camera, size, upload_bytes)

    @property
    def is_complete(self) -> bool:
        """True if the last picture shows everything as finely as it can be seen."""
        return self._thread is None or self._thread.renderer.is_complete

    def pick(self, camera: Camera, size: tuple[int, int], x: Number, y: Number) -> Hit | None:
        """Return the value at a point, in pixels right and down of the upper left corner; None beside all sheets."""
        met = self._picker.meet(*ray_through(camera, size, x, y))
        if met is None:
            return None
        number, u, v, point = met
        sheet = self.sheets[number]
        rows, columns = sheet.map.grid
        # Rounded up in float, u · columns can be one beyond the last column although u is below 1.
        cell = min(int(v * rows), rows - 1), min(int(u * columns), columns - 1)
        index = sheet.map.index(*cell)
        if index is None:
            return Hit(sheet.box.name, point, cell)
        # The last axis says real or imaginary part; the value is both.
        if sheet.tensor.is_complex():
            index = index[:-1]
        return Hit(sheet.box.name, point, cell, index, value_at(sheet.tensor, index))

    def focus(
        self, name: str, size: tuple[int, int] = (720, 1280), index: tuple[int, ...] = ()
    ) -> Float[Tensor, "h w 3"]:
        """Return a flat heat map and histogram of a tensor, or of its part at `index`, such as a kernel.

        Raises ValueError for an unknown name, an index of too many axes, and a tensor without values.
        """
        box, sheet = self._box(name), self.sheet(name)
        if sheet is None:
            raise ValueError(f"{box.name!r} has nothing to show: {box.note}.")
        return focus_picture(sheet, self._aggregate, size, index)

    def close(self) -> None:
        """Give the GPU's memory back; the next picture starts afresh."""
        if self._thread is not None:
            self._thread.close()
        self._thread = self._picture = None

    def state(self, camera: Camera, size: tuple[int, int]) -> tuple[object, ...]:
        """Return everything that a picture depends on: equal states, equal pictures."""
        eye = camera.azimuth, camera.elevation, camera.distance, tuple(camera.target), camera.fov
        switches = self.labels, self.outlines, self.filled, self.legend, self.selected, self._aggregate, self._ranges
        cell = None if self.hover is None else (self.hover.name, self.hover.cell)
        return eye, size, switches, cell, tuple(sheet.version for sheet in self.sheets)

    def _box(self, name: str) -> Box:
        known = self._aliases.get(name, name)
        # A message that lists all names of a large network would fill the screen: three that are like it.
        if known not in self.boxes:
            near = self.find(name)[:3] or list(self.boxes)[:3]
            raise ValueError(f"no tensor {name!r} in this network. Known are, for instance, {', '.join(near)}.")
        return self.boxes[known]


class RenderThread:
    """A thread of its own with an OpenGL context of its own, so that drawing disturbs no window's.

    Raises `GLUnavailable` if there is no OpenGL; `close` releases the renderer.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "easel-inspector")
        # What is current belongs to a thread: on the caller's, a window or another product may be drawing.
        try:
            self._context, self.renderer = self._thread.submit(_open_renderer).result()
        except BaseException:
            self._thread.shutdown()
            raise
        self.close = weakref.finalize(self, _release, self._thread, self._context, self.renderer)
        self.close.atexit = False  # threads have ended by then, and the driver tidies up by itself

    def picture(
        self, content: Content, camera: Camera, size: tuple[int, int], upload_bytes: int | None
    ) -> Float[Tensor, "h w 3"]:
        """Return the picture that a camera sees; see `NetworkScene.draw`."""

        def work() -> Tensor:
            with self._context:
                self.renderer.draw(content, camera, size, upload_bytes)
                return self.renderer.read()

        return self._thread.submit(work).result()


def _open_renderer() -> "tuple[moderngl.Context, NetworkRenderer]":
    context = open_headless()
    with context:
        return context, NetworkRenderer(context)


def _release(thread: ThreadPoolExecutor, context: "moderngl.Context", renderer: NetworkRenderer) -> None:
    # No method of RenderThread: a finalizer that holds the object would keep it from ever going.
    def work() -> None:
        with context:
            renderer.release()
        context.release()

    thread.submit(work).result()
    thread.shutdown()


def turntable(
    scene: NetworkScene, frames: int, size: tuple[int, int], camera: Camera | None = None
) -> Iterator[Float[Tensor, "h w 3"]]:
    """Yield the frames of a film in which the camera swings to the left, to the right and back; the ends join.

    `size` is (height, width); without a `camera` everything is in sight. Raises ValueError for less than one frame.

        with VideoWriter("network.mp4", fps=30) as film:
            for picture in turntable(scene, 120, (720, 1280)):
                film.append(picture)
    """
    if frames < 1:
        raise ValueError(f"a turntable has at least one frame; got {frames}.")
    start = camera or scene.home(size)
    for number in range(frames):
        phase = 2 * math.pi * number / frames
        azimuth = start.azimuth + SWING * math.sin(phase)
        # Twice as fast: the camera draws a lying eight, and passes no place in the same direction twice.
        elevation = start.elevation + NOD * math.sin(2 * phase)
        yield scene.draw(Camera(azimuth, elevation, start.distance, start.target, start.fov), size)


def _rectangle(origin: np.ndarray, right: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Return the corners of a rectangle, in no order around it."""
    return np.array([origin, origin + right, origin + down, origin + right + down])
