"""Comparison of two moments, checkpoints or models: differences, relative changes, and names in one of them only."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from easel.inspector.history.snapshot import Snapshot
from easel.inspector.models.model_tensors import tensors

NAMES_LISTED = 3
"""Names that a message lists of each kind."""


@dataclass(frozen=True)
class Difference:
    """b − a of all tensors that both have with the same shape."""

    tensors: Mapping[str, Tensor]
    """b − a by name; zero wherever both hold the same, infinities and NaN included."""
    missing: tuple[str, ...] = ()
    """Names in a only."""
    added: tuple[str, ...] = ()
    """Names in b only."""
    reshaped: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...] = ()
    """(name, a's shape, b's shape)."""
    change: Mapping[str, float] | None = None
    """‖b − a‖ / ‖a‖ of each tensor; infinite if a is zero and b is not."""

    @property
    def ranking(self) -> tuple[tuple[str, float], ...]:
        """(name, relative change) of all tensors, the largest first."""
        return tuple(sorted((self.change or {}).items(), key=lambda item: -item[1]))

    @property
    def mismatch(self) -> str:
        """Names that do not match, in one line; empty if all do."""
        reshaped = [f"{name} {came} instead of {fits}" for name, fits, came in self.reshaped]
        groups = {"missing": self.missing, "unexpected": self.added, "of another shape": reshaped}
        return "; ".join(_listed(names, kind) for kind, names in groups.items() if names)


def difference(
    a: Snapshot | Mapping[str, Tensor] | nn.Module, b: Snapshot | Mapping[str, Tensor] | nn.Module
) -> Difference:
    """Return b − a of two snapshots, mappings of tensors by name, or models.

    Integers and bool are subtracted as int64, half precision as float32.

        difference(timeline.first, timeline.last).ranking[:5]   # what training changed most
    """
    before, after = _by_name(a), _by_name(b)
    both = [name for name in before if name in after]
    shapes = [(name, tuple(before[name].shape), tuple(after[name].shape)) for name in both]
    changes = {name: subtract(after[name], before[name]) for name, old, new in shapes if old == new}
    return Difference(
        changes,
        tuple(name for name in before if name not in after),
        tuple(name for name in after if name not in before),
        tuple((name, old, new) for name, old, new in shapes if old != new),
        {name: ratio(_norm(by), _norm(_wide(before[name]))) for name, by in changes.items() if not by.is_meta},
    )


def subtract(b: Tensor, a: Tensor) -> Tensor:
    """Return b − a, on a's device; exactly zero where both are the same, also ∞ − ∞ and NaN − NaN."""
    a, b = _wide(a), _wide(b)
    common = torch.promote_types(a.dtype, b.dtype)
    # Without values on one side there are none in the difference.
    device = "meta" if b.is_meta else a.device
    a, b = a.to(device, common), b.to(device, common)
    # NaN is the only value that differs from itself. Plain subtraction would tell that such elements have changed.
    same = (a == b) | ((a != a) & (b != b))
    return torch.where(same, torch.zeros((), dtype=common, device=a.device), b - a)


def relative(b: Tensor, a: Tensor, epsilon: float = 1e-12) -> Tensor:
    """Return |b − a| / (|a| + ε), element by element."""
    # ε keeps elements that were zero finite.
    return subtract(b, a).abs() / (_wide(a).abs() + epsilon)


def _wide(tensor: Tensor) -> Tensor:
    """Return the same values in a type that holds differences: unsigned integers and bool wrap, halves round."""
    tensor = tensor.detach()
    # float64 would double the memory of every comparison, for digits that nobody trained.
    if tensor.is_complex() or tensor.dtype in (torch.float32, torch.float64):
        return tensor
    return tensor.float() if tensor.is_floating_point() else tensor.long()


def _by_name(source: Snapshot | Mapping[str, Tensor] | nn.Module) -> Mapping[str, Tensor]:
    # The tensors themselves, not copies: they are read once, and subtracted one after another.
    if isinstance(source, nn.Module):
        return {name: ref.tensor for name, ref in tensors(source).items()}
    return source.tensors if isinstance(source, Snapshot) else source


def ratio(part: float, whole: float) -> float:
    """Return part / whole; 0 for nothing of nothing, infinite for something of nothing."""
    # Asked first: a frozen layer of zeros has not changed, whatever it is divided by.
    if part == 0:
        return 0.0
    return part / whole if whole else math.inf


def _norm(tensor: Tensor) -> float:
    # torch has no norm of integers.
    if not (tensor.is_floating_point() or tensor.is_complex()):
        tensor = tensor.double()
    return float(torch.linalg.vector_norm(tensor))


def _listed(names: Sequence[str], kind: str) -> str:
    """Return `4 missing (a, b, c …)`."""
    more = " …" if len(names) > NAMES_LISTED else ""
    return f"{len(names)} {kind} ({', '.join(names[:NAMES_LISTED])}{more})"
