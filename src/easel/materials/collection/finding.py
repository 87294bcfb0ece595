"""Materials in a tree of folders: files that belong together, the one that is taken for each map, or why none is."""

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from easel.materials.collection.naming import Named, classify, slug
from easel.materials.maps import MAP_NAMES

EXTENSIONS = (".png", ".jpg", ".jpeg", ".exr", ".tif", ".tiff", ".webp", ".tga", ".bmp")
"""Suffixes of texture files."""

_LONGEST_NOTE = 500
_LARGEST_NOTE_BYTES = 2**18
_LICENCE_FILES = ("license", "licence", "copying")


@dataclass(frozen=True)
class Candidate:
    """Files that may be one material."""

    place: Path
    """Its folder, below the source."""
    name: str
    """Its own name; with its folder's parents it is unique in most libraries."""
    files: dict[str, Named]
    """Map → the file that is taken for it."""
    refused: str | None = None
    """Reason why it is no material for a flat tile; None if it may be one."""
    licence: str | None = None
    origin: str | None = None
    """Place or author that its metadata names."""


@dataclass(frozen=True)
class Refused:
    """A file or folder that was not taken, and why."""

    place: str
    reason: str


def find_materials(
    source: Path, extensions: Sequence[str] = EXTENSIONS, skip: Path | None = None
) -> Iterator[Candidate | Refused]:
    """Yield all materials below `source` in the order of their paths; links that lead out of it are not followed.

    A folder without any texture is passed over in silence; `skip` is a folder that is not entered.
    """
    root = source.resolve()
    skipped = skip and skip.resolve()
    for folder, below, names in os.walk(root):
        below[:] = sorted(name for name in below if not name.startswith(".") and Path(folder, name) != skipped)
        paths = []
        for name in sorted(names):
            path = Path(folder, name)
            if name.startswith(".") or path.suffix.lower() not in extensions:
                continue
            # A library from a stranger must not copy a file from elsewhere on this disk into the destination.
            if not Path(os.path.realpath(path)).is_relative_to(root):
                yield Refused(path.relative_to(root).as_posix(), "it is a link that leads out of the source folder")
            else:
                paths.append(path)
        if paths:
            yield from _in_folder(Path(folder), root, paths)


def _in_folder(folder: Path, root: Path, paths: list[Path]) -> Iterator[Candidate | Refused]:
    named = classify(paths)
    if not named:
        yield Refused(folder.relative_to(root).as_posix(), f"none of its {len(paths)} pictures has a map's name")
        return
    groups = _by_material(named)
    licence, origin = _provenance(folder, root)
    for words, group in groups.items():
        name = folder.name if len(groups) == 1 else words
        udims = sorted({file.udim for file in group if file.udim is not None})
        refused = None
        if len(udims) > 1:
            refused = f"its maps are UDIM tiles ({', '.join(map(str, udims))}): an object's, not a material's"
        files = {}
        for wanted in MAP_NAMES:
            if fitting := [file for file in group if wanted in file.usage.channels]:
                files[wanted] = min(fitting, key=Named.preference)
        yield Candidate(folder.relative_to(root), name, files, refused, licence, origin)


def _by_material(named: list[Named]) -> dict[str, list[Named]]:
    """Return one group per folder, unless the names tell several materials apart, each with a colour and a normal."""
    groups: dict[str, list[Named]] = {}
    maps: dict[str, set[str]] = {}
    for file in named:
        groups.setdefault(file.material, []).append(file)
        maps.setdefault(file.material, set()).update(file.usage.channels)
    # Names of one material's files may differ as well: only what could be rendered alone counts as a material.
    return groups if sum({"albedo", "normal"} <= found for found in maps.values()) > 1 else {"": named}


def _provenance(folder: Path, root: Path) -> tuple[str | None, str | None]:
    """Return licence and origin, as JSON or a licence file in the folder, or the nearest one above it, says."""
    for place in (folder, *folder.parents):
        licence = origin = None
        for path in sorted(place.glob("*")):
            if path.suffix.lower() == ".json":
                said_licence, said_origin = _read_metadata(path)
                licence = licence or said_licence
                origin = origin or said_origin
            elif path.stem.lower() in _LICENCE_FILES and path.suffix.lower() in ("", ".txt", ".md"):
                first = next(iter(_read_note(path).strip().splitlines()), "")
                licence = licence or first.strip()[:_LONGEST_NOTE] or None
        if licence or origin or place == root:
            return licence, origin
    return None, None


def _read_metadata(path: Path) -> tuple[str | None, str | None]:
    """Return licence and origin; None for each that the file does not tell."""
    text: dict[str, str] = {}
    # Any file of that suffix may lie there, whatever it holds.
    with contextlib.suppress(ValueError, RecursionError, AttributeError):
        for key, value in json.loads(_read_note(path)).items():
            if isinstance(value, str) and value.strip():
                text[key.lower()] = value.strip()[:_LONGEST_NOTE]
    licence = next((text[key] for key in ("license", "licence") if key in text), None)
    origin = next((text[key] for key in ("url", "link", "source", "source_url", "author") if key in text), None)
    return licence, origin


def _read_note(path: Path) -> str:
    """Return the text of a small regular file; nothing of others, and of what cannot be read."""
    try:
        if not path.is_file() or path.is_symlink() or path.stat().st_size > _LARGEST_NOTE_BYTES:
            return ""
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def place_of(candidate: Candidate, flatten: bool) -> Path:
    """Return a material's place below the destination: its folders' names in one, or its folders."""
    parts = [slug(part) for part in candidate.place.parts] or [slug(candidate.name)]
    if candidate.place.name != candidate.name and candidate.place.parts:
        parts.append(slug(candidate.name))
    return Path(slug("_".join(parts))) if flatten else Path(*parts)
