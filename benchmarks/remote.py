"""How fast does a browser tab see what it asked for? Easel's streamed window beside viser's streamed images.

    python benchmarks/remote.py [--quick] [--json FILE] [--viser PYTHON]

Both programs hold the same photographs, already in memory and as large as the window, and show the next one when a
message from the tab asks for it. The tab is a script: it opens the line as the real page does, asks, and waits until
the last byte of the new picture is there. Latency is from asking to that byte; then it asks as fast as it is answered
for some seconds, which gives frames per second. Both encode as JPEG of quality 80. Easel draws a whole interface around
the picture, and sends what changed; torch gets one thread, as nothing here is worth another. The programs take turns,
and "round by round" has what each of them gave, since no two minutes of a shared machine are alike.

viser needs an environment of its own, since it wants an older rich: `python -m venv v; v/bin/pip install viser`, then
--viser v/bin/python.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SIZES = {"720p": (1280, 720), "1080p": (1920, 1080)}
QUALITY = 80
SUSTAINED = 5
"""Times as many asks without a pause as with one: what was saved up for a start is used up by then."""

PICTURES = """
import sys, numpy as np
from PIL import Image
def pictures(folder, width, height):
    for index in range(4):
        yield np.asarray(Image.open(f"{folder}/{index}.png").convert("RGB").resize((width, height)))
"""
EASEL = (
    PICTURES
    + """
import torch, easel
torch.set_num_threads(1)
folder, width, height = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
shown = [torch.from_numpy(p.copy()) for p in pictures(folder, width, height)]
view = easel.View("remote", width, height, backend="browser", scale=1)
controls, canvas = view.panel("Controls", side="top", width=0.08), view.panel("Picture").canvas("picture")
index = 0
canvas.bind(lambda: shown[index % 4], live=False)
controls.on_frame(lambda: controls.slider("value", 0.0, 1.0, default=0.0))
@view.on_key
def turn(event):
    global index
    if event.down and event.key == "n":
        index += 1
        canvas.refresh()
print(view.address, flush=True)
view.run()
"""
)
VISER = (
    PICTURES
    + """
import threading, viser
folder, width, height, quality = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
shown = list(pictures(folder, width, height))
server = viser.ViserServer(host="127.0.0.1", port=int(sys.argv[5]), verbose=False)
slider = server.gui.add_slider("next", min=0, max=1e9, step=1, initial_value=0)
@slider.on_update
def turn(event):
    server.scene.set_background_image(shown[int(slider.value) % 4], format="jpeg", jpeg_quality=quality)
print(slider._impl.uuid, viser.__version__, flush=True)
threading.Event().wait()
"""
)
VISER_TAB = """
import asyncio, json, sys, time
import msgspec, websockets
async def main(port, uuid, version, asks, warm, sustained):
    url = f"ws://127.0.0.1:{port}"
    async with websockets.connect(url, subprotocols=[f"viser-v{version}"], max_size=None, compression=None) as line:
        async def ask(value):
            began = time.perf_counter()
            message = {"type": "GuiUpdateMessage", "uuid": uuid, "updates": {"value": value}}
            await line.send(msgspec.msgpack.encode(message))
            while True:
                data = await line.recv()
                if len(data) > 10_000:
                    return time.perf_counter() - began, len(data)
        camera = {"type": "ViewerCameraMessage", "wxyz": (1, 0, 0, 0), "position": (3, 3, 3), "fov": 1.0}
        camera |= {"near": 0.1, "far": 100.0, "image_height": 720, "image_width": 1280}
        camera |= {"look_at": (0, 0, 0), "up_direction": (0, 0, 1)}
        await line.send(msgspec.msgpack.encode(camera))  # until it knows one, its callbacks are not called
        await asyncio.sleep(2)
        for value in range(warm):
            await ask(value + 1)
        seen = []
        for value in range(asks):
            await asyncio.sleep(0.1)
            seen.append(await ask(warm + value + 1))
        began = time.perf_counter()
        for value in range(sustained * asks):
            await ask(warm + asks + value + 1)
        print(json.dumps({"seen": seen, "seconds": (time.perf_counter() - began) / sustained}), flush=True)
asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3], *map(int, sys.argv[4:])))
"""


def cpu_seconds(process: subprocess.Popen[str]) -> float:
    """Of a running process, on Linux."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def photographs(folder: Path) -> None:
    from PIL import Image
    from skimage import data

    for index, photo in enumerate((data.astronaut(), data.coffee(), data.chelsea(), data.rocket())):
        Image.fromarray(photo).save(folder / f"{index}.png")


