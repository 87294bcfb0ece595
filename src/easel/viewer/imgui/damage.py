"""Damage: the parts of a frame that differ from the one before, so that only they are drawn, read back and sent.

Dear ImGui describes a frame by triangles. One whose corners, texture and clipping are unchanged leaves the same
pixels; all others damage the boxes around their old and new places.
"""

import ctypes
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce

import numpy as np

from easel.viewer.imgui.sketch import Number
from easel.viewer.imgui.toolkit import imgui

Box = tuple[int, int, int, int]
"""x, y, width, height in pixels."""
Bounds = tuple[Number, Number, Number, Number]
"""Left, top, right, bottom."""

MOST_BOXES = 12
"""Largest number of separate boxes; beyond it, one box around all is cheaper."""
SLACK_PIXELS = 1 << 14
"""Pixels that merging two boxes may add: every box is a pass of its own."""
EDGE = 1 / 64
"""Tolerance in pixels for a driver's arithmetic at an edge."""
OPAQUE_WHITE = 0xFFFFFFFF


@dataclass(frozen=True)
class Command:
    """A run of a draw list's triangles with one texture and one clipping rectangle."""

    texture: int
    """OpenGL's name of it."""
    # Not compared: a texture with other contents damages its own triangles only, not the whole list.
    revision: int = field(compare=False)
    """A number that changes with the contents of the texture."""
    clip: Bounds
    first: int
    """The first triangle's number in the list."""
    count: int
    offset: int
    """Added to its vertex indices."""


@dataclass(frozen=True)
class DrawList:
    """A copy of one draw list, taken before the library reuses its memory."""

    name: str
    vertices: np.ndarray
    """(n, 5) uint32, as they lie in memory: x, y, u and v (the bits of float32), and the packed colour."""
    triangles: np.ndarray
    """(m, 3) vertex indices."""
    commands: tuple[Command, ...]

    def bounds(self, command: Command, triangles: np.ndarray) -> Bounds | None:
        """Return the bounding box of some triangles of a command after clipping; None if nothing of them is seen."""
        if not len(triangles):
            return None
        # The vertices that are used alone: a list holds those of all its commands.
        corners = self.vertices.view(np.float32)[triangles.ravel(), :2]
        left, top = np.maximum(corners.min(0), command.clip[:2]).tolist()
        right, bottom = np.minimum(corners.max(0), command.clip[2:]).tolist()
        return (left, top, right, bottom) if left < right and top < bottom else None

    def triangles_of(self, command: Command) -> np.ndarray:
        """Return the (n, 3) vertex indices of a command."""
        return self.triangles[command.first : command.first + command.count] + command.offset

    def is_rectangle(self, command: Command) -> bool:
        """Return True if a command is one axis-aligned rectangle that shows its texture's colours unchanged."""
        corners = self._corners(command)
        # Two triangles share two corners: four different places with two columns and two rows are a rectangle.
        places = {(x, y) for x, y in corners.view(np.float32)[:, :2].tolist()}
        upright = len({x for x, _ in places}) == len({y for _, y in places}) == 2
        return command.count == 2 and len(places) == 4 and upright and bool((corners[:, 4] == OPAQUE_WHITE).all())

    def is_whole_texture(self, command: Command) -> bool:
        """Return True if such a rectangle shows all of its texture, not mirrored."""
        # Exactly, without tolerance: the library computes both from the same numbers, and what is not equal is redrawn.
        values = self._corners(command).view(np.float32)
        left, top, right, bottom = *values[:, :2].min(0), *values[:, :2].max(0)
        return all((u, v) == ((x - left) / (right - left), (y - top) / (bottom - top)) for x, y, u, v, _ in values)

    def _corners(self, command: Command) -> np.ndarray:
        """Return the vertices of a command's triangles."""
        return self.vertices[self.triangles_of(command).ravel()]

    def all_bounds(self) -> Iterator[Bounds]:
        """Yield the bounding box of each command that is seen."""
        for command in self.commands:
            if (bounds := self.bounds(command, self.triangles_of(command))) is not None:
                yield bounds

    def changes(self, before: "DrawList") -> Iterator[Bounds]:
        """Yield boxes around all that is drawn differently in `before`, at the old and at the new place."""
        alike = before.vertices.shape == self.vertices.shape and np.array_equal(before.triangles, self.triangles)
        if not alike or before.commands != self.commands:
            yield from before.all_bounds()
            yield from self.all_bounds()
            return
        # Integers are compared: a NaN equals itself then, and -0.0 differs from 0.0, which costs a redraw at worst.
        moved = (before.vertices != self.vertices).any(1)
        some_moved = bool(moved.any())
        for old, command in zip(before.commands, self.commands, strict=True):
            repainted = old.revision != command.revision
            if not repainted and not some_moved:
                continue
            triangles = self.triangles_of(command)
            if not repainted:
                triangles = triangles[moved[triangles].any(1)]
            for draw_list in (before, self):
                if (bounds := draw_list.bounds(command, triangles)) is not None:
                    yield bounds


