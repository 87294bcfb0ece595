"""Numbered picture files in a folder that has its name only when it is complete."""

import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from easel.graphics.files import FileError

Pixels = UInt8[np.ndarray, "h w 3"]


@contextmanager
def write_sequence(path: Path, save: Callable[[Path, Pixels], object]) -> Iterator[Callable[[Pixels, int], None]]:
    """Yield a function that appends a picture `count` times to numbered files.

    Their folder, `path` without suffix, has its name when the block ends well; else nothing is left. FileError where
    the place cannot be written or holds other files.
    """
    folder = path.with_suffix("")
    _check_replaceable(folder, path)
    partial = _new_folder(folder)
    written = 0

    def append(pixels: Pixels, count: int) -> None:
        nonlocal written
        for number in range(written, written + count):
            save(partial / f"{path.stem}-{number:06d}{path.suffix}", pixels)
        written += count

    try:
        yield append
        if not folder.exists():
            partial.replace(folder)
            return
        # A folder cannot replace one that holds files: the old one steps aside first.
        old = folder.with_name(f".{secrets.token_hex(8)}")
        folder.replace(old)
        partial.replace(folder)
        shutil.rmtree(old)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check_replaceable(folder: Path, path: Path) -> None:
    """Refuse to replace a folder that holds anything but an earlier sequence of the same name."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise FileError(f"cannot write {str(folder)!r}: it is a file, a sequence is a folder. Choose another name.")
    # Only numbered files of this very name: a typing error must not cost a folder of photographs.
    own = re.compile(rf"{re.escape(path.stem)}-\d+{re.escape(path.suffix)}")
    stranger = next((name for name in os.listdir(folder) if not own.fullmatch(name)), None)
    if stranger is not None:
        raise FileError(f"cannot write {str(folder)!r}: the folder holds {stranger!r}. Choose another name.")


def _new_folder(sibling: Path) -> Path:
    """Make an empty folder with a name of its own beside `sibling`. FileError for what is wrong with the place."""
    partial = sibling.with_name(f".{secrets.token_hex(8)}")
    try:
        partial.mkdir(parents=True)
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        reason = f"{error.strerror}. Choose a folder where you may write."
        raise FileError(f"cannot write {str(sibling)!r}: {reason}") from None
    return partial
