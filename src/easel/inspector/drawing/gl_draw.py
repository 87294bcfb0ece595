"""Sheets, plates and text, drawn into the framebuffer in use; the context must be current in every call."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Float16, Float32, UInt8

from easel.inspector.drawing.shaders import (
    PLATE_FRAGMENT,
    PLATE_VERTEX,
    SHEET_FLOATS,
    SHEET_FRAGMENT,
    SHEET_VERTEX,
    TEXT_FRAGMENT,
    TEXT_VERTEX,
)

if TYPE_CHECKING:
    import moderngl

Halves = Float16[np.ndarray, "rows columns"]


@dataclass(eq=False)
class LevelTexture:
    """The levels of a tile from `first` on, in one texture: the finest at the left, the others below one another."""

    texture: "moderngl.Texture"
    first: int
    corners: list[tuple[int, int]]
    """Left and upper texel of every level from `first` on."""

    @property
    def bytes(self) -> int:
        return self.texture.width * self.texture.height * 2


def level_sizes(cells: tuple[int, int]) -> list[tuple[int, int]]:
    """Rows and columns of all levels of a tile."""
    sizes = [cells]
    while max(sizes[-1]) > 1:
        rows, columns = sizes[-1]
        sizes.append((max(rows // 2, 1), max(columns // 2, 1)))
    return sizes


class SheetBrush:
    """Draws tiles of sheets, four corners each, that the program makes by itself."""

    def __init__(self, context: "moderngl.Context", fragment: str = SHEET_FRAGMENT) -> None:
        self._context = context
        self._program = context.program(vertex_shader=SHEET_VERTEX, fragment_shader=fragment)
        self._corners = context.vertex_array(self._program, [])
        self._sheet: Any = self._program["sheet"]

    def texture(self, level: Callable[[int], Halves], cells: tuple[int, int], first: int) -> LevelTexture:
        """A texture of the levels from `first` on; `level(k)` gives the values of one."""
        sizes = level_sizes(cells)[first:]
        (rows, columns), smaller = sizes[0], sizes[1:]
        width = columns + (smaller[0][1] if smaller else 0)
        height = max(rows, sum(size[0] for size in smaller))
        # alignment=1: rows of halves need not be a multiple of four bytes long.
        texture = self._context.texture((width, height), 1, dtype="f2", alignment=1)
        shared = LevelTexture(texture, first, [(0, 0)])
        top = 0
        for size in smaller:
            shared.corners.append((columns, top))
            top += size[0]
        self.write(shared, level, cells)
        return shared

    def write(self, shared: LevelTexture, level: Callable[[int], Halves], cells: tuple[int, int]) -> int:
        """Write all levels of a texture again; returns the bytes that moved."""
        moved = 0
        for number, (left, top) in enumerate(shared.corners):
            values = level(shared.first + number)
            rows, columns = level_sizes(cells)[shared.first + number]
            assert values.shape == (rows, columns), "a level has the size that its number says"
            shared.texture.write(np.ascontiguousarray(values), viewport=(left, top, columns, rows), alignment=1)
            moved += values.nbytes
        return moved

    def begin(self, clip_from_world: Float[np.ndarray, "4 4"]) -> None:
        """Look from here until the next `begin`."""
        _write(self._program, "clip_from_world", clip_from_world)
        self._context.clear_samplers()

    def draw(self, table: Float32[np.ndarray, "22 4"], shared: LevelTexture) -> None:
        """Draw one tile, described as the program's `sheet` has it."""
        assert table.size == SHEET_FLOATS
        self._sheet.write(table)
        shared.texture.use(0)
        self._corners.render(self._context.TRIANGLE_STRIP, vertices=4)

    def release(self) -> None:
        self._corners.release()
        self._program.release()


class _Quads:
    """A program that draws a quad for every row of a table."""

    def __init__(self, context: "moderngl.Context", vertex: str, fragment: str, layout: str, *columns: str) -> None:
        self._context = context
        self._program = context.program(vertex_shader=vertex, fragment_shader=fragment)
        self._layout, self._columns, self._count = layout, columns, 0
        self._buffer: moderngl.Buffer | None = None
        self._array: moderngl.VertexArray | None = None

    def load(self, rows: Float[np.ndarray, "n k"]) -> None:
        """The quads to draw from now on."""
        data = rows.astype(np.float32).tobytes()
        self._count = len(rows)
        if self._buffer is not None and self._buffer.size >= len(data):
            self._buffer.orphan()
            if data:
                self._buffer.write(data)
            return
        self._forget()
        if self._count:
            self._buffer = self._context.buffer(data)
            content = [(self._buffer, f"{self._layout}/i", *self._columns)]
            self._array = self._context.vertex_array(self._program, content)

    def render(self) -> None:
        if self._array is not None and self._count:
            self._array.render(self._context.TRIANGLE_STRIP, vertices=4, instances=self._count)

    def release(self) -> None:
        self._forget()
        self._program.release()

    def _forget(self) -> None:
        for thing in (self._array, self._buffer):
            if thing is not None:
                thing.release()
        self._array = self._buffer = None


class PlateBrush(_Quads):
    """Draws rectangles with round corners and a border."""

    def __init__(self, context: "moderngl.Context") -> None:
        names = ("origin", "right", "down", "fill", "border")
        super().__init__(context, PLATE_VERTEX, PLATE_FRAGMENT, "3f 3f 3f 4f 4f", *names)

    def draw(self, clip_from_world: Float[np.ndarray, "4 4"]) -> None:
        """Draw what is loaded: (origin, right, down, colour, radius, colour of the border, its width in pixels)."""
        _write(self._program, "clip_from_world", clip_from_world)
        self.render()


class TextBrush(_Quads):
    """Draws letters and filled rectangles on the picture itself, in pixels from its upper left corner."""

    def __init__(self, context: "moderngl.Context", glyphs: UInt8[np.ndarray, "h w"]) -> None:
        super().__init__(context, TEXT_VERTEX, TEXT_FRAGMENT, "4f 4f 4f", "place", "glyph", "ink")
        height, width = glyphs.shape
        self._texture = context.texture((width, height), 1, np.ascontiguousarray(glyphs).tobytes(), alignment=1)

    def draw(self, size: tuple[int, int]) -> None:
        """Draw what is loaded over a picture of `size` = (height, width): (place, place in the table, colour)."""
        context: Any = self._context  # its type says pairs where it gives more numbers
        context.disable(context.DEPTH_TEST)
        context.enable(context.BLEND)
        # Alpha stays 1: an interface that shows the picture would let its panel shine through.
        context.blend_func = context.SRC_ALPHA, context.ONE_MINUS_SRC_ALPHA, context.ONE, context.ONE
        _write(self._program, "size", np.array([size[1], size[0]], np.float32))
        self._texture.use(0)
        context.clear_samplers()
        self.render()
        context.disable(context.BLEND)

    def release(self) -> None:
        super().release()
        self._texture.release()


def _write(program: "moderngl.Program", name: str, numbers: Float[np.ndarray, "*n"]) -> None:
    uniform: Any = program[name]
    uniform.write(np.asarray(numbers, np.float32).T.tobytes())  # matrices travel column by column
