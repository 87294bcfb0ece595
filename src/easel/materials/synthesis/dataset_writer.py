"""Where a dataset's files lie, whether they are whole, and how several processes write them at once.

    input/clean/sample_0000/{0,1,2}.png, views.json      input/dirty/…      input/render_metadata.json
    output/<material>/{albedo,roughness,metallic,normal}.png

A folder appears whole, by being renamed; the metadata is one flat JSON object, sample → material.
"""

import contextlib
import json
import os
import shutil
import struct
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path

from easel.graphics.files import FileError, open_file, write_whole
from easel.materials.dataset.listing import read_metadata
from easel.materials.dataset.views import VIEWS_FILE, read_views_json
from easel.materials.maps import MAP_NAMES

PARTIAL = ".partial"
"""How the name of a folder ends that is not finished; it also begins with a dot."""

_PNG_START, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"


def sample_name(index: int) -> str:
    """The folder of a sample, such as sample_0012."""
    return f"sample_{index:04d}"


def sample_index(name: str) -> int | None:
    """The number in a sample's folder name; None for other names. Any number of digits is read."""
    number = name.removeprefix("sample_")
    return int(number) if name.startswith("sample_") and number.isascii() and number.isdigit() else None


def sample_folders(folder: Path) -> list[Path]:
    """The `sample_*` folders in `input/clean` or `input/dirty`, by name; none where there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.name.startswith("sample_") and path.is_dir())


def whole_photos(folder: Path, seed: int, views: int, size: int) -> bool:
    """Whether a sample's folder holds `views` whole photos of `size` pixels a side and their shots.

    Raises FileError where it is whole but belongs to another run.
    """
    try:
        found = read_views_json(folder / VIEWS_FILE)
    except FileError:
        return False
    sizes = [png_size(folder / shot.file) for shot in found.shots]
    if None in sizes:
        return False
    if found.seed != seed or len(sizes) != views or set(sizes) != {(size, size)}:
        raise FileError(
            f"{folder} holds {len(sizes)} photos of {sizes[0]} pixels by seed {found.seed}; this run makes {views} of "
            f"({size}, {size}) by seed {seed}. Name another folder, repeat that run's options, or continue after it."
        )
    return True


def whole_maps(folder: Path) -> bool:
    """Whether a material's folder holds the four maps as whole PNG files."""
    return all(png_size(folder / f"{name}.png") is not None for name in MAP_NAMES)


def png_size(path: Path) -> tuple[int, int] | None:
    """(width, height) of a PNG file that ends as one does; None for anything else. Its pixels are not looked at."""
    try:
        with open_file(path) as file:
            start = file.read(24)
            file.seek(-len(_PNG_END), os.SEEK_END)
            end = file.read()
    except (FileError, OSError):
        return None
    if len(start) < 24 or not start.startswith(_PNG_START) or end != _PNG_END:
        return None
    width, height = struct.unpack(">II", start[16:24])
    return width, height


@contextlib.contextmanager
def appearing(folder: Path, owner: str) -> Generator[Path]:
    """A folder to fill, which takes the name of `folder` when the block ends well, in place of what was there.

    `owner` tells this process's work from others'. What a killed process of the same owner left is removed.
    """
    partial = partial_of(folder, owner)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        shutil.rmtree(folder, ignore_errors=True)
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def partial_of(folder: Path, owner: str) -> Path:
    """What `folder` is called while `owner` fills it."""
    return folder.with_name(f".{folder.name}.{owner}{PARTIAL}")


def merge_metadata(path: Path, found: Mapping[str, str]) -> None:
    """Add samples and their materials to the metadata file, also while other processes do; known ones stay as they are.

    FileError where the file that is there is no metadata.
    """
    if not found:
        return
    with locked(path.parent):
        known = read_metadata(path) if path.exists() else {}
        merged = {**found, **known}
        if merged != known:
            with write_whole(path) as partial:
                partial.write_text(json.dumps(merged, indent=2, sort_keys=True) + "\n", encoding="utf-8")


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time; the lock goes with the process, however that ends."""
    try:
        import fcntl
    except ImportError:
        with _locked_on_windows(folder):
            yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _locked_on_windows(folder: Path) -> Iterator[None]:
    """A file stands for the folder, which cannot be opened there."""
    import msvcrt

    with (folder / ".lock").open("a") as file:
        file.seek(0)
        # tries for ten seconds, then raises OSError
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # pyright: ignore[reportAttributeAccessIssue] - Windows only
        try:
            yield
        finally:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)  # pyright: ignore[reportAttributeAccessIssue]
