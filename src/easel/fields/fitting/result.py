"""What a finished fit tells."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from easel.fields.fitting.run import Step, psnr_of
from easel.fields.model.field import Field
from easel.fields.rendering.render import render
from easel.graphics.metrics import ssim


@dataclass(frozen=True)
class FitResult:
    """How a fit ended; it prints on one line."""

    model: nn.Module = field(repr=False)
    """What was fitted."""
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
    """'steps', 'seconds', 'target_psnr', or 'on_step'. What 'seconds' ended does not repeat bit for bit."""
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

    `on_step` sees every step; when it returns False the run ends there. `model` is what the result names, the field
    itself unless something around it was fitted.
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
    cpu_seconds = time.process_time() - started
    if last is not None and last.psnr is None:
        history.append(last)
    found = render(field, tuple(target.shape[:-1]))
    return FitResult(
        model=model or field,
        psnr=psnr_of(found[mask], target[mask]) if mask is not None else psnr_of(found, target),
        ssim=_ssim(found, target if mask is None else torch.where(mask[..., None], target, found)),
        loss=last.loss if last else float("nan"),
        steps=last.index + 1 if last else 0,
        seconds=last.seconds if last else 0.0,
        cpu_seconds=cpu_seconds,
        stopped_by=stopped_by,
        history=tuple(history),
    )


def _ssim(found: Tensor, target: Tensor) -> float:
    """Of a picture, or the mean over the slices of a volume; a signal of one axis is a picture of one row."""
    height, width, channels = found.shape[-3:] if found.ndim > 2 else (1, *found.shape)
    slices = zip(*(values.reshape(-1, height, width, channels) for values in (found, target)), strict=True)
    return torch.stack([ssim(*pair) for pair in slices]).mean().item()
