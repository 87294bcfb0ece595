"""A view in a browser tab: what a person does there acts, what is drawn arrives, and strangers get nothing."""

import asyncio
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from easel.graphics.image import imwrite
from easel.viewer.driver import Driver
from easel.viewer.imgui.events import FilesDropped, PointerButton, PointerMoved
from easel.viewer.remote.protocol import unpack
from easel.viewer.view import View

aiohttp = pytest.importorskip("aiohttp", reason="a view in a browser needs aiohttp")


def frame_of(page: Any) -> int:
    return int(page.evaluate("document.getElementById('view').dataset.frame || 0"))


def settle(page: Any, view: View | None = None) -> None:
    """Wait for a first picture; given its view, until what rests has been sent exactly."""
    deadline = time.monotonic() + 40
    while not frame_of(page) or (view is not None and not (fits(page) and exact(view))):
        assert time.monotonic() < deadline, "no picture arrives, or none that is exact"
        page.wait_for_timeout(50)
    page.wait_for_timeout(200)  # what was sent is drawn


def fits(page: Any) -> bool:
    """The tab has told its size, and shows a picture of that size."""
    return bool(page.evaluate("document.getElementById('view').width === innerWidth"))


def exact(view: View) -> bool:
    server = view._backend.server
    tab = server.clients.tabs[0]
    return tab.number == server._newest.number and not tab._lossy.any()


def spot(view: View, label: str, share: float = 0.5) -> tuple[float, float]:
    area = Driver(view)._spot(label, None)
    return area.x + share * area.width, area.y + area.height / 2


def test_the_page_shows_what_the_view_draws(open_remote, in_chromium) -> None:
    view = open_remote("Grün & <b>")
    y, x = torch.meshgrid(torch.linspace(0, 1, 64), torch.linspace(0, 1, 64), indexing="ij")
    view.panel("Picture").canvas("ramp").bind(torch.stack([x, y, 1 - x], -1))

    def look(page: Any) -> tuple[str, str, bytes]:
        settle(page, view)
        return page.url, page.title(), page.screenshot()

    url, title, screenshot = in_chromium(view, look, viewport={"width": 500, "height": 400})
    assert title == "Grün & <b>" and "token" not in url
    assert (view.window.width, view.window.height) == (500, 400), "the view is as large as the tab"
    seen = np.array(Image.open(io.BytesIO(screenshot)).convert("RGB"), np.int16)
    drawn = np.rint(view.capture().numpy() * 255).astype(np.int16)
    assert seen.shape == drawn.shape
    assert (np.abs(seen - drawn) <= 1).mean() > 0.999, "what rests is exact"


def test_what_a_person_does_acts(open_remote, in_chromium) -> None:
    view = open_remote("Acts", 640, 480)
    panel, canvas = view.panel("Controls", side="left", width=0.5), view.panel("Paper").canvas("paper")
    paper, clicks, strokes = torch.zeros(100, 100), [], []
    canvas.bind(paper)
    values: dict[str, Any] = {}

    @panel.on_frame
    def draw() -> None:
        clicks.extend([1] if panel.button("Go") else [])
        values["speed"] = panel.slider("speed", 0.0, 10.0, default=2.0)
        values["name"] = panel.input_text("name", default="cat")
        values["frames"] = view.frame_count
        for stroke in canvas.strokes:
            strokes.append(stroke)
            for x, y in stroke.pixels():
                paper[y, x] = 1

    view.run(max_frames=3)

    def act(page: Any) -> None:
        settle(page)
        page.mouse.click(*spot_go)
        page.mouse.move(*slider_begin)
        page.mouse.down()
        page.mouse.move(*slider_end, steps=5)
        page.mouse.up()
        page.mouse.dblclick(*field)
        page.keyboard.press("Control+a")
        page.keyboard.type("grün 9")
        page.keyboard.press("Enter")
        page.mouse.move(*paper_at)
        page.mouse.down()
        page.mouse.move(paper_at[0] + 40, paper_at[1] + 40, steps=4)
        page.mouse.up()
        page.wait_for_timeout(400)

    spot_go, field = spot(view, "Go"), spot(view, "name")
    slider_begin, slider_end = spot(view, "speed", 0.2), spot(view, "speed", 0.9)
    place = canvas.rectangle
    assert place is not None
    paper_at = place.x + place.width / 4, place.y + place.height / 4
    in_chromium(view, act)
    assert sum(clicks) == 1
    assert values["speed"] == pytest.approx(9.0, abs=0.8)
    assert values["name"] == "grün 9"
    assert len(strokes) >= 2 and paper.sum() >= 4


