"""Fields that paint, bound to the CPU kernel: a network and its latent become one of the kernel's programs."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from easel.fields.art.networks import ArtMLP, ArtNetwork, ArtSiren, ConvStack, InputSum, Levels
from easel.fields.art.topology import GraphNetwork
from easel.fields.model.activations import OWN, Add, Weighted
from easel.fields.model.encodings import FourierEncoding
from easel.fields.model.initialization import linears

_HELPERS = ThreadPoolExecutor(thread_name_prefix="easel-art")
_NAMES = {kind: name for name, kind in OWN.items()} | {nn.CELU: "ELU"}  # the same at alpha 1
_PARTS = (ArtNetwork, InputSum, Levels, nn.Linear, nn.ModuleList, nn.Sequential, nn.Identity)


@cache
def _kernel() -> Any:
    """The kernel's module; None without a numba that fits this Python and numpy."""
    try:
        return import_module("easel.fields.kernels.art_kernel")
    except ImportError:
        return None


def runs_fused(network: nn.Module, encoding: nn.Module, coords: Tensor) -> bool:
    """Whether the kernel takes these: a painting network whose activations it knows, in inference mode, on a CPU."""
    return (
        isinstance(network, ArtNetwork)
        and not (isinstance(encoding, FourierEncoding) and encoding.include_input)
        and torch.is_inference_mode_enabled()
        and coords.device.type == "cpu"
        and coords.dtype == network.output.weight.dtype == torch.float32
        and _kernel() is not None
        and all(isinstance(module, _PARTS) or _kind(module) is not None for module in network.modules())
    )


