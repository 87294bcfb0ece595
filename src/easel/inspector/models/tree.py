"""Trees of containers: the tensors inside the arguments and results of a forward pass, or inside a checkpoint."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor

DEEPEST = 16
"""Containers inside one another that are searched for tensors; a list may hold itself."""


def leaves(value: Any, suffix: str = "", depth: int = 0) -> Iterator[tuple[str, Tensor]]:
    """Yield (suffix, tensor) of all tensors in nested lists, tuples, mappings and dataclasses: `.1.0`, `.logits`."""
    if isinstance(value, Tensor):
        yield suffix, value
    elif depth < DEEPEST:
        for key, part in _children(value):
            yield from leaves(part, f"{suffix}.{key}", depth + 1)


def map_leaves(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Rebuild nested mappings, lists and tuples with `change(tensor)` in place of each tensor."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, Mapping):
        return {key: map_leaves(part, change) for key, part in value.items()}
    # Exact types only: a subclass of tuple, such as a named one, takes other arguments.
    if type(value) in (list, tuple):
        return type(value)(map_leaves(part, change) for part in value)
    return value


def _children(value: Any) -> Iterable[tuple[object, Any]]:
    """Return the (key, part) pairs of a container, none of anything else."""
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, list | tuple):
        return enumerate(value)
    if is_dataclass(value) and not isinstance(value, type):
        return [(part.name, getattr(value, part.name, None)) for part in fields(value)]
    return ()
