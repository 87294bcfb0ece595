"""Grid fields packed for the CPU kernel: which of them it takes, their layout, memory, and evaluation."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from easel.fields.kernels.runtime import in_threads, kernel, padded
from easel.fields.model.coordinates import axis_coordinates
from easel.fields.model.encodings import DenseGrid
from easel.fields.model.field import Field
from easel.fields.model.networks import MLP


def grid_kernel() -> Any:
    """Return the kernel's module; None without numba."""
    return kernel("grid_kernel")


def runs_fused(field: Field) -> bool:
    """Return whether the kernel takes this field: 2D or 3D grids, ReLU between linear layers, on a CPU with numba."""
    # By type(), not isinstance(): a subclass may compute something else.
    encoding = field.encoding
    return (
        type(encoding) is DenseGrid
        and len(encoding.shapes[0]) == field.dimensions
        and field.dimensions in (2, 3)
        and type(field.network) is MLP
        and isinstance(field.output, nn.Identity)
        and not field.radius
        and field.latent is None
        and encoding.table.device.type == "cpu"
        and encoding.table.dtype == torch.float32
        and grid_kernel() is not None
    )


@dataclass(frozen=True)
class GridEvaluator:
    """A grid field evaluated by the kernel, at the pixel centres of the whole view. Rounds differently from torch."""

    field: Field

    def at(self, index: Int[Tensor, " n"], size: Sequence[int]) -> Float[Tensor, "n c"]:
        """Return the values at the samples with these flat indices in an array of that size."""
        # Packed anew for every call: weights may have moved, and packing takes far less time than a tile.
        compiled = grid_kernel()
        values = torch.empty(len(index), self.field.channels)
        weights = flat_weights(self.field).numpy()
        layout = layout_of(self.field)
        memory = scratch(layout, len(index))
        compiled.pack(weights, layout, memory)
        run(compiled.predict, index.numpy(), samples_of(size, values), weights, layout, memory, values.numpy())
        return values


def run(work: Callable[..., Any], *arguments: Any) -> Any:
    """Let torch's number of threads claim the tasks of one of the kernel's functions; return its result."""
    # Fresh for every call: tasks claimed, tasks done, tasks of the second half claimed.
    tickets = np.zeros(3, np.int64)
    return in_threads(lambda _: work(tickets, *arguments), torch.get_num_threads())


def samples_of(size: Sequence[int], values: Float[Tensor, "n c"]) -> Any:
    """Pack the coordinates along three axes, and a value for every sample of an array of that size."""
    # A picture is a volume of one slice, whose coordinate is 0.
    axes = [axis.numpy() for axis in axis_coordinates((1, *size)[-3:])]
    return grid_kernel().Samples(*axes, values.contiguous().numpy())


def flat_weights(field: Field) -> Float[Tensor, " n"]:
    """Copy all parameters into one vector, in their order."""
    # By numpy, in this thread alone: torch's threads wait for each other, here longer than the copy takes.
    return torch.from_numpy(np.concatenate([parameter.detach().numpy().ravel() for parameter in field.parameters()]))


def layout_of(field: Field) -> Any:
    """Describe for the kernel where a field's numbers lie in its flat vector."""
    encoding = field.encoding
    assert isinstance(encoding, DenseGrid)
    widths = field.network.widths
    # Zero weights fill units up to fours: they leave results and gradients alone.
    wide = [padded(width) for width in widths]
    slices, rows, columns = zip(*((1, *shape)[-3:] for shape in encoding.shapes), strict=True)
    level_starts = _starts([encoding.features * math.prod(shape) for shape in encoding.shapes])
    layer_starts = _starts([(i + 1) * o for i, o in pairwise(widths)], encoding.table.numel())
    return grid_kernel().Layout(
        slices=_integers(slices),
        rows=_integers(rows),
        columns=_integers(columns),
        level_starts=level_starts,
        features=encoding.features,
        widths=_integers(widths),
        padded=_integers(wide),
        layer_starts=layer_starts,
        padded_starts=_starts([(i + 1) * o for i, o in pairwise(wide)]),
    )


def scratch(layout: Any, points: int) -> Any:
    """Allocate the kernel's memory for batches of up to that many points."""
    compiled = grid_kernel()
    chunks = compiled.CHUNKS
    block = compiled.BLOCK
    encoded = len(layout.rows) * layout.features
    room = padded(points, block)
    numbers = int(((layout.padded[:-1] + 1) * layout.padded[1:]).sum())
    # One region serves both passes: chunks of points go forward, planes of features collect their gradients.
    places = max(chunks, encoded)

    def zeros(*shape: int, dtype: Any = np.float32) -> np.ndarray:
        return np.zeros(shape, dtype)

    return compiled.Scratch(
        weights=zeros(numbers),
        transposed=zeros(numbers),
        zeros=zeros(int(layout.padded.max())),
        coordinates=zeros(3, room),
        gradient=zeros(encoded, room),
        activations=zeros(chunks, int(layout.padded.sum()), block),
        deltas=zeros(chunks, 2, int(layout.padded.max()), block),
        weight_gradients=zeros(chunks, numbers),
        nodes=zeros(places, block, dtype=np.int32),
        fractions=zeros(places, 3, block),
        true=zeros(chunks, block),
        counts=zeros(chunks, block),
        losses=zeros(chunks, dtype=np.float64),
    )


def _integers(values: Sequence[int]) -> np.ndarray:
    # int64 throughout: another type would have the kernel compiled once more.
    return np.array(values, np.int64)


def _starts(lengths: Sequence[int], first: int = 0) -> np.ndarray:
    """Return the offsets of consecutive parts of these lengths."""
    return _integers(list(accumulate(lengths[:-1], initial=first)))
