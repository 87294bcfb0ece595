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
    """Return how much larger the steps over the edges are than those inside, as a ratio of means; 1 where all are flat.

    The larger of both directions.
    """
    return max(float(_steps(values, axis)[0]) for axis in (-2, -1))


def seams(maps: MaterialMaps) -> dict[str, float]:
    """Return map → its `seam`."""
    return {name: seam(value) for name, value in maps.items()}


def roll_to_rest(maps: MaterialMaps) -> tuple[MaterialMaps, tuple[int, int]]:
    """Roll tileable maps so that their edges lie where the least happens; return also by how many rows and columns.

    A texture has lines where more happens than elsewhere, such as the joints of bricks. An edge there would look like
    a seam where one tile meets the next.
    """
    rows, columns = (
        -int(torch.stack([_steps(value, axis) for value in maps.values()]).amax(0).argmin()) for axis in (-2, -1)
    )
    return maps.roll(rows, columns), (rows, columns)


def _steps(values: Float[Tensor, "c h w"], axis: int) -> Float[Tensor, " n"]:
    """Return the change at each line across `axis`, relative to the mean of those inside; first, the edge's."""
    steps = (values - values.roll(1, axis)).abs().movedim(axis, 0).flatten(1).mean(dim=1)
    # 1e-4: a fortieth of an 8-bit level is no step
    return (steps + 1e-4) / (steps[1:].mean() + 1e-4)


def make_tileable(maps: MaterialMaps, margin: int) -> MaterialMaps:
    """Return the maps (C, H, W) without their last `margin` rows and columns, which are blended over the first ones."""
    height, width = maps.size
    if not 0 < margin <= min(height, width) // 2:
        raise ValueError(f"maps of {height} x {width} blend over 1 to {min(height, width) // 2} texels; got {margin}.")
    values = maps.to_tensor()
    for axis in (-2, -1):
        values = _overlapped(values, margin, axis)
    blended = MaterialMaps.from_tensor(values)
    bounded = {name: value.clamp(0, 1) for name, value in blended.items()}
    return MaterialMaps(**bounded | {"normal": unit_normals(blended.normal)})


def _overlapped(values: Float[Tensor, "c h w"], margin: int, axis: int) -> Float[Tensor, "c h2 w2"]:
    """Blend the end of one axis over its beginning, by weights from which the variance of a texture does not sink.

    Heitz and Neyret 2018, "High-performance by-example noise", section 3.1: a plain blend of unrelated textures is
    flatter than either. The more alike both parts are, the less it is.
    """
    length = values.shape[axis]
    shape = [1, 1, 1]
    shape[axis] = margin
    weight = ((torch.arange(margin, device=values.device) + 0.5) / margin).view(shape)
    # Smoothstep: without a kink at either end of the margin.
    weight = weight * weight * (3 - 2 * weight)
    first = values.narrow(axis, 0, margin)
    last = values.narrow(axis, length - margin, margin)
    plane = (-2, -1)
    # Only deviations from the mean are blended by variance; the mean itself is blended plainly.
    mean = torch.lerp(last, first, weight).mean(dim=plane, keepdim=True)
    a, b = (part - part.mean(dim=plane, keepdim=True) for part in (first, last))
    # 1e-8: of flat parts the correlation is 0 / 0, and says nothing
    sizes = (a.square().mean(dim=plane, keepdim=True) * b.square().mean(dim=plane, keepdim=True)).sqrt()
    alike = ((a * b).mean(dim=plane, keepdim=True) / (sizes + 1e-8)).clamp(0, 1)
    kept = weight.square() + (1 - weight).square() + 2 * alike * weight * (1 - weight)
    mixed = torch.lerp(last - mean, first - mean, weight) / kept.sqrt() + mean
    return torch.cat([mixed, values.narrow(axis, margin, length - 2 * margin)], dim=axis)
