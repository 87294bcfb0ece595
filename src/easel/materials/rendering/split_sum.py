"""How much of an even light a rough mirror reflects: the table of the split-sum approximation. Karis 2013.

The share of a white sky that comes back at the angle v is f0·A(n·v, roughness) + B(n·v, roughness). Both are integrated
with the same distribution and the same correlated Smith term as `brdf`, of which Karis' k = alpha / 2 is Schlick's
approximation: an even environment and the sum of many small lights then agree.
"""

import math
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from easel.materials.rendering.microfacet import SMALLEST_COSINE, alpha_of, schlick, visibility

_SIZE = 32
"""Nodes of the table each way."""
_RADII, _ANGLES = 64, 16
"""Strata of the integration; the angles are those of one side, the other is its mirror image."""


def split_sum(
    n_dot_v: Float[Tensor, "*b 1 h w"], roughness: Float[Tensor, "*b 1 h w"]
) -> tuple[Float[Tensor, "*b 1 h w"], Float[Tensor, "*b 1 h w"]]:
    """A and B for every texel."""
    # sqrt: the table changes fastest where a surface is seen at a grazing angle
    place = torch.cat([n_dot_v.clamp(min=SMALLEST_COSINE).sqrt(), roughness], dim=-3)
    grid = (2 * place - 1).movedim(-3, -1).reshape(1, 1, -1, 2)
    table = _table().to(n_dot_v)[None]
    values = torch.nn.functional.grid_sample(table, grid, align_corners=True, padding_mode="border")[0, :, 0]
    scale, bias = values.reshape(2, *place.shape[:-3], 1, *place.shape[-2:])
    return scale, bias


def mean_albedo(roughness: Float[Tensor, "*b 1 h w"]) -> Float[Tensor, "*b 1 h w"]:
    """The share of a white sky that a rough mirror of f0 = 1 reflects in all directions together."""
    table = _table().sum(dim=0)
    # 2 ∫ E(μ) μ dμ with μ = x²: the mean of E over the hemisphere, weighted by the cosine
    x = torch.linspace(0, 1, _SIZE)
    weights = x**3
    weights[-1] /= 2
    means = (table @ (weights / weights.sum())).to(roughness)
    place = roughness.clamp(0, 1) * (_SIZE - 1)
    low = place.detach().floor().clamp(max=_SIZE - 2).long()
    return torch.lerp(means[low], means[low + 1], place - low)


# Kept for later calls, which may need gradients whatever the first one needed
@lru_cache(maxsize=1)
@torch.inference_mode(False)
def _table() -> Float[Tensor, "2 roughness cosine"]:
    """A and B at the nodes: rows of roughness from 0 to 1, columns of sqrt(n·v) from 0 to 1."""
    nodes = torch.linspace(0, 1, _SIZE, dtype=torch.float64)
    return integrate(nodes[None, :].square().clamp(min=SMALLEST_COSINE), nodes[:, None]).float()


def integrate(n_dot_v: Float[Tensor, "*#b"], roughness: Float[Tensor, "*#b"]) -> Float[Tensor, "2 *b"]:
    """A and B by integration over the facets that are seen.

    Heitz 2018, "Sampling the GGX distribution of visible normals": each such facet then weighs G2 / G1 only.
    """
    strata = (torch.arange(_RADII, dtype=n_dot_v.dtype) + 0.5) / _RADII
    # Few facets are far from the rest, and those decide what is lost: more strata out there, each of less weight
    u, share = 1 - (1 - strata) ** 3, 3 * (1 - strata) ** 2 / (_RADII * _ANGLES)
    w = (torch.arange(_ANGLES, dtype=n_dot_v.dtype) + 0.5) / (2 * _ANGLES) - 0.25
    u, share, w = u.repeat_interleave(_ANGLES), share.repeat_interleave(_ANGLES), w.repeat(_RADII)
    n_dot_v, alpha = n_dot_v[..., None], alpha_of(roughness)[..., None]
    v_x, v_z = (1 - n_dot_v.square()).clamp(min=0).sqrt(), n_dot_v

    # For an isotropic surface seen along x: stretch v, pick a point of the two half disks that it sees projected
    scale = torch.rsqrt((alpha * v_x).square() + v_z.square())
    s_x, s_z = alpha * v_x * scale, v_z * scale
    radius, angle = u.sqrt(), 2 * math.pi * w
    side = radius * angle.cos()
    across = radius * angle.sin()
    blend = (1 + s_z) / 2
    across = (1 - blend) * (1 - side.square()).sqrt() + blend * across
    along = (1 - side.square() - across.square()).clamp(min=0).sqrt()
    # The frame's axes for v in the x-z plane: side along y, across along (-s_z, 0, s_x)
    h_x, h_y, h_z = alpha * (along * s_x - across * s_z), alpha * side, (along * s_z + across * s_x).clamp(min=1e-9)
    norm = torch.rsqrt(h_x.square() + h_y.square() + h_z.square())
    v_dot_h = ((v_x * h_x + v_z * h_z) * norm).clamp(0, 1)
    n_dot_l = 2 * v_dot_h * h_z * norm - v_z

    alpha_squared = alpha.square()
    lit = n_dot_l.clamp(min=SMALLEST_COSINE)
    root = (alpha_squared + (1 - alpha_squared) * n_dot_v.square()).sqrt()
    # G2 / G1(v) = 4 (n·l) (n·v) V / (2 n·v / (n·v + root))
    weight = 2 * lit * (n_dot_v + root) * visibility(lit, n_dot_v, alpha_squared) * (n_dot_l > 0)
    fresnel = schlick(v_dot_h)
    weight = weight * share / share.sum()
    return torch.stack([(weight * (1 - fresnel)).sum(dim=-1), (weight * fresnel).sum(dim=-1)])
