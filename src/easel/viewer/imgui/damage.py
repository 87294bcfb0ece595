"""Damage: where a frame looks different from the one before, so that nothing else is drawn, read and sent again.

Dear ImGui describes a frame by triangles. One whose corners, texture and clipping are what they were leaves the pixels
that it left; all others damage the boxes around where they were and where they are.
"""

import ctypes
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from easel.viewer.imgui.toolkit import imgui

Box = tuple[int, int, int, int]
"""x, y, width, height in pixels."""
Bounds = tuple[float, float, float, float]
"""Left, top, right, bottom."""

MOST_BOXES = 12
"""More of them cost more than what lies between them."""
SLACK_PIXELS = 1 << 14
"""Two boxes become one where that adds no more than this: every box is a pass of its own."""
EDGE = 1 / 64
"""Of a pixel: how far a driver's arithmetic may move an edge."""
OPAQUE_WHITE = 0xFFFFFFFF


@dataclass(frozen=True)
class Command:
    """A stretch of a draw list's triangles, with one texture and one clipping."""

    texture: int
    """OpenGL's name."""
    revision: int = field(compare=False)
    """Another one when the texture shows something else."""
    clip: Bounds
    first: int
    """Triangle of the list."""
    count: int
    offset: int
    """What is added to its indices."""


@dataclass(frozen=True)
class DrawList:
    """What one draw list held."""

    name: str
    words: np.ndarray
    """(n, 5) uint32: every vertex as it lies in memory, x and y (floats), u and v (floats), colour."""
    triangles: np.ndarray
    """(m, 3): numbers of vertices."""
    commands: tuple[Command, ...]

    def bounds(self, command: Command, triangles: np.ndarray) -> Bounds | None:
        """The smallest box around some triangles of a command, as far as they are seen; None when they are not."""
        if not len(triangles):
            return None
        places = self.words.view(np.float32)[triangles.ravel(), :2]
        left, top, right, bottom = command.clip
        left, top = np.maximum(places.min(0), (left, top)).tolist()
        right, bottom = np.minimum(places.max(0), (right, bottom)).tolist()
        return (left, top, right, bottom) if left < right and top < bottom else None

    def triangles_of(self, command: Command) -> np.ndarray:
        """(n, 3) numbers of vertices."""
        return self.triangles[command.first : command.first + command.count] + command.offset

    def is_rectangle(self, command: Command) -> bool:
        """Whether a command is one upright rectangle that takes its texture's colours as they are."""
        corners = self._corners(command)
        places = {(x, y) for x, y in corners.view(np.float32)[:, :2].tolist()}
        across, down = {x for x, _ in places}, {y for _, y in places}
        upright = command.count == 2 and len(places) == 4 and len(across) == len(down) == 2
        return upright and bool((corners[:, 4] == OPAQUE_WHITE).all())

    def is_whole_texture(self, command: Command) -> bool:
        """Whether such a rectangle shows all of its texture, unturned."""
        values = self._corners(command).view(np.float32)
        left, top, right, bottom = *values[:, :2].min(0), *values[:, :2].max(0)
        return all((u, v) == ((x - left) / (right - left), (y - top) / (bottom - top)) for x, y, u, v, _ in values)

    def _corners(self, command: Command) -> np.ndarray:
        """The vertices of a command's triangles."""
        return self.words[self.triangles_of(command).ravel()]

    def whole(self) -> Iterator[Bounds]:
        """Around all that it draws."""
        for command in self.commands:
            if (bounds := self.bounds(command, self.triangles_of(command))) is not None:
                yield bounds

    def against(self, before: "DrawList") -> Iterator[Bounds]:
        """Around all that is drawn differently in `before`, there and here."""
        alike = before.words.shape == self.words.shape and np.array_equal(before.triangles, self.triangles)
        if not alike or before.commands != self.commands:
            yield from before.whole()
            yield from self.whole()
            return
        moved = (before.words != self.words).any(1)
        some_moved = bool(moved.any())
        for was, command in zip(before.commands, self.commands, strict=True):
            repainted = was.revision != command.revision
            if not repainted and not some_moved:
                continue
            triangles = self.triangles_of(command)
            triangles = triangles if repainted else triangles[moved[triangles].any(1)]
            for draw_list in (before, self):
                if (bounds := draw_list.bounds(command, triangles)) is not None:
                    yield bounds


@dataclass(frozen=True)
class Cover:
    """A picture that is all that is seen of a box, but for what is drawn later."""

    texture: int
    """OpenGL's name."""
    number: int
    """Of its command in the frame: those before it leave nothing in the box."""
    alone: bool
    """Nothing is drawn later either, and the box is exactly where the whole picture is."""


