"""Pictures of a dataset, read patiently and looked at before they are needed.

What is wrong with a file should be known when a dataset is opened, not after hours of training, yet opening it must
not decode gigabytes: a PNG tells its size and channels in its first bytes, and whether it is whole in its last.
"""

import os
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from easel.graphics.codecs import decode
from easel.graphics.files import FileError, check_pixels
from easel.graphics.image import as_picture

RETRIES = 3
"""Times that a read is tried again after an error of the disk."""
PAUSE_SECONDS = 0.1
"""Before the first retry; twice that before the second, and so on."""

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
"""Colour type → channels. PNG specification, section 11.2.1."""
_EMPTY_BYTES_PER_PIXEL = 0.05
"""Below this a PNG may be of one colour, which zlib stores in a thousandth of a byte per pixel."""

T = TypeVar("T")


def patiently(read: Callable[[], T], pause: Callable[[float], object] = time.sleep) -> T:
    """What `read` returns; after an OSError, as shared disks give under load, it is called again up to `RETRIES` times.

    A file that is not there, or not to be read, will not come by waiting: these errors pass at once.
    """
    for attempt in range(1, RETRIES + 1):
        try:
            return read()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError):
            raise
        except OSError:
            pause(PAUSE_SECONDS * attempt)
    return read()


def read_pixels(path: Path) -> np.ndarray:
    """The numbers (h, w, c) that a picture file stores: uint8, uint16 or float32.

    FileError for a file that is damaged, cut short or no picture, FileNotFoundError for one that is not there, OSError
    for a disk that keeps failing.
    """
    # Decoders answer a disk's errors and damaged bytes alike. Whoever has read the file to its end knows which it is.
    patiently(path.read_bytes)
    return decode(path)


def read_photo(path: Path) -> tuple[Float[Tensor, "3 h w"], torch.dtype]:
    """A photo in sRGB [0, 1] without its alpha, and the narrowest dtype that holds its numbers: uint8 or uint16."""
    pixels = read_pixels(path)
    if pixels.shape[-1] < 3:
        raise FileError(f"cannot use {str(path)!r}: a photo has 3 channels, this file has 1. Save it as RGB.")
    picture = as_picture(pixels)[..., :3].clamp(0, 1)
    return picture.movedim(-1, 0).contiguous(), torch.uint8 if pixels.dtype == np.uint8 else torch.uint16


def check_picture(path: Path, least_channels: int, *, is_normal: bool = False) -> None:
    """Refuse, by the errors of `read_pixels`, a file that could not be used.

    A PNG is judged by its first and last bytes where these are in order; all else is decoded.
    """
    channels, blank = patiently(lambda: _glance(path))
    if channels is None or (is_normal and blank):
        pixels = read_pixels(path)
        channels = pixels.shape[-1]
        if is_normal and not pixels[..., :3].any():
            raise FileError(f"cannot use {str(path)!r}: every normal in it is zero. Bake or render it again.")
    if channels < least_channels:
        raise FileError(
            f"cannot use {str(path)!r}: {path.stem} needs {least_channels} channels, this file has {channels}. "
            "Save it as RGB."
        )


def _glance(path: Path) -> tuple[int | None, bool]:
    """How many channels a whole PNG has, None for what must be decoded to tell, and whether it may be blank."""
    with path.open("rb") as file:
        head = file.read(26)
        size_bytes = file.seek(0, os.SEEK_END)
        file.seek(max(0, size_bytes - len(_PNG_END)))
        if not head.startswith(_PNG) or len(head) < 26 or file.read() != _PNG_END:
            return None, False
    width, height, _, colour_type = struct.unpack(">IIBB", head[16:26])
    try:
        check_pixels(width, height)
    except FileError as error:
        raise FileError(f"cannot read {str(path)!r}: {error}") from None
    return _PNG_CHANNELS.get(colour_type), size_bytes < _EMPTY_BYTES_PER_PIXEL * width * height + 200
