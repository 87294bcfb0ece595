"""Fields of vectors: tensors (*b, 3, H, W), the three parts on the axis before the picture's two."""

import torch
from jaxtyping import Float
from torch import Tensor

Number = float | int

Vector = tuple[Number, Number, Number] | Tensor
"""One vector as three numbers, or a tensor (*b, 3) of them, one for each material of a batch."""


def dot(a: Float[Tensor, "*#b 3 #h #w"], b: Float[Tensor, "*#b 3 #h #w"]) -> Float[Tensor, "*b 1 h w"]:
    return (a * b).sum(dim=-3, keepdim=True)


def length(a: Float[Tensor, "*b 3 h w"]) -> Float[Tensor, "*b 1 h w"]:
    """At least 1e-6: a vector of no length has a finite gradient, and may be divided by it."""
    # Not torch's norm: over three planes it takes five times as long as all the rest of shading a texel
    return dot(a, a).clamp(min=1e-12).sqrt()


def normalize(a: Float[Tensor, "*b 3 h w"]) -> Float[Tensor, "*b 3 h w"]:
    return a / length(a)


def column(vector: Vector, like: Tensor) -> Float[Tensor, "*b 3 1 1"]:
    """`vector` as a field of one pixel, on `like`'s device and in its dtype."""
    return torch.as_tensor(vector, dtype=like.dtype, device=like.device)[..., None, None]
