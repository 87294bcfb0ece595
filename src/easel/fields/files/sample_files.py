"""Files of samples, written as they are computed: .npy, tiled TIFF, PNG and zarr of any size, whole or not at all.

Samples are written as they come, so neither memory nor scratch files grow with the picture. PNG holds pictures, TIFF
pictures and volumes (a page for every X), .npy and .zarr everything. PNG and TIFF take a text along.
"""

import math
import os
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from easel.fields.files.zarr_files import planes_of, write_zarr
from easel.graphics import png
from easel.graphics.files import FileError, write_whole

SUFFIXES = (".npy", ".png", ".tif", ".tiff", ".zarr")
"""Of all files that `write_samples` writes."""
RECIPE_SUFFIXES = (".png", ".tif", ".tiff", ".safetensors")
"""Of files that may hold the recipe of a field."""
RECIPE_KEY = "easel.recipe"
"""The keyword of a PNG file's international text (iTXt) that holds the recipe."""
_TILE_PIXELS = 256


def write_samples(
    path: str | os.PathLike[str],
    chunks: Iterable[Tensor],
    shape: Sequence[int],
    dtype: str,
    *,
    text: str = "",
    progress: Callable[[float], object] | None = None,
) -> None:
    """Write (n, c) chunks that follow each other in flat order as one array of `shape`, whose last axis is c.

    `text`, ASCII, goes into PNG (iTXt) and TIFF (ImageDescription) files. Missing folders are created. FileError for a
    suffix, a shape or a place that does not fit, or where the disk has no room, before the first sample is computed.
    """
    shape = tuple(shape)
    check_file(path, shape, dtype)
    samples = math.prod(shape[:-1])

    def arrays() -> Iterator[np.ndarray]:
        done = 0
        for chunk in chunks:
            yield chunk.cpu().numpy()
            done += len(chunk)
            if progress:
                progress(done / samples)

    suffix = Path(path).suffix.lower()
    if suffix == ".zarr":
        # A zarr array is a folder, which `write_whole` cannot exchange; it makes its own whole.
        planes = planes_of(shape, dtype)
        write_zarr(path, regrouped(arrays(), planes * math.prod(shape[1:-1]), (-1, *shape[1:])), shape, dtype)
        return
    write = {".npy": _write_npy, ".png": _write_png}.get(suffix, _write_tiff)
    with write_whole(path) as partial, partial.open("wb") as file:
        write(file, arrays(), shape, dtype, text)


def check_file(path: str | os.PathLike[str], shape: Sequence[int], dtype: str) -> None:
    """Raise FileError for samples that the file's format cannot hold or its disk has no room for."""
    suffix = Path(path).suffix.lower()
    cannot = f"cannot write {os.fspath(path)!r}"
    *size, channels = shape
    if suffix not in SUFFIXES:
        raise FileError(f"{cannot}: samples go into {' '.join(SUFFIXES)} files, not into {suffix or 'no suffix'!r}.")
    if suffix == ".png" and (len(size) != 2 or channels not in png.COLOUR_TYPES or not dtype.startswith("uint")):
        raise FileError(
            f"{cannot}: PNG holds uint8 or uint16 pictures with 1, 3 or 4 channels; got {tuple(shape)} of {dtype}. "
            "Use dtype='uint8', or a .npy or .tif file."
        )
    if suffix in (".tif", ".tiff") and len(size) not in (2, 3):
        raise FileError(f"{cannot}: TIFF holds pictures and volumes; got {tuple(shape)}. Use a .npy file.")
    # Of the nearest folder that is there: missing ones are created on the same disk. Only .npy has a known size.
    folder = next((parent for parent in Path(path).resolve().parents if parent.is_dir()), None)
    needed = math.prod(shape) * np.dtype(dtype).itemsize
    if folder and suffix == ".npy" and shutil.disk_usage(folder).free < needed:
        raise FileError(f"{cannot}: it takes {needed / 2**30:.1f} GiB, more than is free. Choose another disk.")


def mapped(path: str | os.PathLike[str], shape: Sequence[int], dtype: str) -> Tensor:
    """Map a written .npy file, changes staying in memory; for others return a tensor of their shape without data."""
    if Path(path).suffix.lower() == ".npy":
        return torch.from_numpy(np.load(path, mmap_mode="c"))
    return torch.empty(tuple(shape), dtype=getattr(torch, dtype), device="meta")


