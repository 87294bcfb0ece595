"""Cook–Torrance over a diffuse base: the share of the light from one direction that a surface sends into another.

A dielectric of f0 = 0.04 over a coloured base, a metal whose f0 is its colour, and anything between as the blend of
both ("metallic workflow", Burley 2012). With the symbols and the D, V and F of `microfacet`:

    f(l, v) = (1 - metallic) · albedo / π · (what passes the dielectric) + D V F
    f0      = (1 - metallic) · 0.04 + metallic · albedo

Every tensor is a field (*b, C, H, W) in linear light.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from easel.graphics.color import srgb_to_linear
from easel.materials.rendering import microfacet
from easel.materials.rendering.vectors import Scalars, Vectors, dot, length

Parts = tuple[Float[Tensor, "*b 3 h w"], Float[Tensor, "*b 3 h w"]]
"""Diffuse and specular: of the base, and of the mirror upon it."""

DIELECTRIC_F0 = 0.04
"""Reflectance of glass, plastic, wood and stone at normal incidence: ((n - 1) / (n + 1))² of an index n = 1.5."""


@dataclass(frozen=True)
class Brdf:
    """Choice of the model's terms.

    >>> shade(maps, positions, to_camera, lights, brdf=Brdf(diffuse="gltf", smith="separable"))
    """

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
"""The terms that every renderer here takes by default."""


@dataclass(frozen=True, eq=False)
class Surface:
    """Parameters of the model at every texel."""

    albedo: Float[Tensor, "*b 3 h w"]
    """Linear, in [0,1]."""
    roughness: Float[Tensor, "*b 1 h w"]
    """Perceptual, in [0,1]."""
    metallic: Float[Tensor, "*b 1 h w"]
    """0 for dielectrics, 1 for metals."""
    normal: Float[Tensor, "*b 3 h w"]
    """In world axes, of length 1."""

    @staticmethod
    def of(maps: Mapping[str, Tensor]) -> "Surface":
        """Return the surface of maps that lie in the plane z = 0, where tangent space is the world's."""
        return Surface(srgb_to_linear(maps["albedo"]), maps["roughness"], maps["metallic"], maps["normal"])

    def join(self) -> Float[Tensor, "*b c h w"]:
        """Return all parameters in one tensor, in the order of their fields. Inverse of `split`."""
        return torch.cat([self.albedo, self.roughness, self.metallic, self.normal], dim=-3)

    @staticmethod
    def split(channels: Float[Tensor, "*b c h w"]) -> "Surface":
        """Return the surface of such a tensor; views of it."""
        return Surface(*channels.split((3, 1, 1, 3), dim=-3))

    @property
    def f0(self) -> Float[Tensor, "*b 3 h w"]:
        """Reflectance at normal incidence."""
        return torch.lerp(torch.full_like(self.albedo, DIELECTRIC_F0), self.albedo, self.metallic)


def reflectance(surface: Surface, to_light: Vectors, to_camera: Vectors, brdf: Brdf = STANDARD) -> Parts:
    """Return the diffuse and the specular part of f(l, v), per steradian.

    Both directions are of length 1. n·l is not multiplied in: `Lamp.reflected` does that.
    """
    n_dot_l = dot(surface.normal, to_light).clamp(min=microfacet.SMALLEST_COSINE)
    n_dot_v = dot(surface.normal, to_camera).clamp(min=microfacet.SMALLEST_COSINE)
    both = to_light + to_camera
    span = length(both)
    # l and v are unit vectors, so that |l + v| = 2 v·h
    v_dot_h = span / 2
    # |n - h|² = 2 (1 - n·h), exact at the peak where n·h rounds to 1; sin² = (1 - n·h)(1 + n·h)
    apart = (surface.normal - both / span).square().sum(dim=-3, keepdim=True)
    sine_squared = apart * (1 - apart / 4)

    f0 = surface.f0
    alpha_squared = microfacet.alpha_of(surface.roughness).square()
    visible = microfacet.visibility(n_dot_l, n_dot_v, alpha_squared, brdf.smith)
    facets = microfacet.distribution(sine_squared, alpha_squared) * visible
    half_fresnel = microfacet.schlick(v_dot_h)
    # Cook and Torrance 1982, in the normalization of Walter et al. 2007, Eq. 20
    specular = facets * (half_fresnel + (1 - half_fresnel) * f0)
    if brdf.multiple_scattering:
        specular = specular + _between_facets(surface.roughness, f0, n_dot_l, n_dot_v)

    base = surface.albedo * ((1 - surface.metallic) * ((1 - DIELECTRIC_F0) / math.pi))
    if brdf.diffuse == "gltf":
        return base * (1 - half_fresnel), specular
    # What passes the dielectric on the way in and on the way out, (1 - f0)² (1 - s(l)) (1 - s(v)): symmetric in l and
    # v, hence reciprocal. One factor 1 - f0 is in `base`.
    passing = (1 - microfacet.schlick(n_dot_l)) * (1 - microfacet.schlick(n_dot_v)) * (1 - DIELECTRIC_F0)
    return base * passing, specular


def _between_facets(roughness: Scalars, f0: Vectors, n_dot_l: Scalars, n_dot_v: Scalars) -> Float[Tensor, "*b 3 h w"]:
    """Return the lobe of light that left a rough mirror after several bounces. Kulla and Conty 2017."""
    lost_l, lost_v = (1 - directional_albedo(cosine, roughness) for cosine in (n_dot_l, n_dot_v))
    mean = microfacet.mean_albedo(roughness)
    # A mirror as smooth as the table resolves loses nothing; 1e-4 keeps 0 / 0 away
    return bounces(f0, mean) * (lost_l * lost_v / (math.pi * (1 - mean).clamp(min=1e-4)))


def directional_albedo(cosine: Scalars, roughness: Scalars) -> Float[Tensor, "*b 1 h w"]:
    """Return E(μ): the share of a white sky that a rough mirror of f0 = 1 sends into one direction."""
    scale, bias = microfacet.split_sum(*torch.broadcast_tensors(cosine, roughness))
    return scale + bias


def bounces(f0: Vectors, mean: Scalars) -> Float[Tensor, "*b 3 h w"]:
    """Return the colour of all bounces after the first, for facets that lose `1 - mean` of the light at each.

    A geometric series: F_avg² E_avg / (1 - F_avg (1 - E_avg)). Kulla and Conty 2017.
    """
    # The mean of Schlick's F over the hemisphere, 2 ∫ F μ dμ, is f0 + (1 - f0) / 21
    fresnel = f0 + (1 - f0) / 21
    return fresnel.square() * mean / (1 - fresnel * (1 - mean))
