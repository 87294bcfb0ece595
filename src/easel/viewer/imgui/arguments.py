"""What a program hands in, checked at its call: the message says what came and what fits."""

import inspect
import math


def check_name(name: object, what: str) -> None:
    """TypeError unless `name` is a text; `what` bears it, such as "a panel"."""
    if not isinstance(name, str):
        raise TypeError(f"{what} is named by a text; got {type(name).__name__} {name!r}.")


def check_numbers(what: str, **numbers: object) -> None:
    """TypeError or ValueError unless all `numbers` are finite ones; `what` takes them, such as "a slider"."""
    for name, number in numbers.items():
        try:
            finite = math.isfinite(number)  # pyright: ignore[reportArgumentType]  it says itself what is no number
        except (TypeError, ValueError, RuntimeError, OverflowError) as error:
            raise TypeError(f"{what} takes finite numbers; got {name}={number!r}.") from error
        if not finite:
            raise ValueError(f"{what} takes finite numbers; got {name}={number!r}.")


def check_pixels(what: str, most: int, **sizes: object) -> None:
    """TypeError or ValueError unless all `sizes` are whole numbers of pixels from 1 to `most`."""
    told = ", ".join(f"{name}={size!r}" for name, size in sizes.items())
    if not all(isinstance(size, int) for size in sizes.values()):
        raise TypeError(f"{what} has whole numbers of pixels; got {told}.")
    if not all(1 <= size <= most for size in sizes.values() if isinstance(size, int)):
        raise ValueError(f"{what} has at least one pixel each way, and at most {most}; got {told}.")


def check_callable(function: object, what: str, arguments: int = 0) -> None:
    """TypeError unless `function` can be called with `arguments` arguments, 0 or 1; `what` is, such as "a callback"."""
    wanted = f"{what} is called {('without arguments', 'with one argument')[arguments]}"
    if not callable(function):
        raise TypeError(f"{wanted}; got {type(function).__name__} {function!r}.")
    try:
        signature = inspect.signature(function)
    except ValueError:  # written in C, it does not tell
        return
    try:
        signature.bind(*[None] * arguments)
    except TypeError as error:
        raise TypeError(f"{wanted}; {getattr(function, '__name__', function)}{signature}: {error}.") from error
