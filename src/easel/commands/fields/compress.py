"""`easel fields compress` and `decompress`: photographs as field files of few bytes, and back."""

import math
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from tyro.conf import Positional

from easel.console import BadInput, prepare_folder, progress

if TYPE_CHECKING:
    from torch import Tensor

    from easel.commands.fields.rivals import Coded
    from easel.fields.compression.picture import CompressedPicture
    from easel.fields.compression.rate_control import Effort


@dataclass(frozen=True)
class CompressConfig:
    """Compress a picture as a field: wavelet features and a small network, quantised and entropy-coded.

    Writes a .easel file and prints its bytes, bits per pixel, PSNR and SSIM beside JPEG and WebP of equal bytes. The
    .safetensors of a fitted field is stored with --bits for every weight instead, and the loss of PSNR is printed.
    """

    file: Annotated[Positional[Path], tyro.conf.arg(metavar="FILE")]
    """A picture, or the .safetensors of a fitted field."""
    quality: float = 40.0
    """0 to 100; the quantiser's step is halved by every 14."""
    bpp: float | None = None
    """Bits per pixel at most, in place of --quality."""
    preset: Literal["quick", "balanced", "best"] = "balanced"
    """quick leaves out the network; best trains it four times."""
    steps: int | None = None
    """Gradient steps of every round of training, in place of the preset's."""
    seed: int = 0
    """Seed of the network's weights and batches."""
    bits: int = 8
    """Of every weight of a fitted field: 2 to 12."""
    target: Path | None = None
    """The picture that a field was fitted to: its PSNR before and after is told."""
    compare: bool = True
    """Measure JPEG and WebP of equal bytes."""
    out: Path | None = None
    """The file to write; the picture's name with .easel where it is left out."""


@dataclass(frozen=True)
class DecompressConfig:
    """Turn a .easel file back into what it was made from: a PNG, or the .safetensors of a field."""

    file: Annotated[Positional[Path], tyro.conf.arg(metavar="FILE")]
    """What `easel fields compress` wrote."""
    size: tuple[int, int] | None = None
    """Rows and columns of the picture; its own where it is left out, which gives the bytes that were measured."""
    out: Path | None = None
    """The file to write; the same name with .png or .safetensors where it is left out."""


def compress(config: CompressConfig) -> int:
    """Write the compressed file and print what it holds; returns 0."""
    from easel.fields.compression.compressed_file import SUFFIX

    out = config.out or config.file.with_suffix(SUFFIX)
    if out.suffix.lower() != SUFFIX:
        raise BadInput(f"--out {out} does not end in {SUFFIX}, the suffix of compressed fields.")
    if config.bpp is not None and not 0 < config.bpp <= 64:
        raise BadInput(f"--bpp is above 0 and at most 64; got {config.bpp:g}.")
    if not 0 <= config.quality <= 100:
        raise BadInput(f"--quality is 0 to 100; got {config.quality:g}.")
    if config.steps is not None and config.steps < 1:
        raise BadInput(f"--steps is 1 or more; got {config.steps}. --preset quick does without a network.")
    prepare_folder(out.parent)
    if config.file.suffix.lower() == ".safetensors":
        return _compress_weights(config, out)
    return _compress_picture(config, out)


def decompress(config: DecompressConfig) -> int:
    """Write what the file holds; returns 0."""
    import torch

    from easel import checkpoint
    from easel.fields.compression import compressed_file, stored_weights
    from easel.graphics.image import imwrite

    kind = compressed_file.kind_of(config.file)
    out = config.out or config.file.with_suffix(".png" if kind == compressed_file.PICTURE else ".safetensors")
    prepare_folder(out.parent)
    if kind == compressed_file.PICTURE:
        coded = compressed_file.read(config.file)
        try:
            levels = coded.picture_at(config.size) if config.size else coded.picture
        except ValueError as error:
            raise BadInput(f"--size: {error}") from None
        imwrite(out, torch.from_numpy(levels))
    else:
        stored = stored_weights.read(config.file)
        checkpoint.write(out, stored.tensors(), stored.config)
    print(f"wrote {out}, {out.stat().st_size:,} bytes")
    return 0


def _compress_picture(config: CompressConfig, out: Path) -> int:
    import torch

    from easel.commands.fields.rivals import CODECS, measured, rivals
    from easel.fields.compression import compressed_file
    from easel.fields.compression.rate_control import EFFORTS, Trial
    from easel.fields.compression.rate_control import compress as run

    picture = _picture(config.file)
    trial: Trial | None = None
    with progress(f"compressing {config.file.name}") as bar:
        try:
            for trial in run(
                picture,
                quality=config.quality,
                bits_per_pixel=config.bpp,
                effort=_effort(EFFORTS[config.preset], config.steps),
                generator=torch.Generator().manual_seed(config.seed),
            ):
                bar.update(trial.share, f"{trial.bytes:,} bytes")
        except ValueError as error:
            raise BadInput(f"{config.file}: {error}") from None
    assert trial is not None
    compressed_file.write(out, trial.coded)
    rows = [measured("field", trial.bytes, trial.coded.picture, picture)]
    if config.compare:
        rows += rivals(picture, trial.bytes)
    print(_table(rows, trial.coded, CODECS if config.compare else ()))
    print(f"wrote {out}")
    return 0


def _compress_weights(config: CompressConfig, out: Path) -> int:
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
    try:
        stored = stored_weights.quantize(*checkpoint.read(config.file), config.bits)
    except ValueError as error:
        raise BadInput(f"{config.file}: {error}") from None
    size_bytes = stored_weights.write(out, stored)
    with tempfile.TemporaryDirectory() as folder:
        rounded = Path(folder, "rounded.safetensors")
        checkpoint.write(rounded, stored.tensors(), stored.config)
        after = open_model(rounded).generate()
    bpp = 8 * size_bytes / math.prod(before.shape[:-1])
    each = 8 * size_bytes / max(stored.count, 1)
    print(f"{stored.count:,} weights in {size_bytes:,} bytes, {each:.2f} bits each, {bpp:.4f} bpp")
    print(f"PSNR to the field before: {psnr(after, before).item():.2f} dB")
    if config.target is not None:
        was, now = (psnr(torch.as_tensor(picture), true).item() for picture in (before, after))
        print(f"PSNR to {config.target.name}: {was:.2f} dB before, {now:.2f} dB now, a loss of {was - now:.2f} dB")
    print(f"wrote {out}")
    return 0


def _picture(file: Path) -> "Tensor":
    from easel.fields.fitting.targets import as_target

    try:
        return as_target(file)
    except ValueError as error:
        raise BadInput(f"{file}: {error}") from None


def _effort(effort: "Effort", steps: int | None) -> "Effort":
    return effort if steps is None else replace(effort, steps=steps)


def _table(rows: "list[Coded]", coded: "CompressedPicture", asked: tuple[str, ...]) -> str:
    pixels = math.prod(coded.size)
    lines = [f"{coded.size[1]} x {coded.size[0]}", f"{'':8}{'bytes':>10}{'bpp':>9}{'PSNR':>9}{'SSIM':>9}"]
    for row in rows:
        bpp = 8 * row.bytes / pixels
        lines.append(f"{row.codec:8}{row.bytes:10,}{bpp:9.4f}{row.psnr:9.2f}{row.ssim:9.4f}")
    for codec in asked:
        if codec not in {row.codec for row in rows}:
            lines.append(f"{codec:8} cannot be so small, or has no alpha")
    return "\n".join(lines)
