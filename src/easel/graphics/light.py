"""Light of interactive views: one lamp at infinity and ambient light, as Blinn and Phong have it."""

from dataclasses import dataclass
from typing import Annotated

from easel.graphics.checked_record import CheckedRecord, Number, Range

Strength = Annotated[Number, Range(0)]


@dataclass(slots=True)
class Light(CheckedRecord):
    """Lamp and ambient light of the Blinn-Phong model (Blinn 1977).

        surface·(ambient + max(N·L, 0)·intensity)·color + specular·max(N·H, 0)^shininess·color

    Computed in linear light; L points against `direction`, H lies halfway between L and the eye.
    """

    direction: tuple[Number, Number, Number] = (0.3, -1.0, 0.5)
    """Direction in which the light travels, of any length."""
    color: tuple[Number, Number, Number] = (1.0, 1.0, 1.0)
    """Display-referred, like every colour."""
    intensity: Strength = 1.0
    ambient: Strength = 0.15
    specular: Strength = 0.5
    shininess: Strength = 32.0
    enabled: bool = True
    """False leaves the ambient light alone."""
