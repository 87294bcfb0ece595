"""Painting: the picture of a field in a viewport, coarse at once and finer by and by, beside the loop that shows it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import interpolate

from easel.fields.model.extent import Extent
from easel.fields.rendering.render import finished
from easel.fields.rendering.tiles import RenderSettings
from easel.workstation.art.genome import Genome
from easel.workstation.art.viewport import Size, Viewport
from easel.workstation.background import Background

PASSES = ((8, 1), (3, 1), (1, 1), (1, 2))
"""(pixels that a sample stands for along each axis, samples across it); the last is the picture as it is saved."""
WORK = [(samples / pixels) ** 2 for pixels, samples in PASSES]
"""Samples of each pass for a pixel of the picture."""
TILE_SAMPLES = 16_384
"""Samples of a tile: after each, a newer request is noticed and the new part of the picture can be shown."""


@dataclass(frozen=True, eq=False)
class Draft:
    """An unfinished picture; it is painted in place, and becomes finer while it is shown."""

    genome: Genome
    viewport: Viewport
    picture: Float[Tensor, "h w c"]
    pixels: Float[Tensor, "h w"]
    """Coarseness: the pixels that a value stands for along each axis. 1 is sharp, infinity nothing at all."""

    @property
    def size(self) -> Size:
        return self.picture.shape[0], self.picture.shape[1]

    def carried(self, viewport: Viewport, size: Size) -> "Draft":
        """Return the draft of another viewport of the same field, as far as this one has its values."""
        rows, known_rows = _sources(self, viewport, size, 0)
        columns, known_columns = _sources(self, viewport, size, 1)
        picture, pixels = self.picture[rows][:, columns], self.pixels[rows][:, columns]
        known = known_rows[:, None] & known_columns[None]
        # A step is the distance of two pixels: nearer by, a value stands for so many pixels more.
        old_steps, new_steps = self.viewport.steps(self.size), viewport.steps(size)
        magnified = max(old / new for old, new in zip(old_steps, new_steps, strict=True))
        return Draft(self.genome, viewport, picture, (pixels * magnified).where(known, torch.inf))

    def borrow(self, other: "Draft") -> None:
        """Take over the values that another draft has finer; of another field only where there are none yet."""
        if other.genome is self.genome:
            found = other.carried(self.viewport, self.size)
            better = found.pixels < self.pixels
            self.pixels.copy_(torch.minimum(self.pixels, found.pixels))
        else:
            # A stand-in, not a part of this field: its pixels count for nothing, so that all of them are painted over.
            found = other.carried(other.viewport, self.size)
            better = self.pixels.isinf()
        self.picture.copy_(torch.where(better[..., None], found.picture, self.picture))

    def take(self, samples: Float[Tensor, "rows columns c"], pixels: int) -> None:
        """Fill in a coarse picture wherever nothing finer is known."""
        # Bilinear: squares of eight pixels would be seen as a pattern of the field.
        fine = interpolate(samples.permute(2, 0, 1)[None], self.size, mode="bilinear")[0].permute(1, 2, 0)
        better = self.pixels > pixels
        self.picture.copy_(torch.where(better[..., None], fine, self.picture))
        self.pixels.masked_fill_(better, float(pixels))


class Painting:
    """Paints in a thread of its own; the newest request wins."""

    def __init__(self) -> None:
        self.draft: Draft | None = None
        self.version = 0
        """Counts the changes of the picture in `draft`."""
        self.progress = 0.0
        """Share of the work on the draft that is done, in [0, 1]."""
        self.failure = ""
        """The error that ended it, in one line."""
        self._painter = Background[None]("art")

    @property
    def settled(self) -> bool:
        """True once the picture will not become finer."""
        return self.draft is not None and (self.progress == 1.0 or bool(self.failure))

    def show(self, genome: Genome, viewport: Viewport, size: Size) -> None:
        """Paint this from now on, unless it is being painted; the values that are known of it are shown at once."""
        old = self.draft
        if old is not None and (old.genome, old.viewport, old.size) == (genome, viewport, size):
            return
        # Pictures with other channels cannot stand in for each other.
        channels = genome.recipe.output_shape[-1]
        if old is None or old.picture.shape[-1] != channels:
            draft = Draft(genome, viewport, torch.zeros(*size, channels), torch.full(size, torch.inf))
        elif old.genome is genome:
            draft = old.carried(viewport, size)
        else:  # until the first tile is there, the picture before is better than none
            before = old.carried(old.viewport, size)
            draft = Draft(genome, viewport, before.picture, torch.full(size, torch.inf))
        # Exchanged as a whole: the painter compares it with its own to see that it is outdated.
        self.draft = draft
        self.progress = 0.0
        self.failure = ""
        self.version += 1
        self._painter.start(self._paint, draft)

    def close(self) -> None:
        """Stop painting."""
        self.draft = None
        self._painter.close()

    def _paint(self, draft: Draft) -> None:
        if self.draft is not draft:
            return
        try:
            for number, (pixels, samples) in enumerate(PASSES):
                if pixels > 1 and bool((draft.pixels <= pixels).all()):
                    continue
                # The coarsest pass is always finished: while a person moves on and on, there is something new to see.
                for share in self._pass(draft, pixels, samples):
                    if self.draft is draft:
                        self.progress = (sum(WORK[:number]) + share * WORK[number]) / sum(WORK)
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
        model, (height, width) = draft.genome.model, draft.size
        size = (-(-height // pixels), -(-width // pixels))
        extent = draft.viewport.extent
        if pixels > 1:
            # Rounded up, the coarse picture has another aspect: its extent is that of the fine one, stretched.
            extent = Extent(draft.viewport.stretched(draft.size), center=draft.viewport.center)
        extent = replace(extent, latent_scale=model.recipe.coordinate_scale)
        count = size[0] * size[1]
        # The sharp passes write into the picture that is shown, the coarse ones are laid under it at their end.
        flat = draft.picture.view(count, -1) if pixels == 1 else torch.empty(count, draft.picture.shape[2])
        # Rounded up: at least one.
        tiles = -(-count // TILE_SAMPLES)
        given = {"window": extent, "calibration": model.calibration(), "supersample": samples}
        start = 0
        for values in finished(model.map_fn, size, RenderSettings(**given, splits=tiles, fused=False)):
            flat[start : start + len(values)] = values.cpu()
            start += len(values)
            # A coarse pass is laid into the picture only at its end.
            self.version += pixels == 1
            yield start / count
        if pixels > 1:
            draft.take(flat.view(*size, -1), pixels)
        else:
            draft.pixels.fill_(1.0)


def _sources(draft: Draft, viewport: Viewport, size: Size, axis: int) -> tuple[Int[Tensor, " n"], Bool[Tensor, " n"]]:
    """Return, along an axis of another viewport, each pixel's index in a draft, and whether the draft reaches there."""
    here, there = viewport.steps(size)[axis], draft.viewport.steps(draft.size)[axis]
    middle = (viewport.center[axis] - draft.viewport.center[axis]) / there + draft.size[axis] / 2
    # float64: at a high zoom, float32 would round to a neighbouring pixel, and the picture would tremble.
    at = (torch.arange(size[axis], dtype=torch.float64) + 0.5 - size[axis] / 2) * (here / there) + middle
    index = at.floor()
    inside = (index >= 0) & (index < draft.size[axis])
    return index.clamp(0, draft.size[axis] - 1).long(), inside
