"""Volumes handed to PyVista. The one file that imports it."""

from importlib import import_module
from typing import Any

import numpy as np
import torch

from easel.fields.volumes.transfer import check_transfer, opaque_at, steepness
from easel.fields.volumes.volume import Number, Volume, as_values, between, check_volume, half_sides, slabs


def to_pyvista(
    volume: Volume, opacity: str = "norm/mean", *, spacing: tuple[Number, Number, Number] = (1, 1, 1)
) -> Any:
    """Return a `pyvista.ImageData` with a point for every voxel and the colours as uint8 `rgba`, its active scalars.

    `opacity` names the transfer function that alpha comes from, scaled to its 99th percentile. The grid lies in the
    world of `volume`. Show it with `plotter.add_volume(grid, scalars="rgba")`. ImportError without PyVista.
    """
    try:
        pyvista = import_module("pyvista")
    except ImportError:
        raise ImportError("handing volumes to PyVista needs it: pip install 'torch-easel[volume]'.") from None
    check_transfer(opacity)
    volume = check_volume(volume)
    x, y, z, _ = volume.shape
    opaque = opaque_at(volume, opacity, spacing)
    rgba = np.empty((x, y, z, 4), np.uint8)
    for start, stop in slabs(volume, 0):
        # A neighbour on either side, for slopes.
        first = max(start - 1, 0)
        values = as_values(between(volume, 0, first, min(stop + 1, x)))
        alpha = (steepness(values[..., :3], opacity, spacing) / opaque).clamp(max=1.0)
        if values.shape[-1] == 4:
            alpha = alpha * values[..., 3]
        coloured = torch.cat([values[..., :3].expand(*values.shape[:3], 3), alpha[..., None]], dim=-1)
        rgba[start:stop] = (coloured[start - first :][: stop - start] * 255).round().byte().numpy()
    half = half_sides((x, y, z), spacing)
    sides = [2 * side / samples for side, samples in zip(half, (x, y, z), strict=True)]
    # Points stand at the middles of voxels, half a voxel inside the box.
    origin = [side / 2 - end for side, end in zip(sides, half, strict=True)]
    grid = pyvista.ImageData(dimensions=(x, y, z), spacing=sides, origin=origin)
    # VTK counts X fastest.
    grid.point_data["rgba"] = rgba.transpose(2, 1, 0, 3).reshape(-1, 4)
    grid.set_active_scalars("rgba")
    return grid
