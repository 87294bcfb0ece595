"""How long does a picture or volume take to paint, and how much memory?

Beside Easel stands the way of its predecessor, rebuilt here: all samples of the array in one forward pass, autograd on,
and the latent repeated for every sample. Both paint the same field; each measurement is a process of its own, so that
its peak is its own. Peaks are of the whole process ("peak") and beyond what it held after a small picture ("more").
Times are CPU seconds of all threads, the median of the runs, and wall seconds beside them; compiling the kernel is not
counted. Where the predecessor's way would need more than the limit, its need is what its smaller runs grow to.
"""

import argparse
import json
import math
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numba
import torch
from torch import Tensor

from easel.fields import Architecture, Field, build, render
from easel.fields.art.networks import ConvStack
from easel.fields.model.coordinates import pixel_centers

SIZES = ((256, 256), (1024, 1024), (2048, 2048), (64, 64, 64), (128, 128, 128), (256, 256, 256))
QUICK = ((256, 256), (64, 64, 64))
TOPOLOGIES = ("mlp", "conv", "WS")
WHIM = 5
"""Megabytes that are not told apart from none."""
GOALS = """Goals: at 2048² and 128³ at least 5x faster and 10x less memory (beyond the start); a peak under 600 MB
at 2048² and under 800 MB at 256³."""


def predecessor(field: Field, size: tuple[int, ...]) -> Tensor:
    """The picture by the predecessor's way; the graph of autograd is alive until the last value is known."""
    coords = pixel_centers(size)
    features = field.encoding(torch.cat([coords, coords.norm(dim=1, keepdim=True)], dim=1))
    latents = field.latent.expand(len(coords), -1).contiguous()
    network = field.network
    if isinstance(network, ConvStack):
        values = torch.cat([features, latents], dim=1)
        for layer, activate in zip(network.linears, network.activations, strict=True):
            values = activate(layer(values))
        values = network.levels(network.output(values))
    else:
        values = network(features, latents)
    return field.output(values).view(*size, field.channels)


def measure(topology: str, size: tuple[int, ...], way: str, threads: int) -> dict[str, float]:
    """Times and peaks in this process."""
    torch.set_num_threads(threads)
    field = build(Architecture(topology, dimensions=len(size)), seed=0)
    paint = predecessor if way == "predecessor" else render
    # In the dimension that is measured, so that nothing is loaded or compiled later.
    paint(field, (64,) * len(size) if len(size) == 2 else (16,) * 3)
    base = peak_megabytes()
    cpu, wall = [], []
    while len(cpu) < 3 and sum(wall) < 20:
        cpu_started, wall_started = time.process_time(), time.perf_counter()
        picture = paint(field, size)
        cpu.append(time.process_time() - cpu_started)
        wall.append(time.perf_counter() - wall_started)
        del picture
    peak = peak_megabytes()
    return {"cpu": statistics.median(cpu), "wall": statistics.median(wall), "peak": peak, "more": peak - base}


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_a_process(topology: str, size: tuple[int, ...], way: str, threads: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--one", topology, "x".join(map(str, size)), way, "--threads", str(threads)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{way} {topology} {size} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def needs(rows: list[dict], topology: str, size: tuple[int, ...]) -> float:
    """Megabytes that the predecessor's way needs, by its largest run of that dimension so far."""
    known = [
        r for r in rows if r["topology"] == topology and len(r["size"]) == len(size) and "peak" in r["predecessor"]
    ]
    if not known:
        return 0.0
    largest = max(known, key=lambda row: math.prod(row["size"]))
    per_sample = largest["predecessor"]["more"] / math.prod(largest["size"])
    return largest["predecessor"]["peak"] - largest["predecessor"]["more"] + per_sample * math.prod(size)


def table(rows: list[dict]) -> str:
    lines = [
        "| size | topology | Easel CPU s | wall s | peak MB | more MB | predecessor CPU s | wall s | peak MB | more MB"
        " | times faster | times less memory |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        ours, theirs = row["easel"], row["predecessor"]
        cells = [" x ".join(map(str, row["size"])), row["topology"]]
        cells += [f"{ours['cpu']:.2f}", f"{ours['wall']:.2f}", f"{ours['peak']:.0f}", f"{ours['more']:.0f}"]
        if "peak" in theirs:
            cells += [f"{theirs['cpu']:.2f}", f"{theirs['wall']:.2f}", f"{theirs['peak']:.0f}", f"{theirs['more']:.0f}"]
            # A few megabytes are the allocator's whim.
            less = theirs["more"] / max(ours["more"], WHIM)
            cells += [f"{theirs['cpu'] / ours['cpu']:.1f}", f"{'over ' * (ours['more'] < WHIM)}{less:.0f}"]
        else:
            cells += ["", "", f"needs about {theirs['needs'] / 1024:.1f} GB", "", "", ""]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the smallest picture and volume only")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--limit", type=float, default=12.0, help="most GB for the predecessor's way")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        topology, size, way = arguments.one
        print(json.dumps(measure(topology, tuple(map(int, size.split("x"))), way, arguments.threads)))
        return
    for topology in TOPOLOGIES:  # compiles the kernel, if this machine has not yet
        in_a_process(topology, (16, 16), "easel", arguments.threads)
    rows: list[dict] = []
    for size in QUICK if arguments.quick else SIZES:
        for topology in TOPOLOGIES:
            row: dict = {"size": size, "topology": topology}
            row["easel"] = in_a_process(topology, size, "easel", arguments.threads)
            need = needs(rows, topology, size)
            known = need < 1024 * arguments.limit
            row["predecessor"] = (
                in_a_process(topology, size, "predecessor", arguments.threads) if known else {"needs": need}
            )
            rows.append(row)
            print(table([row]).splitlines()[-1], file=sys.stderr, flush=True)
    versions = f"Python {platform.python_version()}, torch {torch.__version__}, numba {numba.__version__}"
    load = os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} cores, {arguments.threads} threads, load {load:.1f}; {versions}\n")
    print(table(rows))
    print(f"\n{GOALS}")
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
