"""What lies on disk: which photos belong to which maps, and what is left out and why.

input/clean/sample_0000/{0,1,2}.png      pristine renders, beside them perhaps views.json and corners.json
input/dirty/sample_0000/{0,1,2}.png      optional: renders with artefacts
input/render_metadata.json               {"sample_0000": "wood_oak", …}
output/wood_oak/{albedo,roughness,metallic,normal}.png
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from easel.checkpoint import read_json
from easel.graphics.files import FileError, open_file
from easel.materials.dataset.keys import key_seed
from easel.materials.dataset.reading import check_picture, patiently
from easel.materials.dataset.views import CORNERS_FILE, VIEWS_FILE, Shot, Source, read_corners, read_views_json
from easel.materials.maps import CHANNELS, MAP_NAMES, map_paths

METADATA_FILE = "render_metadata.json"
MOST_METADATA_BYTES = 1 << 26
"""A million samples take half of it."""

MOST_PHOTOS = 16
"""The first so many of a sample are read."""

CURRICULUM_SOURCES: dict[int, tuple[Source, ...]] = {0: ("clean",), 1: ("clean", "dirty"), 2: ("dirty",)}
"""Curriculum → the renders it takes."""


@dataclass(frozen=True)
class Wanted:
    """What a dataset asks of its samples."""

    curriculum: int = 0
    """Clean renders, 0, what is on disk, 1, or dirty renders, 2."""
    num_views: int = 3
    """Photos that a sample has at least."""
    needs_corners: bool = False
    """Whether the corners of the tile must be marked in each photo."""


@dataclass(frozen=True, eq=False)
class Entry:
    """One sample of one source, as found on disk."""

    id: str
    source: Source
    material: str
    photos: tuple[Path, ...]
    shots: tuple[Shot, ...] | None
    """What is known of each photo, in their order; None without views.json."""
    corners: tuple[Float[Tensor, "4 2"], ...] | None
    """Where the tile's corners lie in each photo; None where they were not asked for."""
    maps_folder: Path

    @property
    def name(self) -> str:
        """Such as "sample_0000/clean"."""
        return f"{self.id}/{self.source}"


@dataclass(frozen=True)
class LeftOut:
    """A sample that cannot be used."""

    name: str
    """Such as "sample_0000/clean"."""
    kind: str
    """In a few words, the same for all samples with the same trouble."""
    error: Exception
    """What a strict dataset raises."""
    material: str | None = None
    """Of the sample; None where that is the trouble."""

    @property
    def line(self) -> str:
        """The error in one line."""
        # A KeyError's own text is quoted.
        return str(self.error.args[0]) if isinstance(self.error, KeyError) else str(self.error)


