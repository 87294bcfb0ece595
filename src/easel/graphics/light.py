"""Light: one lamp at infinity and what is everywhere, as Blinn and Phong have it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from easel.graphics.closed import Closed

Number = float | int


@dataclass(slots=True)
class Light(Closed):
    """What a surface is lit by: surface·(ambient + max(N·L, 0)·intensity)·color + specular·max(N·H, 0)^shininess·color.

    Computed in linear light; L points against `direction`, H lies halfway between L and the eye (Blinn 1977).
    """

    LIMITS: ClassVar[Mapping[str, tuple[float, float]]] = dict.fromkeys(
        ("intensity", "ambient", "specular", "shininess"), (0.0, math.inf)
    )

    direction: tuple[Number, Number, Number] = (0.3, -1.0, 0.5)
    """Where the light travels to; any length."""
    color: tuple[Number, Number, Number] = (1.0, 1.0, 1.0)
    """Display-referred, like every colour."""
    intensity: Number = 1.0
    ambient: Number = 0.15
    specular: Number = 0.5
    shininess: Number = 32.0
    enabled: bool = True
    """False leaves the ambient light alone."""
