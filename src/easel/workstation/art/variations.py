"""Litter: offspring around their parent, painted small, one after the other, beside the loop."""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from jaxtyping import Float
from torch import Tensor

from easel.fields.model.latents import Fields
from easel.graphics.contact_sheet import contact_sheet
from easel.workstation.art.genome import Specimen, Way, is_dull, rgb
from easel.workstation.art.viewport import Place

SIDE = 3
PLACES = SIDE * SIDE
PARENT = PLACES // 2
"""Where the parent stands among its offspring."""
THUMBNAIL = 112
"""Pixels along a side."""
GAP = 6
TRIES = 4
"""How many offspring are looked at until one shows something."""
PAPER, FRAME = 0.16, (0.35, 0.64, 1.0)


class Litter:
    """Offspring of one specimen in reading order, the parent in the middle; None where nothing is painted yet."""

    def __init__(self, parent: Specimen, way: Way, strength: float | int, generation: int) -> None:
        self.parent = parent
        self.way: Way = way
        self.strength, self.generation = strength, generation
        self.specimens: list[Specimen | None] = [None] * PLACES
        self.thumbnails: list[Tensor | None] = [None] * PLACES
        self.count = 0
        """How many are painted."""
        self.given_up = False
        """Nobody wants the rest."""

    def paint_in(self, executor: ThreadPoolExecutor) -> None:
        """Paint all of them, the parent first."""
        for place in sorted(range(PLACES), key=lambda place: place != PARENT):
            executor.submit(self._paint, place)

    def sheet(self) -> Float[Tensor, "h w 3"]:
        """All of them in one picture."""
        return framed_sheet(self.thumbnails, SIDE, PARENT)

    def _paint(self, place: int) -> None:
        if self.given_up:
            return
        for number in range(TRIES):
            specimen = self.parent
            if place != PARENT:
                specimen = self.parent.child(self.way, self.strength, self._number(place, number))
            try:
                picture = thumbnail(specimen)
            except (ValueError, RuntimeError):  # too large a graph, say: the next one is another
                continue
            self.specimens[place], self.thumbnails[place] = specimen, picture
            if place == PARENT or not is_dull(picture):
                break
        self.count += 1

    def _number(self, place: int, tried: int) -> int:
        return 1 + (self.generation * PLACES + place) * TRIES + tried


def thumbnail(specimen: Specimen, side: int = THUMBNAIL) -> Float[Tensor, "h w 3"]:
    """The whole of it, small."""
    window = Place().window
    return rgb(specimen.model.generate(fields=Fields((side, side), window), supersample=2))


def framed_sheet(pictures: Sequence[Tensor | None], columns: int, framed: int) -> Float[Tensor, "h w 3"]:
    """Thumbnails in reading order, one of them in a frame; what is still to come is grey."""
    empty = torch.full((THUMBNAIL, THUMBNAIL, 3), PAPER)
    sheet = contact_sheet([empty if p is None else p for p in pictures], columns=columns, gap=GAP, background=0.1)
    if 0 <= framed < len(pictures):
        pitch, edge = THUMBNAIL + GAP, GAP // 2
        top, left = (pitch * n + GAP - edge for n in divmod(framed, columns))
        picture = sheet[top + edge : top + edge + THUMBNAIL, left + edge : left + edge + THUMBNAIL].clone()
        sheet[top : top + THUMBNAIL + 2 * edge, left : left + THUMBNAIL + 2 * edge] = torch.tensor(FRAME)
        sheet[top + edge : top + edge + THUMBNAIL, left + edge : left + edge + THUMBNAIL] = picture
    return sheet


def place_at(point: tuple[float | int, float | int], columns: int, count: int) -> int | None:
    """The number of the thumbnail at a point (x, y) of a sheet; None between and beyond them."""
    column, row = (math.floor((n - GAP / 2) / (THUMBNAIL + GAP)) for n in point)
    number = row * columns + column
    return number if 0 <= column < columns and row >= 0 and number < count else None
