"""Materials side by side as one labelled picture: photos, maps, and how they look under a light."""

import math
from collections.abc import Sequence
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

from easel.graphics.contact_sheet import contact_sheet
from easel.graphics.image import resize
from easel.materials.maps import MAP_NAMES, MaterialMaps
from easel.materials.rendering.environment import Environment, procedural_environment
from easel.materials.rendering.lights import PointLight
from easel.materials.rendering.plane_camera import TILE_SIDE
from easel.materials.rendering.shading import render_texture, to_picture
from easel.materials.rendering.sphere import render_sphere

GAP = 6
"""Pixels between pictures."""


def map_pictures(maps: MaterialMaps, side: int) -> list[Float[Tensor, "side side 3"]]:
    """Return the maps of one material as pictures, in their order."""
    return [square(maps.picture(name), side) for name in MAP_NAMES]


def square(picture: Float[Tensor, "h w 3"], side: int) -> Float[Tensor, "side side 3"]:
    """Resize a picture to a place in the sheet."""
    return resize(picture.float(), (side, side)).clamp(0, 1)


def labelled_sheet(
    rows: Sequence[Sequence[Float[Tensor, "side side 3"]]], columns: Sequence[str], labels: Sequence[str]
) -> Float[Tensor, "h w 3"]:
    """Lay rows of pictures of one size under the names of their columns; each row has a label of one or two lines."""
    pictures = [picture.detach().cpu() for row in rows for picture in row]
    return contact_sheet(pictures, columns=len(columns), gap=GAP, column_labels=columns, row_labels=labels)


@torch.inference_mode()
def relit(maps: MaterialMaps, side: int) -> Float[Tensor, "side side 3"]:
    """Render one tile flat on a table, seen from above under a lamp at its upper left."""
    # Its tile has a side of TILE_SIDE: from there the lamp's light falls off across it, as a real one's does.
    place = (-0.6 * TILE_SIDE, 0.6 * TILE_SIDE, 1.0 * TILE_SIDE)
    intensity = 0.9 * math.pi * sum(axis**2 for axis in place)
    lights = [PointLight(place, (intensity, intensity, intensity)), _studio()]
    radiance = render_texture(maps.resize((side, side)), lights, (0.0, 0.0, 2 * TILE_SIDE))
    return to_picture(radiance)


@torch.inference_mode()
def ball(maps: MaterialMaps, side: int) -> Float[Tensor, "side side 3"]:
    """Render a ball of the material in a studio."""
    texels = min(2 * side, min(maps.size))
    lamp = PointLight((-0.9, -1.1, 1.0), (3.5, 3.5, 3.5))
    radiance = render_sphere(maps.resize((texels, texels)), [lamp, _studio()], side, background=(0.012, 0.012, 0.013))
    return to_picture(radiance)


@cache
def _studio() -> Environment:
    return procedural_environment("studio", 3, strength=0.7)
