"""Variations: neighbours of a genome around it in a sheet of thumbnails, painted one after the other in a thread."""

import math
from collections.abc import Sequence
from contextlib import suppress

import torch
from jaxtyping import Float
from torch import Tensor

from easel.fields.model.latents import Fields
from easel.fields.rendering import calibration
from easel.graphics.contact_sheet import contact_sheet
from easel.workstation.art.genome import Genome, Varied, rgb
from easel.workstation.art.viewport import Viewport
from easel.workstation.background import Background, Dropped

SIDE = 3
COUNT = SIDE * SIDE
PARENT = COUNT // 2
"""Number of the thumbnail in the middle, which is the genome itself."""
THUMBNAIL, SUPERSAMPLE = calibration.THUMBNAIL[2]
"""Pixels along a side."""
GAP = 6
TRIES = 4
"""Variations that are painted for one place until one shows something."""
PAPER = 0.16
FRAME = (0.35, 0.64, 1.0)


class Variations:
    """Variations of one genome in reading order, the genome itself in the middle; None where none is painted yet."""

    def __init__(self, parent: Genome, varied: Varied, strength: float | int, generation: int) -> None:
        self.parent = parent
        self.varied: Varied = varied
        self.strength = strength
        self.generation = generation
        """Number of the sheet: each has other variations of the same genome."""
        self.genomes: list[Genome | None] = [None] * COUNT
        self.thumbnails: list[Tensor | None] = [None] * COUNT
        self.count = 0
        """Number of thumbnails that are painted."""

    def paint(self, background: Background[None]) -> None:
        """Paint all of them, the parent first; called in the thread of `background`, whose next request ends it."""
        with suppress(Dropped):
            # The parent first: its thumbnail is also that of the history.
            for number in sorted(range(COUNT), key=lambda number: number != PARENT):
                background.report(self.count / COUNT)
                self._paint(number)

    def sheet(self) -> Float[Tensor, "h w 3"]:
        """Return all thumbnails in one picture."""
        return framed_sheet(self.thumbnails, SIDE, PARENT)

    def _paint(self, number: int) -> None:
        for attempt in range(TRIES):
            genome = self.parent
            if number != PARENT:
                # Every attempt of every sheet has a number of its own, so that no variation comes up twice.
                draw = 1 + (self.generation * COUNT + number) * TRIES + attempt
                genome = self.parent.variation(self.varied, self.strength, draw)
            try:
                picture = thumbnail(genome)
            except (ValueError, RuntimeError):  # too large a graph, say: the next attempt is another
                continue
            self.genomes[number] = genome
            # Also of one that shows nothing: after the last attempt there is nothing better.
            self.thumbnails[number] = picture
            if number == PARENT or not calibration.is_dull(picture):
                break
        self.count += 1


def thumbnail(genome: Genome, side: int = THUMBNAIL) -> Float[Tensor, "h w 3"]:
    """Paint the whole field, small."""
    return rgb(genome.model.generate(fields=Fields((side, side), Viewport().extent), supersample=SUPERSAMPLE))


def framed_sheet(pictures: Sequence[Tensor | None], columns: int, framed: int) -> Float[Tensor, "h w 3"]:
    """Return thumbnails in reading order, one of them in a frame; those that are still to come are grey."""
    empty = torch.full((THUMBNAIL, THUMBNAIL, 3), PAPER)
    sheet = contact_sheet([empty if p is None else p for p in pictures], columns=columns, gap=GAP, background=0.1)
    if 0 <= framed < len(pictures):
        row, column = divmod(framed, columns)
        pitch = THUMBNAIL + GAP
        top = pitch * row + GAP
        left = pitch * column + GAP
        # The frame takes half of the gap on every side, so that those of two neighbours would not touch.
        edge = GAP // 2
        picture = sheet[top : top + THUMBNAIL, left : left + THUMBNAIL].clone()
        sheet[top - edge : top + THUMBNAIL + edge, left - edge : left + THUMBNAIL + edge] = torch.tensor(FRAME)
        sheet[top : top + THUMBNAIL, left : left + THUMBNAIL] = picture
    return sheet


def number_at(point: tuple[float | int, float | int], columns: int, count: int) -> int | None:
    """Return the number of the thumbnail at a point (x, y) of a sheet; None beyond them."""
    # A gap belongs half to each of its neighbours.
    column, row = (math.floor((n - GAP / 2) / (THUMBNAIL + GAP)) for n in point)
    number = row * columns + column
    return number if 0 <= column < columns and row >= 0 and number < count else None
