"""Painting: the picture of a field in a window, coarse at once and finer by and by, beside the loop that shows it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import interpolate

from easel.fields.model.extent import Window
from easel.fields.rendering.render import finished
from easel.workstation.art.genome import Specimen
from easel.workstation.art.viewport import Place, Size

PASSES = ((8, 1), (3, 1), (1, 1), (1, 2))
"""(pixels that a sample stands for along each axis, samples across it); the last is the picture as it is saved."""
TILE_SAMPLES = 16_384
"""After so many a newer request is noticed, and what there is can be seen."""


@dataclass(frozen=True, eq=False)
class Draft:
    """A picture in the making."""

    specimen: Specimen
    place: Place
    picture: Float[Tensor, "h w c"]
    pixels: Float[Tensor, "h w"]
    """How many pixels what is there stands for along each axis: 1 is sharp, infinity nothing at all."""

    @property
    def size(self) -> Size:
        return self.picture.shape[0], self.picture.shape[1]

    def carried(self, place: Place, size: Size) -> "Draft":
        """What this one already knows of another window of the same field."""
        rows, known_rows = _sources(self, place, size, 0)
        columns, known_columns = _sources(self, place, size, 1)
        picture, pixels = self.picture[rows][:, columns], self.pixels[rows][:, columns]
        known = known_rows[:, None] & known_columns[None]
        magnified = max(
            new / old for new, old in zip(_density(place, size), _density(self.place, self.size), strict=True)
        )
        return Draft(self.specimen, place, picture, (pixels * magnified).where(known, torch.inf))

    def borrow(self, other: "Draft") -> None:
        """Show what another one knows better; of another field only until there is something of this one."""
        same = other.specimen is self.specimen
        found = other.carried(self.place if same else other.place, self.size)
        better = found.pixels < self.pixels if same else self.pixels.isinf()
        self.picture.copy_(torch.where(better[..., None], found.picture, self.picture))
        if same:
            self.pixels.copy_(torch.minimum(self.pixels, found.pixels))

    def take(self, samples: Float[Tensor, "rows columns c"], pixels: int) -> None:
        """Lay a coarse picture under what is known better."""
        fine = interpolate(samples.permute(2, 0, 1)[None], self.size, mode="bilinear")[0].permute(1, 2, 0)
        better = self.pixels > pixels
        self.picture.copy_(torch.where(better[..., None], fine, self.picture))
        self.pixels.masked_fill_(better, float(pixels))


class Painting:
    """Paints in a thread of its own; the newest request wins."""

    def __init__(self) -> None:
        self.draft: Draft | None = None
        self.version = 0
        """Counts what can be seen anew in `draft`."""
        self.progress = 0.0
        """Share of the work on it that is done."""
        self.failure = ""
        """Why it cannot be painted."""
        self._painter = ThreadPoolExecutor(1, "easel-art")

    @property
    def settled(self) -> bool:
        """Nothing will become finer."""
        return self.draft is not None and (self.progress == 1.0 or bool(self.failure))

    def show(self, specimen: Specimen, place: Place, size: Size) -> None:
        """Paint this from now on, unless it is what is being painted; what is known of it is seen at once."""
        old = self.draft
        if old is not None and (old.specimen, old.place, old.size) == (specimen, place, size):
            return
        channels = specimen.recipe.output_shape[-1]
        if old is None or old.picture.shape[-1] != channels:
            draft = Draft(specimen, place, torch.zeros(*size, channels), torch.full(size, torch.inf))
        elif old.specimen is specimen:
            draft = old.carried(place, size)
        else:  # until the first tile is there, the picture before is better than none
            before = old.carried(old.place, size)
            draft = Draft(specimen, place, before.picture, torch.full(size, torch.inf))
        self.draft, self.progress, self.failure = draft, 0.0, ""
        self.version += 1
        self._painter.submit(self._paint, draft)

    def close(self) -> None:
        """Give up what is being painted."""
        self.draft = None
        self._painter.shutdown(cancel_futures=True)

    def _paint(self, draft: Draft) -> None:
        if self.draft is not draft:
            return
        try:
            for number, (pixels, samples) in enumerate(PASSES):
                if pixels > 1 and bool((draft.pixels <= pixels).all()):
                    continue
                # The coarsest is always finished: while a hand moves on and on, there is something new to see.
                for share in self._pass(draft, pixels, samples):
                    if self.draft is draft:
                        self.progress = (sum(map(_work, PASSES[:number])) + share * _work((pixels, samples))) / WORK
                    elif number:
                        return
                newest = self.draft
                if newest is not None and newest is not draft and newest.picture.shape[2] == draft.picture.shape[2]:
                    newest.borrow(draft)
                self.version += 1
                if newest is not draft:
                    return
        except (ValueError, RuntimeError, MemoryError) as error:
            if self.draft is draft:
                self.failure = " ".join(str(error).split()) or type(error).__name__
                self.version += 1

    def _pass(self, draft: Draft, pixels: int, samples: int) -> Iterator[float]:
        """Paint it once; yields the share that is done."""
        model, (height, width) = draft.specimen.model, draft.size
        size = (-(-height // pixels), -(-width // pixels))
        window = draft.place.window
        if pixels > 1:
            window = Window(draft.place.stretched(draft.size), center=draft.place.center)
        window = replace(window, latent_scale=model.recipe.coordinate_scale)
        count, start = size[0] * size[1], 0
        flat = draft.picture.view(count, -1) if pixels == 1 else torch.empty(count, draft.picture.shape[2])
        tiles = -(-count // TILE_SAMPLES)
        look: dict[str, Any] = {"window": window, "calibration": model.calibration(), "supersample": samples}
        for values in finished(model.map_fn, size, **look, splits=tiles, fused=False):
            flat[start : start + len(values)] = values.cpu()
            start += len(values)
            self.version += pixels == 1
            yield start / count
        if pixels > 1:
            draft.take(flat.view(*size, -1), pixels)
        else:
            draft.pixels.fill_(1.0)


def _work(step: tuple[int, int]) -> float:
    """Samples of a pass for a pixel."""
    return (step[1] / step[0]) ** 2


WORK = sum(map(_work, PASSES))


def _density(place: Place, size: Size) -> tuple[float, float]:
    """Pixels for a unit of the field, down and right."""
    down, right = place.steps(size)
    return 1 / down, 1 / right


def _sources(draft: Draft, place: Place, size: Size, axis: int) -> tuple[Int[Tensor, " n"], Bool[Tensor, " n"]]:
    """Along an axis: which pixel of a draft shows what each pixel of another window does, and whether one does."""
    here, there = place.steps(size)[axis], draft.place.steps(draft.size)[axis]
    middle = (place.center[axis] - draft.place.center[axis]) / there + draft.size[axis] / 2
    at = (torch.arange(size[axis], dtype=torch.float64) + 0.5 - size[axis] / 2) * (here / there) + middle
    index = at.floor()
    inside = (index >= 0) & (index < draft.size[axis])
    return index.clamp(0, draft.size[axis] - 1).long(), inside
