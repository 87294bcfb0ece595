"""Brushes for sheets, plates and text: they draw into the framebuffer in use; the context must be current in each call.

Cells, lines and outlines are computed per pixel, by the programs in `shaders`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Float16, Float32, UInt8

from easel.gl.programs import TableProgram, read_shader, write_uniform
from easel.inspector.drawing.colors import AMBER, LOUD, NEGATIVE, POSITIVE, SEQUENTIAL, WHITE, ZERO, Rgb

if TYPE_CHECKING:
    import moderngl

PACKAGE = "easel.inspector.drawing"
"""Package of the shaders."""
Halves = Float16[np.ndarray, "rows columns"]


@dataclass(eq=False)
class LevelTexture:
    """Levels of a tile from `first` on, in one texture: the finest at the left, the others below one another."""

    texture: "moderngl.Texture"
    first: int
    corners: list[tuple[int, int]]
    """Left and upper texel of every level from `first` on."""

    @property
    def bytes(self) -> int:
        return self.texture.width * self.texture.height * 2


def level_sizes(cells: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the rows and columns of all levels of a tile."""
    rows, columns = cells
    return [(max(rows >> level, 1), max(columns >> level, 1)) for level in range(max(cells).bit_length())]


class SheetBrush:
    """Draws tiles of sheets; `fragment` takes the place of the shader that colours them."""

    def __init__(self, context: "moderngl.Context", fragment: str | None = None) -> None:
        self._context = context
        fragment = fragment or read_shader(PACKAGE, "sheet.frag", {"colors.glsl": _color_constants()})
        self._program = context.program(vertex_shader=read_shader(PACKAGE, "sheet.vert"), fragment_shader=fragment)
        # No buffer: the vertex shader makes the four corners of a tile from their numbers.
        self._corners = context.vertex_array(self._program, [])
        self._sheet: Any = self._program["sheet"]

    def texture(self, level: Callable[[int], Halves], cells: tuple[int, int], first: int) -> LevelTexture:
        """Return a texture of the levels from `first` on; `level(k)` gives the values of one."""
        (rows, columns), *smaller = level_sizes(cells)[first:]
        width = columns + max((size[1] for size in smaller), default=0)
        height = max(rows, sum(size[0] for size in smaller))
        # alignment=1: rows of halves need not be a multiple of four bytes long.
        texture = self._context.texture((width, height), 1, dtype="f2", alignment=1)
        shared = LevelTexture(texture, first, [(0, 0)])
        # One below another beside the finest: together they are about as tall as it is.
        top = 0
        for size in smaller:
            shared.corners.append((columns, top))
            top += size[0]
        self.write(shared, level, cells)
        return shared

    def write(self, shared: LevelTexture, level: Callable[[int], Halves], cells: tuple[int, int]) -> int:
        """Write all levels of a texture again. Returns the bytes that moved."""
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
        write_uniform(self._program, "clip_from_world", clip_from_world)
        # Dear ImGui's renderer leaves samplers bound, which would filter values.
        self._context.clear_samplers()

    def draw(self, table: Float32[np.ndarray, "22 4"], shared: LevelTexture) -> None:
        """Draw one tile; `table` is the program's uniform `sheet`, whose rows `sheet.glsl` explains."""
        # One write for a tile: a uniform each would be twenty calls of the driver.
        self._sheet.write(table)
        shared.texture.use(0)
        self._corners.render(self._context.TRIANGLE_STRIP, vertices=4)

    def release(self) -> None:
        self._corners.release()
        self._program.release()


class PlateBrush(TableProgram):
    """Draws rectangles with round corners and a border."""

    def __init__(self, context: "moderngl.Context") -> None:
        super().__init__(context, PACKAGE, "plate", "3f 3f 3f 4f 4f/i", ("origin", "right", "down", "fill", "border"))

    def draw(self, clip_from_world: Float[np.ndarray, "4 4"]) -> None:
        """Draw what is loaded: (origin, right, down, colour, radius, colour of the border, its width in pixels)."""
        self.set(clip_from_world=clip_from_world)
        self.render(self._context.TRIANGLE_STRIP, each=4)


class TextBrush(TableProgram):
    """Draws letters and filled rectangles on the picture itself, in pixels from its upper left corner."""

    def __init__(self, context: "moderngl.Context", glyphs: UInt8[np.ndarray, "h w"]) -> None:
        super().__init__(context, PACKAGE, "text", "4f 4f 4f/i", ("place", "glyph", "ink"))
        height, width = glyphs.shape
        # One channel: the colour comes with each quad.
        self._texture = context.texture((width, height), 1, np.ascontiguousarray(glyphs).tobytes(), alignment=1)

    def draw(self, size: tuple[int, int]) -> None:
        """Draw what is loaded over a picture of `size` = (height, width): (place, place in the table, colour)."""
        context: Any = self._context  # its type says pairs where it gives more numbers
        # In the plane of the screen: nothing in space hides a name.
        context.disable(context.DEPTH_TEST)
        context.enable(context.BLEND)
        # Alpha stays 1: an interface that shows the picture would let its panel shine through.
        context.blend_func = context.SRC_ALPHA, context.ONE_MINUS_SRC_ALPHA, context.ONE, context.ONE
        self.set(size=np.array([size[1], size[0]]))
        self._texture.use(0)
        context.clear_samplers()
        self.render(context.TRIANGLE_STRIP, each=4)
        context.disable(context.BLEND)

    def release(self) -> None:
        super().release()
        self._texture.release()


def _color_constants() -> str:
    """Return the colours of data as constants of GLSL."""
    colors = {"zero": ZERO, "loud": LOUD, "amber": AMBER, "white": WHITE}
    colors |= {"negative": NEGATIVE[0], "deep_negative": NEGATIVE[1]}
    colors |= {"positive": POSITIVE[0], "deep_positive": POSITIVE[1]}
    lines = [f"const vec3 {name} = {_vec3(color)};" for name, color in colors.items()]
    ramp = f"const vec3 ramp[{len(SEQUENTIAL)}] = vec3[]({', '.join(map(_vec3, SEQUENTIAL))});"
    return "\n".join([*lines, ramp, f"const int steps = {len(SEQUENTIAL) - 1};"])


def _vec3(color: Rgb) -> str:
    return f"vec3({', '.join(f'{part:.6f}' for part in color)})"