async def easel_tab(address: str, size: tuple[int, int], asks: int, warm: int) -> dict[str, Any]:
    import aiohttp

    base, _, token = address.partition("?token=")
    async with aiohttp.ClientSession(base, cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        await client.get("/", params={"token": token})
        async with client.ws_connect("/stream") as line:
            newest = 0

            async def picture() -> int:
                """Wait for a frame that is newer than all before, and not just more exact; its bytes."""
                nonlocal newest
                total = 0
                async for message in line:
                    if message.type == aiohttp.WSMsgType.BINARY:
                        total += len(message.data)
                        number = int.from_bytes(message.data[:4], "little")
                        if number:
                            await line.send_str(json.dumps({"kind": "seen", "number": number}))
                            if number > newest:
                                newest = number
                                return total
                            total = 0
                raise ConnectionError("the line was closed")

            async def ask() -> tuple[float, int]:
                began = time.perf_counter()
                for down in (True, False):
                    await line.send_str(json.dumps({"kind": "key", "key": "n", "down": down}))
                return await _timed(picture(), began)

            width, height = size
            await line.send_str(json.dumps({"kind": "size", "width": width, "height": height, "ratio": 1}))
            await picture()
            for _ in range(warm):
                await ask()
            seen = []
            for _ in range(asks):
                await asyncio.sleep(0.1)
                seen.append(await ask())
            began = time.perf_counter()
            for _ in range(SUSTAINED * asks):
                await ask()
            return {"seen": seen, "seconds": (time.perf_counter() - began) / SUSTAINED}


async def _timed(waiting: Any, began: float) -> tuple[float, int]:
    size = await waiting
    return time.perf_counter() - began, size


def run_easel(folder: Path, size: tuple[int, int], asks: int, warm: int) -> dict[str, Any]:
    command = [sys.executable, "-c", EASEL, str(folder), *map(str, size)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        time.sleep(1)
        began = cpu_seconds(server)
        result = asyncio.run(easel_tab(address, size, asks, warm))
        result["cpu"] = (cpu_seconds(server) - began) / ((1 + SUSTAINED) * asks + warm)
        server.kill()
    return result


def run_viser(python: str, folder: Path, size: tuple[int, int], asks: int, warm: int) -> dict[str, Any]:
    port = "8497"
    command = [python, "-c", VISER, str(folder), *map(str, size), str(QUALITY), port]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        line = ""
        while len(line.split()) != 2:
            line = server.stdout.readline()
        uuid, version = line.split()
        time.sleep(1)
        began = cpu_seconds(server)
        tab = [python, "-c", VISER_TAB, port, uuid, version, str(asks), str(warm), str(SUSTAINED)]
        result = json.loads(subprocess.run(tab, capture_output=True, text=True, check=True).stdout)
        result["cpu"] = (cpu_seconds(server) - began) / ((1 + SUSTAINED) * asks + warm)
        server.kill()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="720p only, and fewer pictures")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument("--viser", metavar="PYTHON", help="the interpreter of an environment with viser")
    flags = parser.parse_args()
    import tempfile

    rows = []
    load = f"{os.getloadavg()[0]:.1f} at first"
    with tempfile.TemporaryDirectory() as name:
        photographs(Path(name))
        asks, warm, rounds = (6, 2, 1) if flags.quick else (20, 4, 4)
        for label, size in list(SIZES.items())[: 1 if flags.quick else 2]:
            programs = {"easel": lambda size=size: run_easel(Path(name), size, asks, warm)}
            if flags.viser:
                programs["viser"] = lambda size=size: run_viser(flags.viser, Path(name), size, asks, warm)
            results: dict[str, list[dict[str, Any]]] = {program: [] for program in programs}
            for _ in range(rounds):
                for program, run in programs.items():
                    results[program].append(run())
            for program, found in results.items():
                seen = [pair for result in found for pair in result["seen"]]
                rows.append({
                    "size": label, "program": program, "latency_ms": 1e3 * statistics.median(s for s, _ in seen),
                    "p90_ms": 1e3 * sorted(s for s, _ in seen)[int(0.9 * len(seen))],
                    "kib": statistics.mean(b for _, b in seen) / 1024,
                    "fps": statistics.median(asks / result["seconds"] for result in found),
                    "rounds_ms": [1e3 * statistics.median(s for s, _ in result["seen"]) for result in found],
                    "cpu_ms": 1e3 * statistics.median(result["cpu"] for result in found),
                })  # fmt: skip
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {load}, at the end {os.getloadavg()[0]:.1f}")
    heads = f"{'latency ms':>11}{'90 %':>8}{'KiB a frame':>13}{'frames/s':>10}{'server CPU ms':>15}"
    print(f"{'':<15}{heads}  round by round, ms")
    for row in rows:
        by_round = " ".join(f"{ms:.0f}" for ms in row["rounds_ms"])
        print(
            f"{row['size']:<7}{row['program']:<8}{row['latency_ms']:>11.1f}{row['p90_ms']:>8.1f}{row['kib']:>13.1f}"
            f"{row['fps']:>10.1f}{row['cpu_ms']:>15.1f}  {by_round}"
        )
    if flags.json:
        flags.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
