"""Target: an off-screen picture with depth and antialiased edges, for drawing things in space; framebuffers as tensors.

Row 0 of a picture is its top row. OpenGL counts a framebuffer's rows from the bottom, so reading back flips once.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

if TYPE_CHECKING:
    import moderngl

Number = float | int


class Target:
    """An off-screen picture with depth, up to `samples` samples a pixel: `begin`, draw, `finish`."""

    def __init__(self, context: "moderngl.Context") -> None:
        self._context = context
        self._kept: tuple[moderngl.Framebuffer, moderngl.Framebuffer] | None = None
        """(framebuffer that is drawn into, framebuffer that is shown): one and the same without antialiasing."""

    def begin(self, size: tuple[int, int], samples: int, background: tuple[Number, Number, Number]) -> int:
        """Clear a picture of `size` = (height, width) to draw into. Returns the samples that the driver has for it.

        `background` is display-referred RGB in [0, 1].
        """
        height, width = size
        # One sample a pixel is none at all to OpenGL: 0.
        samples = min(samples, self._context.max_samples) if samples > 1 else 0
        # Kept from frame to frame: making framebuffers takes longer than a small picture.
        if self._kept is None or (self._kept[0].size, self._kept[0].samples) != ((width, height), samples):
            self.release()
            self._kept = self._make((width, height), samples)
        drawn = self._kept[0]
        drawn.use()
        # Whoever drew before in this context may have left them on.
        self._context.disable(self._context.BLEND | self._context.CULL_FACE)
        self._context.enable(self._context.DEPTH_TEST)
        drawn.color_mask = (True, True, True, True)
        drawn.clear(*background, 1.0)
        # Alpha stays 1: the interface would let the panel shine through.
        drawn.color_mask = (True, True, True, False)
        return max(samples, 1)

    def finish(self) -> "moderngl.Texture":
        """Return the picture as a texture, its first row at the bottom as OpenGL has it."""
        assert self._kept is not None, "finish() comes after begin()"
        drawn, shown = self._kept
        # The copy is what averages the samples.
        if drawn is not shown:
            self._context.copy_framebuffer(shown, drawn)
        self._context.disable(self._context.DEPTH_TEST)
        texture: Any = shown.color_attachments[0]
        return texture

    def read(self) -> Float[Tensor, "h w 3"]:
        """Return the finished picture in [0, 1], top row first."""
        assert self._kept is not None, "read() comes after finish()"
        return read_back(self._kept[1])

    def release(self) -> None:
        # Without antialiasing both are one framebuffer, which must not be released twice.
        for framebuffer in dict.fromkeys(self._kept or ()):
            release(framebuffer)
        self._kept = None

    def _make(self, size: tuple[int, int], samples: int) -> "tuple[moderngl.Framebuffer, moderngl.Framebuffer]":
        """Return framebuffers of `size` = (width, height)."""
        context = self._context
        texture = context.texture(size, 4)
        depth = context.depth_renderbuffer(size, samples=samples)
        if not samples:
            drawn = context.framebuffer([texture], depth)
            return drawn, drawn
        # A renderbuffer for the samples, which no shader reads; the texture holds their averages.
        drawn = context.framebuffer([context.renderbuffer(size, 4, samples=samples)], depth)
        return drawn, context.framebuffer([texture])


def release(framebuffer: "moderngl.Framebuffer") -> None:
    """Release a framebuffer and what it draws into, which OpenGL would keep."""
    for held in (*framebuffer.color_attachments, framebuffer.depth_attachment, framebuffer):
        if held is not None:
            held.release()


def read_back(framebuffer: "moderngl.Framebuffer") -> Float[Tensor, "h w 3"]:
    """Return a framebuffer's colours in [0, 1], top row first."""
    width, height = framebuffer.size
    rows = np.frombuffer(framebuffer.read(components=3, alignment=1), np.uint8).reshape(height, width, 3)
    # NumPy, on this thread: torch's would spin for milliseconds after a conversion as short as this.
    return torch.from_numpy(np.divide(rows[::-1], 255, dtype=np.float32))
