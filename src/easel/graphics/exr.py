"""OpenEXR pictures: scene-linear light in half or single floats. The one file that imports OpenEXR, which is optional.

Read are the R, G, B and A of a file, its Y, or its one channel, from scanlines or tiles and by any compression; what a
renderer stores beside them (depth, passes, further parts) is left out, and the log says so.
"""

import io
import logging
from collections.abc import Iterable
from importlib import import_module
from typing import Any, BinaryIO

import numpy as np

from easel.graphics.files import MAX_PIXELS, FileError, check_pixels, too_large

log = logging.getLogger("easel")

_MOST_SAMPLES = 8 * MAX_PIXELS
"""Limit for all channels and parts together, since the library reads them all: 2 GiB of floats."""


def read_exr(file: BinaryIO) -> tuple[np.ndarray, int]:
    """Return the numbers of the first part's data window, float32 (h, w, c), and orientation 1.

    c is 1, 3 or 4; grey with alpha has 4. FileError for what is understood and refused.
    """
    library = _library("reading")
    data = io.BytesIO(file.read())
    # Headers alone first: the library would allocate whatever they claim.
    headers = [part.header for part in library.File(data, separate_channels=True, header_only=True).parts]
    samples = 0
    for header in headers:
        height, width = _size(header)
        check_pixels(width, height)
        samples += height * width * len(header["channels"])
    if samples > _MOST_SAMPLES:
        raise too_large(f"{samples:,} numbers in all of its channels")
    if "deep" in str(headers[0].get("type")):
        raise FileError("it holds deep samples, many per pixel. Flatten it in the renderer or compositor.")
    sampling = {channel.name: (channel.xSampling, channel.ySampling) for channel in headers[0]["channels"]}
    chosen = _picture_channels(sampling)
    if any(sampling[name] != (1, 1) for name in chosen):
        raise FileError("it stores some channels at a lower resolution. Export it as RGB at full resolution.")
    data.seek(0)
    # Without threads of its own: they would outlive the call.
    parts = library.File(data, separate_channels=True, num_threads=0).parts
    channels = parts[0].channels if parts else {}
    if any(name not in channels or channels[name].pixels is None for name in chosen):
        raise ValueError("its pixels cannot be decoded")
    left_out = sorted(sampling.keys() - set(chosen))
    if len(headers) > 1:
        left_out.append(f"and {len(headers) - 1} more parts")
    if left_out:
        log.info("OpenEXR: took %s, left out %s", " ".join(chosen), " ".join(left_out))
    pixels = np.stack([channels[name].pixels for name in chosen], axis=-1).astype(np.float32, copy=False)
    if len(chosen) == 2:
        pixels = pixels[..., [0, 0, 0, 1]]
    return pixels, 1


def write_exr(pixels: np.ndarray, *, bits: int, **_: int) -> bytes:
    """Return scanlines of (h, w, c) floats, lossless; at 16 `bits` half floats, infinite from 65520."""
    library = _library("writing")
    # NumPy warns about infinities that are documented here.
    with np.errstate(over="ignore"):
        stored = pixels.astype(np.float16 if bits == 16 else np.float32)
    header = {"compression": library.ZIP_COMPRESSION, "type": library.scanlineimage}
    names = {1: "Y", 3: "RGB", 4: "RGBA"}[pixels.shape[-1]]
    channels = {name: np.ascontiguousarray(stored[..., index]) for index, name in enumerate(names)}
    file = io.BytesIO()
    library.File(header, channels, num_threads=0).write(file)
    return file.getvalue()


def _picture_channels(names: Iterable[str]) -> list[str]:
    """Return the names of the channels that make the picture, in its order. FileError where none do."""
    known = set(names)
    alpha = sorted({"A"} & known)
    if known >= {"R", "G", "B"}:
        return ["R", "G", "B", *alpha]
    if known & {"RY", "BY"}:
        raise FileError("it stores luminance and chroma. Export it as RGB.")
    if "Y" in known:
        return ["Y", *alpha]
    if len(known - {"A"}) == 1:
        return [*(known - {"A"}), *alpha]
    # Renderers that write layers name them "beauty.R" and so on; any of them is better than no picture.
    layers = sorted(name.removesuffix("R") for name in known if name.endswith(".R"))
    for layer in layers:
        colours = [f"{layer}{colour}" for colour in "RGB"]
        if known >= set(colours):
            return colours + [f"{layer}A"] * (f"{layer}A" in known)
    raise FileError(f"it has the channels {', '.join(sorted(known)[:12])}, none of which are R, G, B or Y.")


def _size(header: Any) -> tuple[int, int]:
    """Return (height, width) of the data window, whose corners are both inside it."""
    (left, top), (right, bottom) = (map(int, corner) for corner in header["dataWindow"])
    return bottom - top + 1, right - left + 1


def _library(doing: str) -> Any:
    try:
        return import_module("OpenEXR")
    except ImportError:
        raise FileError(
            f"{doing} .exr needs OpenEXR: pip install 'torch-easel[exr]'. "
            "Radiance .hdr, float TIFF and .npy work without it."
        ) from None
