"""Fit a field to a picture: a run is a generator of steps."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import huber_loss, l1_loss, mse_loss

from easel.fields.config import Knobs
from easel.fields.coordinates import coordinates_at
from easel.fields.field import Field


@dataclass(frozen=True)
class Step:
    """One gradient step of a run."""

    index: int
    """Steps before this one."""
    loss: float
    """Mean loss of this step's pixels, before its update."""
    psnr: float | None
    """PSNR in dB of this step's pixels, before its update; noisy, but free."""
    lr: float
    """Learning rate of this step."""
    samples: int
    """Pixels of this step."""
    seconds: float
    """Time spent in steps so far, pauses not counted."""


OPTIMIZERS = {
    "adam": lambda parameters: torch.optim.Adam(parameters, betas=(0.9, 0.99), eps=1e-15, fused=True),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, betas=(0.9, 0.99), eps=1e-15, fused=True),
    "sgd": lambda parameters: torch.optim.SGD(parameters, momentum=0.9, fused=True),
}
LOSSES = {
    "mse": mse_loss,
    "l1": l1_loss,
    "huber": lambda predicted, true: huber_loss(predicted, true, delta=0.1),
}


def fit(
    field: Field,
    picture: Float[Tensor, "h w c"],
    knobs: Knobs | None = None,
    *,
    steps: int | None = None,
    seconds: float | None = None,
    target_psnr: float | None = None,
    generator: torch.Generator,
) -> Iterator[Step]:
    """Fit the field to the picture, step by step; without a limit it never ends.

    Asking is training: a caller that does not ask pauses the run, one that closes the generator stops it.
    """
    knobs = knobs or Knobs()
    height, width, channels = picture.shape
    if channels != field.channels:
        raise ValueError(f"the picture has {channels} channels and the field {field.channels}: build the field for it.")
    pixels = picture.reshape(-1, channels)
    name, optimizer = "", None
    spent, index = 0.0, 0
    while (steps is None or index < steps) and (seconds is None or spent < seconds):
        start = time.perf_counter()
        if optimizer is None or name != knobs.optimizer:
            name, optimizer = knobs.optimizer, OPTIMIZERS[knobs.optimizer](field.parameters())
        for group in optimizer.param_groups:
            group["lr"], group["weight_decay"] = knobs.lr, knobs.weight_decay
        chosen = torch.randint(len(pixels), (knobs.batch,), generator=generator, device=picture.device)
        predicted, true = field(coordinates_at(chosen, (height, width))), pixels[chosen]
        loss = LOSSES[knobs.loss](predicted, true)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        mse = mse_loss(predicted.detach(), true).item()
        spent += time.perf_counter() - start
        psnr = -10.0 * math.log10(mse) if mse > 0 else math.inf
        yield Step(index, loss.item(), psnr, knobs.lr, len(chosen), spent)
        index += 1
        if target_psnr is not None and psnr >= target_psnr:
            return
