"""Folders of real materials → folders of four maps each, with a report of what was taken, from where, and why not."""

import contextlib
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from easel.graphics.files import FileError, write_whole
from easel.materials.collection.finding import EXTENSIONS, Candidate, Refused, find_materials, place_of
from easel.materials.collection.reading import Textures, read_textures
from easel.materials.maps import MAP_NAMES, SUFFIXES

MANIFEST = "import_manifest.json"
AnyPath = str | os.PathLike[str]


@dataclass(frozen=True)
class ImportOptions:
    """Options of an import."""

    flatten: bool = True
    """One folder per material, named by all its folders; otherwise the tree of the source is kept."""
    require_all: bool = False
    """Leave out a material without a metallic map, instead of taking it as no metal."""
    link: bool = False
    """Link to files that need no change (hard, else symbolic) instead of copying them."""
    overwrite: bool = False
    """Take a material again that is already in the destination."""
    dry_run: bool = False
    """Look and report only."""
    extensions: tuple[str, ...] = EXTENSIONS
    """The suffixes of files that are looked at."""
    keep_ext: bool = False
    """Keep JPEG, EXR, TIFF and WebP files that need no change as they are; otherwise all become PNG."""
    resize: int | None = 2048
    """The most texels a side; larger ones are averaged down. None keeps them."""


@dataclass(frozen=True)
class Imported:
    """One material that was taken."""

    name: str
    """Its folder below the destination."""
    files: dict[str, str]
    """Map → the file of the source it was taken from."""
    size: tuple[int, int]
    """(H, W) as written."""
    notes: tuple[str, ...]
    """Changes that were made so that it fits."""
    licence: str | None
    origin: str | None
    digest: str
    """SHA-256 of its source files: the same for a copy of them."""


@dataclass(frozen=True)
class ImportReport:
    """Outcome of an import."""

    source: str
    destination: str
    taken: tuple[Imported, ...] = ()
    left_out: tuple[Refused, ...] = ()
    version: int = 1


def import_materials(
    source: AnyPath, destination: AnyPath, options: ImportOptions | None = None, manifest: AnyPath | None = None
) -> ImportReport:
    """Take all materials below `source`; see `import_each`. The report is also written, as `manifest`.

    Without a `manifest` it is import_manifest.json in the destination. A dry run writes nothing.
    """
    options = options or ImportOptions()
    results = list(import_each(source, destination, options))
    report = report_of(source, destination, results)
    if not options.dry_run:
        write_manifest(report, Path(manifest) if manifest is not None else Path(destination) / MANIFEST)
    return report


def import_each(source: AnyPath, destination: AnyPath, options: ImportOptions) -> Iterator[Imported | Refused]:
    """Take one material after the other, each whole or not at all: albedo, roughness, metallic and normal.

    Roughness may come from glossiness, roughness and metallic from packed files, a DirectX normal is turned to
    OpenGL, a missing metallic is 0 unless `require_all`. Nothing is written outside `destination`, whatever the files
    are called. FileError if the source is no folder; a fault of the disk is the OSError that it is.
    """
    root = Path(source)
    target = Path(destination)
    if not root.is_dir():
        raise FileError(f"cannot import from {str(root)!r}: there is no such folder. Name one with materials in it.")
    if root.resolve() == target.resolve():
        raise FileError(f"cannot import {str(root)!r} into itself. Name another destination.")
    digests: dict[str, str] = {}
    places: dict[Path, int] = {}
    for found in find_materials(root, [suffix.lower() for suffix in options.extensions], skip=target):
        if isinstance(found, Refused):
            yield found
            continue
        place = _free_place(place_of(found, options.flatten), places)
        yield _import_one(found, root.resolve(), target, place, digests, options)


def report_of(source: AnyPath, destination: AnyPath, results: Sequence[Imported | Refused]) -> ImportReport:
    """Sort the results of `import_each` into what was taken and what was left out."""
    taken = tuple(result for result in results if isinstance(result, Imported))
    left_out = tuple(result for result in results if isinstance(result, Refused))
    return ImportReport(os.fspath(source), os.fspath(destination), taken, left_out)


