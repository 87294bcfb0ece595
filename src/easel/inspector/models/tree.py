"""Tensors inside whatever a forward pass takes and gives."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor

DEEPEST = 16
"""Containers inside one another that are searched for tensors."""


def leaves(value: Any, suffix: str = "", depth: int = 0) -> Iterator[tuple[str, Tensor]]:
    """(suffix, tensor) of all tensors in nested lists, tuples, mappings and dataclasses: `.1.0`, `.logits`."""
    if isinstance(value, Tensor):
        yield suffix, value
    elif depth < DEEPEST:
        if isinstance(value, Mapping):
            inner = list(value.items())
        elif isinstance(value, list | tuple):
            inner = list(enumerate(value))
        elif is_dataclass(value) and not isinstance(value, type):
            inner = [(part.name, getattr(value, part.name, None)) for part in fields(value)]
        else:
            inner = []
        for key, part in inner:
            yield from leaves(part, f"{suffix}.{key}", depth + 1)
