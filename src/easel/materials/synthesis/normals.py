"""Diagnosis of normal maps from their numbers alone: vectors that are none, and the direction of green.

The slopes of a height h are p = -n_x / n_z and q = -n_y / n_z, and ∂p/∂y = ∂q/∂x, because both are the mixed second
derivative of h. Over a real surface the two correlate; with green inverted (DirectX) their signs are opposite.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Shaped
from numpy import ndarray

ROWS_AT_ONCE = 256
"""Rows converted together: the bound of a large map's memory."""
LOOKED_AT = 1024
"""Texels a side of the middle part that tells the direction of green."""
LENGTH_TOLERANCE = 0.15
"""Largest error of a stored normal's length: bilinear shrinking and 8 bits cost several percent."""
LEAST_CURVATURE = 0.01
"""Root mean square of mixed slopes below which a map is too flat, or too straight, to tell."""
CERTAIN = 0.5
"""Correlation of the mixed slopes beyond which their sign is no accident."""


@dataclass(frozen=True)
class Normals:
    """Statistics of a normal map."""

    all_zero: bool
    non_unit: float
    """Share of normals that are not of length 1."""
    inward: float
    """Share of normals that point into the surface."""
    agreement: float
    """Correlation of ∂p/∂y and ∂q/∂x, in [-1, 1]: 1 for every surface there is, -1 where green is inverted, 0 where
    there is nothing to tell from."""

    @property
    def looks_directx(self) -> bool:
        """True where green seems to point down."""
        return self.agreement < -CERTAIN


def look_at_normals(pixels: Shaped[ndarray, "h w 3"]) -> Normals:
    """Measure the stored numbers of a normal map: 8 or 16 bits, or floats as pictures or vectors."""
    non_unit = 0
    inward = 0
    for top in range(0, len(pixels), ROWS_AT_ONCE):
        vectors = _vectors(pixels[top : top + ROWS_AT_ONCE])
        lengths = np.sqrt((vectors * vectors).sum(-1))
        # "not <=": NaN counts as wrong
        non_unit += int((~(np.abs(lengths - 1) <= LENGTH_TOLERANCE)).sum())
        # -0.05: a normal in the plane of the surface may be rounded below it
        inward += int((vectors[..., 2] < -0.05).sum())
    texels = pixels.shape[0] * pixels.shape[1]
    top, left = (max(0, (side - LOOKED_AT) // 2) for side in pixels.shape[:2])
    middle = _vectors(pixels[top : top + LOOKED_AT, left : left + LOOKED_AT])
    return Normals(not pixels.any(), non_unit / texels, inward / texels, _agreement(middle))


def _vectors(pixels: Shaped[ndarray, "h w 3"]) -> Float32[ndarray, "h w 3"]:
    values = pixels.astype(np.float32)
    if pixels.dtype.kind != "f":
        values /= np.float32(np.iinfo(pixels.dtype).max)
    # Vectors alone go below 0; a picture of them is n/2 + 1/2
    return values if values.min() < 0 else 2 * values - 1


def _agreement(vectors: Float32[ndarray, "h w 3"]) -> float:
    if min(vectors.shape[:2]) < 3:
        return 0.0
    # 0.1: steeper normals would have slopes that drown all others
    out = np.maximum(vectors[..., 2], np.float32(0.1))
    along_x = -vectors[..., 0] / out
    along_y = -vectors[..., 1] / out
    # Central differences; row 0 is the top
    x_upwards = (along_x[:-2] - along_x[2:])[:, 1:-1]
    y_rightwards = (along_y[:, 2:] - along_y[:, :-2])[1:-1]
    energies = [float(np.square(change, dtype=np.float64).mean()) for change in (x_upwards, y_rightwards)]
    # "not >": NaN tells nothing
    if not min(energies) > LEAST_CURVATURE**2:
        return 0.0
    return float((x_upwards.astype(np.float64) * y_rightwards).mean() / (energies[0] * energies[1]) ** 0.5)
