"""A grid field bound to the CPU kernel."""

import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from easel.fields.fitting.learner import ADAM, OPTIMIZERS, SGD_MOMENTUM, loss_bound
from easel.fields.fitting.losses import HUBER_TURN, LOSSES
from easel.fields.model.config import Knobs
from easel.fields.model.coordinates import pixel_centers
from easel.fields.model.encodings import DenseGrid
from easel.fields.model.field import Field
from easel.fields.model.networks import MLP

# Not numba's own threads: they spin while they wait, and on a busy machine (a window is drawing, say) that was
# measured to cost several times the work itself.
_HELPERS = ThreadPoolExecutor(thread_name_prefix="easel-fields")


@cache
def _kernel() -> Any:
    """The kernel's module; None without a numba that fits this Python and numpy."""
    try:
        return import_module("easel.fields.kernels.grid_kernel")
    except ImportError:
        return None


def runs_fused(field: Field) -> bool:
    """Whether the kernel can take this field: 2D or 3D grids, ReLU between linear layers, on a CPU that has numba."""
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
        and _kernel() is not None
    )


class FusedLearner:
    """The same step as `learner.Learner`'s, by the kernel. The bits do not depend on the number of threads.

    Moves the field's parameters into one flat vector; they stay ordinary parameters.
    """

    def __init__(self, field: Field, target: Float[Tensor, "*size c"]) -> None:
        kernel, average = _kernel(), _flat_weights(field)
        start = 0
        for parameter in field.parameters():
            stop = start + parameter.numel()
            parameter.data = average[start:stop].view_as(parameter)
            start = stop
        weights = average.numpy().copy()
        moments = (np.zeros_like(weights) for _ in range(3))
        self._state = kernel.State(weights, *moments, average.numpy())
        self._picture = _picture(target.shape[:-1], target.flatten(0, -2))
        self._plan = _plan(field)
        self._scratch = _scratch(self._plan, 0)
        self._optimizer, self._updates, self._bound = "", 0, -math.inf
        # Below no loss there is no step: this one only has the kernel compiled.
        self.step(torch.zeros(1, dtype=torch.int64), Knobs(), 0.0)
        self._optimizer, self._updates, self._bound = "", 0, math.inf

    def step(self, index: Int[Tensor, " n"], knobs: Knobs, averaging: float) -> float:
        """See `learner.Learner.step`."""
        kernel = _kernel()
        if len(index) > self._scratch.coordinates.shape[1]:
            self._scratch = _scratch(self._plan, len(index))
        kernel.pack(self._state.weights, self._plan, self._scratch)
        rule = self._rule(knobs, averaging)
        loss = _share(kernel.learn, index.numpy(), self._picture, self._plan, self._scratch, self._state, rule)
        if loss < self._bound:
            self._bound = loss_bound(self._bound, loss)
        else:
            self._optimizer = ""
            self._state.weights[:] = self._state.average
        return loss

    @property
    def gradient(self) -> Float[Tensor, " n"]:
        """The last step's, in the order of the field's parameters."""
        return torch.from_numpy(self._state.gradient)

    def _rule(self, knobs: Knobs, averaging: float) -> Any:
        if self._optimizer != knobs.optimizer:
            self._optimizer, self._updates = knobs.optimizer, 0
            self._state.first[:] = self._state.second[:] = 0.0
        self._updates += 1
        # Floats throughout: an int would have the kernel compiled once more.
        rate, decay = float(knobs.lr), float(knobs.weight_decay)
        keep1, keep2 = ADAM["betas"]
        decoupled = knobs.optimizer == "adamw"
        return _kernel().Rule(
            loss=list(LOSSES).index(knobs.loss),
            turn=HUBER_TURN,
            optimizer=list(OPTIMIZERS).index(knobs.optimizer),
            rate=rate if knobs.optimizer == "sgd" else rate / (1 - keep1**self._updates),
            decay=0.0 if decoupled else decay,
            shrink=1 - rate * decay if decoupled else 1.0,
            keep1=SGD_MOMENTUM if knobs.optimizer == "sgd" else keep1,
            keep2=keep2,
            root=(1 - keep2**self._updates) ** -0.5,
            eps=ADAM["eps"],
            averaging=float(averaging),
            bound=self._bound,
        )


