"""Compression to a quality or to a number of bits: a run is a generator of trials, the last of which is the result."""

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
"""Share of the bytes allowed from which a file is not worth another trial."""
_TRIALS = 9
_REPORT_STEPS = 50
"""Steps of training between two reports of progress."""


@dataclass(frozen=True)
class Effort:
    """Amount of work for one picture."""

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
    """Share of the work that is done, about."""
    coded: CompressedPicture

    @property
    def bytes(self) -> int:
        """Size of the file."""
        return file_bytes(self.coded)


def step_for(quality: float | int) -> int:
    """Return the quantiser's step, in 1/64 grey level, for a quality from 0 to 100: twice as fine with every 14."""
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

        for trial in compress(picture, bits_per_pixel=0.5, generator=torch.Generator().manual_seed(0)):
            print(trial.share, trial.bytes)
    """
    encoder = Encoder(picture)
    limit = None
    if bits_per_pixel is not None:
        limit = math.floor(bits_per_pixel * encoder.size[0] * encoder.size[1] / 8)
    plain = None
    for plain in _search(encoder.plain, step_for(quality), limit):
        yield Trial(0.1, plain)
    if plain is None:
        least = file_bytes(encoder.plain(LARGEST_STEP))
        raise ValueError(f"{limit} bytes are too few for this picture: it takes {least} at least. Allow more bits.")
    if effort.rounds == 0 or math.prod(encoder.size) > NETWORK_PIXELS:
        return
    coded = plain
    network = NO_NETWORK
    done = 0
    # In turns: the network learns what the bands leave, then the bands are chosen for what the network leaves.
    for _ in range(effort.rounds):
        for trained in encoder.train(coded, effort.hidden, effort.steps, generator=generator):
            done += 1
            if trained is not None:
                network = trained
            elif done % _REPORT_STEPS == 0:
                yield Trial(0.1 + 0.8 * done / (effort.rounds * effort.steps), plain)
        coded = encoder.with_network(coded, network)
    if limit is None:
        yield Trial(1.0, min(plain, coded, key=encoder.loss))
        return
    # The network took bytes of its own: the step is searched again, and the plain file stays in the running.
    best = plain
    for refined in _search(lambda step: encoder.refined(step, network), coded.step, limit):
        best = min(best, refined, key=encoder.error)
        yield Trial(0.95, best)
    yield Trial(1.0, best)


def _search(
    coded_with: Callable[[int], CompressedPicture], step: int, limit: int | None
) -> Iterator[CompressedPicture]:
    """Yield a picture coded with this step or, under a limit, with finer and finer steps that fit, if any does."""
    if limit is None:
        yield coded_with(step)
        return
    finer = 0  # takes too many bytes
    coarser = LARGEST_STEP + 1  # takes few enough
    for _ in range(_TRIALS):
        coded = coded_with(step)
        size = file_bytes(coded)
        if size <= limit:
            coarser = step
            yield coded
        else:
            finer = step
        # Each trial codes the whole picture: near enough is good enough.
        if CLOSE * limit <= size <= limit or coarser - finer <= 1:
            break
        # Bytes fall about as fast as steps grow; where that leads out of the bracket, it is halved.
        step = round(step * min(max(size / (limit * (1 + CLOSE) / 2), 1 / 16), 16))
        if not finer < step < coarser:
            step = min(max(round(math.sqrt(max(finer, 1) * coarser)), finer + 1), coarser - 1)
    # No trial fitted: the coarsest step is the last chance before the limit is refused.
    if coarser > LARGEST_STEP:
        coded = coded_with(LARGEST_STEP)
        if file_bytes(coded) <= limit:
            yield coded
