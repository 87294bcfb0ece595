"""What share of the light from one direction a surface sends into another: Cook–Torrance over a diffuse base.

A dielectric of f0 = 0.04 over a coloured base, a metal whose f0 is its colour, and anything between as the blend of
both. Every tensor is a field (*b, C, H, W) in linear light; `microfacet` says what n, l, v and h are.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from easel.graphics.color import srgb_to_linear
from easel.materials.rendering.microfacet import SMALLEST_COSINE, alpha_of, distribution, schlick, visibility
from easel.materials.rendering.split_sum import mean_albedo, split_sum
from easel.materials.rendering.vectors import dot, length

DIELECTRIC_F0 = 0.04
"""What glass, plastic, wood and stone reflect at normal incidence: an index of refraction of 1.5."""


@dataclass(frozen=True)
class Brdf:
    """Which terms of the model are used."""

    diffuse: str = "conserving"
    """The base's term. "conserving" is reciprocal and never reflects more than came; "gltf" is that of glTF 2.0's
    appendix B, to match viewers: with the highlight it reflects up to 1.6 times the light at grazing angles.
    """
    smith: str = "correlated"
    """Masking and shadowing: "correlated" or "separable"."""
    multiple_scattering: bool = False
    """Give back what rough mirrors lose between their facets, for the correlated term. Kulla and Conty 2017."""

    def __post_init__(self) -> None:
        for name, known in (("diffuse", ("conserving", "gltf")), ("smith", ("correlated", "separable"))):
            if getattr(self, name) not in known:
                raise ValueError(f"Brdf.{name} is {known[0]!r} or {known[1]!r}; got {getattr(self, name)!r}.")


STANDARD = Brdf()


@dataclass(frozen=True, eq=False)
class Surface:
    """What light meets at every texel."""

    albedo: Float[Tensor, "*b 3 h w"]
    """Linear."""
    roughness: Float[Tensor, "*b 1 h w"]
    """Perceptual."""
    metallic: Float[Tensor, "*b 1 h w"]
    normal: Float[Tensor, "*b 3 h w"]
    """In world axes, of length 1."""

    @staticmethod
    def of(maps: Mapping[str, Tensor]) -> "Surface":
        """The surface of maps that lie in the plane z = 0, where tangent space is the world's."""
        return Surface(srgb_to_linear(maps["albedo"]), maps["roughness"], maps["metallic"], maps["normal"])

    @property
    def f0(self) -> Float[Tensor, "*b 3 h w"]:
        """The reflectance at normal incidence."""
        return torch.lerp(torch.full_like(self.albedo, DIELECTRIC_F0), self.albedo, self.metallic)


def reflectance(
    surface: Surface,
    to_light: Float[Tensor, "*#b 3 #h #w"],
    to_camera: Float[Tensor, "*#b 3 #h #w"],
    brdf: Brdf = STANDARD,
) -> tuple[Float[Tensor, "*b 3 h w"], Float[Tensor, "*b 3 h w"]]:
    """The diffuse and the specular part, per steradian, for directions of length 1 above the surface."""
    n_dot_l = dot(surface.normal, to_light).clamp(min=SMALLEST_COSINE)
    n_dot_v = dot(surface.normal, to_camera).clamp(min=SMALLEST_COSINE)
    both = to_light + to_camera
    span = length(both)
    v_dot_h = span / 2
    # |n - h|² = 2 (1 - n·h), exact at the peak where n·h rounds to 1; sin² = (1 - n·h)(1 + n·h)
    apart = (surface.normal - both / span).square().sum(dim=-3, keepdim=True)
    sine_squared = apart * (1 - apart / 4)

    f0 = surface.f0
    alpha_squared = alpha_of(surface.roughness).square()
    facets = distribution(sine_squared, alpha_squared) * visibility(n_dot_l, n_dot_v, alpha_squared, brdf.smith)
    half_fresnel = schlick(v_dot_h)
    # Cook and Torrance 1982, in the normalization of Walter et al. 2007, Eq. 20
    specular = facets * (half_fresnel + (1 - half_fresnel) * f0)
    if brdf.multiple_scattering:
        specular = specular + _between_facets(surface.roughness, f0, n_dot_l, n_dot_v)

    base = surface.albedo * ((1 - surface.metallic) * ((1 - DIELECTRIC_F0) / math.pi))
    if brdf.diffuse == "gltf":
        return base * (1 - half_fresnel), specular
    # What passes the dielectric on the way in and on the way out; (1 - f0)² (1 - s(l)) (1 - s(v))
    passing = (1 - schlick(n_dot_l)) * (1 - schlick(n_dot_v)) * (1 - DIELECTRIC_F0)
    return base * passing, specular


def _between_facets(
    roughness: Float[Tensor, "*#b 1 #h #w"],
    f0: Float[Tensor, "*#b 3 #h #w"],
    n_dot_l: Float[Tensor, "*#b 1 #h #w"],
    n_dot_v: Float[Tensor, "*#b 1 #h #w"],
) -> Float[Tensor, "*b 3 h w"]:
    """Light that left a rough mirror after several bounces. Kulla and Conty 2017."""
    lost_l, lost_v = (1 - directional_albedo(cosine, roughness) for cosine in (n_dot_l, n_dot_v))
    mean = mean_albedo(roughness)
    # A mirror as smooth as the table resolves loses nothing; 1e-4 keeps 0 / 0 away
    return bounces(f0, mean) * (lost_l * lost_v / (math.pi * (1 - mean).clamp(min=1e-4)))


def directional_albedo(
    cosine: Float[Tensor, "*#b 1 #h #w"], roughness: Float[Tensor, "*#b 1 #h #w"]
) -> Float[Tensor, "*b 1 h w"]:
    """The share of a white sky that a rough mirror of f0 = 1 sends into one direction."""
    scale, bias = split_sum(*torch.broadcast_tensors(cosine, roughness))
    return scale + bias


def bounces(f0: Float[Tensor, "*#b 3 #h #w"], mean: Float[Tensor, "*#b 1 #h #w"]) -> Float[Tensor, "*b 3 h w"]:
    """How all bounces after the first colour the light, for facets that lose `1 - mean` of it at each."""
    fresnel = f0 + (1 - f0) / 21
    return fresnel.square() * mean / (1 - fresnel * (1 - mean))
