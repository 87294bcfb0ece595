"""Painting fields packed for the CPU kernel: a network and its latent become one of the kernel's programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from easel.fields.art.networks import ArtMLP, ArtNetwork, ArtSiren, ConvStack, InputSum, Levels
from easel.fields.art.topology import GraphNetwork
from easel.fields.kernels.runtime import in_threads, kernel, padded
from easel.fields.model.activations import OWN, Add, Weighted
from easel.fields.model.encodings import FourierEncoding
from easel.fields.model.field import Field
from easel.fields.model.initialization import linears

_NAMES = {kind: name for name, kind in OWN.items()} | {nn.CELU: "ELU"}  # the same at alpha 1
# Modules that compute nothing by themselves, or whose parts `Program` writes down by hand.
_PARTS = (ArtNetwork, InputSum, Levels, nn.Linear, nn.ModuleList, nn.Sequential, nn.Identity)


def art_kernel() -> Any:
    """Return the kernel's module; None without numba."""
    return kernel("art_kernel")


def runs_fused(field: Field) -> bool:
    """Return whether the kernel takes this field: a painting network of float32, its activations known, on a CPU."""
    network = field.network
    return (
        isinstance(network, ArtNetwork)
        and not (isinstance(field.encoding, FourierEncoding) and field.encoding.include_input)
        and network.output.weight.device.type == "cpu"
        and network.output.weight.dtype == torch.float32
        and art_kernel() is not None
        and all(isinstance(module, _PARTS) or _instruction(module) is not None for module in network.modules())
    )


@dataclass(frozen=True)
class PaintingEvaluator:
    """A painting field evaluated by the kernel, at any points and for any latent; without gradients."""

    field: Field

    @torch.inference_mode()
    def __call__(self, coords: Float[Tensor, "n k"], z: Float[Tensor, " l"] | None = None) -> Float[Tensor, "n c"]:
        """Return the values at these points; `z` stands in for the field's own latent."""
        field = self.field
        if z is None:
            z = field.latent
        return field.output(evaluate(field.network, field.encoding, field.inputs(coords), z))


