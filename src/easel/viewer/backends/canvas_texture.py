"""What one canvas looks like on the GPU."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jaxtyping import Shaped
from torch import Tensor

from easel.gl.texture import PictureTexture
from easel.viewer.canvas.change_detector import ChangeDetector

if TYPE_CHECKING:
    import moderngl

NOT_STILL = -1
"""In place of a version, for a texture that is outdated in the next frame."""


@dataclass(frozen=True)
class Upload:
    """A picture on its way to the GPU."""

    picture: Shaped[Tensor, "h w c"]
    shown: tuple[int, int]
    """(height, width) on screen."""
    late: bool = False
    """It may come a frame late."""

    @property
    def kind(self) -> tuple[object, ...]:
        """Two of the same come into the same texture."""
        return self.picture.shape, self.picture.dtype, self.picture.device, self.shown


class CanvasTexture:
    """The textures between a canvas and the window; all of them are opaque."""

    def __init__(self, context: "moderngl.Context") -> None:
        self.picture = PictureTexture(context)
        self.mapped: moderngl.Texture | None = None
        """The picture after the settings of the canvas, where the GPU works them out; None where torch does."""
        self.squares: moderngl.Texture | None = None
        """The picture enlarged to the size at which it is shown, every pixel a square."""
        self.cut: object = None
        """Which part of the picture `squares` shows, and at which size; None when it shows an older picture."""
        self.revision = 0
        """Another number whenever it looks otherwise."""
        self.seen: tuple[int, tuple[int, int]] | None = None
        """Version, and (height, width) on screen, of the last upload."""
        self.waiting: Upload | None = None
        """What is not on the GPU yet, because nobody has drawn it so far."""
        self._kind: tuple[object, ...] = ()
        """Of the last upload."""
        self.change_detector = ChangeDetector()

    def upload(self, upload: Upload) -> "moderngl.Texture":
        """Put a picture on the GPU."""
        self.waiting, self._kind = None, upload.kind
        return self.picture.upload(upload.picture, upload.shown, late=upload.late)

    def can_wait(self, upload: Upload) -> bool:
        """Leave a picture where it is until `hurry`, if it goes from main memory into the same texture; whether so."""
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
        return self.mapped or self.picture.texture

    def names(self) -> Iterator[int]:
        """OpenGL's, of all that may be drawn."""
        if self.seen is not None:
            yield self.source.glo
        if self.squares is not None:
            yield self.squares.glo

    def release(self) -> None:
        self.picture.release()
        for texture in (self.mapped, self.squares):
            if texture is not None:
                texture.release()
