"""Image-based lighting: a picture of all directions around the material, filtered for diffuse and rough surfaces.

Karis 2013, "Real shading in Unreal Engine 4", the split-sum approximation: with the symbols of `microfacet`,

    ∫ L(l) f(l, v) n·l dl ≈ albedo · share that passes the dielectric · irradiance(n) / π
                          + prefiltered(2 (n·v) n - v, roughness) · (f0 · A(n·v, roughness) + B(n·v, roughness))

Prefiltered maps show what mirrors of a roughness show that face the camera, n = v = the mirrored direction. Around the
zenith's axis every lobe is the same at all azimuths, so each pair of rows is convolved along the azimuth, by Fourier
transforms: the sum over all pixels is exact, and its weights are few enough to be kept.
"""

import math
import os
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from easel.graphics.files import FileError
from easel.graphics.image import imread, resize
from easel.materials.rendering import microfacet, vectors
from easel.materials.rendering.brdf import DIELECTRIC_F0, Brdf, Parts, Surface, bounces
from easel.materials.rendering.lights import LightSource
from easel.materials.rendering.procedural_radiance import ROWS, procedural_radiance
from easel.materials.rendering.vectors import Number, Vectors, sample_equirectangular

LARGEST_ROWS = 512
"""Environment files with more rows are brought down to these."""

BRIGHTEST = 1e6
"""Radiance beyond it, which only a damaged file has, is cut."""

LEVELS = 6
"""Rough mirrors of the roughnesses 1/6, 2/6 … 1 are prefiltered; at 0 the environment itself is seen."""

FILTER_ROWS = 64
"""The most rows that are convolved: narrower lobes than the first level's cover less than one of them."""


@dataclass(frozen=True, eq=False)
class Environment(LightSource):
    """Surroundings that shine from infinitely far away in every direction.

    >>> Environment.load("studio.hdr", rotation_degrees=90, strength=0.5)
    >>> procedural_environment("sky", 7)
    """

    radiance: Float[Tensor, "h w 3"]
    """Equirectangular, twice as wide as high, linear; `vectors` says which way it lies."""
    rotation_degrees: Number = 0.0
    """Turns it counter-clockwise as seen from the zenith."""
    strength: Number = 1.0
    """Factor of the radiance."""
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
        # On the CPU: an environment goes to the device of whatever it lights, for each lookup
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
        """Return the same surroundings turned and dimmed otherwise, without filtering them again."""
        other = replace(self, rotation_degrees=rotation_degrees, strength=strength)
        # Cached properties live in vars(self); setattr would refuse on a frozen dataclass
        vars(other).update({name: vars(self)[name] for name in ("_filtered", "_mirror") if name in vars(self)})
        return other

    def seen(self, directions: Float[Tensor, "3 h w"]) -> Float[Tensor, "3 h w"]:
        """Return the radiance from those directions, of length 1: a background."""
        return self.strength * sample_equirectangular(self.radiance[None].to(directions), self._turn(directions))[0]

    def reflected(self, surface: Surface, positions: Vectors, to_camera: Vectors, brdf: Brdf) -> Parts:
        irradiance_map, rough_maps = self._filtered
        n_dot_v = vectors.dot(surface.normal, to_camera)
        reflection = self._turn(2 * n_dot_v * surface.normal - to_camera)
        n_dot_v = n_dot_v.clamp(min=microfacet.SMALLEST_COSINE)
        received = self._look_up(irradiance_map, self._turn(surface.normal)) / math.pi

        roughness = surface.roughness.expand_as(n_dot_v).clamp(0, 1)
        scale, bias = microfacet.split_sum(n_dot_v, roughness)
        f0 = surface.f0
        level = roughness * LEVELS
        mirrored = self._look_up(self._mirror, reflection)
        rough = self._look_up(rough_maps, reflection, 2 * (level - 1) / (LEVELS - 1) - 1)
        # Below the first level the mirror and that level are blended
        specular = torch.lerp(mirrored, rough, level.clamp(max=1)) * (f0 * scale + bias)
        if brdf.multiple_scattering:
            # brdf's term under even light: the part of it that depends on the light integrates to 1 - mean
            specular = specular + received * bounces(f0, microfacet.mean_albedo(roughness)) * (1 - scale - bias)

        if brdf.diffuse == "gltf":
            passing = 1 - (DIELECTRIC_F0 * scale + bias)
        else:
            # 20/21 = 1 - 2 ∫ (1 - μ)⁵ μ dμ: what passes on the way in, in the mean over the sky
            passing = (1 - DIELECTRIC_F0) ** 2 * (20 / 21) * (1 - microfacet.schlick(n_dot_v))
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
        """Return world directions in the axes of the picture."""
        if self.rotation_degrees == 0:
            return directions
        angle = math.radians(self.rotation_degrees)
        cos, sin = math.cos(angle), math.sin(angle)
        x, y, z = directions.unbind(-3)
        return torch.stack([cos * x + sin * y, cos * y - sin * x, z], dim=-3)

    def _look_up(
        self, maps: Tensor, directions: Float[Tensor, "*b 3 h w"], depth: Float[Tensor, "*b 1 h w"] | None = None
    ) -> Float[Tensor, "*b 3 h w"]:
        """Sample octahedral maps (1, 3, n, n), or (1, 3, levels, n, n) at a level in [-1,1], in those directions."""
        place = vectors.to_octahedron(directions)
        if depth is not None:
            place = torch.cat([place, depth], dim=-3)
        parts = place.shape[-3]
        grid = place.movedim(-3, -1).reshape(1, *[1] * (parts - 1), -1, parts)
        maps = maps.to(directions)
        values = torch.nn.functional.grid_sample(maps, grid, align_corners=True, padding_mode="border")
        return self.strength * values.reshape(3, *directions.shape[:-3], *directions.shape[-2:]).movedim(0, -3)


