"""Files of a dataset as several processes write them at once: their names, whether they are whole, locks.

    input/clean/sample_0000/{0,1,2}.png, views.json      input/dirty/…      input/render_metadata.json
    output/<material>/{albedo,roughness,metallic,normal}.png

A folder appears whole, by being renamed; the metadata is one flat JSON object, sample → material.
"""

import contextlib
import json
import os
import re
import shutil
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path

from easel.graphics.files import FileError, write_whole
from easel.materials.dataset.listing import read_metadata
from easel.materials.dataset.reading import png_header
from easel.materials.dataset.views import VIEWS_FILE, read_views_json
from easel.materials.maps import MAP_NAMES

PARTIAL = ".partial"
"""Suffix of a folder that is not finished; its name also begins with a dot."""


def sample_name(index: int) -> str:
    """Return the folder of a sample, such as sample_0012."""
    return f"sample_{index:04d}"


def sample_index(name: str) -> int | None:
    """Return the number in a sample's folder name, of any number of digits; None for other names."""
    found = re.fullmatch(r"sample_([0-9]+)", name)
    return found and int(found[1])


def subfolders(folder: Path) -> list[Path]:
    """Return the folders directly in a folder, by name; none where there is no such folder."""
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def whole_photos(folder: Path, seed: int, views: int, size: int) -> bool:
    """Return True where a sample's folder holds `views` whole photos of `size` pixels a side and their shots.

    FileError where it is whole but belongs to another run.
    """
    try:
        found = read_views_json(folder / VIEWS_FILE)
    except FileError:
        # Damaged or not there yet: it is made again
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
    """Return True where a material's folder holds all maps as whole PNG files."""
    return all(png_size(folder / f"{name}.png") is not None for name in MAP_NAMES)


def png_size(path: Path) -> tuple[int, int] | None:
    """Return (width, height) of a PNG file that ends as one does; None for anything else. Its pixels are not read."""
    # A pipe of that name would block for ever
    if not path.is_file():
        return None
    try:
        header = png_header(path)
    except OSError:
        return None
    return header and (header.width, header.height)


@contextlib.contextmanager
def appearing(folder: Path, owner: str) -> Generator[Path]:
    """Yield a folder to fill, which replaces `folder` when the block ends without an error.

    `owner` tells this process's work from others'. Remains of a killed process of the same owner are removed.
    """
    partial = partial_of(folder, owner)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        # A rename replaces an empty folder only
        shutil.rmtree(folder, ignore_errors=True)
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def partial_of(folder: Path, owner: str) -> Path:
    """Return the name of `folder` while `owner` fills it."""
    return folder.with_name(f".{folder.name}.{owner}{PARTIAL}")


def merge_metadata(path: Path, found: Mapping[str, str]) -> None:
    """Add samples and their materials to the metadata file, also while others do; known ones stay as they are.

    FileError where the file that is there is no metadata.
    """
    if not found:
        return
    # Read and written under one lock: two processes would otherwise lose each other's samples
    with locked(path.parent):
        known = read_metadata(path) if path.exists() else {}
        merged = {**found, **known}
        if merged != known:
            with write_whole(path) as partial:
                partial.write_text(json.dumps(merged, indent=2, sort_keys=True) + "\n", encoding="utf-8")


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one process at a time into the block; the lock goes with the process, however that ends."""
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
    """Do as `locked`, with a file in the folder's place, which cannot be opened there."""
    import msvcrt

    with (folder / ".lock").open("a") as file:
        file.seek(0)
        # Tries for ten seconds, then raises OSError
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # pyright: ignore[reportAttributeAccessIssue] - Windows only
        try:
            yield
        finally:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)  # pyright: ignore[reportAttributeAccessIssue]
