"""GGX mirrors of many facets, and the share of an even light that they reflect.

Symbols, all at a point of the surface and all unit vectors: n the normal, l towards the light, v towards the camera,
h = (l + v) / |l + v| halfway between them. μ is a cosine such as n·v.

    α = roughness²                     Burley 2012, "Physically based shading at Disney", section 5.4
    D(h) = α² / (π (n·h² (α² - 1) + 1)²)   Walter et al. 2007, "Microfacet models for refraction", Eq. 33
    V(l, v) = G(l, v) / (4 n·l n·v)    Heitz 2014, "Understanding the masking-shadowing function", Eqs. 98 and 99
    F(v, h) = f0 + (1 - f0) (1 - v·h)⁵ Schlick 1994, "An inexpensive BRDF model", Eq. 15

The split-sum approximation (Karis 2013, "Real shading in Unreal Engine 4") needs their integral under an even light:
∫ D V F n·l dl = f0 · A(n·v, roughness) + B(n·v, roughness). A and B are integrated here with the same D and the same
correlated G as `brdf`; Karis' k = α / 2 is Schlick's approximation of that G. An even environment and the sum of many
small lights then agree.
"""

import math
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

SMALLEST_ROUGHNESS = 0.045
"""Below it the highlight is narrower than float32 resolves; smoother surfaces are shaded as this one."""

SMALLEST_COSINE = 1e-4
"""Lower bound of the cosines in denominators."""

_SIZE = 32
"""Nodes of the table of A and B along each axis."""
_RADII = 64
"""Strata of the integration over facets, from the direction that sees most of them outwards."""
_ANGLES = 16
"""Strata around it; the angles are those of one side, the other is its mirror image."""


def alpha_of(roughness: Tensor) -> Tensor:
    """Return α, the width of GGX, of a perceptual roughness."""
    return roughness.clamp(min=SMALLEST_ROUGHNESS).square()


def distribution(sine_squared: Tensor, alpha_squared: Tensor) -> Tensor:
    """Return D, the density of facets at an angle to the normal whose sine squared is given. Walter et al., Eq. 33."""
    # cos²·α² + sin²: Eq. 33's cos⁴ (α² + tan²)². It takes the sine, because 1 - cos² has no digits left at the peak,
    # where it is as small as α⁴.
    width = torch.lerp(alpha_squared, torch.ones_like(alpha_squared), sine_squared)
    return alpha_squared / (math.pi * width.square())


def visibility(n_dot_l: Tensor, n_dot_v: Tensor, alpha_squared: Tensor, smith: str = "correlated") -> Tensor:
    """Return V = G / (4 n·l n·v), Smith's masking and shadowing, for cosines above 0.

    "correlated" is Heitz, Eq. 99: high facets are both lit and seen; "separable" his Eq. 98, G = G1(l) G1(v).
    """
    l_root = _smith_root(n_dot_l, alpha_squared)
    v_root = _smith_root(n_dot_v, alpha_squared)
    if smith == "separable":
        return 1 / ((n_dot_l + l_root) * (n_dot_v + v_root))
    return 0.5 / (n_dot_l * v_root + n_dot_v * l_root)


def _smith_root(cosine: Tensor, alpha_squared: Tensor) -> Tensor:
    """Return √(α² + (1 - α²) μ²), with which G1 = 2μ / (μ + root). Walter et al., Eq. 34."""
    return (alpha_squared + (1 - alpha_squared) * cosine.square()).sqrt()


