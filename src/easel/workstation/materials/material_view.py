"""MaterialView: a material on a stage, as pictures of a ball and of a plane, as one poster, and as a film.

Directions of the lamp are those of the picture: right, up, and towards the viewer.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from easel.graphics.checked_record import Range
from easel.graphics.image import resize
from easel.graphics.video import VideoWriter
from easel.materials.maps import MAP_NAMES, MaterialMaps
from easel.materials.rendering.environment import Environment, procedural_environment
from easel.materials.rendering.lights import LightSource, PointLight
from easel.materials.rendering.plane import render_plane
from easel.materials.rendering.plane_camera import TILE_SIDE, PlaneCamera
from easel.materials.rendering.shading import to_picture
from easel.materials.rendering.sphere import FILLING, RADIUS, render_sphere, sphere_camera

Number = float | int

PLANE_FOV_DEGREES = 36.0
LAMP_DISTANCE = 1.2
"""Distance in widths of the plane's picture: near enough for light that falls off across it."""
BALL_LAMP_DISTANCE = 6.0
"""Distance in radii of the ball."""
BALL_ELEVATION_DEGREES = 12.0
"""Elevation of the camera that looks at the ball."""
BACKDROP = 0.34, 0.10
"""Grey behind the ball: in the middle, in the corners."""
TILT_DEGREES = 65.0
"""Tilt of the plane, at most: from beyond the horizon its picture would be empty."""
LOWEST_DEGREES = 8.0
"""Elevation of the lamp, at least: a lower one would leave the plane dark."""
ENVIRONMENT_SEEDS = {"softbox": 5, "studio": 3, "sky": 1, "room": 2}
"""Kind of surroundings → seed of the environment that is shown."""
GAP = 12
PAPER = 0.08
FRAMES_PER_SECOND = 24
FRAMES = 72
"""Of one turn of the film."""


@dataclass(frozen=True)
class StageLamp:
    """A small light; a drag over a picture moves it."""

    strength: Annotated[float, Range(0, 4)] = 0.6
    """1 lights white chalk that faces it to white."""
    azimuth: Annotated[float, Range(-180, 180, step=1)] = 130.0
    """Degrees; 0 shines from the right, 90 from the top."""
    elevation: Annotated[float, Range(LOWEST_DEGREES, 90, step=1)] = 50.0
    """Degrees; at 90 it shines from the viewer."""

    @property
    def direction(self) -> tuple[float, float, float]:
        """Unit vector towards the lamp."""
        azimuth, elevation = math.radians(self.azimuth), math.radians(self.elevation)
        flat = math.cos(elevation)
        return flat * math.cos(azimuth), flat * math.sin(azimuth), math.sin(elevation)


@dataclass(frozen=True)
class Surroundings:
    """Light from everywhere."""

    kind: Literal["softbox", "studio", "sky", "room", "file", "none"] = "studio"
    """The environment of the material; `file` is the one that --light names."""
    strength: Annotated[float, Range(0, 4)] = 0.8
    """Of its light."""
    rotation: Annotated[float, Range(-180, 180, step=1)] = 0.0
    """Degrees."""


@dataclass(frozen=True)
class Stage:
    """Light and view of a material."""

    lamp: StageLamp = field(default_factory=StageLamp)
    surroundings: Surroundings = field(default_factory=Surroundings)
    exposure: Annotated[float, Range(-4, 4)] = 0.0
    """Stops."""
    repeats: Annotated[float, Range(1, 8, step=0.5)] = 2.0
    """Tiles across the plane; as many from pole to pole of the sphere."""
    turn: Annotated[float, Range(-180, 180, step=1)] = 0.0
    """Degrees around the sphere, and around the plane."""
    tilt: Annotated[float, Range(0, TILT_DEGREES, step=1)] = 35.0
    """Degrees from which the plane is seen; at 0 from straight above."""


