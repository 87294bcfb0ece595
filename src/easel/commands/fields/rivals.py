"""JPEG and WebP of equal bytes, against which a compressed field is measured."""

import io
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from easel.graphics.metrics import psnr, ssim

CODECS = ("JPEG", "WebP")


@dataclass(frozen=True)
class Coded:
    """A picture after one codec."""

    codec: str
    bytes: int
    psnr: float
    """In dB, of 8-bit levels."""
    ssim: float


def measured(codec: str, size_bytes: int, levels: UInt8[np.ndarray, "h w c"], true: Float[Tensor, "h w c"]) -> Coded:
    """Measure decoded levels against the true picture."""
    decoded = torch.from_numpy(levels).float() / 255
    return Coded(codec, size_bytes, psnr(decoded, true).item(), ssim(decoded, true).item())


def rivals(picture: Float[Tensor, "h w c"], limit_bytes: int) -> list[Coded]:
    """Return JPEG and WebP at the largest quality of at most so many bytes.

    A codec that cannot be so small, or has no alpha, is left out. Each is the better of its settings: JPEG with
    optimised tables, sequential and progressive, colours halved or whole; WebP by its slowest method.
    """
    # Pillow's grey is two-dimensional.
    levels = (picture * 255).round().to(torch.uint8).numpy()
    image = Image.fromarray(levels.squeeze(-1) if levels.shape[-1] == 1 else levels)
    found = []
    for codec, settings in _settings(image.mode):
        files = filter(None, (_largest(image, codec, options, limit_bytes) for options in settings))
        # Of equal bytes the smaller error wins, not the smaller file.
        tried = [(len(data), _decoded(data, image.mode)) for data in files]
        if tried:
            size_bytes, best = min(tried, key=lambda one: np.square(one[1] - levels.astype(np.float32)).mean())
            found.append(measured(codec, size_bytes, best, picture))
    return found


def _settings(mode: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield each codec with the options of Pillow's writer that are tried."""
    if mode != "RGBA":
        chroma = ("4:2:0", "4:4:4") if mode == "RGB" else ("4:4:4",)
        ways = itertools.product((False, True), chroma)
        yield "JPEG", [{"optimize": True, "progressive": slow, "subsampling": kind} for slow, kind in ways]
    yield "WebP", [{"method": 6}]


def _largest(image: Image.Image, codec: str, options: Mapping[str, Any], limit_bytes: int) -> bytes | None:
    """Return the file of the largest quality, 0 to 100, of at most so many bytes; None where even 0 has more."""
    best = None
    low, high = 0, 100
    # Halving: bytes grow with the quality.
    while low <= high:
        quality = (low + high) // 2
        file = io.BytesIO()
        image.save(file, codec, quality=quality, **options)
        data = file.getvalue()
        if len(data) <= limit_bytes:
            best, low = data, quality + 1
        else:
            high = quality - 1
    return best


def _decoded(data: bytes, mode: str) -> UInt8[np.ndarray, "h w c"]:
    return np.atleast_3d(np.array(Image.open(io.BytesIO(data)).convert(mode)))