@dataclass(frozen=True)
class Cover:
    """A picture that is all that is seen of a box, apart from what is drawn over it."""

    texture: int
    """OpenGL's name of it."""
    number: int
    """The number of its command in the frame; earlier commands leave nothing in the box."""
    alone: bool
    """Nothing is drawn over it, and the box is exactly the rectangle of the whole picture."""


class Damage:
    """Compares each frame with the one before."""

    def __init__(self) -> None:
        self._before: dict[str, DrawList] | None = None
        """Draw lists of the last frame by name, in order; None where names were not unique."""
        self._scene: object = None

    def find(
        self, draw_data: "imgui.ImDrawData", revisions: Mapping[int, int], size: tuple[int, int], scene: object
    ) -> list[Box]:
        """Return the boxes in which this frame of `size` = (width, height) differs from the last one; [] for none.

        `revisions` has, by OpenGL's names, a number for every texture that may change, which changes with it. The whole
        frame differs if `scene`, anything else that decides about the look, is not equal to the last one.
        """
        lists = [_copied(draw_list, revisions) for draw_list in draw_data.cmd_lists]
        now = {draw_list.name: draw_list for draw_list in lists}
        before = self._before
        # Two lists of one name could be compared with each other by mistake: such a frame is drawn as a whole.
        self._before = now if len(now) == len(lists) else None
        same_scene = (size, scene) == self._scene
        self._scene = size, scene
        if before is None or self._before is None or not same_scene:
            return [(0, 0, *size)]
        # A list that is now above or below another than before changes what is seen of both.
        if [name for name in before if name in now] != [name for name in now if name in before]:
            return [(0, 0, *size)]
        # A window that has gone uncovers what was below it.
        found = [bounds for name in before.keys() - now.keys() for bounds in before[name].all_bounds()]
        for name, draw_list in now.items():
            found += draw_list.changes(before[name]) if name in before else draw_list.all_bounds()
        return _merged([box for bounds in found if (box := _pixels(bounds, size)) is not None])

    def cover(self, box: Box, opaque: Collection[int]) -> Cover | None:
        """Return the topmost rectangle with one of the `opaque` textures that covers all of `box`; None for none."""
        found: Cover | None = None
        edges = (box[0], box[1], box[0] + box[2], box[1] + box[3])
        commands = [(lst, command) for lst in (self._before or {}).values() for command in lst.commands]
        for number, (draw_list, command) in enumerate(commands):
            # The clipping rectangle first: it tells most commands apart without a look at their triangles.
            if not _overlap(command.clip, edges):
                continue
            bounds = draw_list.bounds(command, draw_list.triangles_of(command))
            if bounds is None or not _overlap(bounds, edges):
                continue
            # The last one wins: it lies above those that were found before.
            if command.texture in opaque and draw_list.is_rectangle(command) and _within(edges, bounds):
                found = Cover(command.texture, number, bounds == edges and draw_list.is_whole_texture(command))
            elif found is not None:
                found = replace(found, alone=False)
        return found


