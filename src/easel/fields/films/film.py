"""Films of models: zooms, pans, rotations and walks through latents, frame after frame, and frames into a file.

A frame is made when it is asked for, so a film of any length takes the memory of one frame. It is the still of its
window or latent byte for byte, because colours are calibrated once for a film. Of an `INRF3D` the frames are volumes:
give each to `volumes.views.render_volume`.
"""

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from easel.fields.artist.inrf import INRF
from easel.fields.films.schedules import schedule
from easel.fields.films.walks import walk
from easel.fields.model.extent import PerAxis, per_axis
from easel.fields.model.latents import Latents
from easel.graphics.video import VideoWriter

Number = float | int
Frames = Iterator[UInt8[Tensor, "*size c"]]


def zoom_film(
    model: INRF,
    start: Number,
    end: Number,
    frames: int,
    *,
    center: PerAxis = 0.0,
    curve: str = "geometric",
    size: Sequence[int] | None = None,
    supersample: int = 1,
) -> Frames:
    """Return frames that zoom from `start` to `end`, both included, about a point of the unit view in the middle.

    The `geometric` curve, start·(end/start)^t, has a constant speed on screen; the others are those of `schedules`.
    Frame k is `model.generate(size=size, zoom=zooms[k], center=center, supersample=supersample, dtype="uint8")`.
    """
    zooms = schedule(curve, start, end, frames)
    return (
        model.generate(size=size, zoom=zoom, center=center, supersample=supersample, dtype="uint8") for zoom in zooms
    )


def pan_film(
    model: INRF,
    start: PerAxis,
    end: PerAxis,
    frames: int,
    *,
    zoom: PerAxis = 1.0,
    curve: str = "linear",
    size: Sequence[int] | None = None,
    supersample: int = 1,
) -> Frames:
    """Return frames that pan from `start` to `end`, both included, in half-widths of the view, at a constant zoom."""
    # Along every axis by the same schedule, so that a pan is a straight line at any speed.
    axes = model.dimensions
    ends = zip(per_axis(start, axes, "pan"), per_axis(end, axes, "pan"), strict=True)
    pans = list(zip(*(schedule(curve, a, b, frames) for a, b in ends), strict=True))
    return (model.generate(size=size, zoom=zoom, pan=pan, supersample=supersample, dtype="uint8") for pan in pans)


def rotation_film(
    model: INRF,
    frames: int,
    *,
    turns: Number = 1,
    zoom: PerAxis = 1.0,
    center: PerAxis = 0.0,
    size: Sequence[int] | None = None,
    supersample: int = 1,
) -> Frames:
    """Return frames in which a picture turns about the middle of the view, clockwise; whole `turns` close a loop.

    The field goes on beyond the picture's border, so its corners are never empty. The first frame is the still.
    ValueError for the model of a volume, which `volumes.views.turntable` turns.
    """
    if model.dimensions != 2:
        raise ValueError("a volume is turned by `volumes.views.turntable`, not by a film of its field.")
    if frames < 1:
        raise ValueError(f"a film has at least one frame; got {frames}.")
    # Of a sharp picture, turned coordinates, not turned pixels: nothing is resampled.
    height, width = size or model.output_shape[:2]
    # Supersampled by hand: `generate` takes coordinates as they are.
    fine = (height * supersample, width * supersample)
    y, x = model.init_latent_inputs(fine, zoom=zoom, center=center).fields.coords()[0, :2].double()
    angles = (2 * math.pi * turns * frame / frames for frame in range(frames))
    return (_averaged(model.generate(fields=_rotated(y, x, fine, angle)), supersample) for angle in angles)


def _rotated(y: Tensor, x: Tensor, size: tuple[int, int], angle: Number) -> Tensor:
    """Return coordinates (3, H, W), radius included, of a view that has turned by that angle in radians."""
    # In pixels, whose sides are equal, whatever the coordinates at the picture's edges are.
    down = (y - y.mean()) * size[0]
    right = (x - x.mean()) * size[1]
    cosine = math.cos(angle)
    sine = math.sin(angle)
    y = y.mean() + (cosine * down - sine * right) / size[0]
    x = x.mean() + (sine * down + cosine * right) / size[1]
    return torch.stack([y, x, (y * y + x * x).sqrt()]).float()


def _averaged(picture: Tensor, factor: int) -> UInt8[Tensor, "h w c"]:
    """Average blocks of `factor` x `factor` pixels, in 8 bits."""
    height, width, channels = picture.shape
    blocks = picture.view(height // factor, factor, width // factor, factor, channels)
    return (blocks.mean((1, 3)) * 255).round().to(torch.uint8)


def latent_keys(model: INRF, count: int) -> Latents:
    """Return the model's latent and the next ones of its seed: keys of a walk, the same for the same model."""
    return model.init_latent_inputs(batch_size=count).latents


def latent_film(
    model: INRF,
    keys: Latents,
    frames: int,
    *,
    path: str = "slerp",
    loop: bool = True,
    zoom: PerAxis | None = None,
    center: PerAxis | None = None,
    size: Sequence[int] | None = None,
    supersample: int = 1,
) -> Frames:
    """Return frames of a walk through latents, `lerp` or `slerp`; see `walks.walk` for keys and `loop`.

    The colours are calibrated for all keys together. ValueError for a model without latents.
    """
    if not keys.sample.shape[-1]:
        raise ValueError("this model has no latent to walk through; make one with latent_dim of 1 or more.")
    # Once for the film: calibrated frame by frame, it would flicker.
    calibration = model.calibration(keys)
    states = walk(list(keys.sample[:, 0]), frames, path=path, loop=loop)
    latents = (replace(keys, sample=state[None, None]) for state in states)
    return (
        model.generate(
            z, size=size, zoom=zoom, center=center, supersample=supersample, dtype="uint8", calibration=calibration
        )
        for z in latents
    )


def write_film(
    path: str | os.PathLike[str],
    pictures: Iterable[Tensor | np.ndarray | Image.Image],
    *,
    fps: Number = 30,
    quality: Number = 0.8,
) -> Path:
    """Write pictures of one size as a film and return its path; it lasts their number / `fps` seconds.

    The suffix says what it is: `.gif`, `.mp4` and `.webm` (with imageio-ffmpeg), `.png` and `.tif` (a folder of
    numbered files). If it fails, or a picture does, no film is left; errors are those of `graphics.video.VideoWriter`.
    """
    with VideoWriter(path, fps=fps, quality=quality) as film:
        for picture in pictures:
            film.append(picture)
    return film.path
