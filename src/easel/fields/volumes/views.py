"""Pictures of volumes: a single view, a sheet of twelve transfer functions, a turntable."""

import math
from collections.abc import Iterator
from dataclasses import replace

from jaxtyping import Float
from torch import Tensor

from easel.fields.volumes.look import Look
from easel.fields.volumes.medium import Medium
from easel.fields.volumes.raymarching import march, orbit_camera, over_background
from easel.fields.volumes.transfer import TRANSFERS
from easel.fields.volumes.volume import Number, Volume, check_volume, half_sides
from easel.graphics.camera import Camera
from easel.graphics.contact_sheet import contact_sheet
from easel.graphics.light import Light


def render_volume(
    volume: Volume,
    size: tuple[int, int] = (512, 512),
    look: Look | None = None,
    *,
    camera: Camera | None = None,
    light: Light | None = None,
    spacing: tuple[Number, Number, Number] = (1, 1, 1),
) -> Float[Tensor, "h w 3"]:
    """Render a volume (X, Y, Z[, C]), uint8 or floats in [0, 1], as a picture of `size` = (height, width).

    `spacing` is the three sides of a voxel, in any unit. Without a `camera` all of the volume is seen from the front,
    a little from above and from the right; without a `light` it comes over the left shoulder (`raymarching.lamp`; a
    direction of light is in the camera's axes). The memory is bounded whatever the volume's size.
    """
    look = look or Look()
    return _picture(Medium(volume, look, spacing), size, camera, light)


def twelve_views(
    volume: Volume,
    size: tuple[int, int] = (256, 256),
    look: Look | None = None,
    *,
    spacing: tuple[Number, Number, Number] = (1, 1, 1),
) -> Float[Tensor, "h w 3"]:
    """Render the volume by each of the twelve `TRANSFERS`, in reading order, four to a row; each has that `size`."""
    look = look or Look()
    pictures = [render_volume(volume, size, replace(look, transfer=name), spacing=spacing) for name in TRANSFERS]
    return contact_sheet(pictures, columns=4, gap=4, background=0.0)


def turntable(
    volume: Volume,
    frames: int,
    size: tuple[int, int] = (512, 512),
    look: Look | None = None,
    *,
    camera: Camera | None = None,
    light: Light | None = None,
    spacing: tuple[Number, Number, Number] = (1, 1, 1),
    turns: Number = 1,
) -> Iterator[Float[Tensor, "h w 3"]]:
    """Yield pictures of the volume turning about its upright axis, from `camera` on; after whole `turns` a loop closes.

    The frame after the last one would be the first. Camera and light stand still, as in a photographer's studio.
    """
    if frames < 1:
        raise ValueError(f"a film has at least one frame; got {frames}.")
    look = look or Look()
    camera = camera or orbit_camera(half_sides(check_volume(volume).shape, spacing), size, look)
    return _turn(Medium(volume, look, spacing), frames, size, camera, light, turns)


# Apart from `turntable`, so that wrong arguments raise when it is called and not at the first frame.
def _turn(
    medium: Medium, frames: int, size: tuple[int, int], camera: Camera, light: Light | None, turns: Number
) -> Iterator[Float[Tensor, "h w 3"]]:
    for frame in range(frames):
        # The camera goes round the other way: light in its axes then stands still for the viewer.
        azimuth = camera.azimuth - 2 * math.pi * turns * frame / frames
        yield _picture(medium, size, replace(camera, azimuth=azimuth), light)


def _picture(
    medium: Medium, size: tuple[int, int], camera: Camera | None, light: Light | None
) -> Float[Tensor, "h w 3"]:
    if min(size) < 1:
        raise ValueError(f"a picture has at least one pixel each way; got {tuple(size)}.")
    camera = camera or orbit_camera(medium.half.tolist(), size, medium.look)
    return over_background(*march(medium, camera, size, light), medium.look.background)
