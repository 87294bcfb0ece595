"""A photograph as the workstation fits it: opaque, display-referred, and of a size that a live fit can carry."""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from easel.graphics.color import tonemap
from easel.graphics.image import imread, is_radiance, resize


@dataclass(frozen=True)
class Photograph:
    """A picture to fit, and what was done to the file to get it."""

    name: str
    picture: Float[Tensor, "h w c"]
    """Display-referred sRGB in [0, 1], one or three channels."""
    notes: tuple[str, ...] = ()
    """Sentences for the user: transparency laid on white, light tone-mapped, size reduced."""
    path: Path | None = None
    """The file; None for the picture that comes with a library."""


def load_photograph(path: Path | None, max_size: int = 0) -> Photograph:
    """Read `path`, or the astronaut of scikit-image; sides longer than `max_size` pixels are reduced (0: never).

    Raises FileError when the file is no picture.
    """
    notes: list[str] = []
    if path is None:
        from skimage.data import astronaut

        name = "astronaut"
        picture = torch.from_numpy(astronaut()) / 255
    else:
        name = path.name
        picture = imread(path, channels=0)
        # A session finds it again from any folder.
        path = path.absolute()
        if is_radiance(path):
            picture = tonemap(picture)
            notes.append("scene-linear light, shown at exposure 0")
    if picture.shape[2] == 4:
        alpha = picture[..., 3:]
        if bool((alpha < 1).any()):
            notes.append("transparent pixels are laid on white")
        # White, as a browser and a sheet of paper have it.
        picture = picture[..., :3] * alpha + (1 - alpha)
    height, width = picture.shape[:2]
    longest = max(height, width)
    if 0 < max_size < longest:
        # At least 1: a panorama may be a thousand times as wide as high.
        size = max(1, round(height * max_size / longest)), max(1, round(width * max_size / longest))
        picture = resize(picture, size)
        notes.append(f"reduced from {width}x{height} to {size[1]}x{size[0]} pixels (--max-size 0 keeps every pixel)")
    # Float files may hold anything; what no screen can show, no field should learn.
    return Photograph(name, picture.nan_to_num(nan=0.0).clamp(0, 1).contiguous(), tuple(notes), path)
