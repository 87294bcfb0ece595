"""The server between a view and its browser tabs: it never drives the view, and the view never waits for it.

The view offers a picture whenever one is wanted; every tab takes the newest when it has shown an earlier one, so a
slow, hidden or lost tab costs nothing but its own pictures. One tab steers, the others watch. The only file that knows
aiohttp.
"""

import asyncio
import json
import logging
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module, resources
from pathlib import Path
from typing import Any

import numpy as np

from easel.viewer.dialogs import Dialog, Question
from easel.viewer.events import Event, FilesDropped, KeyChanged, PointerButton
from easel.viewer.remote import encoding
from easel.viewer.remote.gate import Gate
from easel.viewer.remote.protocol import (
    MOST_MESSAGE_BYTES,
    Answer,
    Message,
    ProtocolError,
    Resize,
    Seen,
    Steer,
    Visible,
    pack,
    parse,
)
from easel.viewer.remote.transfers import Transfers

log = logging.getLogger("easel")

MOST_VIEWERS = 8
MOST_IN_FLIGHT = 2
"""Pictures on their way to a tab that it has not shown yet."""
MESSAGES_PER_SECOND, MOST_MESSAGES = 400.0, 2000.0
"""What a tab may send in the long run, and at once."""
STILL_SECONDS = 0.3
"""After so long without a change, what was sent with losses is sent exactly."""
EXACT_ROWS = 4
"""Of tiles, in one message of what has rested."""
HEARTBEAT_SECONDS = 20.0
START_SECONDS = 10.0

PAGE = {
    "/": ("index.html", "text/html"),
    "/client.js": ("client.js", "text/javascript"),
    "/style.css": ("style.css", "text/css"),
}
"""All that is served to look at."""
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors http://localhost:* http://127.0.0.1:*",
}


class ServerError(Exception):
    """It cannot listen; the message is the reason in one line."""


