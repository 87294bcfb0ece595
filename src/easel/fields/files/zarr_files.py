"""Zarr arrays of samples: chunked folders that many programs read in parts. The one file that knows zarr."""

import math
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from easel.graphics.files import FileError

CHUNK_SIDE = 128
"""Most samples of a chunk along an axis."""
SLAB_BYTES = 2**25
"""Most bytes that wait to be written: whole planes of the first axis."""


def write_zarr(path: str | os.PathLike[str], slabs: Iterator[np.ndarray], shape: Sequence[int], dtype: str) -> None:
    """Write (planes, …) arrays of `planes_of` planes each, the last may have fewer, as one zarr array of `shape`.

    The folder appears when it is complete, in place of one of the same name. FileError where zarr is missing or the
    place is taken by something else.
    """
    try:
        import zarr
    except ImportError:
        raise FileError(
            f"cannot write {os.fspath(path)!r}: it needs zarr: pip install 'torch-easel[volume]'. .npy and .tif do not."
        ) from None
    final = Path(path)
    # A folder is replaced with all its content: only a zarr array may be.
    if final.exists() and not (final / "zarr.json").is_file():
        raise FileError(f"cannot write {os.fspath(path)!r}: something else has this name.")
    final.parent.mkdir(parents=True, exist_ok=True)
    partial = final.with_name(f".{final.name}.{os.getpid()}")
    planes = planes_of(shape, dtype)
    # Slabs end where chunks end, so that none is written twice.
    chunks = (min(planes, CHUNK_SIDE), *(min(side, CHUNK_SIDE) for side in shape[1:-1]), shape[-1])
    try:
        array = zarr.create_array(partial, shape=tuple(shape), dtype=dtype, chunks=chunks)
        for number, slab in enumerate(slabs):
            array[number * planes : number * planes + len(slab)] = slab
        if final.exists():
            shutil.rmtree(final)
        partial.rename(final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def planes_of(shape: Sequence[int], dtype: str) -> int:
    """Return the number of planes of the first axis that are written at once."""
    plane = math.prod(shape[1:]) * np.dtype(dtype).itemsize
    return max(1, min(shape[0], CHUNK_SIDE, SLAB_BYTES // plane))
