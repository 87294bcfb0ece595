"""What does a frame cost? CPU milliseconds of the headless backend: logic alone, and drawn with canvases of some sizes.

    python benchmarks/frame_cost.py [--quick] [--json FILE]

CPU time counts every thread of the process, so it includes the rasterizer where OpenGL runs in software.
"""

import argparse
import json
import math
import os
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import torch

from easel.gl.context import open_headless
from easel.viewer.view import View

WINDOWS = ((640, 480), (1280, 720))
CANVASES = (0, 512, 1024)
CURVE = [1 / (1 + 0.05 * n) + 0.02 * math.sin(n) for n in range(300)]


def open_view(size: tuple[int, int], canvas: int) -> View:
    """A sidebar of widgets and a curve beside a live float32 RGB canvas, `canvas` pixels a side (0: none)."""
    view = View("Frame cost", *size, backend="headless", strict=True)
    if view.backend_name != "headless":
        raise SystemExit(f"this benchmark draws with OpenGL: {view.backend_reason}")
    controls = view.panel("Controls", side="left", width=0.3)
    picture = view.panel("Picture")
    if canvas:
        picture.canvas("picture").bind(torch.rand(canvas, canvas, 3))

    @controls.on_frame
    def draw() -> None:
        for n in range(4):
            controls.slider(f"slider {n}")
            controls.slider_int(f"steps {n}")
        controls.combo("loss", ["MSE", "L1"])
        controls.checkbox("pause")
        with controls.row():
            controls.button("Save")
            controls.button("Reset")
        controls.plot(CURVE, overlay="loss")

    return view


def cpu_milliseconds(work: Callable[[], object], repeats: int, inner: int = 1) -> float:
    """Median over `repeats` of what one call costs, in batches of `inner`."""
    work()
    costs = []
    for _ in range(repeats):
        start = time.process_time()
        for _ in range(inner):
            work()
        costs.append((time.process_time() - start) / inner * 1e3)
    return statistics.median(costs)


def measure(size: tuple[int, int], canvas: int, repeats: int) -> dict[str, float | int | str]:
    with open_view(size, canvas) as view:

        def step() -> None:
            view.step()
            view.end_step()

        for _ in range(3):
            step()
        logic = cpu_milliseconds(step, repeats, inner=20)
        drawn = cpu_milliseconds(view.capture, repeats)
    return {"window": f"{size[0]}x{size[1]}", "canvas": canvas, "logic_ms": logic, "drawn_ms": drawn}


def machine() -> dict[str, str | float | int | None]:
    context = open_headless()
    with context:
        renderer = str(context.info["GL_RENDERER"])
    context.release()
    packages = {name: version(name) for name in ("torch", "imgui-bundle", "moderngl")}
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {"cpu": platform.machine(), "cores": os.cpu_count(), "load": load, "gl": renderer, **packages}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few repeats only")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    arguments = parser.parse_args()
    facts = machine()
    print("  ".join(f"{name} {value}" for name, value in facts.items()))
    print(f"\n{'window':>10}  {'canvas':>9}  {'logic, CPU ms':>13}  {'drawn, CPU ms':>13}")
    rows = []
    for size in WINDOWS:
        for canvas in CANVASES:
            row = measure(size, canvas, 3 if arguments.quick else 25)
            name = f"{canvas}x{canvas}" if canvas else "none"
            print(f"{row['window']:>10}  {name:>9}  {row['logic_ms']:13.2f}  {row['drawn_ms']:13.1f}", flush=True)
            rows.append(row)
    print("\nlogic: one step that nobody looks at. drawn: a capture, that is upload, drawing and reading back.")
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": facts, "rows": rows}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
