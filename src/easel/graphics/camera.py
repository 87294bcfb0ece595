"""Cameras: poses, projections and rays. The one place that states axes and handedness.

World and camera axes are right-handed with +Y up; a camera looks along its own -Z, +X to its right (as in OpenGL).
A *pose* (4, 4) takes camera coordinates to the world's, a *view* is its inverse, a *projection* takes camera
coordinates to clip space, whose x, y and z run from -1 to 1: right, up, and from near to far. Matrices stand left of
column vectors. Pixels are (x, y), right and down; (0, 0) is the outer corner of the top left one, (0.5, 0.5) its
centre. Fields of view are vertical.
"""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor

from easel.graphics.checked_record import CheckedRecord, Number, Range

NEAR = 0.01
"""Distance of the near clipping plane."""
FAR = 100.0
"""Least distance of the far clipping plane."""

STEEPEST = 1.5
"""Largest elevation, up or down, that a drag reaches, in radians; at π/2 left and right would swap."""
NEAREST = 0.1
"""Distance at which zooming in stops."""
RADIANS_PER_PIXEL = 0.01
PAN_PER_PIXEL = 0.005
"""Shift of the target per pixel of a drag, as a share of the distance."""
ZOOM_PER_NOTCH = 0.15
"""Logarithm of the factor by which one notch of the wheel changes the distance."""
PIXELS_PER_NOTCH = 20.0
"""Pixels of a zooming drag that count as one notch of the wheel."""


def orbit_pose(
    azimuth: Number, elevation: Number, distance: Number, target: tuple[Number, Number, Number] = (0, 0, 0)
) -> Float[Tensor, "4 4"]:
    """Return the pose of a camera that looks at `target` from `distance`; angles in radians.

    Azimuth 0 looks along -Z, a quarter turn along -X; elevation lifts the camera. Beyond ±π/2 it hangs upside down.
    """
    # Not `look_at`: straight above the target it has no right-hand side, and an orbit passes there.
    sin_a, cos_a = math.sin(azimuth), math.cos(azimuth)
    sin_e, cos_e = math.sin(elevation), math.cos(elevation)
    right = (cos_a, 0.0, -sin_a)
    # Columns of the pose: right, up and back are the camera's axes in the world, eye its origin.
    up = (-sin_e * sin_a, cos_e, -sin_e * cos_a)
    back = (cos_e * sin_a, sin_e, cos_e * cos_a)
    eye = tuple(center + distance * axis for center, axis in zip(target, back, strict=True))
    return torch.tensor(
        [[*row, position] for *row, position in zip(right, up, back, eye, strict=True)] + [[0, 0, 0, 1]]
    )


def look_at(
    eye: Float[Tensor, "*b 3"], target: Float[Tensor, "*b 3"], up: Float[Tensor, "*b 3"] | None = None
) -> Float[Tensor, "*b 4 4"]:
    """Return the pose of a camera at `eye` that looks at `target`.

    `up`, +Y if None, must not lie along that direction.
    """
    if up is None:
        up = eye.new_tensor([0, 1, 0]).expand_as(eye)
    back = torch.nn.functional.normalize(eye - target, dim=-1)
    right = torch.nn.functional.normalize(torch.linalg.cross(up, back), dim=-1)
    axes = torch.stack([right, torch.linalg.cross(back, right), back, eye], dim=-1)
    last = eye.new_tensor([0, 0, 0, 1]).expand(*eye.shape[:-1], 1, 4)
    return torch.cat([axes, last], dim=-2)


def view_of(pose: Float[Tensor, "*b 4 4"]) -> Float[Tensor, "*b 4 4"]:
    """Return the view, world → camera, of a pose; of a view, its pose."""
    # A rotation's inverse is its transpose: exact, and cheaper than a general inverse.
    rotation = pose[..., :3, :3].mT
    position = -rotation @ pose[..., :3, 3:]
    return torch.cat([torch.cat([rotation, position], dim=-1), pose[..., 3:, :]], dim=-2)


def perspective(fov_degrees: Number, aspect: Number, near: Number = NEAR, far: Number = FAR) -> Float[Tensor, "4 4"]:
    """Return the projection, camera → clip, for a picture of `aspect` = width / height.

    OpenGL's own matrix (Woo et al., OpenGL Programming Guide).
    """
    scale = 1 / math.tan(math.radians(fov_degrees) / 2)
    depth = (near + far) / (near - far)
    offset = 2 * near * far / (near - far)
    return torch.tensor(
        [[scale / aspect, 0, 0, 0], [0, scale, 0, 0], [0, 0, depth, offset], [0, 0, -1, 0]], dtype=torch.float32
    )