def procedural_environment(
    kind: str, seed: int, *, rows: int = ROWS, rotation_degrees: Number = 0.0, strength: Number = 1.0
) -> Environment:
    """Return one of "sky", "softbox", "studio" and "room"; any seed is another one.

    Under each of strength 1 a white sheet that lies flat has a mean radiance of 1. `rows` are pixels from zenith to
    nadir. ValueError for an unknown kind and for a seed outside [0, 2^63).
    """
    return Environment(procedural_radiance(kind, seed, rows), rotation_degrees, strength, f"{kind}:{seed}")


def prefilter(radiance: Float[Tensor, "h w 3"]) -> tuple[Float[Tensor, "1 3 n n"], Float[Tensor, "1 3 levels n n"]]:
    """Return octahedral maps of the irradiance and of what mirrors of each roughness show that face the camera."""
    rows = min(radiance.shape[0], FILTER_ROWS)
    planes = torch.nn.functional.adaptive_avg_pool2d(radiance.permute(2, 0, 1), (rows, 2 * rows))
    small = planes.permute(1, 2, 0)
    spectrum = torch.fft.rfft(small, dim=1)
    lobes = _lobes(rows).to(radiance.device)
    filtered = torch.fft.irfft(torch.einsum("koif,ifc->kofc", lobes, spectrum), n=2 * rows, dim=2)
    # Rounding may leave a little less than nothing in the dark
    maps = sample_equirectangular(filtered.clamp(min=0), vectors.octahedron(rows + 1).to(radiance.device))
    return maps[:1], maps[1:].transpose(0, 1)[None]


def mirror(radiance: Float[Tensor, "h w 3"]) -> Float[Tensor, "1 3 n n"]:
    """Return the octahedral map of the environment itself, as a perfect mirror shows it."""
    nodes = vectors.octahedron(2 * radiance.shape[0] + 1)
    return sample_equirectangular(radiance[None], nodes.to(radiance.device))


@lru_cache(maxsize=2)
def _lobes(rows: int) -> Complex[Tensor, "lobes rows rows frequencies"]:
    """Return for each lobe the weight of every pixel of a row, seen from the first pixel of another; transformed."""
    directions = vectors.equirectangular(rows)
    cosine = torch.einsum("co,ciw->oiw", directions[:, :, 0], directions).clamp(-1, 1)
    polar = (torch.arange(rows) + 0.5) / rows * math.pi
    solid_angle = (polar.sin() * (math.pi / rows) * (2 * math.sin(math.pi / rows / 2)))[None, :, None]
    lit = cosine.clamp(min=0) * solid_angle
    # The halfway direction between a mirror's axis and a pixel: sin² of half the angle between them
    sine_squared = (1 - cosine) / 2
    weights = [lit]
    for level in range(1, LEVELS + 1):
        alpha_squared = microfacet.alpha_of(torch.tensor(level / LEVELS)).square()
        # Of light from there, a mirror that is seen along its normal reflects D (n·l) / 4, up to its own albedo
        weight = lit * microfacet.distribution(sine_squared, alpha_squared)
        weights.append(weight / weight.sum(dim=(1, 2), keepdim=True))
    return torch.fft.rfft(torch.stack(weights), dim=-1)
