"""Fit a field to a picture: a run is a generator of steps."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import mse_loss

from easel.fields.config import Knobs
from easel.fields.field import Field
from easel.fields.fused import FusedLearner, runs_fused
from easel.fields.learner import Learner
from easel.fields.rendering import render, values_at

PSNR_EVERY = 16
"""Steps from one measurement of PSNR to the next."""


@dataclass(frozen=True)
class Step:
    """One gradient step of a run."""

    index: int
    """Steps before this one."""
    loss: float
    """Mean loss of this step's pixels before the step, at the weights that move; not finite when the run diverged."""
    psnr: float | None
    """PSNR in dB of the field on this step's pixels, measured on every 16th step; None between."""
    lr: float
    """Learning rate of this step."""
    samples: int
    """Pixels of this step."""
    seconds: float
    """Time spent in steps so far, pauses not counted."""


def fit(
    field: Field,
    picture: Tensor,
    knobs: Knobs | None = None,
    *,
    steps: int | None = None,
    seconds: float | None = None,
    target_psnr: float | None = None,
    fused: bool = True,
    generator: torch.Generator,
) -> Iterator[Step]:
    """Fit the field to the picture, step by step, until a limit is reached; without one it never ends.

    Asking is training: a caller that does not ask pauses the run, one that closes the generator stops it. A limit by
    steps is reproducible bit for bit, one by seconds is not. `fused=False` keeps the CPU kernel out. The kernel's first
    step on a machine compiles it, which takes about ten seconds; a page asks for it in a thread.

    Steps move weights of the run's own; the field holds their running average, which is ahead by 2 dB and more. A rate
    that is too high cannot ruin it: where the loss explodes the step reports it, and the run goes on from the average.
    """
    fits = picture.ndim == 3 and picture.shape[2] == field.channels and picture.numel() and picture.is_floating_point()
    if not fits:
        raise ValueError(
            f"this field fits float pictures of shape (height, width, {field.channels}); "
            f"got {tuple(picture.shape)} of {picture.dtype}."
        )
    if not picture.isfinite().all():
        raise ValueError("the picture has pixels that are not finite; fill them in first, say with torch.nan_to_num.")
    return _run(field, picture.detach().float(), knobs or Knobs(), steps, seconds, target_psnr, fused, generator)


def _run(
    field: Field,
    picture: Float[Tensor, "h w c"],
    knobs: Knobs,
    steps: int | None,
    seconds: float | None,
    target_psnr: float | None,
    fused: bool,
    generator: torch.Generator,
) -> Iterator[Step]:
    height, width, _ = picture.shape
    learner = FusedLearner(field, picture) if fused and runs_fused(field) else Learner(field, picture)
    pixels = picture.flatten(0, 1)
    index, spent = 0, 0.0
    while (steps is None or index < steps) and (seconds is None or spent < seconds):
        start = time.perf_counter()
        lr, chosen = knobs.lr, spread(len(pixels), min(knobs.batch, len(pixels)), generator)
        loss = learner.step(chosen, knobs, averaging(index))
        psnr = None
        if index % PSNR_EVERY == 0:
            psnr = _psnr(values_at(field, chosen, (height, width)), pixels[chosen])
        spent += time.perf_counter() - start
        yield Step(index, loss, psnr, lr, len(chosen), spent)
        index += 1
        # A batch only hints that the target is reached; all pixels decide.
        if target_psnr is not None and psnr is not None and psnr >= target_psnr:
            if _psnr(render(field, (height, width)), picture) >= target_psnr:
                return


def spread(pixels: int, batch: int, generator: torch.Generator) -> Int[Tensor, " n"]:
    """Random flat indices of that many pixels, one in each of as many equal stretches of the picture."""
    # Stratified, so that no batch misses a part of the picture; in order, so that neighbours share the cache.
    places = torch.arange(batch, dtype=torch.float64, device=generator.device)
    places += torch.rand(batch, generator=generator, dtype=torch.float64, device=generator.device)
    return (places * (pixels / batch)).long().clamp_(max=pixels - 1)


def averaging(index: int) -> float:
    """How far the average moves towards the weights at a step: it covers about the last 5 % of a run."""
    # Polynomial-decay averaging (Shamir and Zhang 2013), ended at a length that an endless run can still turn.
    return max(20 / (20 + index), 1 / 1000)


def _psnr(predicted: Tensor, true: Tensor) -> float:
    mse = mse_loss(predicted.clamp(0.0, 1.0), true).item()
    return -10.0 * math.log10(mse) if mse > 0 else math.inf
