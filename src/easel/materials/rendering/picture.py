"""Radiance as a picture."""

from jaxtyping import Float
from torch import Tensor

from easel.graphics.color import tonemap


def to_picture(radiance: Float[Tensor, "3 h w"], exposure_stops: float | int = 0.0) -> Float[Tensor, "h w 3"]:
    """The display-referred picture of rendered radiance, brightened by 2^`exposure_stops`."""
    return tonemap(radiance.permute(1, 2, 0), exposure_stops)
