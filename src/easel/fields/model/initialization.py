"""Initializations of a network's weights.

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
    """A rule for fresh weights, drawn from a generator alone: torch's global one is neither read nor set."""

    name: InitName = "normal"
    """normal N(mean, std) and uniform U(low, high), biases 0; dip N(0, 1 / fan_in) with biases and last layer 0; siren,
    Sitzmann et al. 2020; he, He et al. 2015 with biases 0; torch, as PyTorch's own linear layers."""
    mean: PerLayer = 0.0
    std: PerLayer = 1.0
    """Mean and standard deviation, for normal."""
    low: PerLayer = -2.0
    high: PerLayer = 2.0
    """Bounds, for uniform."""
    scale: float | int = 1.0
    """Frequency factor of hidden sine layers, by which siren divides."""

    def __call__(self, layers: Layers, generator: torch.Generator) -> None:
        """Draw all weights, layer by layer. ValueError where a parameter has another number of layers."""
        for number, layer in enumerate(layers):
            for linear in layer:
                self._draw(linear, number, len(layers), generator)

    @torch.no_grad()
    def _draw(self, linear: nn.Linear, number: int, count: int, generator: torch.Generator) -> None:
        weight = linear.weight
        fan_in = linear.in_features

        def at(value: PerLayer) -> float:
            """Pick this layer's number."""
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
                weight.normal_(0.0, fan_in**-0.5, generator=generator)
                # The last layer is zero, so that an unfitted field is flat and a fit starts from no picture at all.
                if number == count - 1:
                    weight.zero_()
            case "siren":
                # The first layer spans its period over the unit view; later ones keep the variance of their inputs.
                bias_bound = 1 / fan_in if number == 0 else math.sqrt(6 / fan_in) / self.scale
                weight.uniform_(-bias_bound, bias_bound, generator=generator)
            case "he":
                weight.normal_(0.0, math.sqrt(2 / fan_in), generator=generator)  # He et al. 2015, eq. 10
            case "torch":
                bias_bound = fan_in**-0.5
                weight.uniform_(-bias_bound, bias_bound, generator=generator)
        if linear.bias is not None:
            linear.bias.zero_()
            if bias_bound:
                linear.bias.uniform_(-bias_bound, bias_bound, generator=generator)


def linears(modules: nn.ModuleList) -> list[nn.Linear]:
    """Return the linear maps among these modules."""
    return [module for module in modules if isinstance(module, nn.Linear)]


def empty_linear(fan_in: int, fan_out: int, *, bias: bool = True, device: torch.device | str = "cpu") -> nn.Linear:
    """Create a linear map whose weights are not drawn yet."""
    # By way of "meta": torch's own constructor would draw weights from the global generator.
    return nn.Linear(fan_in, fan_out, bias=bias, device="meta").to_empty(device=device)
