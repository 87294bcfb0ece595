"""What photos, never maps, go through before a network takes them."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor


def normalize(
    photos: Float[Tensor, "*b 3 h w"],
    valid: Float[Tensor, "*b 1 h w"],
    mean: Sequence[float | int],
    std: Sequence[float | int],
) -> Float[Tensor, "*b 3 h w"]:
    """(photo − mean) / std of each channel, and 0 where a photo does not show the texel."""
    shape = (3, 1, 1)
    return (photos - photos.new_tensor(mean).view(shape)) / photos.new_tensor(std).view(shape) * valid


def denormalize(
    views: Float[Tensor, "*b 3 h w"], mean: Sequence[float | int], std: Sequence[float | int]
) -> Float[Tensor, "*b 3 h w"]:
    """The photos that `normalize` was given, in [0, 1], and the mean where they did not show the texel."""
    shape = (3, 1, 1)
    return (views * views.new_tensor(std).view(shape) + views.new_tensor(mean).view(shape)).clamp(0, 1)
