"""One material's photos and maps: packed as memory keeps them, cropped as augmentation takes them, in batches.

    PackedSample  → crop(window, views) →  Cut  → DataLoader →  Batch          training
    PackedSample  →                        Sample                               looking at a dataset

Photos are sRGB in [0, 1]; `valid` is 1 where a photo shows the texel and 0 elsewhere; `cameras` are positions, x right,
y up and z towards the camera, in sides of the tile (of the crop, of the picture) from its centre, NaN where unknown.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Shaped, UInt16
from torch import Tensor

from easel.graphics.image import as_values
from easel.materials.dataset.views import Source
from easel.materials.maps import MaterialMaps
from easel.materials.tiles import Crop

Numbers = Sequence[float | int]

LARGEST = {torch.uint8: 255, torch.uint16: 65535}
"""Integer that stands for 1."""


@dataclass(frozen=True, eq=False)
class Sample:
    """The photos of one material and its maps, in one frame where the photos are rectified."""

    id: str
    """Folder of the photos, such as "sample_0000"."""
    source: Source
    """Pristine photos, or those with artefacts."""
    material: str
    """Folder of the maps."""
    photos: Float[Tensor, "n 3 h w"]
    """sRGB in [0, 1]."""
    valid: Float[Tensor, "n 1 h w"]
    """1 where the photo shows the texel, 0 elsewhere."""
    cameras: Float[Tensor, "n 3"]
    """Positions: x right, y up, z towards the camera, in sides of the tile from its centre; NaN if unknown."""
    maps: MaterialMaps
    """Ground truth, (C, H, W) each; their size may be a multiple of the photos'."""
    notes: tuple[str, ...] = ()
    """Photos that could not be brought into the frame, and why: a line each."""


