"""Pictures as textures.

Row 0 of a picture is row 0 of its texture, and Dear ImGui draws that row at the top: nothing is flipped on the way in.
"""

from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from easel.gl.cuda import ArrayCopy, HostCopy, Interop, InteropError, interop_of
from easel.graphics.image import as_picture, as_values, resize

if TYPE_CHECKING:
    import moderngl

FORMATS = {torch.float32: "f4", torch.float16: "f2", torch.uint8: "f1"}
"""Tensor type → texture type; these go up without a conversion, which would cost more than it saves."""
SWIZZLES = {1: "RRR1", 3: "RGB1", 4: "RGB1"}
"""Channels → components in a shader: grey replicated, alpha opaque, so that a picture never blends with the panel."""
STRIP_VALUES = 1 << 17
"""Values that are reduced at a time: half a megabyte."""


class PictureTexture:
    """A picture on the GPU, made again only when its size, channels or type change."""

    def __init__(self, context: "moderngl.Context", interop: Interop | None = None) -> None:
        self.path = "none"
        """Way of the last upload: "host", or one of the three of `gl.cuda`; "none" before the first."""
        self.moved_bytes = 0
        """Bytes of the last upload: of the picture as it is shown, not as it is stored."""
        self._context = context
        self._interop = interop or interop_of(context)
        self._texture: moderngl.Texture | None = None
        self._cuda_copy: ArrayCopy | HostCopy | None = None
        self._largest: int = context.info["GL_MAX_TEXTURE_SIZE"]

    def upload(
        self, picture: Shaped[Tensor, "h w c"], shown: tuple[int, int] | None = None, *, late: bool = False
    ) -> "moderngl.Texture":
        """Put `picture` into the texture; `shown` is the (height, width) it will cover on screen, if known.

        Far smaller on screen than in memory, the picture is reduced on its own device first: linear filtering would
        skip pixels, and the reduced copy is cheaper to move. A CUDA picture that must go through main memory may come
        one upload `late`, which spares the wait for it.
        """
        # Reduced before it is converted or moved: both then touch a fraction of the pixels.
        picture = self._reduced(picture, shown)
        if picture.dtype not in FORMATS:
            picture = as_picture(picture)
        if self._interop.cuda.holds(picture):
            self.path, self.moved_bytes = self._upload_cuda(picture, late)
        else:
            # Not by `numpy()`: torch would mark the memory as shared, and whoever watches it for changes must then
            # compare all of it in every frame.
            self._prepare(picture, picture.shape[-1]).write(np.from_dlpack(picture.cpu().contiguous()))
            self.path, self.moved_bytes = "host", picture.nbytes
        return self.texture

    @property
    def texture(self) -> "moderngl.Texture":
        """Texture of the last upload."""
        assert self._texture is not None, "nothing was uploaded yet"
        return self._texture

    def release(self) -> None:
        """Give the memory back; the next upload starts afresh."""
        # CUDA's registration first: it must not outlive the texture.
        self._release_cuda_copy()
        if self._texture is not None:
            self._texture.release()
            self._texture = None

    def _upload_cuda(self, picture: Shaped[Tensor, "h w c"], late: bool) -> tuple[str, int]:
        """Upload a picture of a GPU by the best way that works; one that fails is not tried again.

        Returns the way and the bytes that were moved.
        """
        interop, channels = self._interop, picture.shape[-1]
        # A context is current now, which releasing shared memory needs.
        interop.tidy()
        try:
            if (shared := interop.shared(picture)) is not None:
                return shared.path, shared.copy_into(self._prepare(picture, channels))
            if interop.reaches(picture.device):
                # CUDA cannot register textures of three channels.
                texture = self._prepare(picture, 4 if channels == 3 else channels)
                if not isinstance(self._cuda_copy, ArrayCopy):
                    self._cuda_copy = ArrayCopy(interop, texture, picture.device)
                return self._cuda_copy.path, self._cuda_copy.copy(picture)
        except InteropError as error:
            interop.give_up(error)
            self.release()
        texture = self._prepare(picture, channels)
        # Pinned memory costs more to get than a copy: it is kept while pictures have one shape.
        if not isinstance(self._cuda_copy, HostCopy) or not self._cuda_copy.fits(picture):
            self._release_cuda_copy()
            self._cuda_copy = HostCopy(interop.cuda, picture)
        return self._cuda_copy.path, self._cuda_copy.copy_into(texture, picture, late)

    def _release_cuda_copy(self) -> None:
        if isinstance(self._cuda_copy, ArrayCopy):
            self._cuda_copy.release()
        self._cuda_copy = None

    def _prepare(self, picture: Shaped[Tensor, "h w c"], components: int) -> "moderngl.Texture":
        """Return a texture for such pictures, the present one if it fits."""
        height, width, channels = picture.shape
        kind = FORMATS[picture.dtype]
        wanted = (width, height), components, kind
        if (texture := self._texture) is None or (texture.size, texture.components, texture.dtype) != wanted:
            self.release()
            # alignment=1: rows of uint8 need not be a multiple of four bytes long.
            texture = self._texture = self._context.texture((width, height), components, dtype=kind, alignment=1)
            texture.swizzle = SWIZZLES[channels]
            # Repeated, an edge pixel would be filtered with the opposite edge.
            texture.repeat_x = texture.repeat_y = False
        return texture

    def _reduced(self, picture: Shaped[Tensor, "h w c"], shown: tuple[int, int] | None) -> Shaped[Tensor, "h2 w2 c"]:
        """Return the picture at about the size at which it is shown, and within the driver's largest texture."""
        height, width = picture.shape[:2]
        if shown is not None:
            shown = max(shown[0], 1), max(shown[1], 1)
            times = height // shown[0], width // shown[1]
            # Below a factor of two linear filtering skips nothing.
            if min(times) > 1:
                on_cpu = picture.device.type == "cpu"
                picture = shrink(picture, times) if on_cpu else resize(as_picture(picture), shown)
        # A texture that is too large fails in the driver: less detail is better than no picture.
        size = min(picture.shape[0], self._largest), min(picture.shape[1], self._largest)
        return picture if size == tuple(picture.shape[:2]) else resize(as_picture(picture), size)


@torch.no_grad()
def shrink(picture: Shaped[Tensor, "h w c"], times: tuple[int, int]) -> Float[Tensor, "h2 w2 c"]:
    """Return the mean of every `times` = (down, across) pixels of a CPU picture, in a quarter of `resize`'s time.

    Pixels that are left over are dropped, half of them at each edge: less than half a pixel of the result.
    """
    down, across = times
    rows, above = divmod(picture.shape[0], down)
    columns, left = divmod(picture.shape[1], across)
    channels = picture.shape[2]
    inside = picture[above // 2 :, left // 2 :][: rows * down, : columns * across]
    mean = torch.eye(channels).repeat(across, 1) / (down * across)
    result = torch.empty(rows * columns, channels)
    # By strips that stay in the processor's cache; across, as a product, because three channels fill no vector.
    step = max(STRIP_VALUES // (down * columns * across * channels), 1)
    for first in range(0, rows, step):
        strip = as_values(inside[first * down : (first + step) * down])
        sums = strip.reshape(-1, down, columns * across * channels).sum(dim=1)
        torch.mm(sums.view(-1, across * channels), mean, out=result[first * columns : (first + step) * columns])
    return result.view(rows, columns, channels)
