"""Does a field that was fitted to a small picture know more about the large one than interpolation does?

A photograph is halved (every pixel the mean of four), a field is fitted to the half, rendered at the full size and
compared with the original, beside other enlargements of the same half. PSNR in dB and SSIM, both of 8-bit values.
"""

import argparse
import dataclasses
import os
from pathlib import Path

import skimage.data
import torch
from PIL import Image
from torch import Tensor

from easel.fields import PRESETS, as_target, build_field, fit, render
from easel.graphics.metrics import psnr, ssim

FIELDS = {"fast": 2_000, "tiny": 2_000, "siren": 1_000}
"""Presets and how many steps they get."""


def photographs() -> dict[str, Image.Image]:
    found = {"astronaut": Image.fromarray(skimage.data.astronaut())}
    for name in ("15", "23"):
        path = Path(os.environ.get("EASEL_DATA", ""), "kodak", f"{name}.png")
        if path.is_file():
            found[f"kodak {name}"] = Image.open(path).convert("RGB")
    return found


def enlarged(half: Image.Image, size: tuple[int, int], name: str) -> Tensor:
    """The half at (width, height), by a field of that preset."""
    preset, target = PRESETS[name], as_target(half)
    assert preset.field is not None
    generator = torch.Generator().manual_seed(0)
    field = build_field(preset.field, tuple(target.shape[:2]), generator=generator)
    knobs = dataclasses.replace(preset.knobs)
    for _ in fit(field, target, knobs, steps=FIELDS[name], generator=generator):
        pass
    found = psnr(render(field, tuple(target.shape[:2])), target)
    print(f"  {name}: {field.size:,} parameters, {found:.2f} dB on the half", flush=True)
    return render(field, (size[1], size[0]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fields", nargs="+", default=list(FIELDS), choices=list(FIELDS), metavar="PRESET")
    options = parser.parse_args()
    for name, photograph in photographs().items():
        original = as_target(photograph)
        half = photograph.resize((photograph.width // 2, photograph.height // 2), Image.Resampling.BOX)
        print(f"\n{name}, {half.width} x {half.height} to {photograph.width} x {photograph.height}")
        ways = {
            "nearest": as_target(half.resize(photograph.size, Image.Resampling.NEAREST)),
            "bilinear": as_target(half.resize(photograph.size, Image.Resampling.BILINEAR)),
            "bicubic": as_target(half.resize(photograph.size, Image.Resampling.BICUBIC)),
            "Lanczos": as_target(half.resize(photograph.size, Image.Resampling.LANCZOS)),
        }
        for preset in options.fields:
            ways[f"field, {preset}"] = (enlarged(half, photograph.size, preset) * 255).round() / 255
        print("\n| enlarged by | PSNR | SSIM |\n|---|---:|---:|")
        for way, found in ways.items():
            print(f"| {way} | {psnr(found, original):.2f} | {ssim(found, original):.4f} |")


if __name__ == "__main__":
    main()
