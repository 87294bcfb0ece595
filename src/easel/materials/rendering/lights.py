"""What a surface is lit by. World axes are `plane_camera`'s: the material lies in z = 0 and faces +z."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from easel.materials.rendering.brdf import Brdf, Surface, reflectance
from easel.materials.rendering.vectors import Vector, column, dot, length, normalize

_NEAREST = 1e-3
"""World units that a point light keeps from what it lights."""


class Light(ABC):
    """Something that shines; its vectors may be tensors (*b, 3) that fit the leading axes of a batch."""

    @abstractmethod
    def reflected(
        self,
        surface: Surface,
        positions: Float[Tensor, "*#b 3 #h #w"],
        to_camera: Float[Tensor, "*#b 3 #h #w"],
        brdf: Brdf,
    ) -> tuple[Float[Tensor, "*b 3 h w"], Float[Tensor, "*b 3 h w"]]:
        """The diffuse and the specular radiance of the surface in the camera's direction."""


class Lamp(Light):
    """A light that reaches every point from one direction alone."""

    @abstractmethod
    def arriving(
        self, positions: Float[Tensor, "*#b 3 #h #w"]
    ) -> tuple[Float[Tensor, "*b 3 #h #w"], Float[Tensor, "*b 3 #h #w"]]:
        """The direction of length 1 towards it, and the irradiance of a surface that faces it there."""

    def reflected(
        self,
        surface: Surface,
        positions: Float[Tensor, "*#b 3 #h #w"],
        to_camera: Float[Tensor, "*#b 3 #h #w"],
        brdf: Brdf,
    ) -> tuple[Float[Tensor, "*b 3 h w"], Float[Tensor, "*b 3 h w"]]:
        to_light, irradiance = self.arriving(positions)
        diffuse, specular = reflectance(surface, to_light, to_camera, brdf)
        # Light from behind the surface leaves it dark
        received = irradiance * dot(surface.normal, to_light).clamp(min=0)
        return diffuse * received, specular * received


@dataclass(frozen=True)
class PointLight(Lamp):
    """A small lamp."""

    position: Vector
    """World coordinates."""
    intensity: Vector
    """Radiant intensity in red, green and blue: the irradiance at a distance of 1."""

    def arriving(
        self, positions: Float[Tensor, "*#b 3 #h #w"]
    ) -> tuple[Float[Tensor, "*b 3 #h #w"], Float[Tensor, "*b 3 #h #w"]]:
        away = column(self.position, positions) - positions
        distance = length(away).clamp(min=_NEAREST)
        return away / distance, column(self.intensity, positions) / distance.square()


@dataclass(frozen=True)
class DirectionalLight(Lamp):
    """A lamp so far away that its light is parallel."""

    direction: Vector
    """Towards the light; any length but 0."""
    irradiance: Vector
    """On a surface that faces it, in red, green and blue."""

    def arriving(
        self, positions: Float[Tensor, "*#b 3 #h #w"]
    ) -> tuple[Float[Tensor, "*b 3 #h #w"], Float[Tensor, "*b 3 #h #w"]]:
        return normalize(column(self.direction, positions)), column(self.irradiance, positions)
