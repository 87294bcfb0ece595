"""Painting networks: with random weights they turn coordinates into pictures worth looking at.

Each takes encoded coordinates (n, inputs) and one latent z for the whole picture, and works sample by sample.
`layers()` are its linear maps in order, for `initialization`; the activations are modules, one for every slot.
"""

from collections.abc import Iterator, Sequence
from itertools import cycle, pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import elu, linear

from easel.fields.model.activations import activation
from easel.fields.model.initialization import empty_linear, linears

SPREAD = 5.0
"""Span of most values of the strongest channel: a sigmoid makes of it colours that reach far and do not burn out."""
TINT = 0.8
"""Largest distance of a channel's middle from zero."""


class Levels(nn.Module):
    """A shift and a gain of every channel, taken once from a reference grid and then frozen.

    Random networks end far from zero, where a final activation turns all into the same few flat colours. Levels bring
    them back: they keep what sets channels apart, and the network's weights as they were drawn.
    """

    shift: Tensor
    gain: Tensor

    def __init__(self, channels: int, spread: float = SPREAD) -> None:
        super().__init__()
        self.spread = spread
        self.register_buffer("shift", torch.zeros(channels))
        self.register_buffer("gain", torch.ones(channels))

    def forward(self, values: Float[Tensor, "n c"]) -> Float[Tensor, "n c"]:
        return (values - self.shift) * self.gain

    def freeze(self, values: Float[Tensor, "n c"]) -> None:
        """Set shift and gain from these samples; values that do not vary, or are not finite, leave them as they are."""
        # Quantiles, not extremes: a few far values would make everything else grey.
        low, middle, high = values.quantile(torch.tensor([0.05, 0.5, 0.95]), dim=0)
        spread = high - low
        if not spread.isfinite().all() or spread.max() <= 1e-6 * values.abs().max():
            return
        # Half way between one gain for all channels and one for each: no channel rules, none is made of noise.
        gain = self.spread / (spread * spread.max()).sqrt().clamp(min=0.1 * spread.max())
        # A tint of up to TINT stays of where the middle was.
        self.shift.copy_(middle - TINT * (middle * gain).tanh() / gain)
        self.gain.copy_(gain)


class ArtNetwork(nn.Module):
    """Features of every sample, a linear map to the channels, levels, and what ends the network."""

    def __init__(
        self, width: int, channels: int, latent_dim: int, ending: nn.Module | None = None, *, spread: float = SPREAD
    ) -> None:
        super().__init__()
        self.channels = channels
        self.latent_dim = latent_dim
        self.output = empty_linear(width, channels)
        self.levels = Levels(channels, spread)
        self.ending = ending or nn.Identity()

    def features(self, inputs: Float[Tensor, "n k"], z: Float[Tensor, " l"] | None) -> Float[Tensor, "n w"]:
        """Return the values of the last hidden layer."""
        raise NotImplementedError

    def layers(self) -> list[list[nn.Linear]]:
        """Return the linear maps in order, those side by side in one list."""
        raise NotImplementedError

    @property
    def receivers(self) -> list[nn.Linear]:
        """The linear maps that take in coordinates, in their first columns."""
        return self.layers()[0]

    @property
    def latents_beside(self) -> int:
        """Number of the receivers' last columns that take in the latent."""
        return 0

    def forward(self, inputs: Float[Tensor, "n k"], z: Float[Tensor, " l"] | None = None) -> Float[Tensor, "n c"]:
        return self.ending(self.levels(self.output(self.features(inputs, z))))

    @torch.no_grad()
    def freeze(self, inputs: Float[Tensor, "n k"], z: Float[Tensor, " l"] | None = None) -> None:
        """Set levels, and the statistics of norms, from these samples."""
        self.levels.freeze(self.output(self.features(inputs, z)))


class InputSum(nn.Module):
    """One linear map for every group of inputs and one for z, each through its activation, summed and activated.

    The latent's map alone has a bias.
    """

    def __init__(self, groups: Sequence[int], latent_dim: int, width: int, activations: Sequence[str]) -> None:
        """Take as activations one for every group, one for the latent (also without any), one for the sum."""
        super().__init__()
        self.groups = list(groups)
        self.width = width
        self.inputs = nn.ModuleList(empty_linear(group, width, bias=False) for group in groups)
        *inputs, latent, total = map(activation, activations)
        # In this order: checkpoints and optimizers follow the order of registration.
        self.latent = empty_linear(latent_dim, width) if latent_dim else None
        self.input_activations = nn.ModuleList(inputs)
        self.latent_activation = latent if latent_dim else None
        self.activation = total

    @property
    def linears(self) -> list[nn.Linear]:
        return [*linears(self.inputs), *([self.latent] if self.latent else [])]

    def forward(self, inputs: Float[Tensor, "n k"], z: Float[Tensor, " l"] | None) -> Float[Tensor, "n w"]:
        parts = zip(inputs.split(self.groups, dim=1), self.inputs, self.input_activations, strict=True)
        # Each input is bent by itself and then summed: one map of all inputs together would see planes only.
        total = sum(activate(project(part)) for part, project, activate in parts)
        if self.latent is not None and self.latent_activation is not None:
            total = total + self.latent_activation(self.latent(z))
        return self.activation(total)


