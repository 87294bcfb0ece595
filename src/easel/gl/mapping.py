"""The display pass: stored numbers as display-referred colour, worked out on the GPU.

The arithmetic is that of `graphics.color` and of the viewer's display, pixel by pixel; the tests hold the two together.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from easel.gl.shaders import MAPPING_FRAGMENT, WHOLE_VERTEX
from easel.graphics.color import colormap
from easel.graphics.dither import BAYER_PIXELS, bayer

if TYPE_CHECKING:
    import moderngl

Number = float | int
Rgb = tuple[float, float, float]

TONEMAPS = (None, "srgb", "neutral")
"""How light becomes colour, in the order of the shader's numbers."""
SOFTWARE = ("llvmpipe", "softpipe", "swiftshader", "software", "microsoft basic render")
"""What the names of drivers that draw on the processor contain."""


@dataclass(frozen=True)
class Mapping:
    """How stored numbers become a picture, in the order of the fields."""

    scale: Number = 1.0
    offset: Number = 0.0
    tonemap: str | None = None
    """One of `TONEMAPS`."""
    gamma: Number = 1.0
    """Values above 0 are raised to 1 / gamma."""
    cmap: str | None = None
    """One of `graphics.color.COLORMAPS`, of the mean of the colours."""
    clip_marks: bool = False
    """Mark what leaves [0, 1] after the tone map."""
    checkered: bool = False
    """Let squares of grey shine through where the fourth channel is below 1."""
    dithered: bool = False
    """Add the pattern of `graphics.dither`."""


@dataclass(frozen=True)
class Marks:
    """What pixels are painted that have no colour."""

    nan: Rgb
    over: Rgb
    under: Rgb


def is_software(context: "moderngl.Context") -> bool:
    """Whether the driver draws on the processor: then the same arithmetic by torch is faster."""
    name = str(context.info["GL_RENDERER"]).lower()
    return any(word in name for word in SOFTWARE)


class PictureMapper:
    """Draws textures of stored numbers as textures of 8-bit colour, of the same size."""

    def __init__(self, context: "moderngl.Context") -> None:
        self._context = context
        self._program = context.program(vertex_shader=WHOLE_VERTEX, fragment_shader=MAPPING_FRAGMENT)
        self._corners = context.vertex_array(self._program, [])
        self._tables: dict[str, moderngl.Texture] = {}
        thresholds = bayer(torch.device("cpu")).numpy()
        self._pattern = context.texture((BAYER_PIXELS, BAYER_PIXELS), 1, thresholds.tobytes(), dtype="f4")

    def map(
        self,
        source: "moderngl.Texture",
        channels: int,
        mapping: Mapping,
        marks: Marks,
        target: "moderngl.Texture | None" = None,
    ) -> "moderngl.Texture":
        """`source`, of whose components the first `channels` count, as colours; drawn into `target` if that fits."""
        context = self._context
        if target is None or target.size != source.size:
            if target is not None:
                target.release()
            target = context.texture(source.size, 4)
            target.repeat_x = target.repeat_y = False
        values: dict[str, Any] = {
            "channels": channels,
            "scale": mapping.scale,
            "offset": mapping.offset,
            "tonemap": TONEMAPS.index(mapping.tonemap),
            "gamma": mapping.gamma,
            "colored": mapping.cmap is not None,
            "clip_marks": mapping.clip_marks,
            "checkered": mapping.checkered and channels == 4 and mapping.cmap is None,
            "dithered": mapping.dithered,
            "nan_mark": marks.nan,
            "over_mark": marks.over,
            "under_mark": marks.under,
            "source": 0,
            "table": 1,
            "pattern": 2,
        }
        for name, value in values.items():
            self._program[name] = value
        framebuffer = context.framebuffer([target])
        framebuffer.use()
        context.disable(context.BLEND | context.CULL_FACE | context.DEPTH_TEST)
        seen, source.swizzle = source.swizzle, "RGBA"  # alpha is a number like the others here
        source.use(0)
        self._table(mapping.cmap or "gray").use(1)
        self._pattern.use(2)
        context.clear_samplers()
        self._corners.render(context.TRIANGLE_STRIP, vertices=4)
        source.swizzle = seen
        framebuffer.release()
        return target

    def release(self) -> None:
        for texture in (*self._tables.values(), self._pattern):
            texture.release()
        self._corners.release()
        self._program.release()

    def _table(self, cmap: str) -> "moderngl.Texture":
        if cmap not in self._tables:
            self._tables[cmap] = self._context.texture((256, 1), 3, _colors(cmap), dtype="f4")
        return self._tables[cmap]


@cache
def _colors(cmap: str) -> bytes:
    """The 256 colours of a colormap, as float32 RGB."""
    steps = torch.arange(256, dtype=torch.float32)[None]
    return np.ascontiguousarray(colormap(steps, cmap, vmin=0, vmax=255)[0].numpy()).tobytes()
