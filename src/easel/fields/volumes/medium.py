"""A volume prepared for light: colour, extinction and slope at every voxel, slab by slab."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import grid_sample, normalize

from easel.fields.volumes.look import Look
from easel.fields.volumes.transfer import opaque_at, slope_along, steepness
from easel.fields.volumes.volume import Number, Volume, as_values, between, check_volume, half_sides
from easel.graphics.color import srgb_to_linear

SHADOW_VOXELS = 40
"""Voxels along the longest side of the shadow grid, which holds the light that arrives."""
SHARED_PLACES = 8192
"""Rows of places from which sampling is shared among threads."""


@dataclass(frozen=True)
class Slab:
    """Some slices of a volume along an axis, with the neighbours that interpolation needs."""

    values: Float[Tensor, "1 7 x y z"]
    """Linear R, G, B; extinction; slope of the brightness along X, Y, Z."""
    center: Float[Tensor, "3"]
    """Middle of the box that `values` fill, in the world."""
    half: Float[Tensor, "3"]
    """Half its sides."""

    def at(self, points: Float[Tensor, "n k 3"]) -> Float[Tensor, "7 n k"]:
        """Return the values at points of the world, trilinear."""
        return sample(self.values, (points - self.center) / self.half)


def sample(values: Float[Tensor, "1 c x y z"], places: Float[Tensor, "n k 3"]) -> Float[Tensor, "c n k"]:
    """Return trilinear values at places from -1 to 1, the outer faces of the outer voxels, which go on outside."""
    batch = 1
    # Torch shares the work among its threads by batch entries only; for little work, waking them takes longer.
    if len(places) >= SHARED_PLACES:
        batch = math.gcd(len(places), 8)
    grid = places.flip(-1).reshape(batch, 1, -1, places.shape[1], 3)
    found = grid_sample(values.expand(batch, *values.shape[1:]), grid, padding_mode="border", align_corners=False)
    return found.transpose(0, 1).reshape(values.shape[1], *places.shape[:2])


class Medium:
    """A volume as a participating medium: emission and extinction under a `look`, prepared slab by slab."""

    def __init__(self, volume: Volume, look: Look, spacing: tuple[Number, Number, Number] = (1, 1, 1)) -> None:
        self.volume = check_volume(volume)
        self.look = look
        self.half = torch.tensor(half_sides(self.volume.shape, spacing))
        self.voxel = 2 * self.half / torch.tensor(self.volume.shape[:3])
        """Sides of a voxel in the world."""
        self._steps: tuple[float, float, float] = tuple(self.voxel.tolist())
        # Over the whole volume, before any slab: the slabs of one picture must not differ in scale.
        self._opaque = opaque_at(self.volume, look.transfer, self._steps)

    def slab(self, axis: int, start: int, stop: int) -> Slab:
        """Return the slices start ≤ index < stop along an axis; all of them together are prepared once."""
        if stop - start == self.volume.shape[axis]:
            return self.whole
        return self._prepare(axis, start, stop)

    @cached_property
    def whole(self) -> Slab:
        """All slices."""
        return self._prepare(0, 0, self.volume.shape[0])

    def _prepare(self, axis: int, start: int, stop: int) -> Slab:
        # One slice more on both sides to interpolate, and a second one for its slope.
        samples = self.volume.shape[axis]
        first = max(start - 1, 0)
        last = min(stop + 1, samples)
        wide_first = max(first - 1, 0)
        values = as_values(between(self.volume, axis, wide_first, min(last + 1, samples)))
        opacity = (steepness(values[..., :3], self.look.transfer, self._steps) / self._opaque).clamp_(max=1.0)
        extinction = self.look.density * opacity**self.look.contrast
        # Alpha is the volume's own opacity; it can only take away.
        if values.shape[-1] == 4:
            extinction = extinction * values[..., 3]
        # Grey becomes three equal channels by a view, without memory.
        colour = values[..., :3].expand(*values.shape[:3], 3)
        brightness = colour.mean(-1, keepdim=True)
        slopes = [slope_along(brightness, k, self._steps[k]) for k in range(3)]
        prepared = torch.cat([srgb_to_linear(colour), extinction[..., None], *slopes], dim=-1)
        held = prepared.narrow(axis, first - wide_first, last - first)
        center = torch.zeros(3)
        half = self.half.clone()
        # The slab's place in the box of the whole volume, by the faces of its outer voxels.
        center[axis] = ((first + last) / samples - 1) * self.half[axis]
        half[axis] = (last - first) / samples * self.half[axis]
        return Slab(held.permute(3, 0, 1, 2)[None].contiguous(), center, half)

    def lit(self, towards_light: Float[Tensor, "3"]) -> Float[Tensor, "1 1 x y z"]:
        """Return the share of a far lamp's light that arrives in the volume, on a coarse grid over its box."""
        stride = math.ceil(max(self.volume.shape[:3]) / SHADOW_VOXELS)
        # Every n-th voxel, which has its own slopes and its own percentile.
        coarse = Medium(self.volume[::stride, ::stride, ::stride], self.look, self._steps).whole
        extinction = coarse.values[:, 3:4]
        shape = extinction.shape[2:]
        axes = [(2 * torch.arange(n) + 1 - n) / n for n in shape]
        places = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).reshape(-1, 1, 3)
        # All cells walk towards the lamp at once, a voxel a step, until they leave the box.
        step = 2 / SHADOW_VOXELS
        advance = normalize(towards_light, dim=0) * step / self.half
        depth = torch.zeros(len(places))
        inside = torch.arange(len(places))
        while len(inside):
            places = places + advance
            kept = places.abs().amax(-1)[:, 0] <= 1
            inside = inside[kept]
            places = places[kept]
            depth[inside] += step * sample(extinction, places)[0, :, 0]
        return torch.exp(-depth).reshape(1, 1, *shape)
