"""How often a view is drawn: a bounded share of the wall clock, so that training is never slowed by being watched."""

import time
from collections.abc import Callable

FRAMES_PER_SECOND = 60.0
IDLE_SHARE = 0.1
"""Of the wall clock, what drawing may take while nobody does anything."""
BUSY_SHARE = 0.5
"""The same right after somebody moved, typed or clicked."""
BUSY_SECONDS = 0.5
LOOKS_PER_SECOND = 20.0
"""How often to look whether there is anything new, after there was nothing."""


class Pace:
    """Decides when the next picture is due."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._drawn_at = float("-inf")
        self._cost = 0.0
        self._least_seconds = 1 / FRAMES_PER_SECOND
        self._touched_at = float("-inf")

    def touched(self) -> None:
        """Somebody did something: for a while the picture follows closely."""
        self._touched_at = self._clock()

    def drawn(self, seconds: float) -> None:
        """A picture was drawn just now and took `seconds`."""
        self._drawn_at, self._cost, self._least_seconds = self._clock(), seconds, 1 / FRAMES_PER_SECOND

    def looked(self, seconds: float) -> None:
        """Nothing new was found just now, which took `seconds`: no picture was drawn."""
        self._drawn_at, self._cost, self._least_seconds = self._clock(), seconds, 1 / LOOKS_PER_SECOND

    def seconds_left(self) -> float:
        """Until the next picture may be drawn; 0 when it may be now."""
        now = self._clock()
        busy = now - self._touched_at < BUSY_SECONDS
        share = BUSY_SHARE if busy else IDLE_SHARE
        least = 1 / FRAMES_PER_SECOND if busy else self._least_seconds
        pause = max(self._cost * (1 / share - 1), least - self._cost)
        return max(self._drawn_at + pause - now, 0.0)
