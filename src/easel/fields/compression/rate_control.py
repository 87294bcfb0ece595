"""Compress a picture to a quality or to a number of bits: a run is a generator of trials, the last is the result."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from easel.fields.compression.compressed_file import file_bytes
from easel.fields.compression.detail_network import NO_NETWORK
from easel.fields.compression.picture import LARGEST_STEP, NETWORK_PIXELS, STEP_PARTS, CompressedPicture, Encoder

CLOSE = 0.985
"""A file of this share of the bytes allowed, or more, is not worth another trial."""
_TRIALS = 9
_TOLD_EVERY = 50
"""Steps of training."""


@dataclass(frozen=True)
class Effort:
    """How much work a picture is worth."""

    hidden: int
    """Units of the network; 0 leaves it out."""
    steps: int
    """Gradient steps of every round of training."""
    rounds: int
    """Times that the network is trained and the bands are chosen anew for it."""


EFFORTS = {
    "quick": Effort(hidden=0, steps=0, rounds=0),
    "balanced": Effort(hidden=12, steps=500, rounds=2),
    "best": Effort(hidden=16, steps=1500, rounds=4),
}


@dataclass(frozen=True)
class Trial:
    """A file that could be written now."""

    share: float
    """Of the work that is done, about."""
    coded: CompressedPicture

    @property
    def bytes(self) -> int:
        """Of the file."""
        return file_bytes(self.coded)


def step_for(quality: float | int) -> int:
    """The quantiser's step, in 1/64 grey level, for a quality from 0 to 100: twice as fine with every 14."""
    return min(round(STEP_PARTS * 2 * 2 ** ((100 - quality) / 14)), LARGEST_STEP)


def compress(
    picture: Float[Tensor, "h w c"],
    *,
    quality: float | int = 40.0,
    bits_per_pixel: float | int | None = None,
    effort: Effort = EFFORTS["balanced"],
    generator: torch.Generator,
) -> Iterator[Trial]:
    """Compress a picture in [0, 1] with 1, 3 or 4 channels; `bits_per_pixel` is a limit, and goes before `quality`.

    ValueError for a limit below the smallest file.
    """
    encoder = Encoder(picture)
    limit = None if bits_per_pixel is None else math.floor(bits_per_pixel * encoder.size[0] * encoder.size[1] / 8)
    plain = None
    for plain in _search(encoder.plain, step_for(quality), limit):
        yield Trial(0.1, plain)
    if plain is None:
        least = file_bytes(encoder.plain(LARGEST_STEP))
        raise ValueError(f"{limit} bytes are too few for this picture: it takes {least} at least. Allow more bits.")
    if effort.rounds == 0 or math.prod(encoder.size) > NETWORK_PIXELS:
        return
    coded, network, done = plain, NO_NETWORK, 0
    for _ in range(effort.rounds):
        for trained in encoder.train(coded, effort.hidden, effort.steps, generator=generator):
            done += 1
            if trained is not None:
                network = trained
            elif done % _TOLD_EVERY == 0:
                yield Trial(0.1 + 0.8 * done / (effort.rounds * effort.steps), plain)
        coded = encoder.with_network(coded, network)
    if limit is None:
        yield Trial(1.0, min(plain, coded, key=encoder.loss))
        return
    best = plain
    for refined in _search(lambda step: encoder.refined(step, network), coded.step, limit):
        best = min(best, refined, key=encoder.error)
        yield Trial(0.95, best)
    yield Trial(1.0, best)


def _search(
    coded_with: Callable[[int], CompressedPicture], step: int, limit: int | None
) -> Iterator[CompressedPicture]:
    """A picture coded with this step or, under a limit, with finer and finer steps that fit: none where none does."""
    if limit is None:
        yield coded_with(step)
        return
    finer, coarser = 0, LARGEST_STEP + 1  # too many bytes, and few enough
    for _ in range(_TRIALS):
        coded = coded_with(step)
        size = file_bytes(coded)
        if size <= limit:
            coarser = step
            yield coded
        else:
            finer = step
        if CLOSE * limit <= size <= limit or coarser - finer <= 1:
            break
        # Bytes fall about as fast as steps grow; where that leads out of the bracket, it is halved.
        step = round(step * min(max(size / (limit * (1 + CLOSE) / 2), 1 / 16), 16))
        if not finer < step < coarser:
            step = min(max(round(math.sqrt(max(finer, 1) * coarser)), finer + 1), coarser - 1)
    if coarser > LARGEST_STEP and file_bytes(coded := coded_with(LARGEST_STEP)) <= limit:
        yield coded
