"""Pictures as textures and framebuffers as pictures.

Row 0 of a picture is row 0 of its texture, and Dear ImGui draws that row at the top: nothing is flipped on the way in.
OpenGL counts a framebuffer's rows from the bottom, so reading back flips once.
"""

from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from easel.graphics.image import as_picture, resize

if TYPE_CHECKING:
    import moderngl

FORMATS = {torch.float32: "f4", torch.float16: "f2", torch.uint8: "f1"}
"""Tensor type → texture type; these go up without a conversion, which would cost more than it saves."""
SWIZZLES = {1: "RRR1", 3: "RGB1", 4: "RGB1"}
"""Channels → what a shader sees: grey replicated, alpha opaque, so that a picture never blends with the panel."""


class PictureTexture:
    """A picture on the GPU, made again only when its size, channels or type change."""

    def __init__(self, context: "moderngl.Context") -> None:
        self._context = context
        self._texture: moderngl.Texture | None = None
        self._largest: int = context.info["GL_MAX_TEXTURE_SIZE"]

    def upload(self, picture: Shaped[Tensor, "h w c"], shown: tuple[int, int] | None = None) -> "moderngl.Texture":
        """Put `picture` into the texture; `shown` is the (height, width) it will cover on screen, if known.

        Far smaller on screen than in memory, the picture is reduced on its own device first: linear filtering would
        skip pixels, and the reduced copy is cheaper to move.
        """
        size = self._reduced_size(picture, shown)
        if size != tuple(picture.shape[:2]):
            picture = resize(as_picture(picture), size)
        elif picture.dtype not in FORMATS:
            picture = as_picture(picture)
        height, width, channels = picture.shape
        kind = FORMATS[picture.dtype]
        texture = self._texture
        if texture is None or (texture.size, texture.components, texture.dtype) != ((width, height), channels, kind):
            self.release()
            # alignment=1: rows of uint8 need not be a multiple of four bytes long.
            texture = self._context.texture((width, height), channels, dtype=kind, alignment=1)
            texture.swizzle = SWIZZLES[channels]
            texture.repeat_x = texture.repeat_y = False
            self._texture = texture
        texture.write(picture.cpu().contiguous().numpy())
        return texture

    @property
    def texture(self) -> "moderngl.Texture":
        """The texture of the last upload."""
        assert self._texture is not None, "nothing was uploaded yet"
        return self._texture

    def release(self) -> None:
        """Give the memory back; the next upload starts afresh."""
        if self._texture is not None:
            self._texture.release()
            self._texture = None

    def _reduced_size(self, picture: Tensor, shown: tuple[int, int] | None) -> tuple[int, int]:
        height, width = picture.shape[:2]
        if shown is not None and 2 * max(shown[0], 1) <= height and 2 * max(shown[1], 1) <= width:
            height, width = max(shown[0], 1), max(shown[1], 1)
        return min(height, self._largest), min(width, self._largest)


def read_back(framebuffer: "moderngl.Framebuffer") -> Float[Tensor, "h w 3"]:
    """A framebuffer's colours in [0, 1], top row first."""
    width, height = framebuffer.size
    rows = np.frombuffer(framebuffer.read(components=3, alignment=1), np.uint8).reshape(height, width, 3)
    # NumPy, on this thread: torch's would spin for milliseconds after a conversion as short as this.
    return torch.from_numpy(np.divide(rows[::-1], 255, dtype=np.float32))
