"""The publisher's end: sends pictures and numbers to a view in another process of this machine."""

import json
import logging
import os
import threading
import time
from contextlib import suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection

from easel.viewer.feed.feeds import Feeds
from easel.viewer.feed.wire import Address, send_numbers, send_picture

log = logging.getLogger("easel")

NUMBERS_SECONDS = 0.2
"""Longest time for which numbers are gathered into one message."""


class Publisher:
    """Shows a program's tensors in a view of another process, while they are wanted there.

        with easel.Publisher() as publisher:
            publisher.publish("loss", loss)

    `address` is what `View.listen()` returned there; None takes the environment's EASEL_VIEW. Without either, nothing
    is ever wanted and publishing costs nothing, so a training script can always have one. Under torchrun every name
    gets its rank: "loss" becomes "loss, rank 1". `publish` never waits for the view; what it is too slow for is left
    out. ValueError for an address that is none, ConnectionError where no view listens there.
    """

    def __init__(self, address: str | None = None) -> None:
        text = address if address is not None else os.environ.get("EASEL_VIEW", "")
        rank, size = os.environ.get("RANK", ""), os.environ.get("WORLD_SIZE", "1")
        # A single process under torchrun needs no rank in its names.
        self._suffix = f", rank {rank}" if rank and size != "1" else ""
        self._feeds = Feeds()
        self._line: Connection | None = None
        self._sent: dict[str, int] = {}
        self._new = threading.Event()
        if text:
            self._line = _call(Address.parse(text))
            for task in (self._send, self._hear):
                # Daemons: a view that hangs must not keep a training from ending.
                threading.Thread(target=task, args=(self._line,), name="easel-publish", daemon=True).start()

    @property
    def connected(self) -> bool:
        """True while a view takes what is published."""
        return self._line is not None

    def publish(self, name: str, value: object) -> None:
        """Publish a number, which continues a curve, or anything else as the newest picture; see `View.publish`."""
        # A copied picture is sent at once, numbers when the next ones are gathered.
        if self._line is not None and self._feeds.publish(name + self._suffix, value):
            self._new.set()

    def close(self) -> None:
        """Send what is left and hang up; idempotent."""
        line, self._line = self._line, None  # which ends the threads
        if line is not None:
            with suppress(OSError):
                self._send_new(line)
            line.close()
            self._new.set()

    def __enter__(self) -> "Publisher":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, line: Connection) -> None:
        try:
            while self._line is line:
                # Awake at least that often, for numbers.
                self._new.wait(NUMBERS_SECONDS)
                self._new.clear()
                self._send_new(line)
        except (OSError, ValueError, TypeError):  # the last, of a line that was closed meanwhile
            self._lose(line)

    def _send_new(self, line: Connection) -> None:
        """Send the pictures and numbers that are newer than the last ones sent."""
        # A copy: the program adds names meanwhile.
        for name, picture in list(self._feeds.pictures.items()):
            if self._sent.get(name, 0) != picture.version:
                self._sent[name] = picture.version
                begun = time.perf_counter()
                send_picture(line, name, picture.peek())
                # A slow line slows the pictures down, not the program.
                picture.charge(time.perf_counter() - begun)
        for name, curve in list(self._feeds.curves.items()):
            # No name of a picture ends so: a picture and a curve may share a name.
            key = f"{name}\0"
            if new := curve.count - self._sent.get(key, 0):
                self._sent[key] = curve.count
                send_numbers(line, name, curve.last(new))

    def _hear(self, line: Connection) -> None:
        try:
            while True:
                # The view answers with the names of which it wants newer pictures.
                for name in json.loads(line.recv_bytes(1 << 16)):
                    self._feeds.picture(name).wanted = True
        except (EOFError, OSError, ValueError, TypeError):
            self._lose(line)

    def _lose(self, line: Connection) -> None:
        # Both threads come here, and `close` may have been first.
        if self._line is line:
            self._line = None
            log.warning("the view is gone; what is published from now on is not shown")


def _call(address: Address) -> Connection:
    try:
        return Client((address.host, address.port), family="AF_INET", authkey=address.token.encode())
    except (OSError, EOFError, AuthenticationError) as error:
        raise ConnectionError(f"no view listens at {address.host}:{address.port} with this token: {error}.") from error
