"""One browser tab: the picture that it shows, parts on their way to it, and tiles that it shows with losses."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from easel.viewer.imgui.damage import Box
from easel.viewer.remote.encoding import EncodedPart, changed_tiles, encode_tiles, in_tiles, shares
from easel.viewer.remote.protocol import pack

MOST_IN_FLIGHT = 2
"""Pictures on their way to a tab that it has not shown yet."""
MESSAGES_PER_SECOND = 400.0
"""Rate at which a tab may send in the long run."""
MOST_MESSAGES = 2000.0
"""Messages that a tab may send at once."""
STILL_SECONDS = 0.3
"""Time without a change after which tiles that were sent with losses are sent exactly."""
EXACT_ROWS = 4
"""Rows of tiles in one message of exact tiles."""


@dataclass(frozen=True)
class Newest:
    """The newest picture of a view."""

    pixels: np.ndarray | None = None
    """uint8 (h, w, 4); None before the first picture."""
    number: int = 0
    """Count of the pictures so far."""
    damage: Sequence[Box] = ()
    """Boxes in which it may differ from the picture before."""


class Tab:
    """Sends the newest picture whenever the tab can take one; lives on the server's thread."""

    def __init__(self, socket: Any, newest: Callable[[], Newest], on_idle: Callable[[], object]) -> None:
        self.number = 0
        """Number of the newest picture that was sent."""
        self.visible = True
        self._socket, self._newest, self._on_idle = socket, newest, on_idle
        self._in_flight = 0
        self._shown: np.ndarray | None = None
        self._lossy = np.zeros((0, 0), bool)
        """True for tiles that it shows with losses."""
        self._sent_at = 0.0
        self._budget = MOST_MESSAGES
        self._budgeted_at = time.monotonic()
        self._woken = asyncio.Event()
        """Set when there may be something to send."""
        self._sending: set[asyncio.Future[None]] = set()

    @property
    def ready(self) -> bool:
        """True if it is in sight and has shown most of what was sent."""
        return self.visible and self._in_flight < MOST_IN_FLIGHT

    def within_budget(self) -> bool:
        """Count a message of the tab. False if it sends more than a tab may."""
        now = time.monotonic()
        # A bucket that fills at the permitted rate, and loses one per message.
        self._budget = min(self._budget + MESSAGES_PER_SECOND * (now - self._budgeted_at), MOST_MESSAGES) - 1
        self._budgeted_at = now
        return self._budget > 0

    def send(self, **message: Any) -> None:
        """Send a JSON object; a tab that is gone gets nothing."""
        task = asyncio.ensure_future(self._send_text(json.dumps(message)))
        self._sending.add(task)  # asyncio itself holds tasks weakly, and would drop one half-way
        task.add_done_callback(self._sending.discard)

    def acknowledge(self) -> None:
        """Note that the tab has shown a picture."""
        # Not below zero: a tab may claim to have seen more than it was sent.
        self._in_flight = max(self._in_flight - 1, 0)
        self.wake()

    def wake(self) -> None:
        """Have `feed` look whether there is something to send."""
        self._woken.set()

    async def feed(self) -> None:
        """Send changes, and once the picture rests the same exactly, until cancelled or cut off."""
        with contextlib.suppress(ConnectionError):
            while True:
                await self._send_next()

    async def _send_next(self) -> None:
        """Send what the tab can take now, or else wait until there may be something."""
        newest = self._newest()
        rests = self.ready and bool(self._lossy.any())
        left = max(self._sent_at + STILL_SECONDS - time.monotonic(), 0.0) if rests else None
        # At once if the tab can take it: the newest, whatever it has missed.
        if newest.pixels is not None and self.ready and (newest.number != self.number or self._shown is None):
            await self._send_changes(newest.pixels, newest.number, newest.damage)
        elif left == 0.0 and self._shown is not None:
            # A few rows at a time: should anything change meanwhile, the tab is not kept waiting for it.
            tiles = np.zeros_like(self._lossy)
            rows = np.flatnonzero(self._lossy.any(1))[:EXACT_ROWS]
            tiles[rows] = self._lossy[rows]
            await self._send_parts(await asyncio.to_thread(encode_tiles, self._shown, tiles, exact=True))
        else:
            # Before looking again: what comes while it waits sets it anew.
            self._woken.clear()
            # Until something changes, or the picture has rested long enough.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), left)

    async def _send_changes(self, pixels: np.ndarray, number: int, damage: Sequence[Box]) -> None:
        before = self._shown
        # `damage` refers to the picture just before: a tab that has missed one compares all of it.
        follows = before is not None and number == self.number + 1
        parts = damage if follows else [(0, 0, pixels.shape[1], pixels.shape[0])]
        self._shown, self.number = pixels, number
        # All tiles will be sent; none of the old size is left.
        if before is None or before.shape != pixels.shape:
            self._lossy = np.zeros_like(changed_tiles(None, pixels))

        def encoded(share: Sequence[Box]) -> list[EncodedPart]:
            return encode_tiles(pixels, changed_tiles(before, pixels, share), exact=False)

        # One call of a thread for comparing and encoding: where every core is busy, changing threads takes the time.
        found = await asyncio.gather(*(asyncio.to_thread(encoded, share) for share in shares(parts)))
        sent = [part for share in found for part in share]
        if sent:
            self._sent_at = time.monotonic()
            await self._send_parts(sent)
        else:
            # Nothing was sent, so no answer of the tab will ask for the next picture.
            self._on_idle()

    async def _send_parts(self, parts: Sequence[EncodedPart]) -> None:
        assert self._shown is not None
        self._in_flight += 1
        size = (self._shown.shape[1], self._shown.shape[0])
        for part in parts:
            # A part that was sent exactly clears what was lossy before.
            self._lossy[in_tiles(part.box)] = not part.exact
            # Only the last part carries the picture's number: seeing that one is seeing all.
            number = self.number if part is parts[-1] else 0
            await self._socket.send_bytes(pack(number, part.box, size, part.image))

    async def _send_text(self, text: str) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):
            await self._socket.send_str(text)
