"""MaterialView: a material on a stage, as pictures of a sphere and of a plane, as fine as there is time for."""

import math
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from easel.graphics.checked_record import Range
from easel.materials.maps import MaterialMaps
from easel.materials.rendering.environment import Environment, procedural_environment
from easel.materials.rendering.lights import LightSource, PointLight
from easel.materials.rendering.plane import render_plane
from easel.materials.rendering.plane_camera import TILE_SIDE, PlaneCamera
from easel.materials.rendering.shading import to_picture
from easel.materials.rendering.sphere import FILLING, RADIUS, render_sphere, sphere_camera

Number = float | int

PLANE_FOV_DEGREES = 36.0
LAMP_DISTANCE = 1.2
"""In widths of what the plane's picture shows: near enough for light that falls off across it."""
BALL_LAMP_DISTANCE = 6.0
"""In radii of the ball."""
BALL_ELEVATION_DEGREES = 12.0
"""Of the camera that looks at the ball."""
BACKDROP = 0.34, 0.10
"""Grey behind the ball, in its middle and in the corners."""
TILT_DEGREES = 65.0
"""Of the plane, at most: below the horizon its photo would be empty."""
LOWEST_DEGREES = 8.0
"""Of a lamp over the plane, which would otherwise leave it dark."""
ENVIRONMENT_SEEDS = {"softbox": 5, "studio": 3, "sky": 1, "room": 2}
"""Kind → which of its environments is shown."""


@dataclass(frozen=True)
class Lamp:
    """A small light; a drag over a picture moves it."""

    strength: Annotated[float, Range(0, 4)] = 0.6
    """1 lights white chalk that faces it to white."""
    azimuth: Annotated[float, Range(-180, 180, step=1)] = 130.0
    """Degrees; 0 shines from the right, 90 from the top."""
    elevation: Annotated[float, Range(LOWEST_DEGREES, 90, step=1)] = 50.0
    """Degrees; at 90 it shines from the viewer."""

    @property
    def direction(self) -> tuple[float, float, float]:
        """Towards it: right, up, and towards the viewer."""
        azimuth, elevation = math.radians(self.azimuth), math.radians(self.elevation)
        flat = math.cos(elevation)
        return flat * math.cos(azimuth), flat * math.sin(azimuth), math.sin(elevation)


@dataclass(frozen=True)
class Surroundings:
    """Light from everywhere."""

    kind: Literal["softbox", "studio", "sky", "room", "file", "none"] = "studio"
    """What the material stands in; `file` is the one that --light names."""
    strength: Annotated[float, Range(0, 4)] = 0.8
    """Of its light."""
    rotation: Annotated[float, Range(-180, 180, step=1)] = 0.0
    """Degrees."""


@dataclass(frozen=True)
class Stage:
    """How a material is shown: what shines on it, and from where it is seen."""

    lamp: Lamp = field(default_factory=Lamp)
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
    """Draws one material on any stage; what does not depend on the stage is kept."""

    def __init__(self, maps: MaterialMaps, environment: Environment | None = None) -> None:
        self.maps = maps
        self.environment = environment
        """The surroundings of kind "file"."""
        self._coarser = {maps.size: maps}

    @torch.inference_mode()
    def ball(self, stage: Stage, side: int, *, samples: int = 2) -> Float[Tensor, "side side 3"]:
        """A picture of a ball of the material before a grey backdrop."""
        camera = sphere_camera(side, stage.turn, BALL_ELEVATION_DEGREES)
        # What shines turns with the camera: it is the ball that is seen to turn.
        axes = camera.pose()[:3, :3]
        x, y, z = (axes @ torch.tensor(stage.lamp.direction)).tolist()
        lights = [_lamp((x, y, z), BALL_LAMP_DISTANCE * RADIUS, stage.lamp.strength)]
        radiance = render_sphere(
            self._maps_for(side / stage.repeats),
            [*lights, *self._surroundings(stage, stage.turn)],
            side,
            camera=camera,
            repeats=(round(2 * stage.repeats), stage.repeats),
            samples=samples,
        )
        rows, columns = (torch.arange(side) + 0.5 - side / 2).expand(side, side).T, torch.arange(side) + 0.5 - side / 2
        distance = torch.hypot(rows, columns) / side
        beside = ((distance - FILLING / 2) * side + 0.5).clamp(0, 1)
        backdrop = BACKDROP[0] + (BACKDROP[1] - BACKDROP[0]) * (distance * 2**0.5).clamp(max=1)
        return to_picture(radiance, stage.exposure) + (beside * backdrop)[..., None]

    @torch.inference_mode()
    def plane(self, stage: Stage, side: int, *, samples: int = 2) -> Float[Tensor, "side side 3"]:
        """A picture of the material lying flat, lit and seen as the stage says; `samples`² rays a pixel."""
        width = stage.repeats * TILE_SIDE
        radius = width / 2 / math.tan(math.radians(PLANE_FOV_DEGREES) / 2)
        camera = PlaneCamera.orbit(
            stage.turn, stage.tilt, radius, fov_degrees=PLANE_FOV_DEGREES, width=side, height=side
        )
        right, up, towards = stage.lamp.direction
        turn = math.radians(stage.turn)
        # The lamp stands where the picture shows it, however the plane is turned.
        direction = (
            right * math.cos(turn) - up * math.sin(turn),
            right * math.sin(turn) + up * math.cos(turn),
            towards,
        )
        lights = [_lamp(direction, LAMP_DISTANCE * width, stage.lamp.strength), *self._surroundings(stage, stage.turn)]
        radiance = render_plane(self._maps_for(side / stage.repeats), camera, lights, samples=samples)
        return to_picture(radiance, stage.exposure)

    def _surroundings(self, stage: Stage, turn: Number) -> list[LightSource]:
        """What shines from everywhere, turned by so many degrees."""
        asked = stage.surroundings
        if asked.kind == "none" or not asked.strength:
            return []
        environment = self.environment if asked.kind == "file" else _environment(asked.kind)
        return [] if environment is None else [environment.turned(asked.rotation + turn, asked.strength)]

    def _maps_for(self, pixels: Number) -> MaterialMaps:
        """The maps with no more than twice as many texels as a tile has `pixels`: shrinking them once is enough."""
        height, width = self.maps.size
        while min(height, width) >= 4 * pixels and min(height, width) >= 16:
            height, width = height // 2, width // 2
        if (height, width) not in self._coarser:
            self._coarser[height, width] = self.maps.resize((height, width))
        return self._coarser[height, width]


def _lamp(direction: tuple[Number, Number, Number], distance: Number, strength: Number) -> PointLight:
    """So strong that white chalk at `distance` that faces it is as bright as `strength`."""
    x, y, z = (distance * axis for axis in direction)
    intensity = strength * math.pi * distance**2
    return PointLight((x, y, z), (intensity, intensity, intensity))


@cache
def _environment(kind: str) -> Environment:
    """Made once: its filtered maps take about a second."""
    return procedural_environment(kind, ENVIRONMENT_SEEDS[kind])
