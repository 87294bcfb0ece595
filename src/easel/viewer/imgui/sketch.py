"""Plain descriptions of a panel's items, drawn as a contact sheet or a report where no Dear ImGui loads."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

# Written out wherever a number comes in, as programs pass 1 for 1.0.
Number = float | int
"""The numbers that Python's type rules accept as `float`; beartype, in the tests, takes `float` literally."""
Rgba = tuple[Number, Number, Number, Number]
"""Red, green, blue and alpha in [0, 1]."""


@dataclass(frozen=True)
class Words:
    """Lines of text; in the panel's own text colour where `color` is None."""

    text: str
    color: Rgba | None = None


@dataclass(frozen=True)
class Heading:
    """The title of a section; a bare line where it is empty."""

    title: str


@dataclass(frozen=True)
class Bar:
    """A progress bar filled to `fraction` in [0, 1], with text over it."""

    fraction: Number
    overlay: str


@dataclass(frozen=True)
class Curve:
    """A line plot of values in order; NaN leaves a gap. `height` is in pixels."""

    values: Float64[np.ndarray, " n"]
    overlay: str
    height: Number


Sketch = Words | Heading | Bar | Curve
