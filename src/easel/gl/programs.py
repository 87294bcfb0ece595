"""GPU programs: shaders from files, run over a whole texture or over the rows of a table.

The OpenGL context must be current in every call.
"""

import re
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Real
from torch import Tensor

if TYPE_CHECKING:
    import moderngl

Number = float | int
Uniform = Tensor | np.ndarray | Sequence[Number] | Number
_INCLUDE = re.compile(r'^#include "([\w.]+)"$', re.MULTILINE)


def read_shader(package: str, name: str, generated: Mapping[str, str] | None = None) -> str:
    """Return the GLSL text of the file `shaders/NAME` in a package.

    A line `#include "FILE"` is replaced by that file of the same folder, or by `generated["FILE"]`: GLSL has no include
    of its own.

        read_shader("easel.gl", "line.vert")
    """

    def included(line: re.Match[str]) -> str:
        file = line[1]
        return generated[file] if generated and file in generated else read_shader(package, file, generated)

    return _INCLUDE.sub(included, resources.files(package).joinpath("shaders", name).read_text(encoding="utf-8"))


class ScreenPass:
    """A program whose fragment shader runs once for every pixel of a texture."""

    def __init__(self, context: "moderngl.Context", fragment: str) -> None:
        self._context = context
        self.program = context.program(
            vertex_shader=read_shader("easel.gl", "whole.vert"), fragment_shader=read_shader("easel.gl", fragment)
        )
        self._corners = context.vertex_array(self.program, [])

    def target(self, size: tuple[int, int], kept: "moderngl.Texture | None") -> "moderngl.Texture":
        """Return `kept` if it has `size` = (width, height), else a new texture in its place."""
        if kept is not None:
            if kept.size == size:
                return kept
            kept.release()
        texture = self._context.texture(size, 4)
        texture.repeat_x = texture.repeat_y = False
        return texture

    def draw(self, target: "moderngl.Texture") -> None:
        """Draw into `target`, with the uniforms of `program` and the textures in use."""
        context = self._context
        framebuffer = context.framebuffer([target])
        framebuffer.use()
        # Whoever drew before in this context may have left them on.
        context.disable(context.BLEND | context.CULL_FACE | context.DEPTH_TEST)
        # Dear ImGui's renderer binds samplers of its own, which would override the textures' filters.
        context.clear_samplers()
        self._corners.render(context.TRIANGLE_STRIP, vertices=4)
        framebuffer.release()

    def release(self) -> None:
        self._corners.release()
        self.program.release()


class NearestEnlarger(ScreenPass):
    """Draws textures at the size at which they are shown: every screen pixel shows exactly one texel.

    Dear ImGui's renderer binds samplers of its own, always linear, so a picture that must show its pixels as squares is
    enlarged beforehand; drawn 1:1, a linear sampler then changes nothing.
    """

    def __init__(self, context: "moderngl.Context") -> None:
        super().__init__(context, "nearest.frag")

    def enlarge(
        self,
        source: "moderngl.Texture",
        shown: tuple[int, int],
        target: "moderngl.Texture | None" = None,
        part: tuple[int, int, int, int] | None = None,
    ) -> "moderngl.Texture":
        """Return `source` at `shown` = (height, width), in `target` if that has the right size, else a new texture.

        `part` = (left, top, width, height) is the part that is needed, in the pixels of the result: a large zoom would
        otherwise fill a texture of which the screen shows a corner.
        """
        left, top, width, height = part or (0, 0, shown[1], shown[0])
        target = self.target((width, height), target)
        source.use(0)
        self.program["shown"] = shown[1], shown[0]
        self.program["origin"] = left, top
        self.draw(target)
        return target


class TableProgram:
    """A program and its table on the GPU, whose rows are vertices, or things to draw if `layout` ends with `/i`.

    The program is in the files SHADER.vert and SHADER.frag of a package; `layout` is moderngl's, one entry for each of
    `columns`.
    """

    def __init__(
        self, context: "moderngl.Context", package: str, shader: str, layout: str, columns: tuple[str, ...]
    ) -> None:
        self._context = context
        self._program = context.program(
            vertex_shader=read_shader(package, f"{shader}.vert"), fragment_shader=read_shader(package, f"{shader}.frag")
        )
        self._layout, self._columns = layout, columns
        self._count = 0
        self._buffers: list[moderngl.Buffer] = []
        self._array: moderngl.VertexArray | None = None

    def load(self, *parts: Real[Tensor, "n ..."] | Real[np.ndarray, "n ..."], triangles: Tensor | None = None) -> None:
        """Load the table, whose columns are those of `parts`, and the triples of its rows that are triangles."""
        self._count = len(parts[0])
        columns = [torch.as_tensor(part).flatten(1) for part in parts]
        # Most tables come whole: joining would copy them.
        rows = torch.cat(columns, dim=1) if len(columns) > 1 else columns[0]
        tables = [rows.float().cpu().contiguous().numpy()]
        if triangles is not None:
            tables.append(triangles.to(torch.int32).cpu().contiguous().numpy())
        # Buffers that fit are written again: a new one each frame would cost the driver an allocation.
        if self._fits([table.nbytes for table in tables]):
            for buffer, table in zip(self._buffers, tables, strict=True):
                buffer.orphan()  # what was drawn with it may not be finished; the driver gives it other memory
                if len(table):
                    buffer.write(table)
            return
        self._forget()
        if self._count:
            self._buffers = [self._context.buffer(table) for table in tables]
            content = [(self._buffers[0], self._layout, *self._columns)]
            index = self._buffers[1] if triangles is not None else None
            self._array = self._context.vertex_array(self._program, content, index)

    def set(self, **uniforms: Uniform) -> None:
        """Set values that are the same for all rows."""
        for name, value in uniforms.items():
            write_uniform(self._program, name, value)

    def render(self, mode: int, each: int | None = None) -> None:
        """Draw all rows; `each` is the number of corners that the program makes of every one."""
        if self._array is None or not self._count:
            return
        if each is None:
            # As many corners as the table, or its triangles, have.
            self._array.render(mode)
        else:
            self._array.render(mode, vertices=each, instances=self._count)

    def release(self) -> None:
        self._forget()
        self._program.release()

    def _fits(self, sizes: list[int]) -> bool:
        """Return True if tables of so many bytes fit into the buffers."""
        held = [buffer.size for buffer in self._buffers]
        # Things are counted when they are drawn, so that a table may end before its buffer; vertices are not.
        return held == sizes or (bool(held) and self._layout.endswith("/i") and held >= sizes)

    def _forget(self) -> None:
        for held in (self._array, *self._buffers):
            if held is not None:
                held.release()
        self._array = None
        self._buffers = []


def write_uniform(program: "moderngl.Program", name: str, value: Uniform) -> None:
    """Write a number, a vector or a matrix on the CPU into a uniform."""
    uniform: Any = program[name]
    uniform.write(np.asarray(value, np.float32).T.tobytes())  # matrices travel column by column