def schlick(cosine: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Return (1 - μ)⁵, the weight of white in F = f0 + (1 - f0) (1 - μ)⁵. Schlick, Eq. 15."""
    rest = (1 - cosine).clamp(0, 1)
    squared = rest.square()
    return squared.square() * rest


def split_sum(
    n_dot_v: Float[Tensor, "*b 1 h w"], roughness: Float[Tensor, "*b 1 h w"]
) -> tuple[Float[Tensor, "*b 1 h w"], Float[Tensor, "*b 1 h w"]]:
    """Return A and B of every texel: under an even light of 1 it reflects f0 · A + B towards the camera."""
    # sqrt: the table changes fastest where a surface is seen at a grazing angle
    place = torch.cat([n_dot_v.clamp(min=SMALLEST_COSINE).sqrt(), roughness], dim=-3)
    grid = (2 * place - 1).movedim(-3, -1).reshape(1, 1, -1, 2)
    table = _table().to(n_dot_v)[None]
    values = torch.nn.functional.grid_sample(table, grid, align_corners=True, padding_mode="border")[0, :, 0]
    scale, bias = values.reshape(2, *place.shape[:-3], 1, *place.shape[-2:])
    return scale, bias


def mean_albedo(roughness: Float[Tensor, "*b 1 h w"]) -> Float[Tensor, "*b 1 h w"]:
    """Return the share of a white sky that a mirror of f0 = 1 reflects in all directions together: 2 ∫ E(μ) μ dμ.

    E = A + B is the share that goes into one direction. Kulla and Conty 2017, "Revisiting physically based shading at
    Imageworks", calls it E_avg.
    """
    table = _table().sum(dim=0)
    # With μ = x², whose equal steps the table's columns are, μ dμ becomes 2 x³ dx
    x = torch.linspace(0, 1, _SIZE)
    weights = x**3
    # The trapezoidal rule counts both ends half; the first weighs 0 anyway
    weights[-1] /= 2
    means = (table @ (weights / weights.sum())).to(roughness)
    place = roughness.clamp(0, 1) * (_SIZE - 1)
    # Detached: the gradient goes through the blend, floor has none
    low = place.detach().floor().clamp(max=_SIZE - 2).long()
    return torch.lerp(means[low], means[low + 1], place - low)


# Kept for later calls, which may need gradients whatever the first one needed
@lru_cache(maxsize=1)
@torch.inference_mode(False)
def _table() -> Float[Tensor, "2 roughness cosine"]:
    """Integrate A and B at the nodes: rows of roughness from 0 to 1, columns of √(n·v) from 0 to 1."""
    nodes = torch.linspace(0, 1, _SIZE, dtype=torch.float64)
    return integrate(nodes[None, :].square().clamp(min=SMALLEST_COSINE), nodes[:, None]).float()


def integrate(n_dot_v: Float[Tensor, "*#b"], roughness: Float[Tensor, "*#b"]) -> Float[Tensor, "2 *b"]:
    """Integrate A and B over the facets that are seen, each of which then weighs G2 / G1 only.

    Heitz 2018, "Sampling the GGX distribution of visible normals".
    """
    strata = (torch.arange(_RADII, dtype=n_dot_v.dtype) + 0.5) / _RADII
    # Few facets are far from the rest, and those decide what is lost: more strata out there, each of less weight
    u = (1 - (1 - strata) ** 3).repeat_interleave(_ANGLES)
    share = (3 * (1 - strata) ** 2 / (_RADII * _ANGLES)).repeat_interleave(_ANGLES)
    w = ((torch.arange(_ANGLES, dtype=n_dot_v.dtype) + 0.5) / (2 * _ANGLES) - 0.25).repeat(_RADII)
    n_dot_v = n_dot_v[..., None]
    alpha = alpha_of(roughness)[..., None]
    # Isotropic: v may lie in the x-z plane
    v_x = (1 - n_dot_v.square()).clamp(min=0).sqrt()
    v_z = n_dot_v

    # Stretch v by α, which makes a hemisphere of the facets; pick a point of the two half disks that it sees projected
    scale = torch.rsqrt((alpha * v_x).square() + v_z.square())
    s_x = alpha * v_x * scale
    s_z = v_z * scale
    radius = u.sqrt()
    angle = 2 * math.pi * w
    side = radius * angle.cos()
    blend = (1 + s_z) / 2
    across = (1 - blend) * (1 - side.square()).sqrt() + blend * (radius * angle.sin())
    along = (1 - side.square() - across.square()).clamp(min=0).sqrt()
    # The frame's axes for v in the x-z plane: side along y, across along (-s_z, 0, s_x); then unstretched
    h_x = alpha * (along * s_x - across * s_z)
    h_y = alpha * side
    h_z = (along * s_z + across * s_x).clamp(min=1e-9)
    norm = torch.rsqrt(h_x.square() + h_y.square() + h_z.square())
    v_dot_h = ((v_x * h_x + v_z * h_z) * norm).clamp(0, 1)
    # l = 2 (v·h) h - v
    n_dot_l = 2 * v_dot_h * h_z * norm - v_z

    alpha_squared = alpha.square()
    lit = n_dot_l.clamp(min=SMALLEST_COSINE)
    root = _smith_root(n_dot_v, alpha_squared)
    # G2 / G1(v) = 4 (n·l) (n·v) V / (2 n·v / (n·v + root))
    weight = 2 * lit * (n_dot_v + root) * visibility(lit, n_dot_v, alpha_squared) * (n_dot_l > 0)
    fresnel = schlick(v_dot_h)
    weight = weight * share / share.sum()
    return torch.stack([(weight * (1 - fresnel)).sum(dim=-1), (weight * fresnel).sum(dim=-1)])
