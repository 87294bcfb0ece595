"""The browser backend: the headless interface, streamed to a tab of this machine or at the end of an SSH tunnel."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from easel.gl.target import release
from easel.viewer.backends.base import BackendUnavailableError, Frame
from easel.viewer.backends.headless import HeadlessBackend
from easel.viewer.backends.pace import Pace
from easel.viewer.imgui.events import Event, KeyChanged, PointerButton, PointerMoved, Resized
from easel.viewer.imgui.questions import Dialog, Question
from easel.viewer.imgui.sketch import Number
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.remote.clients import Clients
from easel.viewer.remote.protocol import Message, Pasted, Resize
from easel.viewer.remote.server import Server, ServerError

if TYPE_CHECKING:
    import moderngl

LOOPBACK = "127.0.0.1"
CURSORS = {"text_input": "text", "resize_all": "move", "resize_ns": "ns-resize", "resize_ew": "ew-resize",
           "resize_nesw": "nesw-resize", "resize_nwse": "nwse-resize", "hand": "pointer", "wait": "wait",
           "progress": "progress", "not_allowed": "not-allowed"}  # fmt: skip
"""CSS's names of Dear ImGui's pointer shapes; the others are its "default"."""


class BrowserBackend(HeadlessBackend):
    """Serves at `host` and `port` (0: any). Whoever has its `address` sees the view; the first tab steers."""

    name = "browser"
    interactive = True

    def __init__(self, host: str = LOOPBACK, port: int = 0) -> None:
        self._host, self._port = host, port
        self.server: Server | None = None
        self._pace = Pace()
        self._target: moderngl.Framebuffer | None = None
        self._picture: np.ndarray | None = None
        """The last picture of the window, uint8 (h, w, 4); never written to again, since tabs read it."""
        self._clipboard = ""
        self._coming: list[Message] = []
        """Messages of the tab that wait for the next frame."""

    def open(self, title: str, width: int, height: int, scale: Number | None = None) -> None:
        super().open(title, width, height, scale)
        # A scale that the program asked for stays; otherwise the tab's screen decides (`_resize`).
        self._fixed_scale = scale is not None
        try:
            self.server = Server(title, self._host, self._port)
        except ServerError as error:
            raise BackendUnavailableError(str(error)) from error
        # The address is how a person gets in, whatever program this is; there is nowhere else to show it.
        self.address = self.server.address
        print(f"easel: {title!r} is at {self.address}", file=sys.stderr, flush=True)
        if self.server.auth.public:
            warning = f"easel: other machines can reach port {self.server.port}, and nothing that travels is encrypted."
            print(f"{warning} An SSH tunnel to {LOOPBACK} is safer.", file=sys.stderr, flush=True)

    def poll(self) -> list[Event]:
        server = self._serving()
        events: list[Event] = []
        for message in self._next_messages(server.clients):
            if isinstance(message, Resize):
                self._resize(message)
                events.append(Resized())
            elif isinstance(message, Pasted):
                events += self._paste(message.text)
            else:
                events.append(message)  # pyright: ignore[reportArgumentType]  the server has kept what it answers itself
        if events and self.ui is not None:
            self._pace.touched()
            self.ui.activate()
            for event in events:
                self.ui.feed(event)
        # Looked for here, once per step: nobody tells when the program has finished writing a file.
        server.clients.hand_out_arrived()
        return events

    def due(self) -> bool:
        # In this order: asking the server takes a lock, and most calls end at the pace.
        return self.server is not None and self._pace.seconds_left() == 0 and self.server.wants_picture

    def wait(self, seconds: float) -> None:
        activity = self._serving().clients.activity
        activity.wait(max(seconds, 0.0))
        activity.clear()

    def present(self, frame: Frame) -> None:
        assert self._context is not None and self._renderer is not None and self.ui is not None
        started = time.perf_counter()
        server = self._serving()
        self.ui.activate()
        with self._context:
            target = self._framebuffer()
            picture, damage = self._renderer.patch(frame, target, self.size, self._picture)
        if picture is not None and damage:
            # Kept only if something has changed: otherwise it is the same array.
            self._picture = picture
            server.offer(picture, damage)
        self._send_pointer_and_clipboard(server.clients)
        # Finding nothing is cheap and is repeated less often than drawing.
        (self._pace.drawn if damage else self._pace.looked)(time.perf_counter() - started)

    def ask(self, question: Question) -> Dialog | str:
        clients = self._serving().clients
        return clients.ask(question) if clients.watched else "no browser tab is open"

    def hand_out(self, path: Path) -> None:
        self._serving().clients.hand_out(path)

    def close(self) -> None:
        # First the server: it tells the tabs that the view is closed.
        if self.server is not None:
            self.server.close()
        if self._context is not None and self._target is not None:
            with self._context:
                release(self._target)
                self._target = None
        super().close()

    def _next_messages(self, clients: Clients) -> list[Message]:
        """Return the messages for the next frame: up to the first change of a button.

        Over a slow line a whole drag comes at once. In one frame Dear ImGui would see the release alone, and the slider
        would stay where it was the frame before: a release after a movement has the next frame to itself.
        """
        self._coming += clients.take()
        end, moved = len(self._coming), False
        for index, message in enumerate(self._coming):
            if isinstance(message, PointerButton):
                # A press may share a frame with the movement to its place; a release may not.
                end = index if moved and not message.down else index + 1
                break
            moved |= isinstance(message, PointerMoved)
        messages, self._coming = self._coming[:end], self._coming[end:]
        if self._coming:
            clients.activity.set()  # the rest must not wait for the next message
        return messages

    def _serving(self) -> Server:
        assert self.server is not None
        return self.server

    def _framebuffer(self) -> "moderngl.Framebuffer":
        """Return the framebuffer of frames, as large as the view."""
        assert self._context is not None
        if self._target is None or self._target.size != self.size:
            if self._target is not None:
                release(self._target)
            self._target = self._context.framebuffer([self._context.texture(self.size, 4)])
            # A new size has no picture before it to compare with: all of it is drawn and sent.
            self._picture = None
        return self._target

    def _resize(self, message: Resize) -> None:
        self.size = message.width, message.height
        # A tab that moves to another screen, or is zoomed, has another ratio.
        if not self._fixed_scale and message.ratio != self.scale and self.ui is not None:
            self.scale = message.ratio
            self.ui.activate()
            self.ui.rescale(message.ratio)

    def _paste(self, text: str) -> list[Event]:
        """Fill Dear ImGui's clipboard. Returns the keys that make it paste from there."""
        assert self.ui is not None
        self.ui.activate()
        imgui.set_clipboard_text(text)
        self._clipboard = text
        return [KeyChanged(key, down) for down in (True, False) for key in ("ctrl", "v")]

    def _send_pointer_and_clipboard(self, clients: Clients) -> None:
        """Send the pointer's shape and what was copied: both belong to the person's machine."""
        clients.set_cursor(CURSORS.get(str(imgui.MouseCursor_(imgui.get_mouse_cursor()).name), "default"))
        copied = imgui.get_clipboard_text()
        # Compared with what was pasted, too: a pasted text is no copy and need not travel back.
        if copied != self._clipboard:
            self._clipboard = copied
            clients.send(kind="copied", text=copied)
