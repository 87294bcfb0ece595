"""What does being watched cost a training loop? Publishing to nobody, to a view, to one that is watched, and from four.

    python benchmarks/publish.py [--quick] [--json FILE]

A network trains on random pixels, 10 to 20 ms a step, and publishes a 512 x 512 picture and its loss after every step.
Two measures tell the slowdown, each with the interval that holds 95 % of what resampled turns of a few steps give
(bootstrap):

- "counted": CPU time within the calls of `publish` and of the process's other thread, which sends, over the CPU time of
  the steps, while turn after turn publishes. It leaves out what publishing does to the steps themselves, through caches
  and the like.
- "compared": turns publish and do not publish by turns. CPU time of the training's thread in those that do over that in
  their neighbours that do not, the median of all pairs. It has everything, and the noise of everything else that this
  machine does.

The view runs in another process, as it does for the ranks of a torchrun job, or in this one. "watched" means that a
browser tab takes every picture it is offered. Of four processes, all publish and all pause in the same turns: what they
cost each other on few cores is in both.
"""

import argparse
import asyncio
import contextlib
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import torch

import easel

PAIRS, FOUR_PAIRS = 60, 20
STEPS, FOUR_STEPS = 4, 10
RESAMPLES = 2000
VIEW = """
import sys, time, easel
view = easel.View("bench", 960, 540, backend=sys.argv[1])
print(view.listen(), view.address or "-", flush=True)
while view.step():
    view.end_step()
    view._backend.wait(1 / 60)
"""
WATCH = "import sys; from publish import Tab; Tab(sys.argv[1]).run()"
OTHER = """
import sys, threading, easel
from publish import Training
publisher, training, on = easel.Publisher(), Training(), False
def listen():
    global on
    for line in sys.stdin:
        on = line == "on\\n"
threading.Thread(target=listen, daemon=True).start()
while True:
    training.turn(publisher.publish if on else None, 1)
"""
Publish = Callable[[str, object], object]
Times = tuple[float, float, float]
"""CPU seconds of a turn: of the training's thread, of the process, and within `publish`."""
Pair = tuple[Times, Times]
"""A turn that publishes, and its neighbour that does not."""
T = TypeVar("T", Times, Pair)


