"""What a dataset hands out: one material as photographed and as it is, and several of them as a batch."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from easel.materials.maps import MaterialMaps
from easel.materials.tiles import Window

Source = Literal["clean", "dirty"]


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
