"""One gradient step of a field on some pixels, in plain torch: any field, any device, and the kernel's reference."""

import copy
import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import huber_loss, l1_loss, mse_loss

from easel.fields.config import Knobs
from easel.fields.coordinates import coordinates_at
from easel.fields.field import Field

# eps far below torch's 1e-8: a grid's gradients are as small as that, and Adam is meant not to see their scale
# (Müller et al. 2022, section 4).
ADAM = {"betas": (0.9, 0.99), "eps": 1e-15}
SGD_MOMENTUM = 0.9
HUBER_TURN = 0.1

# The kernel knows losses and optimizers by their places here.
OPTIMIZERS = {
    "adam": lambda parameters: torch.optim.Adam(parameters, **ADAM),
    "sgd": lambda parameters: torch.optim.SGD(parameters, momentum=SGD_MOMENTUM),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, **ADAM),
}
LOSSES = {
    "mse": mse_loss,
    "l1": l1_loss,
    "huber": lambda predicted, true: huber_loss(predicted, true, delta=HUBER_TURN),
}


class Learner:
    """The weights that steps move, beside a field that holds their running average."""

    def __init__(self, field: Field, picture: Float[Tensor, "h w c"]) -> None:
        self._size = picture.shape[:2]
        self._pixels = picture.reshape(-1, field.channels)
        self._moving = copy.deepcopy(field).requires_grad_()
        self._weights, self._average = list(self._moving.parameters()), list(field.parameters())
        self._bound = math.inf
        self._name = ""
        self._optimizer: torch.optim.Optimizer | None = None

    def step(self, index: Int[Tensor, " n"], knobs: Knobs, averaging: float) -> float:
        """Mean loss of these pixels; then the average moves towards the weights by a share, and the weights step.

        Where the loss has exploded neither moves: the weights go back to the average, with a fresh optimizer.
        """
        optimizer = self._optimizer
        if optimizer is None or self._name != knobs.optimizer:
            self._name, optimizer = knobs.optimizer, OPTIMIZERS[knobs.optimizer](self._weights)
        for group in optimizer.param_groups:
            group["lr"], group["weight_decay"] = knobs.lr, knobs.weight_decay
        loss = LOSSES[knobs.loss](self._moving(coordinates_at(index, self._size)), self._pixels[index])
        value = loss.item()
        if value < self._bound:
            self._bound = loss_bound(self._bound, value)
            _blend(self._average, self._weights, averaging)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            self._optimizer = optimizer
        else:
            self._optimizer = None
            _blend(self._weights, self._average, 1.0)
        return value


def loss_bound(bound: float, loss: float) -> float:
    """From which loss a run counts as exploded, once its first loss is known."""
    # A black field has at most 1 on a picture in [0, 1]; a field that begins worse than that gets time.
    return max(1.0, 4.0 * loss) if bound == math.inf else bound


@torch.no_grad()
def _blend(these: list[nn.Parameter], those: list[nn.Parameter], share: float) -> None:
    for this, that in zip(these, those, strict=True):
        this.lerp_(that, share)