class Training:
    """A loop whose steps take 10 to 20 milliseconds."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        torch.manual_seed(0)
        self.net = torch.nn.Sequential(
            torch.nn.Linear(64, 256),
            torch.nn.ReLU(),
            torch.nn.Linear(256, 256),
            torch.nn.ReLU(),
            torch.nn.Linear(256, 3),
        )
        self.optimizer = torch.optim.Adam(self.net.parameters())
        self.batch, self.target = torch.rand(4096, 64), torch.rand(4096, 3)
        self.picture = torch.rand(512, 512, 3)

    def step(self) -> float:
        loss = (self.net(self.batch) - self.target).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def turn(self, publish: Publish | None, steps: int) -> Times:
        """So many steps, and what they publish."""
        process, thread, within = time.process_time(), time.thread_time(), 0.0
        for _ in range(steps):
            loss = self.step()
            if publish is not None:
                begun = time.thread_time()
                publish("picture", self.picture)
                publish("loss", loss)
                within += time.thread_time() - begun
        return time.thread_time() - thread, time.process_time() - process, within


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


def interval(turns: list[T], measure: Callable[[list[T]], float]) -> tuple[float, float, float]:
    """A measure of turns, and the bounds of 95 % of what resampled ones give."""
    chance = random.Random(0)
    resampled = sorted(measure(chance.choices(turns, k=len(turns))) for _ in range(RESAMPLES))
    return measure(turns), resampled[int(0.025 * RESAMPLES)], resampled[int(0.975 * RESAMPLES)]


def counted(turns: list[Times]) -> float:
    """What publishing took of its own, as a share of the steps."""
    cost = sum(within + process - thread for thread, process, within in turns)
    return cost / sum(thread - within for thread, _, within in turns)


def compared(pairs: list[Pair]) -> float:
    """How much longer the thread took beside a turn without publishing, as a share."""
    return statistics.median(publishing[0] / bare[0] for publishing, bare in pairs) - 1


def compare(
    case: str,
    training: Training,
    publish: Publish | None,
    pairs: int,
    steps: int,
    tell: Callable[[bool], object] = lambda on: None,
) -> dict[str, Any]:
    """One row: turns that publish beside turns that do not. `tell(on)` announces what comes to whoever takes part."""
    publishing: list[Times] = []
    bare: list[Times] = []
    for turn in range(2 * pairs + 2):
        on = (turn + turn // 2) % 2 == 0  # on off off on ...: what drifts meets both alike
        tell(on)
        (publishing if on else bare).append(training.turn(publish if on else None, steps))
    tell(True)
    steady = [training.turn(publish, steps) for _ in range(2 * pairs)]
    step_ms = 1e3 * statistics.median(thread for thread, _, _ in bare[1:]) / steps
    row = {
        "case": case,
        "step_ms": step_ms,
        "counted": interval(steady, counted),
        "compared": interval(list(zip(publishing, bare, strict=True))[1:], compared),
    }
    print(told(row), flush=True)
    return row


def told(row: dict[str, Any]) -> str:
    count, low, high = (100 * value for value in row["counted"])
    ratio, least, most = (100 * value for value in row["compared"])
    return (
        f"{row['case']:<54}{row['step_ms']:>7.1f}{f'{count:.2f} ({low:.2f} … {high:.2f})':>24}"
        f"{f'{ratio:+.2f} ({least:+.2f} … {most:+.2f})':>28}"
    )


@contextlib.contextmanager
def program(code: str, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Another process of this interpreter, until the end of the block."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent), "OMP_NUM_THREADS": "1"} | environment
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def measure(pairs: int, four_pairs: int) -> list[dict[str, Any]]:
    training = Training()
    training.turn(None, 10)
    rows = [compare("twice the same, without publishing", training, None, pairs, STEPS)]
    with easel.Publisher() as nobody:
        rows.append(compare("a Publisher, no view", training, nobody.publish, pairs, STEPS))
    with easel.View("bench", 960, 540, backend="headless") as view:
        view.publish("picture", torch.rand(512, 512, 3))
        rows.append(compare("View.publish in the same process, nobody looks", training, view.publish, pairs, STEPS))
    for backend, watched in (("headless", False), ("browser", False), ("browser", True)):
        with contextlib.ExitStack() as stack:
            view = stack.enter_context(program(VIEW, backend))
            assert view.stdout is not None
            address, page = view.stdout.readline().split()
            if watched:
                stack.enter_context(program(WATCH, page))
                time.sleep(3)
            publisher = stack.enter_context(easel.Publisher(address))
            case = f"a view in another process, {backend}, {'watched' if watched else 'nobody looks'}"
            rows.append(compare(case, training, publisher.publish, pairs, STEPS))
            if watched:
                others = [stack.enter_context(program(OTHER, EASEL_VIEW=address)) for _ in range(3)]
                time.sleep(8)

                def tell(on: bool, others: list[subprocess.Popen[str]] = others) -> None:
                    for other in others:
                        assert other.stdin is not None
                        other.stdin.write("on\n" if on else "off\n")
                        other.stdin.flush()

                case = "four processes publish to it, beside four that do not"
                rows.append(compare(case, training, publisher.publish, four_pairs, FOUR_STEPS, tell))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer turns")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    flags = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {load()}, torch {torch.__version__}")
    print(f"{'slowdown in %, and the interval of 95 %':<54}{'step ms':>7}{'counted':>24}{'compared':>28}")
    rows = measure(*((8, 4) if flags.quick else (PAIRS, FOUR_PAIRS)))
    print(f"load at the end {load()}")
    if flags.json:
        flags.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def load() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


if __name__ == "__main__":
    main()
