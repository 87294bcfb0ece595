"""How often a view is drawn: a bounded share of the wall clock, so that training is never slowed by being watched."""

import time
from collections.abc import Callable

FRAMES_PER_SECOND = 60.0
IDLE_SHARE = 0.1
"""Of the wall clock, what drawing may take while nobody does anything."""
BUSY_SHARE = 0.5
"""The same right after somebody moved, typed or clicked."""
BUSY_SECONDS = 0.5
CREDIT_SECONDS = 0.25
"""Of drawing, what may be taken in advance of the busy share: a hand does not wait for the share of every picture."""
LOOKS_PER_SECOND = 20.0
"""How often to look whether there is anything new, after there was nothing."""


class Pace:
    """Decides when the next picture is due.

    Nobody acting, every picture is followed by a pause of its share. Somebody acting, the next one is due at once, as
    long as there is credit: it grows by the busy share of the time that passes, and every picture takes its cost from
    it. In any stretch of time drawing takes no more than the busy share of it, the credit and one picture.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._drawn_at = self._touched_at = float("-inf")
        self._cost = 0.0
        self._least_seconds = 1 / FRAMES_PER_SECOND
        self._credit, self._counted_at = CREDIT_SECONDS, clock()

    def touched(self) -> None:
        """Somebody did something: for a while the picture follows closely."""
        self._touched_at = self._clock()

    def drawn(self, seconds: float) -> None:
        """A picture was drawn just now and took `seconds`."""
        self._note(seconds, FRAMES_PER_SECOND)

    def looked(self, seconds: float) -> None:
        """Nothing new was found just now, which took `seconds`: no picture was drawn."""
        self._note(seconds, LOOKS_PER_SECOND)

    def seconds_left(self) -> float:
        """Until the next picture may be drawn; 0 when it may be now."""
        now = self._clock()
        idle = self._drawn_at + max(self._cost / IDLE_SHARE, self._least_seconds) - self._cost
        if now - self._touched_at < BUSY_SECONDS:
            earned = now - self._credit_now(now) / BUSY_SHARE
            answers = self._touched_at > self._drawn_at
            follows = self._drawn_at if answers else self._drawn_at + 1 / FRAMES_PER_SECOND - self._cost
            return max(min(max(earned, follows), idle) - now, 0.0)
        return max(idle - now, 0.0)

    def _note(self, seconds: float, most_per_second: float) -> None:
        now = self._clock()
        self._credit = self._credit_now(now) - seconds
        self._drawn_at = self._counted_at = now
        self._cost, self._least_seconds = seconds, 1 / most_per_second

    def _credit_now(self, now: float) -> float:
        """Seconds of drawing that are left."""
        return min(self._credit + BUSY_SHARE * (now - self._counted_at), CREDIT_SECONDS)