@dataclass(frozen=True, eq=False)
class PackedSample:
    """Photos of one sample, all of one size, and its maps, in the integers of the files they came from."""

    photos: Shaped[Tensor, "n 3 h w"]
    """uint8 or uint16 of the largest number for 1, with `margin` more than the tile on every side."""
    valid: Bool[Tensor, "n 1 h w"]
    cameras: Float[Tensor, "n 3"]
    maps: UInt16[Tensor, "c h2 w2"]
    """Maps of the tile alone, all in [0, 65535]; normals as n/2 + 1/2."""
    margin: int = 0
    """Pixels of the photos beyond the tile."""
    notes: tuple[str, ...] = ()
    """Photos that could not be brought into the frame, and why: a line each."""

    @property
    def size_bytes(self) -> int:
        """Memory that the tensors take."""
        return sum(tensor.nbytes for tensor in (self.photos, self.valid, self.cameras, self.maps))

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the tile in pixels of the photos."""
        height, width = self.photos.shape[-2:]
        return height - 2 * self.margin, width - 2 * self.margin

    def crop(self, window: Crop, views: list[int]) -> "Cut":
        """Return the part of the photos `views` and of the maps in `window`, in pixels from the tile's top left.

        It may reach into the margin; the maps go on there as the texture does, by repeating. `window` must begin and
        end between two texels of the maps.
        """
        inside = Crop(window.top + self.margin, window.left + self.margin, window.height, window.width)
        height, width = self.size
        map_height, map_width = self.maps.shape[-2:]
        # Maps have no margin: what lies left of or above the tile comes in from the other side
        of_maps = Crop(
            window.top * map_height // height % map_height,
            window.left * map_width // width % map_width,
            window.height * map_height // height,
            window.width * map_width // width,
        )
        photos = as_values(inside.cut(self.photos)[views])
        valid = inside.cut(self.valid)[views].float()
        cameras = window.positions(self.cameras[views], self.size)
        return Cut(photos, valid, cameras, unpack_maps(of_maps.cut(self.maps)))


@dataclass(frozen=True, eq=False)
class Cut:
    """Photos and maps of one window, in floats."""

    photos: Float[Tensor, "n 3 h w"]
    valid: Float[Tensor, "n 1 h w"]
    cameras: Float[Tensor, "n 3"]
    maps: MaterialMaps
    """(C, H, W) each."""
    answers: MaterialMaps | None = None
    """A teacher's maps of the same window."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Samples side by side, as a network takes them."""

    views: Float[Tensor, "b n 3 h w"]
    """Photos, normalised as the config's `transform` says."""
    valid: Float[Tensor, "b n 1 h w"]
    """1 where the photo shows the texel, 0 elsewhere; all 0 for a photo that this step hides."""
    cameras: Float[Tensor, "b n 3"]
    maps: MaterialMaps
    """(B, C, H, W) each."""
    ids: tuple[str, ...]
    """Names of the samples, such as "sample_0000/clean"."""
    answers: MaterialMaps | None = None
    """A teacher's maps of the samples, cut and turned as `maps`; for students."""

    def to(self, device: torch.device | str) -> "Batch":
        """Return a copy on another device; the CPU does not wait where its memory is locked."""
        return self._each(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> "Batch":
        """Return a copy in memory locked for a GPU to read. A DataLoader calls this."""
        return self._each(Tensor.pin_memory)

    def rows(self, rows: slice) -> "Batch":
        """Return some of the samples; views."""
        return replace(self._each(lambda tensor: tensor[rows]), ids=self.ids[rows])

    def focused(self, window: Crop) -> "Batch":
        """Return the same photos with the maps of a window of them."""
        answers = self.answers and self.answers.each(window.cut)
        return replace(self, maps=self.maps.each(window.cut), answers=answers)

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        answers = self.answers and self.answers.each(change)
        maps = self.maps.each(change)
        return Batch(change(self.views), change(self.valid), change(self.cameras), maps, self.ids, answers)


def normalize(
    photos: Float[Tensor, "*b 3 h w"], valid: Float[Tensor, "*b 1 h w"], mean: Numbers, std: Numbers
) -> Float[Tensor, "*b 3 h w"]:
    """Return (photo − mean) / std of each channel, and 0 where a photo does not show the texel."""
    return (photos - _per_channel(mean, photos)) / _per_channel(std, photos) * valid


def denormalize(views: Float[Tensor, "*b 3 h w"], mean: Numbers, std: Numbers) -> Float[Tensor, "*b 3 h w"]:
    """Return the photos that `normalize` was given, in [0, 1], and the mean where they did not show the texel."""
    return (views * _per_channel(std, views) + _per_channel(mean, views)).clamp(0, 1)


def _per_channel(numbers: Numbers, like: Tensor) -> Float[Tensor, "3 1 1"]:
    return like.new_tensor(numbers).view(3, 1, 1)


def pack(values: Float[Tensor, "*shape"], dtype: torch.dtype) -> Shaped[Tensor, "*shape"]:
    """Return values in [0, 1] as the nearest uint8 or uint16; `easel.graphics.image.as_values` undoes it."""
    return (values * LARGEST[dtype]).round().to(dtype)


def pack_maps(maps: MaterialMaps) -> UInt16[Tensor, "c h w"]:
    """Return maps in 16 bits, which hold the values of 8 and 16-bit files exactly. Inverse of `unpack_maps`."""
    encoded = replace(maps, normal=maps.normal / 2 + 0.5)
    return pack(encoded.to_tensor().clamp(0, 1), torch.uint16)


def unpack_maps(packed: UInt16[Tensor, "c h w"]) -> MaterialMaps:
    """Return the maps of `pack_maps`, normals of length 1."""
    maps = MaterialMaps.from_tensor(as_values(packed))
    normal = maps.normal * 2 - 1
    # They had length 1 but for the rounding. A sum of squares takes a fifth of the time of a norm over planes.
    return replace(maps, normal=normal / normal.square().sum(-3, keepdim=True).sqrt())


class Cache:
    """Packed samples by index, as many as fit; whoever comes first stays.

    An epoch asks for every sample once, in a new order each time. Throwing out the oldest for the newest, as caches
    usually do, would then find nothing at all as soon as one sample does not fit.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.size_bytes = 0
        self._samples: dict[int, PackedSample] = {}

    def get(self, index: int) -> PackedSample | None:
        """Return the sample, or None where it is not kept."""
        return self._samples.get(index)

    def put(self, index: int, sample: PackedSample) -> None:
        """Keep the sample if it fits."""
        if self.size_bytes + sample.size_bytes <= self.limit_bytes:
            self.size_bytes += sample.size_bytes
            self._samples[index] = sample