def _write_npy(file: BinaryIO, arrays: Iterator[np.ndarray], shape: Sequence[int], dtype: str, text: str) -> None:
    # Version 1.0, which every reader knows; only headers beyond 64 KiB need another.
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": tuple(shape)}
    np.lib.format.write_array_header_1_0(file, header)
    for array in arrays:
        file.write(np.ascontiguousarray(array).data)


def _write_png(file: BinaryIO, arrays: Iterator[np.ndarray], shape: Sequence[int], dtype: str, text: str) -> None:
    """Write rows as their difference to the row above (filter 2): smooth pictures become small."""
    height, width, channels = shape
    bits = 8 * np.dtype(dtype).itemsize
    file.write(png.header(width, height, channels, bits))
    if text:
        file.write(png_text(text))
    # One stream over all bands of rows: each begins where the last one ended.
    packer = zlib.compressobj(6)
    above = np.zeros(width * channels * bits // 8, np.uint8)
    for rows in regrouped(arrays, width * max(1, 2**20 // (width * channels))):
        lines = png.scanlines(rows.reshape(-1, width, channels))
        packed = packer.compress(png.filtered(lines, above).data)
        above = lines[-1]
        if packed:
            file.write(png.chunk(b"IDAT", packed))
    file.write(png.chunk(b"IDAT", packer.flush()))
    file.write(png.chunk(b"IEND", b""))


def png_text(text: str) -> bytes:
    """Return the iTXt chunk of a recipe: keyword, compressed, no language, then the text."""
    return png.chunk(b"iTXt", RECIPE_KEY.encode() + b"\0\1\0\0\0" + zlib.compress(text.encode(), 9))


def _write_tiff(file: BinaryIO, arrays: Iterator[np.ndarray], shape: Sequence[int], dtype: str, text: str) -> None:
    import tifffile

    *pages, height, width, channels = shape
    axis: tuple[int, ...] = ()
    options: dict[str, Any] = {"photometric": "minisblack"}
    if channels > 1:
        axis = (channels,)
        options["planarconfig"] = "contig"
    if channels in (3, 4):
        options["photometric"] = "rgb"
    if channels == 4:
        options["extrasamples"] = ["unassalpha"]
    if pages:  # a volume's pages stay plain, so that programs can map them
        parts = regrouped(arrays, height * width, (height, width, *axis))
    else:
        parts = _tiles(arrays, width, axis)
        options |= {"tile": (_TILE_PIXELS, _TILE_PIXELS), "compression": "zlib"}
    tifffile.imwrite(
        file,
        parts,
        shape=(*pages, height, width, *axis),
        dtype=dtype,
        # Beyond 4 GiB, less some room for tables, the offsets of plain TIFF end.
        bigtiff=math.prod(shape) * np.dtype(dtype).itemsize > 2**32 - 2**25,
        description=text or None,
        metadata=None,
        software=False,
        **options,
    )


def _tiles(arrays: Iterator[np.ndarray], width: int, axis: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Yield squares of pixels, left to right and top to bottom, filled up with zeros at the picture's edges."""
    for band in regrouped(arrays, width * _TILE_PIXELS):
        rows = band.reshape(-1, width, band.shape[-1])
        for left in range(0, width, _TILE_PIXELS):
            tile = rows[:, left : left + _TILE_PIXELS]
            # All tiles of a TIFF have one size.
            down, across = (_TILE_PIXELS - samples for samples in tile.shape[:2])
            yield np.pad(tile, ((0, down), (0, across), (0, 0))).reshape(_TILE_PIXELS, _TILE_PIXELS, *axis)


def regrouped(arrays: Iterable[np.ndarray], samples: int, shape: tuple[int, ...] | None = None) -> Iterator[np.ndarray]:
    """Yield the same (n, c) samples in arrays of `samples` each, reshaped to `shape` if given; the last may be shorter.

    It keeps its shape (n, c) then, unless `shape` begins with -1.
    """
    waiting: list[np.ndarray] = []
    count = 0
    # Chunks are waiting as they are: joining them one by one would copy all of them each time.
    for array in arrays:
        while count + len(array) >= samples:
            cut = samples - count
            full = np.concatenate([*waiting, array[:cut]])
            yield full.reshape(shape or full.shape)
            waiting = []
            count = 0
            array = array[cut:]
        if len(array):
            waiting.append(array)
            count += len(array)
    if waiting:
        rest = np.concatenate(waiting)
        if shape and shape[0] == -1:
            rest = rest.reshape(shape)
        yield rest
