"""What a network's tensors were at one step: copies in main memory that no training writes into."""

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
    name. What did not change since the snapshot before is the very same tensor there and here.
    """

    step: int
    tensors: Mapping[str, Tensor]
    """Detached, on the CPU; to be read, not written into."""
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    """Of each tensor; what is not listed is a parameter."""

    def of(self, kind: Kind) -> dict[str, Tensor]:
        """The tensors of one kind."""
        return {name: tensor for name, tensor in self.tensors.items() if self.kind(name) == kind}

    def kind(self, name: str) -> Kind:
        return self.kinds.get(name, "parameter")

    def refs(self) -> dict[str, TensorRef]:
        """The tensors as a scene takes them; a name without its last part is taken for the module's path."""
        return {
            name: TensorRef(name, tensor, self.kind(name), name.rpartition(".")[0])
            for name, tensor in self.tensors.items()
        }


def live_tensors(
    model: nn.Module, optimizer: optim.Optimizer | None = None, *, gradients: bool = False
) -> dict[str, tuple[Tensor, Kind]]:
    """name → (tensor, kind) of what can be copied now, not copied yet; with an optimizer, also what it remembers.

    Parameters without gradients have none here: they are there between `backward` and `zero_grad`.
    """
    refs = {name: ref for name, ref in tensors(model).items() if ref.is_materialised}
    found: dict[str, tuple[Tensor, Kind]] = {name: (ref.tensor, ref.kind) for name, ref in refs.items()}
    names = {id(parameter): name for name, parameter in _parameters(model).items() if name in refs}
    if gradients:
        for name, parameter in _parameters(model).items():
            if name in refs and parameter.grad is not None:
                found[f"{name}.grad"] = (parameter.grad.detach(), "gradient")
    if optimizer is not None:
        for parameter, state in optimizer.state.items():
            if (name := names.get(id(parameter))) is not None:
                for key, value in state.items():
                    if isinstance(value, Tensor | float | int):
                        tensor = value.detach() if isinstance(value, Tensor) else torch.tensor(value)
                        found[f"{name}.{key}"] = (tensor, "state")
    return found


def copied(tensor: Tensor, before: Tensor | None = None) -> Tensor:
    """A dense copy on the CPU, or `before` itself where it has the same type, shape and bits."""
    plain = tensor.detach()
    plain = plain.to_dense() if plain.layout is not torch.strided else plain.resolve_conj().resolve_neg()
    if before is not None and plain.device.type == "cpu" and same_bits(plain, before):
        return before
    copy = plain.to("cpu", copy=True, memory_format=torch.contiguous_format)
    return before if before is not None and same_bits(copy, before) else copy


def same_bits(one: Tensor, other: Tensor) -> bool:
    """Whether two dense tensors hold the same, NaN and the sign of zero included."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return torch.equal(_bits(one), _bits(other))


def _bits(tensor: Tensor) -> Tensor:
    integers = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
    return tensor.contiguous().reshape(-1).view(integers.get(tensor.element_size(), torch.int64))


def _parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters themselves, by the names of `tensors`."""
    return {clean_path(name): parameter for name, parameter in unwrap(model).named_parameters()}
