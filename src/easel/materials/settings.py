"""Settings that refuse what they do not know: dataclasses checked at every assignment, and their JSON form.

Standard library only: help texts must not wait for torch.
"""

import dataclasses
import functools
import math
from collections.abc import Mapping
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


class Settings:
    """Base of dataclasses whose fields, and nothing else, can be set, each to a value of its type.

    Numbers become the type that the field names: 1 sets a float, a list sets a tuple, one number a square size.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        kind = type(self)
        if isinstance(getattr(kind, name, None), property):
            object.__setattr__(self, name, value)
            return
        hints = _hints(kind)
        if name not in hints:
            raise AttributeError(f"{kind.__name__} has no setting {name!r}.{nearest(name, hints)}")
        try:
            fitted = _fitted(value, hints[name])
        except ValueError as error:
            raise ValueError(f"{kind.__name__}.{name} is {value!r}; it must be {error}") from None
        object.__setattr__(self, name, fitted)

    def to_dict(self) -> dict[str, Any]:
        """Plain data that JSON can hold: `from_dict` reads it back."""
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}  # type: ignore[arg-type] - subclasses are dataclasses

    def update(self, found: Mapping[str, Any]) -> None:
        """Set what a dict of plain data says, sections within sections; ValueError for a name that is not known."""
        for name, value in found.items():
            if name not in _hints(type(self)):
                raise ValueError(f"{type(self).__name__} has no setting {name!r}.{nearest(name, _hints(type(self)))}")
            section = getattr(self, name)
            if isinstance(section, Settings):
                if not isinstance(value, Mapping):
                    raise ValueError(f"{type(self).__name__}.{name} is {value!r}; it must be an object of settings.")
                section.update(value)
            else:
                setattr(self, name, value)

    def check(self) -> None:
        """Look at every value again: a list may have been changed since it was assigned."""
        for name in _hints(type(self)):
            value = getattr(self, name)
            if isinstance(value, Settings):
                value.check()
            else:
                setattr(self, name, value)


def nearest(name: str, known: Mapping[str, Any]) -> str:
    """The end of a sentence about a name that is not known: the nearest known one, or all of them."""
    near = get_close_matches(name, known, 1)
    return f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(known)}."


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _fitted(value: Any, hint: Any) -> Any:
    """The value as the type that a field names; ValueError("a …") says what would fit."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        if value is None and NoneType in arguments:
            return None
        return _fitted(value, next(kind for kind in arguments if kind is not NoneType))
    if origin is Literal:
        # 1 == True in Python, so the type has to be compared as well.
        if not any(value == choice and type(value) is type(choice) for choice in arguments):
            known = ", ".join(map(repr, arguments))
            near = get_close_matches(value, [c for c in arguments if isinstance(c, str)], 1) if _is_text(value) else []
            raise ValueError(f"one of {known}.{f' Did you mean {near[0]!r}?' if near else ''}")
        return value
    if origin is tuple:
        parts = [value] * len(arguments) if _is_whole(value) and set(arguments) == {int} else value
        if not isinstance(parts, list | tuple) or len(parts) != len(arguments):
            raise ValueError(f"{len(arguments)} numbers.")
        return tuple(_fitted(part, kind) for part, kind in zip(parts, arguments, strict=True))
    if origin is list:
        if not isinstance(value, list | tuple):
            raise ValueError("a list.")
        return [_fitted(part, arguments[0]) for part in value]
    if origin is dict:
        if not isinstance(value, Mapping) or not all(map(_is_text, value)):
            raise ValueError("an object from names to numbers.")
        return {name: _fitted(part, arguments[1]) for name, part in value.items()}
    return _single(value, hint)


def _single(value: Any, hint: type) -> Any:
    if hint is float:
        if not (_is_whole(value) or isinstance(value, float)) or not math.isfinite(value):
            raise ValueError("a finite number.")
        return float(value)
    if hint is int:
        if not _is_whole(value):
            raise ValueError("a whole number.")
        return value
    if not isinstance(value, hint):
        raise ValueError({bool: "True or False.", str: "a text."}.get(hint, f"a {hint.__name__}."))
    return value


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _plain(value: Any) -> Any:
    if isinstance(value, Settings):
        return value.to_dict()
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return dict(value) if isinstance(value, Mapping) else value
