"""More photographs from those there are: mirrored, turned and moved together with everything that belongs to them."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from easel.graphics.color import linear_to_srgb, srgb_to_linear
from easel.materials.dataset.keys import key
from easel.materials.dataset.sample import Cut, PackedSample
from easel.materials.tiles import Crop


@dataclass(frozen=True)
class Augmentation:
    """What may be done to a sample; nothing by default."""

    horizontal_flip: bool = False
    """Mirror left and right, every second time."""
    vertical_flip: bool = False
    """Mirror up and down, every second time."""
    rotation: bool = False
    """Turn by a random multiple of 90 degrees; of 180 where the picture is not square."""
    crop_size: int | None = None
    """Cut a random square of this many pixels of the photos; None takes as much as one tile."""
    shift: bool = False
    """Where records have a margin, cut as if the tile began elsewhere on the plane, up to the margin away."""
    exposure_stops: float = 0.0
    """Each photo gets this much brighter or darker at most, in linear light."""
    white_balance: float = 0.0
    """Each photo's red and blue change by this share at most, in linear light."""


def draw(record: PackedSample, views: list[int], augmentation: Augmentation, seed: int, epoch: int, index: int) -> Cut:
    """A random cut of the photos `views` and the maps of a sample; the same for the same seed, epoch and index."""
    cut = record.crop(random_window(record, augmentation, seed, epoch, index), views)
    if augmentation.horizontal_flip and _chance(seed, epoch, index, "flip_h") < 0.5:
        cut = flip_h(cut)
    if augmentation.vertical_flip and _chance(seed, epoch, index, "flip_v") < 0.5:
        cut = flip_v(cut)
    if augmentation.rotation:
        quarters = math.floor(4 * _chance(seed, epoch, index, "rotation"))
        square = cut.photos.shape[-1] == cut.photos.shape[-2]
        cut = rot90(cut, quarters if square else quarters // 2 * 2)
    if augmentation.exposure_stops or augmentation.white_balance:
        gains = random_gains(len(views), augmentation, key(seed, epoch, index, "light"))
        cut = Cut(brighten(cut.photos, gains), cut.valid, cut.cameras, cut.maps)
    return cut


def random_window(record: PackedSample, augmentation: Augmentation, seed: int, epoch: int, index: int) -> Crop:
    """Where a sample is cut, in pixels of its photos from the tile's top left."""
    margin = record.margin if augmentation.shift else 0
    corner, lengths = [], []
    for axis, (pixels, texels) in enumerate(zip(record.size, record.maps.shape[-2:], strict=True)):
        length = augmentation.crop_size or pixels
        step = pixels // math.gcd(pixels, texels)  # the fewest pixels that are whole texels
        if length > pixels or length % step:
            raise ValueError(
                f"crop_size {length} does not fit photos of {pixels} and maps of {texels} pixels: "
                f"take up to {pixels}, in multiples of {step}."
            )
        first, last = math.ceil(-margin / step), (margin + pixels - length) // step
        chosen = first + math.floor((last - first + 1) * _chance(seed, epoch, index, f"window{axis}"))
        corner.append(chosen * step)
        lengths.append(length)
    return Crop(*corner, *lengths)


def flip_h(cut: Cut) -> Cut:
    """Left and right swapped: the photos that a mirrored camera takes of the mirrored material in mirrored light."""
    mirror = cut.cameras.new_tensor([-1, 1, 1])
    return Cut(cut.photos.flip(-1), cut.valid.flip(-1), cut.cameras * mirror, cut.maps.flip_h())


def flip_v(cut: Cut) -> Cut:
    """Top and bottom swapped."""
    mirror = cut.cameras.new_tensor([1, -1, 1])
    return Cut(cut.photos.flip(-2), cut.valid.flip(-2), cut.cameras * mirror, cut.maps.flip_v())


def rot90(cut: Cut, k: int) -> Cut:
    """Turned by `k` quarters, counter-clockwise as one looks at the picture."""
    cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[k % 4]
    turn = cut.cameras.new_tensor([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    return Cut(cut.photos.rot90(k, (-2, -1)), cut.valid.rot90(k, (-2, -1)), cut.cameras @ turn.T, cut.maps.rot90(k))


def random_gains(count: int, augmentation: Augmentation, generator: torch.Generator) -> Float[Tensor, "n 3 1 1"]:
    """What the linear light of each photo's red, green and blue is multiplied by."""
    stops = augmentation.exposure_stops * (2 * torch.rand(count, 1, generator=generator) - 1)
    balance = augmentation.white_balance * (2 * torch.rand(count, 2, generator=generator) - 1)
    red, blue = (1 + balance).split(1, dim=1)
    return (2**stops * torch.cat([red, torch.ones_like(red), blue], dim=1))[..., None, None]


def brighten(photos: Float[Tensor, "n 3 h w"], gains: Float[Tensor, "n 3 1 1"]) -> Float[Tensor, "n 3 h w"]:
    """Photos with the linear light of each channel multiplied; what gets brighter than white is white."""
    return linear_to_srgb((srgb_to_linear(photos) * gains).clamp(0, 1))


def _chance(seed: int, epoch: int, index: int, stage: str) -> float:
    return float(torch.rand((), generator=key(seed, epoch, index, stage)))