def test_files_go_up_and_down(open_remote, in_chromium, tmp_path: Path) -> None:
    view = open_remote("Files")
    panel = view.panel("Files")
    opened: list[Path] = []
    dropped: list[Path] = []
    view.on_drop(lambda event: dropped.extend(map(Path, event.paths)))

    @panel.on_frame
    def draw() -> None:
        path = panel.file_dialog("Open ...", title="Open a photograph", filters=[("Images", "*.png")])
        if path:
            opened.append(Path(path))
        target = panel.save_file_dialog("Save ...", default_extension=".png")
        if target:
            imwrite(target, torch.full((4, 4, 3), 0.5))

    photo = tmp_path / "grün.png"
    imwrite(photo, torch.rand(8, 8, 3))
    view.run(max_frames=3)
    open_at, save_at = spot(view, "Open ..."), spot(view, "Save ...")

    def act(page: Any) -> bytes:
        settle(page)
        page.mouse.click(*open_at)
        page.locator("#ask").wait_for()
        assert page.locator("#title").inner_text() == "Open a photograph"
        assert page.locator("#file").get_attribute("accept") == ".png"
        page.set_input_files("#file", photo)
        page.locator("#ask").wait_for(state="hidden")
        page.mouse.click(*open_at)
        page.locator("#ask").wait_for()
        page.click("#cancel")
        page.locator("#ask").wait_for(state="hidden")
        page.mouse.click(*save_at)
        page.locator("#ask").wait_for()
        page.fill("#name", "../shot")
        with page.expect_download() as download:
            page.click("#accept")
        assert download.value.suggested_filename == "shot.png"
        return Path(download.value.path()).read_bytes()

    saved = in_chromium(view, act)
    assert len(opened) == 1 and opened[0].name == "grün.png" and opened[0].read_bytes() == photo.read_bytes()
    assert Image.open(io.BytesIO(saved)).size == (4, 4)
    view.close()
    assert not opened[0].exists(), "uploads go with the view"


# Without a browser: requests as anybody can send them


@pytest.fixture
def call(beside: Callable[..., Any]) -> Callable[..., Any]:
    """Runs a coroutine function, given a client, beside a view."""

    def run(view: View, script: Callable[..., Any], *, known: bool = True) -> Any:
        base, _, token = view.address.partition("?token=")

        async def session() -> Any:
            jar = aiohttp.CookieJar(unsafe=True)  # cookies of an IP address are kept as well
            async with aiohttp.ClientSession(base_url=base, cookie_jar=jar) as client:
                if known:
                    async with client.get("/", params={"token": token}) as answer:
                        assert answer.status == 200
                return await script(client)

        return beside(view, lambda: asyncio.run(session()))

    return run


async def next_picture(socket: Any) -> tuple[int, Any, Any, bytes]:
    async for message in socket:
        if message.type == aiohttp.WSMsgType.BINARY:
            return unpack(message.data)
    raise AssertionError("the line was closed")


async def hello(socket: Any) -> dict[str, Any]:
    async for message in socket:
        said = json.loads(message.data) if message.type == aiohttp.WSMsgType.TEXT else {}
        if said.get("kind") == "hello":
            return said
    raise AssertionError("the line was closed")


