"""What does a viewer add to a training loop? CPU milliseconds per frame, beside immvision's widget and matplotlib.

    python benchmarks/viewer.py [--quick] [--json FILE] [--only NAME...]

CPU time counts every thread of this process, so it includes the rasterizer where OpenGL runs in software, and not the
X server. Without a display an Xvfb is started for the window. "Added" is what a frame costs with a picture, less the
same frame without one. The rivals need `pip install matplotlib`, and imgui-bundle's immvision, which Easel has already.
"""

import argparse
import gc
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from easel.gl.context import open_headless
from easel.viewer.imgui.events import KeyChanged, PointerButton, PointerMoved
from easel.viewer.view import View

SIDES = (256, 1024, 4096)
DTYPES = (torch.float32, torch.float16, torch.uint8)
WINDOW = (1280, 720)
STEP_SECONDS = 0.01
"""What a training step takes, for the share that an idle window adds."""
LONG_STEP_SECONDS = 0.2
LINE = "{:>13} {:>8} {:>8} {:>8}{:>12}{:>11} {:>8} {:>10}{:>10} {:>10}{:>10}"
Row = dict[str, Any]


def cpu_ms(work: Callable[[], object], repeats: int, inner: int = 1) -> float:
    """Median over `repeats` of what one call costs, in batches of `inner`."""
    work()
    costs = []
    for _ in range(repeats):
        start = time.process_time()
        for _ in range(inner):
            work()
        costs.append((time.process_time() - start) / inner * 1e3)
    return statistics.median(costs)


def turn(view: View) -> None:
    view.step()
    view.end_step()


def noise(side: int, dtype: torch.dtype) -> torch.Tensor:
    picture = torch.rand(side, side, 3)
    return (255 * picture).to(dtype) if dtype == torch.uint8 else picture.to(dtype)


@contextmanager
def opened(backend: str, size: tuple[int, int] = WINDOW, *, every_frame: bool = False) -> Iterator[View]:
    """A view; with `every_frame` it is drawn as often as it turns, whether anything has changed or not."""
    with (
        tempfile.TemporaryDirectory() as folder,
        View("Benchmark", *size, backend=backend, strict=True, layout_file=Path(folder, "layout.ini")) as view,
    ):
        if view.backend_name != backend:
            raise SystemExit(f"this benchmark needs the backend {backend!r}: {view.backend_reason}")
        view.window.backend.set_vsync(every_frame)
        yield view


def headless(picture: torch.Tensor, repeats: int) -> float:
    """A step that nobody looks at, with a canvas that changes."""
    with opened("headless") as view:
        view.panel("Picture").canvas("picture").bind(picture)
        return cpu_ms(lambda: turn(view), repeats, inner=20)


def idle(picture: torch.Tensor | None, seconds: float) -> float:
    """What a window with a canvas that does not change adds to a training step; without a picture, an empty panel."""

    def train(seconds: float, step: Callable[[], object]) -> float:
        """CPU milliseconds of a step and what comes with it."""
        end, start, steps = time.perf_counter() + seconds, time.process_time(), 0
        while time.perf_counter() < end:
            time.sleep(STEP_SECONDS)
            step()
            steps += 1
        return (time.process_time() - start) / steps * 1e3

    with opened("window") as view:
        panel = view.panel("Picture")
        if picture is not None:
            panel.canvas("picture").bind(picture)
        train(1.0, lambda: turn(view))  # the first frames, and the checksums of what has come to rest
        added = [train(seconds, lambda: turn(view)) - train(seconds, lambda: None) for _ in range(3)]
        return statistics.median(added)


def drawn(picture: torch.Tensor, repeats: int) -> Row:
    """Frames of a window that are all drawn: empty, with a resting canvas, with one that was written.

    And a memcpy of the picture's bytes between such frames, when the processor's caches hold something else.
    """
    with opened("window", every_frame=True) as view:
        panel = view.panel("Picture")
        empty = cpu_ms(lambda: turn(view), repeats)
        canvas = panel.canvas("picture").bind(picture)
        for _ in range(3):
            turn(view)

        def write() -> None:
            picture[0, 0, 0] = 1  # torch counts it; the canvas cannot know that so little has changed
            turn(view)

        resting, changed = cpu_ms(lambda: turn(view), repeats), cpu_ms(write, repeats)
        source, copies = picture.numpy(), []
        target = source.copy()
        for _ in range(repeats):
            turn(view)
            start = time.process_time()
            np.copyto(target, source)
            copies.append((time.process_time() - start) * 1e3)
        assert canvas.rectangle is not None
        pixels, memcpy = round(canvas.rectangle.width), statistics.median(copies)
        return {"changed": changed - empty, "fill": resting - empty, "memcpy": memcpy, "pixels": pixels}


