"""Maps that repeat without a seam: how strong one is, and how it is taken away."""

import torch
from jaxtyping import Float
from torch import Tensor

from easel.materials.maps import MaterialMaps, unit_normals

MOST_SEAM = 1.1
"""A seam up to so many times as strong as what lies inside is not seen."""
MARGIN_SHARE = 7
"""The blend takes this fraction of what is left after it."""


def seam(values: Float[Tensor, "c h w"]) -> float:
    """How much larger the steps over the edges are than those inside, as a ratio of their means; 1 where all are flat.

    The larger of both directions.
    """
    ratios = []
    for axis in (-2, -1):
        over = (values.select(axis, 0) - values.select(axis, -1)).abs().mean()
        inside = values.diff(dim=axis).abs().mean()
        # 1e-4: a fortieth of an 8-bit level is no step
        ratios.append((over + 1e-4) / (inside + 1e-4))
    return float(torch.stack(ratios).max())


def seams(maps: MaterialMaps) -> dict[str, float]:
    """Map → its `seam`."""
    return {name: seam(value) for name, value in maps.items()}


def make_tileable(maps: MaterialMaps, margin: int) -> MaterialMaps:
    """The maps (C, H, W) without their last `margin` rows and columns, which were blended over the first ones."""
    height, width = maps.size
    if not 0 < margin <= min(height, width) // 2:
        raise ValueError(f"maps of {height} x {width} blend over 1 to {min(height, width) // 2} texels; got {margin}.")
    values = maps.to_tensor()
    for axis in (-2, -1):
        values = _overlapped(values, margin, axis)
    blended = MaterialMaps.from_tensor(values)
    return MaterialMaps(
        blended.albedo.clamp(0, 1),
        blended.roughness.clamp(0, 1),
        blended.metallic.clamp(0, 1),
        unit_normals(blended.normal),
    )


def _overlapped(values: Float[Tensor, "c h w"], margin: int, axis: int) -> Float[Tensor, "c h2 w2"]:
    """The end of one axis blended over its beginning, by weights from which the variance of a texture does not sink.

    Heitz and Neyret 2018, "High-performance by-example noise", section 3.1: a plain blend of unrelated textures is
    flatter than either.
    """
    length = values.shape[axis]
    shape = [1, 1, 1]
    shape[axis] = margin
    weight = ((torch.arange(margin, device=values.device) + 0.5) / margin).view(shape)
    weight = weight * weight * (3 - 2 * weight)
    first, last = values.narrow(axis, 0, margin), values.narrow(axis, length - margin, margin)
    mean = torch.lerp(last, first, weight).mean(dim=(-2, -1), keepdim=True)
    mixed = torch.lerp(last - mean, first - mean, weight) / (weight.square() + (1 - weight).square()).sqrt() + mean
    return torch.cat([mixed, values.narrow(axis, margin, length - 2 * margin)], dim=axis)
