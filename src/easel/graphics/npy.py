"""NumPy arrays as pictures: `.npy` files of a picture's shape, never a pickle."""

import io
import os
from typing import BinaryIO

import numpy as np

from easel.graphics.files import FileError, check_pixels


def read_npy(file: BinaryIO) -> tuple[np.ndarray, int]:
    """Return an array (h, w) or (h, w, c) as pixels (h, w, c), floats as float32, and orientation 1.

    FileError for another shape or integers that have no white, ValueError for a file that is cut short.
    """
    # By hand, not numpy.load: its header is read before anything is allocated, and objects are never unpickled.
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_2_0
    if version == (1, 0):
        read_header = np.lib.format.read_array_header_1_0
    shape, is_fortran, dtype = read_header(file)
    channels = (*shape, 1)[2] if len(shape) in (2, 3) else 0
    if channels not in (1, 3, 4):
        raise FileError(f"it holds an array of shape {shape}. Pictures are (H, W) or (H, W, C), C of 1, 3 or 4.")
    native = dtype.newbyteorder("=")
    if dtype.kind != "f" and native not in (np.uint8, np.uint16, np.bool_):
        raise FileError(f"it holds {dtype} values. Store floats in [0,1], uint8 or uint16; labels fit no picture.")
    check_pixels(shape[1], shape[0])
    size_bytes = shape[0] * shape[1] * channels * dtype.itemsize
    # Before memory of that size is taken: the header may claim anything.
    if size_bytes > os.fstat(file.fileno()).st_size - file.tell():
        raise ValueError(f"it is too short for {shape} {dtype} values")
    order = "F" if is_fortran else "C"
    pixels = np.frombuffer(file.read(size_bytes), dtype).reshape((*shape[:2], channels), order=order)
    if dtype == np.bool_:
        return pixels.astype(np.uint8) * 255, 1
    return pixels.astype(np.float32 if dtype.kind == "f" else native), 1


def write_npy(pixels: np.ndarray, **_: int) -> bytes:
    """Return a file of the float32 pixels as they are."""
    file = io.BytesIO()
    np.save(file, pixels)
    return file.getvalue()
