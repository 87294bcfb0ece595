"""Views: projection of rectangles in space by a camera, which of them it sees, and how finely."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from easel.graphics.camera import Camera, orbit_pose, perspective, view_of
from easel.inspector.layout.arrangement import Vector

Number = float | int

FOV = 28.0
"""Vertical field of view in degrees: narrow, so that sheets of one size look it."""
TITLES = 56
"""Pixels that are kept free above."""
LEGEND = 40
"""Pixels that are kept free below."""
SIDE = 24
"""Pixels that are kept free at either side."""
CLOSEST = 0.004
"""Distance of the near plane as a share of the camera's distance."""


@dataclass(frozen=True, eq=False)
class Eye:
    """A camera together with the size of its picture."""

    position: Float[np.ndarray, "3"]
    clip_from_world: Float[np.ndarray, "4 4"]
    focal_pixels: float
    """Pixels of a length of 1 at a distance of 1."""
    near: float
    size: tuple[int, int]
    """(height, width)."""

    @classmethod
    def of(cls, camera: Camera, size: tuple[int, int], bounds: tuple[Vector, Vector]) -> "Eye":
        """Return a camera's eye, with near and far planes as the scene within `bounds` needs them."""
        pose = camera.pose()
        position = pose[:3, 3].double().numpy()
        # The depth buffer resolves far / near: planes as tight as the scene allows keep sheets apart.
        near = max(CLOSEST * camera.distance, 1e-4)
        corner = np.abs(np.array(bounds) - position).max(axis=0)
        far = max(float(np.linalg.norm(corner)) * 1.05, 10 * near)
        clip = perspective(camera.fov, size[1] / size[0], near, far) @ view_of(pose)
        focal = size[0] / 2 / math.tan(math.radians(camera.fov) / 2)
        return cls(position, clip.double().numpy(), focal, near, size)

    def project(self, points: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 3"]:
        """Return x and y in pixels and the depth, which is above 0 in front of the camera only."""
        clip = points @ self.clip_from_world[:, :3].T + self.clip_from_world[:, 3]
        depth = clip[..., 3]
        # Behind the camera x and y mean nothing, but must not divide by zero.
        safe = np.where(depth > 1e-9, depth, 1e-9)
        x = (clip[..., 0] / safe + 1) / 2 * self.size[1]
        y = (1 - clip[..., 1] / safe) / 2 * self.size[0]
        return np.stack([x, y, depth], axis=-1)


def facing(corners: Float[np.ndarray, "n 3"], size: tuple[int, int], azimuth: Number, elevation: Number) -> Camera:
    """Return a camera that has all of `corners` in a picture of `size` = (height, width), with room for text."""
    height, width = size
    low, high = corners.min(axis=0), corners.max(axis=0)
    target = (low + high) / 2
    distance = 2 * max(float(np.linalg.norm(high - low)), 1e-4)
    # Of small pictures at most a share: text would leave no room for the network.
    above, below, beside = min(TITLES, 0.1 * height), min(LEGEND, 0.3 * height), min(SIDE, 0.05 * width)
    pose = orbit_pose(azimuth, elevation, 1.0, (0, 0, 0)).double().numpy()[:3, :3]
    focal = height / 2 / math.tan(math.radians(FOV) / 2)
    for _ in range(8):  # perspective: each step is right for the depths of the one before
        inside = (corners - target) @ pose
        depth = distance - inside[:, 2]
        x, y = inside[:, 0] / depth * focal, inside[:, 1] / depth * focal
        share = max((x.max() - x.min()) / (width - 2 * beside), (y.max() - y.min()) / (height - above - below))
        # Titles need more room than the legend: the middle of the free part lies below the picture's.
        shift_x = (x.max() + x.min()) / 2
        shift_y = (y.max() + y.min()) / 2 + (above - below) / 2
        target = target + (pose[:, 0] * shift_x + pose[:, 1] * shift_y) * distance / focal
        distance *= float(share)
    return Camera(azimuth, elevation, distance, (float(target[0]), float(target[1]), float(target[2])), FOV)


def seen(
    corners: Float[np.ndarray, "n 4 3"], cells: Float[np.ndarray, "n 2"], eye: Eye
) -> tuple[Bool[np.ndarray, "n"], Int[np.ndarray, "n"]]:
    """Return which of n rectangles can be seen, and the finest pyramid level that any pixel of each needs.

    `cells` are their rows and columns.
    """
    clip = corners @ eye.clip_from_world[:, :3].T + eye.clip_from_world[:, 3]
    x, y, _, depth = np.moveaxis(clip, -1, 0)
    # Outside is what lies wholly beyond one plane of the frustum; a few that pass all planes are still not in sight.
    outside = [(depth < eye.near), (x > depth), (x < -depth), (y > depth), (y < -depth)]
    visible = ~np.any([side.all(axis=1) for side in outside], axis=0)
    nearest = np.maximum(depth.min(axis=1), eye.near)
    across = np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1)
    down = np.linalg.norm(corners[:, 3] - corners[:, 0], axis=1)
    per_unit = np.maximum(cells[:, 1] / np.maximum(across, 1e-12), cells[:, 0] / np.maximum(down, 1e-12))
    # The program rounds up; rounded down here, the level is there wherever perspective asks for a finer one.
    return visible, np.floor(np.log2(np.maximum(per_unit * nearest / eye.focal_pixels, 1.0))).astype(np.int64)
