"""Activations by name: those of torch.nn and a few of our own.

An activation works number by number. One that has a weight (`Scale`, `Add`) draws it when the network's weights are
drawn, by `draw_`.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from easel.graphics.names import unknown


class Sin(nn.Module):
    """sin(x)."""

    def forward(self, x: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
        return x.sin()


class Cos(nn.Module):
    """cos(x)."""

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
        self.low = low
        self.high = high
        # Empty until `draw_`: torch's own draws would come from the global generator.
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
    """A `Scale` that begins at 1: a fit may learn the strength of the output, a fresh picture does not change."""

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
        # A step's own gradient is 0 nearly everywhere, so nothing before it would ever learn.
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

# Classes of torch.nn that mix the numbers of a sample, so that they are no functions of one number, or need arguments.
_UNFIT = {"GLU", "LogSoftmax", "MultiheadAttention", "Softmax", "Softmax2d", "Softmin", "Threshold"}
TORCH: tuple[str, ...] = tuple(name for name in nn.modules.activation.__all__ if name not in _UNFIT)
"""Classes of torch.nn, found in any case."""

LARGE_SET = (
    *("ELU", "Hardtanh", "LeakyReLU", "LogSigmoid", "SELU", "GELU", "CELU", "Softshrink", "Sigmoid", "sin", "cos"),
    *("Softplus", "Mish", "Tanh"),
)
"""Choices of 'random' for mlp, conv and WS."""
SMALL_SET = ("Sigmoid", "sin", "cos", "gaussian", "Softplus", "Mish", "Tanh", "scale", "add")
"""Choices of 'random' for simple and siren."""

BOUNDED_SET = ("sin", "cos", "Tanh", "gaussian")
"""Choices of 'random' where a network ends: smooth, and bounded, so that no number runs away with the colours."""

_NAMES = {name.lower(): name for name in (*TORCH, *OWN)} | {StraightThroughStep.__name__.lower(): "step"}


def activation_name(activation: str | type) -> str:
    """Return the one spelling of an activation given by name ('GELU', 'nn.GELU', 'sin') or class.

    Raises a ValueError that lists the known ones.
    """
    given = getattr(activation, "__name__", str(activation))
    key = given.removeprefix("torch.").removeprefix("nn.").lower()
    if key not in _NAMES:
        raise ValueError(unknown("activation", given, sorted(_NAMES.values())))
    return _NAMES[key]


def activation(name: str | type) -> nn.Module:
    """Create an activation; learnable numbers of `Scale` and `Add` are not drawn yet."""
    name = activation_name(name)
    # In training mode RReLU draws a slope for every number, so that no two renders agree: take the mean of its slopes.
    if name == "RReLU":
        return nn.LeakyReLU((1 / 8 + 1 / 3) / 2)
    return (OWN.get(name) or getattr(nn, name))()