class ArtMLP(ArtNetwork):
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
        """Take as activations those of `InputSum`, one for each hidden layer, one for the output."""
        slots = len(groups) + 2
        *hidden, output = map(activation, activations[slots:])
        super().__init__(width, channels, latent_dim, output)
        self.entry = InputSum(groups, latent_dim, width, activations[:slots])
        layers = 1 if shared else len(hidden)
        self.hidden = nn.ModuleList(empty_linear(width, width) for _ in range(layers))
        self.activations = nn.ModuleList(hidden)

    def layers(self) -> list[list[nn.Linear]]:
        return [self.entry.linears, *([layer] for layer in linears(self.hidden)), [self.output]]

    @property
    def receivers(self) -> list[nn.Linear]:
        return linears(self.entry.inputs)

    def features(self, inputs: Float[Tensor, "n k"], z: Float[Tensor, " l"] | None) -> Float[Tensor, "n w"]:
        values = self.entry(inputs, z)
        for layer, activate in self.hidden_layers():
            values = activate(layer(values))
        return values

    def hidden_layers(self) -> Iterator[tuple[nn.Linear, nn.Module]]:
        """Yield the linear map and the activation of every hidden layer."""
        return zip(cycle(linears(self.hidden)), self.activations, strict=False)


class ConvStack(ArtNetwork):
    """Eight 1x1 convolutions on inputs and z together, and one more to the channels.

    On single samples a 1x1 convolution is a linear layer, and here it is one. `norm` 'layer' normalises every sample
    over its features, 'batch' every feature over all samples: by the statistics of one reference grid, taken by
    `freeze`, so that a tile equals its part of the frame.
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
        super().__init__(width, channels, latent_dim)
        self.norm = norm
        widths = [inputs + latent_dim, *[width] * len(activations)]
        self.linears = nn.ModuleList(empty_linear(i, o) for i, o in pairwise(widths))
        self.activations = nn.ModuleList(map(activation, activations))
        if norm == "batch":
            self.register_buffer("means", torch.zeros(len(activations), width))
            self.register_buffer("scales", torch.ones(len(activations), width))

    def layers(self) -> list[list[nn.Linear]]:
        return [[layer] for layer in [*linears(self.linears), self.output]]

    @property
    def latents_beside(self) -> int:
        return self.latent_dim

    def features(self, inputs: Float[Tensor, "n k"], z: Float[Tensor, " l"] | None) -> Float[Tensor, "n w"]:
        return self._run(inputs, z, freeze=False)

    @torch.no_grad()
    def freeze(self, inputs: Float[Tensor, "n k"], z: Float[Tensor, " l"] | None = None) -> None:
        self.levels.freeze(self.output(self._run(inputs, z, freeze=self.norm == "batch")))

    def first(self, columns: int, z: Float[Tensor, " l"] | None) -> tuple[Tensor, Tensor]:
        """Return the first layer's weight and bias for that many inputs; z, the same everywhere, is in the bias."""
        (layer, *_) = linears(self.linears)
        if z is None:
            return layer.weight, layer.bias
        return layer.weight[:, :columns], linear(z, layer.weight[:, columns:], layer.bias)

    def _run(self, values: Tensor, z: Tensor | None, freeze: bool) -> Tensor:
        values = linear(values, *self.first(values.shape[1], z))
        _, *others = self.linears
        for number, activate in enumerate(self.activations):
            if number:
                values = others[number - 1](values)
            values = activate(self._normalize(values, number, freeze))
        return values

    def _normalize(self, values: Tensor, number: int, freeze: bool) -> Tensor:
        if self.norm == "layer":
            return torch.nn.functional.layer_norm(values, values.shape[1:])
        if self.norm == "batch":
            # Statistics of the call would tie a sample to its tile.
            if freeze:
                variance, self.means[number] = torch.var_mean(values, 0, correction=0)
                # torch's own eps: a constant feature stays finite.
                self.scales[number] = (variance + 1e-5).rsqrt()
            return (values - self.means[number]) * self.scales[number]
        return values


class ArtSiren(ArtNetwork):
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
        """Take one activation for every sine layer."""
        super().__init__(width, channels, latent_dim)
        self.omegas = [first_omega, *[omega] * (len(activations) - 1)]
        widths = [inputs, *[width] * len(activations)]
        self.sines = nn.ModuleList(empty_linear(i, o) for i, o in pairwise(widths))
        self.activations = nn.ModuleList(map(activation, activations))
        # The first modulator sees z alone, each later one the factors before it as well.
        before = [0, *[width] * (len(activations) - 1)] * bool(latent_dim)
        self.modulators = nn.ModuleList(empty_linear(h + latent_dim, width) for h in before)

    def layers(self) -> list[list[nn.Linear]]:
        return [[layer] for layer in [*linears(self.sines), self.output]]

    def modulations(self, z: Float[Tensor, " l"] | None) -> list[Tensor]:
        """Return the factors of every layer: one vector a layer, the same for all samples; none without a latent."""
        factors: list[Tensor] = []
        # Outside of the loop over samples: z is the same for all of them.
        for modulator in self.modulators:
            assert z is not None
            factors.append(elu(modulator(torch.cat([*factors[-1:], z]))))
        return factors

    def features(self, inputs: Float[Tensor, "n k"], z: Float[Tensor, " l"] | None) -> Float[Tensor, "n w"]:
        values = inputs
        factors = self.modulations(z)
        for number, (sine, activate, omega) in enumerate(zip(self.sines, self.activations, self.omegas, strict=True)):
            # omega on the whole map, bias included: the first layer's phases spread over its short period, too.
            values = activate(omega * sine(values))
            if factors:
                values = values * factors[number]
        return values
