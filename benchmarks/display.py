"""How do pixels get to the graphics driver, and at what cost? One picture per frame, by each path of `canvas.path`.

    python benchmarks/display.py [--quick] [--json FILE]

"host" is a tensor of the CPU; "cuda-array" and "cuda-buffer" stay on the GPU; "cuda-host" comes through pinned main
memory, which is also what happens where CUDA and OpenGL share no device. CPU milliseconds count every thread; wall
milliseconds are until OpenGL and CUDA have finished. Moved is what a frame moves with the picture shown at its own
size, and at a quarter of it each way.
"""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import moderngl
import torch

from easel.gl.context import open_headless
from easel.gl.cuda import Interop, InteropError, interop_of
from easel.gl.texture import PictureTexture

SIDES = (256, 1024, 4096)
DTYPES = (torch.float32, torch.float16, torch.uint8)
CHANNELS = (1, 3, 4)
PATHS = ("host", "cuda-array", "cuda-buffer", "cuda-host")
LINE = "{:>11} {:>6} {:>8} {:>2} {:>9} {:>9} {:>10} {:>12}"


def interop_for(context: moderngl.Context, path: str) -> Interop:
    """CUDA's side of a context, kept to main memory where that path is asked for."""
    if path != "cuda-host":
        return interop_of(context)
    interop = Interop(context)
    interop.give_up(InteropError("the benchmark asks for this path"))
    return interop


def picture(interop: Interop, path: str, side: int, channels: int, dtype: torch.dtype) -> torch.Tensor | None:
    """Noise where the path begins; None where there is none such."""
    device = torch.device("cpu" if path == "host" else "cuda:0")
    noise = torch.rand(side, side, channels, device=device)
    if path != "cuda-buffer":
        return (255 * noise).to(dtype) if dtype == torch.uint8 else noise.to(dtype)
    shared = interop.share(side, side, channels, device) if dtype == torch.float32 else None
    return None if shared is None else shared.copy_(noise)


def measure(context: moderngl.Context, path: str, side: int, channels: int, dtype: torch.dtype, repeats: int) -> Any:
    """One row; None where this path does not take such pictures."""
    interop = interop_for(context, path)
    shown = picture(interop, path, side, channels, dtype)
    if shown is None:
        return None
    texture = PictureTexture(context, interop)
    cpu, wall = [], []
    for _ in range(repeats + 1):
        finish(context, path)
        start = time.process_time(), time.perf_counter()
        texture.upload(shown)
        finish(context, path)
        cpu.append((time.process_time() - start[0]) * 1e3)
        wall.append((time.perf_counter() - start[1]) * 1e3)
    moved, taken = texture.moved_bytes, texture.path
    texture.upload(shown, (side // 4, side // 4))
    row = {"path": taken, "side": side, "dtype": str(dtype).removeprefix("torch."), "channels": channels}
    row |= {"cpu_ms": statistics.median(cpu[1:]), "wall_ms": statistics.median(wall[1:])}
    row |= {"moved_bytes": moved, "moved_quarter_bytes": texture.moved_bytes}
    texture.release()
    return row


def finish(context: moderngl.Context, path: str) -> None:
    context.finish()
    if path != "host":
        torch.cuda.synchronize()


def rows(context: moderngl.Context, repeats: int, sides: tuple[int, ...]) -> Iterator[Any]:
    """Prints and yields one row after another."""
    for path in PATHS:
        if path != "host" and not torch.cuda.is_available():
            print(f"{path:>11}  no CUDA device here")
            continue
        for side in sides:
            for dtype in DTYPES:
                for channels in CHANNELS:
                    row = measure(context, path, side, channels, dtype, repeats)
                    if row is None:
                        continue
                    figures = f"{row['cpu_ms']:.2f}", f"{row['wall_ms']:.2f}", f"{row['moved_bytes'] / 1e6:.2f}"
                    quarter = f"{row['moved_quarter_bytes'] / 1e6:.2f}"
                    print(LINE.format(row["path"], f"{side}²", row["dtype"], channels, *figures, quarter), flush=True)
                    yield row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few repeats only, and no 4096²")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with open_headless() as context:
        gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
        facts = {"cpu": platform.machine(), "cores": os.cpu_count(), "load": load, "gpu": gpu}
        facts |= {"gl": str(context.info["GL_RENDERER"]), "torch": version("torch"), "moderngl": version("moderngl")}
        print("  ".join(f"{name} {value}" for name, value in facts.items()), end="\n\n")
        print(LINE.format("path", "side", "dtype", "C", "CPU ms", "wall ms", "moved, MB", "at 1/4, MB"))
        found = list(rows(context, 3 if arguments.quick else 15, SIDES[: 2 if arguments.quick else 3]))
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": facts, "rows": found}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
