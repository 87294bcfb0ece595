"""A repeating texture sampled at any point, averaged over the area that a sample covers.

Williams 1983, "Pyramidal parametrics" (mip mapping). The levels of the pyramid lie in one table, a row for every texel,
so that the eight texels which a sample blends come from a single weighted sum of rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from easel.materials.rendering.brdf import Surface
from easel.materials.rendering.vectors import normalize


@dataclass(frozen=True, eq=False)
class Texture:
    """Mip map of one surface."""

    texels: Float[Tensor, "n 8"]
    """Channels of `Surface.join`; the finest level first, rows of each from the top."""
    sizes: Sequence[tuple[int, int]]
    """(H, W) of each level; the last is (1, 1)."""

    @staticmethod
    def of(surface: Surface) -> "Texture":
        """Average a surface (C, H, W) down to one texel, level by level. ValueError for a batch."""
        if surface.normal.ndim != 3:
            raise ValueError(f"one material makes a texture; got a batch {tuple(surface.normal.shape)}. Use unstack.")
        level = surface.join()[None]
        levels = [level]
        while max(level.shape[-2:]) > 1:
            height, width = level.shape[-2:]
            level = torch.nn.functional.adaptive_avg_pool2d(level, ((height + 1) // 2, (width + 1) // 2))
            levels.append(level)
        sizes = [(level.shape[-2], level.shape[-1]) for level in levels]
        return Texture(torch.cat([level[0].flatten(1).T for level in levels]), sizes)

    def sample(self, uv: Float[Tensor, "2 h w"], texels_covered: Float[Tensor, "h w"]) -> Surface:
        """Return the surface at `uv`, where each sample stands for an area of so many of the finest texels.

        Trilinear: two levels, four texels of each.
        """
        height, width = uv.shape[1:]
        # An area four times as large is one level up
        level = (texels_covered.clamp(min=1).log2() / 2).clamp(max=len(self.sizes) - 1).flatten()
        # Detached: the gradient goes through the blend, floor has none
        lower = level.detach().floor().long().clamp(max=max(len(self.sizes) - 2, 0))
        upper = (lower + 1).clamp(max=len(self.sizes) - 1)
        flat = uv.flatten(1)
        lower_rows, lower_weights = self._corners(flat, lower)
        upper_rows, upper_weights = self._corners(flat, upper)
        blend = (level - lower)[:, None]
        rows = torch.cat([lower_rows, upper_rows], dim=1)
        weights = torch.cat([lower_weights * (1 - blend), upper_weights * blend], dim=1)
        values = torch.nn.functional.embedding_bag(rows, self.texels, mode="sum", per_sample_weights=weights)
        surface = Surface.split(values.T.reshape(-1, height, width))
        # The mean of unit vectors is shorter than one
        return replace(surface, normal=normalize(surface.normal))

    def _corners(self, uv: Float[Tensor, "2 n"], level: Tensor) -> tuple[Tensor, Float[Tensor, "n 4"]]:
        """Return the rows of the four texels of `level` around each point, and the bilinear weight of each."""
        sizes = torch.tensor(self.sizes, device=uv.device)
        starts = sizes.prod(dim=1).cumsum(0) - sizes.prod(dim=1)
        heights, widths = sizes[level].unbind(1)
        # -1/2: the centre of the first texel lies half a texel inside
        x = uv[0] * widths - 0.5
        y = (1 - uv[1]) * heights - 0.5
        left = x.detach().floor()
        top = y.detach().floor()
        x = x - left
        y = y - top
        # remainder: the texture repeats
        columns = [(left + step).long().remainder(widths) for step in (0, 1)]
        rows = [starts[level] + (top + step).long().remainder(heights) * widths for step in (0, 1)]
        indices = torch.stack([row + column for row in rows for column in columns], dim=1)
        weights = torch.stack([(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x], dim=1)
        return indices, weights
