"""Snapshots: a network's tensors at one step, as copies in main memory that no training writes into."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn, optim

from easel.inspector.models.graph import Kind, TensorRef
from easel.inspector.models.model_tensors import clean_path, tensors, unwrap


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Tensors at one step, by name.

    A gradient is `conv1.weight.grad`, the optimizer's memory `conv1.weight.exp_avg`, an activation has its node's
    name. A tensor that did not change since the snapshot before is the very same object there and here.
    """

    step: int
    tensors: Mapping[str, Tensor]
    """Detached, on the CPU; to be read, not written into."""
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    """Kind of each tensor by name; a name that is not listed is a parameter's."""

    def of(self, kind: Kind) -> dict[str, Tensor]:
        """Return the tensors of one kind."""
        return {name: tensor for name, tensor in self.tensors.items() if self.kind(name) == kind}

    def kind(self, name: str) -> Kind:
        return self.kinds.get(name, "parameter")

    def refs(self) -> dict[str, TensorRef]:
        """Return the tensors as a scene takes them; a name without its last part is taken for the module's path."""
        return {
            name: TensorRef(name, tensor, self.kind(name), name.rpartition(".")[0])
            for name, tensor in self.tensors.items()
        }


def live_tensors(
    model: nn.Module, optimizer: optim.Optimizer | None = None, *, gradients: bool = False
) -> dict[str, tuple[Tensor, Kind]]:
    """Return name → (tensor, kind) of all values of a model now, not copied yet; with an optimizer, its state too.

    Gradients exist between `backward` and `zero_grad` only; a parameter that has none then is left out.
    """
    refs = {name: ref for name, ref in tensors(model).items() if ref.is_materialised}
    found: dict[str, tuple[Tensor, Kind]] = {name: (ref.tensor, ref.kind) for name, ref in refs.items()}
    # The parameters themselves: the detached tensors of `refs` have no gradient, and the optimizer knows none of them.
    named = ((clean_path(name), parameter) for name, parameter in unwrap(model).named_parameters())
    parameters = {name: parameter for name, parameter in named if name in refs}
    for name, parameter in parameters.items():
        if gradients and parameter.grad is not None:
            found[f"{name}.grad"] = (parameter.grad.detach(), "gradient")
    if optimizer is None:
        return found
    for name, parameter in parameters.items():
        # `get`: the state is a defaultdict, and reading it by [] would write into it.
        for key, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, Tensor | float | int):
                found[f"{name}.{key}"] = (torch.as_tensor(value).detach(), "state")
    return found


def copied(tensor: Tensor, before: Tensor | None = None) -> Tensor:
    """Return a dense copy on the CPU, or `before` itself if it has the same type, shape and bits."""
    # Conjugates and negatives may be flags on another tensor's bits; resolved, the bits are the values.
    dense = tensor.detach().to_dense().resolve_conj().resolve_neg()
    # Compared first where that needs no copy; a tensor of a GPU has to come here in any case.
    if before is not None and dense.device.type == "cpu" and same_bits(dense, before):
        return before
    copy = dense.to("cpu", copy=True, memory_format=torch.contiguous_format)
    return before if before is not None and same_bits(copy, before) else copy


def same_bits(one: Tensor, other: Tensor) -> bool:
    """Return True if two dense tensors have the same type, shape and bits: NaN equals NaN, and -0.0 is not 0.0."""
    return one.dtype == other.dtype and one.shape == other.shape and torch.equal(_bits(one), _bits(other))


def _bits(tensor: Tensor) -> Tensor:
    """Return the values as integers of the same width; complex128, of 16 bytes, as two."""
    integers = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
    return tensor.contiguous().reshape(-1).view(integers.get(tensor.element_size(), torch.int64))
