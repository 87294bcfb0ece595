"""Transfer functions: the opacity of every voxel from the gradient of its colour.

A name such as `norm/mean` tells two reductions of the gradient: first over the directions X, Y, Z, then over channels.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from easel.fields.volumes.volume import SLAB_VOXELS, Number, Volume, as_values, between

TRANSFERS = (
    "constant",
    "mean/norm",
    "X/mean",
    "Y/mean",
    "Z/mean",
    "sum/mean",
    "linear",
    "norm/mean",
    "X/norm",
    "Y/norm",
    "Z/norm",
    "sum/norm",
)
"""Transfer functions of a twelve-view sheet, in its order; `linear` is the first channel itself."""

_DIRECTIONS = ("norm", "mean", "sum", "X", "Y", "Z")
_PARTS = {"norm": torch.square, "mean": torch.abs, "sum": lambda slope: slope}
_COLOURS = ("norm", "mean", "sum")
KNOWN = ("constant", "linear", *(f"{direction}/{colour}" for direction in _DIRECTIONS for colour in _COLOURS))
"""Names of all transfer functions."""

OPAQUE_QUANTILE = 0.99
"""Quantile of steepness that is fully opaque: a few steep voxels must not leave the rest invisible."""


def check_transfer(name: str) -> None:
    """Raise ValueError, with the known ones, for a name that is no transfer function."""
    if name not in KNOWN:
        raise ValueError(f"unknown transfer function {name!r}. Known: {', '.join(KNOWN)}.")


def steepness(
    values: Float[Tensor, "x y z c"], name: str, spacing: tuple[Number, Number, Number] = (1, 1, 1)
) -> Float[Tensor, "x y z"]:
    """Return the unscaled opacity by a transfer function: 0 and above.

    Directions: `norm` and `mean` are those of the three slopes' magnitudes, `sum` is the slope along the diagonal
    (1, 1, 1), a letter the slope along that axis. Slopes are differences of neighbours, central ones inside.
    """
    if name == "constant":
        return values.new_ones(values.shape[:3])
    if name == "linear":
        return values[..., 0]
    direction, colour = name.split("/")
    if direction in ("X", "Y", "Z"):
        axis = "XYZ".index(direction)
        slope = slope_along(values, axis, spacing[axis]).abs()
    else:
        part = _PARTS[direction]
        # One direction after the other: a stack of all three would triple the memory.
        slope = part(slope_along(values, 0, spacing[0]))
        for axis in (1, 2):
            slope += part(slope_along(values, axis, spacing[axis]))
        slope = {"norm": slope.sqrt_, "mean": lambda: slope.div_(3), "sum": slope.abs_}[direction]()
    match colour:
        case "norm":
            return slope.norm(dim=-1)
        case "mean":
            return slope.mean(-1)
    return slope.sum(-1)


def slope_along(values: Float[Tensor, "x y z c"], axis: int, spacing: Number = 1) -> Float[Tensor, "x y z c"]:
    """Return the derivative along an axis in units of 1/`spacing`; 0 along an axis of one sample."""
    if values.shape[axis] == 1:
        return torch.zeros_like(values)
    return torch.gradient(values, spacing=float(spacing), dim=axis)[0]


def opaque_at(volume: Volume, name: str, spacing: tuple[Number, Number, Number] = (1, 1, 1)) -> float:
    """Return the steepness that counts as fully opaque: the 99th percentile over the volume, and 1 where all is flat.

    Where more than 99 % are flat it is the largest steepness. A volume beyond twice `SLAB_VOXELS` is represented by
    evenly spaced slices.
    """
    check_transfer(name)
    x, y, z, _ = volume.shape
    # A percentile needs no more voxels than this, and a volume on the disk should not be read twice.
    wanted = max(2 * SLAB_VOXELS // (y * z), 1)
    if wanted >= x:
        found = steepness(as_values(volume), name, spacing).flatten()
    else:
        slices = [(2 * i + 1) * x // (2 * wanted) for i in range(wanted)]
        parts = []
        for index in slices:
            # With a slice on either side, so that slopes across slices are central differences, as in the whole.
            first = max(index - 1, 0)
            part = steepness(as_values(between(volume, 0, first, index + 2)), name, spacing)
            parts.append(part[index - first].flatten())
        found = torch.cat(parts)
    # Not torch.quantile, which refuses more than 16 million values.
    rank = max(round(OPAQUE_QUANTILE * len(found)), 1)
    return (found.kthvalue(rank).values.item() or found.max().item()) or 1.0
