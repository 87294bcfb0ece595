"""How the weights of a network begin.

A network is given as its layers, in order: each a list of the linear maps that stand side by side there (the first
layer of an mlp has one for every input).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import nn

InitName = Literal["normal", "uniform", "dip", "siren", "he", "torch"]
INITS: tuple[str, ...] = get_args(InitName)

Layers = Sequence[Sequence[nn.Linear]]
PerLayer = float | int | tuple[float | int, ...]
"""One number for all layers, or one for each."""


@dataclass(frozen=True)
class Initialization:
    """A rule for fresh weights."""

    name: InitName = "normal"
    """normal N(mean, std) and uniform U(low, high), biases 0; dip N(0, 1 / fan_in) with biases and last layer 0; siren,
    Sitzmann et al. 2020; he, He et al. 2015 with biases 0; torch, as PyTorch's own linear layers."""
    mean: PerLayer = 0.0
    std: PerLayer = 1.0
    low: PerLayer = -2.0
    high: PerLayer = 2.0
    scale: float | int = 1.0
    """Frequency factor of hidden sine layers, by which siren divides."""

    def __call__(self, layers: Layers, generator: torch.Generator) -> None:
        """Draw all weights, layer by layer."""
        for number, layer in enumerate(layers):
            for linear in layer:
                self._draw(linear, number, len(layers), generator)

    @torch.no_grad()
    def _draw(self, linear: nn.Linear, number: int, count: int, generator: torch.Generator) -> None:
        weight, bias, fan_in = linear.weight, linear.bias, linear.in_features

        def at(value: PerLayer) -> float:
            if not isinstance(value, tuple):
                return float(value)
            if len(value) != count:
                raise ValueError(f"this network has {count} layers; got {len(value)} values, {value}. One fits all.")
            return float(value[number])

        bias_bound = 0.0
        match self.name:
            case "normal":
                weight.normal_(at(self.mean), at(self.std), generator=generator)
            case "uniform":
                weight.uniform_(at(self.low), at(self.high), generator=generator)
            case "dip":
                # The last layer is zero, so that an unfitted field is flat and a fit starts from no picture at all.
                weight.normal_(0.0, fan_in**-0.5 if number < count - 1 else 0.0, generator=generator)
            case "siren":
                bias_bound = 1 / fan_in if number == 0 else math.sqrt(6 / fan_in) / self.scale
                weight.uniform_(-bias_bound, bias_bound, generator=generator)
            case "he":
                weight.normal_(0.0, math.sqrt(2 / fan_in), generator=generator)  # He et al. 2015, eq. 10
            case "torch":
                bias_bound = fan_in**-0.5
                weight.uniform_(-bias_bound, bias_bound, generator=generator)
        if bias is not None and bias_bound:
            bias.uniform_(-bias_bound, bias_bound, generator=generator)
        elif bias is not None:
            bias.zero_()


def linears(modules: nn.ModuleList) -> list[nn.Linear]:
    """The linear maps of a list of modules."""
    return [module for module in modules if isinstance(module, nn.Linear)]


def empty_linear(fan_in: int, fan_out: int, *, bias: bool = True, device: torch.device | str = "cpu") -> nn.Linear:
    """A linear map whose weights are not drawn yet: torch's constructor would draw them from the global generator."""
    return nn.Linear(fan_in, fan_out, bias=bias, device="meta").to_empty(device=device)
