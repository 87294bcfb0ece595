"""Settings whose annotations say what fits, and the one interpreter of those annotations.

    epochs: Annotated[int, Range(1, 500)] = 40
    scheduler: Literal["cosine", "step"] = "cosine"

Records of a scene, training configs, files of options, command lines and the sliders of a panel all read these.
Standard library only: help texts must not wait for torch.
"""

import contextlib
import dataclasses
import functools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, SupportsFloat, Union, get_args, get_origin, get_type_hints

Number = float | int

_WORDS = {int: "a whole number", float: "a finite number", bool: "True or False", str: "a text", Path: "a path"}


@dataclass(frozen=True)
class Range:
    """Interval of the numbers that fit: `rate: Annotated[float, Range(1e-5, 1e-1, log=True)] = 1e-3`.

    A slider over it has decades of equal length with `log`, where 0 may stand at the left end, and notches every
    `step`; a check takes what lies between the notches, too. ValueError if no number could fit.
    """

    min: Number = -math.inf
    max: Number = math.inf
    log: bool = False
    step: Number | None = None
    above: bool = False
    """Leave `min` itself out."""
    below: bool = False
    """Leave `max` itself out."""

    def __post_init__(self) -> None:
        if not self.min <= self.max:
            raise ValueError(f"a range runs from min up to max; got min={self.min}, max={self.max}.")
        if self.log and self.min < 0:
            raise ValueError(f"a logarithmic range begins at 0 or above; got min={self.min}.")
        if self.step is not None and not self.step > 0:
            raise ValueError(f"the step of a range is above 0; got {self.step}.")

    def __contains__(self, number: Number) -> bool:
        lowest, highest = self.above and number == self.min, self.below and number == self.max
        return self.min <= number <= self.max and not lowest and not highest

    def __str__(self) -> str:
        """The numbers that fit, in words: "1 to 500", "1 or more", "above 0", "0 or more and below 1"."""
        least, most = _digits(self.min), _digits(self.max)
        bounded = math.isfinite(self.min), math.isfinite(self.max)
        if all(bounded) and not self.above and not self.below:
            return f"{least} to {most}"
        ends = f"above {least}" if self.above else f"{least} or more", f"{'below' if self.below else 'at most'} {most}"
        return " and ".join(words for words, is_end in zip(ends, bounded, strict=True) if is_end)


@dataclass(slots=True)
class CheckedRecord:
    """Base of mutable `@dataclass(slots=True)` records whose values are checked, and converted, at every assignment.

    An unknown name is an AttributeError, a value that its annotation excludes a ValueError. Every field has a default.
    """

    def __setattr__(self, name: str, value: object) -> None:
        hint = annotations(type(self)).get(name)
        if hint is not None:
            try:
                # A switch takes whatever has a truth, such as a tensor of one element.
                value = fit(bool(value) if hint is bool else value, hint)
            except ValueError as error:
                raise ValueError(f"{type(self).__name__}.{name} takes {error}; got {value!r}.") from None
        object.__setattr__(self, name, value)

    def reset(self) -> None:
        """Put every value back to its default."""
        for field in fields(self):
            setattr(self, field.name, field.default)


@functools.cache
def annotations(cls: type) -> Mapping[str, Any]:
    """Annotations of a class and its bases by field, `Annotated` included."""
    return get_type_hints(cls, include_extras=True)


def bare(hint: Any) -> tuple[Any, Range | None]:
    """Split an annotation into the type and the Range that `Annotated` attaches to it."""
    if get_origin(hint) is not Annotated:
        return hint, None
    kind, *notes = get_args(hint)
    return kind, next((note for note in notes if isinstance(note, Range)), None)


def has_range(hint: Any) -> bool:
    """Return whether an annotation states a Range, for itself or for a part."""
    return bare(hint)[1] is not None or any(map(has_range, get_args(hint)))


def misfits(record: Any) -> Iterator[tuple[str, Any, str]]:
    """Name, value and what would fit, for every field of a dataclass instance whose value its annotation excludes."""
    hints = annotations(type(record))
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        try:
            fit(value, hints[field.name])
        except ValueError as error:
            yield field.name, value, str(error)


