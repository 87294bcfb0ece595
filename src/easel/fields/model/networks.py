"""Networks that are fitted, behind an encoding. All are built alike and start from a generator alone."""

import math
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear

from easel.fields.model.initialization import Initialization, empty_linear, linears


class MLP(nn.Module):
    """Linear layers with ReLU between them, He-initialised; `layers` counts the linear ones."""

    def __init__(
        self, inputs: int, outputs: int, hidden: int, layers: int, *, bias: float = 0.0, generator: torch.Generator
    ) -> None:
        """`bias` is where the untrained outputs start; the other biases start at 0."""
        super().__init__()
        self.widths = [inputs, *[hidden] * (layers - 1), outputs]
        maps = [_linear(fan_in, fan_out, generator) for fan_in, fan_out in pairwise(self.widths)]
        nn.init.constant_(maps[-1].bias, bias)
        self.linears = nn.ModuleList(maps)

    @property
    def channels(self) -> int:
        return self.widths[-1]

    def forward(self, inputs: Float[Tensor, "n k"]) -> Float[Tensor, "n c"]:
        for number, layer in enumerate(self.linears):
            inputs = layer(torch.relu(inputs) if number else inputs)
        return inputs


class Siren(nn.Module):
    """Linear layers with sin(ω x) between them (Sitzmann et al. 2020); the first has a frequency of its own."""

    first_bias: float | None = None
    """Where not None, first-layer biases come from U(±first_bias)."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        hidden: int,
        layers: int,
        *,
        omega: float = 30.0,
        omega_hidden: float = 30.0,
        bias: float = 0.0,
        generator: torch.Generator,
    ) -> None:
        """`bias` is where the untrained outputs start, but for what the weights add."""
        super().__init__()
        self.widths = [inputs, *[hidden] * (layers - 1), outputs]
        self.omegas = [omega, *[omega_hidden] * (layers - 2)][: layers - 1]
        maps = [empty_linear(i, o, device=generator.device) for i, o in pairwise(self.widths)]
        Initialization("siren", scale=omega_hidden)([[layer] for layer in maps], generator)
        if self.first_bias is not None:
            with torch.no_grad():
                maps[0].bias.uniform_(-self.first_bias, self.first_bias, generator=generator)
        nn.init.constant_(maps[-1].bias, bias)
        self.linears = nn.ModuleList(maps)

    @property
    def channels(self) -> int:
        return self.widths[-1]

    def activate(self, x: Float[Tensor, "n k"], omega: float) -> Float[Tensor, "n k"]:
        return (omega * x).sin()

    def forward(self, inputs: Float[Tensor, "n k"]) -> Float[Tensor, "n c"]:
        *hidden, last = linears(self.linears)
        for layer, omega in zip(hidden, self.omegas, strict=True):
            inputs = self.activate(layer(inputs), omega)
        return last(inputs)


class Finer(Siren):
    """Sines whose frequency grows with the input: sin(ω (|x| + 1) x) (Liu et al. 2024, eq. 4).

    Wide first biases spread the units over those frequencies (their section 3.3: 20 for pictures).
    """

    first_bias = 20.0

    def activate(self, x: Float[Tensor, "n k"], omega: float) -> Float[Tensor, "n k"]:
        return (omega * (x.abs() + 1) * x).sin()


class Wire(nn.Module):
    """Linear layers with complex Gabor wavelets exp(iωx - |sx|²) between them (Saragadam et al. 2023, eq. 5).

    Complex numbers are pairs of real ones: weights, checkpoints and exports stay real. `hidden` counts real numbers, as
    in the other networks: hidden / √2 complex units have as many weights.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        hidden: int,
        layers: int,
        *,
        omega: float = 20.0,
        omega_hidden: float = 20.0,
        spread: float = 10.0,
        bias: float = 0.0,
        generator: torch.Generator,
    ) -> None:
        """`spread` is s, the narrowness of a wavelet; `bias` is where the untrained outputs start, about."""
        super().__init__()
        units = max(1, round(hidden / math.sqrt(2)))
        self.widths = [inputs, *[units] * (layers - 1), outputs]
        self.omegas = [omega, *[omega_hidden] * (layers - 2)][: layers - 1]
        self.spread = spread
        device, last = generator.device, layers - 1
        shapes = list(enumerate(pairwise(self.widths)))
        real = [empty_linear(i, o, device=device) for _, (i, o) in shapes]
        # Only the real part of the output is asked for, so its imaginary bias is nobody's.
        imaginary = [empty_linear(i, o, bias=number < last, device=device) for number, (i, o) in shapes]
        Initialization("torch")([[*pair] for pair in zip(real, imaginary, strict=True)], generator)
        nn.init.constant_(real[-1].bias, bias)
        self.real, self.imaginary = nn.ModuleList(real), nn.ModuleList(imaginary)

    @property
    def channels(self) -> int:
        return self.widths[-1]

    def forward(self, inputs: Float[Tensor, "n k"]) -> Float[Tensor, "n c"]:
        x, y = inputs, torch.zeros_like(inputs)  # the real and the imaginary part
        layers = list(zip(linears(self.real), linears(self.imaginary), strict=True))
        for (a, b), omega in zip(layers, self.omegas, strict=False):
            x, y = a(x) - linear(y, b.weight), b(x) + linear(y, a.weight)
            envelope = (-omega * y - self.spread**2 * (x.square() + y.square())).exp()
            x, y = envelope * (omega * x).cos(), envelope * (omega * x).sin()
        a, b = layers[-1]
        return a(x) - linear(y, b.weight)


NETWORKS = {"relu": MLP, "siren": Siren, "finer": Finer, "wire": Wire}
"""By the names that a config uses."""


def _linear(fan_in: int, fan_out: int, generator: torch.Generator) -> nn.Linear:
    layer = empty_linear(fan_in, fan_out, device=generator.device)
    Initialization("he")([[layer]], generator)
    return layer