def immvision(picture: torch.Tensor, pixels: int, repeats: int) -> Row:
    """Dear ImGui Bundle's image widget in the same window at the same size."""
    from imgui_bundle import immvision as widget

    widget.use_rgb_color_order()
    with opened("window", every_frame=True) as view:
        panel = view.panel("Picture")
        empty, array, refreshed = cpu_ms(lambda: turn(view), repeats), picture.numpy(), True

        @panel.on_frame
        def draw() -> None:
            widget.image_display("##picture", array, (pixels, pixels), refreshed)

        changed = cpu_ms(lambda: turn(view), repeats)
        refreshed = False
        unchanged = cpu_ms(lambda: turn(view), repeats)
        widget.clear_texture_cache()
        return {"immvision, unchanged": unchanged - empty, "immvision, changed": changed - empty}


def matplotlib(picture: torch.Tensor, pixels: int, repeats: int) -> Row:
    """`imshow` filling a figure of the same size, and `draw`, with the Agg renderer: no window on top of that."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure, array = Figure((pixels / 100, pixels / 100), dpi=100), picture.numpy()
    canvas, axes = FigureCanvasAgg(figure), figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    image = axes.imshow(array)

    def change() -> None:
        image.set_data(array)
        canvas.draw()

    return {"matplotlib, unchanged": cpu_ms(canvas.draw, repeats), "matplotlib, changed": cpu_ms(change, repeats)}


RIVALS = (immvision, matplotlib)


def pictures(arguments: argparse.Namespace) -> list[Row]:
    """One row per size and type."""
    print(
        f"{'':13} {'nobody':>8} {'idle,':>8} {'canvas':>8}{'fill of its':>12}{'memcpy of':>11} {'2 memcpy':>8}", end=""
    )
    print(f" {'immvision':>20} {'matplotlib':>20}")
    print(
        f"{'picture':>13} {'looks':>8} {'10 ms':>8} {'changed':>8}{'pixels':>12}{'its bytes':>11} {'+ fill':>8}", end=""
    )
    print(f" {'same':>10}{'changed':>10} {'same':>10}{'changed':>10}")
    print(LINE.format("goal", "", "< 1 %", "→", "", "", "↑", *[""] * 4))
    empty = idle(None, 0.5 if arguments.quick else 1.5)
    print(LINE.format("no canvas", "", f"{empty / STEP_SECONDS / 10:.1f} %", *[""] * 8))
    rows: list[Row] = [{"side": 0, "idle": empty}]
    for side in SIDES[: 2 if arguments.quick else 3]:
        for dtype in DTYPES:
            picture, repeats = noise(side, dtype), 5 if arguments.quick else 15 if side > 1024 else 31
            row: Row = {"side": side, "dtype": str(dtype).removeprefix("torch.")}
            row |= {"headless": headless(picture, repeats), "idle": idle(picture, 0.5 if arguments.quick else 1.5)}
            row |= drawn(picture, repeats)
            row["limit"] = 2 * row["memcpy"] + row["fill"]
            for rival in RIVALS:
                try:
                    row |= rival(picture, row["pixels"], max(repeats // 5, 3))
                except (ImportError, TypeError, ValueError, RuntimeError) as error:
                    row[f"{rival.__name__}, refused"] = " ".join(str(error).split())[:100]
            cells = [f"{side}² {row['dtype']}", f"{row['headless']:.3f}", f"{row['idle'] / STEP_SECONDS / 10:.1f} %"]
            cells += [f"{row[name]:.2f}" for name in ("changed", "fill", "memcpy", "limit")]
            for rival in RIVALS:
                figures = [row.get(f"{rival.__name__}, {state}") for state in ("unchanged", "changed")]
                cells += ["-" if figure is None else f"{figure:.2f}" for figure in figures]
            print(LINE.format(*cells), flush=True)
            rows.append(row)
    return rows


def interface(repeats: int) -> list[Row]:
    """A sidebar of widgets and a curve, without a picture: the logic alone, and drawn."""
    rows = []
    for size in ((640, 480), (1280, 720)):
        with opened("headless", size) as view:
            controls = view.panel("Controls", side="left", width=0.3)
            view.panel("Picture")

            @controls.on_frame
            def draw(controls=controls) -> None:
                for n in range(4):
                    controls.slider(f"slider {n}")
                    controls.slider_int(f"steps {n}")
                controls.combo("loss", ["MSE", "L1"])
                controls.checkbox("pause")
                controls.button("Save")
                controls.plot([1 / (1 + 0.05 * n) for n in range(300)], overlay="loss")

            logic = cpu_ms(lambda view=view: turn(view), repeats, inner=20)
            rows.append({"window": f"{size[0]}x{size[1]}", "logic": logic, "drawn": cpu_ms(view.capture, repeats)})
        with opened("headless", size) as view:
            rows[-1]["empty"] = cpu_ms(lambda view=view: turn(view), repeats, inner=20)
    return rows


def memory(frames: int) -> Row:
    """Binding what a network puts out, graph and all, in every frame; every tenth is drawn."""
    layer = torch.nn.Linear(3, 3)
    x = torch.rand(64, 64, 3)
    with opened("headless", (320, 240)) as view:
        canvas = view.panel("Picture").canvas("picture")

        def run(count: int) -> None:
            for frame in range(count):
                view.step()
                canvas.bind(layer(x).sigmoid())
                view.end_step()
                if frame % 10 == 0:
                    view.capture()

        run(frames // 10)
        before = resident()
        run(frames)
        gc.collect()
        nodes = sum(type(thing).__name__.endswith("Backward0") for thing in gc.get_objects())
        return {"frames": frames, "growth_mb": (resident() - before) / 1e6, "graph_nodes": nodes}


def resident() -> float:
    """Bytes of main memory that this process has now; at its peak, where the system does not tell."""
    if Path("/proc/self/statm").exists():
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def latency(trials: int) -> Row:
    """From a key or a click in the middle of a long step to the callback or the button that answers."""
    waits: dict[str, list[tuple[float, int]]] = {"key": [], "button": []}
    asked: dict[str, tuple[float, int]] = {}
    with opened("headless", (320, 240)) as view:
        panel, steps = view.panel("Picture"), 0

        def answer(what: str) -> None:
            if what in asked:
                at, step = asked.pop(what)
                waits[what].append(((time.perf_counter() - at) * 1e3, steps - step))

        view.on_key(lambda event: answer("key"))
        panel.on_frame(lambda: answer("button") if panel.button("Click") else None)
        turn(view)
        turn(view)
        place = panel.item_layout.placed["Click"].rectangle
        view.post(PointerMoved(place.x + place.width / 2, place.y + place.height / 2))
        turn(view)

        def act(what: str) -> None:
            asked[what] = time.perf_counter(), steps
            view.post(
                *([KeyChanged("a", True)] if what == "key" else [PointerButton(0, True), PointerButton(0, False)])
            )

        for trial in range(trials):
            for what in waits:
                threading.Timer(LONG_STEP_SECONDS * (trial + 0.5) / trials, act, [what]).start()
                for _ in range(4):
                    time.sleep(LONG_STEP_SECONDS)
                    steps += 1
                    turn(view)
    table = {}
    for what, found in waits.items():
        assert len(found) == trials, f"{trials - len(found)} of {trials} inputs were lost"
        table[what] = {"median_ms": statistics.median(ms for ms, _ in found), "most_steps": max(n for _, n in found)}
    return table


@contextmanager
def display() -> Iterator[None]:
    """A DISPLAY to open windows on, of an Xvfb where there is none."""
    if os.environ.get("DISPLAY") or not shutil.which("Xvfb"):
        yield
        return
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1600x1000x24", "-nolisten", "tcp", "-noreset"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        os.environ["DISPLAY"] = f":{server.stdout.readline().strip()}"
        try:
            yield
        finally:
            server.terminate()


def machine() -> Row:
    with open_headless() as context:
        renderer = str(context.info["GL_RENDERER"])
    context.release()
    packages = {name: version(name) for name in ("torch", "imgui-bundle", "moderngl")}
    for name in ("matplotlib",):
        try:
            packages[name] = version(name)
        except ImportError:
            print(f"{name} is missing: its columns stay empty. pip install {name}")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {"cpu": platform.machine(), "cores": os.cpu_count(), "load": load, "gl": renderer, **packages}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few repeats only, and no 4096²")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    facts = machine()
    print("  ".join(f"{name} {value}" for name, value in facts.items()), end="\n\n")
    # First, while nothing is there that could be given back and hide what is kept.
    kept = memory(1000 if arguments.quick else 10_000)
    print(
        "memory after {frames} frames of a network's output: {growth_mb:+.1f} MB, {graph_nodes} graph nodes".format(
            **kept
        )
    )
    print()
    with display():
        rows = pictures(arguments)
    print()
    widgets = interface(5 if arguments.quick else 25)
    for row in widgets:
        print(
            "interface {window}: empty {empty:.3f}, 11 widgets and a curve {logic:.3f}, drawn {drawn:.1f}".format(**row)
        )
    answers = latency(3 if arguments.quick else 10)
    for what, answer in answers.items():
        milliseconds, steps = answer["median_ms"], answer["most_steps"]
        print(f"{what} in a 200 ms step: answered after {milliseconds:.0f} ms, {steps} step(s) at most")
    if arguments.json:
        report = {"machine": facts, "rows": rows, "interface": widgets, "memory": kept, "latency": answers}
        arguments.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
