"""Browser: the headless interface, streamed to a browser tab of this machine or at the other end of an SSH tunnel."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from easel.viewer.backends.base import BackendUnavailableError, Frame
from easel.viewer.backends.headless import HeadlessBackend
from easel.viewer.backends.pace import Pace
from easel.viewer.imgui.dialogs import Dialog, Question
from easel.viewer.imgui.events import Event, KeyChanged, PointerButton, PointerMoved, Resized
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
"""Dear ImGui's shapes of the pointer → CSS's; the others are its "default"."""


class BrowserBackend(HeadlessBackend):
    """Serves at `host` and `port`, 0 for any free one; whoever has its `address` sees the view, the first steers."""

    name = "browser"
    interactive = True

    def __init__(self, host: str = LOOPBACK, port: int = 0) -> None:
        super().__init__()
        self._host, self._port = host, port
        self.server: Server | None = None
        self._pace = Pace()
        self._target: moderngl.Framebuffer | None = None
        self._picture: np.ndarray | None = None
        """The window as it was drawn last, uint8 (h, w, 4); never written to again, since tabs read it."""
        self._clipboard = ""
        self._coming: list[Message] = []
        """What came from the tab and waits for the next frame."""

    def open(self, title: str, width: int, height: int, scale: Number | None = None) -> None:
        super().open(title, width, height, scale)
        self._fixed_scale = scale is not None
        try:
            self.server = Server(title, self._host, self._port)
        except ServerError as error:
            raise BackendUnavailableError(str(error)) from error
        # The address is how a person gets in, whatever program this is; there is nowhere else to show it.
        print(f"easel: {title!r} is at {self.server.address}", file=sys.stderr, flush=True)
        if self.server.auth.public:
            told = f"easel: other machines can reach port {self.server.port}, and nothing that travels is encrypted."
            print(f"{told} An SSH tunnel to {LOOPBACK} is safer.", file=sys.stderr, flush=True)

    def poll(self) -> list[Event]:
        server = self._serving()
        events: list[Event] = []
        for message in self._next(server.clients):
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
        server.clients.hand_out_arrived()
        return events

    def due(self) -> bool:
        return self.server is not None and self._pace.seconds_left() == 0 and self.server.wants_picture

    def wait(self, seconds: float) -> None:
        stirred = self._serving().clients.stirred
        stirred.wait(max(seconds, 0.0))
        stirred.clear()

    def present(self, frame: Frame) -> None:
        assert self._context is not None and self._renderer is not None and self.ui is not None
        started = time.perf_counter()
        server = self._serving()
        self.ui.activate()
        with self._context:
            target, anew = self._framebuffer()
            picture, damage = self._renderer.patch(frame, target, self.size, None if anew else self._picture)
        if picture is not None and damage:
            self._picture = picture
            server.offer(picture, damage)
        self._tell_manners(server.clients)
        (self._pace.drawn if damage else self._pace.looked)(time.perf_counter() - started)

    def ask(self, question: Question) -> Dialog | str:
        clients = self._serving().clients
        return clients.ask(question) if clients.watched else "no browser tab is open"

    def hand_out(self, path: Path) -> None:
        self._serving().clients.hand_out(path)

    @property
    def address(self) -> str:
        """What a person opens in a browser; with its token it is as good as a key."""
        return self._serving().address

    def close(self) -> None:
        if self.server is not None:
            self.server.close()
        if self._context is not None and self._target is not None:
            with self._context:
                _release(self._target)
                self._target = None
        super().close()

    def _next(self, clients: Clients) -> list[Message]:
        """What belongs into the next frame of all that came: at most one change of a button, and that at its end.

        Over a slow line a whole drag comes at once. In one frame Dear ImGui would see the release alone, and the slider
        would stay where it was the frame before: a release after a movement has the next frame to itself.
        """
        self._coming += clients.take()
        end, moved = len(self._coming), False
        for index, message in enumerate(self._coming):
            if isinstance(message, PointerButton):
                end = index if moved and not message.down else index + 1
                break
            moved |= isinstance(message, PointerMoved)
        now, self._coming = self._coming[:end], self._coming[end:]
        if self._coming:
            clients.stirred.set()
        return now

    def _serving(self) -> Server:
        assert self.server is not None
        return self.server

    def _framebuffer(self) -> "tuple[moderngl.Framebuffer, bool]":
        """Where frames are drawn, as large as the view, and whether it is new."""
        assert self._context is not None
        if self._target is not None and self._target.size == self.size:
            return self._target, False
        if self._target is not None:
            _release(self._target)
        self._target = self._context.framebuffer([self._context.texture(self.size, 4)])
        return self._target, True

    def _resize(self, told: Resize) -> None:
        self.size = told.width, told.height
        if not self._fixed_scale and told.ratio != self.scale and self.ui is not None:
            self.scale = told.ratio
            self.ui.activate()
            self.ui.rescale(told.ratio)

    def _paste(self, text: str) -> list[Event]:
        """Dear ImGui pastes from its own clipboard, when it sees the keys."""
        assert self.ui is not None
        self.ui.activate()
        imgui.set_clipboard_text(text)
        self._clipboard = text
        return [KeyChanged(key, down) for down in (True, False) for key in ("ctrl", "v")]

    def _tell_manners(self, clients: Clients) -> None:
        """The pointer's shape and what was copied are the tab's to show and to keep."""
        clients.set_cursor(CURSORS.get(str(imgui.MouseCursor_(imgui.get_mouse_cursor()).name), "default"))
        copied = imgui.get_clipboard_text()
        if copied != self._clipboard:
            self._clipboard = copied
            clients.tell(kind="copied", text=copied)


def _release(target: "moderngl.Framebuffer") -> None:
    for texture in target.color_attachments:
        texture.release()
    target.release()
