"""Records of numbers that a person turns: a fixed set of names, and values that make sense, checked when assigned."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar


@dataclass(slots=True)
class Closed:
    """Base of mutable `@dataclass(slots=True)` records of numbers, tuples of numbers and switches, all with defaults.

    A name that it has not is an AttributeError; a value that is not finite or out of `LIMITS` is a ValueError.
    """

    LIMITS: ClassVar[Mapping[str, tuple[float, float]]] = {}
    """Name → the smallest and the largest value that fits."""

    def __setattr__(self, name: str, value: object) -> None:
        default = next((field.default for field in fields(self) if field.name == name), None)
        object.__setattr__(self, name, value if default is None else self._fitting(name, value, default))

    def reset(self) -> None:
        """Put every value back to its default."""
        for field in fields(self):
            setattr(self, field.name, field.default)

    def _fitting(self, name: str, value: object, default: object) -> object:
        if isinstance(default, bool):
            return bool(value)
        low, high = self.LIMITS.get(name, (-math.inf, math.inf))
        count = len(default) if isinstance(default, tuple) else 1
        parts = value if isinstance(default, tuple) else (value,)
        try:
            numbers = [float(part) for part in parts]  # pyright: ignore[reportGeneralTypeIssues]
        except (TypeError, ValueError):
            numbers = []
        if len(numbers) != count or not all(math.isfinite(number) and low <= number <= high for number in numbers):
            what = "a finite number" if count == 1 else f"{count} finite numbers"
            limits = f" from {low:g} to {high:g}" if name in self.LIMITS else ""
            raise ValueError(f"{type(self).__name__}.{name} takes {what}{limits}; got {value!r}.")
        return tuple(numbers) if isinstance(default, tuple) else numbers[0]
