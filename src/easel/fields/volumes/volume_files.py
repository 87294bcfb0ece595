"""Volume files: `.npy`, TIFF stacks as Fiji and ImageJ have them, and NIfTI to read."""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from easel.fields.volumes.nifti import read_nifti
from easel.fields.volumes.volume import Number, Volume, as_values, between, check_volume, half_sides
from easel.graphics.files import FileError, open_file, write_whole

MAX_BYTES = 2**31
"""The most that the voxels of a compressed file may take; `.npy` is mapped, whatever its size."""
MAX_TIFF_BYTES = 2**32 - 2**25
"""ImageJ's TIFF files end here."""
_SUFFIXES = (".npy", ".tif", ".tiff", ".nii", ".nii.gz")
_PLAIN = (np.dtype(np.uint8), np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64))


@dataclass(frozen=True)
class Scan:
    """What a volume file holds."""

    volume: np.ndarray
    """(X, Y, Z, C): uint8, or floats in [0, 1]."""
    spacing: tuple[float, float, float]
    """Sides of a voxel, in the file's unit."""
    low: float
    """The file's number that is 0 here."""
    high: float
    """The file's number that is 1 (or 255) here."""


def read_volume(path: str | os.PathLike[str]) -> Scan:
    """Read a `.npy` file, a TIFF stack, or NIfTI (`.nii`, `.nii.gz`).

    uint8 and floats within [0, 1] stay as they are, `.npy` files of them on the disk; other numbers are stretched
    so that the smallest is 0 and the largest 1. Stacks are pages of Z, rows of Y, columns of X unless they say
    otherwise. FileError for what is damaged, too large, of another kind or not a volume.
    """
    suffix = _suffix(path)
    spacing = (1.0, 1.0, 1.0)
    if suffix == ".npy":
        voxels = _read_npy(path)
    elif suffix in (".tif", ".tiff"):
        voxels, spacing = _read_tiff(path)
    elif suffix in (".nii", ".nii.gz"):
        voxels, spacing = read_nifti(path)
    else:
        raise FileError(f"cannot read {os.fspath(path)!r}: volumes are {' '.join(_SUFFIXES)} files.")
    try:
        volume, low, high = _stretched(voxels)
        checked = check_volume(volume)
    except ValueError as error:
        raise FileError(f"cannot read {os.fspath(path)!r}: {error}") from None
    assert isinstance(checked, np.ndarray)
    return Scan(checked, spacing, low, high)


def write_volume(
    volume: Volume, path: str | os.PathLike[str], *, spacing: tuple[Number, Number, Number] = (1, 1, 1), unit: str = ""
) -> None:
    """Write a volume (X, Y, Z[, C]) as `.npy` or as a TIFF stack that Fiji and ImageJ open as a hyperstack.

    A stack has pages of Z, rows of Y from top to bottom and columns of X; RGB of uint8 is colour in ImageJ, other
    channels are ImageJ's own. Floats are stored as float32. `spacing`, the sides of a voxel in `unit` ('mm',
    'micron'), goes into the stack. FileError for another suffix, a stack beyond ImageJ's 4 GiB, or a bad place.
    """
    volume = check_volume(volume)
    half_sides(volume.shape, spacing)  # refuses what is no spacing
    suffix = _suffix(path)
    if suffix not in (".npy", ".tif", ".tiff"):
        raise FileError(f"cannot write {os.fspath(path)!r}: volumes go into .npy .tif .tiff files.")
    kind = str(volume.dtype).removeprefix("torch.")
    dtype = np.dtype(kind) if kind in ("uint8", "uint16") else np.dtype(np.float32)
    if suffix != ".npy" and math.prod(volume.shape) * dtype.itemsize > MAX_TIFF_BYTES:
        raise FileError(f"cannot write {os.fspath(path)!r}: ImageJ's stacks end at 4 GiB. Write .npy, or store uint8.")
    with write_whole(path) as partial:
        if suffix == ".npy":
            mapped = np.lib.format.open_memmap(partial, "w+", dtype, tuple(volume.shape))
            for index in range(volume.shape[0]):
                mapped[index] = _numbers(between(volume, 0, index, index + 1), dtype)[0]
            mapped.flush()
        else:
            _write_tiff(volume, partial, dtype, spacing, unit)