def evaluate(
    network: ArtNetwork, encoding: nn.Module, coords: Float[Tensor, "n k"], z: Float[Tensor, " l"] | None
) -> Float[Tensor, "n c"]:
    """Return the encoded network's values, by the kernel. They depend neither on the other points nor on threads."""
    compiled = art_kernel()
    program = Program()
    features = coords
    if isinstance(encoding, FourierEncoding):
        # Octaves are the kernel's own: the coordinates are few numbers and their sines would be many to hand over.
        program.start(coords.shape[1])
        program.append_octaves(encoding)
    else:
        features = encoding(coords)
        program.start(features.shape[1])
    program.append_network(network, z)
    points, inputs = features.shape
    room = padded(points, compiled.BLOCK)
    # Inputs in rows, points in columns: units of neighbouring points become vectors.
    columns = np.zeros((padded(inputs), room), np.float32)
    columns[:inputs, :points] = features.numpy().T
    values = np.empty((network.channels, room), np.float32)
    steps = np.array(program.steps, np.int64)
    numbers = np.concatenate(program.numbers, dtype=np.float32)
    blocks = room // compiled.BLOCK
    threads = min(torch.get_num_threads(), blocks)

    def work(share: int) -> None:
        part = slice(*(blocks * end // threads * compiled.BLOCK for end in (share, share + 1)))
        # Zeros, since padded rows are read and NaN times a zero weight is NaN.
        registers = np.zeros((program.registers + 1, program.rows, compiled.BLOCK), np.float32)
        compiled.run(steps, numbers, registers, columns[:, part], values[:, part])

    in_threads(work, threads)
    return torch.from_numpy(values[:, :points].T.copy())


class Program:
    """Instructions and numbers of the kernel, as they are written down: first `start`, then the parts of a field.

    Methods return the register that holds their result.
    """

    def __init__(self) -> None:
        self.steps: list[tuple[int, ...]] = []
        """(operation, target, source, offset in the numbers, inputs, rows) of every instruction."""
        self.numbers: list[np.ndarray] = []
        self.registers = 0
        self.rows = 2
        """Units of the largest register; two, for norms need a mean and a variance."""
        self._offset = 0

    def start(self, inputs: int) -> None:
        """Reserve the register that the kernel fills with that many inputs."""
        self._inputs = inputs
        self._entry = self._register(inputs)

    def append_octaves(self, encoding: FourierEncoding) -> None:
        """Encode the inputs."""
        factors = encoding.factors(torch.zeros(1))
        rows = self._inputs * 2 * len(factors)
        target = self._register(rows)
        self._append("FOURIER", target, self._entry, factors, inputs=self._inputs, rows=rows)
        self._entry = target
        self._inputs = rows

    def append_network(self, network: ArtNetwork, z: Tensor | None) -> None:
        """Write down a network for one latent, whose share is the same at all points and therefore a number."""
        match network:
            case ArtMLP():
                place = self._mlp(network, z)
            case ConvStack():
                place = self._conv(network, z)
            case ArtSiren():
                place = self._siren(network, z)
            case GraphNetwork():
                place = self._graph(network, z)
            case _:
                raise TypeError(f"the kernel does not know {type(network).__name__}.")
        # The levels are numbers of the network, the ending activations like any other.
        place = self._linear(network.output, place)
        self._append("LEVEL", place, 0, network.levels.shift, network.levels.gain, rows=network.channels)
        self._activate(network.ending, place, network.channels)

    def _mlp(self, network: ArtMLP, z: Tensor | None) -> int:
        place = self._input_sum(network.entry, z)
        for layer, activate in network.hidden_layers():
            place = self._linear(layer, place)
            self._activate(activate, place, network.entry.width)
        return place

    def _input_sum(self, entry: InputSum, z: Tensor | None) -> int:
        parts = []
        start = 0
        for group, layer, activate in zip(entry.groups, linears(entry.inputs), entry.input_activations, strict=True):
            # Every group sees all inputs, the others through zeros: there are few, and a product reads its
            # register from the first row on.
            weight = torch.zeros(entry.width, self._inputs)
            weight[:, start : start + group] = layer.weight
            start += group
            parts.append(self._affine(weight, None, self._entry))
            self._activate(activate, parts[-1], entry.width)
        place, *others = parts
        for part in others:
            self._append("ADD", place, part, torch.ones(1), rows=entry.width)
        # z enters as one number a unit: the same for all points, computed once in torch.
        if entry.latent is not None and entry.latent_activation is not None:
            self._append("BIAS", place, 0, entry.latent_activation(entry.latent(z)), rows=entry.width)
        self._activate(entry.activation, place, entry.width)
        return place

    def _conv(self, network: ConvStack, z: Tensor | None) -> int:
        place = self._entry
        for number, (layer, activate) in enumerate(zip(linears(network.linears), network.activations, strict=True)):
            # The first layer's columns of z are part of its bias.
            weight, bias = layer.weight, layer.bias
            if number == 0:
                weight, bias = network.first(self._inputs, z)
            place = self._affine(weight, bias, place)
            match network.norm:
                case "layer":
                    self._append("NORMALIZE", place, 0, rows=layer.out_features)
                case "batch":
                    statistics = (network.means[number], network.scales[number])
                    self._append("LEVEL", place, 0, *statistics, rows=layer.out_features)
            self._activate(activate, place, layer.out_features)
        return place

    def _siren(self, network: ArtSiren, z: Tensor | None) -> int:
        place = self._entry
        factors = network.modulations(z)
        layers = zip(linears(network.sines), network.activations, network.omegas, strict=True)
        for number, (sine, activate, omega) in enumerate(layers):
            # ω goes into the map: one multiplication a weight, in place of one a point.
            place = self._affine(omega * sine.weight, omega * sine.bias, place)
            self._activate(activate, place, sine.out_features)
            if factors:
                self._append("MULTIPLY", place, 0, factors[number], rows=sine.out_features)
        return place

    def _graph(self, network: GraphNetwork, z: Tensor | None) -> int:
        width = network.entry.width
        places = [self._linear(network.hidden, self._input_sum(network.entry, z))]
        self._activate(network.hidden_activation, places[0], width)
        for sources, operation in zip(network.sources[1:], network.operations, strict=True):
            place = self._sum([places[source] for source in sources], len(sources) ** -0.5, width)
            activate = operation
            if isinstance(operation, nn.Sequential):
                layer, activate = operation
                assert isinstance(layer, nn.Linear)
                place = self._linear(layer, place)
            self._activate(activate, place, width)
            places.append(place)
        return self._sum([places[output] for output in network.outputs], 1.0, width)

    def _sum(self, places: Sequence[int], factor: float, rows: int) -> int:
        """Sum registers times a factor into a new one."""
        # COPY first: a register holds what the block before it left there.
        target = self._register(rows)
        operation = "COPY"
        for place in places:
            self._append(operation, target, place, torch.full((1,), factor), rows=rows)
            operation = "ADD"
        return target

    def _linear(self, layer: nn.Linear, place: int) -> int:
        return self._affine(layer.weight, layer.bias, place)

    def _affine(self, weight: Tensor, bias: Tensor | None, place: int) -> int:
        """Map a register into a new one; W and b are padded to fours by zeros, which change nothing."""
        outputs, inputs = map(padded, weight.shape)
        wide = torch.zeros(outputs, inputs)
        wide[: weight.shape[0], : weight.shape[1]] = weight
        offset = torch.zeros(outputs)
        if bias is not None:
            offset[: len(bias)] = bias
        target = self._register(outputs)
        self._append("LINEAR", target, place, wide, offset, inputs=inputs, rows=outputs)
        return target

    def _activate(self, module: nn.Module, place: int, rows: int) -> None:
        """Apply an activation, or several in a row, to a register in place."""
        for part in module.modules():
            if not isinstance(part, nn.Identity | nn.Sequential):
                instruction = _instruction(part)
                assert instruction is not None  # `runs_fused` has looked at every module
                kind, number = instruction
                self._append("ACTIVATE", place, kind, torch.tensor([number]), rows=rows)

    def _register(self, rows: int) -> int:
        self.rows = max(self.rows, padded(rows))
        self.registers += 1
        return self.registers - 1

    def _append(self, operation: str, target: int, source: int, *numbers: Tensor, inputs: int = 0, rows: int) -> None:
        code = getattr(art_kernel(), operation)
        self.steps.append((code, target, source, self._offset, inputs, rows))
        for part in numbers:
            self.numbers.append(part.detach().numpy().ravel())
            self._offset += part.numel()


def _instruction(module: nn.Module) -> tuple[int, float] | None:
    """Return an activation's code in the kernel, and its number or 0; None where the kernel does not know it."""
    names = art_kernel().ACTIVATIONS
    # By class before name: `Gain` is a `Scale`, and RReLU runs as a LeakyReLU with a slope of its own.
    match module:
        case Add():
            return names.index("add"), module.value.item()
        case Weighted():
            return names.index("scale"), module.value.item()
        case nn.LeakyReLU():
            return names.index("LeakyReLU"), module.negative_slope
    name = _NAMES.get(type(module), type(module).__name__)
    if name not in names:
        return None
    return names.index(name), 0.0
