"""Networks that are fitted, behind an encoding: MLP, SIREN, FINER, WIRE.

All are built alike, `Network(inputs, outputs, hidden, layers, generator=generator)`, and lie on the generator's device.
"""

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
        """`bias` is the start of the untrained outputs; the other biases start at 0."""
        super().__init__()
        self.widths = [inputs, *[hidden] * (layers - 1), outputs]
        maps = [empty_linear(i, o, device=generator.device) for i, o in pairwise(self.widths)]
        Initialization("he")([[layer] for layer in maps], generator)
        nn.init.constant_(maps[-1].bias, bias)
        self.linears = nn.ModuleList(maps)

    @property
    def channels(self) -> int:
        return self.widths[-1]

    def forward(self, inputs: Float[Tensor, "n k"]) -> Float[Tensor, "n c"]:
        first, *others = self.linears
        values = first(inputs)
        for layer in others:
            values = layer(torch.relu(values))
        return values


class Siren(nn.Module):
    """Linear layers with sin(ω x) between them (Sitzmann et al. 2020); the first has a frequency of its own."""

    first_bias: float | None = None
    """Bound of the first layer's biases, U(±first_bias); None leaves them as Sitzmann et al. draw them."""

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
        """`bias` is the start of the untrained outputs, but for the share of the weights."""
        super().__init__()
        self.widths = [inputs, *[hidden] * (layers - 1), outputs]
        # The slice: a network of one layer has no sines at all.
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
        """Apply the nonlinearity of a layer with that frequency."""
        return (omega * x).sin()

    def forward(self, inputs: Float[Tensor, "n k"]) -> Float[Tensor, "n c"]:
        # ω stays outside of the weights: the initialization counts on it, and learning rates act on W alone.
        *hidden, last = linears(self.linears)
        for layer, omega in zip(hidden, self.omegas, strict=True):
            inputs = self.activate(layer(inputs), omega)
        return last(inputs)


class Finer(Siren):
    """Sines whose frequency grows with the input: sin(ω (|x| + 1) x) (Liu et al. 2024, eq. 4).

    Wide first biases spread the units over those frequencies (their section 3.3: 20 for pictures).
    """

    # Without wide biases every unit would sit near x = 0, where FINER is a SIREN.
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
        """`spread` is s, the narrowness of a wavelet; `bias` is about the start of the untrained outputs."""
        super().__init__()
        # Complex weights count twice, so that fewer units make networks of one `hidden` comparable.
        units = max(1, round(hidden / math.sqrt(2)))
        self.widths = [inputs, *[units] * (layers - 1), outputs]
        self.omegas = [omega, *[omega_hidden] * (layers - 2)][: layers - 1]
        self.spread = spread
        real, imaginary = [], []
        for number, (i, o) in enumerate(pairwise(self.widths), start=1):
            real.append(empty_linear(i, o, device=generator.device))
            # Only the real part of the output is asked for, so its imaginary bias is nobody's.
            imaginary.append(empty_linear(i, o, bias=number < layers, device=generator.device))
        Initialization("torch")([[*pair] for pair in zip(real, imaginary, strict=True)], generator)
        nn.init.constant_(real[-1].bias, bias)
        self.real = nn.ModuleList(real)
        self.imaginary = nn.ModuleList(imaginary)

    @property
    def channels(self) -> int:
        return self.widths[-1]

    def forward(self, inputs: Float[Tensor, "n k"]) -> Float[Tensor, "n c"]:
        # x + iy are a layer's inputs, u + iv its outputs: (a + ib)(x + iy) = (ax - by) + i(bx + ay).
        x = inputs
        y = torch.zeros_like(inputs)
        *hidden, (a_last, b_last) = zip(linears(self.real), linears(self.imaginary), strict=True)
        for (a, b), omega in zip(hidden, self.omegas, strict=True):
            u = a(x) - linear(y, b.weight)
            v = b(x) + linear(y, a.weight)
            # |exp(iωz)| = exp(-ωv): one exponential makes the envelope, and no complex kernel is needed.
            envelope = (-omega * v - self.spread**2 * (u.square() + v.square())).exp()
            x = envelope * (omega * u).cos()
            y = envelope * (omega * u).sin()
        return a_last(x) - linear(y, b_last.weight)


NETWORKS = {"relu": MLP, "siren": Siren, "finer": Finer, "wire": Wire}
"""Networks by the names that a config uses."""
