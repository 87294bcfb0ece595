"""How good is a picture after the time of 4, 8, 16 and 32 steps of the tutorial's loop?

Seconds wander on shared machines, so time is counted in seed steps: one is a full-batch step of the tutorial's network
(six octaves of Fourier features, four linear layers 128 wide, Adam at 1e-2, all pixels) on the same picture in the same
run. The methods take turns in slices of about a second, and a slice counts as its seconds over those that a seed step
took in the slice just before. Looking at the result is not counted for anyone.

PSNR is of the whole picture, clamped and rounded to 8 bits. Pictures: scikit-image's astronaut and, if EASEL_DATA names
a folder that holds kodak/15.png, that photograph.
"""

import argparse
import json
import math
import multiprocessing
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numba
import numpy as np
import skimage.data
import torch
from PIL import Image
from torch import Tensor, nn

from easel.fields import FieldConfig, FourierEncoding, Knobs, build_field, fit, render
from easel.fields.coordinates import pixel_centers

COLUMNS = (4, 8, 16, 32)
SLICE_SECONDS = 1.2


@dataclass
class Method:
    """A fit in progress: asking `steps` takes one, `picture` shows the state."""

    steps: Iterator[object]
    picture: Callable[[], Tensor]
    parameters: int
    batch: int | None
    """Pixels of a step; None takes all."""
    taken: int = 0
    units: float = 0.0
    seconds: float = 0.0
    psnr: list[float] = field(default_factory=list)
    """At the columns reached so far."""


def tutorial(picture: Tensor, seed: int) -> Method:
    torch.manual_seed(seed)
    encoding = FourierEncoding(6, include_input=True)
    widths = [26, 128, 128, 128, 3]
    layers = [part for i, o in pairwise(widths) for part in (nn.Linear(i, o), nn.ReLU())]
    network = nn.Sequential(*layers[:-1], nn.Sigmoid())
    inputs = encoding(pixel_centers(picture.shape[:2]))  # once, in its favour
    return full_or_random(network, inputs, picture, lr=1e-2, batch=None)


def siren(picture: Tensor, seed: int) -> Method:
    torch.manual_seed(seed)

    class Sine(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.sin(30 * x)

    widths = [2, 64, 64, 64, 3]
    linears = [nn.Linear(i, o) for i, o in pairwise(widths)]
    for number, linear in enumerate(linears):  # Sitzmann et al. 2020, section 3.2
        bound = 1 / linear.in_features if number == 0 else math.sqrt(6 / linear.in_features) / 30
        nn.init.uniform_(linear.weight, -bound, bound)
    layers = [part for linear in linears for part in (linear, Sine())]
    return full_or_random(nn.Sequential(*layers[:-1]), pixel_centers(picture.shape[:2]), picture, lr=1e-3, batch=8192)


def full_or_random(network: nn.Module, inputs: Tensor, picture: Tensor, lr: float, batch: int | None) -> Method:
    pixels = picture.flatten(0, 1)
    optimizer = torch.optim.Adam(network.parameters(), lr=lr)

    def steps() -> Iterator[None]:
        while True:
            chosen = slice(None) if batch is None else torch.randint(len(pixels), (batch,))
            loss = (network(inputs[chosen]) - pixels[chosen]).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            yield

    def show() -> Tensor:
        with torch.inference_mode():
            return network(inputs).view_as(picture)

    return Method(steps(), show, sum(parameter.numel() for parameter in network.parameters()), batch)


def easel(picture: Tensor, seed: int, fused: bool = True) -> Method:
    generator = torch.Generator().manual_seed(seed)
    size = picture.shape[:2]
    knobs = Knobs()
    model = build_field(FieldConfig(), size, 3, generator=generator)
    run = fit(model, picture, knobs, fused=fused, generator=generator)
    return Method(run, lambda: render(model, size), model.size, knobs.batch)


def easel_torch(picture: Tensor, seed: int) -> Method:
    return easel(picture, seed, fused=False)


METHODS = {
    "(a) tutorial's loop, all pixels": tutorial,
    "(b) SIREN 3x64, 8192 pixels": siren,
    "(c) Easel": easel,
    "(d) Easel without numba": easel_torch,
}


def psnr(predicted: Tensor, picture: Tensor) -> float:
    levels = (predicted.clamp(0, 1) * 255).round() - (picture * 255).round()
    return -10 * math.log10((levels / 255).square().mean().item())


def take_slice(run: Method, picture: Tensor, columns: tuple[int, ...], unit_seconds: float | None) -> float:
    """Run for a slice, looking at the picture at each column; returns the seconds of one step.

    Without `unit_seconds` the method is the ruler: its steps are the unit.
    """
    seconds, taken = run.seconds, run.taken
    while run.seconds - seconds < SLICE_SECONDS:
        start = time.perf_counter()
        next(run.steps)
        elapsed = time.perf_counter() - start
        run.seconds += elapsed
        run.taken += 1
        run.units += 1 if unit_seconds is None else elapsed / unit_seconds
        if len(run.psnr) < len(columns) and run.units >= columns[len(run.psnr)]:
            run.psnr.append(psnr(run.picture(), picture))
    return (run.seconds - seconds) / (run.taken - taken)


def race(picture: Tensor, methods: list[str], seeds: int, columns: tuple[int, ...]) -> dict[str, list[Method]]:
    """All runs of the methods, by name; the first is the ruler."""
    runs = {name: [METHODS[name](picture, seed) for seed in range(seeds)] for name in methods}
    ruler, *others = methods
    while any(len(run.psnr) < len(columns) for name in methods for run in runs[name]):
        for seed in range(seeds):
            unit_seconds = take_slice(runs[ruler][seed], picture, columns, None)
            for name in others:
                if len(runs[name][seed].psnr) < len(columns):
                    take_slice(runs[name][seed], picture, columns, unit_seconds)
    return runs


def peak_megabytes(name: str, picture: np.ndarray) -> float:
    """What a few steps and a look at the picture add to a fresh process; NaN where Linux does not tell."""
    if not Path("/proc/self/status").exists():
        return math.nan
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_growth, (name, picture))


