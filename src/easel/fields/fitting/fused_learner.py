"""Gradient steps of a grid field by the CPU kernel."""

import math
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from easel.fields.fitting.learner import ADAM, OPTIMIZERS, SGD_MOMENTUM, loss_bound
from easel.fields.fitting.losses import HUBER_DELTA, LOSSES
from easel.fields.kernels.grid_fields import flat_weights, grid_kernel, layout_of, run, samples_of, scratch
from easel.fields.model.config import Knobs
from easel.fields.model.field import Field


class FusedLearner:
    """The steps of `learner.Learner` by the kernel, for fields that `grid_fields.runs_fused` takes.

    Moves the field's parameters into one flat vector; they stay ordinary parameters. The bits do not depend on the
    number of threads.
    """

    def __init__(self, field: Field, target: Float[Tensor, "*size c"]) -> None:
        average = flat_weights(field)
        # The field's parameters become views of the average: whoever renders during the fit sees it at once.
        views = average.split([parameter.numel() for parameter in field.parameters()])
        for parameter, view in zip(field.parameters(), views, strict=True):
            parameter.data = view.view_as(parameter)
        weights = average.numpy().copy()
        moments = (np.zeros_like(weights) for _ in range(3))
        self._state = grid_kernel().State(weights, *moments, average.numpy())
        self._samples = samples_of(target.shape[:-1], target.flatten(0, -2))
        self._layout = layout_of(field)
        self._scratch = scratch(self._layout, 0)
        self._bound = -math.inf
        self._forget()
        # Below no loss there is no step: this one only has the kernel compiled.
        self.step(torch.zeros(1, dtype=torch.int64), Knobs(), 0.0)
        self._bound = math.inf
        self._forget()

    def step(self, index: Int[Tensor, " n"], knobs: Knobs, averaging: float) -> float:
        """Take one step on these samples, as `learner.Learner.step` does, and return their mean loss before it."""
        compiled = grid_kernel()
        # Memory grows with the largest batch so far, and never shrinks: a person may turn the knob back.
        if len(index) > self._scratch.coordinates.shape[1]:
            self._scratch = scratch(self._layout, len(index))
        compiled.pack(self._state.weights, self._layout, self._scratch)
        rule = self._rule(knobs, averaging)
        loss = run(compiled.learn, index.numpy(), self._samples, self._layout, self._scratch, self._state, rule)
        if loss < self._bound:
            self._bound = loss_bound(self._bound, loss)
        else:
            self._forget()
            self._state.weights[:] = self._state.average
        return loss

    @property
    def gradient(self) -> Float[Tensor, " n"]:
        """The last step's gradient, in the order of the field's parameters."""
        return torch.from_numpy(self._state.gradient)

    def _forget(self) -> None:
        """Let the next step begin with a fresh optimizer."""
        self._optimizer = ""
        self._updates = 0

    def _rule(self, knobs: Knobs, averaging: float) -> Any:
        if self._optimizer != knobs.optimizer:
            self._optimizer = knobs.optimizer
            self._updates = 0
            # Moments of one optimizer mean nothing to another.
            self._state.first[:] = self._state.second[:] = 0.0
        self._updates += 1
        # Floats throughout: an int would have the kernel compiled once more.
        rate = float(knobs.lr)
        weight_decay = float(knobs.weight_decay)
        decay_factor = 1.0
        beta1, beta2 = ADAM["betas"]
        first_correction = 1 - beta1**self._updates
        match knobs.optimizer:
            case "sgd":
                # No Adam, no bias to correct: momentum starts at the first gradient.
                beta1 = SGD_MOMENTUM
                first_correction = 1.0
            case "adamw":
                decay_factor = 1 - rate * weight_decay
                weight_decay = 0.0
        return grid_kernel().Rule(
            loss=list(LOSSES).index(knobs.loss),
            huber_delta=HUBER_DELTA,
            optimizer=list(OPTIMIZERS).index(knobs.optimizer),
            rate=rate / first_correction,
            weight_decay=weight_decay,
            decay_factor=decay_factor,
            beta1=beta1,
            beta2=beta2,
            root_correction=(1 - beta2**self._updates) ** -0.5,
            eps=ADAM["eps"],
            averaging=float(averaging),
            bound=self._bound,
        )
