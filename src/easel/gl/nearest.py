"""Nearest-neighbour enlargement on the GPU: every screen pixel shows exactly one texel.

Dear ImGui's renderer binds samplers of its own, always linear, so a picture that must show its pixels as squares is
enlarged beforehand to the size at which it is shown; drawn 1:1, a linear sampler then changes nothing.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import moderngl

VERTEX = """
#version 330
const vec2 corner[4] = vec2[](vec2(-1, -1), vec2(1, -1), vec2(-1, 1), vec2(1, 1));
void main() { gl_Position = vec4(corner[gl_VertexID], 0, 1); }
"""
FRAGMENT = """
#version 330
uniform sampler2D source;
uniform vec2 shown;
uniform vec2 origin;
out vec4 color;
void main() {
    // gl_FragCoord is at a pixel's centre already, so the texel that contains it is the floor.
    vec2 size = vec2(textureSize(source, 0));
    color = texelFetch(source, ivec2(min((gl_FragCoord.xy + origin) / shown * size, size - 1)), 0);
}
"""


class NearestEnlarger:
    """Draws textures at the size at which they are shown."""

    def __init__(self, context: "moderngl.Context") -> None:
        self._context = context
        self._program = context.program(vertex_shader=VERTEX, fragment_shader=FRAGMENT)
        self._corners = context.vertex_array(self._program, [])

    def enlarge(
        self,
        source: "moderngl.Texture",
        shown: tuple[int, int],
        target: "moderngl.Texture | None" = None,
        part: tuple[int, int, int, int] | None = None,
    ) -> "moderngl.Texture":
        """`source` at `shown` = (height, width), drawn into `target` if that has the right size, else a new texture.

        `part` = (left, top, width, height) is what is needed of it, in the pixels of the result.
        """
        left, top, *size = part or (0, 0, shown[1], shown[0])
        size = size[0], size[1]
        if target is None or target.size != size:
            if target is not None:
                target.release()
            target = self._context.texture(size, 4)
        framebuffer = self._context.framebuffer([target])
        framebuffer.use()
        self._context.disable(self._context.BLEND | self._context.CULL_FACE | self._context.DEPTH_TEST)
        source.use(0)
        self._context.clear_samplers()
        self._program["shown"] = shown[1], shown[0]
        self._program["origin"] = left, top
        self._corners.render(self._context.TRIANGLE_STRIP, vertices=4)
        framebuffer.release()
        return target

    def release(self) -> None:
        self._corners.release()
        self._program.release()
