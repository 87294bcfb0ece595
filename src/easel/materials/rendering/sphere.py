"""A ball of the material, as previews show it."""

import math
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from easel.materials.rendering.brdf import STANDARD, Brdf, Surface
from easel.materials.rendering.environment import Environment
from easel.materials.rendering.lights import Light
from easel.materials.rendering.plane import SAMPLES_AT_ONCE
from easel.materials.rendering.plane_camera import TILE_SIDE, PlaneCamera
from easel.materials.rendering.shading import shade_surface
from easel.materials.rendering.texture import Texture
from easel.materials.rendering.vectors import Number, Vector, column, normalize

RADIUS = TILE_SIDE / 2
"""The ball around the origin, in world units; +z, where a plane's normal points, is its north."""

FOV_DEGREES = 30.0
FILLING = 0.84
"""Of the picture's side, the ball's."""


def sphere_camera(size: int, azimuth_degrees: Number = 0.0, elevation_degrees: Number = 15.0) -> PlaneCamera:
    """A camera around the ball: at azimuth 0 it stands at -y, from there it goes round counter-clockwise."""
    azimuth, elevation = math.radians(azimuth_degrees), math.radians(elevation_degrees)
    # The sine of the cone that just holds the ball is radius / distance
    distance = RADIUS / math.sin(math.atan(FILLING * math.tan(math.radians(FOV_DEGREES / 2))))
    flat = distance * math.cos(elevation)
    return PlaneCamera(
        position=(flat * math.sin(azimuth), -flat * math.cos(azimuth), distance * math.sin(elevation)),
        up=(0.0, 0.0, 1.0),
        fov_degrees=FOV_DEGREES,
        width=size,
        height=size,
    )


def render_sphere(
    maps: Mapping[str, Tensor],
    lights: Sequence[Light],
    size: int,
    *,
    camera: PlaneCamera | None = None,
    repeats: tuple[Number, Number] = (4, 2),
    background: Environment | Vector = (0.0, 0.0, 0.0),
    brdf: Brdf = STANDARD,
    samples: int = 2,
) -> Float[Tensor, "3 size size"]:
    """The radiance in a picture of a ball of one material; antialiased as `render_plane`.

    `repeats` tiles go around the equator and from pole to pole; twice as many around leave them square. The
    `background` is an environment or one radiance. Without a `camera`, `sphere_camera` of that size.
    """
    camera = camera or sphere_camera(size)
    if (camera.height, camera.width) != (size, size):
        raise ValueError(f"the camera takes {camera.height} x {camera.width} pixels where size is {size}.")
    texture = Texture.of(Surface.of(maps))
    rows = max(1, SAMPLES_AT_ONCE // (size * samples**2))
    strips = [
        _strip(texture, camera, lights, top, min(top + rows, size), repeats, background, brdf, samples)
        for top in range(0, size, rows)
    ]
    return torch.cat(strips, dim=-2)


def _strip(
    texture: Texture,
    camera: PlaneCamera,
    lights: Sequence[Light],
    top: int,
    bottom: int,
    repeats: tuple[Number, Number],
    background: Environment | Vector,
    brdf: Brdf,
    samples: int,
) -> Float[Tensor, "3 h w"]:
    """The picture's rows from `top` to `bottom`."""
    eye, directions = camera.rays(top, bottom, samples, like=texture.texels)
    # |eye + t d|² = radius²
    along = torch.einsum("c,chw->hw", eye, directions)
    discriminant = along.square() - eye.dot(eye) + RADIUS**2
    hits = discriminant > 0
    distance = -along - discriminant.clamp(min=0).sqrt()
    positions = eye[:, None, None] + distance * directions
    outwards = normalize(positions)

    # East, north and outwards: u runs to the east, v to the north
    x, y, z = outwards
    azimuth, latitude = torch.atan2(x, -y), torch.asin(z.clamp(-1, 1))
    around = (1 - z.square()).clamp(min=1e-6).sqrt()
    east = torch.stack([-y / around, x / around, torch.zeros_like(z)])
    north = torch.linalg.cross(outwards, east, dim=0)

    columns, rows = repeats
    uv = torch.stack([columns * azimuth / (2 * math.pi), rows * (latitude / math.pi + 0.5)])
    slant = -(directions * outwards).sum(dim=0)
    height, width = texture.sizes[0]
    texels_per_area = columns * width * rows * height / (2 * math.pi**2 * RADIUS**2 * around)
    covered = camera.solid_angle(directions, samples) * distance.square() / slant.clamp(min=1e-2)
    flat = texture.sample(uv, covered * texels_per_area)
    n_x, n_y, n_z = flat.normal
    normal = normalize(n_x * east + n_y * north + n_z * outwards)

    surface = Surface(flat.albedo, flat.roughness, flat.metallic, normal)
    radiance = shade_surface(surface, positions, -directions, lights, brdf=brdf)
    behind = background.seen(directions) if isinstance(background, Environment) else column(background, directions)
    return torch.nn.functional.avg_pool2d(torch.where(hits, radiance, behind), samples)