def evaluate(
    network: ArtNetwork, encoding: nn.Module, coords: Float[Tensor, "n k"], z: Float[Tensor, " l"] | None
) -> Float[Tensor, "n c"]:
    """The encoded network's values, by the kernel. They depend neither on the other points nor on threads."""
    kernel = _kernel()
    features = coords if isinstance(encoding, FourierEncoding) else encoding(coords)
    program = _Program(features.shape[1])
    if isinstance(encoding, FourierEncoding):
        program.append_octaves(encoding)
    program.append_network(network, z)
    points = len(features)
    blocks = -(-points // kernel.BLOCK)
    columns = np.zeros((_padded(features.shape[1]), blocks * kernel.BLOCK), np.float32)
    columns[: features.shape[1], :points] = features.numpy().T
    values = np.empty((network.channels, blocks * kernel.BLOCK), np.float32)
    steps, numbers = np.array(program.steps, np.int64), np.concatenate(program.numbers, dtype=np.float32)

    def work(first: int, last: int) -> None:
        part = slice(first * kernel.BLOCK, last * kernel.BLOCK)
        registers = np.zeros((program.registers + 1, program.rows, kernel.BLOCK), np.float32)
        kernel.run(steps, numbers, registers, columns[:, part], values[:, part])

    threads = min(torch.get_num_threads(), blocks)
    shares = [blocks * share // threads for share in range(threads + 1)]
    helpers = [_HELPERS.submit(work, *share) for share in pairwise(shares[1:])]
    work(*shares[:2])
    for helper in helpers:
        helper.result()
    return torch.from_numpy(values[:, :points].T.copy())


class _Program:
    """Instructions and numbers of the kernel, as they are written down."""

    def __init__(self, inputs: int) -> None:
        self.steps: list[tuple[int, ...]] = []
        self.numbers: list[np.ndarray] = []
        self.registers = 1
        self.rows = max(2, _padded(inputs))
        self._inputs, self._entry = inputs, 0
        self._place = 0

    def append_octaves(self, encoding: FourierEncoding) -> None:
        """Encode the inputs: they are few and would be many to hand over."""
        factors = encoding.factors(torch.zeros(1))
        rows = self._inputs * 2 * len(factors)
        self._entry = self._register(rows)
        self._append("FOURIER", self._entry, 0, factors, inputs=self._inputs, rows=rows)
        self._inputs = rows

    def append_network(self, network: ArtNetwork, z: Tensor | None) -> None:
        match network:
            case ArtMLP():
                place = self._input_sum(network.entry, z)
                hidden = linears(network.hidden)
                for number, activate in enumerate(network.activations):
                    place = self._linear(hidden[number % len(hidden)], place)
                    self._activate(activate, place, network.entry.width)
            case ConvStack():
                place = self._conv(network, z)
            case ArtSiren():
                place = self._siren(network, z)
            case GraphNetwork():
                place = self._graph(network, z)
            case _:
                raise TypeError(f"the kernel does not know {type(network).__name__}.")
        place = self._linear(network.output, place)
        self._append("LEVEL", place, 0, network.levels.shift, network.levels.gain, rows=network.channels)
        self._activate(network.ending, place, network.channels)

    def _input_sum(self, entry: InputSum, z: Tensor | None) -> int:
        place, start = -1, 0
        for group, layer, activate in zip(entry.groups, linears(entry.inputs), entry.input_activations, strict=True):
            # Every group sees all inputs, the others through zeros: there are few.
            weight = torch.zeros(entry.width, self._inputs)
            weight[:, start : start + group] = layer.weight
            start += group
            part = self._affine(weight, None, self._entry)
            self._activate(activate, part, entry.width)
            if place < 0:
                place = part
            else:
                self._append("ADD", place, part, torch.ones(1), rows=entry.width)
        if entry.latent is not None and entry.latent_activation is not None:
            self._append("BIAS", place, 0, entry.latent_activation(entry.latent(z)), rows=entry.width)
        self._activate(entry.activation, place, entry.width)
        return place

    def _conv(self, network: ConvStack, z: Tensor | None) -> int:
        place = self._entry
        for number, (layer, activate) in enumerate(zip(linears(network.linears), network.activations, strict=True)):
            if number == 0:
                place = self._affine(*network.first(self._inputs, z), place)
            else:
                place = self._linear(layer, place)
            if network.norm == "layer":
                self._append("NORMALIZE", place, 0, rows=layer.out_features)
            elif network.norm == "batch":
                statistics = network.means[number], network.scales[number]
                self._append("LEVEL", place, 0, *statistics, rows=layer.out_features)
            self._activate(activate, place, layer.out_features)
        return place

    def _siren(self, network: ArtSiren, z: Tensor | None) -> int:
        place, factors = self._entry, network.modulations(z)
        layers = zip(linears(network.sines), network.activations, network.omegas, strict=True)
        for number, (sine, activate, omega) in enumerate(layers):
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
            layer, activate = operation if isinstance(operation, nn.Sequential) else (None, operation)
            if isinstance(layer, nn.Linear):
                place = self._linear(layer, place)
            self._activate(activate, place, width)
            places.append(place)
        return self._sum([places[output] for output in network.outputs], 1.0, width)

    def _sum(self, places: Sequence[int], factor: float, rows: int) -> int:
        target = self._register(rows)
        for number, place in enumerate(places):
            self._append("ADD" if number else "COPY", target, place, torch.full((1,), factor), rows=rows)
        return target

    def _linear(self, layer: nn.Linear, place: int) -> int:
        return self._affine(layer.weight, layer.bias, place)

    def _affine(self, weight: Tensor, bias: Tensor | None, place: int) -> int:
        """Into a new register; W and b padded to fours by zeros, which change nothing."""
        outputs, inputs = _padded(weight.shape[0]), _padded(weight.shape[1])
        padded = torch.zeros(outputs, inputs)
        padded[: weight.shape[0], : weight.shape[1]] = weight
        offset = torch.zeros(outputs)
        if bias is not None:
            offset[: len(bias)] = bias
        target = self._register(outputs)
        self._append("LINEAR", target, place, padded, offset, inputs=inputs, rows=outputs)
        return target

    def _activate(self, module: nn.Module, place: int, rows: int) -> None:
        for part in module if isinstance(module, nn.Sequential) else [module]:
            if not isinstance(part, nn.Identity):
                kind, number = _kind(part) or (0, 0.0)
                self._append("ACTIVATE", place, kind, torch.tensor([number]), rows=rows)

    def _register(self, rows: int) -> int:
        self.rows = max(self.rows, _padded(rows))
        self.registers += 1
        return self.registers - 1

    def _append(self, operation: str, target: int, source: int, *numbers: Tensor, inputs: int = 0, rows: int) -> None:
        code = getattr(_kernel(), operation)
        self.steps.append((code, target, source, self._place, inputs, rows))
        for part in numbers:
            self.numbers.append(part.detach().numpy().ravel())
            self._place += part.numel()


def _kind(module: nn.Module) -> tuple[int, float] | None:
    """An activation's place in the kernel, and its number where it has one; None where the kernel has none."""
    names = _kernel().ACTIVATIONS
    if isinstance(module, Weighted):
        return names.index("add" if isinstance(module, Add) else "scale"), module.value.item()
    slope = module.negative_slope if isinstance(module, nn.LeakyReLU) else 0.0
    name = _NAMES.get(type(module), type(module).__name__)
    return (names.index(name), slope) if name in names else None


def _padded(rows: int) -> int:
    return -(-rows // 4) * 4