@dataclass(frozen=True)
class Report:
    """What was found and what was left out."""

    used: int
    left_out: tuple[LeftOut, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Trouble → samples with it."""
        return dict(Counter(problem.kind for problem in self.left_out))

    def summary(self) -> str:
        """One line, such as "2 samples left out: 1 not in the metadata, 1 damaged file"."""
        if not self.left_out:
            return "no sample left out"
        reasons = ", ".join(f"{count} {kind}" for kind, count in self.counts.items())
        return f"{len(self.left_out)} sample{'s' * (len(self.left_out) > 1)} left out: {reasons}"


def read_metadata(path: Path) -> dict[str, Any]:
    """Sample → what the file says of it, which should be a material's name.

    FileNotFoundError where there is no file, FileError of one line where it is no JSON object.
    """
    if not path.exists():
        raise FileNotFoundError(
            f"{path}: there is no metadata. Write it, a JSON object from sample to material folder such as "
            '{"sample_0000": "wood_oak"}, or name another by metadata_path.'
        )
    try:
        with open_file(path) as file:
            data = patiently(lambda: file.read(MOST_METADATA_BYTES + 1))
        if len(data) > MOST_METADATA_BYTES:
            raise ValueError(f"it is larger than {MOST_METADATA_BYTES >> 20} MiB")
        return read_json(data.decode("utf-8"))
    except ValueError as error:
        reason = " ".join(str(error).split())[:200]
        raise FileError(f"cannot read {str(path)!r}: {reason}. It maps samples to material folders.") from None


def material_names(metadata: Mapping[str, Any]) -> frozenset[str]:
    """The materials that the metadata names, on disk or not."""
    return frozenset(name for name in metadata.values() if _is_folder_name(name))


def list_samples(
    input_dir: Path, output_dir: Path, metadata: Mapping[str, Any], wanted: Wanted
) -> Iterator[Entry | LeftOut]:
    """Every sample of the curriculum in the order of its number, clean before dirty; FileNotFoundError without them."""
    if (curriculum := wanted.curriculum) not in CURRICULUM_SOURCES:
        raise ValueError(
            f"curriculum is 0 (clean renders), 1 (what is on disk) or 2 (dirty renders); got {curriculum}."
        )
    folders: dict[str, list[tuple[Source, Path]]] = {}
    for source in CURRICULUM_SOURCES[curriculum]:
        if not (input_dir / source).is_dir():
            raise FileNotFoundError(
                f"{input_dir / source}: there is no such folder, and curriculum {curriculum} requires {source} renders."
            )
        for folder in (input_dir / source).iterdir():
            if folder.name.startswith("sample_") and folder.is_dir():
                folders.setdefault(folder.name, []).append((source, folder))
    materials: dict[str, Exception | None] = {}
    for sample in sorted(folders, key=_natural):
        for source, folder in folders[sample]:
            yield _entry(sample, source, folder, output_dir, metadata, wanted, materials)
    for sample in sorted(metadata.keys() - folders.keys(), key=_natural):
        if not any((input_dir / source / sample).is_dir() for source in ("clean", "dirty") if _is_folder_name(sample)):
            error = FileNotFoundError(
                f"{sample[:80]}: the metadata lists it, but neither clean nor dirty has its folder."
            )
            yield LeftOut(sample[:80], "without a folder", error)


def _entry(
    sample: str,
    source: Source,
    folder: Path,
    output_dir: Path,
    metadata: Mapping[str, Any],
    wanted: Wanted,
    materials: dict[str, Exception | None],
) -> Entry | LeftOut:
    name = f"{sample}/{source}"
    if sample not in metadata:
        error = KeyError(f"{sample}: the metadata does not list it. Add it, or move {folder} away.")
        return LeftOut(name, "not in the metadata", error)
    material = metadata[sample]
    if not _is_folder_name(material):
        shown = json.dumps(material)[:80]
        error = ValueError(f"{sample}: the metadata gives {shown}; it takes the name of a folder in {output_dir}.")
        return LeftOut(name, "without a material's name", error)
    if material not in materials:
        materials[material] = _fault(lambda: _check_maps(output_dir / material))
    if (fault := materials[material]) is not None:
        return LeftOut(name, "without usable maps", fault, material)
    try:
        found = _photos(sample, folder, wanted.num_views)
        shots = _shots(folder, found)
        photos = found[:MOST_PHOTOS]
        corners = _corners(folder, photos) if wanted.needs_corners else None
        for photo in photos:
            check_picture(photo, 3)
    except (FileError, OSError, ValueError) as error:
        return LeftOut(name, "without usable photos", error, material)
    return Entry(sample, source, material, photos, shots and shots[:MOST_PHOTOS], corners, output_dir / material)


def _photos(sample: str, folder: Path, num_views: int) -> tuple[Path, ...]:
    photos = sorted((path for path in folder.glob("*.png") if path.stem.isdecimal()), key=lambda path: int(path.stem))
    if len(photos) < num_views:
        names = ", ".join(path.name for path in photos) or "none"
        raise FileNotFoundError(
            f"{folder}: {sample} has {len(photos)} photos ({names}), this dataset wants {num_views}. "
            "Render it again, or ask for fewer by num_views."
        )
    return tuple(photos)


def _shots(folder: Path, photos: tuple[Path, ...]) -> tuple[Shot, ...] | None:
    """The shots of the photos; None where no views.json says anything."""
    path = folder / VIEWS_FILE
    if not path.exists():
        return None
    shots = {shot.file: shot for shot in read_views_json(path).shots}
    for name in shots.keys() - {photo.name for photo in photos}:
        raise FileNotFoundError(f"{folder / name}: views.json lists this photo, and it is not there. Render it again.")
    return tuple(shots.get(photo.name, Shot(photo.name)) for photo in photos)


def _corners(folder: Path, photos: tuple[Path, ...]) -> tuple[Float[Tensor, "4 2"], ...]:
    corners = read_corners(folder / CORNERS_FILE)
    if missing := [photo.name for photo in photos if photo.name not in corners]:
        raise ValueError(
            f"{folder / CORNERS_FILE}: {', '.join(missing)} has no corners. Mark them, or match the photos."
        )
    return tuple(corners[photo.name] for photo in photos)


def _check_maps(folder: Path) -> None:
    paths = map_paths(folder)
    for name, channels in zip(MAP_NAMES, CHANNELS, strict=True):
        check_picture(paths[name], channels, is_normal=name == "normal")


def _fault(check: Callable[[], None]) -> Exception | None:
    try:
        check()
    except (FileError, OSError) as error:
        return error
    return None


def _is_folder_name(name: Any) -> bool:
    """Whether it names a folder and nothing above or below it: metadata from strangers must not lead elsewhere."""
    if not isinstance(name, str) or not re.fullmatch(r"[^/\\\0]+", name) or name in (".", ".."):
        return False
    # A name too long, or of half a character, would be an error of the file system's at the first look.
    return len(name.encode("utf-8", "replace")) <= 255 and not re.search("[\ud800-\udfff]", name)


def _natural(name: str) -> tuple[int, str]:
    """sample_9 before sample_10."""
    digits = re.fullmatch(r"sample_(\d{1,18})", name)
    return (int(digits[1]) if digits else 10**18, name)


def validation_materials(materials: Iterable[str], val_ratio: float | int, seed: int) -> frozenset[str]:
    """The names kept for validation: `val_ratio` of them, at least one and never all; none of fewer than two.

    Whole materials are kept, so that no photo of one that is trained on validates it. Names are ordered by a hash of
    seed and name: a material that comes or goes moves few others.
    """
    if not 0 <= val_ratio < 1:
        raise ValueError(f"val_ratio is the share of validation materials, 0 up to but not 1; got {val_ratio}.")
    names = sorted(set(materials), key=lambda name: (key_seed(seed, "split", name), name))
    if val_ratio == 0 or len(names) < 2:
        return frozenset()
    return frozenset(names[: min(max(1, round(len(names) * val_ratio)), len(names) - 1)])