def project(
    points: Float[Tensor, "*n 3"], pose: Float[Tensor, "4 4"], fov_degrees: Number, size: tuple[int, int]
) -> Float[Tensor, "*n 3"]:
    """Project world points into a picture of `size` = (height, width): x and y in pixels, and the depth.

    Depth is the distance along the viewing direction; at 0 and below a point is not in front of the camera.
    """
    # Rows times the rotation: its transpose, and so its inverse, applied to columns.
    x, y, z = ((points - pose[:3, 3]) @ pose[:3, :3]).unbind(-1)
    focal = _focal_pixels(fov_degrees, size)
    return torch.stack([size[1] / 2 - focal * x / z, size[0] / 2 + focal * y / z, -z], dim=-1)


def rays(
    pixels: Float[Tensor, "*n 2"], pose: Float[Tensor, "4 4"], fov_degrees: Number, size: tuple[int, int]
) -> tuple[Float[Tensor, "3"], Float[Tensor, "*n 3"]]:
    """Return the common origin of the rays through `pixels`, and their directions of length 1; inverse of `project`."""
    x, y = pixels.unbind(-1)
    focal = _focal_pixels(fov_degrees, size)
    inside = torch.stack([(x - size[1] / 2) / focal, (size[0] / 2 - y) / focal, -torch.ones_like(x)], dim=-1)
    return pose[:3, 3], torch.nn.functional.normalize(inside @ pose[:3, :3].T, dim=-1)


def _focal_pixels(fov_degrees: Number, size: tuple[int, int]) -> float:
    """Focal length in pixels; the same both ways, since pixels are squares."""
    return size[0] / 2 / math.tan(math.radians(fov_degrees) / 2)


def homography(source: Float[Tensor, "*b 4 2"], target: Float[Tensor, "*b 4 2"]) -> Float[Tensor, "*b 3 3"]:
    """Return the projective map of the plane that takes four points to four others.

    No three of either may lie on a line.
    """
    x, y = source.unbind(-1)
    one = torch.ones_like(x)
    zero = torch.zeros_like(x)
    # u (g x + h y + 1) = a x + b y + c, and the same for v: two equations a point, eight unknowns.
    # Hartley and Zisserman, Multiple View Geometry, section 4.1, with the last entry 1.
    u, v = target.unbind(-1)
    rows_u = torch.stack([x, y, one, zero, zero, zero, -u * x, -u * y], dim=-1)
    rows_v = torch.stack([zero, zero, zero, x, y, one, -v * x, -v * y], dim=-1)
    entries = torch.linalg.solve(torch.cat([rows_u, rows_v], dim=-2), torch.cat([u, v], dim=-1))
    return torch.cat([entries, one[..., :1]], dim=-1).unflatten(-1, (3, 3))


def apply_homography(matrix: Float[Tensor, "3 3"], points: Float[Tensor, "*n 2"]) -> Float[Tensor, "*n 2"]:
    """Map points of the plane by `matrix`."""
    # Homogeneous coordinates: the third one is divided away.
    mapped = torch.nn.functional.pad(points, (0, 1), value=1.0) @ matrix.T
    return mapped[..., :2] / mapped[..., 2:]


@dataclass(slots=True)
class Camera(CheckedRecord):
    """A camera that orbits a point. Setting its attributes moves it, and dragging it changes them."""

    azimuth: Number = 0.0
    """Radians around the target; 0 stands in front of it, on +Z."""
    elevation: Number = 0.6
    """Radians above the horizon."""
    distance: Annotated[Number, Range(1e-3, 1e6)] = 3.0
    target: tuple[Number, Number, Number] = (0.0, 0.0, 0.0)
    fov: Annotated[Number, Range(1, 179)] = 45.0
    """Vertical field of view in degrees."""

    def pose(self) -> Float[Tensor, "4 4"]:
        """Return the transform camera → world."""
        return orbit_pose(self.azimuth, self.elevation, self.distance, self.target)

    def clip_from_world(self, aspect: Number) -> Float[Tensor, "4 4"]:
        """Return the transform world → clip space for a picture of `aspect` = width / height."""
        # From far away the far plane moves back, so that zooming out never makes the scene vanish.
        far = max(FAR, 2 * self.distance)
        return perspective(self.fov, aspect, NEAR, far) @ view_of(self.pose())

    def orbit(self, dx: Number, dy: Number) -> None:
        """Turn the scene along with a drag by so many pixels, right and down."""
        self.azimuth -= RADIANS_PER_PIXEL * dx
        self.elevation = min(max(self.elevation + RADIANS_PER_PIXEL * dy, -STEEPEST), STEEPEST)

    def pan(self, dx: Number, dy: Number) -> None:
        """Move the scene along with a drag by so many pixels, right and down."""
        # In proportion to the distance, so that the target stays under the pointer at every zoom.
        step = PAN_PER_PIXEL * self.distance
        x, y, z = self.target
        self.target = (x - step * dx * math.cos(self.azimuth), y + step * dy, z + step * dx * math.sin(self.azimuth))

    def zoom(self, notches: Number) -> None:
        """Move nearer by so many notches of the wheel, farther by negative ones."""
        self.distance = max(self.distance * math.exp(-ZOOM_PER_NOTCH * notches), NEAREST)
