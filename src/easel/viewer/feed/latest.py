"""The newest of what is published under one name, copied only when somebody is going to look at it."""

import time
from collections import deque
from collections.abc import Callable
from itertools import islice

import torch
from jaxtyping import Shaped
from torch import Tensor

MOST_SHARE = 0.005
"""Of the publisher's time, what its copies, and their way to another process, may take."""
MOST_PER_SECOND = 60.0
MOST_POINTS = 10_000
"""Of a curve; the oldest go first."""


class Latest:
    """One named picture: `offer` on the publisher's side, `take` on the side of those who look.

    It is wanted at first, and again once it was taken. Offering what nobody wants costs a look at the clock.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.version = 0
        """Counts the copies."""
        self.wanted = True
        self.on_taken: Callable[[], object] = lambda: None
        """Called by `take`."""
        self._clock = clock
        self._not_before = float("-inf")
        self._copy: Tensor | None = None

    def offer(self, tensor: Shaped[Tensor, "*shape"]) -> bool:
        """Keep a copy of `tensor` as it is now, if it is wanted and time to; whether it was copied.

        The copy lies in main memory and takes no part in gradients; the program may go on writing into its tensor.
        """
        begun = self._clock()
        if not self.wanted or begun < self._not_before:
            return False
        self.put(torch.empty(tensor.shape, dtype=tensor.dtype).copy_(tensor.detach()))
        ended = self._clock()
        self._not_before = ended + max((ended - begun) / MOST_SHARE, 1 / MOST_PER_SECOND)
        return True

    def charge(self, seconds: float) -> None:
        """The copy went on to another process, which took so long: the next one waits for that as well."""
        self._not_before += seconds / MOST_SHARE

    def put(self, tensor: Shaped[Tensor, "*shape"]) -> None:
        """Take `tensor` itself over; nobody writes into it any more."""
        self.wanted, self._copy = False, tensor
        self.version += 1

    def take(self) -> Shaped[Tensor, "*shape"]:
        """The newest copy; from now on a newer one is wanted."""
        newest = self.peek()
        self.wanted = True
        self.on_taken()
        return newest

    def peek(self) -> Shaped[Tensor, "*shape"]:
        """The newest copy, for which no newer one is wanted yet."""
        assert self._copy is not None, "there is none before the first version"
        return self._copy


class Curve:
    """One named row of numbers, such as a loss."""

    def __init__(self) -> None:
        self.values: deque[float] = deque(maxlen=MOST_POINTS)
        self.count = 0
        """Of all numbers so far."""

    def offer(self, *values: float) -> None:
        self.values.extend(values)
        self.count += len(values)

    def last(self, count: int) -> list[float]:
        """The newest so many of those that are left, in their order."""
        return list(islice(reversed(self.values), count))[::-1]
