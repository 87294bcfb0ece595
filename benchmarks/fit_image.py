"""How good is a picture after the time of 8, 16, 32 and 64 steps of the tutorial's loop?

Time is counted in seed steps: one is the CPU time of a full-batch step of the tutorial's network (six octaves of
Fourier features, four linear layers 128 wide, Adam, all pixels) on a picture of that size. Such steps are taken among
the others' all along, and everyone's CPU time is divided by the latest of them, because seconds wander on shared
machines. Looking at the result is not counted for anyone, nor is compiling the kernel.

Rows are presets of `easel.fields`, all fitted by its `fit`: those of grids run in the numba kernel, those of sines and
of Fourier features in plain torch. "At its stop" is after the steps that the preset names, if a run comes that far.
The method "loop" is the tutorial's loop itself, on the picture.

PSNR is of the whole picture, clamped and rounded to 8 bits. Pictures: those of the folder kodak in EASEL_DATA, and
scikit-image's logo, reduced to 256 x 256 and laid on white; without EASEL_DATA scikit-image's astronaut.
"""

import argparse
import json
import math
import os
import platform
import statistics
import time
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path

import numba
import skimage.data
import torch
from torch import Tensor, nn

from easel.fields import PRESETS, FourierEncoding, as_target, build_field, fit, render
from easel.fields.model.coordinates import pixel_centers
from easel.graphics.image import resize

COLUMNS = (8, 16, 32, 64)
METHODS = ("fast", "balanced", "quality", "tiny", "siren", "finer", "wire", "fourier")
RULE_EVERY = 8
"""Seed steps after which the length of one is measured anew."""
PICTURES = ("logo", "01", "03", "05", "08", "13", "15", "19", "23")


def psnr(found: Tensor, picture: Tensor) -> float:
    levels = (found.clamp(0, 1) * 255).round() - (picture * 255).round()
    return -10 * math.log10((levels / 255).square().mean().item())


@dataclass
class Run:
    """One method on one picture with one seed."""

    parameters: int
    psnr: dict[str, float] = field(default_factory=dict)
    """By column, and at the preset's own stop."""
    steps: int = 0
    milliseconds: float = 0.0
    """CPU time of a step."""
    stop: float = math.nan
    """Seed steps until the preset's own stop."""


class Loop:
    """The tutorial's loop on a picture."""

    def __init__(self, picture: Tensor, seed: int) -> None:
        torch.manual_seed(seed)
        widths = [26, 128, 128, 128, 3]
        layers = [part for i, o in pairwise(widths) for part in (nn.Linear(i, o), nn.ReLU())]
        self._network = nn.Sequential(*layers[:-1], nn.Sigmoid())
        self._size = (picture.shape[0], picture.shape[1])
        self._inputs = FourierEncoding(6, include_input=True)(pixel_centers(self._size))  # once, in its favour
        self._pixels = picture.flatten(0, 1)
        self._optimizer = torch.optim.Adam(self._network.parameters(), lr=1e-2)
        self.history: list[float] = []
        """CPU seconds of every step."""

    def step(self) -> float:
        """Take one; returns its CPU seconds."""
        start = time.process_time()
        loss = (self._network(self._inputs) - self._pixels).square().mean()
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        self.history.append(time.process_time() - start)
        return self.history[-1]

    def run(self, columns: tuple[int, ...]) -> Run:
        """Take as many steps as the last column says; they are the unit themselves."""
        run = Run(sum(parameter.numel() for parameter in self._network.parameters()))
        while run.steps < columns[-1]:
            self.step()
            run.steps += 1
            if run.steps in columns:
                with torch.inference_mode():
                    found = torch.cat([self._network(inputs) for inputs in self._inputs.split(2**16)])
                run.psnr[str(run.steps)] = psnr(found.view(*self._size, 3), self._pixels.view(*self._size, 3))
        run.milliseconds = 1e3 * statistics.mean(self.history)
        return run


def race(name: str, picture: Tensor, seed: int, columns: tuple[int, ...], ruler: Loop) -> Run:
    """Fit by a preset until the last column, looking at the picture at each of them and at the preset's own stop."""
    preset = PRESETS[name]
    assert preset.field is not None
    generator, size = torch.Generator().manual_seed(seed), (picture.shape[0], picture.shape[1])
    model = build_field(preset.field, size, generator=generator)
    steps = fit(model, picture, preset.knobs, generator=generator)
    next(steps)
    run, left = Run(model.size, steps=1), list(columns)
    units, seconds, unit, ruled = 0.0, 0.0, math.nan, -math.inf
    while left:
        if units - ruled >= RULE_EVERY:
            unit, ruled = ruler.step(), units
        start = time.process_time()
        next(steps)
        elapsed = time.process_time() - start
        seconds, units = seconds + elapsed, units + elapsed / unit
        run.steps += 1
        if run.steps == preset.steps:
            run.psnr["stop"], run.stop = psnr(render(model, size), picture), units
        while left and units >= left[0]:
            run.psnr[str(left.pop(0))] = psnr(render(model, size), picture)
    run.milliseconds = 1e3 * seconds / run.steps
    return run


