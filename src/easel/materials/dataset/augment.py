"""Augmentation: photos mirrored, turned, moved and relit together with their cameras and maps.

A mirrored material under mirrored light, seen by a mirrored camera, is physically right; so is one that is turned by a
quarter, or whose tile begins elsewhere on the plane.
"""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from easel.graphics.color import linear_to_srgb, srgb_to_linear
from easel.materials.config import DataConfig
from easel.materials.dataset.keys import key
from easel.materials.dataset.sample import Cut, PackedSample
from easel.materials.tiles import Crop


@dataclass(frozen=True)
class Augmentation:
    """Changes that may be made to a sample; none by default."""

    horizontal_flip: bool = False
    """Mirror left and right, every second time on average."""
    vertical_flip: bool = False
    """Mirror up and down, every second time on average."""
    rotation: bool = False
    """Turn by a random multiple of 90 degrees; of 180 where the picture is not square."""
    crop_size: int | None = None
    """Cut a random square of this many pixels of the photos; None takes as much as one tile."""
    shift: bool = False
    """Cut records with a margin as if the tile began elsewhere on the plane, up to the margin away."""
    exposure_stops: float = 0.0
    """Most stops by which each photo gets brighter or darker, in linear light."""
    white_balance: float = 0.0
    """Largest share by which each photo's red and blue change, in linear light."""

    @staticmethod
    def of(data: DataConfig) -> "Augmentation":
        """Return the changes that a config asks for in training."""
        if not data.use_augmentation:
            return Augmentation(crop_size=data.crop_size)
        # Only a photo whose camera is known shows where the neighbouring tiles lie.
        shift = data.rectify == "camera"
        light = (data.exposure_jitter, data.white_balance_jitter)
        flips = (data.horizontal_flip, data.vertical_flip)
        return Augmentation(*flips, data.random_rotation, data.crop_size, shift, *light)


def draw(packed: PackedSample, views: list[int], augmentation: Augmentation, seed: int, epoch: int, index: int) -> Cut:
    """Draw a crop of the photos `views` and the maps of a sample; the same for the same seed, epoch and index."""
    cut = packed.crop(random_window(packed, augmentation, seed, epoch, index), views)
    # Each change has a key of its own: switching one off leaves the draws of the others as they were
    if augmentation.horizontal_flip and _chance(seed, epoch, index, "flip_h") < 0.5:
        cut = flip_h(cut)
    if augmentation.vertical_flip and _chance(seed, epoch, index, "flip_v") < 0.5:
        cut = flip_v(cut)
    if augmentation.rotation:
        quarters = math.floor(4 * _chance(seed, epoch, index, "rotation"))
        # Half turns alone keep the size of an oblong, which is the same in a whole batch
        square = cut.photos.shape[-1] == cut.photos.shape[-2]
        cut = rot90(cut, quarters if square else quarters // 2 * 2)
    if augmentation.exposure_stops or augmentation.white_balance:
        gains = random_gains(len(views), augmentation, key(seed, epoch, index, "light"))
        cut = replace(cut, photos=brighten(cut.photos, gains))
    return cut


def random_window(packed: PackedSample, augmentation: Augmentation, seed: int, epoch: int, index: int) -> Crop:
    """Draw the window of a sample, in pixels of its photos from the tile's top left.

    ValueError for a `crop_size` larger than the photos, or one that would cut texels of the maps.
    """
    margin = packed.margin if augmentation.shift else 0
    corner: list[int] = []
    lengths: list[int] = []
    for axis, (pixels, texels) in enumerate(zip(packed.size, packed.maps.shape[-2:], strict=True)):
        length = augmentation.crop_size or pixels
        # The fewest pixels that are whole texels: a window begins and ends between two of them
        step = pixels // math.gcd(pixels, texels)
        if length > pixels or length % step:
            raise ValueError(
                f"crop_size {length} does not fit photos of {pixels} and maps of {texels} pixels: "
                f"take up to {pixels}, in multiples of {step}."
            )
        first = math.ceil(-margin / step)
        last = (margin + pixels - length) // step
        chosen = first + math.floor((last - first + 1) * _chance(seed, epoch, index, f"window{axis}"))
        corner.append(chosen * step)
        lengths.append(length)
    return Crop(*corner, *lengths)


def flip_h(cut: Cut) -> Cut:
    """Swap left and right: the photos that a mirrored camera takes of the mirrored material in mirrored light."""
    mirror = cut.cameras.new_tensor([-1, 1, 1])
    return Cut(cut.photos.flip(-1), cut.valid.flip(-1), cut.cameras * mirror, cut.maps.flip_h())


def flip_v(cut: Cut) -> Cut:
    """Swap top and bottom."""
    mirror = cut.cameras.new_tensor([1, -1, 1])
    return Cut(cut.photos.flip(-2), cut.valid.flip(-2), cut.cameras * mirror, cut.maps.flip_v())


def rot90(cut: Cut, k: int) -> Cut:
    """Turn by `k` quarters, counter-clockwise as one looks at the picture."""
    # Whole numbers: math.cos of a quarter is 6e-17, not 0
    cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[k % 4]
    turn = cut.cameras.new_tensor([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    return Cut(cut.photos.rot90(k, (-2, -1)), cut.valid.rot90(k, (-2, -1)), cut.cameras @ turn.T, cut.maps.rot90(k))


def random_gains(count: int, augmentation: Augmentation, generator: torch.Generator) -> Float[Tensor, "n 3 1 1"]:
    """Draw the factors of each photo's linear red, green and blue light."""
    stops = augmentation.exposure_stops * (2 * torch.rand(count, 1, generator=generator) - 1)
    balance = augmentation.white_balance * (2 * torch.rand(count, 2, generator=generator) - 1)
    red, blue = (1 + balance).split(1, dim=1)
    return (2**stops * torch.cat([red, torch.ones_like(red), blue], dim=1))[..., None, None]


def brighten(photos: Float[Tensor, "n 3 h w"], gains: Float[Tensor, "n 3 1 1"]) -> Float[Tensor, "n 3 h w"]:
    """Multiply the linear light of each channel; what gets brighter than white is white."""
    return linear_to_srgb((srgb_to_linear(photos) * gains).clamp(0, 1))


def _chance(seed: int, epoch: int, index: int, stage: str) -> float:
    """Draw a number in [0, 1) for one stage of a sample."""
    return float(torch.rand((), generator=key(seed, epoch, index, stage)))
