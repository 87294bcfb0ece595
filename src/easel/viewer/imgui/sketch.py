"""What a panel holds, in shapes that anything can draw: how widgets look where no user interface library loads."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

Number = float | int
"""What Python's own rules mean by `float`; the checker of the tests takes the word literally."""
Rgba = tuple[Number, Number, Number, Number]


@dataclass(frozen=True)
class Words:
    """Lines of text; the panel's own ink without a `color`."""

    text: str
    color: Rgba | None = None


@dataclass(frozen=True)
class Heading:
    """The title of a section, empty for a bare line."""

    title: str


@dataclass(frozen=True)
class Bar:
    """A share in [0, 1] of something, with words over it."""

    fraction: Number
    overlay: str


@dataclass(frozen=True)
class Curve:
    """Values in order; NaN leaves a gap. `height` in pixels."""

    values: Float64[np.ndarray, " n"]
    overlay: str
    height: Number


Sketch = Words | Heading | Bar | Curve