def pictures(names: list[str]) -> dict[str, Tensor]:
    folder = Path(os.environ.get("EASEL_DATA", ""), "kodak")
    found = {}
    for name in names:
        if name == "logo":
            logo = as_target(skimage.data.logo())
            found[name] = resize(1 + logo[..., 3:] * (logo[..., :3] - 1), (256, 256)).clamp(0, 1)
        elif name == "astronaut":
            found[name] = as_target(skimage.data.astronaut())
        elif (folder / f"{name}.png").is_file():
            found[name] = as_target(folder / f"{name}.png")
    if set(names) - found.keys():
        print(f"{folder} lacks {', '.join(set(names) - found.keys())}; EASEL_DATA names the folder that holds kodak/.")
        found.setdefault("astronaut", as_target(skimage.data.astronaut()))
    return found


def report(title: str, runs: dict[str, list[Run]], columns: tuple[int, ...]) -> None:
    """One line a method: the mean over its runs, ± the standard deviation over seeds where there are several."""
    print(f"\n{title}\n")
    heads = [f"{column} steps" for column in columns] + ["at its stop", "stop after", "parameters", "CPU ms/step"]
    print(f"| method | {' | '.join(heads)} |\n|---|{'---:|' * len(heads)}")
    for name, found in runs.items():
        cells = [_mean([run.psnr.get(str(column), math.nan) for run in found]) for column in columns]
        cells.append(_mean([run.psnr.get("stop", math.nan) for run in found]))
        cells.append(_mean([run.stop for run in found]))
        cells.append(f"{statistics.mean(run.parameters for run in found):,.0f}")
        cells.append(f"{statistics.mean(run.milliseconds for run in found):.2f}")
        print(f"| {name} | {' | '.join(cells)} |")


def _mean(values: list[float]) -> str:
    """Empty where a run did not come so far."""
    if any(map(math.isnan, values)):
        return ""
    spread = f" ± {statistics.pstdev(values):.2f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.2f}{spread}"


def table(found: dict[str, dict[str, list[Run]]], columns: tuple[int, ...], seeds: int) -> None:
    """`found` by picture and method: the mean over the photographs, and the logo by itself."""
    photographs = [name for name in found if name != "logo"]
    methods = list(next(iter(found.values())))
    if photographs:
        means = {
            method: [mean_of([found[name][method][seed] for name in photographs]) for seed in range(seeds)]
            for method in methods
        }
        report(f"Mean PSNR in dB over {len(photographs)} photographs ({', '.join(photographs)})", means, columns)
    if "logo" in found:
        report("PSNR in dB of the logo, 256 x 256", found["logo"], columns)


def mean_of(runs: list[Run]) -> Run:
    columns = set.intersection(*(set(run.psnr) for run in runs))
    mean = {column: statistics.mean(run.psnr[column] for run in runs) for column in columns}
    milliseconds, stop = (statistics.mean(getattr(run, name) for run in runs) for name in ("milliseconds", "stop"))
    return Run(runs[0].parameters, mean, runs[0].steps, milliseconds, stop)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", nargs="+", default=PICTURES, metavar="NAME", help="01 to 24, logo, astronaut")
    parser.add_argument(
        "--methods",
        nargs="+",
        default=METHODS,
        choices=["loop", *METHODS, "tutorial"],
        metavar="PRESET",
    )
    parser.add_argument("--seeds", type=int, default=1, help="runs of every method on every picture")
    parser.add_argument("--columns", nargs="+", type=int, default=COLUMNS, metavar="STEPS", help="seed steps")
    parser.add_argument("--quick", action="store_true", help="one small picture, two methods, one early column")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="keep every figure; what the file holds is not run again"
    )
    options = parser.parse_args()
    if options.quick:
        options.pictures, options.methods, options.columns = ["logo"], ["fast", "tiny"], [1]
    columns = tuple(options.columns)
    kept = json.loads(options.json.read_text())["runs"] if options.json and options.json.exists() else {}

    machine = {
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "load": [round(load, 1) for load in os.getloadavg()],
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numba": numba.__version__,
    }
    print(", ".join(f"{key} {value}" for key, value in machine.items()), flush=True)
    found: dict[str, dict[str, list[Run]]] = {}
    for name, picture in pictures(options.pictures).items():
        ruler = Loop(picture, seed=0)
        ruler.step()  # finds no memory yet
        ruler.history.clear()
        for method in options.methods:
            for seed in range(options.seeds):
                key = f"{name} {method} {seed}"
                if not set(map(str, columns)) <= kept.get(key, {"psnr": {}})["psnr"].keys():
                    loop = Loop(picture, seed) if method == "loop" else None
                    run = loop.run(columns) if loop else race(method, picture, seed, columns, ruler)
                    kept[key] = asdict(run)
                    print(f"{key}: {kept[key]}", flush=True)
                    if options.json:
                        options.json.write_text(json.dumps({"machine": machine, "runs": kept}, indent=1))
                found.setdefault(name, {}).setdefault(method, []).append(Run(**kept[key]))
        if ruler.history:
            print(f"{name}: a seed step took {statistics.mean(ruler.history):.2f} CPU s.", flush=True)
    table(found, columns, options.seeds)


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(": ")[1] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
