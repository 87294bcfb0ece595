"""Base of the training configs: dataclasses checked at every assignment, and their JSON form.

Standard library only: help texts must not wait for torch.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_origin

from easel.graphics.checked_record import annotations, bare, fit


class Settings:
    """Base of dataclasses whose fields, and nothing else, can be set, each to a value of its type.

    Numbers become the type that the field names: 1 sets a float, a list sets a tuple, one number a square size.
    `check` also looks at ranges, so that settings which depend on each other may be assigned in any order.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        kind = type(self)
        # Such as training.batch_size, which stands for data's.
        if isinstance(getattr(kind, name, None), property):
            object.__setattr__(self, name, value)
            return
        hints = annotations(kind)
        if name not in hints:
            raise AttributeError(f"{kind.__name__} has no setting {name!r}.{nearest(name, hints)}")
        object.__setattr__(self, name, _fitted(f"{kind.__name__}.{name}", value, hints[name], ranges=False))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that JSON can hold; `update` of a fresh instance reads it back."""
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}  # type: ignore[arg-type] - subclasses are dataclasses

    def update(self, found: Mapping[str, Any]) -> None:
        """Set what a dict of plain data says, sections within sections; ValueError for a name that is not known."""
        hints = annotations(type(self))
        for name, value in found.items():
            if name not in hints:
                raise ValueError(f"{type(self).__name__} has no setting {name!r}.{nearest(name, hints)}")
            section = getattr(self, name)
            if not isinstance(section, Settings):
                setattr(self, name, value)
            elif isinstance(value, Mapping):
                section.update(value)
            else:
                raise ValueError(f"{type(self).__name__}.{name} is {value!r}; it must be an object of settings.")

    def check(self, path: str = "") -> None:
        """Check types and ranges of all values, those of lists changed in place as well; `path` stands before names.

        ValueError names the first that does not fit.
        """
        for name, hint in annotations(type(self)).items():
            value = getattr(self, name)
            if isinstance(value, Settings):
                value.check(f"{path}{name}.")
            else:
                # What was changed inside a list gets the type of the others, too.
                setattr(self, name, _fitted(f"{path}{name}", value, hint))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence about an unknown name: " Did you mean …?", or all names that are known."""
    near = get_close_matches(name, known, 1)
    return f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(known)}."


def _fitted(place: str, value: Any, hint: Any, *, ranges: bool = True) -> Any:
    """Convert as `fit` does; ValueError also names the place, and the nearest choice to a word that is none."""
    try:
        return fit(value, hint, ranges=ranges)
    except ValueError as fitting:
        kind, _ = bare(hint)
        choices = get_args(kind) if get_origin(kind) is Literal and isinstance(value, str) else ()
        near = get_close_matches(str(value), [choice for choice in choices if isinstance(choice, str)], 1)
        suggestion = "".join(f" Did you mean {name!r}?" for name in near)
        raise ValueError(f"{place} is {value!r}; it must be {fitting}.{suggestion}") from None


def _plain(value: Any) -> Any:
    if isinstance(value, Settings):
        return value.to_dict()
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return dict(value) if isinstance(value, Mapping) else value
