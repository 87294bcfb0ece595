"""Colours of the inspector: values around zero, values of one sign, what is not a number, and all that is not data.

Display-referred sRGB in [0, 1].
"""

import numpy as np
from jaxtyping import Float

Rgb = tuple[float, float, float]

ZERO: Rgb = (0.960, 0.955, 0.940)
NEGATIVE: tuple[Rgb, Rgb] = ((0.345, 0.565, 0.890), (0.055, 0.165, 0.520))
"""Halfway, and at the limit."""
POSITIVE: tuple[Rgb, Rgb] = ((0.925, 0.415, 0.330), (0.560, 0.020, 0.090))
SEQUENTIAL: tuple[Rgb, ...] = (
    (0.063, 0.055, 0.110),
    (0.235, 0.090, 0.360),
    (0.560, 0.165, 0.420),
    (0.870, 0.330, 0.270),
    (0.985, 0.640, 0.180),
    (0.990, 0.880, 0.480),
)
"""From zero to the limit, evenly."""
LOUD: Rgb = (0.0, 1.0, 0.25)
"""NaN and infinity."""
AMBER: Rgb = (1.0, 0.72, 0.25)
WHITE: Rgb = (1.0, 1.0, 1.0)
BACKGROUND: Rgb = (0.047, 0.055, 0.078)
PLATE: Rgb = (0.078, 0.092, 0.130)
PLATE_EDGE: Rgb = (0.150, 0.180, 0.250)
PAD: Rgb = (0.180, 0.220, 0.310)
FAULT: Rgb = (0.85, 0.12, 0.15)
EMPTY: Rgb = (0.10, 0.11, 0.15)
FLOW: Rgb = (0.480, 0.560, 0.700)
SKIP: Rgb = (0.270, 0.750, 0.640)
ORDER: Rgb = (0.400, 0.455, 0.570)
"""Ways of data, past other layers, and where only the order of definition is known."""
TEXT: Rgb = (0.92, 0.94, 0.97)
FAINT: Rgb = (0.62, 0.67, 0.76)

GAMMA = 0.7
"""Magnitudes are raised to it: small ones are seen."""


def value_colors(shares: Float[np.ndarray, "*n"], *, sequential: bool = False) -> Float[np.ndarray, "*n 3"]:
    """The colours of values as shares of the limit, -1 to 1; beyond, the last colour, and `LOUD` where not finite."""
    finite = np.isfinite(shares)
    share = np.clip(np.where(finite, shares, 0), -1, 1)
    t = np.abs(share) ** GAMMA
    if sequential:
        where, table = np.linspace(0, 1, len(SEQUENTIAL)), np.array(SEQUENTIAL)
        colors = np.stack([np.interp(t, where, table[:, channel]) for channel in range(3)], axis=-1)
    else:
        both = [
            np.stack([np.interp(t, (0, 0.6, 1), (ZERO[c], near[c], far[c])) for c in range(3)], axis=-1)
            for near, far in (NEGATIVE, POSITIVE)
        ]
        colors = np.where(share[..., None] < 0, *both)
    return np.where(finite[..., None], colors, np.array(LOUD))
