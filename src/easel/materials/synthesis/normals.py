"""Whether a picture is a normal map, and which way its green points, told from its numbers alone."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Shaped
from numpy import ndarray

ROWS_AT_ONCE = 256
"""What bounds the memory that a large map takes."""
LOOKED_AT = 1024
"""Texels a side of the middle part that the direction of green is told from."""
LENGTH_TOLERANCE = 0.15
"""How far from 1 a stored normal may be: bilinear shrinking and 8 bits cost several percent."""
LEAST_CURVATURE = 0.01
"""Root mean square of mixed slopes below which a map is too flat, or too straight, to tell."""
CERTAIN = 0.5
"""Correlation of the mixed slopes beyond which their sign is no accident."""


@dataclass(frozen=True)
class Normals:
    """What the numbers of a normal map tell."""

    all_zero: bool
    non_unit: float
    """Share of normals that are not of length 1."""
    inward: float
    """Share of normals that point into the surface."""
    agreement: float
    """Correlation, in [-1, 1], of how the slopes along x and y change along the other: 1 for every surface there is,
    -1 where green is inverted, 0 where there is nothing to tell from."""

    @property
    def looks_directx(self) -> bool:
        """Whether green points down in it."""
        return self.agreement < -CERTAIN


def look_at_normals(pixels: Shaped[ndarray, "h w 3"]) -> Normals:
    """What the stored numbers of a normal map tell: 8 or 16 bits, or floats as pictures or vectors."""
    all_zero, non_unit, inward = True, 0, 0
    for top in range(0, len(pixels), ROWS_AT_ONCE):
        rows = pixels[top : top + ROWS_AT_ONCE]
        all_zero = all_zero and not rows.any()
        vectors = _vectors(rows)
        lengths = np.sqrt((vectors * vectors).sum(-1))
        # NaN counts as wrong
        non_unit += int((~(np.abs(lengths - 1) <= LENGTH_TOLERANCE)).sum())
        inward += int((vectors[..., 2] < -0.05).sum())
    texels = pixels.shape[0] * pixels.shape[1]
    top, left = (max(0, (side - LOOKED_AT) // 2) for side in pixels.shape[:2])
    middle = _vectors(pixels[top : top + LOOKED_AT, left : left + LOOKED_AT])
    return Normals(all_zero, non_unit / texels, inward / texels, _agreement(middle))


def _vectors(pixels: Shaped[ndarray, "h w 3"]) -> Float32[ndarray, "h w 3"]:
    values = pixels.astype(np.float32)
    if pixels.dtype.kind != "f":
        values /= np.float32(np.iinfo(pixels.dtype).max)
    # Below 0 only vectors go; a picture of them is n/2 + 1/2
    return values if values.min() < 0 else 2 * values - 1


def _agreement(vectors: Float32[ndarray, "h w 3"]) -> float:
    if min(vectors.shape[:2]) < 3:
        return 0.0
    # The slopes of a height h are -nx/nz and -ny/nz; both of their changes across are the one mixed derivative of h.
    out = np.maximum(vectors[..., 2], np.float32(0.1))
    along_x, along_y = -vectors[..., 0] / out, -vectors[..., 1] / out
    x_upwards = (along_x[:-2] - along_x[2:])[:, 1:-1]
    y_rightwards = (along_y[:, 2:] - along_y[:, :-2])[1:-1]
    energies = [float(np.square(change, dtype=np.float64).mean()) for change in (x_upwards, y_rightwards)]
    if not min(energies) > LEAST_CURVATURE**2:
        return 0.0
    return float((x_upwards.astype(np.float64) * y_rightwards).mean() / (energies[0] * energies[1]) ** 0.5)
