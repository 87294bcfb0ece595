"""Films of a network: pictures of a scene from a camera that moves."""

import math
from collections.abc import Iterator

from jaxtyping import Float
from torch import Tensor

from easel.graphics.camera import Camera
from easel.inspector.network_scene import NetworkScene

SWING = 0.7
"""Radians to each side: sheets are read from the front, so the camera swings instead of going around."""
NOD = 0.12
"""Radians up and down meanwhile."""


def turntable(
    scene: NetworkScene, frames: int, size: tuple[int, int], camera: Camera | None = None
) -> Iterator[Float[Tensor, "h w 3"]]:
    """The scene seen while the camera swings to the left, to the right and back: the last frame leads to the first.

    `size` is (height, width); without a `camera` everything is in sight. What it is made of goes to `graphics.video`.
    """
    if frames < 1:
        raise ValueError(f"a turntable has at least one frame; got {frames}.")
    start = camera or scene.home(size)
    for number in range(frames):
        turn = 2 * math.pi * number / frames
        azimuth, elevation = start.azimuth + SWING * math.sin(turn), start.elevation + NOD * math.sin(2 * turn)
        yield scene.draw(Camera(azimuth, elevation, start.distance, start.target, start.fov), size)
