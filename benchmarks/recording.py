"""What does recording cost? CPU milliseconds per recorded frame: in the loop, and beside it in the worker.

    python benchmarks/recording.py [--quick] [--json FILE]

The loop's share is the CPU time of its own thread: copying the picture as bytes and handing it over; "at 30 fps" is how
much of the loop's time that is while it records. The worker's share is all the rest of the process, but not what FFmpeg
takes in its own. "uint8" is a picture that is in bytes already.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from importlib.metadata import version
from itertools import product
from pathlib import Path

import torch

from easel.viewer.canvas.recording import Recorder

SIZES = ((256, 256), (720, 1280))
SUFFIXES = (".gif", ".mp4", ".webm", ".png", ".tif")
FPS = 30


def picture(height: int, width: int, t: float) -> torch.Tensor:
    """Smooth colours that turn, float32 RGB."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    waves = [torch.sin(4 * torch.hypot(x, y) + t + phase) for phase in (0.0, 2.094, 4.189)]
    return torch.stack(waves, dim=-1) * torch.cos(6 * torch.atan2(y, x) + t / 2)[..., None] / 2 + 0.5


def measure(
    size: tuple[int, int], dtype: torch.dtype, suffix: str, frames: int, folder: Path
) -> dict[str, float | int | str]:
    pictures = [picture(*size, n / 15) for n in range(frames)]
    if dtype == torch.uint8:
        pictures = [(one.clamp(0, 1) * 255).to(dtype) for one in pictures]
    recorder = Recorder(folder / f"{suffix[1:]}{suffix}", fps=FPS, clock="frames")
    recorder.feed(lambda: pictures[0])
    process, loop = time.process_time(), time.thread_time()
    for one in pictures[1:]:
        recorder.feed(lambda one=one: one)
    loop = time.thread_time() - loop
    recorder.stop()
    recorder.wait()
    worker = time.process_time() - process - loop
    if recorder.save_error:
        raise SystemExit(recorder.save_error)
    files = [recorder.path] if recorder.path.is_file() else list(recorder.path.iterdir())
    size_bytes = sum(file.stat().st_size for file in files)
    loop, worker = loop / (frames - 1), worker / (frames - 1)
    cost = {"loop_ms": 1e3 * loop, "loop_share": loop * FPS, "worker_ms": 1e3 * worker}
    kind = str(dtype).removeprefix("torch.")
    return {
        "size": f"{size[1]}x{size[0]}",
        "dtype": kind,
        "format": suffix,
        **cost,
        "frame_bytes": size_bytes // frames,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few frames only")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    packages = {name: version(name) for name in ("torch", "numpy", "Pillow")}
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    facts = {"cpu": platform.machine(), "cores": os.cpu_count(), "load": load, **packages}
    print("  ".join(f"{name} {value}" for name, value in facts.items()))
    heads = f"{'loop, CPU ms':>12}  {'at 30 fps':>9}  {'worker, CPU ms':>14}  {'KB a frame':>10}"
    print(f"\n{'size':>10}  {'dtype':>7}  {'format':>6}  {heads}")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for size, dtype, suffix in product(SIZES, (torch.float32, torch.uint8), SUFFIXES):
            try:
                row = measure(size, dtype, suffix, 10 if arguments.quick else 60, Path(folder))
            except ImportError as error:
                print(f"{size[1]:>5}x{size[0]:<4}  {suffix:>6}  {error}")
                continue
            loop = f"{row['loop_ms']:12.2f}  {row['loop_share']:9.1%}"
            cells = f"{loop}  {row['worker_ms']:14.1f}  {row['frame_bytes'] / 1024:10.1f}"
            print(f"{row['size']:>10}  {row['dtype']:>7}  {suffix:>6}  {cells}", flush=True)
            rows.append(row)
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": facts, "rows": rows}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
