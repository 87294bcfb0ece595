"""Picture files of a dataset, checked when it is opened and read patiently later.

What is wrong with a file should be known when a dataset is opened, not after hours of training, yet opening it must
not decode gigabytes: a PNG tells its size and channels in its first bytes, and whether it is whole in its last.
"""

import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from easel.graphics.codecs import decode
from easel.graphics.files import FileError, check_pixels
from easel.graphics.image import as_picture

PHOTO_CHANNELS = 3
"""The least channels of a photo; a fourth, alpha, is dropped."""

RETRIES = 3
"""Further attempts to read after an error of the disk."""
PAUSE_SECONDS = 0.1
"""Pause before the first retry; twice that before the second, and so on."""

_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
"""Colour type → channels. PNG specification, section 11.2.1."""
_EMPTY_BYTES_PER_PIXEL = 0.05
"""Below this a PNG may be of one colour, which zlib stores in a thousandth of a byte per pixel."""
_HEADER_BYTES = 200
"""Bytes of a PNG that are no pixels, about."""

T = TypeVar("T")


def patiently(read: Callable[[], T], pause: Callable[[float], object] = time.sleep) -> T:
    """Call `read`, again up to `RETRIES` times after an OSError, as shared disks give under load; return its result.

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
    """Return the numbers (h, w, c) that a picture file stores: uint8, uint16 or float32.

    FileError for a file that is damaged, cut short or no picture, FileNotFoundError for one that is not there, OSError
    for a disk that keeps failing.
    """
    # Decoders answer a disk's errors and damaged bytes alike. Whoever has read the file to its end knows which it is.
    patiently(path.read_bytes)
    return decode(path)


def read_photo(path: Path) -> tuple[Float[Tensor, "3 h w"], torch.dtype]:
    """Return a photo in sRGB [0, 1] without its alpha, and the narrower of uint8 and uint16 that holds its numbers."""
    pixels = read_pixels(path)
    if pixels.shape[-1] < PHOTO_CHANNELS:
        raise FileError(f"cannot use {str(path)!r}: a photo has 3 channels, this file has 1. Save it as RGB.")
    picture = as_picture(pixels)[..., :PHOTO_CHANNELS].clamp(0, 1)
    return picture.movedim(-1, 0).contiguous(), torch.uint8 if pixels.dtype == np.uint8 else torch.uint16


def check_picture(path: Path, least_channels: int, *, is_normal: bool = False) -> None:
    """Refuse, by the errors of `read_pixels`, a file that could not be used.

    A PNG is judged by its first and last bytes where these are in order; all else is decoded.
    """
    header = patiently(lambda: png_header(path))
    if header is None or header.channels is None or (is_normal and header.may_be_blank):
        pixels = read_pixels(path)
        channels = pixels.shape[-1]
        if is_normal and not pixels[..., :3].any():
            raise FileError(f"cannot use {str(path)!r}: every normal in it is zero. Bake or render it again.")
    else:
        channels = header.channels
        try:
            check_pixels(header.width, header.height)
        except FileError as error:
            raise FileError(f"cannot read {str(path)!r}: {error}") from None
    if channels < least_channels:
        raise FileError(
            f"cannot use {str(path)!r}: {path.stem} needs {least_channels} channels, this file has {channels}. "
            "Save it as RGB."
        )


@dataclass(frozen=True)
class PngHeader:
    """First bytes of a PNG file that ends as one does."""

    width: int
    height: int
    channels: int | None
    """None for a colour type that PNG does not know."""
    size_bytes: int
    """Length of the file."""

    @property
    def may_be_blank(self) -> bool:
        """True for a file so short that all its pixels may be of one colour."""
        return self.size_bytes < _EMPTY_BYTES_PER_PIXEL * self.width * self.height + _HEADER_BYTES


def png_header(path: Path) -> PngHeader | None:
    """Read the first and the last bytes of a PNG file; None for one cut short and for other files. OSError passes."""
    with path.open("rb") as file:
        head = file.read(26)
        size_bytes = file.seek(0, os.SEEK_END)
        file.seek(max(0, size_bytes - len(_PNG_END)))
        if not head.startswith(_PNG_START) or len(head) < 26 or file.read() != _PNG_END:
            return None
    width, height, _, colour_type = struct.unpack(">IIBB", head[16:26])
    return PngHeader(width, height, _PNG_CHANNELS.get(colour_type), size_bytes)