class MaterialView:
    """Draws one material on any stage; reduced maps are kept from one picture to the next."""

    def __init__(self, maps: MaterialMaps, environment: Environment | None = None) -> None:
        self.maps = maps
        self.environment = environment
        """The surroundings of kind "file"."""
        self._coarser = {maps.size: maps}

    @torch.inference_mode()
    def ball(self, stage: Stage, side: int, *, samples: int = 2) -> Float[Tensor, "side side 3"]:
        """Draw a ball of the material before a grey backdrop, with `samples`² rays a pixel."""
        camera = sphere_camera(side, stage.turn, BALL_ELEVATION_DEGREES)
        # From the picture's axes to those of the world: lights turn with the camera, so that the ball is seen to turn.
        x, y, z = (camera.pose()[:3, :3] @ torch.tensor(stage.lamp.direction)).tolist()
        lights = [_lamp((x, y, z), BALL_LAMP_DISTANCE * RADIUS, stage.lamp.strength)]
        radiance = render_sphere(
            self._maps_for(side / stage.repeats),
            [*lights, *self._surroundings(stage, stage.turn)],
            side,
            camera=camera,
            # Around the ball twice as many as from pole to pole, and whole ones, or there would be a seam.
            repeats=(round(2 * stage.repeats), stage.repeats),
            samples=samples,
        )
        # +0.5: from the middle of each pixel to that of the picture, in sides of it; a corner is at √½.
        axis = torch.arange(side) + 0.5 - side / 2
        distance = torch.hypot(axis[:, None], axis) / side
        # Coverage of the backdrop: the ball's edge crosses its pixels within one pixel of distance.
        coverage = ((distance - FILLING / 2) * side + 0.5).clamp(0, 1)
        backdrop = BACKDROP[0] + (BACKDROP[1] - BACKDROP[0]) * (distance * 2**0.5).clamp(max=1)
        return to_picture(radiance, stage.exposure) + (coverage * backdrop)[..., None]

    @torch.inference_mode()
    def plane(self, stage: Stage, side: int, *, samples: int = 2) -> Float[Tensor, "side side 3"]:
        """Draw the material lying flat, with `samples`² rays a pixel."""
        width = stage.repeats * TILE_SIDE
        # So far away that the plane fills the width of the picture.
        radius = width / 2 / math.tan(math.radians(PLANE_FOV_DEGREES) / 2)
        camera = PlaneCamera.orbit(
            stage.turn, stage.tilt, radius, fov_degrees=PLANE_FOV_DEGREES, width=side, height=side
        )
        right, up, towards = stage.lamp.direction
        turn = math.radians(stage.turn)
        # The lamp stands where the picture shows it, however the plane is turned.
        cosine, sine = math.cos(turn), math.sin(turn)
        direction = right * cosine - up * sine, right * sine + up * cosine, towards
        lights = [_lamp(direction, LAMP_DISTANCE * width, stage.lamp.strength), *self._surroundings(stage, stage.turn)]
        radiance = render_plane(self._maps_for(side / stage.repeats), camera, lights, samples=samples)
        return to_picture(radiance, stage.exposure)

    def _surroundings(self, stage: Stage, turn: Number) -> list[LightSource]:
        """Return the light of the surroundings, turned by so many degrees."""
        asked = stage.surroundings
        if asked.kind == "none" or not asked.strength:
            return []
        environment = self.environment if asked.kind == "file" else _environment(asked.kind)
        return [] if environment is None else [environment.turned(asked.rotation + turn, asked.strength)]

    def _maps_for(self, pixels: Number) -> MaterialMaps:
        """Return the maps with 2 to 4 texels for each of a tile's `pixels`, if they have so many."""
        height, width = self.maps.size
        # Halves only: reduced maps are kept, and sides that change with the window would fill the memory.
        while min(height, width) >= 4 * pixels and min(height, width) >= 16:
            height, width = height // 2, width // 2
        if (height, width) not in self._coarser:
            self._coarser[height, width] = self.maps.resize((height, width))
        return self._coarser[height, width]


def _lamp(direction: tuple[Number, Number, Number], distance: Number, strength: Number) -> PointLight:
    """Return a lamp under which white chalk at `distance`, facing it, is as bright as `strength`."""
    x, y, z = (distance * axis for axis in direction)
    # Chalk reflects E/π of the irradiance E = I/d².
    intensity = strength * math.pi * distance**2
    return PointLight((x, y, z), (intensity, intensity, intensity))


@cache
def _environment(kind: str) -> Environment:
    """Return the environment of a kind, made once: its filtered maps take about a second."""
    return procedural_environment(kind, ENVIRONMENT_SEEDS[kind])


def poster(
    ball: Float[Tensor, "side side 3"], plane: Float[Tensor, "side side 3"], maps: MaterialMaps
) -> Float[Tensor, "h w 3"]:
    """Lay out ball and plane beside each other, and the four maps below."""
    top = beside([ball, plane])
    small = (top.shape[1] - 3 * GAP) // 4
    row = beside([resize(maps.picture(name).float(), (small, small)) for name in MAP_NAMES])
    # Four maps share the width of two pictures, which need not be divisible by four.
    row = pad(row, (0, 0, 0, top.shape[1] - row.shape[1]), value=PAPER)
    sheet = torch.cat([top, torch.full((GAP, top.shape[1], 3), PAPER), row])
    return pad(sheet, (0, 0, GAP, GAP, GAP, GAP), value=PAPER)


def beside(pictures: Sequence[Float[Tensor, "h w 3"]]) -> Float[Tensor, "h w2 3"]:
    """Lay out pictures of one height in a row."""
    gap = torch.full((len(pictures[0]), GAP, 3), PAPER)
    return torch.cat([part for picture in pictures for part in (gap, picture)][1:], dim=1)


def turntable(
    material: MaterialView, stage: Stage, frames: int = FRAMES, side: int = 320
) -> Iterator[Float[Tensor, "h w 3"]]:
    """Turn ball and plane all the way around; the lamp stays where it is in the picture."""
    for frame in range(frames):
        # Into the range that the stage's own setting has.
        turn = (stage.turn + 360 * frame / frames + 180) % 360 - 180
        turned = replace(stage, turn=turn)
        yield beside([material.ball(turned, side), material.plane(turned, side)])


def film(material: MaterialView, stage: Stage, path: Path, side: int, *, frames: int = FRAMES) -> Path:
    """Write a turntable; the suffix chooses the kind of film. Returns the path."""
    with VideoWriter(path, fps=FRAMES_PER_SECOND) as writer:
        for picture in turntable(material, stage, frames, side):
            writer.append(picture)
    return path
