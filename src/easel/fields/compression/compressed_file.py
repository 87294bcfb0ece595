"""Compressed pictures as bytes: a short header, then what the entropy coder made.

    magic 4s · version B · kind B · CRC-32 of all that follows I · height I · width I · channels B · hidden units B ·
    step H · colour matrix h… · mean colour h… · reconstruction offsets b… · payload

Numbers are little-endian. The suffix of such files is `.easel`. Whatever a file claims is checked before anything of
its size is made, and nothing in it can run.
"""

import os
import struct
import zlib
from itertools import pairwise

import numpy as np

from easel.fields.compression import band_coding, detail_network, quantization
from easel.fields.compression.detail_network import DetailNetwork
from easel.fields.compression.picture import NETWORK_PIXELS, Colours, CompressedPicture, halvings
from easel.fields.compression.quantization import Offsets
from easel.graphics.files import FileError, check_pixels, open_file, write_whole

SUFFIX = ".easel"
MAGIC, VERSION = b"EASL", 1
PICTURE, WEIGHTS = 1, 2
"""Kinds of content."""
LIMIT_BYTES = 2**30
"""Larger files are not read."""
_FRONT = struct.Struct("<4sBBI")
_PICTURE = struct.Struct("<IIBBH")
_OFFSETS = quantization.LEVELS * quantization.SIZES


def frame(kind: int, body: bytes) -> bytes:
    """A whole file of that content."""
    return _FRONT.pack(MAGIC, VERSION, kind, zlib.crc32(body)) + body


def unframe(data: bytes) -> tuple[int, bytes]:
    """(kind, content) of a file; ValueError for anything else."""
    if len(data) < _FRONT.size or data[:4] != MAGIC:
        raise ValueError("it is no compressed field")
    _, version, kind, checksum = _FRONT.unpack_from(data)
    if version > VERSION:
        raise ValueError(f"it has format {version}, of a newer Easel; this one reads up to {VERSION}. Update Easel")
    body = data[_FRONT.size :]
    if version < 1 or zlib.crc32(body) != checksum:
        raise ValueError("it is cut short or altered: its checksum does not match")
    if kind not in (PICTURE, WEIGHTS):
        raise ValueError(f"it holds a content of kind {kind}, which is none of this format")
    return kind, body


def file_bytes(coded: CompressedPicture) -> int:
    """Bytes of the file of this picture."""
    channels = len(coded.colours.mean)
    return _FRONT.size + _PICTURE.size + 2 * channels * (channels + 1) + _OFFSETS + len(coded.payload)


def pack(coded: CompressedPicture) -> bytes:
    """A picture as the bytes of a file."""
    channels = len(coded.colours.mean)
    head = _PICTURE.pack(*coded.size, channels, coded.network.hidden, coded.step)
    numbers = (coded.colours.matrix.astype("<i2"), coded.colours.mean.astype("<i2"), coded.offsets.parts)
    return frame(PICTURE, head + b"".join(array.tobytes() for array in numbers) + coded.payload)


def unpack(data: bytes) -> CompressedPicture:
    """The inverse of `pack`; ValueError, of one line, for anything else."""
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
    ends = np.cumsum([_PICTURE.size, 2 * channels * channels, 2 * channels, _OFFSETS])
    if len(body) < ends[-1]:
        raise ValueError("it is too short for a header")
    matrix, mean, offsets = (body[start:end] for start, end in pairwise(ends))
    size, network = (height, width), np.zeros(detail_network.weight_count(hidden, channels), np.int32)
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
    """What `write` wrote; whatever is wrong with the file is a FileError of one line."""
    try:
        return unpack(read_bytes(path))
    except ValueError as error:
        raise FileError(f"cannot read {os.fspath(path)!r}: {error}.") from None


def kind_of(path: str | os.PathLike[str]) -> int:
    """PICTURE or WEIGHTS; whatever is wrong with the file is a FileError of one line."""
    try:
        return unframe(read_bytes(path))[0]
    except ValueError as error:
        raise FileError(f"cannot read {os.fspath(path)!r}: {error}.") from None


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """All bytes of a file of reasonable size."""
    with open_file(path) as file:
        if (size := os.fstat(file.fileno()).st_size) > LIMIT_BYTES:
            raise FileError(f"cannot read {os.fspath(path)!r}: it has {size:,} bytes; up to {LIMIT_BYTES:,} are read.")
        return file.read()
