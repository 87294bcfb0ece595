"""`easel fields compress` and `decompress`: photographs as field files of few bytes, and back."""

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from tyro.conf import Positional

from easel.console import BadInput, explained, prepare_folder, progress
from easel.graphics.checked_record import Range

if TYPE_CHECKING:
    from torch import Tensor

    from easel.commands.fields.rivals import Coded


@dataclass(frozen=True)
class CompressConfig:
    """Compress a picture as a field: wavelet features and a small network, quantised and entropy-coded.

    Writes a .easel file and prints its bytes, bits per pixel, PSNR and SSIM beside JPEG and WebP of equal bytes. The
    .safetensors of a fitted field is stored with --bits for every weight instead, and the loss of PSNR is printed.
    """

    file: Annotated[Positional[Path], tyro.conf.arg(metavar="FILE")]
    """A picture, or the .safetensors of a fitted field."""
    quality: Annotated[float, Range(0, 100)] = 40.0
    """0 to 100; the quantiser's step is halved by every 14."""
    bpp: Annotated[float | None, Range(0, 64, above=True)] = None
    """Bits per pixel at most, in place of --quality."""
    preset: Literal["quick", "balanced", "best"] = "balanced"
    """quick leaves out the network; best trains it four times."""
    steps: Annotated[int | None, Range(1)] = None
    """Gradient steps of every round of training, in place of the preset's; --preset quick does without a network."""
    seed: int = 0
    """Seed of the network's weights and batches."""
    bits: int = 8
    """Bits of every weight of a fitted field: 2 to 12."""
    target: Path | None = None
    """The picture that a field was fitted to: its PSNR before and after is printed."""
    compare: bool = True
    """Measure JPEG and WebP of equal bytes."""
    out: Path | None = None
    """The file to write; the picture's name with .easel where it is left out."""


@dataclass(frozen=True)
class DecompressConfig:
    """Turn a .easel file back into its source: a PNG, or the .safetensors of a field."""

    file: Annotated[Positional[Path], tyro.conf.arg(metavar="FILE")]
    """A file of `easel fields compress`."""
    size: tuple[int, int] | None = None
    """Rows and columns of the picture; its own where it is left out, which gives the bytes that were measured."""
    out: Path | None = None
    """The file to write; the same name with .png or .safetensors where it is left out."""


def compress(config: CompressConfig) -> int:
    """Write the compressed file and print its figures; returns 0."""
    from easel.fields.compression.compressed_file import SUFFIX

    # `decompress` recognises its files by their content, but people by the suffix.
    out = config.out or config.file.with_suffix(SUFFIX)
    if out.suffix.lower() != SUFFIX:
        raise BadInput(f"--out {out} does not end in {SUFFIX}, the suffix of compressed fields.")
    prepare_folder(out.parent)
    if config.file.suffix.lower() == ".safetensors":
        _compress_weights(config, out)
    else:
        _compress_picture(config, out)
    print(f"wrote {out}")
    return 0


def decompress(config: DecompressConfig) -> int:
    """Write the picture or the weights of the file; returns 0."""
    import torch

    from easel import checkpoint
    from easel.fields.compression import compressed_file, stored_weights
    from easel.graphics.image import imwrite

    is_picture = compressed_file.kind_of(config.file) == compressed_file.PICTURE
    out = config.out or config.file.with_suffix(".png" if is_picture else ".safetensors")
    prepare_folder(out.parent)
    if is_picture:
        coded = compressed_file.read(config.file)
        with explained("--size: "):
            levels = coded.picture_at(config.size) if config.size else coded.picture
        imwrite(out, torch.from_numpy(levels))
    else:
        stored = stored_weights.read(config.file)
        checkpoint.write(out, stored.tensors(), stored.config)
    print(f"wrote {out}, {out.stat().st_size:,} bytes")
    return 0


def _compress_picture(config: CompressConfig, out: Path) -> None:
    import torch

    from easel.commands.fields.rivals import CODECS, measured, rivals
    from easel.fields.compression import compressed_file
    from easel.fields.compression.rate_control import EFFORTS, Trial
    from easel.fields.compression.rate_control import compress as run

    picture = _picture(config.file)
    effort = EFFORTS[config.preset]
    effort = replace(effort, steps=config.steps or effort.steps)
    generator = torch.Generator().manual_seed(config.seed)
    trial: Trial | None = None
    with explained(f"{config.file}: "), progress(f"compressing {config.file.name}") as bar:
        trials = run(picture, quality=config.quality, bits_per_pixel=config.bpp, effort=effort, generator=generator)
        for trial in trials:
            bar.update(trial.share, f"{trial.bytes:,} bytes")
    assert trial is not None
    compressed_file.write(out, trial.coded)
    # Measured on the decoded picture, of 8-bit levels, as its rivals are.
    rows = [measured("field", trial.bytes, trial.coded.picture, picture)]
    missing: list[str] = []
    if config.compare:
        rows += rivals(picture, trial.bytes)
        missing = [codec for codec in CODECS if codec not in {row.codec for row in rows}]
    print(_table(rows, missing, trial.coded.size))


def _compress_weights(config: CompressConfig, out: Path) -> None:
    import torch

    from easel import checkpoint
    from easel.commands.fields.models import open_model
    from easel.fields.compression import stored_weights
    from easel.graphics.metrics import psnr

    before = open_model(config.file).generate()
    true = before if config.target is None else _picture(config.target)
    if true.shape != before.shape:
        raise BadInput(
            f"--target {config.target} is {tuple(true.shape)}; the field's picture is {tuple(before.shape)}."
        )
    with explained(f"{config.file}: "):
        stored = stored_weights.quantize(*checkpoint.read(config.file), config.bits)
    size_bytes = stored_weights.write(out, stored)
    # By way of a file: what is measured is what a reader of the compressed file gets.
    with tempfile.TemporaryDirectory() as folder:
        rounded = Path(folder, "rounded.safetensors")
        checkpoint.write(rounded, stored.tensors(), stored.config)
        after = open_model(rounded).generate()
    # Of the field's own picture, the one that it was fitted to; painted larger it has fewer bits per pixel.
    bpp = 8 * size_bytes / math.prod(before.shape[:-1])
    each = 8 * size_bytes / max(stored.count, 1)
    print(f"{stored.count:,} weights in {size_bytes:,} bytes, {each:.2f} bits each, {bpp:.4f} bpp")
    print(f"PSNR to the field before: {psnr(after, before).item():.2f} dB")
    if config.target is not None:
        was, now = (psnr(torch.as_tensor(picture), true).item() for picture in (before, after))
        print(f"PSNR to {config.target.name}: {was:.2f} dB before, {now:.2f} dB now, a loss of {was - now:.2f} dB")


def _picture(file: Path) -> "Tensor":
    from easel.fields.fitting.targets import as_target

    with explained(f"{file}: "):
        return as_target(file)


def _table(rows: "Sequence[Coded]", missing: Sequence[str], size: tuple[int, int]) -> str:
    """Return a line for every codec, for the `missing` ones the reason; `size` is (height, width)."""
    lines = [f"{size[1]} x {size[0]}", f"{'':8}{'bytes':>10}{'bpp':>9}{'PSNR':>9}{'SSIM':>9}"]
    for row in rows:
        bpp = 8 * row.bytes / math.prod(size)
        lines.append(f"{row.codec:8}{row.bytes:10,}{bpp:9.4f}{row.psnr:9.2f}{row.ssim:9.4f}")
    # Named all the same: a missing line would read as if the codec had not been tried.
    lines += [f"{codec:8} cannot be so small, or has no alpha" for codec in missing]
    return "\n".join(lines)
