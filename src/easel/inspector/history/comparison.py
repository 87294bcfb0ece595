"""Two moments, checkpoints or models beside each other: what differs, by how much, and what is in one only."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from easel.inspector.history.snapshot import Snapshot
from easel.inspector.models.model_tensors import tensors

TENSORS_TOLD = 3
"""Names that a message lists of each kind."""


@dataclass(frozen=True)
class Difference:
    """b − a, of all tensors that both have with the same shape."""

    tensors: Mapping[str, Tensor]
    """Zero wherever both hold the same, infinities and NaN included."""
    missing: tuple[str, ...] = ()
    """Names that only a has."""
    added: tuple[str, ...] = ()
    """Names that only b has."""
    reshaped: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...] = ()
    """(name, a's shape, b's shape)."""
    change: Mapping[str, float] | None = None
    """‖b − a‖ / ‖a‖ of each tensor; infinite where a is zero and b is not."""

    @property
    def ranking(self) -> tuple[tuple[str, float], ...]:
        """(name, relative change), the largest first."""
        return tuple(sorted((self.change or {}).items(), key=lambda item: -item[1]))

    @property
    def mismatch(self) -> str:
        """Which names do not match, in one line; empty where all do."""
        parts = [_told(self.missing, "missing"), _told(self.added, "unexpected")]
        reshaped = [f"{name} {came} instead of {fits}" for name, fits, came in self.reshaped]
        return "; ".join(part for part in (*parts, _told(reshaped, "of another shape")) if part)


def difference(
    a: Snapshot | Mapping[str, Tensor] | nn.Module, b: Snapshot | Mapping[str, Tensor] | nn.Module
) -> Difference:
    """What has changed from a to b; snapshots, tensors by name, or models.

    Integers and bool are subtracted as int64, half precision as float32.
    """
    first, second = _by_name(a), _by_name(b)
    both = [name for name in first if name in second]
    reshaped = [(n, tuple(first[n].shape), tuple(second[n].shape)) for n in both if first[n].shape != second[n].shape]
    other = {name for name, _, _ in reshaped}
    changes = {name: subtract(second[name], first[name]) for name in both if name not in other}
    return Difference(
        changes,
        tuple(name for name in first if name not in second),
        tuple(name for name in second if name not in first),
        tuple(reshaped),
        {name: _ratio(change, first[name]) for name, change in changes.items() if not change.is_meta},
    )


def subtract(b: Tensor, a: Tensor) -> Tensor:
    """b − a; exactly zero where both are the same, also ∞ − ∞ and NaN − NaN."""
    device = "meta" if b.is_meta else a.device
    a, b = _wide(a).to(device), _wide(b).to(device)
    common = torch.promote_types(a.dtype, b.dtype)
    a, b = a.to(common), b.to(common)
    same = (a == b) | ((a != a) & (b != b))
    return torch.where(same, torch.zeros((), dtype=common, device=a.device), b - a)


def relative(b: Tensor, a: Tensor, epsilon: float = 1e-12) -> Tensor:
    """|b − a| / (|a| + ε), element by element."""
    change = subtract(b, a)
    # ε keeps elements that were zero finite.
    return change.abs() / (_wide(a).abs() + epsilon)


def _wide(tensor: Tensor) -> Tensor:
    """The same values in a type whose differences mean something."""
    tensor = tensor.detach()
    if tensor.is_complex() or tensor.dtype in (torch.float32, torch.float64):
        return tensor
    return tensor.float() if tensor.is_floating_point() else tensor.long()


def _by_name(source: Snapshot | Mapping[str, Tensor] | nn.Module) -> Mapping[str, Tensor]:
    if isinstance(source, Snapshot):
        return source.tensors
    return {name: ref.tensor for name, ref in tensors(source).items()} if isinstance(source, nn.Module) else source


def _ratio(change: Tensor, before: Tensor) -> float:
    moved, size = (float(torch.linalg.vector_norm(_floating(t))) for t in (change, _wide(before)))
    return 0.0 if moved == 0 else moved / size if size else float("inf")


def _floating(tensor: Tensor) -> Tensor:
    return tensor if tensor.is_floating_point() or tensor.is_complex() else tensor.double()


def _told(names: tuple[str, ...] | list[str], what: str) -> str:
    """`4 missing (a, b, c …)`."""
    if not names:
        return ""
    return f"{len(names)} {what} ({', '.join(names[:TENSORS_TOLD])}{' …' if len(names) > TENSORS_TOLD else ''})"
