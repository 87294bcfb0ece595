"""Screen passes: a fragment shader that is run once for every pixel of a texture."""

from typing import TYPE_CHECKING

from easel.gl.shader_files import read_shader

if TYPE_CHECKING:
    import moderngl


class ScreenPass:
    """A program that draws over all of a texture; its context must be current in every call."""

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
