"""Light from everywhere: a picture of all directions around the material."""

import math
import os
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from easel.graphics.files import FileError
from easel.graphics.image import imread, resize
from easel.materials.rendering.brdf import DIELECTRIC_F0, Brdf, Surface, bounces
from easel.materials.rendering.directions import sample_equirectangular, to_octahedron
from easel.materials.rendering.lights import Light
from easel.materials.rendering.microfacet import SMALLEST_COSINE, schlick
from easel.materials.rendering.prefilter import LEVELS, mirror, prefilter
from easel.materials.rendering.split_sum import mean_albedo, split_sum
from easel.materials.rendering.vectors import Number, dot

LARGEST_ROWS = 512
"""Environment files with more rows are brought down to these."""

BRIGHTEST = 1e6
"""Radiance beyond it, which only a damaged file has, is cut."""


@dataclass(frozen=True, eq=False)
class Environment(Light):
    """What shines from infinitely far away in every direction."""

    radiance: Float[Tensor, "h w 3"]
    """Equirectangular, twice as wide as high, linear; `directions` says which way it lies."""
    rotation_degrees: Number = 0.0
    """Turns it counter-clockwise as seen from the zenith."""
    strength: Number = 1.0
    source: str | None = None
    """The file it came from, or "kind:seed" of `procedural_environment`: how to make it again."""

    def __post_init__(self) -> None:
        height, width = self.radiance.shape[:2]
        if width != 2 * height or height < 2:
            raise ValueError(
                f"an environment is a picture twice as wide as high; got {height} x {width} pixels. Resize it."
            )

    @staticmethod
    def load(path: str | os.PathLike[str], *, rotation_degrees: Number = 0.0, strength: Number = 1.0) -> "Environment":
        """Read an equirectangular `.hdr` or `.exr` file; `FileError` says what is wrong with it."""
        picture = imread(path, channels=3, device="cpu")
        height, width = picture.shape[:2]
        # Some files repeat a column or lack a row
        if abs(width / height - 2) > 0.02 or height < 2:
            raise FileError(
                f"{os.fspath(path)!r} has {height} x {width} pixels: an environment is equirectangular, twice as wide "
                "as high."
            )
        rows = min(height, LARGEST_ROWS)
        radiance = resize(picture.nan_to_num(nan=0.0).clamp(0, BRIGHTEST), (rows, 2 * rows))
        return Environment(radiance, rotation_degrees, strength, os.fspath(path))

    def turned(self, rotation_degrees: Number, strength: Number) -> "Environment":
        """The same turned and dimmed otherwise, without filtering it again."""
        other = replace(self, rotation_degrees=rotation_degrees, strength=strength)
        for name in ("_filtered", "_mirror"):
            if name in vars(self):
                object.__setattr__(other, name, vars(self)[name])
        return other

    def seen(self, directions: Float[Tensor, "3 h w"]) -> Float[Tensor, "3 h w"]:
        """The radiance from those directions, of length 1: a background."""
        return self.strength * sample_equirectangular(self.radiance[None].to(directions), self._turn(directions))[0]

    def reflected(
        self,
        surface: Surface,
        positions: Float[Tensor, "*#b 3 #h #w"],
        to_camera: Float[Tensor, "*#b 3 #h #w"],
        brdf: Brdf,
    ) -> tuple[Float[Tensor, "*b 3 h w"], Float[Tensor, "*b 3 h w"]]:
        irradiance_map, rough_maps = self._filtered
        n_dot_v = dot(surface.normal, to_camera)
        reflection = self._turn(2 * n_dot_v * surface.normal - to_camera)
        n_dot_v = n_dot_v.clamp(min=SMALLEST_COSINE)
        received = self._look(irradiance_map, self._turn(surface.normal)) / math.pi

        roughness = surface.roughness.expand_as(n_dot_v).clamp(0, 1)
        scale, bias = split_sum(n_dot_v, roughness)
        f0 = surface.f0
        level = roughness * LEVELS
        mirrored = self._look(self._mirror, reflection)
        rough = self._look(rough_maps, reflection, (2 * (level - 1) / (LEVELS - 1) - 1))
        specular = torch.lerp(mirrored, rough, level.clamp(max=1)) * (f0 * scale + bias)
        if brdf.multiple_scattering:
            # brdf's term under even light: the part of it that depends on the light integrates to 1 - mean
            specular = specular + received * bounces(f0, mean_albedo(roughness)) * (1 - scale - bias)

        if brdf.diffuse == "gltf":
            passing = 1 - (DIELECTRIC_F0 * scale + bias)
        else:
            # 20/21 = 1 - 2 ∫ (1 - μ)⁵ μ dμ: what passes on the way in, in the mean over the sky
            passing = (1 - DIELECTRIC_F0) ** 2 * (20 / 21) * (1 - schlick(n_dot_v))
        return received * surface.albedo * ((1 - surface.metallic) * passing), specular

    # Kept for later calls, which may need gradients whatever the first one needed

    @cached_property
    @torch.inference_mode(False)
    def _filtered(self) -> tuple[Tensor, Tensor]:
        return prefilter(self.radiance)

    @cached_property
    @torch.inference_mode(False)
    def _mirror(self) -> Tensor:
        return mirror(self.radiance)

    def _turn(self, directions: Float[Tensor, "*b 3 h w"]) -> Float[Tensor, "*b 3 h w"]:
        """World directions in the axes of the picture."""
        if self.rotation_degrees == 0:
            return directions
        cos, sin = math.cos(math.radians(self.rotation_degrees)), math.sin(math.radians(self.rotation_degrees))
        x, y, z = directions.unbind(-3)
        return torch.stack([cos * x + sin * y, cos * y - sin * x, z], dim=-3)

    def _look(
        self,
        maps: Tensor,
        directions: Float[Tensor, "*b 3 h w"],
        depth: Float[Tensor, "*b 1 h w"] | None = None,
    ) -> Float[Tensor, "*b 3 h w"]:
        """Octahedral maps (1, 3, n, n), or (1, 3, levels, n, n) and a level in [-1,1], in those directions."""
        place = to_octahedron(directions)
        if depth is not None:
            place = torch.cat([place, depth], dim=-3)
        parts = place.shape[-3]
        grid = place.movedim(-3, -1).reshape(1, *[1] * (parts - 1), -1, parts)
        values = torch.nn.functional.grid_sample(
            maps.to(directions), grid, align_corners=True, padding_mode="border"
        ).reshape(3, *directions.shape[:-3], *directions.shape[-2:])
        return self.strength * values.movedim(0, -3)
