"""An environment averaged over the lobes that surfaces see it through: diffuse, and rough mirrors. Karis 2013.

Around the zenith's axis every lobe is the same at all azimuths, so each pair of rows is convolved along the azimuth, by
Fourier transforms: the sum over all pixels is exact, and its weights are few enough to be kept.
"""

import math
from functools import lru_cache

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from easel.materials.rendering.directions import equirectangular, octahedron, sample_equirectangular
from easel.materials.rendering.microfacet import alpha_of, distribution

LEVELS = 6
"""Rough mirrors of the roughnesses 1/6, 2/6 … 1 are prefiltered; at 0 the environment itself is seen."""

FILTER_ROWS = 64
"""The most rows that are convolved: narrower lobes than the first level's cover less than one of them."""


def prefilter(
    radiance: Float[Tensor, "h w 3"],
) -> tuple[Float[Tensor, "1 3 n n"], Float[Tensor, "1 3 levels n n"]]:
    """Octahedral maps: the irradiance, and what rough mirrors show that face the camera."""
    rows = min(radiance.shape[0], FILTER_ROWS)
    small = _shrunk(radiance, rows)
    spectrum = torch.fft.rfft(small, dim=1)
    lobes = _lobes(rows).to(radiance.device)
    filtered = torch.fft.irfft(torch.einsum("koif,ifc->kofc", lobes, spectrum), n=2 * rows, dim=2)
    # Rounding may leave a little less than nothing in the dark
    maps = sample_equirectangular(filtered.clamp(min=0), octahedron(rows + 1).to(radiance.device))
    return maps[:1], maps[1:].transpose(0, 1)[None]


def mirror(radiance: Float[Tensor, "h w 3"]) -> Float[Tensor, "1 3 n n"]:
    """The octahedral map of the environment itself."""
    return sample_equirectangular(radiance[None], octahedron(2 * radiance.shape[0] + 1).to(radiance.device))


def _shrunk(radiance: Float[Tensor, "h w 3"], rows: int) -> Float[Tensor, "rows columns 3"]:
    return torch.nn.functional.adaptive_avg_pool2d(radiance.permute(2, 0, 1), (rows, 2 * rows)).permute(1, 2, 0)


@lru_cache(maxsize=2)
def _lobes(rows: int) -> Complex[Tensor, "lobes rows rows frequencies"]:
    """For each lobe, the weight of every pixel of a row, seen from the first pixel of another; transformed."""
    directions = equirectangular(rows)
    cosine = torch.einsum("co,ciw->oiw", directions[:, :, 0], directions).clamp(-1, 1)
    polar = (torch.arange(rows) + 0.5) / rows * math.pi
    solid_angle = (polar.sin() * (math.pi / rows) * (2 * math.sin(math.pi / rows / 2)))[None, :, None]
    lit = cosine.clamp(min=0) * solid_angle
    # The halfway direction between a mirror's axis and a pixel: sin² of half the angle between them
    sine_squared = (1 - cosine) / 2
    weights = [lit]
    for level in range(1, LEVELS + 1):
        alpha_squared = alpha_of(torch.tensor(level / LEVELS)).square()
        # Of light from there, a mirror that is seen along its normal reflects D (n·l) / 4, up to its own albedo
        weight = lit * distribution(sine_squared, alpha_squared)
        weights.append(weight / weight.sum(dim=(1, 2), keepdim=True))
    return torch.fft.rfft(torch.stack(weights), dim=-1)