def test_strangers_get_nothing(open_remote, call) -> None:
    view = open_remote("Private")
    port = view._backend.server.port

    async def strange(client: Any) -> list[int]:
        statuses = []
        for path in ("/", "/?token=wrong", "/client.js", "/stream", "/download/1", "/nothing", "/../pyproject.toml"):
            async with client.get(path) as answer:
                statuses.append(answer.status)
                assert "token=" not in await answer.text() and answer.headers["Cache-Control"] == "no-store"
        async with client.post("/upload?name=a.png", data=b"x") as answer:
            return [*statuses, answer.status]

    assert set(call(view, strange, known=False)) == {403}

    async def rebound(client: Any) -> list[int]:
        async with client.get("/", headers={"Host": f"evil.example:{port}"}) as answer:
            statuses = [answer.status]
        async with client.get("/", headers={"Origin": "http://evil.example"}) as answer:
            statuses.append(answer.status)
        try:
            await client.ws_connect("/stream", origin="http://evil.example")
        except aiohttp.WSServerHandshakeError as error:
            statuses.append(error.status)
        async with client.get("/nothing") as answer:
            return [*statuses, answer.status]

    assert call(view, rebound) == [403, 403, 403, 404]
    assert not list(view._backend.server.clients.transfers.folder.iterdir()), "nothing of a stranger's is kept"


def test_malformed_messages_do_no_harm(open_remote, call) -> None:
    view = open_remote("Sturdy")
    view.panel("P").canvas("c").bind(lambda: torch.rand(32, 32))
    random = np.random.default_rng(0)

    async def send(client: Any) -> None:
        async with client.ws_connect("/stream") as socket:
            for index in range(200):
                if index % 2:
                    await socket.send_bytes(random.bytes(int(random.integers(0, 2000))))
                else:
                    noise = random.choice(list('{}[]":,0123456789kindmovexy\\u'), int(random.integers(0, 60)))
                    await socket.send_str("".join(noise))
            await next_picture(socket)
            await socket.send_str('{"kind": "move", "x": 5, "y": 7}')
            await asyncio.sleep(0.1)

    call(view, send)
    assert view.step() and not view.closed
    view.end_step()

    async def shout(client: Any) -> int:
        async with client.ws_connect("/stream", max_msg_size=0) as socket:
            await socket.send_str("x" * (1 << 21))
            async for _ in socket:
                pass
            return socket.close_code

    assert call(view, shout) == aiohttp.WSCloseCode.MESSAGE_TOO_BIG

    async def flood(client: Any) -> int:
        async with client.ws_connect("/stream") as socket:
            for _ in range(4000):
                await socket.send_str('{"kind": "visible", "on": true}')
            async for _ in socket:
                pass
            return socket.close_code

    assert call(view, flood) == aiohttp.WSCloseCode.POLICY_VIOLATION


def test_one_steers_the_other_watches_and_takes_over(open_remote, call) -> None:
    view = open_remote("Two")
    panel = view.panel("P")
    panel.on_frame(lambda: panel.text(f"{sorted(view.keys)}"))

    async def two(client: Any) -> dict[str, Any]:
        async with client.ws_connect("/stream") as first, client.ws_connect("/stream") as second:
            said = {"first": (await hello(first))["steers"], "second": (await hello(second))["steers"]}
            await second.send_str('{"kind": "key", "key": "a", "down": true}')
            await first.send_str('{"kind": "key", "key": "b", "down": true}')
            await asyncio.sleep(0.2)
            said["held"] = sorted(view.keys)
            await second.send_str('{"kind": "steer"}')
            while not (await hello(second))["steers"]:
                pass
            await asyncio.sleep(0.2)
            said["after taking over"] = sorted(view.keys)
            await second.send_str('{"kind": "button", "button": 0, "down": true}')
            await second.close()
            while not (await hello(first))["steers"]:
                pass
            return said

    said = call(view, two)
    assert said == {"first": True, "second": False, "held": ["b"], "after taking over": []}
    view.run(max_frames=3)