def _copied(draw_list: "imgui.ImDrawList", revisions: Mapping[int, int]) -> DrawList:
    commands: list[Command] = []
    for index in range(draw_list.cmd_buffer.size()):
        run = draw_list.cmd_buffer[index]
        texture = run.tex_ref._tex_id
        clip = (run.clip_rect.x, run.clip_rect.y, run.clip_rect.z, run.clip_rect.w)
        revision = revisions.get(texture, 0)
        commands.append(Command(texture, revision, clip, run.idx_offset // 3, run.elem_count // 3, run.vtx_offset))
    # Copies: the library fills the same memory again in the next frame.
    vertices = _memory(draw_list.vtx_buffer, imgui.VERTEX_SIZE, "u4").reshape(-1, 5).copy()
    triangles = _memory(draw_list.idx_buffer, imgui.INDEX_SIZE, f"u{imgui.INDEX_SIZE}").reshape(-1, 3).copy()
    return DrawList(draw_list._owner_name, vertices, triangles, tuple(commands))


def _memory(buffer: "imgui.ImVector_ImDrawVert | imgui.ImVector_ImDrawIdx", size: int, kind: str) -> np.ndarray:
    """Return the memory of a vector with elements of `size` bytes; valid until the next frame begins."""
    # An empty vector has no address.
    if not (count := buffer.size() * size):
        return np.empty(0, kind)
    return np.frombuffer(memoryview((ctypes.c_char * count).from_address(buffer.data_address())), kind)


def _pixels(bounds: Bounds, size: tuple[int, int]) -> Box | None:
    """Return the pixels of a window of `size` whose centres may lie within; None if there are none."""
    # A rasterizer paints a pixel when its centre, at +0.5, is inside; EDGE errs towards painting.
    left, top = (max(int(np.ceil(edge - 0.5 - EDGE)), 0) for edge in bounds[:2])
    right, bottom = (min(int(np.floor(edge + 0.5 + EDGE)), most) for edge, most in zip(bounds[2:], size, strict=True))
    return (left, top, right - left, bottom - top) if left < right and top < bottom else None


def _overlap(a: Bounds, b: Bounds) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _within(box: Bounds, bounds: Bounds) -> bool:
    """Return True if the centres of all pixels of a box with these edges certainly lie within `bounds`."""
    left, top, right, bottom = box
    # EDGE errs the other way here: what is not certainly covered must be drawn below.
    inner = 0.5 - EDGE
    starts = bounds[0] <= left + inner and bounds[1] <= top + inner
    return starts and bounds[2] >= right - inner and bounds[3] >= bottom - inner


def _merged(boxes: list[Box]) -> list[Box]:
    """Return at most `MOST_BOXES` boxes that contain all of these."""
    apart: list[Box] = []
    for box in boxes:
        # Again after each merge: the larger box may reach others that the smaller one did not.
        while (near := next((other for other in apart if _worth_merging(box, other)), None)) is not None:
            apart.remove(near)
            box = _around(box, near)
        apart.append(box)
        # Checked at each box rather than at the end: the search above is quadratic in their number.
        if len(apart) > MOST_BOXES:
            apart = [reduce(_around, apart)]
    return apart


def _worth_merging(a: Box, b: Box) -> bool:
    both = _around(a, b)
    return both[2] * both[3] <= a[2] * a[3] + b[2] * b[3] + SLACK_PIXELS


def _around(a: Box, b: Box) -> Box:
    """Return the smallest box that contains both."""
    x, y = min(a[0], b[0]), min(a[1], b[1])
    return x, y, max(a[0] + a[2], b[0] + b[2]) - x, max(a[1] + a[3], b[1] + b[3]) - y
