"""What a dataset hands out: one material as photographed and as it is, and several of them as a batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Shaped, UInt16
from torch import Tensor

from easel.graphics.image import as_values
from easel.materials.dataset.views import Source
from easel.materials.maps import MaterialMaps
from easel.materials.tiles import Window


@dataclass(frozen=True, eq=False)
class Sample:
    """The photos of one material and its maps, in one frame where the photos are rectified."""

    id: str
    """Folder of the photos, such as "sample_0000"."""
    source: Source
    """Which renders: pristine ones or those with artefacts."""
    material: str
    """Folder of the maps."""
    photos: Float[Tensor, "n 3 h w"]
    """sRGB in [0, 1]."""
    valid: Float[Tensor, "n 1 h w"]
    """1 where the photo shows the texel, 0 elsewhere."""
    cameras: Float[Tensor, "n 3"]
    """Where each camera was: x right, y up, z towards it, in sides of the tile from its centre; NaN if unknown."""
    maps: MaterialMaps
    """What is to be recovered, (C, H, W) each; their size may be a multiple of the photos'."""
    notes: tuple[str, ...] = ()
    """Photos that could not be brought into the frame, and why: a line each."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Samples side by side, as a network takes them."""

    views: Float[Tensor, "b n 3 h w"]
    """Photos, normalised as the config's `transform` says."""
    valid: Float[Tensor, "b n 1 h w"]
    """1 where the photo shows the texel, 0 elsewhere; all 0 for a photo that this step hides."""
    cameras: Float[Tensor, "b n 3"]
    """Where each camera was: x right, y up and z towards it, in sides of the picture from its centre; NaN where
    unknown."""
    maps: MaterialMaps
    """(B, C, H, W) each."""
    ids: tuple[str, ...]
    """Such as "sample_0000/clean"."""
    answers: MaterialMaps | None = None
    """What a teacher said of the samples, cut and turned as `maps`; for students."""

    def to(self, device: torch.device | str) -> "Batch":
        """The same on another device; the CPU does not wait where its memory is locked."""
        return self._each(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> "Batch":
        """The same in memory locked for a GPU to read; what a DataLoader calls."""
        return self._each(Tensor.pin_memory)

    def rows(self, rows: slice) -> "Batch":
        """Some of the samples."""
        return replace(self._each(lambda tensor: tensor[rows]), ids=self.ids[rows])

    def focused(self, window: Window) -> "Batch":
        """The same photos, with what is true of a window."""
        answers = self.answers and self.answers.each(window.cut)
        return replace(self, maps=self.maps.each(window.cut), answers=answers)

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        answers = self.answers and self.answers.each(change)
        maps = self.maps.each(change)
        return Batch(change(self.views), change(self.valid), change(self.cameras), maps, self.ids, answers)


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


LARGEST = {torch.uint8: 255, torch.uint16: 65535}


@dataclass(frozen=True, eq=False)
class Record:
    """The photos of one sample, all of one size, and its maps."""

    photos: Shaped[Tensor, "n 3 h w"]
    """uint8 or uint16 of the largest number for 1, with `margin` more than the tile on every side."""
    valid: Bool[Tensor, "n 1 h w"]
    """Where a photo shows the texel."""
    cameras: Float[Tensor, "n 3"]
    """In sides of the tile from its centre; NaN where unknown."""
    maps: UInt16[Tensor, "8 h2 w2"]
    """Of the tile alone, all in [0, 65535]; normals as n/2 + 1/2."""
    margin: int = 0
    """In pixels of the photos."""
    notes: tuple[str, ...] = ()
    """Photos that could not be brought into the frame, and why: a line each."""

    @property
    def size_bytes(self) -> int:
        return sum(tensor.nbytes for tensor in (self.photos, self.valid, self.cameras, self.maps))

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the tile in pixels of the photos."""
        height, width = self.photos.shape[-2:]
        return height - 2 * self.margin, width - 2 * self.margin

    def cut(self, window: Window, views: list[int]) -> "Cut":
        """What `window`, in pixels of the photos from the tile's top left, shows of the photos `views` and the maps.

        It may reach into the margin; the maps go on there as the texture does, by repeating. `window` must begin and
        end between two texels of the maps.
        """
        inside = Window(window.top + self.margin, window.left + self.margin, window.height, window.width)
        (height, width), (map_height, map_width) = self.size, self.maps.shape[-2:]
        lengths = (window.top, map_height, height), (window.left, map_width, width)
        top, left = (start * fine // coarse % fine for start, fine, coarse in lengths)
        rows, columns = window.height * map_height // height, window.width * map_width // width
        return Cut(
            as_values(inside.cut(self.photos)[views]),
            inside.cut(self.valid)[views].float(),
            window.positions(self.cameras[views], self.size),
            unpack_maps(Window(top, left, rows, columns).cut(self.maps)),
        )


@dataclass(frozen=True, eq=False)
class Cut:
    """Photos and maps of one window, in numbers to compute with."""

    photos: Float[Tensor, "n 3 h w"]
    """sRGB in [0, 1]."""
    valid: Float[Tensor, "n 1 h w"]
    """1 where the photo shows the texel, 0 elsewhere."""
    cameras: Float[Tensor, "n 3"]
    """In sides of the window from its centre; NaN where unknown."""
    maps: MaterialMaps
    """(C, H, W) each."""
    answers: MaterialMaps | None = None
    """What a teacher said of the same window."""


def pack(values: Float[Tensor, "*shape"], dtype: torch.dtype) -> Shaped[Tensor, "*shape"]:
    """Values in [0, 1] as the nearest uint8 or uint16; `easel.graphics.image.as_values` undoes it."""
    return (values * LARGEST[dtype]).round().to(dtype)


def pack_maps(maps: MaterialMaps) -> UInt16[Tensor, "8 h w"]:
    """In 16 bits, which hold what 8 and 16-bit files say exactly."""
    values = torch.cat([maps.albedo, maps.roughness, maps.metallic, maps.normal / 2 + 0.5], dim=-3)
    return pack(values.clamp(0, 1), torch.uint16)


def unpack_maps(packed: UInt16[Tensor, "8 h w"]) -> MaterialMaps:
    maps = MaterialMaps.from_tensor(as_values(packed))
    normal = maps.normal * 2 - 1
    # They had length 1 but for the rounding. A sum of squares takes a fifth of the time of a norm over planes.
    normal = normal / normal.square().sum(-3, keepdim=True).sqrt()
    return MaterialMaps(maps.albedo, maps.roughness, maps.metallic, normal)


class Cache:
    """Records by name, as many as fit; whoever comes first stays.

    An epoch asks for every sample once, in a new order each time. Throwing out the oldest for the newest, as caches
    usually do, would then find nothing at all as soon as one record does not fit.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.size_bytes = 0
        self._records: dict[int, Record] = {}

    def get(self, index: int) -> Record | None:
        return self._records.get(index)

    def put(self, index: int, record: Record) -> None:
        if self.size_bytes + record.size_bytes <= self.limit_bytes:
            self.size_bytes += record.size_bytes
            self._records[index] = record
