"""How good is a picture in so many bits per pixel: as a compressed field, as JPEG, as WebP?

Every file of a row has at most the row's bits per pixel. JPEG and WebP get their best settings: optimised tables,
sequential and progressive, colours halved or whole; the slowest method. Times are CPU seconds of this process. COIN's
figures are published means over all 24 Kodak pictures (github.com/EmilienDupont/coin), at the same bits per pixel.

Pictures: the Kodak photographs in EASEL_DATA/kodak, or scikit-image's astronaut, coffee and cat. Prints Markdown.
"""

import argparse
import json
import math
import os
import platform
import statistics
import time
from pathlib import Path

import numba
import numpy as np
import skimage.data
import torch
from PIL import Image
from torch import Tensor

from easel.commands.fields.rivals import measured, rivals
from easel.fields.compression import compressed_file
from easel.fields.compression.rate_control import EFFORTS, compress

RATES = (0.037, 0.16, 0.307, 0.5, 0.611, 1.21)
QUICK_RATES = (0.16, 0.5)
COIN = {0.037: 22.4, 0.16: 24.6, 0.307: 26.4, 0.611: 28.4, 1.21: 30.6}
CODECS = ("field", "WebP", "JPEG")
MISSING = "–"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=sorted(EFFORTS), default="balanced")
    parser.add_argument("--pictures", nargs="*", metavar="NAME", help="only these, 15 for kodak/15.png")
    parser.add_argument("--rates", nargs="*", type=float, help="bits per pixel")
    parser.add_argument("--quick", action="store_true", help="one picture, two rates, the preset 'quick'")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every figure here")
    options = parser.parse_args()
    rates = options.rates or (QUICK_RATES if options.quick else RATES)
    preset = "quick" if options.quick else options.preset
    chosen = pictures(options.pictures)
    chosen = dict(list(chosen.items())[:1]) if options.quick else chosen

    torch.set_num_threads(1)
    warm_up()
    machine = (
        f"{processor()}, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}, torch {torch.__version__}, "
        f"numba {numba.__version__}, Pillow {Image.__version__}"
    )
    print(f"Preset `{preset}`; {machine}\n")
    head = " | ".join(f"{codec} dB | SSIM" for codec in CODECS)
    print(f"| picture | bpp | {head} | encode CPU s | decode CPU s |\n|{'---|' * (4 + 2 * len(CODECS))}", flush=True)
    rows = []
    for name, picture in chosen.items():
        for rate in rates:
            rows.append(row(name, picture, rate, preset))
            print(line(rows[-1]), flush=True)
    print(f"\nMeans of {len(chosen)} pictures.\n")
    print(
        f"| bpp | {' | '.join(f'{codec} dB' for codec in CODECS)} | COIN dB, published |\n|{'---|' * (2 + len(CODECS))}"
    )
    for rate in rates:
        means = [mean([found["coded"].get(codec) for found in rows if found["rate"] == rate]) for codec in CODECS]
        print(f"| {rate:g} | {' | '.join(means)} | {COIN.get(rate, MISSING)} |")
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "preset": preset, "rows": rows}, indent=2))


def row(name: str, picture: Tensor, rate: float, preset: str) -> dict:
    """One picture at one rate, all codecs."""
    limit_bytes = math.floor(rate * picture.shape[0] * picture.shape[1] / 8)
    start = time.process_time()
    generator = torch.Generator().manual_seed(0)
    *_, trial = compress(picture, bits_per_pixel=rate, effort=EFFORTS[preset], generator=generator)
    data = compressed_file.pack(trial.coded)
    encoded = time.process_time()
    levels = compressed_file.unpack(data).picture
    decoded = time.process_time()
    assert np.array_equal(levels, trial.coded.picture) and len(data) <= limit_bytes
    coded = [measured("field", len(data), levels, picture), *rivals(picture, limit_bytes)]
    return {
        "picture": name,
        "rate": rate,
        "coded": {one.codec: {"bytes": one.bytes, "psnr": one.psnr, "ssim": one.ssim} for one in coded},
        "encode_cpu_seconds": encoded - start,
        "decode_cpu_seconds": decoded - encoded,
    }


def line(found: dict) -> str:
    cells = []
    for codec in CODECS:
        one = found["coded"].get(codec)
        cells += [f"{one['psnr']:.2f}", f"{one['ssim']:.3f}"] if one else [MISSING, MISSING]
    times = f"{found['encode_cpu_seconds']:.1f} | {found['decode_cpu_seconds']:.2f}"
    return f"| {found['picture']} | {found['rate']:g} | {' | '.join(cells)} | {times} |"


def mean(coded: list[dict | None]) -> str:
    """Of PSNR; nothing where a codec could not be so small for some picture."""
    if any(one is None for one in coded):
        return MISSING
    return f"{statistics.mean(one['psnr'] for one in coded if one):.2f}"


def pictures(names: list[str] | None) -> dict[str, Tensor]:
    kodak = sorted(Path(os.environ.get("EASEL_DATA", ""), "kodak").glob("*.png"))
    if kodak:
        levels = {path.stem: np.asarray(Image.open(path).convert("RGB")) for path in kodak}
    else:
        print("EASEL_DATA names no folder that holds kodak/*.png: scikit-image's photographs take their place.\n")
        levels = {name: getattr(skimage.data, name)() for name in ("astronaut", "coffee", "chelsea")}
    found = {name: torch.from_numpy(np.array(array)).float() / 255 for name, array in levels.items()}
    return {name: picture for name, picture in found.items() if not names or name in names}


def warm_up() -> None:
    """Compile the coder, or find it compiled."""
    *_, trial = compress(torch.rand(16, 16, 3), effort=EFFORTS["quick"], generator=torch.Generator())
    compressed_file.unpack(compressed_file.pack(trial.coded))


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(": ")[1] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
