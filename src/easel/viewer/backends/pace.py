"""The pace of a view's pictures: a bounded share of the wall clock, so that watching never slows a training."""

import time
from collections.abc import Callable

FRAMES_PER_SECOND = 60.0
IDLE_SHARE = 0.1
"""Share of the wall clock for drawing while nobody does anything."""
BUSY_SHARE = 0.5
"""Share of the wall clock for drawing right after somebody moved, typed or clicked."""
BUSY_SECONDS = 0.5
"""Time for which somebody counts as acting after an event."""
CREDIT_SECONDS = 0.25
"""Drawing time in advance of the busy share: a moving hand does not wait for the share of every picture."""
LOOKS_PER_SECOND = 20.0
"""Rate of looking for anything new, after there was nothing."""


class Pace:
    """A budget of drawing time that decides when the next picture is due.

    Nobody acting, every picture is followed by a pause of its share. Somebody acting, the next one is due at once, as
    long as there is credit: it grows by the busy share of the time that passes, and every picture takes its cost from
    it. In any stretch of time drawing takes no more than the busy share of it, the credit and one picture.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        # Long ago: the first picture is due at once.
        self._drawn_at = self._touched_at = float("-inf")
        self._cost = 0.0
        self._least_seconds = 1 / FRAMES_PER_SECOND
        self._credit = CREDIT_SECONDS
        self._counted_at = clock()

    def touched(self) -> None:
        """Note that somebody acts: for a while pictures follow closely."""
        self._touched_at = self._clock()

    def drawn(self, seconds: float) -> None:
        """Note a picture that was drawn just now and took `seconds`."""
        self._note(seconds, FRAMES_PER_SECOND)

    def looked(self, seconds: float) -> None:
        """Note that nothing new was found just now, which took `seconds`: no picture was drawn."""
        self._note(seconds, LOOKS_PER_SECOND)

    def seconds_left(self) -> float:
        """Return the seconds until the next picture may be drawn; 0 when it may be now."""
        now = self._clock()
        # A picture of cost c that begins every c / share takes that share of the time; it began c before `_drawn_at`.
        idle = self._drawn_at + max(self._cost / IDLE_SHARE, self._least_seconds) - self._cost
        if now - self._touched_at >= BUSY_SECONDS:
            return max(idle - now, 0.0)
        # With debt, when the busy share has paid it back; with credit, in the past.
        earned = now - self._credit_now(now) / BUSY_SHARE
        follows = self._drawn_at
        if self._touched_at <= self._drawn_at:
            # Nothing happened since the last picture, so this one answers nobody: at the rate of the screen.
            follows += 1 / FRAMES_PER_SECOND - self._cost
        return max(min(max(earned, follows), idle) - now, 0.0)

    def _note(self, seconds: float, most_per_second: float) -> None:
        now = self._clock()
        # May become negative: one dear picture is paid back by a longer pause.
        self._credit = self._credit_now(now) - seconds
        self._drawn_at = self._counted_at = now
        self._cost = seconds
        self._least_seconds = 1 / most_per_second

    def _credit_now(self, now: float) -> float:
        """Return the seconds of drawing that are left; negative for a debt."""
        return min(self._credit + BUSY_SHARE * (now - self._counted_at), CREDIT_SECONDS)
