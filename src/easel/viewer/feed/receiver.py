"""The view's end of publishing: receives from other processes of this machine."""

import contextlib
import json
import logging
import secrets
import socket
import threading
from functools import partial
from multiprocessing import AuthenticationError, BufferTooShort
from multiprocessing.connection import Connection, Listener

from easel.viewer.feed.feeds import Feeds
from easel.viewer.feed.wire import Address, WireError, receive

log = logging.getLogger("easel")

LOOPBACK = "127.0.0.1"
MOST_LINES = 64
"""Most publishers at once."""


class Receiver:
    """Listens on the loopback address until `close`, with a thread for every publisher."""

    def __init__(self, feeds: Feeds) -> None:
        self._feeds = feeds
        # 256 bits: whoever has the address may publish.
        token = secrets.token_urlsafe(32)
        self._listener = Listener((LOOPBACK, 0), family="AF_INET", backlog=MOST_LINES, authkey=token.encode())
        self.address = Address(LOOPBACK, int(self._listener.address[1]), token)
        self._lines: set[Connection] = set()
        self._closed = False
        self._thread = threading.Thread(target=self._accept, name="easel-receiver", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more and let all publishers go."""
        self._closed = True
        with contextlib.suppress(OSError):
            # Only a caller wakes the thread that waits in `accept`.
            socket.create_connection((self.address.host, self.address.port), timeout=1.0).close()
        self._thread.join(1.0)
        self._listener.close()
        for line in list(self._lines):
            line.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                line = self._listener.accept()
            except (AuthenticationError, EOFError, OSError) as error:
                # A stranger ends nothing but its own call.
                if not self._closed:
                    log.warning("somebody without the token tried to publish: %s", error or "they hung up")
                continue
            # Every publisher costs a thread.
            if len(self._lines) >= MOST_LINES:
                line.close()
                continue
            self._lines.add(line)
            threading.Thread(target=self._listen, args=(line,), name="easel-publisher", daemon=True).start()

    def _listen(self, line: Connection) -> None:
        try:
            while True:
                name, value = receive(line)
                if isinstance(value, list):
                    self._feeds.curve(name).offer(*value)
                    continue
                picture = self._feeds.picture(name)
                # Set anew with every picture: another publisher may continue the name.
                picture.on_taken = partial(self._want, line, name)
                picture.put(value)
        except (WireError, ValueError, BufferTooShort) as error:
            log.warning("a publisher is let go: it sent %s", error)
        except (EOFError, OSError, TypeError):
            pass  # gone, or closed here: the handle of a closed line is None, hence the TypeError
        finally:
            self._lines.discard(line)
            line.close()

    def _want(self, line: Connection, name: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # of a publisher that is gone
            line.send_bytes(json.dumps([name]).encode())
