"""A photo of the material lying flat: every pixel's ray meets the repeating texture."""

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from easel.materials.rendering.brdf import STANDARD, Brdf, Surface
from easel.materials.rendering.lights import Light
from easel.materials.rendering.plane_camera import TILE_SIDE, PlaneCamera
from easel.materials.rendering.shading import shade_surface
from easel.materials.rendering.texture import Texture

SAMPLES_AT_ONCE = 2**18
"""Rays that are shaded together: what bounds the memory of a large photo."""

Shadow = Callable[[Float[Tensor, "2 h w"]], Float[Tensor, "1 h w"]]
"""Points (x, y) of the plane → what is left of the light there."""


def render_plane(
    maps: Mapping[str, Tensor],
    camera: PlaneCamera,
    lights: Sequence[Light],
    *,
    brdf: Brdf = STANDARD,
    samples: int = 2,
    shadow: Shadow | None = None,
) -> Float[Tensor, "3 h w"]:
    """The radiance in the photo of one material, black where the camera looks past the plane.

    Antialiased: the mean of `samples`² rays a pixel, each of which sees the texture averaged over its share.
    """
    texture = Texture.of(Surface.of(maps))
    rows = max(1, SAMPLES_AT_ONCE // (camera.width * samples**2))
    strips = [
        _strip(texture, camera, lights, top, min(top + rows, camera.height), brdf, samples, shadow)
        for top in range(0, camera.height, rows)
    ]
    return torch.cat(strips, dim=-2)


def _strip(
    texture: Texture,
    camera: PlaneCamera,
    lights: Sequence[Light],
    top: int,
    bottom: int,
    brdf: Brdf,
    samples: int,
    shadow: Shadow | None,
) -> Float[Tensor, "3 h w"]:
    """The photo's rows from `top` to `bottom`."""
    eye, directions = camera.rays(top, bottom, samples, like=texture.texels)
    hits = directions[2] < 0
    # Where nothing is hit any point will do
    distance = torch.where(hits, -eye[2] / directions[2], 1.0)
    positions = eye[:, None, None] + directions * distance
    uv = positions[:2] / TILE_SIDE + 0.5
    covered = camera.solid_angle(directions, samples) * distance.square() / directions[2].abs().clamp(min=1e-4)
    height, width = texture.sizes[0]
    surface = texture.sample(uv, covered * (height * width / TILE_SIDE**2))
    left = None if shadow is None else shadow(positions[:2])
    radiance = shade_surface(surface, positions, -directions, lights, brdf=brdf, shadow=left)
    return torch.nn.functional.avg_pool2d(radiance * hits, samples)
