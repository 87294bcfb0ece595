"""Colours of the inspector: values around zero, values of one sign, non-finite values, and everything that is not data.

Display-referred sRGB in [0, 1].
"""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float

Rgb = tuple[float, float, float]

ZERO: Rgb = (0.960, 0.955, 0.940)
NEGATIVE: tuple[Rgb, Rgb] = ((0.345, 0.565, 0.890), (0.055, 0.165, 0.520))
"""Colours at 0.6 of the way to the limit, and at the limit."""
POSITIVE: tuple[Rgb, Rgb] = ((0.925, 0.415, 0.330), (0.560, 0.020, 0.090))
SEQUENTIAL: tuple[Rgb, ...] = (
    (0.063, 0.055, 0.110),
    (0.235, 0.090, 0.360),
    (0.560, 0.165, 0.420),
    (0.870, 0.330, 0.270),
    (0.985, 0.640, 0.180),
    (0.990, 0.880, 0.480),
)
"""Colours from zero to the limit, evenly spaced."""
LOUD: Rgb = (0.0, 1.0, 0.25)
"""Colour of NaN and infinity."""
AMBER: Rgb = (1.0, 0.72, 0.25)
WHITE: Rgb = (1.0, 1.0, 1.0)
BACKGROUND: Rgb = (0.047, 0.055, 0.078)
PLATE: Rgb = (0.078, 0.092, 0.130)
PLATE_EDGE: Rgb = (0.150, 0.180, 0.250)
PAD: Rgb = (0.180, 0.220, 0.310)
FAULT: Rgb = (0.85, 0.12, 0.15)
EMPTY: Rgb = (0.10, 0.11, 0.15)
FLOW: Rgb = (0.480, 0.560, 0.700)
"""Colour of routes of data."""
SKIP: Rgb = (0.270, 0.750, 0.640)
"""Colour of routes past other layers."""
ORDER: Rgb = (0.400, 0.455, 0.570)
"""Colour of routes of which only the order of definition is known."""
TEXT: Rgb = (0.92, 0.94, 0.97)
FAINT: Rgb = (0.62, 0.67, 0.76)

GAMMA = 0.7
"""Exponent of magnitudes: below 1, so that small values are seen. `sheet.frag` has the same number."""


def value_colors(shares: Float[np.ndarray, "*n"], *, sequential: bool = False) -> Float[np.ndarray, "*n 3"]:
    """Return the colours of values as shares of the limit, -1 to 1; the last colour beyond, `LOUD` if not finite.

    The slow clear version of `diverging` and `sequential` in `sheet.frag`.
    """
    finite = np.isfinite(shares)
    # Zeros in their place: NaN would spread through the interpolation, and warn.
    share = np.clip(np.where(finite, shares, 0), -1, 1)
    t = np.abs(share) ** GAMMA
    if sequential:
        # Values of one sign need no neutral middle: they use the whole range of lightness.
        colors = _interpolated(t, np.linspace(0, 1, len(SEQUENTIAL)), SEQUENTIAL)
    else:
        below, above = (_interpolated(t, (0.0, 0.6, 1.0), (ZERO, *halves)) for halves in (NEGATIVE, POSITIVE))
        colors = np.where(share[..., None] < 0, below, above)
    return np.where(finite[..., None], colors, np.array(LOUD))


def rgb_bytes(color: Iterable[float]) -> tuple[int, int, int]:
    """Return a colour in bytes, as Pillow takes it."""
    # Rounded to nearest, as the GPU writes a framebuffer of 8 bits: both ways give the same picture.
    red, green, blue = (round(255 * part) for part in color)
    return red, green, blue


def _interpolated(
    t: Float[np.ndarray, "*n"], at: np.ndarray | tuple[float, ...], table: tuple[Rgb, ...]
) -> Float[np.ndarray, "*n 3"]:
    """Return the colours at `t` between those of a table that lie at `at`."""
    return np.stack([np.interp(t, at, channel) for channel in zip(*table, strict=True)], axis=-1)
