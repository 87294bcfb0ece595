"""Maps under lights, texel by texel: what the re-rendering loss and a relit picture are made of."""

from collections.abc import Mapping, Sequence

from jaxtyping import Float
from torch import Tensor

from easel.materials.rendering.brdf import STANDARD, Brdf, Surface
from easel.materials.rendering.lights import Light
from easel.materials.rendering.plane_camera import texel_positions
from easel.materials.rendering.vectors import Vector, column, normalize

SPECULAR_SHADOW = 0.7
"""How much of a shadow's depth highlights take."""


def shade(
    maps: Mapping[str, Tensor],
    positions: Float[Tensor, "*#b 3 #h #w"],
    to_camera: Float[Tensor, "*#b 3 #h #w"],
    lights: Sequence[Light],
    *,
    brdf: Brdf = STANDARD,
    shadow: Float[Tensor, "*#b 1 #h #w"] | None = None,
) -> Float[Tensor, "*b 3 h w"]:
    """The radiance of the maps' texels, which lie at `positions`, in the directions `to_camera` of length 1.

    `shadow` is what is left of the light: 1 none of it taken; highlights lose less than the base does.
    """
    return shade_surface(Surface.of(maps), positions, to_camera, lights, brdf=brdf, shadow=shadow)


def shade_surface(
    surface: Surface,
    positions: Float[Tensor, "*#b 3 #h #w"],
    to_camera: Float[Tensor, "*#b 3 #h #w"],
    lights: Sequence[Light],
    *,
    brdf: Brdf = STANDARD,
    shadow: Float[Tensor, "*#b 1 #h #w"] | None = None,
) -> Float[Tensor, "*b 3 h w"]:
    """`shade` of a surface that is not flat: its normals are in world axes."""
    if not lights:
        raise ValueError("nothing is seen without light: give at least one light.")
    diffuse, specular = lights[0].reflected(surface, positions, to_camera, brdf)
    for light in lights[1:]:
        more_diffuse, more_specular = light.reflected(surface, positions, to_camera, brdf)
        diffuse, specular = diffuse + more_diffuse, specular + more_specular
    if shadow is not None:
        diffuse, specular = diffuse * shadow, specular * (1 + SPECULAR_SHADOW * (shadow - 1))
    return diffuse + specular


def render_texture(
    maps: Mapping[str, Tensor], lights: Sequence[Light], camera_position: Vector, *, brdf: Brdf = STANDARD
) -> Float[Tensor, "*b 3 h w"]:
    """The tile at the origin as a camera at `camera_position` sees each texel of it, laid flat: (*b, 3, H, W).

    The leading axes of the maps, of the camera and of the lights' vectors broadcast: maps (B, 1, C, H, W) with vectors
    (B, L, 3) give (B, L, 3, H, W), every material under its own L pairs of light and camera.
    """
    height, width = maps["normal"].shape[-2:]
    positions = texel_positions((height, width), maps["normal"])
    to_camera = normalize(column(camera_position, positions) - positions)
    return shade(maps, positions, to_camera, lights, brdf=brdf)