def _growth(name: str, picture: np.ndarray) -> float:
    before = _most_megabytes()
    run = METHODS[name](torch.from_numpy(picture), 0)
    for _ in range(3):
        next(run.steps)
    run.picture()
    return _most_megabytes() - before


def _most_megabytes() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def pictures() -> dict[str, Tensor]:
    found = {"astronaut": skimage.data.astronaut()}
    kodak = Path(os.environ.get("EASEL_DATA", ""), "kodak", "15.png")
    if kodak.is_file():
        found["kodak 15"] = np.asarray(Image.open(kodak).convert("RGB"))
    else:
        print("kodak 15 is left out: EASEL_DATA names no folder that holds kodak/15.png")
    return {name: torch.from_numpy(np.array(levels)).float() / 255 for name, levels in found.items()}


def report(name: str, picture: Tensor, runs: dict[str, list[Method]], columns: tuple[int, ...]) -> dict:
    height, width, _ = picture.shape
    ruler = next(iter(runs.values()))
    unit_seconds = sum(run.seconds for run in ruler) / sum(run.taken for run in ruler)
    print(
        f"\n{name}, {width} x {height}: PSNR in dB, mean ± standard deviation of {len(ruler)} seeds, after the time of"
    )
    heads = "".join(f"{f'{column} steps':>14}" for column in columns)
    print(f"{'':34}{heads}{'parameters':>12}{'MB':>7}{'ms/step':>9}{'Mpixel/s':>10}")
    rows = {}
    for method, runs_of in runs.items():
        by_column = list(zip(*(run.psnr for run in runs_of), strict=True))
        seconds = sum(run.seconds for run in runs_of) / sum(run.taken for run in runs_of)
        row = {
            "psnr": by_column,
            "parameters": runs_of[0].parameters,
            "peak_megabytes": peak_megabytes(method, picture.numpy()),
            "milliseconds_per_step": 1e3 * seconds,
            "pixels_per_second": (runs_of[0].batch or height * width) / seconds,
        }
        cells = "".join(
            f"{f'{statistics.mean(found):.2f} ± {statistics.pstdev(found):.2f}':>14}" for found in by_column
        )
        print(
            f"{method:34}{cells}{row['parameters']:12,}{row['peak_megabytes']:7.0f}{row['milliseconds_per_step']:9.2f}"
            f"{row['pixels_per_second'] / 1e6:10.2f}"
        )
        rows[method] = row
    print(f"One seed step took {unit_seconds:.3f} s.", flush=True)
    return {"seed_step_seconds": unit_seconds, "methods": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=4, help="runs of every method")
    parser.add_argument("--quick", action="store_true", help="one seed, two columns, only (a) and (c)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every figure here")
    parser.add_argument("--methods", default="abcd", help="rows by their letters; (a) is the ruler and always there")
    options = parser.parse_args()
    columns, seeds, letters = (COLUMNS[:2], 1, "c") if options.quick else (COLUMNS, options.seeds, options.methods)
    methods = [name for name in METHODS if name[1] in "a" + letters]

    machine = {
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "load": os.getloadavg(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numba": numba.__version__,
    }
    print(", ".join(f"{key} {value}" for key, value in machine.items()))
    print(f"The kernel was ready in {warm_up():.1f} s.", flush=True)
    results = {
        name: report(name, picture, race(picture, methods, seeds, columns), columns)
        for name, picture in pictures().items()
    }
    print(f"\nload at the end: {os.getloadavg()}")
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "pictures": results}, indent=2))


def warm_up() -> float:
    """Seconds until every method has taken a step: compiling the kernel, or finding it compiled."""
    start = time.perf_counter()
    for make in METHODS.values():
        run = make(torch.rand(8, 8, 3), 0)
        next(run.steps)
        run.picture()
    return time.perf_counter() - start


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(": ")[1] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
