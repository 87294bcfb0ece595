"""Maps compared by how they light: as a loss under random point lights, as a metric under fixed ones.

A scene is a camera and a point light above the tile at the origin, in world coordinates. The light is so strong that
white chalk that faces it there has radiance 1, as if the exposure had been set for it.
"""

import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from easel.graphics.color import linear_to_srgb
from easel.materials.rendering.environment import Environment, procedural_environment
from easel.materials.rendering.lights import PointLight
from easel.materials.rendering.plane_camera import ORBIT_RADIUS, TILE_SIDE
from easel.materials.rendering.shading import render_texture
from easel.materials.training.ssim import ssim

Keys = torch.Generator | Sequence[torch.Generator]
"""Source of random scenes: one generator for a batch, or one per material, so that a material's scenes do not
depend on what else is in its batch."""

NEAREST, FARTHEST = TILE_SIDE, 3 * TILE_SIDE
"""Distances of cameras and lights."""
LOWEST_COSINE = 0.2
"""Nothing stands lower than 78° from the normal: grazing angles would show little but Fresnel's reflection."""
HELD_OUT_TILTS_DEGREES = (15.0, 30.0, 45.0, 60.0)
"""Of the metric's lights, each a quarter turn on from the last; the camera is straight above."""
HELD_OUT_AZIMUTH_DEGREES = 20.0
HELD_OUT_DISTANCE = 2 * TILE_SIDE
HELD_OUT_SEED = 2**31
"""Of the metric's environment; datasets are lit by smaller ones."""


@dataclass(frozen=True)
class RelightingScenes:
    """`k` scenes for each of `b` materials."""

    cameras: Float[Tensor, "b k 3"]
    lights: Float[Tensor, "b k 3"]


def draw_scenes(keys: Keys | None, materials: int, count: int) -> RelightingScenes:
    """Draw `count` random scenes per material; in half of them, rounded up, the camera sees a mirrored highlight.

    Such highlights tell roughness and normals apart. Deschaintre et al. 2018, section 4.2. Without keys the scenes are
    always the same.
    """
    # Validation compares checkpoints: its light must not change between them.
    if keys is None:
        keys = torch.Generator().manual_seed(0)
    if isinstance(keys, torch.Generator):
        numbers = torch.rand(materials, count, 8, generator=keys)
    else:
        numbers = torch.stack([torch.rand(count, 8, generator=generator) for generator in keys])
    # Eight uniform numbers a scene: two directions, two distances, and a place on the tile.
    distances = NEAREST + (FARTHEST - NEAREST) * numbers[..., 4:6]
    cameras = _directions(numbers[..., 0:2]) * distances[..., :1]
    lights = _directions(numbers[..., 2:4]) * distances[..., 1:]
    # Where on the tile the mirrored highlight falls; z = 0 is the surface.
    place = torch.nn.functional.pad((numbers[..., 6:8] - 0.5) * TILE_SIDE, (0, 1))
    # The camera's direction mirrored at the normal of the plane.
    mirrored = torch.nn.functional.normalize((cameras - place) * torch.tensor([-1.0, -1.0, 1.0]), dim=-1)
    sees_highlight = torch.arange(count)[:, None] < (count + 1) // 2
    return RelightingScenes(cameras, torch.where(sees_highlight, place + mirrored * distances[..., 1:], lights))


def _directions(numbers: Float[Tensor, "*n 2"]) -> Float[Tensor, "*n 3"]:
    """Map uniform numbers to directions above the plane, as dense as their cosine with the normal says."""
    # Uniform on the disc under the hemisphere is cosine-weighted on it (Malley's method).
    radius = (numbers[..., 0] * (1 - LOWEST_COSINE**2)).sqrt()
    azimuth = 2 * math.pi * numbers[..., 1]
    return torch.stack([radius * azimuth.cos(), radius * azimuth.sin(), (1 - radius.square()).sqrt()], dim=-1)


def light_up(maps: Mapping[str, Tensor], scenes: RelightingScenes) -> Float[Tensor, "b k 3 h w"]:
    """Render the radiance of every material in each of its scenes, texel by texel."""
    cameras, lights = (positions.to(maps["albedo"].device) for positions in (scenes.cameras, scenes.lights))
    # π d² cancels the falloff and the 1/π of a Lambertian surface: white chalk has radiance 1.
    intensity = (math.pi * lights.square().sum(-1, keepdim=True)).expand_as(lights)
    return render_texture(
        {name: value[:, None] for name, value in maps.items()}, [PointLight(lights, intensity)], cameras
    )


def log_difference(
    predicted: Mapping[str, Tensor], true: Mapping[str, Tensor], scenes: RelightingScenes, epsilon: float | int
) -> Float[Tensor, ""]:
    """Return the mean |log(I + ε) − log(I' + ε)| of both linear radiances. Deschaintre et al. 2018, section 4.2."""
    # The truth has no weights to learn.
    with torch.no_grad():
        expected = (light_up(true, scenes) + epsilon).log()
    return ((light_up(predicted, scenes) + epsilon).log() - expected).abs().mean()


def rerender_metrics(predicted: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> dict[str, Float[Tensor, " b"]]:
    """Return `rerender_rmse` and `rerender_ssim` of each sample, of sRGB pictures under lights that never change.

    Four point lights and an environment; the camera is straight above.
    """
    squares = []
    similarities = []
    for mine, true in zip(_held_out(predicted), _held_out(target), strict=True):
        squares.append((mine - true).square().mean(dim=(1, 2, 3), dtype=torch.float64))
        similarities.append(ssim(mine, true).double())
    return {"rerender_rmse": torch.stack(squares).mean(0).sqrt(), "rerender_ssim": torch.stack(similarities).mean(0)}


def _held_out(maps: Mapping[str, Tensor]) -> Iterator[Float[Tensor, "b 3 h w"]]:
    """Yield pictures of the maps, one light after the other: large maps times five would be a lot of memory."""
    # Half precision would band the highlights that are compared.
    whole = {name: value.float() for name, value in maps.items()}
    for number, tilt in enumerate(HELD_OUT_TILTS_DEGREES):
        azimuth = math.radians(HELD_OUT_AZIMUTH_DEGREES + 90 * number)
        tilt = math.radians(tilt)
        x = math.cos(azimuth) * math.sin(tilt)
        y = math.sin(azimuth) * math.sin(tilt)
        z = math.cos(tilt)
        light = torch.tensor([[[x, y, z]]]) * HELD_OUT_DISTANCE
        scene = RelightingScenes(torch.tensor([[[0.0, 0.0, ORBIT_RADIUS]]]), light)
        yield linear_to_srgb(light_up(whole, scene)[:, 0].clamp(0, 1))
    radiance = render_texture(whole, [_studio()], (0.0, 0.0, ORBIT_RADIUS))
    yield linear_to_srgb(radiance.clamp(0, 1))


@functools.cache
def _studio() -> Environment:
    """Build the environment of the metric, filtered once."""
    return procedural_environment("studio", HELD_OUT_SEED)
