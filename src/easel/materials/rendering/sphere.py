"""A ball of the material, as previews show it.

A ray eye + t · d meets the ball |p| = RADIUS where t² + 2 t (eye·d) + |eye|² - RADIUS² = 0. The texture lies on it by
longitude and latitude: u runs to the east, v to the north, and tangent space is (east, north, outwards).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from easel.materials.rendering.brdf import STANDARD, Brdf, Surface
from easel.materials.rendering.environment import Environment
from easel.materials.rendering.lights import LightSource
from easel.materials.rendering.plane import in_strips
from easel.materials.rendering.plane_camera import TILE_SIDE, PlaneCamera
from easel.materials.rendering.shading import shade_surface
from easel.materials.rendering.texture import Texture
from easel.materials.rendering.vectors import Number, Vector, column, normalize

RADIUS = TILE_SIDE / 2
"""Radius of the ball around the origin, in world units; +z, where a plane's normal points, is its north."""

FOV_DEGREES = 30.0
"""Vertical field of view of `sphere_camera`."""
FILLING = 0.84
"""Diameter of the ball over the side of the picture."""


def sphere_camera(size: int, azimuth_degrees: Number = 0.0, elevation_degrees: Number = 15.0) -> PlaneCamera:
    """Return a camera that looks at the ball: at azimuth 0 from -y, from there it goes round counter-clockwise."""
    azimuth = math.radians(azimuth_degrees)
    elevation = math.radians(elevation_degrees)
    # The sine of the cone that just holds the ball is radius / distance
    distance = RADIUS / math.sin(math.atan(FILLING * math.tan(math.radians(FOV_DEGREES / 2))))
    flat = distance * math.cos(elevation)
    position = (flat * math.sin(azimuth), -flat * math.cos(azimuth), distance * math.sin(elevation))
    return PlaneCamera(position, up=(0.0, 0.0, 1.0), fov_degrees=FOV_DEGREES, width=size, height=size)


def render_sphere(
    maps: Mapping[str, Tensor],
    lights: Sequence[LightSource],
    size: int,
    *,
    camera: PlaneCamera | None = None,
    repeats: tuple[Number, Number] = (4, 2),
    background: Environment | Vector = (0.0, 0.0, 0.0),
    brdf: Brdf = STANDARD,
    samples: int = 2,
) -> Float[Tensor, "3 size size"]:
    """Return the radiance in a picture of a ball of one material; antialiased as `render_plane`.

    `repeats` tiles go around the equator and from pole to pole; twice as many around leave them square. The
    `background` is an environment or one radiance. Without a `camera`, `sphere_camera` of that size. ValueError for a
    camera of another size.

    >>> sky = procedural_environment("sky", 7)
    >>> to_picture(render_sphere(maps, [sky], 256, background=sky))
    """
    camera = camera or sphere_camera(size)
    if (camera.height, camera.width) != (size, size):
        raise ValueError(f"the camera takes {camera.height} x {camera.width} pixels where size is {size}.")
    texture = Texture.of(Surface.of(maps))
    height, width = texture.sizes[0]
    columns, rows = repeats

    def strip(top: int, bottom: int) -> Float[Tensor, "3 rows w"]:
        eye, directions = camera.rays(top, bottom, samples, like=texture.texels)
        along = torch.einsum("c,chw->hw", eye, directions)
        discriminant = along.square() - eye.dot(eye) + RADIUS**2
        hits = discriminant > 0
        distance = -along - discriminant.clamp(min=0).sqrt()
        positions = eye[:, None, None] + distance * directions
        outwards = normalize(positions)

        x, y, z = outwards
        azimuth = torch.atan2(x, -y)
        latitude = torch.asin(z.clamp(-1, 1))
        # Radius of the circle of latitude, kept off the poles, where east has no direction
        around = (1 - z.square()).clamp(min=1e-6).sqrt()
        east = torch.stack([-y / around, x / around, torch.zeros_like(z)])
        north = torch.linalg.cross(outwards, east, dim=0)

        uv = torch.stack([columns * azimuth / (2 * math.pi), rows * (latitude / math.pi + 0.5)])
        # Texels crowd towards the poles; towards the outline a ray covers more of the ball, up to the bound
        texels_per_area = columns * width * rows * height / (2 * math.pi**2 * RADIUS**2 * around)
        slant = -(directions * outwards).sum(dim=0)
        area = camera.solid_angle(directions, samples) * distance.square() / slant.clamp(min=1e-2)
        flat = texture.sample(uv, area * texels_per_area)
        n_x, n_y, n_z = flat.normal
        surface = replace(flat, normal=normalize(n_x * east + n_y * north + n_z * outwards))

        radiance = shade_surface(surface, positions, -directions, lights, brdf=brdf)
        behind = background.seen(directions) if isinstance(background, Environment) else column(background, directions)
        return torch.nn.functional.avg_pool2d(torch.where(hits, radiance, behind), samples)

    return in_strips(camera, samples, strip)