def write_manifest(report: ImportReport, path: Path) -> None:
    """Write the report as JSON, whole or not at all, keeping what an earlier one said of materials still there."""
    names = {material.name for material in report.taken}
    earlier = [
        material
        for material in _materials_of(path)
        if material["name"] not in names and Path(report.destination, material["name"]).is_dir()
    ]
    content = asdict(report)
    content["taken"] = sorted([*earlier, *content["taken"]], key=lambda material: material["name"])
    with write_whole(path) as partial:
        partial.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _materials_of(path: Path) -> list[dict[str, Any]]:
    """Return the materials in an earlier manifest; none if there is none that can be read."""
    try:
        taken = json.loads(path.read_text(encoding="utf-8"))["taken"]
        return [material for material in taken if isinstance(material["name"], str)]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []


def _free_place(place: Path, places: dict[Path, int]) -> Path:
    """Return `place`, with a number behind it when another material of this import has it."""
    places[place] = places.get(place, 0) + 1
    return place if places[place] == 1 else place.with_name(f"{place.name}_{places[place]}")


def _import_one(
    found: Candidate, root: Path, target: Path, place: Path, digests: dict[str, str], options: ImportOptions
) -> Imported | Refused:
    where = (found.place if found.place.name == found.name else found.place / found.name).as_posix()
    if found.refused:
        return Refused(where, found.refused)
    optional = () if options.require_all else ("metallic",)
    missing = [name for name in MAP_NAMES if name not in found.files and name not in optional]
    if missing:
        return Refused(where, f"no file for {', '.join(missing)}")
    folder = target / place
    if (folder.exists() or folder.is_symlink()) and not options.overwrite:
        return Refused(where, f"{place.as_posix()} is already there")
    try:
        digest = _digest([found.files[name].path for name in MAP_NAMES if name in found.files])
        if digest in digests:
            return Refused(where, f"the same files as {digests[digest]}")
        textures = read_textures(found.files, options.resize)
    except FileError as error:
        return Refused(where, str(error))
    digests[digest] = where
    files = {name: file.path.relative_to(root).as_posix() for name, file in found.files.items()}
    if not options.dry_run:
        _write(folder, target, textures, options)
    return Imported(place.as_posix(), files, textures.maps.size, textures.notes, found.licence, found.origin, digest)


def _digest(paths: Sequence[Path]) -> str:
    """Return the SHA-256 of the hashes of the files' contents, one after the other."""
    total = hashlib.sha256()
    for path in paths:
        try:
            with path.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise FileError(f"cannot read {path.name!r}: {error.strerror}") from None
    return total.hexdigest()


def _write(folder: Path, target: Path, textures: Textures, options: ImportOptions) -> None:
    """Write the folder in one step: beside the others under another name, which then becomes its own."""
    # The name begins with a dot: whoever lists the materials meanwhile passes it over.
    target.mkdir(parents=True, exist_ok=True)
    partial = target / f".importing-{secrets.token_hex(8)}"
    try:
        textures.maps.save(partial, textures.bits)
        for name, path in textures.unchanged.items():
            if path.suffix.lower() in (SUFFIXES if options.keep_ext else (".png",)):
                (partial / f"{name}.png").unlink()
                kept = partial / f"{name}{path.suffix.lower()}"
                if not (options.link and _linked(path, kept)):
                    shutil.copyfile(path, kept)
        folder.parent.mkdir(parents=True, exist_ok=True)
        # What a link leads to is somebody else's.
        if folder.is_symlink():
            folder.unlink()
        elif folder.exists():
            old = target / f".importing-{secrets.token_hex(8)}"
            folder.rename(old)
            shutil.rmtree(old)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _linked(path: Path, kept: Path) -> bool:
    """Make a link, a hard one, or across disks a symbolic one; return whether that could be done."""
    for make in (os.link, os.symlink):
        with contextlib.suppress(OSError):
            make(path, kept)
            return True
    return False
