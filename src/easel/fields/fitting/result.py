"""The result of a finished fit."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from easel.fields.fitting.run import Step, masked_psnr
from easel.fields.model.field import Field
from easel.fields.rendering.render import render
from easel.graphics.metrics import ssim


@dataclass(frozen=True)
class FitResult:
    """Quality, cost and end of a fit; it prints on one line."""

    model: nn.Module = field(repr=False)
    """The module that was fitted."""
    psnr: float
    """In dB, of all samples that count, clamped to [0, 1]; of RGBA the colour counts as much as its alpha says."""
    ssim: float
    """Of the picture, 1 when equal; of a volume the mean of its slices along X. Samples left out count as equal."""
    loss: float
    """Of the last step; NaN without one."""
    steps: int
    seconds: float
    """Time spent in steps."""
    cpu_seconds: float
    """Time of all threads of the process while the run was on."""
    stopped_by: str
    """'steps', 'seconds', 'target_psnr', or 'on_step'. A run that 'seconds' ended does not repeat bit for bit."""
    history: tuple[Step, ...] = field(repr=False)
    """The steps that measured PSNR, and the last one."""

    def __str__(self) -> str:
        return (
            f"{self.psnr:.2f} dB, SSIM {self.ssim:.4f}, loss {self.loss:.3g} after {self.steps:,} steps in "
            f"{self.seconds:.1f} s ({self.cpu_seconds:.1f} CPU-s), stopped by {self.stopped_by}"
        )


def drain(
    run: Iterator[Step],
    field: Field,
    target: Float[Tensor, "*size c"],
    *,
    mask: Bool[Tensor, "*size"] | None = None,
    model: nn.Module | None = None,
    on_step: Callable[[Step], object] | None = None,
) -> FitResult:
    """Take all steps of the run that `fit` returned for this field and target, and measure the result.

    `on_step` sees every step; when it returns False the run ends there. `model` stands in the result, the field itself
    unless something around it was fitted.
    """
    history: list[Step] = []
    last, stopped_by, started = None, "steps", time.process_time()
    for last in run:
        if last.psnr is not None:
            history.append(last)
        if on_step is not None and on_step(last) is False:
            stopped_by = "on_step"
            break
        stopped_by = last.stopped_by or stopped_by
    # Of all threads, and only while steps ran: the measurements below are not the fit's.
    cpu_seconds = time.process_time() - started
    loss, steps, seconds = math.nan, 0, 0.0
    if last is not None:
        loss, steps, seconds = last.loss, last.index + 1, last.seconds
        if last.psnr is None:
            history.append(last)
    found = render(field, tuple(target.shape[:-1]))
    # SSIM looks at neighbourhoods, which a mask would tear: samples left out are made equal instead.
    counted = target if mask is None else torch.where(mask[..., None], target, found)
    return FitResult(
        model=model or field,
        psnr=masked_psnr(found, target, mask),
        ssim=_ssim(found, counted),
        loss=loss,
        steps=steps,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        stopped_by=stopped_by,
        history=tuple(history),
    )


def _ssim(found: Tensor, target: Tensor) -> float:
    """Return the SSIM of a picture, or the mean over a volume's slices; a signal of one axis is one row."""
    shape = (1, *found.shape)[-3:]
    slices = zip(found.reshape(-1, *shape), target.reshape(-1, *shape), strict=True)
    return torch.stack([ssim(*pair) for pair in slices]).mean().item()
