"""What does being watched cost a training loop? CPU time per step, publishing to nobody, to a view, and from four.

    python benchmarks/publish.py [--quick] [--json FILE]

A small network trains on random pixels and publishes a 512 x 512 picture and its loss after every step. CPU time is the
training process's own, all its threads, without the view's: that runs in another process, as it does for the ranks of a
torchrun job, or in the main thread of the same one. Rows run in turns, and each is compared with the bare loop beside
it. "watched" means that a browser tab takes every picture it is offered.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import torch

import easel

STEPS, ROUNDS = 400, 5
VIEW = """
import sys, time, easel
view = easel.View("bench", 960, 540, backend=sys.argv[1])
print(view.listen(), view.address or "-", flush=True)
while view.step():
    view.end_step()
    view._backend.wait(1 / 60)
"""


class Training:
    """A loop whose steps take a few milliseconds."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.net = torch.nn.Sequential(
            torch.nn.Linear(64, 256),
            torch.nn.ReLU(),
            torch.nn.Linear(256, 256),
            torch.nn.ReLU(),
            torch.nn.Linear(256, 3),
        )
        self.optimizer = torch.optim.Adam(self.net.parameters())
        self.batch, self.target = torch.rand(2048, 64), torch.rand(2048, 3)
        self.picture = torch.rand(512, 512, 3)

    def step(self) -> float:
        loss = (self.net(self.batch) - self.target).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def cpu_ms(self, publish: Any, steps: int) -> float:
        """Of one step, with what `publish(name, value)` adds."""
        began = time.process_time()
        for _ in range(steps):
            loss = self.step()
            if publish is not None:
                publish("picture", self.picture)
                publish("loss", loss)
        return (time.process_time() - began) / steps * 1e3


class Tab(threading.Thread):
    """A browser tab without a browser: takes pictures and says that it has seen them."""

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self.address, self.pictures = address, 0

    def run(self) -> None:
        asyncio.run(self.watch())

    async def watch(self) -> None:
        import aiohttp

        base, _, token = self.address.partition("?token=")
        async with aiohttp.ClientSession(base, cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
            await client.get("/", params={"token": token})
            async with client.ws_connect("/stream") as socket:
                await socket.send_str('{"kind": "size", "width": 960, "height": 540, "ratio": 1}')
                async for message in socket:
                    number = int.from_bytes(message.data[:4], "little") if isinstance(message.data, bytes) else 0
                    if number:
                        self.pictures += 1
                        await socket.send_str(json.dumps({"kind": "seen", "number": number}))


WATCH = "import sys; sys.path.insert(0, {folder!r}); from publish import Tab; Tab(sys.argv[1]).run()"


PUBLISH = """
import easel
from publish import Training
publisher, training = easel.Publisher(), Training()
while True:
    training.cpu_ms(publisher.publish, 50)
"""


def publishing(address: str) -> subprocess.Popen[str]:
    """Another process that publishes all the time."""
    environment = os.environ | {"EASEL_VIEW": address, "PYTHONPATH": str(Path(__file__).parent)}
    return subprocess.Popen([sys.executable, "-c", PUBLISH], env=environment, text=True)


def measure(rounds: int, steps: int) -> list[dict[str, Any]]:
    training = Training()
    training.cpu_ms(None, steps // 4)
    rows: dict[str, list[float]] = {}
    pairs: dict[str, list[float]] = {}

    def compare(name: str, publish: Any) -> None:
        bare = [training.cpu_ms(None, steps // 2)]
        cost = training.cpu_ms(publish, steps)
        bare.append(training.cpu_ms(None, steps // 2))
        rows.setdefault(name, []).append(cost)
        pairs.setdefault(name, []).append(cost / statistics.mean(bare))

    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    with easel.Publisher() as nobody:
        for _ in range(rounds):
            compare("no publishing at all", None)
            compare("a Publisher, no view", nobody.publish)
    for backend, watched in (("headless", False), ("browser", False), ("browser", True)):
        with subprocess.Popen(
            [sys.executable, "-c", VIEW, backend], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as view:
            assert view.stdout is not None
            address, page = view.stdout.readline().split()
            tab = None
            if watched:
                code = WATCH.format(folder=str(Path(__file__).parent))
                tab = subprocess.Popen([sys.executable, "-c", code, page], env=environment)
                time.sleep(3)
            with easel.Publisher(address) as publisher:
                label = f"a view in another process, {backend}, {'watched' if watched else 'nobody looks'}"
                for _ in range(rounds):
                    compare(label, publisher.publish)
                if watched:
                    others = [publishing(address) for _ in range(3)]
                    time.sleep(5)
                    for _ in range(rounds):
                        compare("the same, and three more processes publish", publisher.publish)
                    for other in others:
                        other.kill()
            if tab is not None:
                tab.kill()
            view.kill()
    compare_threads(compare, rounds)
    return [
        {"case": name, "cpu_ms": statistics.median(costs), "ratio": statistics.median(pairs[name]),
         "least": min(pairs[name]), "most": max(pairs[name])}
        for name, costs in rows.items()
    ]  # fmt: skip


def compare_threads(compare: Any, rounds: int) -> None:
    """The view in this process, its loop in this thread's place: only what publishing itself costs is counted."""
    with easel.View("bench", 960, 540, backend="headless") as view:
        view.publish("picture", torch.rand(512, 512, 3))
        for _ in range(rounds):
            compare("View.publish in the same process, nobody looks", view.publish)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    flags = parser.parse_args()
    torch.set_num_threads(1)
    rows = measure(*((2, 60) if flags.quick else (ROUNDS, STEPS)))
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}, torch {torch.__version__}")
    print(f"{'':<58}{'CPU ms a step':>14}{'to the bare loop':>18}{'from':>8}{'to':>8}")
    for row in rows:
        print(f"{row['case']:<58}{row['cpu_ms']:>14.3f}{row['ratio']:>18.4f}{row['least']:>8.4f}{row['most']:>8.4f}")
    if flags.json:
        flags.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
