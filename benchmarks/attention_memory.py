"""How does a student's memory grow with the size of the photos, by how it mixes them?

Three photos pass through MobileNetV3 and one of four ways to mix what was seen: the predecessor's attention between all
texels of all photos, with its matrix written out, as exported networks do, and by a kernel that never holds it; Easel's
attention across photos and within windows; and large convolutions. Encoder, decoder and super-resolution are those of
`mobilenetv3_2048` in all of them. Each figure is of a process of its own: the peak of its resident memory in one
forward pass in float32, less what it had before. First the mixing alone, then the whole network. Beside them stands the
matrix by count, heads x tokens^2 numbers: for this student, and for the predecessor's own teacher.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from easel.materials.models.generator import MultiViewPBRGenerator
from easel.materials.presets import PRESETS

WAYS = {
    "all texels, written out": ("concat", True),
    "all texels, fused kernel": ("concat", False),
    "Easel's windows": ("vit", False),
    "ConvAttn": ("convattn", False),
}
"""Name → fusion of the config, and whether the matrix of attention is held in memory."""
SIDES, QUICK_SIDES = (256, 512, 768, 1024, 1536, 2048), (64, 128)
PHOTOS, STRIDE, HEADS = 3, 32, 4
TEACHER_STRIDE, TEACHER_HEADS = 16, 32
"""Of the default preset: ResNet-50 at stride 1."""
MOST_MATRIX_GIB = 6
"""A larger matrix is not written out: softmax holds it twice."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small photos: does it run?")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    parser.add_argument("--sides", type=int, nargs="+", default=SIDES, metavar="PIXELS", help="of the photos")
    parser.add_argument("--only", choices=("mixing", "network"), help="one of the two tables")
    parser.add_argument("--case", nargs=3, metavar=("WHAT", "WAY", "SIDE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        what, way, side = options.case
        print(json.dumps(measured(what, way, int(side))))
        return
    print(f"{machine()}\n", flush=True)
    found: dict[str, object] = {"machine": machine()}
    for what in (options.only,) if options.only else ("mixing", "network"):
        found[what] = table(what, QUICK_SIDES if options.quick else options.sides)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def machine() -> str:
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    return f"{platform.machine()}, {os.cpu_count()} cores, one thread, load {os.getloadavg()[0]:.1f}; {versions}"


def table(what: str, sides: Sequence[int]) -> list[dict[str, object]]:
    """Print MiB, and CPU seconds in brackets, as they are found."""
    print(f"{'The mixing alone' if what == 'mixing' else 'The whole network'}: MiB at the peak (CPU seconds)\n")
    counted = ("matrix by count", "the teacher's by count") if what == "mixing" else ()
    print("| side | tokens | " + " | ".join([*WAYS, *counted]) + " |")
    print("|---" * (2 + len(WAYS) + len(counted)) + "|")
    rows = []
    for side in sides:
        tokens = PHOTOS * (side // STRIDE) ** 2
        row: dict[str, object] = {"side": side, "tokens": tokens}
        print(f"| {side} | {tokens} |", end="", flush=True)
        for way, (_, written) in WAYS.items():
            if written and matrix_bytes(side, STRIDE, HEADS) > MOST_MATRIX_GIB * 2**30:
                print(" does not fit |", end="", flush=True)
                continue
            command = [sys.executable, __file__, "--case", what, way, str(side)]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                row[way] = None
                print(" no memory |", end="", flush=True)
                continue
            row[way] = figures = json.loads(done.stdout)
            print(f" {figures['bytes'] / 2**20:.0f} ({figures['seconds']:.1f}) |", end="", flush=True)
        for name, stride, heads in zip(counted, (STRIDE, TEACHER_STRIDE), (HEADS, TEACHER_HEADS), strict=False):
            row[name] = matrix_bytes(side, stride, heads)
            print(f" {matrix_bytes(side, stride, heads) / 2**20:,.0f} |", end="")
        print(flush=True)
        rows.append(row)
    print()
    return rows


def matrix_bytes(side: int, stride: int, heads: int) -> int:
    """Of the logits of one block of attention between all texels of all photos, in float32."""
    return 4 * heads * (PHOTOS * (side // stride) ** 2) ** 2


@torch.inference_mode()
def measured(what: str, way: str, side: int) -> dict[str, float]:
    """Peak of resident bytes beyond what there was, and CPU seconds, of one forward pass."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    fusion, written = WAYS[way]
    config = PRESETS["mobilenetv3_2048"]()
    config.model.fusion, config.model.use_gan = fusion, False
    network = MultiViewPBRGenerator(config).eval()
    if what == "mixing":
        latent = side // STRIDE
        given = (torch.randn(1, PHOTOS, network.encoder.channels, latent, latent), None, None)
    else:
        given = (torch.rand(1, PHOTOS, 3, side, side),)
    run = network.fusion if what == "mixing" else network
    with sdpa_kernel(SDPBackend.MATH) if written else nullcontext():
        before, started = resident(), time.process_time()
        run(*given)
        seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {"bytes": peak - before, "seconds": seconds}


def resident() -> int:
    """Bytes of memory that this process has now."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
        return int(pages) * resource.getpagesize()
    except OSError:  # elsewhere than on Linux the peak so far is the nearest that is known
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
