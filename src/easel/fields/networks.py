"""Networks behind an encoding."""

import math
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn


class MLP(nn.Module):
    """Linear layers with ReLU between them, He-initialised; `layers` counts the linear ones."""

    def __init__(
        self, inputs: int, outputs: int, hidden: int, layers: int, *, bias: float = 0.0, generator: torch.Generator
    ) -> None:
        """`bias` is where the untrained outputs start; the other biases start at 0."""
        super().__init__()
        self.widths = [inputs, *[hidden] * (layers - 1), outputs]
        linears = [_linear(fan_in, fan_out, generator) for fan_in, fan_out in pairwise(self.widths)]
        nn.init.constant_(linears[-1].bias, bias)
        self.linears = nn.ModuleList(linears)

    @property
    def channels(self) -> int:
        return self.widths[-1]

    def forward(self, inputs: Float[Tensor, "n k"]) -> Float[Tensor, "n c"]:
        for number, linear in enumerate(self.linears):
            inputs = linear(torch.relu(inputs) if number else inputs)
        return inputs


def _linear(fan_in: int, fan_out: int, generator: torch.Generator) -> nn.Linear:
    linear = nn.Linear(fan_in, fan_out, device="meta").to_empty(device=generator.device)
    with torch.no_grad():
        linear.weight.normal_(0.0, math.sqrt(2.0 / fan_in), generator=generator)  # He et al. 2015, eq. 10
        linear.bias.zero_()
    return linear
