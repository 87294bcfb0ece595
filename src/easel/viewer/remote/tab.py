"""One browser tab: what it shows, what is on its way to it, and what it lacks in exactness."""

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
MESSAGES_PER_SECOND, MOST_MESSAGES = 400.0, 2000.0
"""What a tab may send in the long run, and at once."""
STILL_SECONDS = 0.3
"""After so long without a change, what was sent with losses is sent exactly."""
EXACT_ROWS = 4
"""Of tiles, in one message of what has rested."""


@dataclass(frozen=True)
class Newest:
    """What a view looks like now."""

    pixels: np.ndarray | None = None
    """uint8 (h, w, 4); None before the first picture."""
    number: int = 0
    """Counts the pictures."""
    damage: Sequence[Box] = ()
    """Where it may differ from the picture before this one."""


class Tab:
    """Sends the newest picture whenever the tab can take one; lives on the server's thread."""

    def __init__(self, socket: Any, newest: Callable[[], Newest], on_idle: Callable[[], object]) -> None:
        self.number = 0
        """Of the newest picture that was sent."""
        self.visible = True
        self.pictures_sent = self.bytes_sent = 0
        self._socket, self._newest, self._on_idle = socket, newest, on_idle
        self._in_flight = 0
        self._shown: np.ndarray | None = None
        self._lossy = np.zeros((0, 0), bool)
        """Which tiles it shows with losses."""
        self._sent_at = 0.0
        self._budget, self._heard_at = MOST_MESSAGES, time.monotonic()
        self._asked = asyncio.Event()
        """There may be something to send."""
        self._speaking: set[asyncio.Future[None]] = set()

    @property
    def ready(self) -> bool:
        """It is looked at and has shown most of what was sent."""
        return self.visible and self._in_flight < MOST_IN_FLIGHT

    @property
    def blank(self) -> bool:
        """It has not been sent any picture."""
        return self._shown is None

    def may_speak(self) -> bool:
        """Whether it stays within what a tab may send, this message included."""
        now = time.monotonic()
        self._budget = min(self._budget + MESSAGES_PER_SECOND * (now - self._heard_at), MOST_MESSAGES) - 1
        self._heard_at = now
        return self._budget > 0

    def say(self, **said: Any) -> None:
        """Send a JSON object; a tab that is gone hears nothing."""
        task = asyncio.ensure_future(self._say(json.dumps(said)))
        self._speaking.add(task)  # asyncio itself would let it go half-way
        task.add_done_callback(self._speaking.discard)

    def saw(self) -> None:
        """It has shown a picture."""
        self._in_flight = max(self._in_flight - 1, 0)
        self.wake()

    def wake(self) -> None:
        """Look whether there is something to send."""
        self._asked.set()

    async def feed(self) -> None:
        """Send what is newer than what it shows, and once that rests, the same exactly; until cancelled or cut off."""
        with contextlib.suppress(ConnectionError):
            await self._feed()

    async def _feed(self) -> None:
        while True:
            newest = self._newest()
            if newest.pixels is not None and self.ready and (newest.number != self.number or self.blank):
                await self._send_changes(newest.pixels, newest.number, newest.damage)
                continue
            rests = self.ready and bool(self._lossy.any())
            left = max(self._sent_at + STILL_SECONDS - time.monotonic(), 0.0) if rests else None
            if left == 0.0 and self._shown is not None:
                # A few rows at a time: should anything change meanwhile, the tab is not kept waiting for it.
                tiles = np.zeros_like(self._lossy)
                rows = np.flatnonzero(self._lossy.any(1))[:EXACT_ROWS]
                tiles[rows] = self._lossy[rows]
                await self._send(await asyncio.to_thread(encode_tiles, self._shown, tiles, exact=True))
                continue
            self._asked.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), left)

    async def _send_changes(self, pixels: np.ndarray, number: int, damage: Sequence[Box]) -> None:
        before, whole = self._shown, (0, 0, pixels.shape[1], pixels.shape[0])
        parts = damage if number == self.number + 1 and before is not None else [whole]
        self._shown, self.number = pixels, number
        if before is None or before.shape != pixels.shape:
            self._lossy = np.zeros_like(changed_tiles(None, pixels))

        def encoded(share: Sequence[Box]) -> list[EncodedPart]:
            return encode_tiles(pixels, changed_tiles(before, pixels, share), exact=False)

        # One errand for comparing and encoding: where every core is busy, it is changing threads that takes time.
        found = await asyncio.gather(*(asyncio.to_thread(encoded, share) for share in shares(parts)))
        sent = [part for share in found for part in share]
        if sent:
            self._sent_at = time.monotonic()
            await self._send(sent)
        else:
            self._on_idle()

    async def _send(self, parts: Sequence[EncodedPart]) -> None:
        assert self._shown is not None
        self._in_flight += 1
        size = (self._shown.shape[1], self._shown.shape[0])
        for part in parts:
            self._lossy[in_tiles(part.box)] = not part.exact
            # Only the last part carries the picture's number: seeing that one is seeing all.
            message = pack(self.number if part is parts[-1] else 0, part.box, size, part.image)
            self.bytes_sent += len(message)
            await self._socket.send_bytes(message)
        self.pictures_sent += 1

    async def _say(self, text: str) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):
            await self._socket.send_str(text)
