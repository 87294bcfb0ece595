"""What does it cost to look into a network? First picture, later pictures, updates, memory and picks, on software GL.

    python benchmarks/inspector.py [--quick] [--json FILE] [--only NAME...]

Each network runs in a process of its own, with seeded random weights. CPU milliseconds count every thread, the
rasterizer included; "first" is seconds by the clock from the finished model to its first picture. "Frame" turns the
camera a little, of all the network or in front of its largest tensor, and reads the picture back. "UI" is a frame of
an empty viewer window of the same size, read back. "Update" shows one tensor of about 2.4 million values anew, or all.
"Picks" aims at random cells of random tensors, from before them, and compares name, index and value.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from networks import NETWORKS, make

from easel.gl.context import open_headless
from easel.graphics.camera import Camera
from easel.inspector.models.model_tensors import tensors
from easel.inspector.network_scene import NetworkScene

SIZE = (720, 1280)
UPDATED = 2_400_000
"""Values of the tensor that is shown anew, about."""
COLUMNS = (
    "network",
    "values",
    "first s",
    "first",
    "frame",
    "inside",
    "UI",
    "update 1",
    "update all",
    "MiB",
    "model",
    "picks",
)
Row = dict[str, Any]


def cpu_ms(work: Callable[[], object], repeats: int) -> float:
    """Median over `repeats` of what one call costs."""
    costs = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        costs.append(1e3 * (time.process_time() - start))
    return statistics.median(costs)


def memory_mib() -> float:
    """The most that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def turning(scene: NetworkScene, camera: Camera) -> Callable[[], object]:
    """A picture from a slightly different place at each call."""

    def work() -> object:
        camera.azimuth += 0.002
        return scene.draw(camera, SIZE)

    return work


def exact_picks(scene: NetworkScene, count: int) -> int:
    """Of `count` random cells, how many a pick finds with name, index and value."""
    generator = torch.Generator().manual_seed(0)
    exact = 0
    for number in range(count):
        sheet = scene.sheets[number % len(scene.sheets)]
        shape = sheet.tensor.shape
        index = tuple(int(torch.randint(extent, (), generator=generator)) for extent in shape)
        camera = scene.look_at(sheet.box.name, SIZE, index)
        hit = scene.pick(camera, SIZE, SIZE[1] / 2, SIZE[0] / 2)
        exact += (
            hit is not None
            and (hit.name, hit.index) == (sheet.box.name, index)
            and hit.value == sheet.tensor[index].item()
        )
    return exact


def empty_interface(repeats: int) -> float:
    """CPU milliseconds of a frame of an empty window, read back."""
    from easel.viewer.view import View

    with View("Benchmark", SIZE[1], SIZE[0], backend="headless", strict=True) as view:
        view.panel("Empty")

        def work() -> None:
            view.step()
            view.end_step()
            view.capture()

        work()
        return cpu_ms(work, repeats)


def measure(name: str, quick: bool) -> Row:
    repeats, picks = (5, 500) if quick else (25, 10_000)
    model = make(name)
    before = memory_mib()
    began, start = time.perf_counter(), time.process_time()
    scene = NetworkScene(tensors(model))
    camera = scene.home(SIZE)
    scene.draw(camera, SIZE)
    first, first_cpu = time.perf_counter() - began, time.process_time() - start
    frame = cpu_ms(turning(scene, camera), repeats)
    largest = max(scene.sheets, key=lambda sheet: sheet.tensor.numel())
    near = scene.look_at(largest.box.name, SIZE)
    near.distance /= 6
    scene.draw(near, SIZE)
    inside = cpu_ms(turning(scene, near), repeats)
    held = memory_mib()
    one = min(scene.sheets, key=lambda sheet: abs(sheet.tensor.numel() - UPDATED))
    weights = {
        name: parameter.detach() for name, parameter in model.named_parameters() if scene.sheet(name) is not None
    }

    def update(names: list[str]) -> float:
        """CPU milliseconds of new values and their picture, less those of a picture; copying is not counted."""
        costs = []
        for _ in range(2 if quick else 5):
            copies = {name: -weights[name] for name in names}
            start = time.process_time()
            scene.update(copies)
            scene.draw(camera, SIZE)
            costs.append(1e3 * (time.process_time() - start))
        return statistics.median(costs) - frame

    camera = scene.home(SIZE)
    scene.draw(camera, SIZE)
    updated, everything = update([one.box.name]), update(list(weights))
    exact = exact_picks(scene, picks)
    scene.close()
    return {
        "network": name,
        "values": sum(ref.tensor.numel() for ref in scene.refs.values()),
        "first_s": first,
        "first_cpu_ms": 1e3 * first_cpu,
        "frame_cpu_ms": frame,
        "inside_cpu_ms": inside,
        "interface_cpu_ms": empty_interface(repeats),
        "update_one_cpu_ms": updated,
        "updated_values": one.tensor.numel(),
        "update_all_cpu_ms": everything,
        "memory_mib": held,
        "model_mib": before,
        "picks": f"{exact}/{picks}",
    }


def measured_apart(name: str, quick: bool) -> Row:
    """`measure` in a process of its own, so that no network's memory counts for another."""
    command = [sys.executable, __file__, "--alone", name, *(["--quick"] if quick else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def line(row: Row) -> str:
    costs = ("first", "frame", "inside", "interface", "update_one", "update_all")
    cells = [row["network"], f"{row['values'] / 1e6:.1f} M", f"{row['first_s']:.2f}"]
    cells += [f"{row[f'{cost}_cpu_ms']:.0f}" for cost in costs]
    cells += [f"{row['memory_mib']:.0f}", f"{row['model_mib']:.0f}", row["picks"]]
    return "".join(f"{cell:>12}" for cell in cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer repeats and picks")
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    parser.add_argument("--only", nargs="+", choices=list(NETWORKS), help="only these networks")
    parser.add_argument("--alone", choices=list(NETWORKS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.alone:
        print(json.dumps(measure(arguments.alone, arguments.quick)))
        return
    context = open_headless()
    with context:
        renderer = context.info["GL_RENDERER"]
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"{torch.get_num_threads()} threads"
    )
    print(f"torch {torch.__version__}, {renderer}, {SIZE[1]} x {SIZE[0]}")
    print("CPU milliseconds, but for first s and MiB")
    print("".join(f"{column:>12}" for column in COLUMNS))
    rows = []
    for name in arguments.only or NETWORKS:
        rows.append(measured_apart(name, arguments.quick))
        print(line(rows[-1]), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