def check(record: Any) -> None:
    """Raise ValueError, "Look.density is -1; it must be 0 or more.", for the first field that misfits."""
    for name, value, fitting in misfits(record):
        raise ValueError(f"{type(record).__name__}.{name} is {value!r}; it must be {fitting}.")


def fit(value: Any, hint: Any, *, ranges: bool = True) -> Any:
    """Convert `value` to the type that an annotation names: 1 to 1.0, a list to a tuple, a text to a path.

    Raises ValueError with what fits and no full stop: "a whole number", or "1 to 500" where only the range is missed.
    Without `ranges` the type alone counts: settings that depend on each other pass through values that do not last.
    """
    return _fit(value, hint, ranges, None)


def _fit(value: Any, hint: Any, ranges: bool, outer: Range | None) -> Any:
    kind, own = bare(hint)
    within = own or outer
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _fit_any(value, parts, ranges, within)
    if origin is tuple:
        return _fit_tuple(value, parts, ranges, within)
    if origin is list and isinstance(value, list | tuple):
        return [_fit(part, parts[0], ranges, within) for part in value]
    if origin is dict and isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        return {name: _fit(part, parts[1], ranges, within) for name, part in value.items()}
    # 1 == True in Python, so the type has to be compared as well.
    if origin is Literal and any(value == choice and type(value) is type(choice) for choice in parts):
        return value
    if kind is float or kind is int:
        number = _finite(value) if kind is float else value
        if not isinstance(number, kind) or isinstance(number, bool):
            # Infinities and NaN are numbers: what they miss is the range, where one is stated.
            raise ValueError(str(within) if ranges and within is not None and type(value) is float else _WORDS[kind])
        if ranges and within is not None and number not in within:
            raise ValueError(str(within))
        return number
    if kind is Path and isinstance(value, str):
        return Path(value)
    # Other generics, such as Sequence[float], are for type checkers.
    known = origin in (Literal, list, dict) or (origin is None and isinstance(kind, type))
    if known and (origin is not None or not isinstance(value, kind)):
        raise ValueError(_wanted(kind))
    return value


def _fit_any(value: Any, kinds: Iterable[Any], ranges: bool, within: Range | None) -> Any:
    wanted = []
    for kind in kinds:
        try:
            return _fit(value, kind, ranges, within)
        except ValueError as error:
            wanted.append(str(error))
    # "a finite number or a whole number" says one thing twice, and None is seldom what was meant.
    redundant = {_wanted(NoneType)} | ({_WORDS[int]} & set(wanted) if _WORDS[float] in wanted else set())
    raise ValueError(" or ".join(dict.fromkeys(words for words in wanted if words not in redundant)))


def _fit_tuple(value: Any, kinds: tuple[Any, ...], ranges: bool, within: Range | None) -> tuple[Any, ...]:
    parts: list[Any] | None = None
    if isinstance(value, int) and not isinstance(value, bool) and set(kinds) == {int}:
        # One number is a square size.
        parts = [value] * len(kinds)
    elif isinstance(value, Iterable) and not isinstance(value, str | Mapping):
        # A tensor without dimensions has __iter__, too, which raises.
        with contextlib.suppress(TypeError):
            parts = list(value)
    if parts is not None and Ellipsis in kinds:
        kinds = kinds[:1] * len(parts)
    if parts is None or len(parts) != len(kinds):
        raise ValueError(_wanted(tuple[kinds]))
    return tuple(_fit(part, kind, ranges, within) for part, kind in zip(parts, kinds, strict=True))


def _finite(value: Any) -> float | None:
    """`value` as a float; None for texts, switches, infinities and what has several elements."""
    if not isinstance(value, SupportsFloat) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _wanted(kind: Any) -> str:
    """A type in the words of an error message."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return f"one of {', '.join(map(repr, parts))}"
    if origin is tuple and Ellipsis not in parts:
        return f"{len(parts)} finite numbers" if float in parts else f"{len(parts)} numbers"
    words = {tuple: "a list", list: "a list", dict: "an object from names to numbers", NoneType: "None"}
    return words.get(origin or kind) or _WORDS.get(kind) or f"a {getattr(kind, '__name__', kind)}"


def _digits(number: Number) -> str:
    return f"{number:g}" if isinstance(number, float) else str(number)
