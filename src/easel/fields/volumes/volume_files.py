"""Volume files: `.npy`, TIFF stacks of Fiji and ImageJ, and NIfTI to read."""

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
"""Most bytes of the voxels of a compressed file; `.npy` is mapped, whatever its size."""
MAX_TIFF_BYTES = 2**32 - 2**25
"""Largest TIFF file of ImageJ's."""
SUFFIXES = (".npy", ".tif", ".tiff", ".nii", ".nii.gz")
"""Of all files that `read_volume` reads."""
_PLAIN = (np.dtype(np.uint8), np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64))


@dataclass(frozen=True)
class Scan:
    """Content of a volume file."""

    volume: np.ndarray
    """(X, Y, Z, C): uint8, or floats in [0, 1]."""
    spacing: tuple[float, float, float]
    """Sides of a voxel, in the file's unit."""
    low: float
    """Number of the file that is 0 here."""
    high: float
    """Number of the file that is 1 (or 255) here."""


def read_volume(path: str | os.PathLike[str]) -> Scan:
    """Read a `.npy` file, a TIFF stack, or NIfTI (`.nii`, `.nii.gz`).

    uint8 and floats within [0, 1] stay as they are, `.npy` files of them on the disk; other numbers are stretched
    so that the smallest is 0 and the largest 1. Stacks are pages of Z, rows of Y, columns of X unless they say
    otherwise. FileError for what is damaged, too large, of another kind or not a volume.
    """
    spacing = (1.0, 1.0, 1.0)
    match volume_suffix(path):
        case ".npy":
            voxels = _read_npy(path)
        case ".tif" | ".tiff":
            voxels, spacing = _read_tiff(path)
        case ".nii" | ".nii.gz":
            voxels, spacing = read_nifti(path)
        case _:
            raise FileError(f"cannot read {os.fspath(path)!r}: volumes are {' '.join(SUFFIXES)} files.")
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
    suffix = volume_suffix(path)
    if suffix not in (".npy", ".tif", ".tiff"):
        raise FileError(f"cannot write {os.fspath(path)!r}: volumes go into .npy .tif .tiff files.")
    kind = str(volume.dtype).removeprefix("torch.")
    dtype = np.dtype("float32" if "float" in kind else kind)
    if suffix != ".npy" and math.prod(volume.shape) * dtype.itemsize > MAX_TIFF_BYTES:
        raise FileError(f"cannot write {os.fspath(path)!r}: ImageJ's stacks end at 4 GiB. Write .npy, or store uint8.")
    with write_whole(path) as partial:
        if suffix != ".npy":
            _write_tiff(volume, partial, dtype, spacing, unit)
            return
        # Slice by slice into a mapped file: a volume larger than memory passes through.
        mapped = np.lib.format.open_memmap(partial, "w+", dtype, tuple(volume.shape))
        for index in range(volume.shape[0]):
            mapped[index] = _numbers(between(volume, 0, index, index + 1), dtype)[0]
        mapped.flush()


def _write_tiff(volume: Volume, path: Path, dtype: np.dtype, spacing: tuple[Number, Number, Number], unit: str) -> None:
    import tifffile

    x, y, z, channels = volume.shape
    is_rgb = channels == 3 and dtype == np.uint8
    # ImageJ's order is time, Z, channels, Y, X, samples of a pixel; only RGB of bytes is colour to it.
    layout = {"shape": (z, channels, y, x), "photometric": "minisblack"}
    axes = "ZCYX"
    if is_rgb:
        layout = {"shape": (z, y, x, 3), "photometric": "rgb"}
        axes = "ZYXS"

    def pages() -> Iterator[np.ndarray]:
        for index in range(z):
            page = _numbers(between(volume, 2, index, index + 1), dtype)[:, :, 0].transpose(1, 0, 2)
            for part in [page] if is_rgb else page.transpose(2, 0, 1):
                yield np.ascontiguousarray(part)

    metadata: dict[str, object] = {"axes": axes, "spacing": float(spacing[2])}
    if unit:
        metadata["unit"] = unit
    resolution = (1 / spacing[0], 1 / spacing[1])
    tifffile.imwrite(path, pages(), dtype=dtype, imagej=True, resolution=resolution, metadata=metadata, **layout)


def _read_npy(path: str | os.PathLike[str]) -> np.ndarray:
    open_file(path).close()  # for its one-line errors: numpy maps by name
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
                series = tiff.series[0]
                # Before the voxels are read: the size of a compressed stack is only a claim.
                if series.nbytes > MAX_BYTES:
                    raise FileError(
                        f"cannot read {os.fspath(path)!r}: it claims {series.nbytes / 2**30:.1f} GiB; up "
                        "to 2 are read. Convert it to .npy, which is not loaded but mapped."
                    )
                axes = series.axes
                description = tiff.pages.first.description
                imagej = tiff.imagej_metadata or {}
                tags = tiff.pages.first.tags
                resolutions = [tags.valueof(name, (0, 0)) for name in ("XResolution", "YResolution")]
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
    voxels = voxels.transpose(2, 1, 0, *range(3, voxels.ndim))
    if not imagej:  # other programs mean dots per inch of paper by a resolution
        return voxels, (1.0, 1.0, 1.0)
    # A resolution is a fraction, of pixels per unit.
    x, y = (units / pixels if pixels and units else 1.0 for pixels, units in resolutions)
    return voxels, (x, y, float(imagej.get("spacing", 1.0)))


def _stretched(voxels: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Return voxels that fit into a volume, and the numbers that are 0 and 1 (or 255) in it."""
    if voxels.dtype == np.uint8:
        return voxels, 0.0, 255.0
    if voxels.dtype == np.bool_:
        return voxels.astype(np.float32), 0.0, 1.0
    if voxels.dtype.kind not in "iuf" or not voxels.size:
        raise ValueError(f"a volume holds numbers; got {voxels.dtype} of shape {voxels.shape}.")
    low = float(np.nanmin(voxels))
    high = float(np.nanmax(voxels))
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError("it holds values that are not finite. Replace them first.")
    # Already a volume: left as it is, a mapped file stays on the disk.
    if voxels.dtype in _PLAIN and low >= 0 and high <= 1:
        return voxels, 0.0, 1.0
    scaled = (voxels.astype(np.float32) - np.float32(low)) / np.float32(high - low or 1.0)
    return scaled, low, high


def _numbers(part: Volume, dtype: np.dtype) -> np.ndarray:
    """Return a part of a volume as the file stores it."""
    if dtype.kind == "u":
        return np.asarray(part)
    return as_values(part).numpy()


def volume_suffix(path: str | os.PathLike[str]) -> str:
    """Return that of `SUFFIXES` with which a file's name ends, in any case; "" for others."""
    name = Path(path).name.lower()
    # The longest first: .nii.gz is not the .gz that pathlib sees.
    return next((suffix for suffix in sorted(SUFFIXES, key=len, reverse=True) if name.endswith(suffix)), "")
