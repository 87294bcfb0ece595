"""What a camera sees of rectangles in space: which of them, how large, and how finely."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from torch import Tensor

from easel.graphics.camera import Camera, orbit_pose, perspective, view_of
from easel.inspector.layout.arrangement import Vector

Number = float | int

FOV = 28.0
"""Vertical field of view in degrees: narrow, so that sheets of one size look it."""
TITLES, LEGEND, SIDE = 56, 40, 24
"""Pixels that are kept free above, below and at the sides."""
CLOSEST = 0.004
"""Of the camera's distance, where seeing begins."""


@dataclass(frozen=True, eq=False)
class Eye:
    """A camera, looked through at a picture of a certain size."""

    position: Float[np.ndarray, "3"]
    clip_from_world: Float[np.ndarray, "4 4"]
    clip_tensor: Float[Tensor, "4 4"]
    focal_pixels: float
    near: float
    size: tuple[int, int]
    """(height, width)."""

    @classmethod
    def of(cls, camera: Camera, size: tuple[int, int], bounds: tuple[Vector, Vector]) -> "Eye":
        """Near and far planes are as the scene within `bounds` needs them, so that depth stays sharp."""
        pose = camera.pose()
        position = pose[:3, 3].double().numpy()
        near = max(CLOSEST * camera.distance, 1e-4)
        low, high = np.array(bounds[0]), np.array(bounds[1])
        corner = np.maximum(np.abs(low - position), np.abs(high - position))
        far = max(float(np.linalg.norm(corner)) * 1.05, 10 * near)
        clip = perspective(camera.fov, size[1] / size[0], near, far) @ view_of(pose)
        focal = size[0] / 2 / math.tan(math.radians(camera.fov) / 2)
        return cls(position, clip.double().numpy(), clip, focal, near, size)

    def project(self, points: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 3"]:
        """x and y in pixels and the depth; not in front of the camera where that is not above 0."""
        clip = points @ self.clip_from_world[:, :3].T + self.clip_from_world[:, 3]
        depth = clip[..., 3]
        safe = np.where(depth > 1e-9, depth, 1e-9)
        x = (clip[..., 0] / safe + 1) / 2 * self.size[1]
        y = (1 - clip[..., 1] / safe) / 2 * self.size[0]
        return np.stack([x, y, depth], axis=-1)


def facing(corners: Float[np.ndarray, "n 3"], size: tuple[int, int], azimuth: Number, elevation: Number) -> Camera:
    """A camera that has all of `corners` in a picture of `size` = (height, width), with room for titles and legend."""
    height, width = size
    low, high = corners.min(axis=0), corners.max(axis=0)
    target, distance = (low + high) / 2, 2 * max(float(np.linalg.norm(high - low)), 1e-4)
    above, below, beside = min(TITLES, 0.1 * height), min(LEGEND, 0.3 * height), min(SIDE, 0.05 * width)
    for _ in range(8):  # perspective: each step is right for the depths of the one before
        pose = orbit_pose(azimuth, elevation, 1.0, (0, 0, 0)).double().numpy()[:3, :3]
        inside = (corners - target) @ pose
        depth = distance - inside[:, 2]
        focal = height / 2 / math.tan(math.radians(FOV) / 2)
        x, y = inside[:, 0] / depth * focal, inside[:, 1] / depth * focal
        share = max((x.max() - x.min()) / (width - 2 * beside), (y.max() - y.min()) / (height - above - below))
        # What is in the middle of the free part, is looked at as far beside the picture's middle.
        shift = (x.max() + x.min()) / 2, (y.max() + y.min()) / 2 + (above - below) / 2
        target = target + (pose[:, 0] * shift[0] + pose[:, 1] * shift[1]) * distance / focal
        distance *= float(share)
    return Camera(azimuth, elevation, distance, (float(target[0]), float(target[1]), float(target[2])), FOV)


def seen(
    corners: Float[np.ndarray, "n 4 3"], cells: Float[np.ndarray, "n 2"], eye: Eye
) -> tuple[Bool[np.ndarray, "n"], Int[np.ndarray, "n"]]:
    """Which rectangles can be seen, and the finest pyramid level that any of their pixels needs."""
    clip = corners @ eye.clip_from_world[:, :3].T + eye.clip_from_world[:, 3]
    x, y, depth = clip[..., 0], clip[..., 1], clip[..., 3]
    outside = [(depth < eye.near), (x > depth), (x < -depth), (y > depth), (y < -depth)]
    visible = ~np.any([side.all(axis=1) for side in outside], axis=0)
    nearest = np.maximum(depth.min(axis=1), eye.near)
    across = np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1)
    down = np.linalg.norm(corners[:, 3] - corners[:, 0], axis=1)
    per_unit = np.maximum(cells[:, 1] / np.maximum(across, 1e-12), cells[:, 0] / np.maximum(down, 1e-12))
    # The program rounds up; rounded down here, the level is there wherever perspective asks for a finer one.
    levels = np.floor(np.log2(np.maximum(per_unit * nearest / eye.focal_pixels, 1.0))).astype(np.int64)
    return visible, levels
