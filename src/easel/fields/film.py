"""Films of fields: which window or latent each frame shows, and frames into a file.

Frames are made when they are asked for, so a film of any length needs the memory of one. A frame is the still of its
window or latent, bit for bit, because colours are calibrated for the model and never for a frame.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from easel.fields.calibration import UNIT, Calibration
from easel.fields.field import Field
from easel.fields.rendering import render
from easel.fields.schedules import schedule
from easel.fields.window import WHOLE, PerAxis, Window, per_axis
from easel.graphics.video import VideoWriter

Number = float | int


def zoom_windows(
    start: Number,
    end: Number,
    frames: int,
    *,
    center: PerAxis = 0.0,
    curve: str = "geometric",
    window: Window = WHOLE,
) -> list[Window]:
    """A window a frame, zooming from `start` to `end` about a point of the unit view that stays in the middle.

    The `geometric` curve, start·(end/start)^t, has a constant speed on screen. `window` gives what zoom and place do
    not say: latent scale, aspect, align.
    """
    return [replace(window, zoom=zoom, pan=0.0, center=center) for zoom in schedule(curve, start, end, frames)]


def pan_windows(
    start: PerAxis, end: PerAxis, frames: int, *, axes: int = 2, curve: str = "linear", window: Window = WHOLE
) -> list[Window]:
    """A window a frame, of `window`'s zoom, panning from `start` to `end`: half-widths of what is seen."""
    ends = zip(per_axis(start, axes, "pan"), per_axis(end, axes, "pan"), strict=True)
    pans = zip(*(schedule(curve, a, b, frames) for a, b in ends), strict=True)
    return [replace(window, pan=pan, center=None) for pan in pans]


def window_frames(
    field: Field,
    size: tuple[int, int],
    windows: Iterable[Window],
    *,
    z: Float[Tensor, " d"] | None = None,
    calibration: Calibration = UNIT,
    supersample: int = 1,
) -> Iterator[UInt8[Tensor, "h w c"]]:
    """The pictures of a field through these windows: zooms and pans."""
    for window in windows:
        yield render(field, size, window=window, z=z, calibration=calibration, dtype="uint8", supersample=supersample)


def latent_frames(
    field: Field,
    size: tuple[int, int],
    latents: Sequence[Float[Tensor, " d"]] | Float[Tensor, "frames d"],
    *,
    window: Window = WHOLE,
    calibration: Calibration = UNIT,
    supersample: int = 1,
) -> Iterator[UInt8[Tensor, "h w c"]]:
    """The pictures of a field for these latents, such as those of `walks.walk`."""
    for z in latents:
        yield render(field, size, window=window, z=z, calibration=calibration, dtype="uint8", supersample=supersample)


def write_film(
    path: str | os.PathLike[str], pictures: Iterable[Tensor | np.ndarray], *, fps: Number = 30, quality: Number = 0.8
) -> Path:
    """Write pictures of one size as a film and return where it is; it lasts their number / `fps` seconds.

    The suffix says what it is: `.gif`, `.mp4` and `.webm` (with imageio-ffmpeg), `.png` and `.tif` (a folder of
    numbered files). If it fails, or a picture does, no film is left; errors are those of `graphics.video.VideoWriter`.
    """
    with VideoWriter(path, fps=fps, quality=quality) as film:
        for picture in pictures:
            film.append(torch.as_tensor(picture))
    return film.path
