"""Networks behind an encoding."""

import math
from itertools import pairwise

import torch
from torch import nn


class MLP(nn.Sequential):
    """Linear layers with ReLU between them, He-initialised; `layers` counts the linear ones."""

    def __init__(
        self, inputs: int, outputs: int, hidden: int, layers: int, *, bias: float = 0.0, generator: torch.Generator
    ) -> None:
        """`bias` is where the untrained outputs start; the other biases start at 0."""
        widths = [inputs, *[hidden] * (layers - 1), outputs]
        modules: list[nn.Module] = []
        for fan_in, fan_out in pairwise(widths):
            modules += [_linear(fan_in, fan_out, generator), nn.ReLU()]
        super().__init__(*modules[:-1])
        with torch.no_grad():
            self.linears[-1].bias.fill_(bias)

    @property
    def linears(self) -> list[nn.Linear]:
        return [module for module in self if isinstance(module, nn.Linear)]


def _linear(fan_in: int, fan_out: int, generator: torch.Generator) -> nn.Linear:
    linear = nn.Linear(fan_in, fan_out, device="meta").to_empty(device=generator.device)
    with torch.no_grad():
        linear.weight.normal_(0.0, math.sqrt(2.0 / fan_in), generator=generator)  # He et al. 2015, eq. 10
        linear.bias.zero_()
    return linear
