"""Files of compressed pictures: a short header, then the bytes of the entropy coder.

    magic 4s · version B · kind B · CRC-32 of all that follows I · height I · width I · channels B · hidden units B ·
    step H · colour matrix h… · mean colour h… · reconstruction offsets b… · payload

Numbers are little-endian. The suffix of such files is `.easel`. Whatever a file claims is checked before anything of
its size is made, and nothing in it can run.
"""

import os
import struct
import zlib
from collections.abc import Callable
from itertools import pairwise
from typing import TypeVar

import numpy as np

from easel.fields.compression import band_coding, detail_network, quantization
from easel.fields.compression.detail_network import DetailNetwork
from easel.fields.compression.picture import NETWORK_PIXELS, Colours, CompressedPicture, halvings
from easel.fields.compression.quantization import Offsets
from easel.graphics.files import FileError, check_pixels, open_file, write_whole

Content = TypeVar("Content")

SUFFIX = ".easel"
MAGIC = b"EASL"
VERSION = 1
PICTURE = 1
"""Kind of a file that holds a picture."""
WEIGHTS = 2
"""Kind of a file that holds the weights of a fitted field."""
LIMIT_BYTES = 2**30
"""Largest file that is read."""
_FRONT = struct.Struct("<4sBBI")
_PICTURE = struct.Struct("<IIBBH")
_OFFSETS = quantization.LEVELS * quantization.SIZES


def frame(kind: int, body: bytes) -> bytes:
    """Return a whole file of that content."""
    return _FRONT.pack(MAGIC, VERSION, kind, zlib.crc32(body)) + body


def unframe(data: bytes) -> tuple[int, bytes]:
    """Return (kind, content) of a file; ValueError for anything else."""
    if len(data) < _FRONT.size or data[:4] != MAGIC:
        raise ValueError("it is no compressed field")
    _, version, kind, checksum = _FRONT.unpack_from(data)
    if version > VERSION:
        raise ValueError(f"it has format {version}, of a newer Easel; this one reads up to {VERSION}. Update Easel")
    body = data[_FRONT.size :]
    # The checksum before all else: behind it, damage would decode into another picture instead of an error.
    if version < 1 or zlib.crc32(body) != checksum:
        raise ValueError("it is cut short or altered: its checksum does not match")
    if kind not in (PICTURE, WEIGHTS):
        raise ValueError(f"it holds a content of kind {kind}, which is none of this format")
    return kind, body


def file_bytes(coded: CompressedPicture) -> int:
    """Return the bytes of the file of this picture, without writing it."""
    channels = len(coded.colours.mean)
    return _FRONT.size + _PICTURE.size + 2 * channels * (channels + 1) + _OFFSETS + len(coded.payload)


def pack(coded: CompressedPicture) -> bytes:
    """Return a picture as the bytes of a file."""
    channels = len(coded.colours.mean)
    head = _PICTURE.pack(*coded.size, channels, coded.network.hidden, coded.step)
    numbers = (coded.colours.matrix.astype("<i2"), coded.colours.mean.astype("<i2"), coded.offsets.parts)
    return frame(PICTURE, head + b"".join(array.tobytes() for array in numbers) + coded.payload)


def unpack(data: bytes) -> CompressedPicture:
    """Return the picture of such bytes; ValueError, of one line, for anything else."""
    kind, body = unframe(data)
    if kind != PICTURE:
        raise ValueError("it holds the weights of a fitted field, not a picture")
    if len(body) < _PICTURE.size:
        raise ValueError("it is too short for a header")
    height, width, channels, hidden, step = _PICTURE.unpack_from(body)
    if channels not in (1, 3, 4) or step == 0:
        raise ValueError(f"it claims {channels} channels and a step of {step}; there are 1, 3 or 4, and steps from 1")
    try:
        check_pixels(width, height)
    except FileError as error:
        raise ValueError(str(error).rstrip(".")) from None
    if hidden and height * width > NETWORK_PIXELS:
        raise ValueError(f"it claims a network for {width} x {height} pixels; up to {NETWORK_PIXELS:,} have one")
    # Lengths follow from the checked header alone, so no offset in the file can point elsewhere.
    ends = np.cumsum([_PICTURE.size, 2 * channels * channels, 2 * channels, _OFFSETS])
    if len(body) < ends[-1]:
        raise ValueError("it is too short for a header")
    matrix, mean, offsets = (body[start:end] for start, end in pairwise(ends))
    size = (height, width)
    network = np.zeros(detail_network.weight_count(hidden, channels), np.int32)
    # At most MAX_PIXELS numbers a channel, checked above, whatever the payload holds.
    bands = band_coding.no_bands(channels, size, halvings(size))
    band_coding.decode(body[ends[-1] :], bands, network)
    return CompressedPicture(
        size,
        Colours(
            np.frombuffer(matrix, "<i2").astype(np.int16).reshape(channels, channels),
            np.frombuffer(mean, "<i2").astype(np.int16),
        ),
        step,
        bands,
        Offsets(np.frombuffer(offsets, np.int8).reshape(quantization.LEVELS, quantization.SIZES)),
        DetailNetwork(hidden, network),
    )


def write(path: str | os.PathLike[str], coded: CompressedPicture) -> None:
    """Write a picture, whole or not at all."""
    with write_whole(path) as partial:
        partial.write_bytes(pack(coded))


def read(path: str | os.PathLike[str]) -> CompressedPicture:
    """Read a picture that `write` wrote. FileError, of one line, for whatever is wrong with the file."""
    return read_as(unpack, path)


def kind_of(path: str | os.PathLike[str]) -> int:
    """Return PICTURE or WEIGHTS. FileError, of one line, for whatever is wrong with the file."""
    return read_as(unframe, path)[0]


def read_as(unpack: Callable[[bytes], Content], path: str | os.PathLike[str]) -> Content:
    """Return the content that `unpack` finds in a file's bytes; its ValueError becomes a FileError."""
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > LIMIT_BYTES:
            raise FileError(f"cannot read {os.fspath(path)!r}: it has {size:,} bytes; up to {LIMIT_BYTES:,} are read.")
        data = file.read()
    try:
        return unpack(data)
    except ValueError as error:
        raise FileError(f"cannot read {os.fspath(path)!r}: {str(error).rstrip('.')}.") from None
