"""NIfTI-1 files of medical volumes: `.nii`, or compressed `.nii.gz`.

The layout is that of nifti1.h (Cox et al. 2004): a header of 348 bytes whose first number tells the byte order, then,
from `vox_offset` on, voxels with X fastest. Axes are put in the order and direction closest to right, front and up.
"""

import gzip
import math
import os
import struct
import zlib
from collections.abc import Callable
from typing import Literal

import numpy as np
from jaxtyping import Float64

from easel.graphics.files import FileError, open_file

MAX_BYTES = 2**31
"""Most bytes of the voxels of one file."""
_HEADER_BYTES = 348
_MOST_EXTENSION_BYTES = 2**24
_TYPES = {
    2: "u1",
    4: "i2",
    8: "i4",
    16: "f4",
    64: "f8",
    128: ("u1", 3),  # RGB
    256: "i1",
    512: "u2",
    768: "u4",
    2304: ("u1", 4),  # RGBA
}


def read_nifti(path: str | os.PathLike[str]) -> tuple[np.ndarray, tuple[float, float, float]]:
    """Return the voxels (X, Y, Z) or (X, Y, Z, C) in their own numbers, and a voxel's sides, mostly in millimetres.

    X runs to the right, Y to the front, Z up. Numbers are scaled as the header says, which makes them float32. Of a
    series the first volume is read. FileError for what is damaged, too large or not understood.
    """
    with open_file(path) as file:
        try:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if not packed:
                return _read(file.read)
            with gzip.GzipFile(fileobj=file) as unpacked:
                return _read(unpacked.read)
        except FileError as error:
            raise FileError(f"cannot read {os.fspath(path)!r}: {error}") from None
        except (OSError, EOFError, zlib.error) as error:
            raise FileError(f"cannot read {os.fspath(path)!r}: it is damaged ({error}). Copy it again.") from None


def _read(read: Callable[[int], bytes]) -> tuple[np.ndarray, tuple[float, float, float]]:
    header = read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES or header[344:348] not in (b"n+1\0", b"ni1\0"):
        raise FileError("it is no NIfTI-1 file. Convert it to .nii, for instance with dcm2niix.")
    if header[344:348] == b"ni1\0":
        raise FileError("its voxels are in a second file (.img). Save header and voxels as one .nii file.")
    # The first number is the header's own length: only in the right byte order it reads 348.
    order: Literal["<", ">"] = "<"
    if header.startswith(struct.pack(">i", _HEADER_BYTES)):
        order = ">"
    elif not header.startswith(struct.pack("<i", _HEADER_BYTES)):
        raise FileError("its header is damaged: it does not tell its byte order. Copy it again.")
    rank, *dims = struct.unpack_from(f"{order}8h", header, 40)
    code = struct.unpack_from(f"{order}h", header, 70)[0]
    sides = struct.unpack_from(f"{order}8f", header, 76)
    offset, slope, intercept = struct.unpack_from(f"{order}3f", header, 108)
    if not 1 <= rank <= 7 or min(dims[:rank]) < 1:
        raise FileError(f"its header is damaged: it claims {rank} axes of {dims[: max(min(rank, 7), 0)]} samples.")
    if code not in _TYPES:
        raise FileError(f"its voxels have the type number {code}; numbers of 8 to 64 bits and RGB are read.")
    shape = (*dims[:rank], 1, 1)[:3]
    dtype = np.dtype(_TYPES[code]).newbyteorder(order)
    size = math.prod(shape) * dtype.itemsize
    if size > MAX_BYTES:
        raise FileError(f"it claims {' x '.join(map(str, shape))} voxels, {size / 2**30:.1f} GiB; up to 2 are read.")
    # The offset is a float: it may be NaN, or lead to reading for ever.
    if not (math.isfinite(offset) and _HEADER_BYTES <= offset <= _MOST_EXTENSION_BYTES):
        raise FileError(f"its header is damaged: it claims that voxels begin at byte {offset:g}.")
    read(int(offset) - _HEADER_BYTES)  # not seek: a compressed stream cannot
    data = read(size)
    if len(data) < size:
        raise FileError(f"it ends after {len(data):,} of {size:,} bytes of voxels. Copy it again.")
    # The fields of a channel type become the last axis; X is the fastest axis of the file.
    voxels = np.frombuffer(data, dtype.base).reshape(*shape[::-1], *dtype.shape)
    voxels = voxels.transpose(2, 1, 0, *range(3, voxels.ndim)).astype(dtype.base.newbyteorder("="), copy=False)
    # A slope of 0 means none (nifti1.h).
    if math.isfinite(slope) and math.isfinite(intercept) and slope != 0 and (slope, intercept) != (1, 0):
        voxels = voxels.astype(np.float32) * np.float32(slope) + np.float32(intercept)
    spacing = tuple(abs(side) if 0 < abs(side) < math.inf else 1.0 for side in sides[1:4])
    return _towards_right_front_up(voxels, spacing, _directions(header, order))


def _directions(header: bytes, order: str) -> Float64[np.ndarray, "3 3"]:
    """Return a matrix whose column k is the direction, in right, front and up, of the file's k-th axis."""
    quaternion_code, affine_code = struct.unpack_from(f"{order}2h", header, 252)
    matrix = np.eye(3)
    # nifti1.h, method 3 before method 2: an affine matrix is the later and the more exact statement.
    if affine_code > 0:
        matrix = np.array(struct.unpack_from(f"{order}12f", header, 280), np.float64).reshape(3, 4)[:, :3]
    elif quaternion_code > 0:
        # Method 2: a unit quaternion whose real part is not stored, and the sign of the third axis in pixdim[0].
        b, c, d = struct.unpack_from(f"{order}3f", header, 256)
        flip = -1.0 if struct.unpack_from(f"{order}f", header, 76)[0] < 0 else 1.0
        a = math.sqrt(max(1 - b * b - c * c - d * d, 0.0))
        matrix = np.array(
            [
                [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
                [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
                [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
            ]
        ) * np.array([1, 1, flip])
    if np.isfinite(matrix).all() and np.abs(np.linalg.det(matrix)) > 0:
        return matrix
    return np.eye(3)


def _towards_right_front_up(
    voxels: np.ndarray, spacing: tuple[float, ...], directions: Float64[np.ndarray, "3 3"]
) -> tuple[np.ndarray, tuple[float, float, float]]:
    remaining = [0, 1, 2]
    axes = []
    # Each direction of the world takes the axis nearest to it of those that are left: oblique scans are not resampled.
    for world in range(3):
        axis = max(remaining, key=lambda k: abs(directions[world, k]))
        remaining.remove(axis)
        axes.append(axis)
    turned = voxels.transpose(*axes, *range(3, voxels.ndim))
    for world, axis in enumerate(axes):
        if directions[world, axis] < 0:
            turned = np.flip(turned, world)
    x, y, z = (spacing[axis] for axis in axes)
    return turned, (x, y, z)
