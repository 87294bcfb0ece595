"""Files from anywhere: opened with a one-line error, bounded, and written whole or not at all."""

import errno
import json
import math
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


class FileError(RuntimeError):
    """A file cannot be read or written because of what it is, where it is or what it is called.

    The message is one line: what came, what fits, what to do. A fault of the machine, such as a full disk, stays
    the `OSError` that it is.
    """


# Answers of the system that blame the path; every other errno (ENOSPC, EDQUOT, EIO, EFBIG ...) blames the machine.
_PATH_FAULTS = frozenset(
    {
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.EEXIST,
        errno.ENAMETOOLONG,
        errno.ELOOP,
        errno.EINVAL,
    }
)


MAX_PIXELS = 2**26
"""Most pixels of a picture file, 8192 x 8192: 1 GiB as a float32 RGBA picture."""


def check_pixels(width: int, height: int) -> None:
    """Raise FileError for a size that a header claims, before anything of that size is allocated."""
    if width * height > MAX_PIXELS:
        raise too_large(f"{width} x {height} pixels")
    if width <= 0 or height <= 0:
        raise FileError(f"it claims {width} x {height} pixels, which is no picture. Export it again.")


def too_large(claim: str) -> FileError:
    """Return the error for a file with too large a `claim`, such as "70000 x 70000 pixels"."""
    return FileError(f"it claims {claim}; up to {MAX_PIXELS:,} (8192 x 8192) are read. Shrink it first.")


def open_file(path: str | os.PathLike[str]) -> BinaryIO:
    """Open an existing, readable, non-empty regular file for reading bytes. FileError for anything else."""
    path = Path(path)
    cannot = f"cannot read {str(path)!r}"
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise FileError(f"{cannot}: it is a folder. Name a file inside it.")
        # A pipe would block for ever, a device never ends.
        if not stat.S_ISREG(status.st_mode):
            raise FileError(f"{cannot}: it is a device or a pipe, not a file. Copy its content to a file first.")
        if status.st_size == 0:
            raise FileError(f"{cannot}: it is empty (0 bytes). Copy or export it again.")
        return path.open("rb")
    except FileNotFoundError:
        raise FileError(f"{cannot}: there is no such file. Check the name and the folder.") from None
    except PermissionError:
        raise FileError(f"{cannot}: permission denied. Ask for read access, or copy it to a folder of yours.") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the name
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{cannot}: {reason}. Check the name and the folder.") from None


@contextmanager
def write_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary sibling of `path`, with the same suffix, to be written in the block.

    When the block ends well the sibling takes the final name in one step; when it fails, by whatever exception, the
    sibling is removed and what `path` held before is untouched. Missing parent folders are created. A path that
    cannot be written is a `FileError`, before the block runs.
    """
    final, partial = _prepare(path)
    try:
        yield partial
        # On the disk before it has the name: otherwise a power failure could leave the name on an empty file.
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        if final.exists():
            with suppress(PermissionError):  # some network disks have no modes to set
                partial.chmod(stat.S_IMODE(final.stat().st_mode))
        partial.replace(final)
    except OSError as error:
        # A failed write knows only its descriptor, and the sibling's name says nothing to the user.
        error.filename = str(path)
        raise
    finally:
        partial.unlink(missing_ok=True)


def _prepare(path: str | os.PathLike[str]) -> tuple[Path, Path]:
    """Return the real final path and a freshly created empty sibling."""
    cannot = f"cannot write {str(path)!r}"
    try:
        # Through symbolic links: what they point at is replaced, the link stays.
        final = Path(os.path.realpath(path))
        if final.is_dir():
            raise FileError(f"{cannot}: it is a folder. Name a file inside it.")
        if final.exists() and not final.is_file():
            raise FileError(f"{cannot}: it is a device or a pipe. Name a regular file.")
        if final.exists() and not os.access(final, os.W_OK):
            raise FileError(f"{cannot}: the file is write-protected. Choose another name or unprotect it.")
        final.parent.mkdir(parents=True, exist_ok=True)
        # Beside it: only within one file system is a rename one step. Hidden, and with the suffix that writers expect.
        partial = final.with_name(f".{secrets.token_hex(8)}{final.suffix}")
        partial.touch(exist_ok=False)
        return final, partial
    except OSError as error:
        if error.errno not in _PATH_FAULTS:
            raise
        reason = error.strerror
        if error.errno in (errno.EEXIST, errno.ENOTDIR):
            reason = "what should be its folder is a file"
        raise FileError(f"{cannot}: {reason}. Choose a folder where you may write.") from None
    except ValueError as error:  # a NUL byte in the name
        raise FileError(f"{cannot}: {error}. Choose another name.") from None


def write_json(path: str | os.PathLike[str], record: Mapping[str, object], *, indent: int = 1) -> None:
    """Write a record as JSON, whole or not at all; its own values that are infinite or NaN become null.

    Raises ValueError for such numbers deeper inside.
    """
    # JSON knows neither; a perfect fit has an infinite PSNR.
    told = {name: None if _is_beyond(value) else value for name, value in record.items()}
    with write_whole(path) as partial:
        partial.write_text(json.dumps(told, indent=indent, allow_nan=False) + "\n", encoding="utf-8")


def _is_beyond(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
