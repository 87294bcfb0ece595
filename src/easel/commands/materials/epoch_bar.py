"""Progress of an epoch: a bar where standard error is a terminal, a plain line now and then elsewhere."""

import sys
import time

WIDTH = 10
INTERVAL_SECONDS = 5.0
"""From one plain line to the next."""


class EpochBar:
    """Epoch 10:  40%|████      | 400/1000 [05:02<07:33, 1.32it/s, G_loss=0.123, D_loss=0.568]"""

    def __init__(self) -> None:
        self.alive = sys.stderr.isatty()
        self._epoch = 0
        self._started_at = 0.0
        self._first = 0
        self._said_at = time.monotonic()

    def update(self, epoch: int, position: int, steps: int, losses: dict[str, float]) -> None:
        """Show that `position` of `steps` of this epoch are done."""
        now = time.monotonic()
        if epoch != self._epoch:
            # A resumed epoch begins in the middle: its pace is that of the steps since then
            self._epoch = epoch
            self._started_at = now
            self._first = position - 1
        if self.alive:
            line = _line(epoch, position, steps, now - self._started_at, position - self._first, losses)
            sys.stderr.write("\r" + line + ("\n" if position == steps else ""))
            sys.stderr.flush()
        elif now - self._said_at >= INTERVAL_SECONDS:
            self._said_at = now
            line = _line(epoch, position, steps, now - self._started_at, position - self._first, losses)
            print(line, file=sys.stderr, flush=True)


def _line(epoch: int, position: int, steps: int, seconds: float, done: int, losses: dict[str, float]) -> str:
    filled = WIDTH * position // steps
    pace = 0.0
    if seconds > 0:
        pace = done / seconds
    left = "?"
    if pace:
        left = _clock((steps - position) / pace)
    speed = f"{pace:.2f}it/s" if pace >= 1 or not pace else f"{1 / pace:.2f}s/it"
    shown = "".join(f", {name}={value:.3f}" for name, value in losses.items())
    bar = "█" * filled + " " * (WIDTH - filled)
    return (
        f"Epoch {epoch}: {position / steps:4.0%}|{bar}| {position}/{steps} [{_clock(seconds)}<{left}, {speed}{shown}]"
    )


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{seconds:02d}"
    return f"{minutes:02d}:{seconds:02d}"
