"""The display pass: stored numbers as display-referred colour, worked out on the GPU.

The arithmetic is that of `graphics.color` and of the viewer's display, pixel by pixel; the tests hold the two together.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import torch

from easel.gl.programs import Number, ScreenPass
from easel.graphics.color import colormap
from easel.graphics.dither import BAYER_PIXELS, bayer

if TYPE_CHECKING:
    import moderngl

Rgb = tuple[float, float, float]

TONEMAPS = (None, "srgb", "neutral")
"""Tone maps, in the order of the shader's numbers."""
SOFTWARE = ("llvmpipe", "softpipe", "swiftshader", "software", "microsoft basic render")
"""Parts of the names of drivers that draw on the processor."""


@dataclass(frozen=True)
class Mapping:
    """Steps from stored numbers to a picture, in the order of the fields."""

    scale: Number = 1.0
    offset: Number = 0.0
    """Added after scaling."""
    tonemap: str | None = None
    """One of `TONEMAPS`."""
    gamma: Number = 1.0
    """Values above 0 are raised to 1 / gamma."""
    cmap: str | None = None
    """One of `graphics.color.COLORMAPS`, of the mean of the colours."""
    clip_marks: bool = False
    """Mark values that leave [0, 1] after the tone map."""
    checkered: bool = False
    """Let squares of grey shine through where the fourth channel is below 1."""
    dithered: bool = False
    """Add the pattern of `graphics.dither`."""


@dataclass(frozen=True)
class Marks:
    """Colours of pixels that have no colour of their own, in [0, 1]."""

    nan: Rgb
    over: Rgb
    under: Rgb


def is_software(context: "moderngl.Context") -> bool:
    """Return True if the driver draws on the processor: then the same arithmetic by torch is faster."""
    name = str(context.info["GL_RENDERER"]).lower()
    return any(word in name for word in SOFTWARE)


class PictureMapper:
    """Draws textures of stored numbers as textures of 8-bit colour, of the same size."""

    def __init__(self, context: "moderngl.Context", marks: Marks) -> None:
        self._context = context
        self._pass = ScreenPass(context, "mapping.frag")
        for name, color in vars(marks).items():
            self._pass.program[f"{name}_mark"] = color
        # The units that textures are bound to in `map`.
        for unit, name in enumerate(("source", "table", "pattern")):
            self._pass.program[name] = unit
        self._tables: dict[str, moderngl.Texture] = {}
        thresholds = bayer(torch.device("cpu")).numpy()
        self._pattern = context.texture((BAYER_PIXELS, BAYER_PIXELS), 1, thresholds.tobytes(), dtype="f4")

    def map(
        self, source: "moderngl.Texture", channels: int, mapping: Mapping, target: "moderngl.Texture | None" = None
    ) -> "moderngl.Texture":
        """Return `source`, of whose components the first `channels` count, as colours, in `target` if that fits."""
        target = self._pass.target(source.size, target)
        # Other pictures have no alpha, and a colormap shows numbers rather than a picture that could be translucent.
        checkered = mapping.checkered and channels == 4 and mapping.cmap is None
        program = self._pass.program
        for name in ("scale", "offset", "gamma", "clip_marks", "dithered"):
            program[name] = getattr(mapping, name)
        program["channels"] = channels
        program["tonemap"] = TONEMAPS.index(mapping.tonemap)
        program["colored"] = mapping.cmap is not None
        program["checkered"] = checkered
        # Alpha is a number like the others here; elsewhere the texture shows itself opaque.
        swizzle = source.swizzle
        source.swizzle = "RGBA"
        source.use(0)
        # Without a colormap the table is not read, but a sampler must have some texture.
        self._table(mapping.cmap or "gray").use(1)
        self._pattern.use(2)
        self._pass.draw(target)
        source.swizzle = swizzle
        return target

    def release(self) -> None:
        for texture in (*self._tables.values(), self._pattern):
            texture.release()
        self._pass.release()

    def _table(self, cmap: str) -> "moderngl.Texture":
        """Return a colormap as a texture of 256 texels."""
        # float32: colours of 8 bits would be rounded here, and once more in the result.
        if cmap not in self._tables:
            self._tables[cmap] = self._context.texture((256, 1), 3, _colors(cmap), dtype="f4")
        return self._tables[cmap]


@cache
def _colors(cmap: str) -> bytes:
    """Return the 256 colours of a colormap as bytes of float32 RGB."""
    steps = torch.arange(256, dtype=torch.float32)[None]
    return np.ascontiguousarray(colormap(steps, cmap, vmin=0, vmax=255)[0].numpy()).tobytes()
