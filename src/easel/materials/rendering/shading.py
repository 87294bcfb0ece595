"""Maps under lights, texel by texel: the renderer of the re-rendering loss and of relit pictures."""

from collections.abc import Mapping, Sequence

from jaxtyping import Float
from torch import Tensor

from easel.graphics.color import tonemap
from easel.materials.rendering.brdf import STANDARD, Brdf, Surface
from easel.materials.rendering.lights import LightSource
from easel.materials.rendering.plane_camera import texel_positions
from easel.materials.rendering.vectors import Vector, column, normalize

SPECULAR_SHADOW = 0.7
"""Share of a shadow's depth that highlights take: what casts it hides a part of what a glossy surface mirrors."""


def shade(
    maps: Mapping[str, Tensor],
    positions: Float[Tensor, "*#b 3 #h #w"],
    to_camera: Float[Tensor, "*#b 3 #h #w"],
    lights: Sequence[LightSource],
    *,
    brdf: Brdf = STANDARD,
    shadow: Float[Tensor, "*#b 1 #h #w"] | None = None,
) -> Float[Tensor, "*b 3 h w"]:
    """Return the radiance of the maps' texels, which lie at `positions`, in the directions `to_camera` of length 1.

    `shadow` is the share of the light that is left: 1 none of it taken; highlights lose less than the base does.
    ValueError without lights.
    """
    return shade_surface(Surface.of(maps), positions, to_camera, lights, brdf=brdf, shadow=shadow)


def shade_surface(
    surface: Surface,
    positions: Float[Tensor, "*#b 3 #h #w"],
    to_camera: Float[Tensor, "*#b 3 #h #w"],
    lights: Sequence[LightSource],
    *,
    brdf: Brdf = STANDARD,
    shadow: Float[Tensor, "*#b 1 #h #w"] | None = None,
) -> Float[Tensor, "*b 3 h w"]:
    """Do as `shade` with a surface that need not be flat: its normals are in world axes."""
    if not lights:
        raise ValueError("nothing is seen without light: give at least one light.")
    diffuse, specular = lights[0].reflected(surface, positions, to_camera, brdf)
    for light in lights[1:]:
        more_diffuse, more_specular = light.reflected(surface, positions, to_camera, brdf)
        diffuse = diffuse + more_diffuse
        specular = specular + more_specular
    if shadow is not None:
        diffuse = diffuse * shadow
        specular = specular * (1 + SPECULAR_SHADOW * (shadow - 1))
    return diffuse + specular


def render_texture(
    maps: Mapping[str, Tensor], lights: Sequence[LightSource], camera_position: Vector, *, brdf: Brdf = STANDARD
) -> Float[Tensor, "*b 3 h w"]:
    """Return the radiance of each texel of the tile at the origin, laid flat, towards `camera_position`: (*b, 3, H, W).

    The leading axes of the maps, of the camera and of the lights' vectors broadcast: maps (B, 1, C, H, W) with vectors
    (B, L, 3) give (B, L, 3, H, W), every material under its own L pairs of light and camera.

    >>> render_texture(maps, [PointLight((0.2, 0.3, 0.6), (3, 3, 3))], (0.0, 0.0, 0.6))
    """
    height, width = maps["normal"].shape[-2:]
    positions = texel_positions((height, width), maps["normal"])
    to_camera = normalize(column(camera_position, positions) - positions)
    return shade(maps, positions, to_camera, lights, brdf=brdf)


def to_picture(radiance: Float[Tensor, "3 h w"], exposure_stops: float | int = 0.0) -> Float[Tensor, "h w 3"]:
    """Return the display-referred picture of rendered radiance, brightened by 2^`exposure_stops`."""
    return tonemap(radiance.permute(1, 2, 0), exposure_stops)
