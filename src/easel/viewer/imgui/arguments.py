"""Checks of a program's arguments at the call that passes them: each message says what came and what fits."""

import inspect
import math
from collections.abc import Callable
from typing import Any, Generic, TypeVar

Given = TypeVar("Given")
Kept = TypeVar("Kept")


class checked_attribute(Generic[Given, Kept]):  # noqa: N801  a decorator, as `property` is one
    """An attribute whose decorated method converts what is assigned to it, or refuses it.

    @checked_attribute
    def geometry(self, value: str) -> str:
        ...
    """

    def __init__(self, accept: Callable[[Any, Given], Kept]) -> None:
        self._accept = accept
        self.__doc__ = accept.__doc__

    def __get__(self, item: Any, kind: type) -> Kept:
        # Asked of the class, for its docstring, it is itself.
        found: Any = getattr(item, f"_{self._accept.__name__}", self)
        return found

    def __set__(self, item: Any, value: Given) -> None:
        setattr(item, f"_{self._accept.__name__}", self._accept(item, value))


def check_name(name: object, what: str) -> None:
    """Raise TypeError unless `name` is a text; `what` is the thing named, such as "a panel"."""
    if not isinstance(name, str):
        raise TypeError(f"{what} is named by a text; got {type(name).__name__} {name!r}.")


def check_numbers(what: str, **numbers: object) -> None:
    """Raise TypeError or ValueError unless all `numbers` are finite; `what` takes them, such as "a slider"."""
    for name, number in numbers.items():
        # Tensors of one element and NumPy's scalars are numbers here: whatever `isfinite` takes.
        try:
            finite = math.isfinite(number)  # pyright: ignore[reportArgumentType]  it says itself what is no number
        except (TypeError, ValueError, RuntimeError, OverflowError) as error:
            raise TypeError(f"{what} takes finite numbers; got {name}={number!r}.") from error
        if not finite:
            raise ValueError(f"{what} takes finite numbers; got {name}={number!r}.")


def check_pixels(what: str, most: int, **sizes: object) -> None:
    """Raise TypeError or ValueError unless all `sizes` are whole numbers of pixels from 1 to `most`."""
    given = ", ".join(f"{name}={size!r}" for name, size in sizes.items())
    if not all(isinstance(size, int) for size in sizes.values()):
        raise TypeError(f"{what} has whole numbers of pixels; got {given}.")
    if not all(1 <= size <= most for size in sizes.values() if isinstance(size, int)):
        raise ValueError(f"{what} has at least one pixel each way, and at most {most}; got {given}.")


def check_callable(function: object, what: str, arguments: int = 0) -> None:
    """Raise TypeError unless `function` can be called with `arguments` (0 or 1) positional arguments.

    `what` is the role of the function, such as "a callback".
    """
    expected = f"{what} is called {('without arguments', 'with one argument')[arguments]}"
    if not callable(function):
        raise TypeError(f"{expected}; got {type(function).__name__} {function!r}.")
    try:
        signature = inspect.signature(function)
    except ValueError:  # functions written in C may have no signature
        return
    # Checked at registration: the call itself comes frames later, far from the line that is wrong.
    try:
        signature.bind(*[None] * arguments)
    except TypeError as error:
        raise TypeError(f"{expected}; {getattr(function, '__name__', function)}{signature}: {error}.") from error
