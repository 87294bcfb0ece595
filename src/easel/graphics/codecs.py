"""Picture files ↔ arrays (h, w, c) of the numbers they store: uint8, uint16 or float32, c of 1, 3 or 4.

No number changes on the way, except where a file says that its colours are not sRGB: CMYK becomes RGB, and an 8-bit
file's ICC profile other than sRGB is applied. Reading runs no code from the file and allocates nothing that a header
merely claims. The formats are those of `picture_formats`.
"""

import os
from pathlib import Path
from pkgutil import resolve_name
from typing import BinaryIO

import numpy as np
from PIL import Image

from easel.graphics.files import FileError, open_file
from easel.graphics.picture_formats import FORMATS, SIGNATURE_BYTES, format_of, recognize

_STRANGERS = {b"GIF8": "a GIF", b"%PDF": "a PDF", b"8BPS": "a Photoshop", b"DDS ": "a DDS"}
"""Files that are often taken for pictures of ours, by their first bytes."""

# EXIF orientation → swap the axes, then flip the rows, flip the columns
_ORIENTATIONS = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def decode(path: str | os.PathLike[str]) -> np.ndarray:
    """Return the first picture of a file, upright and contiguous. FileError for whatever is wrong with the file.

    The content decides what the file is, not its name; only Targa, which has no signature, needs its suffix.
    """
    with open_file(path) as file:
        start = file.read(SIGNATURE_BYTES)
        file.seek(0)
        try:
            return _upright(*_read(file, start, Path(path).suffix.lower()))
        except FileError as error:
            reason = str(error)
        except Image.UnidentifiedImageError:
            reason = _damaged("only its beginning makes sense") if recognize(start) else _unknown(file)
        except Exception as error:  # codecs answer damaged bytes with nearly every exception there is
            reason = _damaged(" ".join(str(error).split()) or type(error).__name__)
    raise FileError(f"cannot read {os.fspath(path)!r}: {reason}")


def encode(pixels: np.ndarray, suffix: str, *, quality: int = 95, bits: int = 8) -> bytes:
    """Return a file of float32 pixels (h, w, c) in the format of `suffix`; the same bytes for the same pixels.

    8 and 16-bit formats store round(largest · x) of x clamped to [0,1] and NaN as 0, the others the floats, which are
    half floats in an OpenEXR file of 16 bits.
    """
    form = format_of(suffix)
    assert form is not None, suffix
    return resolve_name(form.writer)(pixels, quality=quality, bits=bits)


def _read(file: BinaryIO, start: bytes, suffix: str) -> tuple[np.ndarray, int]:
    form = recognize(start) or format_of(suffix)
    # A suffix alone is enough for a format that has no signature, and for no other.
    if form is None or (form.signatures and not recognize(start)):
        raise FileError(_unknown(file))
    return resolve_name(form.reader)(file)


def _damaged(detail: str) -> str:
    return f"it is damaged or cut short ({detail}). Copy or export it again."


def _unknown(file: BinaryIO) -> str:
    file.seek(0)
    start = file.read(12)
    came = f"it is no picture (it begins with {start!r})"
    for magic, name in _STRANGERS.items():
        if start.startswith(magic):
            came = f"it is {name} file"
    *names, last = (form.name for form in FORMATS)
    return f"{came}. {', '.join(names)} and {last} are read. Convert it to one of these."


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    swap, flip_rows, flip_columns = _ORIENTATIONS.get(orientation, _ORIENTATIONS[1])
    if swap:
        pixels = pixels.swapaxes(0, 1)
    if flip_rows:
        pixels = pixels[::-1]
    if flip_columns:
        pixels = pixels[:, ::-1]
    # Flips and swaps are views so far; torch takes no negative strides.
    return np.ascontiguousarray(pixels)
