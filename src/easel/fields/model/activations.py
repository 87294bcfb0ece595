"""Activations by name: those of torch.nn and those that paint.

An activation works number by number. One that has a weight (`Scale`, `Add`) draws it when the network's weights are
drawn, by `draw_`.
"""

import inspect
from difflib import get_close_matches
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Sin(nn.Module):
    def forward(self, x: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
        return x.sin()


class Cos(nn.Module):
    def forward(self, x: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
        return x.cos()


class Gaussian(nn.Module):
    """exp(-x² / 2)."""

    def forward(self, x: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
        return (-0.5 * x.square()).exp()


class Weighted(nn.Module):
    """An activation with one learnable number, drawn from U(low, high)."""

    def __init__(self, low: float = 1.0, high: float = 10.0) -> None:
        super().__init__()
        self.low, self.high = low, high
        self.value = nn.Parameter(torch.empty(1))

    def draw_(self, generator: torch.Generator) -> None:
        """Draw the number anew."""
        with torch.no_grad():
            self.value.uniform_(self.low, self.high, generator=generator)


class Scale(Weighted):
    """x times a learnable number."""

    def forward(self, x: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
        return x * self.value


class Gain(Scale):
    """A `Scale` that begins at 1: a fit may learn how strong the output is, a fresh picture does not change."""

    def __init__(self) -> None:
        super().__init__(1.0, 1.0)


class Add(Weighted):
    """x plus a learnable number."""

    def forward(self, x: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
        return x + self.value


class StraightThroughStep(nn.Module):
    """1 where x > 0, else 0; its gradient is the incoming one, clamped to [-1, 1] (Bengio et al. 2013)."""

    def forward(self, x: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
        return _Step.apply(x)


class _Step(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return (x > 0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Tensor:
        (gradient,) = grad_outputs
        return gradient.clamp(-1.0, 1.0)


class HalfSine(nn.Module):
    """sin(x) / 2 + 1/2: a wave within [0, 1]."""

    def forward(self, x: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
        return 0.5 * x.sin() + 0.5


OWN: dict[str, type[nn.Module]] = {
    "add": Add,
    "cos": Cos,
    "gain": Gain,
    "gaussian": Gaussian,
    "half_sine": HalfSine,
    "identity": nn.Identity,
    "scale": Scale,
    "sin": Sin,
    "step": StraightThroughStep,
}
"""Names in lower case; any case finds them."""

# Classes of torch.nn that mix numbers of a sample or need arguments.
_UNFIT = {"GLU", "LogSoftmax", "MultiheadAttention", "Softmax", "Softmax2d", "Softmin", "Threshold"}
TORCH: tuple[str, ...] = tuple(name for name in nn.modules.activation.__all__ if name not in _UNFIT)
"""Classes of torch.nn, found in any case."""

LARGE_SET = (
    *("ELU", "Hardtanh", "LeakyReLU", "LogSigmoid", "SELU", "GELU", "CELU", "Softshrink", "Sigmoid", "sin", "cos"),
    *("Softplus", "Mish", "Tanh"),
)
"""What 'random' draws from for mlp, conv and WS."""
SMALL_SET = ("Sigmoid", "sin", "cos", "gaussian", "Softplus", "Mish", "Tanh", "scale", "add")
"""What 'random' draws from for simple and siren."""

BOUNDED_SET = ("sin", "cos", "Tanh", "gaussian")
"""What 'random' draws from where a network ends: smooth, and no number runs away with the colours."""

_NAMES = {name.lower(): name for name in (*TORCH, *OWN)}


def activation_name(activation: str | type) -> str:
    """The one spelling of an activation given by name ('GELU', 'nn.GELU', 'sin') or class; others are refused."""
    given = activation.__name__ if inspect.isclass(activation) else str(activation)
    given = "step" if given == StraightThroughStep.__name__ else given
    key = given.removeprefix("torch.").removeprefix("nn.").lower()
    if key not in _NAMES:
        near = get_close_matches(key, _NAMES, n=1)
        hint = f" Did you mean {_NAMES[near[0]]!r}?" if near else ""
        raise ValueError(f"unknown activation {given!r}.{hint} Known: {', '.join(sorted(_NAMES.values()))}.")
    return _NAMES[key]


def activation(name: str | type) -> nn.Module:
    """A new activation; learnable numbers of `Scale` and `Add` are not drawn yet."""
    name = activation_name(name)
    # In training mode RReLU draws a slope for every number, so that no two renders agree: take the mean of its slopes.
    if name == "RReLU":
        return nn.LeakyReLU((1 / 8 + 1 / 3) / 2)
    return OWN[name]() if name in OWN else getattr(nn, name)()
