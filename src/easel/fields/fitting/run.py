"""Fits of a field to a picture or a volume: a run is a generator of steps."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from easel.fields.fitting.fused_learner import FusedLearner
from easel.fields.fitting.learner import SMALL_BATCH, Learner, one_thread
from easel.fields.fitting.losses import MS_SSIM_PATCH, LossWeights, channel_weights
from easel.fields.kernels.grid_fields import runs_fused
from easel.fields.model.config import Knobs
from easel.fields.model.field import Field
from easel.fields.rendering.render import render, values_at

# A measurement evaluates the whole batch once more.
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
    stopped_by: str | None = None
    """The limit that ends a run, on its last step: 'steps', 'seconds' or 'target_psnr'."""


def fit(
    field: Field,
    picture: Tensor,
    knobs: Knobs | None = None,
    *,
    steps: int | None = None,
    seconds: float | int | None = None,
    target_psnr: float | int | None = None,
    mask: Tensor | None = None,
    losses: LossWeights | None = None,
    fused: bool = True,
    generator: torch.Generator,
) -> Iterator[Step]:
    """Fit the field to a picture (H, W, C) or a volume (X, Y, Z, C), step by step, until a limit is reached.

    Without a limit it never ends. Asking is training: a caller that does not ask pauses the run, one that closes the
    generator stops it. A limit by steps is reproducible bit for bit, one by seconds is not.

    Only the pixels where the `mask` is True count: the field fills in the others. Of RGBA the colour counts as much as
    its alpha says. `losses` take the place of the knobs' loss; their SSIM and perceptual terms draw patches instead of
    single pixels. A latent that is a Parameter is fitted like the rest. `fused=False` keeps the CPU kernel out; its
    first run on a machine compiles it, which takes about ten seconds that no limit counts.

    Steps move weights of the run's own; the field holds their running average, which is ahead by 2 dB and more. A rate
    that is too high cannot ruin it: where the loss explodes the step reports it, and the run goes on from the average.

        for step in fields.fit(field, picture, steps=2000, generator=torch.Generator().manual_seed(0)):
            print(step.index, step.loss)

    Raises a ValueError at once, before the first step, for a target, mask or mixture that does not fit.
    """
    size = tuple(picture.shape[:-1])
    fits = len(size) == field.dimensions and picture.shape[-1] == field.channels
    if not (fits and picture.numel() and picture.is_floating_point()):
        axes = {2: "height, width", 3: "X, Y, Z"}.get(field.dimensions, f"{field.dimensions} axes")
        raise ValueError(
            f"this field fits float targets of shape ({axes}, {field.channels}); "
            f"got {tuple(picture.shape)} of {picture.dtype}."
        )
    # One NaN would spread over all weights at the first step that draws it.
    if not picture.isfinite().all():
        raise ValueError("the picture has pixels that are not finite; fill them in first, say with torch.nan_to_num.")
    if mask is not None and (mask.shape != size or mask.dtype != torch.bool or not mask.any()):
        raise ValueError(
            f"a mask is a bool tensor of shape {size} with at least one True; "
            f"got {tuple(mask.shape)} of {mask.dtype}{', all False' * (not mask.any())}."
        )
    if losses is not None:
        _check_losses(losses, field, size)
    # Checks are done here, since a generator's body would only run at the first step.
    limits = _Limits(steps, seconds, target_psnr)
    return _run(field, picture.detach().float(), knobs or Knobs(), limits, mask, losses, fused, generator)


def _check_losses(losses: LossWeights, field: Field, size: tuple[int, ...]) -> None:
    if losses.embedding and not isinstance(field.latent, nn.Parameter):
        raise ValueError("the embedding loss is of a trainable latent, and this field has none.")
    if losses.patch_side((MS_SSIM_PATCH,)) and len(size) != 2:
        raise ValueError(f"SSIM and perceptual losses are for pictures (height, width); got a target of {size}.")
    if losses.ms_ssim and min(size) < MS_SSIM_PATCH:
        raise ValueError(f"the MS-SSIM loss needs {MS_SSIM_PATCH} pixels each way; got {size}. Use ssim.")


@dataclass(frozen=True)
class _Limits:
    steps: int | None
    seconds: float | int | None
    psnr: float | int | None

    def share(self, index: int, spent: float) -> float:
        """Return the share of the run that is over, by the nearer of its ends in steps and seconds; 0 without these."""
        # The nearer end: a rate that still falls when time is up never came to its small end.
        shares = [done / most for done, most in ((index, self.steps), (spent, self.seconds)) if most]
        return min(max(shares, default=0.0), 1.0)

    def reached(self, index: int, spent: float) -> str | None:
        """Return the name of the limit that so many steps or seconds have reached, if any."""
        if self.steps is not None and index >= self.steps:
            return "steps"
        return "seconds" if self.seconds is not None and spent >= self.seconds else None


def _run(
    field: Field,
    target: Float[Tensor, "*size c"],
    knobs: Knobs,
    limits: _Limits,
    mask: Bool[Tensor, "*size"] | None,
    losses: LossWeights | None,
    fused: bool,
    generator: torch.Generator,
) -> Iterator[Step]:
    if limits.reached(0, 0.0):
        return
    size = tuple(target.shape[:-1])
    alone = None
    side = 0
    if losses:
        alone = losses.alone
        side = losses.patch_side(size)
        # A mixture of one plain loss is that loss, and the kernel has it.
        if alone:
            losses = None
    by_kernel = fused and losses is None and runs_fused(field)
    learner = FusedLearner(field, target) if by_kernel else Learner(field, target, losses, mask)
    draw = _sampler(size, mask, side, generator)
    pixels = target.flatten(0, -2)
    index = look_again = 0
    spent = 0.0
    stopped_by = None
    while stopped_by is None:
        # Only what lies between here and `spent` counts: a caller may take its time between two steps.
        start = time.perf_counter()
        now = replace(knobs, loss=alone or knobs.loss)
        if knobs.schedule == "cosine":
            now.lr *= cosine(limits.share(index, spent))
        chosen, psnr = draw(now.batch), None
        # The kernel has threads of its own, which have a use for every batch.
        with one_thread(not by_kernel and len(chosen) <= SMALL_BATCH):
            loss = learner.step(chosen, now, averaging(index))
            if index % PSNR_EVERY == 0:
                psnr = psnr_of(values_at(field, chosen, size), pixels[chosen])
        spent += time.perf_counter() - start
        stopped_by = limits.reached(index + 1, spent)
        if limits.psnr is not None and psnr is not None and psnr >= limits.psnr and index >= look_again:
            # A batch only hints that the target is reached; all pixels decide, looked at ever more rarely.
            look_again = index * 1.1
            if masked_psnr(render(field, size), target, mask) >= limits.psnr:
                stopped_by = "target_psnr"
        yield Step(index, loss, psnr, now.lr, len(chosen), spent, stopped_by)
        index += 1


def _sampler(
    size: tuple[int, ...], mask: Tensor | None, side: int, generator: torch.Generator
) -> Callable[[int], Tensor]:
    """Return a function that draws a batch's flat indices: patches of that side, or with 0 samples of the mask."""
    if side:
        return lambda batch: patches(size, side, max(1, batch // side**2), generator)
    if mask is None:
        samples = math.prod(size)
        return lambda batch: spread(samples, min(batch, samples), generator)
    counted = mask.flatten().nonzero().flatten()
    return lambda batch: counted[spread(len(counted), min(batch, len(counted)), generator)]


def spread(pixels: int, batch: int, generator: torch.Generator) -> Int[Tensor, " n"]:
    """Draw that many flat indices, one in each of as many equal stretches of the picture."""
    # Stratified, so that no batch misses a part of the picture; in order, so that neighbours share the cache.
    places = torch.arange(batch, dtype=torch.float64, device=generator.device)
    places += torch.rand(batch, generator=generator, dtype=torch.float64, device=generator.device)
    return (places * (pixels / batch)).long().clamp_(max=pixels - 1)


def patches(size: Sequence[int], side: int, count: int, generator: torch.Generator) -> Int[Tensor, " n"]:
    """Draw that many random (side, side) patches of a picture: the flat indices of their pixels, patch after patch."""
    # Whole patches only: none reaches over the border, so that corners are seen more rarely than the middle.
    rows, columns = (
        torch.randint(samples - side + 1, (count, 1, 1), generator=generator, device=generator.device)
        for samples in size
    )
    along = torch.arange(side, device=generator.device)
    return ((rows + along[:, None]) * size[1] + columns + along).flatten()


def averaging(index: int) -> float:
    """Return the share by which the average moves at a step: it covers about the last 5 % of a run."""
    # Polynomial-decay averaging (Shamir and Zhang 2013), ended at a length that an endless run can still turn.
    return max(20 / (20 + index), 1 / 1000)


def cosine(share: float) -> float:
    """Return the factor of the rate when that share of a run is over (Loshchilov and Hutter 2017, eq. 5)."""
    return 0.5 + 0.5 * math.cos(math.pi * share)


def psnr_of(predicted: Float[Tensor, "*n c"], true: Float[Tensor, "*n c"]) -> float:
    """Return the PSNR in dB of values clamped to [0, 1]; of RGBA the colour counts as much as the true alpha says."""
    error = (predicted.clamp(0.0, 1.0) - true).square()
    weights = channel_weights(true)
    mse = (error if weights is None else error * weights).mean().item()
    return -10.0 * math.log10(mse) if mse else math.inf


def masked_psnr(
    predicted: Float[Tensor, "*size c"], true: Float[Tensor, "*size c"], mask: Bool[Tensor, "*size"] | None
) -> float:
    """Return the PSNR of the samples where the mask is True; of all without a mask."""
    if mask is not None:
        predicted, true = predicted[mask], true[mask]
    return psnr_of(predicted, true)
