"""A photo of the material lying flat: every pixel's ray meets the repeating texture.

A ray eye + t · d meets the plane z = 0 at t = -eye_z / d_z.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from easel.materials.rendering.brdf import STANDARD, Brdf, Surface
from easel.materials.rendering.lights import LightSource
from easel.materials.rendering.plane_camera import TILE_SIDE, PlaneCamera
from easel.materials.rendering.shading import shade_surface
from easel.materials.rendering.texture import Texture

SAMPLES_AT_ONCE = 2**18
"""Rays that are shaded together: the bound of a large photo's memory."""

Shadow = Callable[[Float[Tensor, "2 h w"]], Float[Tensor, "1 h w"]]
"""Points (x, y) of the plane → share of the light that is left there."""


def render_plane(
    maps: Mapping[str, Tensor],
    camera: PlaneCamera,
    lights: Sequence[LightSource],
    *,
    brdf: Brdf = STANDARD,
    samples: int = 2,
    shadow: Shadow | None = None,
) -> Float[Tensor, "3 h w"]:
    """Return the radiance in the photo of one material, black where the camera looks past the plane.

    Antialiased: the mean of `samples`² rays a pixel, each of which sees the texture averaged over its share. ValueError
    for a batch of materials.

    >>> to_picture(render_plane(maps, PlaneCamera.orbit(30, 20), [PointLight((0, 0, 0.6), (1.1, 1.1, 1.1))]))
    """
    texture = Texture.of(Surface.of(maps))

    def strip(top: int, bottom: int) -> Float[Tensor, "3 rows w"]:
        eye, directions = camera.rays(top, bottom, samples, like=texture.texels)
        hits = directions[2] < 0
        # Any point will do where nothing is hit: it is multiplied by 0
        distance = torch.where(hits, -eye[2] / directions[2], 1.0)
        positions = eye[:, None, None] + directions * distance
        uv = positions[:2] / TILE_SIDE + 0.5
        # Area of the plane that a ray stands for: solid angle · t² / cos θ, whose bound keeps the horizon finite
        area = camera.solid_angle(directions, samples) * distance.square() / directions[2].abs().clamp(min=1e-4)
        height, width = texture.sizes[0]
        surface = texture.sample(uv, area * (height * width / TILE_SIDE**2))
        left = shadow and shadow(positions[:2])
        radiance = shade_surface(surface, positions, -directions, lights, brdf=brdf, shadow=left)
        return torch.nn.functional.avg_pool2d(radiance * hits, samples)

    return in_strips(camera, samples, strip)


def in_strips(
    camera: PlaneCamera, samples: int, strip: Callable[[int, int], Float[Tensor, "3 rows w"]]
) -> Float[Tensor, "3 h w"]:
    """Return the camera's picture from `strip(top, bottom)`, its rows in `[top, bottom)`, a few of them at a time."""
    rows = max(1, SAMPLES_AT_ONCE // (camera.width * samples**2))
    tops = range(0, camera.height, rows)
    return torch.cat([strip(top, min(top + rows, camera.height)) for top in tops], dim=-2)
