"""Rough mirrors: how many facets face a direction, how many of them are seen, and what each reflects.

n is the surface's normal, l points to the light, v to the camera, h halfway between both; all of length 1. `alpha` is
the width of GGX's distribution, the square of the perceptual roughness.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

SMALLEST_ROUGHNESS = 0.045
"""Below it the highlight is narrower than float32 resolves; smoother surfaces are shaded as this one."""

SMALLEST_COSINE = 1e-4
"""Cosines in denominators stay above it."""


def alpha_of(roughness: Tensor) -> Tensor:
    """GGX's width of a perceptual roughness. Burley 2012, section 5.4."""
    return roughness.clamp(min=SMALLEST_ROUGHNESS).square()


def distribution(sine_squared: Tensor, alpha_squared: Tensor) -> Tensor:
    """GGX's density of facets at an angle to the normal whose sine squared is given. Walter et al. 2007, Eq. 33."""
    # cos²·α² + sin²: Eq. 33's cos⁴ (α² + tan²)². It takes the sine, because 1 - cos² has no digits left at the peak,
    # where it is as small as α⁴.
    width = torch.lerp(alpha_squared, torch.ones_like(alpha_squared), sine_squared)
    return alpha_squared / (math.pi * width.square())


def visibility(n_dot_l: Tensor, n_dot_v: Tensor, alpha_squared: Tensor, smith: str = "correlated") -> Tensor:
    """Smith's masking and shadowing G over 4 (n·l) (n·v), for cosines above 0.

    "correlated" is Heitz 2014, Eq. 99: high facets are both lit and seen; "separable" his Eq. 98, G = G1(l) G1(v).
    """
    l_root = (alpha_squared + (1 - alpha_squared) * n_dot_l.square()).sqrt()
    v_root = (alpha_squared + (1 - alpha_squared) * n_dot_v.square()).sqrt()
    if smith == "separable":
        return 1 / ((n_dot_l + l_root) * (n_dot_v + v_root))
    return 0.5 / (n_dot_l * v_root + n_dot_v * l_root)


def schlick(cosine: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """(1 - cos)⁵: the reflectance is f0 + (1 - f0) of it. Schlick 1994, Eq. 15."""
    rest = (1 - cosine).clamp(0, 1)
    squared = rest.square()
    return squared.square() * rest
