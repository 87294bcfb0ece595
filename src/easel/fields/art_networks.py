"""Networks that paint: with random weights they turn coordinates into pictures worth looking at.

Each takes encoded coordinates (n, inputs) and one latent z for the whole picture, and works sample by sample.
`layers()` are its linear maps in order, for `initialization`; the activations are modules, one for every slot.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import elu, linear

from easel.fields.activations import activation
from easel.fields.initialization import empty_linear, linears


class InputSum(nn.Module):
    """One linear map for every group of inputs and one for z, each through its activation, summed and activated.

    The latent's map alone has a bias.
    """

    def __init__(self, groups: Sequence[int], latent_dim: int, width: int, activations: Sequence[str]) -> None:
        """`activations`: one for every group, one for the latent (also where there is none), one for the sum."""
        super().__init__()
        self.groups = list(groups)
        self.inputs = nn.ModuleList(empty_linear(group, width, bias=False) for group in groups)
        self.latent = empty_linear(latent_dim, width) if latent_dim else None
        *inputs, latent, total = map(activation, activations)
        self.input_activations = nn.ModuleList(inputs)
        self.latent_activation = latent if latent_dim else None
        self.activation = total

    @property
    def linears(self) -> list[nn.Linear]:
        return [*linears(self.inputs), *([] if self.latent is None else [self.latent])]

    def forward(self, inputs: Float[Tensor, "n k"], z: Float[Tensor, " l"] | None) -> Float[Tensor, "n w"]:
        parts = zip(inputs.split(self.groups, dim=1), self.inputs, self.input_activations, strict=True)
        total = sum(activate(project(part)) for part, project, activate in parts)
        if self.latent is not None and self.latent_activation is not None:
            total = total + self.latent_activation(self.latent(z))
        return self.activation(total)


class ArtMLP(nn.Module):
    """`mlp` and `simple`: summed inputs, three hidden layers, a linear output.

    `shared` uses one hidden layer three times (`simple`).
    """

    def __init__(
        self,
        groups: Sequence[int],
        latent_dim: int,
        width: int,
        channels: int,
        activations: Sequence[str],
        *,
        shared: bool = False,
    ) -> None:
        """`activations`: those of `InputSum`, one for each hidden layer, one for the output."""
        super().__init__()
        self.channels, self.latent_dim = channels, latent_dim
        slots = len(groups) + 2
        self.entry = InputSum(groups, latent_dim, width, activations[:slots])
        *hidden, output = map(activation, activations[slots:])
        self.hidden = nn.ModuleList(empty_linear(width, width) for _ in (hidden[:1] if shared else hidden))
        self.activations = nn.ModuleList(hidden)
        self.output = empty_linear(width, channels)
        self.output_activation = output

    def layers(self) -> list[list[nn.Linear]]:
        return [self.entry.linears, *([layer] for layer in linears(self.hidden)), [self.output]]

    def forward(self, inputs: Float[Tensor, "n k"], z: Float[Tensor, " l"] | None = None) -> Float[Tensor, "n c"]:
        values = self.entry(inputs, z)
        for number, activate in enumerate(self.activations):
            values = activate(self.hidden[number % len(self.hidden)](values))
        return self.output_activation(self.output(values))


class ConvStack(nn.Module):
    """Eight 1x1 convolutions on inputs and z together, and one more to the channels.

    On single samples a 1x1 convolution is a linear layer, and here it is one. `norm` 'layer' normalises every sample
    over its features, 'batch' every feature over all samples: by the statistics of one reference grid, taken by
    `freeze_norm`, so that a tile equals its part of the frame.
    """

    means: Tensor
    scales: Tensor

    def __init__(
        self,
        inputs: int,
        latent_dim: int,
        width: int,
        channels: int,
        activations: Sequence[str],
        norm: str | None = None,
    ) -> None:
        super().__init__()
        self.channels, self.latent_dim, self.norm = channels, latent_dim, norm
        widths = [inputs + latent_dim, *[width] * len(activations), channels]
        self.linears = nn.ModuleList(empty_linear(i, o) for i, o in pairwise(widths))
        self.activations = nn.ModuleList(map(activation, activations))
        if norm == "batch":
            self.register_buffer("means", torch.zeros(len(activations), width))
            self.register_buffer("scales", torch.ones(len(activations), width))

    def layers(self) -> list[list[nn.Linear]]:
        return [[layer] for layer in linears(self.linears)]

    def forward(self, inputs: Float[Tensor, "n k"], z: Float[Tensor, " l"] | None = None) -> Float[Tensor, "n c"]:
        return self._run(inputs, z, freeze=False)

    @torch.no_grad()
    def freeze_norm(self, inputs: Float[Tensor, "n k"], z: Float[Tensor, " l"] | None = None) -> None:
        """Take the statistics of norm 'batch' from these samples."""
        if self.norm == "batch":
            self._run(inputs, z, freeze=True)

    def _run(self, values: Tensor, z: Tensor | None, freeze: bool) -> Tensor:
        first, *others = linears(self.linears)
        # z is the same everywhere: its columns of the first layer make a constant.
        constant = first.bias if z is None else linear(z, first.weight[:, values.shape[1] :], first.bias)
        values = linear(values, first.weight[:, : values.shape[1]], constant)
        for number, (activate, following) in enumerate(zip(self.activations, others, strict=True)):
            values = following(activate(self._normalize(values, number, freeze)))
        return values

    def _normalize(self, values: Tensor, number: int, freeze: bool) -> Tensor:
        if self.norm == "layer":
            return torch.nn.functional.layer_norm(values, values.shape[1:])
        if self.norm == "batch":
            if freeze:
                variance, self.means[number] = torch.var_mean(values, 0, correction=0)
                self.scales[number] = (variance + 1e-5).rsqrt()  # torch's own eps: a constant feature stays finite
            return (values - self.means[number]) * self.scales[number]
        return values


class ArtSiren(nn.Module):
    """Layers of activation(omega (W x + b)), a sine by default (Sitzmann et al. 2020).

    With a latent, a parallel network of ELU layers on [h, z] multiplies every layer (Mehta et al. 2021).
    """

    def __init__(
        self,
        inputs: int,
        latent_dim: int,
        width: int,
        channels: int,
        activations: Sequence[str],
        *,
        first_omega: float | int = 30.0,
        omega: float | int = 1.0,
    ) -> None:
        """`activations`: one for every sine layer."""
        super().__init__()
        self.channels, self.latent_dim = channels, latent_dim
        self.omegas = [first_omega, *[omega] * (len(activations) - 1)]
        widths = [inputs, *[width] * len(activations)]
        self.sines = nn.ModuleList(empty_linear(i, o) for i, o in pairwise(widths))
        self.activations = nn.ModuleList(map(activation, activations))
        before = [0, *[width] * (len(activations) - 1)] if latent_dim else []
        self.modulators = nn.ModuleList(empty_linear(h + latent_dim, width) for h in before)
        self.output = empty_linear(width, channels)

    def layers(self) -> list[list[nn.Linear]]:
        return [[layer] for layer in [*linears(self.sines), self.output]]

    def modulations(self, z: Float[Tensor, " l"] | None) -> list[Tensor]:
        """What every layer is multiplied by: one vector a layer, the same for all samples; none without a latent."""
        factors: list[Tensor] = []
        for modulator in self.modulators:
            assert z is not None
            factors.append(elu(modulator(torch.cat([*factors[-1:], z]))))
        return factors

    def forward(self, inputs: Float[Tensor, "n k"], z: Float[Tensor, " l"] | None = None) -> Float[Tensor, "n c"]:
        values, factors = inputs, self.modulations(z)
        for number, (sine, activate, omega) in enumerate(zip(self.sines, self.activations, self.omegas, strict=True)):
            values = activate(omega * sine(values))
            if factors:
                values = values * factors[number]
        return self.output(values)
