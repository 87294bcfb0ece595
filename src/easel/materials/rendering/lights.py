"""Light sources that reach a point from one direction. World axes are `plane_camera`'s: the material faces +z.

A lamp's irradiance E is that of a surface that faces it; a surface reflects f(l, v) · E · n·l towards the camera, for
each of red, green and blue. Units are free, but the same for all lights: a white sheet under E = π has radiance 1.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from easel.materials.rendering.brdf import Brdf, Parts, Surface, reflectance
from easel.materials.rendering.vectors import Vector, Vectors, column, dot, length, normalize

_NEAREST = 1e-3
"""Smallest distance in world units of a point light from what it lights: the inverse square has a pole at 0."""


class LightSource(ABC):
    """Something that shines; its vectors may be tensors (*b, 3) that fit the leading axes of a batch."""

    @abstractmethod
    def reflected(self, surface: Surface, positions: Vectors, to_camera: Vectors, brdf: Brdf) -> Parts:
        """Return the diffuse and the specular radiance of the surface in the camera's direction."""


class Lamp(LightSource):
    """A light that reaches every point from one direction alone."""

    @abstractmethod
    def arriving(self, positions: Vectors) -> tuple[Vectors, Vectors]:
        """Return l, the direction of length 1 towards it, and E, the irradiance of a surface that faces it there."""

    def reflected(self, surface: Surface, positions: Vectors, to_camera: Vectors, brdf: Brdf) -> Parts:
        to_light, irradiance = self.arriving(positions)
        diffuse, specular = reflectance(surface, to_light, to_camera, brdf)
        # Light from behind the surface leaves it dark
        received = irradiance * dot(surface.normal, to_light).clamp(min=0)
        return diffuse * received, specular * received


@dataclass(frozen=True)
class PointLight(Lamp):
    """A small lamp, whose irradiance falls with the square of the distance.

    >>> PointLight(position=(0.0, 0.3, 0.5), intensity=(3.0, 3.0, 3.0))
    """

    position: Vector
    """World coordinates."""
    intensity: Vector
    """Radiant intensity in red, green and blue: the irradiance at a distance of 1."""

    def arriving(self, positions: Vectors) -> tuple[Vectors, Vectors]:
        away = column(self.position, positions) - positions
        distance = length(away).clamp(min=_NEAREST)
        return away / distance, column(self.intensity, positions) / distance.square()


@dataclass(frozen=True)
class DirectionalLight(Lamp):
    """A lamp so far away that its light is parallel, as the sun's.

    >>> DirectionalLight(direction=(1.0, 0.0, 1.0), irradiance=(3.0, 2.9, 2.7))
    """

    direction: Vector
    """Towards the light; any length but 0."""
    irradiance: Vector
    """Irradiance of a surface that faces it, in red, green and blue."""

    def arriving(self, positions: Vectors) -> tuple[Vectors, Vectors]:
        return normalize(column(self.direction, positions)), column(self.irradiance, positions)