def predict(field: Field, index: Int[Tensor, " n"], size: Sequence[int], values: Float[Tensor, "n c"]) -> None:
    """Fill in the values at the samples with these flat indices in an array of that size, by the kernel."""
    kernel, weights, described = _kernel(), _flat_weights(field).numpy(), _plan(field)
    memory = _scratch(described, len(index))
    kernel.pack(weights, described, memory)
    _share(kernel.predict, index.numpy(), _picture(size, values), weights, described, memory, values.numpy())


def _share(work: Callable[..., Any], *arguments: Any) -> Any:
    """Have torch's number of threads claim the tasks of one of the kernel's functions; returns what it returns."""
    tickets = np.zeros(3, np.int64)
    helpers = [_HELPERS.submit(work, tickets, *arguments) for _ in range(torch.get_num_threads() - 1)]
    result = work(tickets, *arguments)
    for helper in helpers:
        if not helper.cancel():  # one that never came to start has nothing left to do
            helper.result()
    return result


def _picture(size: Sequence[int], pixels: Float[Tensor, "n c"]) -> Any:
    along, down, across = (pixel_centers((samples,)).numpy().ravel() for samples in (1, *size)[-3:])
    return _kernel().Picture(along, down, across, pixels.contiguous().numpy())


def _flat_weights(field: Field) -> Float[Tensor, " n"]:
    # By numpy, in this thread alone: torch's threads wait for each other, here longer than the copy takes.
    return torch.from_numpy(np.concatenate([parameter.detach().numpy().ravel() for parameter in field.parameters()]))


def _plan(field: Field) -> Any:
    """The kernel's description of a field."""
    kernel = _kernel()
    encoding = field.encoding
    assert isinstance(encoding, DenseGrid)
    widths = field.network.widths
    padded = [-(-width // 4) * 4 for width in widths]
    slices, rows, columns = zip(*((1, *shape)[-3:] for shape in encoding.shapes), strict=True)
    level_numbers = [encoding.features * math.prod(shape) for shape in encoding.shapes]
    layer_numbers = [(i + 1) * o for i, o in pairwise(widths)]
    padded_numbers = [(i + 1) * o for i, o in pairwise(padded)]
    return kernel.Plan(
        slices=_integers(slices),
        rows=_integers(rows),
        columns=_integers(columns),
        level_starts=_starts(level_numbers),
        features=encoding.features,
        widths=_integers(widths),
        padded=_integers(padded),
        layer_starts=_starts(layer_numbers) + sum(level_numbers),
        padded_starts=_starts(padded_numbers),
    )


def _scratch(described: Any, points: int) -> Any:
    """Memory for batches of up to that many points."""
    kernel = _kernel()
    chunks, block = kernel.CHUNKS, kernel.BLOCK
    encoded = len(described.rows) * described.features
    room = -(-points // block) * block
    numbers = int(((described.padded[:-1] + 1) * described.padded[1:]).sum())
    places = max(chunks, encoded)

    def zeros(*shape: int, dtype: Any = np.float32) -> np.ndarray:
        return np.zeros(shape, dtype)

    return kernel.Scratch(
        weights=zeros(numbers),
        transposed=zeros(numbers),
        zeros=zeros(int(described.padded.max())),
        coordinates=zeros(3, room),
        gradient=zeros(encoded, room),
        activations=zeros(chunks, int(described.padded.sum()), block),
        deltas=zeros(chunks, 2, int(described.padded.max()), block),
        weight_gradients=zeros(chunks, numbers),
        nodes=zeros(places, block, dtype=np.int32),
        fractions=zeros(places, 3, block),
        true=zeros(chunks, block),
        counts=zeros(chunks, block),
        losses=zeros(chunks, dtype=np.float64),
    )


def _integers(values: Iterable[int]) -> np.ndarray:
    return np.array(list(values), np.int64)


def _starts(numbers: list[int]) -> np.ndarray:
    return np.cumsum([0, *numbers[:-1]], dtype=np.int64)
