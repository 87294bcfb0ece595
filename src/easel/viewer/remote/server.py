"""The HTTP server between a view and its browser tabs: it never drives the view, and the view never waits for it.

The view offers a picture whenever one is wanted; every tab takes the newest when it has shown an earlier one, so a
slow, hidden or lost tab costs nothing but its own pictures. The only file that knows aiohttp.
"""

import asyncio
import html
import logging
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from importlib import import_module, resources
from typing import Any

import numpy as np

from easel.viewer.imgui.damage import Box
from easel.viewer.remote.auth import Auth
from easel.viewer.remote.clients import Clients
from easel.viewer.remote.protocol import MOST_MESSAGE_BYTES
from easel.viewer.remote.tab import MESSAGES_PER_SECOND, Newest, Tab

log = logging.getLogger("easel")

MOST_TABS = 8
HEARTBEAT_SECONDS = 20.0
START_SECONDS = 10.0
PAGE = {
    "/": ("index.html", "text/html"),
    "/client.js": ("client.js", "text/javascript"),
    "/style.css": ("style.css", "text/css"),
}
"""Files of the page by path, with their types; nothing else is served to look at."""
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # Notebooks of this machine may show it in a frame, nobody else.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors http://localhost:* http://127.0.0.1:*",
}


class ServerError(Exception):
    """The server cannot listen; the message is the reason in one line."""