def test_a_drag_that_comes_all_at_once_acts(open_remote) -> None:
    view = open_remote("Late", 640, 480)
    panel, values, clicks = view.panel("Controls"), [], []

    @panel.on_frame
    def draw() -> None:
        values.append(panel.slider("speed", 0.0, 10.0, default=2.0))
        clicks.extend([1] if panel.button("Go") else [])

    view.run(max_frames=3)
    post = view._backend.server.clients.post
    for share in (0.2, 0.5, 0.9):
        post(PointerMoved(*spot(view, "speed", share)))
        if share == 0.2:
            post(PointerButton(0, True))
    post(PointerButton(0, False))
    for down in (True, False, True, False):
        post(PointerMoved(*spot(view, "Go")))
        post(PointerButton(0, down))
    view.run(max_frames=12)
    assert values[-1] > 8.5 and len(clicks) == 2


def test_a_lost_drag_ends(open_remote, call) -> None:
    view = open_remote("Lost")
    seen: list[tuple[int, bool]] = []
    view.on_mouse(lambda event: seen.append((event.button, event.down)) if hasattr(event, "down") else None)

    async def leave(client: Any) -> None:
        async with client.ws_connect("/stream") as socket:
            await hello(socket)
            await socket.send_str('{"kind": "button", "button": 0, "down": true}')
            await asyncio.sleep(0.2)

    call(view, leave)
    for _ in range(20):
        view.run(max_frames=1)
    assert seen == [(0, True), (0, False)]


def test_too_large_an_upload_leaves_nothing(open_remote, call) -> None:
    view = open_remote("Small")
    transfers = view._backend.server.clients.transfers
    transfers.most_bytes = 1000
    dropped: list[FilesDropped] = []
    view.on_drop(dropped.append)

    async def send(client: Any) -> list[tuple[int, str]]:
        answers = []
        for size in (1001, 999):
            async with client.post("/upload", params={"name": "a.png"}, data=bytes(size)) as answer:
                answers.append((answer.status, await answer.text()))
        return answers

    (status, reason), (fine, _) = call(view, send)
    assert (status, fine) == (413, 200) and "larger than" in reason
    view.run(max_frames=2)
    assert [Path(path).stat().st_size for event in dropped for path in event.paths] == [999]
    assert sum(path.is_file() for path in transfers.folder.rglob("*")) == 1


def test_nobody_looking_costs_nothing_and_a_slow_tab_only_itself(open_remote, call) -> None:
    view = open_remote("Idle")
    view.panel("P").canvas("c").bind(lambda: torch.rand(64, 64))
    presented = []
    present = view._backend.present
    view._backend.present = lambda frame: (presented.append(frame), present(frame))
    view.run(max_frames=30)
    assert not presented

    async def sleepy(client: Any) -> None:
        async with client.ws_connect("/stream") as socket:
            await next_picture(socket)
            await asyncio.sleep(1.0)  # it never says that it has seen anything

    before = view.frame_count
    call(view, sleepy)
    assert 1 <= len(presented) <= 4 and view.frame_count - before > 10


def test_a_port_in_use_is_told(open_remote, open_view) -> None:
    from easel.viewer.backends.browser import BrowserBackend

    port = open_remote("First")._backend.server.port
    second = open_view("Second", backend=BrowserBackend(port=port))
    assert second.backend_name != "browser"
    assert "address already in use" in second.backend_reason and "--port" in second.backend_reason


def test_a_notebook_shows_the_view(open_remote, open_headless) -> None:
    view = open_remote("Cell")
    assert view.address in view._repr_html_() and view._repr_html_().startswith("<iframe")
    assert open_headless("No cell")._repr_html_() is None