class Damage:
    """Remembers the last frame."""

    def __init__(self) -> None:
        self._before: dict[str, DrawList] | None = None
        """Its draw lists by name, in their order; None when names do not tell them apart."""
        self._scene: object = None

    def find(
        self, draw_data: "imgui.ImDrawData", revisions: Mapping[int, int], size: tuple[int, int], scene: object
    ) -> list[Box]:
        """Where this frame of `size` = (width, height) differs from the one that was given last; [] when nowhere.

        `revisions` has, by OpenGL's names, a number for every texture that may change: another one when it has. All is
        different where `scene`, whatever else decides about the look, is not what it was.
        """
        lists = [_copied(draw_list, revisions) for draw_list in draw_data.cmd_lists]
        now = {draw_list.name: draw_list for draw_list in lists}
        before, self._before = self._before, now if len(now) == len(lists) else None
        known = (size, scene) == self._scene
        self._scene = size, scene
        # Whatever is above or below something else than before changes what is seen of both.
        if before is None or self._before is None or not known or _common(before, now) != _common(now, before):
            return [(0, 0, *size)]
        found = [bounds for name in before.keys() - now.keys() for bounds in before[name].whole()]
        for name, draw_list in now.items():
            found += draw_list.against(before[name]) if name in before else draw_list.whole()
        return _few([box for bounds in found if (box := _pixels(bounds, size)) is not None])

    def cover(self, box: Box, opaque: Collection[int]) -> Cover | None:
        """The last rectangle of the frame with one of the `opaque` textures that lies over all of `box`."""
        found: Cover | None = None
        commands = [(lst, command) for lst in (self._before or {}).values() for command in lst.commands]
        for number, (draw_list, command) in enumerate(commands):
            if not _overlap(command.clip, box):
                continue
            picture = command.texture in opaque and draw_list.is_rectangle(command)
            bounds = draw_list.bounds(command, draw_list.triangles_of(command))
            if bounds is None or not _overlap(bounds, box):
                continue
            if picture and _within(box, bounds):
                alone = _exactly(box, bounds) and draw_list.is_whole_texture(command)
                found = Cover(command.texture, number, alone)
            elif found is not None:
                found = replace(found, alone=False)
        return found


def _copied(draw_list: "imgui.ImDrawList", revisions: Mapping[int, int]) -> DrawList:
    commands: list[Command] = []
    buffer = draw_list.cmd_buffer
    for index in range(buffer.size()):
        command = buffer[index]
        name, clip = command.tex_ref._tex_id, command.clip_rect
        commands.append(
            Command(
                name,
                revisions.get(name, 0),
                (clip.x, clip.y, clip.z, clip.w),
                command.idx_offset // 3,
                command.elem_count // 3,
                command.vtx_offset,
            )
        )
    words = _memory(draw_list.vtx_buffer, imgui.VERTEX_SIZE, "u4").reshape(-1, 5).copy()
    triangles = _memory(draw_list.idx_buffer, imgui.INDEX_SIZE, f"u{imgui.INDEX_SIZE}").reshape(-1, 3).copy()
    return DrawList(draw_list._owner_name, words, triangles, tuple(commands))


def _memory(buffer: "imgui.ImVector_ImDrawVert | imgui.ImVector_ImDrawIdx", size: int, kind: str) -> np.ndarray:
    """The memory behind one of Dear ImGui's vectors with elements of `size` bytes, until the next frame begins."""
    count = buffer.size() * size
    if not count:
        return np.empty(0, kind)
    return np.frombuffer(memoryview((ctypes.c_char * count).from_address(buffer.data_address())), kind)


def _common(lists: Mapping[str, DrawList], others: Mapping[str, DrawList]) -> list[str]:
    return [name for name in lists if name in others]


def _pixels(bounds: Bounds, size: tuple[int, int]) -> Box | None:
    """All pixels whose centres may lie within; None where that is none of a window of `size`."""
    left, top = (max(int(np.ceil(edge - 0.5 - EDGE)), 0) for edge in bounds[:2])
    right, bottom = (min(int(np.floor(edge + 0.5 + EDGE)), most) for edge, most in zip(bounds[2:], size, strict=True))
    return (left, top, right - left, bottom - top) if left < right and top < bottom else None


def _overlap(bounds: Bounds, box: Box) -> bool:
    left, top, right, bottom = bounds
    x, y, width, height = box
    return left < x + width and x < right and top < y + height and y < bottom


def _within(box: Box, bounds: Bounds) -> bool:
    """Whether the centres of all pixels of `box` lie within `bounds` for certain."""
    left, top, right, bottom = bounds
    x, y, width, height = box
    inner, outer = 0.5 - EDGE, -0.5 + EDGE
    return left <= x + inner and top <= y + inner and right >= x + width + outer and bottom >= y + height + outer


def _exactly(box: Box, bounds: Bounds) -> bool:
    x, y, width, height = box
    return bounds == (x, y, x + width, y + height)


def _few(boxes: list[Box]) -> list[Box]:
    """Few boxes over all of these."""
    apart: list[Box] = []
    for box in boxes:
        while True:
            near = next((other for other in apart if _area(_around(box, other)) <= _worth(box, other)), None)
            if near is None:
                break
            apart.remove(near)
            box = _around(box, near)
        apart.append(box)
        if len(apart) > MOST_BOXES:
            first, *rest = apart
            for other in rest:
                first = _around(first, other)
            apart = [first]
    return apart


def _area(box: Box) -> int:
    return box[2] * box[3]


def _worth(a: Box, b: Box) -> int:
    """How many pixels one box over both may have."""
    return _area(a) + _area(b) + SLACK_PIXELS


def _around(a: Box, b: Box) -> Box:
    x, y = min(a[0], b[0]), min(a[1], b[1])
    return x, y, max(a[0] + a[2], b[0] + b[2]) - x, max(a[1] + a[3], b[1] + b[3]) - y