class Server:
    """Listens at `host` and `port` (0: any) from a thread of its own, from the beginning until `close`."""

    def __init__(self, title: str, host: str, port: int) -> None:
        try:
            self._aiohttp, self._web = map(import_module, ("aiohttp", "aiohttp.web"))
        except ImportError as error:
            raise ServerError(f"it needs aiohttp ({error}): pip install 'torch-easel[browser]'") from error
        self.auth = Auth(host)
        self.clients = Clients(title, self._call)
        self.port = port
        self._title = title
        self._newest = Newest()
        self._loop = asyncio.new_event_loop()
        self._listening = threading.Event()
        # The reason if the thread never gets as far as listening.
        self._failure = "it does not start"
        self._thread = threading.Thread(target=self._serve, args=(host, port), name="easel-browser", daemon=True)
        self._thread.start()
        self._listening.wait(START_SECONDS)
        if self._failure:
            raise ServerError(f"it cannot listen at {host}:{port} ({self._failure}); name another --port")

    @property
    def address(self) -> str:
        """The address to open; whoever has it can steer."""
        # A server that listens everywhere is opened under a name of this machine.
        host = "localhost" if self.auth.host in ("127.0.0.1", "::1", "0.0.0.0", "::") else self.auth.host
        return f"http://{host}:{self.port}/?token={self.auth.token}"

    @property
    def wants_picture(self) -> bool:
        """True if a tab is looking, has shown the newest picture and can take another."""
        return self.clients.waits_for(self._newest.number)

    def offer(self, pixels: np.ndarray, damage: list[Box]) -> None:
        """Replace the picture by a newer one, uint8 (h, w, 4), that differs from it in the boxes `damage` only."""
        # One assignment: tabs on the other thread see the old picture or the new one.
        self._newest = Newest(pixels, self._newest.number + 1, damage)
        self._call(self.clients.wake)

    def close(self) -> None:
        """Tell the tabs that the view is closed, and stop listening."""
        if not self._loop.is_closed():
            # A lambda: the event is made by the server's thread, in its loop.
            self._call(lambda: self._stopped.set())
            self._thread.join(START_SECONDS)
        self.clients.transfers.close()

    def _call(self, function: Callable[[], object]) -> None:
        if not self._loop.is_closed():
            # The only door from other threads.
            self._loop.call_soon_threadsafe(function)

    # On the server's thread

    def _serve(self, host: str, port: int) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._live(host, port))
        except OSError as error:
            self._failure = error.strerror or str(error)
            self._listening.set()
        finally:
            # Encoders of tabs may still run in it.
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    async def _live(self, host: str, port: int) -> None:
        self._stopped = asyncio.Event()
        web = self._web

        # A partial: aiohttp marks its middlewares, and a method takes no marks.
        app = web.Application(middlewares=[web.middleware(partial(self._guard))], client_max_size=MOST_MESSAGE_BYTES)
        app.router.add_get("/stream", self._stream)
        app.router.add_post("/upload", self._upload)
        app.router.add_get("/download/{number:[0-9]{1,9}}", self._download)
        for path in PAGE:
            app.router.add_get(path, self._page)
        # Signals are the program's own business.
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            # Known only now where any free port was asked for.
            self.port = runner.addresses[0][1]
            self._cookie = f"easel-{self.port}"  # cookies do not tell ports apart
            self._failure = ""
            self._listening.set()
            await self._stopped.wait()
            self.clients.dismiss()
            # Lets the goodbyes of `dismiss` be sent before the sockets are closed.
            await asyncio.sleep(0)
        finally:
            await runner.cleanup()

    async def _guard(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        """Let every request pass the rules of `Auth`, and add the headers to every answer."""
        reason = self.auth.refusal(request.headers.get("Host"), request.headers.get("Origin"))
        known = self.auth.accepts(request.cookies.get(self._cookie))
        # Only the page takes the token from its address, and hands it back as a cookie: it stays out of all others.
        known = known or (request.path == "/" and self.auth.accepts(request.query.get("token")))
        if reason or not known:
            # The same answer for a wrong token as for none.
            text = reason or "open the address that the program printed, with its token"
            return self._web.Response(status=403, text=f"Not here: {text}.\n", headers=HEADERS)
        try:
            answer = await handler(request)
        except self._web.HTTPException as error:
            return self._web.Response(status=error.status, text=f"{error.reason}\n", headers=HEADERS)
        # A stream has sent its headers long ago.
        if not answer.prepared:
            answer.headers.update(HEADERS)
        return answer

    async def _page(self, request: Any) -> Any:
        name, kind = PAGE[request.path]
        text = resources.files("easel.viewer.remote").joinpath("page", name).read_text(encoding="utf-8")
        answer = self._web.Response(text=text.replace("{{title}}", html.escape(self._title)), content_type=kind)
        if request.path == "/":
            # Scripts cannot read it, and other sites cannot have it sent.
            answer.set_cookie(self._cookie, self.auth.token, httponly=True, samesite="Strict", path="/")
        return answer

    async def _upload(self, request: Any) -> Any:
        """Receive a file that a person opens or drops; `for` is the question that it answers."""
        transfers = self.clients.transfers
        room, received = transfers.room(), 0
        path = transfers.place(request.query.get("name", ""))
        try:
            with path.open("wb") as file:
                async for part in request.content.iter_chunked(1 << 16):
                    received += len(part)
                    # Counted here: a Content-Length is what the sender claims.
                    if received > room:
                        reason = f"larger than {room >> 20} MiB"
                        raise self._web.HTTPRequestEntityTooLarge(max_size=room, actual_size=received, reason=reason)
                    file.write(part)
        # Also when the tab hangs up half-way: half a file must not be opened.
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        question = request.query.get("for", "")
        # The number comes from the address, so it is read like anything from a stranger.
        self.clients.receive_file(path, int(question) if question.isdecimal() and len(question) < 10 else 0)
        return self._web.json_response({"bytes": received})

    async def _download(self, request: Any) -> Any:
        path = self.clients.transfers.offered.get(int(request.match_info["number"]))
        if path is None or not path.is_file():
            raise self._web.HTTPNotFound
        # As a download, never as a page: a file may be HTML.
        headers = HEADERS | {"Content-Disposition": f'attachment; filename="{path.name}"'}
        return self._web.FileResponse(path, headers=headers)

    async def _stream(self, request: Any) -> Any:
        # Every tab costs encoding time and bandwidth.
        if len(self.clients.tabs) >= MOST_TABS:
            raise self._web.HTTPServiceUnavailable(reason=f"{MOST_TABS} tabs are watching already")
        # Compressing once more what is a JPEG already would take nearly as long as encoding it.
        limits = {"max_msg_size": MOST_MESSAGE_BYTES, "heartbeat": HEARTBEAT_SECONDS, "compress": False}
        socket = self._web.WebSocketResponse(**limits)
        await socket.prepare(request)
        tab = Tab(socket, lambda: self._newest, self.clients.activity.set)
        self.clients.join(tab)
        feeding = asyncio.ensure_future(tab.feed())
        try:
            async for message in socket:
                if not tab.within_budget():
                    log.warning("a browser tab sends more than %g messages a second: it is let go", MESSAGES_PER_SECOND)
                    await socket.close(code=1008, message=b"too many messages")
                    break
                if message.type == self._aiohttp.WSMsgType.TEXT:
                    self.clients.receive_message(tab, message.data)
        finally:
            feeding.cancel()
            self.clients.leave(tab)
        return socket
