"""The picture of one canvas on its way to the screen: as textures, or pasted into the frame where there is no GPU."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Shaped
from torch import Tensor

from easel.gl.texture import PictureTexture
from easel.viewer.canvas.change_detector import ChangeDetector

if TYPE_CHECKING:
    import moderngl

NOT_STILL = -1
"""Stands for the version of a canvas whose texture is outdated in the next frame."""
STRIP_ROWS = 32
"""Rows written at a time: they stay in the processor's cache from channel to channel."""


@dataclass(frozen=True)
class Upload:
    """A picture on its way to the GPU."""

    picture: Shaped[Tensor, "h w c"]
    shown: tuple[int, int]
    """(height, width) on screen."""
    late: bool = False
    """True if it may come a frame late."""

    @property
    def kind(self) -> tuple[object, ...]:
        """Equal for pictures that go into the same texture."""
        return self.picture.shape, self.picture.dtype, self.picture.device, self.shown


class CanvasTexture:
    """The textures between a canvas and the window, all of them opaque; kept as long as the canvas lives."""

    def __init__(self, context: "moderngl.Context") -> None:
        self.picture = PictureTexture(context)
        self.mapped: moderngl.Texture | None = None
        """The picture after the display settings, where the GPU applies them; None where torch does."""
        self.squares: moderngl.Texture | None = None
        """The picture enlarged to its size on screen, every pixel a square."""
        self.cut: object = None
        """Part and size that `squares` shows; None when it shows an older picture."""
        self.revision = 0
        """Changes whenever the texture looks otherwise."""
        self.seen: tuple[int, tuple[int, int]] | None = None
        """Version of the canvas, and (height, width) on screen, of the last upload."""
        self.waiting: Upload | None = None
        """Upload that is postponed until somebody draws it."""
        self.change_detector = ChangeDetector()
        self._kind: tuple[object, ...] = ()
        """`Upload.kind` of the last upload."""

    def upload(self, upload: Upload) -> "moderngl.Texture":
        """Put a picture on the GPU."""
        self.waiting, self._kind = None, upload.kind
        return self.picture.upload(upload.picture, upload.shown, late=upload.late)

    def postpone(self, upload: Upload) -> bool:
        """Leave a picture where it is until `hurry`. False if it must go to the GPU now.

        Only a picture in main memory that comes into the same texture can wait: the texture's name stands in draw
        lists already.
        """
        # A mapped picture is drawn from another texture, which has to be made from this one first.
        fits = upload.kind == self._kind and upload.picture.device.type == "cpu" and self.mapped is None
        if fits:
            self.waiting = upload
        return fits

    def hurry(self) -> None:
        """Upload what waits: it is going to be drawn."""
        if self.waiting is not None:
            self.upload(self.waiting)

    @property
    def source(self) -> "moderngl.Texture":
        """The picture as it is to be seen, at its own size."""
        # The mapped picture if there is one: it is what the settings make of the other.
        return self.mapped or self.picture.texture

    def names(self) -> Iterator[int]:
        """Yield OpenGL's names of all textures that may be drawn."""
        if self.seen is not None:
            yield self.source.glo
        if self.squares is not None:
            yield self.squares.glo

    def release(self) -> None:
        for texture in (self.picture, self.mapped, self.squares):
            if texture is not None:
                texture.release()


def paste(picture: Shaped[Tensor, "h w c"], part: np.ndarray) -> bool:
    """Show `picture` on all of `part` (h, w, 4), uint8, as OpenGL's linear filter would within one level.

    Returns False, and leaves `part` alone, for a picture that only OpenGL can show: one that is shown far smaller than
    it is, as then the average of several pixels is seen, or of another type than uint8 and float32.
    """
    # A driver that draws on the processor takes three times as long, and its threads wait for those of a training.
    height, width, channels = picture.shape
    rows, columns = size = part.shape[:2]
    if (height >= 2 * rows and width >= 2 * columns) or picture.dtype not in (torch.uint8, torch.float32):
        return False
    pixels = picture.detach()[..., : 1 if channels < 3 else 3]  # a fourth is not shown
    if pixels.dtype == torch.float32:
        pixels = _in_bytes(pixels)
    # In this order of axes torch knows that the channels lie side by side, and takes half the time.
    planes = pixels[None].permute(0, 3, 1, 2)
    if (height, width) != size:
        planes = torch.nn.functional.interpolate(planes, size, mode="bilinear", align_corners=False)
    # Not by `numpy()`, after which the change detector would have to take the memory for shared with the program.
    shown = np.from_dlpack(planes[0])
    for top in range(0, rows, STRIP_ROWS):
        strip = slice(top, top + STRIP_ROWS)
        for channel in range(3):
            part[strip, :, channel] = shown[channel % len(shown), strip]
    return True


def _in_bytes(values: Shaped[Tensor, "h w c"]) -> Shaped[Tensor, "h w c"]:
    """Return colours in [0, 1] as uint8."""
    # NumPy, on this thread: torch's would spin for milliseconds after a conversion as short as this.
    scaled = np.multiply(np.from_dlpack(values), 255, dtype=np.float32)
    np.rint(scaled, out=scaled)
    # NaN passes the clip and becomes 0 here; cast to uint8 it would be undefined.
    return torch.from_numpy(np.nan_to_num(np.clip(scaled, 0, 255, out=scaled), copy=False).astype(np.uint8))