def _write_tiff(volume: Volume, path: Path, dtype: np.dtype, spacing: tuple[Number, Number, Number], unit: str) -> None:
    import tifffile

    x, y, z, channels = volume.shape
    is_rgb = channels == 3 and dtype == np.uint8
    # ImageJ's order is time, Z, channels, Y, X, samples of a pixel.
    shape, axes = ((z, y, x, 3), "ZYXS") if is_rgb else ((z, channels, y, x), "ZCYX")

    def pages() -> Iterator[np.ndarray]:
        for index in range(z):
            page = _numbers(between(volume, 2, index, index + 1), dtype)[:, :, 0].transpose(1, 0, 2)
            yield from [page] if is_rgb else page.transpose(2, 0, 1)

    metadata: dict[str, object] = {"axes": axes, "spacing": float(spacing[2])}
    if unit:
        metadata["unit"] = unit
    tifffile.imwrite(
        path,
        (np.ascontiguousarray(page) for page in pages()),
        shape=shape,
        dtype=dtype,
        imagej=True,
        photometric="rgb" if is_rgb else "minisblack",
        resolution=(1 / spacing[0], 1 / spacing[1]),
        metadata=metadata,
    )


def _read_npy(path: str | os.PathLike[str]) -> np.ndarray:
    open_file(path).close()
    try:
        voxels = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError, SyntaxError) as error:
        reason = str(error).splitlines()[0]
        raise FileError(f"cannot read {os.fspath(path)!r}: it is no array, or damaged ({reason}).") from None
    if not isinstance(voxels, np.ndarray):  # an archive of several arrays
        raise FileError(f"cannot read {os.fspath(path)!r}: it holds several arrays. Save one of them with numpy.save.")
    return voxels


def _read_tiff(path: str | os.PathLike[str]) -> tuple[np.ndarray, tuple[float, float, float]]:
    import tifffile

    with open_file(path) as file:
        try:
            with tifffile.TiffFile(file) as tiff:
                series, page = tiff.series[0], tiff.pages.first
                if series.nbytes > MAX_BYTES:
                    raise FileError(
                        f"cannot read {os.fspath(path)!r}: it claims {series.nbytes / 2**30:.1f} GiB; up "
                        "to 2 are read. Convert it to .npy, which is not loaded but mapped."
                    )
                axes, description = series.axes, page.description
                imagej = tiff.imagej_metadata or {}
                resolutions = [page.tags.get(name) for name in ("XResolution", "YResolution")]
                voxels = series.asarray(maxworkers=1)
        except FileError:
            raise
        except Exception as error:  # whatever tifffile makes of damaged bytes
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise FileError(f"cannot read {os.fspath(path)!r}: it is no TIFF, or damaged ({reason}).") from None
    if not imagej and description.startswith("{"):  # a recipe: an array stored in its own order
        return voxels, (1.0, 1.0, 1.0)
    channel = next((k for k, name in enumerate(axes) if name in "CS"), None)
    if channel is not None:
        voxels = np.moveaxis(voxels, channel, -1)
    if voxels.ndim != (3 if channel is None else 4):
        raise FileError(f"cannot read {os.fspath(path)!r}: a volume has pages, rows and columns; got axes {axes}.")
    x, y = (_length(tag.value) if tag and imagej else 1.0 for tag in resolutions)
    return voxels.transpose(2, 1, 0, *range(3, voxels.ndim)), (x, y, float(imagej.get("spacing", 1.0)))


def _length(resolution: tuple[int, int]) -> float:
    """The side of a pixel, from a TIFF fraction of pixels per unit."""
    pixels, units = resolution
    return units / pixels if pixels and units else 1.0


def _stretched(voxels: np.ndarray) -> tuple[np.ndarray, float, float]:
    if voxels.dtype == np.uint8:
        return voxels, 0.0, 255.0
    if voxels.dtype == np.bool_:
        return voxels.astype(np.float32), 0.0, 1.0
    if voxels.dtype.kind not in "iuf" or not voxels.size:
        raise ValueError(f"a volume holds numbers; got {voxels.dtype} of shape {voxels.shape}.")
    low, high = float(np.nanmin(voxels)), float(np.nanmax(voxels))
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError("it holds values that are not finite. Replace them first.")
    if voxels.dtype in _PLAIN and low >= 0 and high <= 1:
        return voxels, 0.0, 1.0
    scaled = (voxels.astype(np.float32) - np.float32(low)) / np.float32(high - low or 1.0)
    return scaled, low, high


def _numbers(part: Volume, dtype: np.dtype) -> np.ndarray:
    """A part of a volume as the file stores it."""
    if dtype.kind == "u":
        return np.asarray(part)
    return as_values(part).numpy()


def _suffix(path: str | os.PathLike[str]) -> str:
    name = Path(path).name.lower()
    return next((suffix for suffix in sorted(_SUFFIXES, key=len, reverse=True) if name.endswith(suffix)), "")
