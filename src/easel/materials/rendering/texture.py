"""A repeating texture looked up at any point, averaged over what a sample covers.

Williams 1983, "Pyramidal parametrics". The levels of the pyramid lie in one table, a row for every texel, so that the
eight texels which a sample blends come from a single weighted sum of rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from easel.materials.rendering.brdf import Surface
from easel.materials.rendering.vectors import normalize


@dataclass(frozen=True, eq=False)
class Texture:
    """The pyramid of one surface."""

    texels: Float[Tensor, "n 8"]
    """Albedo, roughness, metallic and normal; the finest level first, rows of each from the top."""
    sizes: Sequence[tuple[int, int]]
    """(H, W) of each level; the last is (1, 1)."""

    @staticmethod
    def of(surface: Surface) -> "Texture":
        """The pyramid over a surface (C, H, W)."""
        if surface.normal.ndim != 3:
            raise ValueError(f"one material makes a texture; got a batch {tuple(surface.normal.shape)}. Use unstack.")
        level = torch.cat([surface.albedo, surface.roughness, surface.metallic, surface.normal])[None]
        levels = [level]
        while max(level.shape[-2:]) > 1:
            height, width = level.shape[-2:]
            level = torch.nn.functional.adaptive_avg_pool2d(level, ((height + 1) // 2, (width + 1) // 2))
            levels.append(level)
        sizes = [(level.shape[-2], level.shape[-1]) for level in levels]
        return Texture(torch.cat([level[0].flatten(1).T for level in levels]), sizes)

    def sample(self, uv: Float[Tensor, "2 h w"], texels_covered: Float[Tensor, "h w"]) -> Surface:
        """The surface at `uv`, where each sample stands for an area of so many of the finest texels."""
        height, width = uv.shape[1:]
        # An area four times as large is one level up
        level = (texels_covered.clamp(min=1).log2() / 2).clamp(max=len(self.sizes) - 1).flatten()
        lower = level.detach().floor().long().clamp(max=max(len(self.sizes) - 2, 0))
        upper = (lower + 1).clamp(max=len(self.sizes) - 1)
        flat = uv.flatten(1)
        rows, weights = zip(self._corners(flat, lower), self._corners(flat, upper), strict=True)
        blend = (level - lower)[:, None]
        values = torch.nn.functional.embedding_bag(
            torch.cat(rows, dim=1),
            self.texels,
            mode="sum",
            per_sample_weights=torch.cat([weights[0] * (1 - blend), weights[1] * blend], dim=1),
        )
        albedo, roughness, metallic, normal = values.T.reshape(8, height, width).split((3, 1, 1, 3))
        return Surface(albedo, roughness, metallic, normalize(normal))

    def _corners(self, uv: Float[Tensor, "2 n"], level: Tensor) -> tuple[Tensor, Float[Tensor, "n 4"]]:
        """The rows of the four texels of `level` around each point, and the share of each. Bilinear."""
        sizes = torch.tensor(self.sizes, device=uv.device)
        starts = sizes.prod(dim=1).cumsum(0) - sizes.prod(dim=1)
        heights, widths = sizes[level].unbind(1)
        # -1/2: the centre of the first texel lies half a texel inside
        x, y = uv[0] * widths - 0.5, (1 - uv[1]) * heights - 0.5
        left, top = x.detach().floor(), y.detach().floor()
        x, y = x - left, y - top
        columns = [(left + step).long().remainder(widths) for step in (0, 1)]
        rows = [starts[level] + (top + step).long().remainder(heights) * widths for step in (0, 1)]
        indices = torch.stack([row + column for row in rows for column in columns], dim=1)
        weights = torch.stack([(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x], dim=1)
        return indices, weights