class Tab:
    """One browser tab: what it shows, and what is on its way to it."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.visible = True
        self.in_flight = 0
        self.number = 0
        """Of the newest frame that was sent."""
        self.shown: np.ndarray | None = None
        self.lossy: np.ndarray | None = None
        """Which tiles it shows with losses."""
        self.sent_at = 0.0
        self.budget = MOST_MESSAGES
        self.heard_at = time.monotonic()
        self.asked = asyncio.Event()
        """There may be something to send."""

    def may_speak(self) -> bool:
        """Whether it stays within what a tab may send."""
        now = time.monotonic()
        self.budget = min(self.budget + MESSAGES_PER_SECOND * (now - self.heard_at), MOST_MESSAGES) - 1
        self.heard_at = now
        return self.budget > 0

    @property
    def ready(self) -> bool:
        return self.visible and self.in_flight < MOST_IN_FLIGHT


class Server:
    """Listens at `host` and `port` (0: any) from a thread of its own, from the beginning until `close`."""

    def __init__(self, title: str, host: str, port: int) -> None:
        try:
            self._aiohttp, self._web = import_module("aiohttp"), import_module("aiohttp.web")
        except ImportError as error:
            raise ServerError(f"it needs aiohttp ({error}): pip install 'torch-easel[browser]'") from error
        self.gate = Gate(host)
        self.transfers = Transfers()
        self.stirred = threading.Event()
        """Something came from a tab since this was cleared."""
        self.size: Resize | None = None
        """What the steering tab shows."""
        self.bytes_sent = self.pictures_sent = 0
        self.port = port
        self._title = title
        self._events: deque[Message] = deque()
        self._tabs: list[Tab] = []
        """The first one steers."""
        self._down: dict[Event, None] = {}
        """What undoes the keys and buttons that the steering tab holds down."""
        self._questions: dict[int, Question] = {}
        self._answers: dict[int, str] = {}
        self._asked = 0
        self._frame: np.ndarray | None = None
        self._number = 0
        self._cursor = "default"
        self._speaking: set[asyncio.Future[None]] = set()
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        started: deque[OSError] = deque()
        listening = threading.Event()
        self._thread = threading.Thread(
            target=self._serve, args=(host, port, listening, started), name="easel-browser", daemon=True
        )
        self._thread.start()
        if not listening.wait(START_SECONDS) or started:
            reason = started[0].strerror if started else "it does not start"
            raise ServerError(f"it cannot listen at {host}:{port} ({reason}); name another --port")

    @property
    def address(self) -> str:
        """What a person opens; whoever has it can steer."""
        host = "localhost" if self.gate.host in ("127.0.0.1", "::1", "0.0.0.0", "::") else self.gate.host
        return f"http://{host}:{self.port}/?token={self.gate.token}"

    # What the view does with it, from its own thread

    def take(self) -> list[Message]:
        """What came from the steering tab since the last call."""
        with self._lock:
            taken, self._events = list(self._events), deque()
        return taken

    def wants(self) -> bool:
        """Whether a tab is looking, has shown what it was sent and can take another picture."""
        with self._lock:
            return any(tab.ready and tab.number == self._number for tab in self._tabs)

    @property
    def lacks(self) -> bool:
        """A tab has not been sent any picture, so one is due even if nothing changed."""
        with self._lock:
            return any(tab.shown is None for tab in self._tabs) and self._frame is None

    @property
    def watched(self) -> bool:
        """Somebody has a tab open and in sight."""
        with self._lock:
            return any(tab.visible for tab in self._tabs)

    def offer(self, picture: np.ndarray) -> None:
        """The newest picture, uint8 (h, w, 4); it takes the place of one that nobody took."""
        with self._lock:
            self._frame = picture
            self._number += 1
        self._call(self._wake)

    def tell(self, **said: Any) -> None:
        """Say something to the steering tab, such as the pointer's shape or a text for its clipboard."""
        self._call(lambda: self._say(self._tabs[:1], said))

    def set_cursor(self, name: str) -> None:
        """The pointer's shape, as CSS calls it."""
        if name != self._cursor:
            self._cursor = name
            self.tell(kind="cursor", name=name)

    def ask(self, question: Question) -> "RemoteDialog":
        """Ask the person in front of the steering tab for a file."""
        self._asked += 1
        with self._lock:
            self._questions[self._asked] = question
        self._call(lambda: self._say(self._tabs[:1], self._asking()))
        return RemoteDialog(self, self._asked)

    def answer(self, number: int) -> str | None:
        """What the person answered to question `number`; None so far."""
        with self._lock:
            return self._answers.pop(number, None)

    def retract(self, number: int) -> None:
        """Question `number` needs no answer any more."""
        with self._lock:
            self._questions.pop(number, None)
            self._answers.pop(number, None)
        self._call(lambda: self._say(self._tabs[:1], self._asking()))

    def hand_out(self, path: Path) -> None:
        """Give the steering tab a file to download."""
        self.tell(kind="download", id=self.transfers.offer(path), name=path.name)

    def hand_out_arrived(self) -> None:
        """The same with what the program has saved, under names that were asked for, since the last call."""
        for number, path in self.transfers.arrived():
            self.tell(kind="download", id=number, name=path.name)

    def close(self) -> None:
        """Say goodbye and stop listening."""
        if self._loop.is_closed():
            return
        self._call(lambda: self._stopped.set())
        self._thread.join(START_SECONDS)
        self.transfers.close()

    # The server's thread

    def _call(self, function: Callable[[], object]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function)

    def _serve(self, host: str, port: int, listening: threading.Event, started: deque[OSError]) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._live(host, port, listening))
        except OSError as error:
            started.append(error)
            listening.set()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    async def _live(self, host: str, port: int, listening: threading.Event) -> None:
        self._stopped = asyncio.Event()
        web = self._web

        @web.middleware
        async def guard(request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
            return await self._guard(request, handler)

        app = web.Application(middlewares=[guard], client_max_size=MOST_MESSAGE_BYTES)
        app.router.add_get("/stream", self._stream)
        app.router.add_post("/upload", self._upload)
        app.router.add_get("/download/{number:[0-9]{1,9}}", self._download)
        for path in PAGE:
            app.router.add_get(path, self._page)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, host, port)
            await site.start()
            self.port = runner.addresses[0][1]
            listening.set()
            await self._stopped.wait()
            self._say(self._tabs, {"kind": "closed"})
            await asyncio.sleep(0)
        finally:
            await runner.cleanup()

    async def _guard(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        """Every request passes here: the rules of the gate before, the headers after."""
        reason = self.gate.refuses(request.headers.get("Host"), request.headers.get("Origin"))
        known = self.gate.knows(request.cookies.get(self._cookie))
        known = known or (request.path == "/" and self.gate.knows(request.query.get("token")))
        if reason or not known:
            text = reason or "open the address that the program printed, with its token"
            return self._web.Response(status=403, text=f"Not here: {text}.\n", headers=HEADERS)
        try:
            answer = await handler(request)
        except self._web.HTTPException as error:
            return self._web.Response(status=error.status, text=f"{error.reason}\n", headers=HEADERS)
        if not answer.prepared:
            answer.headers.update(HEADERS)
        return answer

    @property
    def _cookie(self) -> str:
        return f"easel-{self.port}"  # cookies do not tell ports apart

    async def _page(self, request: Any) -> Any:
        name, kind = PAGE[request.path]
        text = resources.files("easel.viewer.remote").joinpath("page", name).read_text(encoding="utf-8")
        answer = self._web.Response(text=text.replace("{{title}}", _escape(self._title)), content_type=kind)
        if request.path == "/":
            answer.set_cookie(self._cookie, self.gate.token, httponly=True, samesite="Strict", path="/")
        return answer

    async def _upload(self, request: Any) -> Any:
        """A file that a person opens or drops; `for` is the question that it answers."""
        web = self._web
        room = self.transfers.room()
        path = self.transfers.place(request.query.get("name", ""))
        received = 0
        try:
            with path.open("wb") as file:
                async for part in request.content.iter_chunked(1 << 16):
                    received += len(part)
                    if received > room:
                        raise web.HTTPRequestEntityTooLarge(
                            max_size=room, actual_size=received, reason=f"larger than {room >> 20} MiB"
                        )
                    file.write(part)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        question = request.query.get("for", "")
        if question.isdecimal():
            self._answer(int(question), str(path))
        else:
            self._post(FilesDropped((str(path),)))
        return web.json_response({"bytes": received})

    async def _download(self, request: Any) -> Any:
        path = self.transfers.offered(int(request.match_info["number"]))
        if path is None or not path.is_file():
            raise self._web.HTTPNotFound
        return self._web.FileResponse(
            path, headers=HEADERS | {"Content-Disposition": f'attachment; filename="{path.name}"'}
        )

    async def _stream(self, request: Any) -> Any:
        if len(self._tabs) >= MOST_VIEWERS:
            raise self._web.HTTPServiceUnavailable(reason=f"{MOST_VIEWERS} tabs are watching already")
        socket = self._web.WebSocketResponse(max_msg_size=MOST_MESSAGE_BYTES, heartbeat=HEARTBEAT_SECONDS)
        await socket.prepare(request)
        tab = Tab(socket)
        with self._lock:
            self._tabs.append(tab)
        self._greet()
        sender = asyncio.ensure_future(self._send(tab))
        try:
            async for message in socket:
                if not tab.may_speak():
                    log.warning("a browser tab sends more than %g messages a second: it is let go", MESSAGES_PER_SECOND)
                    await socket.close(code=1008, message=b"too many messages")
                    break
                if message.type == self._aiohttp.WSMsgType.TEXT:
                    self._hear(tab, message.data)
        finally:
            sender.cancel()
            self._leave(tab)
        return socket

    def _hear(self, tab: Tab, text: str) -> None:
        try:
            message = parse(text)
        except ProtocolError as error:
            log.debug("a browser tab sent a message that is none: %s", error)
            return
        steers = self._tabs[0] is tab
        match message:
            case Seen():
                tab.in_flight = max(tab.in_flight - 1, 0)
                tab.asked.set()
                self.stirred.set()
            case Visible(on):
                tab.visible = on
                tab.asked.set()
                self.stirred.set()
            case Steer():
                with self._lock:
                    self._release()
                    self._tabs.remove(tab)
                    self._tabs.insert(0, tab)
                self._greet()
            case Answer(number, name) if steers:
                question = self._questions.get(number)
                if question is not None and (not name or question.save):
                    self._answer(number, name and str(self.transfers.expect(question.complete(name))))
            case _ if steers:
                self._post(message)

    def _post(self, message: Message) -> None:
        with self._lock:
            match message:
                case PointerButton(button, down):
                    self._hold(PointerButton(button, False), down)
                case KeyChanged(key, down):
                    self._hold(KeyChanged(key, False), down)
                case Resize():
                    self.size = message
            self._events.append(message)
        self.stirred.set()

    def _hold(self, undoing: Event, down: bool) -> None:
        if down:
            self._down[undoing] = None
        else:
            self._down.pop(undoing, None)

    def _release(self) -> None:
        """Let go of all that the steering tab holds down: it is no longer there to do it."""
        self._events.extend(self._down)
        self._down.clear()
        self.stirred.set()

    def _leave(self, tab: Tab) -> None:
        with self._lock:
            if self._tabs[0] is tab:
                self._release()
            self._tabs.remove(tab)
        self._greet()

    def _greet(self) -> None:
        """Tell every tab its part; the one that steers shall say how large it is."""
        for tab in self._tabs:
            steers = tab is self._tabs[0]
            self._say([tab], {"kind": "hello", "steers": steers, "title": self._title, "watching": len(self._tabs) - 1})
        self._say(self._tabs[:1], {"kind": "cursor", "name": self._cursor})
        self._say(self._tabs[:1], self._asking())
        self.stirred.set()

    def _asking(self) -> dict[str, Any]:
        """The oldest open question, or that there is none."""
        for number, question in self._questions.items():
            extensions = sorted({f".{p.rpartition('.')[2]}" for _, all_ in question.filters for p in all_.split()})
            admitted = "" if ".*" in extensions else ",".join(extensions)
            return {
                "kind": "ask",
                "id": number,
                "title": question.title,
                "accept": admitted,
                "save": question.save,
                "name": f"untitled{question.default_extension}" if question.save else "",
            }
        return {"kind": "ask", "id": 0}

    def _answer(self, number: int, path: str) -> None:
        with self._lock:
            if self._questions.pop(number, None) is not None:
                self._answers[number] = path
        self.stirred.set()
        self._say(self._tabs[:1], self._asking())

    def _say(self, tabs: list[Tab], said: Mapping[str, Any]) -> None:
        for tab in tabs:
            if not tab.socket.closed:
                task = asyncio.ensure_future(_quietly(tab.socket.send_str(json.dumps(said))))
                self._speaking.add(task)  # asyncio itself would let it go half-way
                task.add_done_callback(self._speaking.discard)

    def _wake(self) -> None:
        for tab in self._tabs:
            tab.asked.set()

    async def _send(self, tab: Tab) -> None:
        """Send `tab` the newest picture whenever it can take one, and what it lacks in exactness once that rests."""
        while True:
            frame, number = self._frame, self._number
            if frame is not None and tab.ready and (number != tab.number or tab.shown is None):
                await self._send_changes(tab, frame, number)
                continue
            rests = tab.lossy is not None and tab.lossy.any() and tab.ready
            left = max(tab.sent_at + STILL_SECONDS - time.monotonic(), 0.0) if rests else None
            if left == 0.0 and tab.shown is not None and tab.lossy is not None:
                # A few rows at a time: should anything change meanwhile, the tab is not kept waiting for it.
                rows = np.flatnonzero(tab.lossy.any(1))[:EXACT_ROWS]
                tiles = np.zeros_like(tab.lossy)
                tiles[rows] = tab.lossy[rows]
                await self._send_tiles(tab, tab.shown, tab.number, tiles, exact=True)
                continue
            tab.asked.clear()
            try:
                await asyncio.wait_for(tab.asked.wait(), left)
            except TimeoutError:
                continue

    async def _send_changes(self, tab: Tab, frame: np.ndarray, number: int) -> None:
        tiles = await self._loop.run_in_executor(None, encoding.changed_tiles, tab.shown, frame)
        if tab.lossy is None or tab.lossy.shape != tiles.shape:
            tab.lossy = np.zeros_like(tiles)
        tab.shown, tab.number = frame, number
        if tiles.any():
            tab.sent_at = time.monotonic()
            await self._send_tiles(tab, frame, number, tiles, exact=False)
        else:
            self.stirred.set()

    async def _send_tiles(self, tab: Tab, frame: np.ndarray, number: int, tiles: np.ndarray, *, exact: bool) -> None:
        size = (frame.shape[1], frame.shape[0])
        assert tab.lossy is not None
        tab.in_flight += 1
        boxes = encoding.boxes(tiles, size)
        for index, box in enumerate(boxes):
            image, is_exact = await self._loop.run_in_executor(None, _encode, frame, box, exact)
            x, y, width, height = (edge / encoding.TILE for edge in box)
            part = np.s_[int(y) : int(np.ceil(y + height)), int(x) : int(np.ceil(x + width))]
            tab.lossy[part] = not is_exact
            # Only the last part carries the frame's number: seeing that one is seeing all.
            message = pack(number if index == len(boxes) - 1 else 0, box, size, image)
            self.bytes_sent += len(message)
            await tab.socket.send_bytes(message)
        self.pictures_sent += 1


class RemoteDialog(Dialog):
    """A question that a browser tab shows."""

    def __init__(self, server: Server, number: int) -> None:
        self._server, self._number = server, number

    def poll(self) -> str | None:
        return self._server.answer(self._number)

    def close(self) -> None:
        self._server.retract(self._number)


async def _quietly(sending: Awaitable[object]) -> None:
    """A tab that is gone hears nothing, and that is all right."""
    try:
        await sending
    except (ConnectionError, RuntimeError):
        pass


def _encode(frame: np.ndarray, box: encoding.Box, exact: bool) -> tuple[bytes, bool]:
    return encoding.encode(frame, box, exact=exact)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
