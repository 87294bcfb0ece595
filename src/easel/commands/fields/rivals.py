"""JPEG and WebP with as many bytes: what a compressed field is measured against."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass

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
    """How far decoded levels are from the picture."""
    decoded = torch.from_numpy(levels).float() / 255
    return Coded(codec, size_bytes, psnr(decoded, true).item(), ssim(decoded, true).item())


def rivals(picture: Float[Tensor, "h w c"], limit_bytes: int) -> list[Coded]:
    """JPEG and WebP at their largest quality that is not larger; without one that cannot be so small, or has no alpha.

    Each is the better of its settings: JPEG with optimised tables, sequential and progressive, colours halved or whole;
    WebP by its slowest method.
    """
    levels = (picture * 255).round().to(torch.uint8).numpy()
    image = Image.fromarray(levels.squeeze(-1) if levels.shape[-1] == 1 else levels)
    found = []
    for codec, settings in _settings(image.mode):
        files = [data for one in settings if (data := _largest(image, one, limit_bytes)) is not None]
        tried = [(len(data), _decoded(data, image.mode)) for data in files]
        if tried:
            size_bytes, best = min(tried, key=lambda one: np.square(one[1] - levels.astype(np.float32)).mean())
            found.append(measured(codec, size_bytes, best, picture))
    return found


def _settings(mode: str) -> Iterator[tuple[str, list[Callable[[Image.Image, io.BytesIO, int], None]]]]:
    def jpeg(progressive: bool, subsampling: str) -> Callable[[Image.Image, io.BytesIO, int], None]:
        def save(image: Image.Image, file: io.BytesIO, quality: int) -> None:
            image.save(file, "JPEG", quality=quality, optimize=True, progressive=progressive, subsampling=subsampling)

        return save

    def webp(image: Image.Image, file: io.BytesIO, quality: int) -> None:
        image.save(file, "WEBP", quality=quality, method=6)

    if mode != "RGBA":
        chroma = ("4:2:0", "4:4:4") if mode == "RGB" else ("4:4:4",)
        yield "JPEG", [jpeg(progressive, kind) for progressive in (False, True) for kind in chroma]
    yield "WebP", [webp]


def _largest(
    image: Image.Image, save: Callable[[Image.Image, io.BytesIO, int], None], limit_bytes: int
) -> bytes | None:
    """The file of the largest quality, 0 to 100, that is not larger; None where even 0 is."""
    best, low, high = None, 0, 100
    while low <= high:
        quality = (low + high) // 2
        file = io.BytesIO()
        save(image, file, quality)
        if len(data := file.getvalue()) <= limit_bytes:
            best, low = data, quality + 1
        else:
            high = quality - 1
    return best


def _decoded(data: bytes, mode: str) -> UInt8[np.ndarray, "h w c"]:
    levels = np.array(Image.open(io.BytesIO(data)).convert(mode))
    return levels[..., None] if levels.ndim == 2 else levels
