"""Schedules: the course of a number from its start to its end, frame by frame.

Each is start + (end - start)·g(t) at t = k / (steps - 1) with g(0) = 0 and g(1) = 1; `geometric` multiplies instead, so
that a zoom has a constant speed on screen.
"""

import math
from collections.abc import Callable

Number = float | int


def _sigmoid(x: Number) -> float:
    return 1 / (1 + math.exp(-x))


_CURVES: dict[str, Callable[[float], float]] = {
    "linear": lambda t: t,
    "cosine": lambda t: (1 - math.cos(math.pi * t)) / 2,
    # From -5 to 5, stretched: the sigmoid itself never reaches 0 and 1.
    "sigmoid": lambda t: (_sigmoid(10 * t - 5) - _sigmoid(-5)) / (_sigmoid(5) - _sigmoid(-5)),
    "exp": lambda t: math.expm1(5 * t) / math.expm1(5),
    "log": lambda t: math.log(1 + 9 * t) / math.log(10),
    "sqrt": math.sqrt,
    "cbrt": math.cbrt,
}
SCHEDULES = ("linear", "geometric", *list(_CURVES)[1:])
"""Names that `schedule` takes."""


def schedule(name: str, start: Number, end: Number, steps: int) -> list[float]:
    """Return `steps` numbers from `start` to `end`, both exactly; one step gives the start.

    ValueError for an unknown name, no steps, numbers that are not finite, and for `geometric` from or to a number that
    is not positive.
    """
    if name not in SCHEDULES:
        raise ValueError(f"unknown schedule {name!r}. Known: {', '.join(SCHEDULES)}.")
    if steps < 1:
        raise ValueError(f"a schedule has at least one step; got {steps}.")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise ValueError(f"a schedule goes from a number to a number; got {start} and {end}.")
    if name == "geometric" and min(start, end) <= 0:
        raise ValueError(f"a geometric schedule needs positive ends; got {start} and {end}. Take another schedule.")
    # The ends themselves: rounding must not move the first and the last frame.
    inner = [_between(name, start, end, k / (steps - 1)) for k in range(1, steps - 1)]
    return [float(start), *inner, float(end)][:steps]


def _between(name: str, start: Number, end: Number, t: float) -> float:
    # A factor for every step: the picture grows by the same share from frame to frame.
    if name == "geometric":
        return start * (end / start) ** t
    return start + (end - start) * _CURVES[name](t)
