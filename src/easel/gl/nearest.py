"""Nearest-neighbour enlargement on the GPU: every screen pixel shows exactly one texel.

Dear ImGui's renderer binds samplers of its own, always linear, so a picture that must show its pixels as squares is
enlarged beforehand to the size at which it is shown; drawn 1:1, a linear sampler then changes nothing.
"""

from typing import TYPE_CHECKING

from easel.gl.programs import ScreenPass

if TYPE_CHECKING:
    import moderngl


class NearestEnlarger:
    """Draws textures at the size at which they are shown."""

    def __init__(self, context: "moderngl.Context") -> None:
        self._pass = ScreenPass(context, "nearest.frag")

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
        target = self._pass.target((width, height), target)
        source.use(0)
        self._pass.program["shown"] = shown[1], shown[0]
        self._pass.program["origin"] = left, top
        self._pass.draw(target)
        return target

    def release(self) -> None:
        self._pass.release()
