"""Gradient steps of a field on some pixels, in plain torch: any field, any device, and the kernel's reference."""

import copy
import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from easel.fields.fitting.losses import LossWeights, mean_loss, mixed_loss
from easel.fields.model.config import Knobs
from easel.fields.model.coordinates import coordinates_at
from easel.fields.model.field import Field

# eps far below torch's 1e-8: a grid's gradients are as small as that, and Adam is meant not to see their scale
# (Müller et al. 2022, section 4).
ADAM = {"betas": (0.9, 0.99), "eps": 1e-15}
SGD_MOMENTUM = 0.9

# The kernel knows optimizers by their order here: append, never insert.
OPTIMIZERS = {
    "adam": lambda parameters: torch.optim.Adam(parameters, **ADAM),
    "sgd": lambda parameters: torch.optim.SGD(parameters, momentum=SGD_MOMENTUM),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, **ADAM),
}
# The bits of a fit then depend on no number of threads; and where other programs keep the processors busy, torch's
# threads wait for each other: two took 11 times as long as one alone.
SMALL_BATCH = 8192
"""Points up to which one thread does it all."""


class Learner:
    """Steps on weights of its own, beside a field that holds their running average."""

    def __init__(
        self,
        field: Field,
        target: Float[Tensor, "*size c"],
        losses: LossWeights | None = None,
        mask: Bool[Tensor, "*size"] | None = None,
    ) -> None:
        """`losses` take the place of the knobs' loss; where the `mask` is False patches count as equal."""
        self._size = target.shape[:-1]
        self._pixels = target.flatten(0, -2)
        self._losses = losses
        if mask is None:
            mask = torch.ones((), dtype=torch.bool, device=target.device)
        self._counts = mask.expand(self._size).reshape(-1, 1)
        # In eval mode throughout: what is fitted is what is rendered.
        self._moving = copy.deepcopy(field).requires_grad_().eval()
        self._weights = list(self._moving.parameters())
        self._average = list(field.parameters())
        self._bound = math.inf
        self._name = ""
        self._optimizer: torch.optim.Optimizer | None = None

    def step(self, index: Int[Tensor, " n"], knobs: Knobs, averaging: float) -> float:
        """Take one step on these samples and return their mean loss before it.

        The average moves towards the weights by the share `averaging`, then the weights step. Where the loss has
        exploded neither moves: the weights go back to the average, with a fresh optimizer.
        """
        optimizer = self._optimizer
        if optimizer is None or self._name != knobs.optimizer:
            self._name = knobs.optimizer
            optimizer = OPTIMIZERS[knobs.optimizer](self._weights)
        # Every step anew: a person may have turned the knobs since the last one.
        for group in optimizer.param_groups:
            group |= {"lr": knobs.lr, "weight_decay": knobs.weight_decay}
        loss = self._loss(index, knobs.loss)
        value = loss.item()
        # NaN is below no bound, so that a run that diverged goes back, too.
        if value < self._bound:
            self._bound = loss_bound(self._bound, value)
            # Before the step: the loss just measured is that of the weights which enter the average.
            _blend(self._average, self._weights, averaging)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            self._optimizer = optimizer
        else:
            self._optimizer = None
            _blend(self._weights, self._average, 1.0)
        return value

    def _loss(self, index: Int[Tensor, " n"], name: str) -> Float[Tensor, ""]:
        predicted = self._moving(coordinates_at(index, self._size))
        true = self._pixels[index]
        if self._losses is None:
            return mean_loss(name, predicted, true)
        # Patches are whole: masked pixels inside them take the prediction's own value, which no term can improve.
        true = torch.where(self._counts[index], true, predicted.detach())
        return mixed_loss(self._losses, predicted, true, self._moving.latent, self._size)


@contextmanager
def one_thread(wanted: bool) -> Iterator[None]:
    """Keep torch to one thread inside, where that is wanted."""
    before = torch.get_num_threads()
    if wanted:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def loss_bound(bound: float, loss: float) -> float:
    """Return the loss from which a run counts as exploded, known from its first loss on."""
    # A black field has at most 1 on a picture in [0, 1]; a field that begins worse than that gets time.
    return max(1.0, 4.0 * loss) if bound == math.inf else bound


@torch.no_grad()
def _blend(these: list[nn.Parameter], those: list[nn.Parameter], share: float) -> None:
    """Move these tensors towards those by a share of the way."""
    for this, that in zip(these, those, strict=True):
        this.lerp_(that, share)
