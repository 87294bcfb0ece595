"""The plane of the material, and the pinhole camera above it.

The world is right-handed. The material is the plane z = 0 and faces +z: x runs to the right along the texture (+u), y
up (+v), so that tangent space is the world's. One tile of the texture has a side of 0.5 and lies around the origin:
u = 2x + 1/2, v = 2y + 1/2, and it repeats for ever. Row 0 of a map is its top: the texel (i, j) of (H, W) has its
centre at u = (j + 1/2) / W, v = 1 - (i + 1/2) / H. Pixels are `graphics.camera`'s: x right and y down, (½, ½) the
centre of the first.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from easel.graphics.camera import look_at, rays
from easel.graphics.files import MAX_PIXELS
from easel.materials.rendering.vectors import Number

TILE_SIDE = 0.5
"""World units of one repeat of the texture."""

ORBIT_RADIUS = 0.6
"""The usual distance of a camera from the origin."""
FOV_DEGREES = 55.0
"""The usual vertical field of view: from straight above 1.25 tiles are seen."""
_FARTHEST = 1e6
"""The largest coordinate, in world units."""


def texel_positions(size: tuple[int, int], like: Tensor) -> Float[Tensor, "3 h w"]:
    """Return the world positions of the texels of the tile at the origin, on `like`'s device and in its dtype."""
    height, width = size
    x = ((torch.arange(width, device=like.device, dtype=like.dtype) + 0.5) / width - 0.5) * TILE_SIDE
    y = (0.5 - (torch.arange(height, device=like.device, dtype=like.dtype) + 0.5) / height) * TILE_SIDE
    return torch.stack([x.expand(height, width), y[:, None].expand(height, width), x.new_zeros(height, width)])


@dataclass(frozen=True)
class PlaneCamera:
    """Pinhole camera above the material. ValueError for numbers that are no camera.

    >>> PlaneCamera(position=(0.0, -0.4, 0.5), width=256, height=256)
    >>> PlaneCamera.orbit(azimuth_degrees=120, tilt_degrees=30)
    """

    position: tuple[Number, Number, Number]
    """Pinhole, in world coordinates."""
    target: tuple[Number, Number, Number] = (0.0, 0.0, 0.0)
    """Point that the middle of the photo shows."""
    up: tuple[Number, Number, Number] = (0.0, 1.0, 0.0)
    """Direction in which the top of the photo points; not along the line of sight."""
    fov_degrees: Number = FOV_DEGREES
    """Vertical field of view."""
    width: int = 512
    """Pixels of a row."""
    height: int = 512
    """Rows of pixels."""

    def __post_init__(self) -> None:
        numbers = (*self.position, *self.target, *self.up, self.fov_degrees)
        # abs: false of NaN too, and of integers that are larger than any float
        plain = all(abs(number) <= _FARTHEST for number in numbers) and 0 < self.fov_degrees < 180
        if not plain or min(self.width, self.height) < 1 or self.width * self.height > MAX_PIXELS:
            raise ValueError(
                "a camera has finite coordinates, a field of view between 0 and 180 degrees, and 1 to "
                f"{MAX_PIXELS:,} pixels; got {self!s:.300}."
            )
        back = torch.tensor(self.position, dtype=torch.float64) - torch.tensor(self.target, dtype=torch.float64)
        # up and back span the photo's vertical plane: parallel, they span none
        side = torch.linalg.cross(torch.tensor(self.up, dtype=torch.float64), back)
        if side.norm() <= 1e-6 * back.norm() or back.norm() == 0:
            raise ValueError(f"a camera looks at something else than itself, and not along its up; got {self}.")

    @staticmethod
    def orbit(
        azimuth_degrees: Number,
        tilt_degrees: Number,
        radius: Number = ORBIT_RADIUS,
        *,
        fov_degrees: Number = FOV_DEGREES,
        width: int = 512,
        height: int = 512,
    ) -> "PlaneCamera":
        """Return a camera that looks at the origin, tilted away from straight above.

        At azimuth 0 it stands below the tile, on the side of -y, and the photo is upright; from there it goes round
        counter-clockwise, and its top always points across the origin.
        """
        azimuth = math.radians(azimuth_degrees)
        tilt = math.radians(tilt_degrees)
        across = (math.sin(azimuth), -math.cos(azimuth))
        out = radius * math.sin(tilt)
        position = (out * across[0], out * across[1], radius * math.cos(tilt))
        up = (-across[0], -across[1], 0.0)
        return PlaneCamera(position, up=up, fov_degrees=fov_degrees, width=width, height=height)

    @property
    def focal_pixels(self) -> float:
        """Distance of the picture from the pinhole, in pixels."""
        return self.height / 2 / math.tan(math.radians(self.fov_degrees) / 2)

    def pose(self) -> Float[Tensor, "4 4"]:
        """Return the matrix camera → world, as `graphics.camera` takes it."""
        vectors = (torch.tensor(vector, dtype=torch.float64) for vector in (self.position, self.target, self.up))
        return look_at(*vectors).float()

    def uv_to_pixel(self) -> Float[Tensor, "3 3"]:
        """Return the homography from (u, v, 1) to pixels; its third coordinate is the depth, positive in front."""
        # float64: a copy stored in views.json must agree with its camera to a twentieth of a pixel
        pose = self.pose().double()
        right, up, back, eye = pose[:3].unbind(-1)
        centre_x, centre_y = self.width / 2, self.height / 2
        # A point of the plane, seen from the eye, is corner + u · along_u + v · along_v; the map is linear in each
        along_u, along_v, _ = TILE_SIDE * torch.eye(3, dtype=torch.float64)
        corner = eye.new_tensor([-TILE_SIDE / 2, -TILE_SIDE / 2, 0]) - eye
        columns = []
        for vector in (along_u, along_v, corner):
            depth = -(vector @ back)
            rightwards = self.focal_pixels * (vector @ right)
            upwards = self.focal_pixels * (vector @ up)
            columns.append(torch.stack([centre_x * depth + rightwards, centre_y * depth - upwards, depth]))
        return torch.stack(columns, dim=-1).float()

    def rays(
        self, top: int, bottom: int, samples: int, like: Tensor
    ) -> tuple[Float[Tensor, "3"], Float[Tensor, "3 h w"]]:
        """Return the eye and the directions, of length 1, of the rays of the pixel rows from `top` to `bottom`.

        Every pixel has `samples`² of them; on `like`'s device and in its dtype.
        """
        x = (torch.arange(self.width * samples, device=like.device, dtype=like.dtype) + 0.5) / samples
        y = top + (torch.arange((bottom - top) * samples, device=like.device, dtype=like.dtype) + 0.5) / samples
        pixels = torch.stack([x.expand(len(y), -1), y[:, None].expand(-1, len(x))], dim=-1)
        eye, directions = rays(pixels, self.pose().to(like), self.fov_degrees, (self.height, self.width))
        return eye, directions.movedim(-1, 0).contiguous()

    def solid_angle(self, directions: Float[Tensor, "3 h w"], samples: int) -> Float[Tensor, "h w"]:
        """Return the solid angle that each of those rays stands for."""
        # A pixel of side 1 at the distance focal / cos θ, seen at the angle θ: cos³ θ / focal²
        forward = -self.pose()[:3, 2].to(directions)
        return torch.einsum("c,chw->hw", forward, directions) ** 3 / (self.focal_pixels * samples) ** 2
