"""What do the display settings of a canvas cost, worked out by torch and by the shader, and which one is faster here?

    python benchmarks/display_settings.py [--quick] [--json FILE]

CPU milliseconds, of every thread, from a tensor of 1024 x 1024 to its texture of what is shown. "1:1" is shown in its
own size. At "1:2" torch averages the picture that it has worked out; the shader averages the numbers and works out a
quarter of the pixels, which is not the same picture, so canvases leave this to torch everywhere.
"""

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path

import moderngl
import torch

from easel.gl.context import open_headless
from easel.gl.mapping import PictureMapper, is_software
from easel.gl.texture import PictureTexture
from easel.viewer.canvas.display import apply, split
from easel.viewer.canvas.invalid_pixels import MARKS
from easel.viewer.canvas.settings import Display

SIDE = 1024
SETTINGS = {
    "none": (3, Display()),
    "exposure": (3, Display(exposure=1.0)),
    "range": (3, Display(vmin=0.1, vmax=0.9)),
    "gamma": (3, Display(gamma=2.2)),
    "srgb": (3, Display(tonemap="srgb")),
    "neutral": (3, Display(tonemap="neutral", exposure=1.0)),
    "turbo": (1, Display(cmap="turbo", vmin=0.0, vmax=1.0)),
    "turbo of RGB": (3, Display(cmap="turbo", vmin=0.0, vmax=1.0)),
    "clip marks": (3, Display(clip_marks=True)),
    "alpha": (4, Display(alpha=True)),
    "dither": (3, Display(dither=True)),
}


def least_cpu_ms(work: Callable[[], object], repeats: int) -> float:
    """Of several runs the cheapest: others have been disturbed."""
    work()
    costs = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        costs.append(time.process_time() - began)
    return 1000 * min(costs)


def measure(
    context: moderngl.Context, mapper: PictureMapper, channels: int, display: Display, shown: int, repeats: int
) -> tuple[float, float | None]:
    """CPU ms by torch and by the shader, which has nothing to do where nothing is changed."""
    tensor, texture = torch.rand(SIDE, SIDE, channels), PictureTexture(context)
    target: list[moderngl.Texture | None] = [None]

    def by_torch() -> None:
        texture.upload(apply(tensor, display), (shown, shown))
        context.finish()

    def by_shader() -> None:
        halves = split(tensor, display)
        assert halves is not None
        source = texture.upload(halves[0], (shown, shown))
        target[0] = mapper.map(source, channels, halves[1], target[0])
        context.finish()

    costs = least_cpu_ms(by_torch, repeats), None if display.is_identity else least_cpu_ms(by_shader, repeats)
    texture.release()
    if target[0] is not None:
        target[0].release()
    return costs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    arguments = parser.parse_args()
    context, rows = open_headless(), []
    with context:
        mapper = PictureMapper(context, MARKS)
        driver = "software" if is_software(context) else "hardware"
        print(f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}")
        print(f"{context.info['GL_RENDERER']} ({driver}: canvases use {'torch' if driver == 'software' else 'both'})")
        print(f"{'CPU ms':14} {'torch 1:1':>10} {'shader 1:1':>10} {'torch 1:2':>10} {'shader 1:2':>10}")
        for name, (channels, display) in SETTINGS.items():
            costs: list[float | None] = []
            for shown in (SIDE, SIDE // 2):
                costs += measure(context, mapper, channels, display, shown, 3 if arguments.quick else 15)
            print(f"{name:14}", *(f"{'-' if cost is None else format(cost, '.1f'):>10}" for cost in costs))
            rows.append({"settings": name, "cpu_ms": costs})
        mapper.release()
    if arguments.json:
        arguments.json.write_text(json.dumps({"driver": driver, "rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
