"""The rules of a dataset on disk: which photos belong to which maps, and which samples are left out and why.

    input/clean/sample_0000/{0,1,2}.png      pristine photos, beside them perhaps views.json and corners.json
    input/dirty/sample_0000/{0,1,2}.png      optional: photos with artefacts
    input/render_metadata.json               {"sample_0000": "wood_oak", …}
    output/wood_oak/{albedo,roughness,metallic,normal}.png

- Photos are PNG files named by a number, in its order, any numbers: 5.png, 6.png, 7.png are three photos. Other files
  are ignored, and so are photos beyond `MOST_PHOTOS`.
- A photo that views.json lists has to be there; one that it does not list has an unknown camera.
- A sample shows the material that the metadata names, a folder of `output` with all four maps.

Every rule is a function that raises what is wrong. `list_samples` applies all of them to a dataset;
`synthesis.checking` says which of them each file breaks.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from easel.graphics.files import FileError
from easel.materials.dataset import views
from easel.materials.dataset.keys import key_seed
from easel.materials.dataset.reading import PHOTO_CHANNELS, check_picture
from easel.materials.dataset.views import SOURCES, Shot, Source
from easel.materials.maps import CHANNELS, map_paths

METADATA_FILE = "render_metadata.json"
MOST_METADATA_BYTES = 1 << 26
"""Largest metadata file that is read; a million samples take half of it."""

MOST_PHOTOS = 16
"""Most photos of a sample that are read."""

CURRICULUM_SOURCES: dict[int, tuple[Source, ...]] = {0: ("clean",), 1: ("clean", "dirty"), 2: ("dirty",)}
"""Curriculum → sources of its samples."""


@dataclass(frozen=True, eq=False)
class ListedSample:
    """Files of one sample of one source."""

    id: str
    """Folder of the photos, such as "sample_0000"."""
    source: Source
    material: str
    """Folder of the maps."""
    photos: tuple[Path, ...]
    shots: tuple[Shot, ...] | None
    """Shot of each photo, in their order; None without views.json."""
    corners: tuple[Float[Tensor, "4 2"], ...] | None
    """Pixels of the tile's corners in each photo; None where they were not asked for."""
    maps_folder: Path

    @property
    def name(self) -> str:
        """Folder and source, such as "sample_0000/clean"."""
        return f"{self.id}/{self.source}"


@dataclass(frozen=True)
class LeftOut:
    """A sample that cannot be used."""

    name: str
    """Folder and source, such as "sample_0000/clean"; the folder alone where neither source has it."""
    kind: str
    """Fault in a few words, the same for all samples with the same one."""
    error: Exception
    """Error that a strict dataset raises."""
    material: str | None = None
    """Folder of its maps; None where that is the fault."""

    @property
    def line(self) -> str:
        """Message of the error, one line."""
        # str() of a KeyError quotes its text
        return str(self.error.args[0]) if isinstance(self.error, KeyError) else str(self.error)


@dataclass(frozen=True)
class Report:
    """Samples used, and those left out."""

    used: int
    left_out: tuple[LeftOut, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Fault → samples with it."""
        return dict(Counter(problem.kind for problem in self.left_out))

    def summary(self) -> str:
        """Return one line, such as "2 samples left out: 1 not in the metadata, 1 without usable maps"."""
        if not self.left_out:
            return "no sample left out"
        reasons = ", ".join(f"{count} {kind}" for kind, count in self.counts.items())
        return f"{len(self.left_out)} sample{'s' * (len(self.left_out) > 1)} left out: {reasons}"


def read_metadata(path: Path) -> dict[str, Any]:
    """Return sample → what the file says of it, which should be a material's name.

    FileNotFoundError where there is no file, FileError of one line where it is no JSON object.
    """
    if not path.exists():
        raise FileNotFoundError(
            f"{path}: there is no metadata. Write it, a JSON object from sample to material folder such as "
            '{"sample_0000": "wood_oak"}, or name another by metadata_path.'
        )
    return views.read_record(path, dict, "It maps samples to material folders.", MOST_METADATA_BYTES)


def material_names(metadata: Mapping[str, Any]) -> frozenset[str]:
    """Return the materials that the metadata names, on disk or not."""
    return frozenset(name for name in metadata.values() if is_folder_name(name))


def curriculum_sources(curriculum: int, input_dir: Path) -> tuple[Source, ...]:
    """Return the sources of a curriculum; FileNotFoundError where the folder of one is missing."""
    if curriculum not in CURRICULUM_SOURCES:
        raise ValueError(
            f"curriculum is 0 (clean renders), 1 (what is on disk) or 2 (dirty renders); got {curriculum}."
        )
    for source in CURRICULUM_SOURCES[curriculum]:
        if not (input_dir / source).is_dir():
            raise FileNotFoundError(
                f"{input_dir / source}: there is no such folder, and curriculum {curriculum} requires {source} renders."
            )
    return CURRICULUM_SOURCES[curriculum]


def list_samples(
    input_dir: Path,
    output_dir: Path,
    metadata: Mapping[str, Any],
    sources: Sequence[Source],
    num_views: int,
    *,
    needs_corners: bool = False,
) -> Iterator[ListedSample | LeftOut]:
    """Yield every sample of the sources in the order of its number, clean before dirty, then those without a folder.

    Samples have at least `num_views` photos, and with `needs_corners` the tile's corners are marked in each.
    """
    folders: dict[str, list[tuple[Source, Path]]] = {}
    for source in sources:
        for folder in (input_dir / source).iterdir():
            if folder.name.startswith("sample_") and folder.is_dir():
                folders.setdefault(folder.name, []).append((source, folder))
    # Samples share materials, whose files are looked at once
    fault_of = cache(_fault_of_maps)
    for sample in sorted(folders, key=_natural):
        for source, folder in folders[sample]:
            yield _listed(source, folder, output_dir, metadata, num_views, needs_corners, fault_of)
    for sample in sorted(metadata.keys() - folders.keys(), key=_natural):
        # A sample of the other source alone is not of this dataset, and nothing is wrong with it
        if not is_folder_name(sample) or not any((input_dir / source / sample).is_dir() for source in SOURCES):
            error = FileNotFoundError(
                f"{sample[:80]}: the metadata lists it, but neither clean nor dirty has its folder."
            )
            yield LeftOut(sample[:80], "without a folder", error)


def _listed(
    source: Source,
    folder: Path,
    output_dir: Path,
    metadata: Mapping[str, Any],
    num_views: int,
    needs_corners: bool,
    fault_of: Callable[[Path], Exception | None],
) -> ListedSample | LeftOut:
    sample = folder.name
    name = f"{sample}/{source}"
    if sample not in metadata:
        error = KeyError(f"{sample}: the metadata does not list it. Add it, or move {folder} away.")
        return LeftOut(name, "not in the metadata", error)
    material = metadata[sample]
    if not is_folder_name(material):
        shown = json.dumps(material)[:80]
        error = ValueError(f"{sample}: the metadata gives {shown}; it takes the name of a folder in {output_dir}.")
        return LeftOut(name, "without a material's name", error)
    if (fault := fault_of(output_dir / material)) is not None:
        return LeftOut(name, "without usable maps", fault, material)
    try:
        numbered = photos_of(folder, num_views)
        shots = shots_of(folder, numbered)
        photos = numbered[:MOST_PHOTOS]
        corners = _corners_of(folder, photos) if needs_corners else None
        for photo in photos:
            check_picture(photo, PHOTO_CHANNELS)
    except (FileError, OSError, ValueError) as error:
        return LeftOut(name, "without usable photos", error, material)
    return ListedSample(sample, source, material, photos, shots and shots[:MOST_PHOTOS], corners, output_dir / material)


def photos_of(folder: Path, least: int = 0) -> tuple[Path, ...]:
    """Return the photos of a sample's folder in the order of their numbers.

    FileNotFoundError for fewer than `least`.
    """
    # int() takes every decimal digit that Unicode has, which is what isdecimal means
    photos = sorted((path for path in folder.glob("*.png") if path.stem.isdecimal()), key=lambda path: int(path.stem))
    if len(photos) < least:
        names = ", ".join(path.name for path in photos) or "none"
        raise FileNotFoundError(
            f"{folder}: {folder.name} has {len(photos)} photos ({names}), this dataset wants {least}. "
            "Render it again, or ask for fewer by num_views."
        )
    return tuple(photos)


def shots_of(folder: Path, photos: Iterable[Path]) -> tuple[Shot, ...] | None:
    """Return the shots of the photos; None where no views.json says anything.

    FileError for a damaged views.json, FileNotFoundError for one that lists a photo which is not there.
    """
    path = folder / views.VIEWS_FILE
    if not path.exists():
        return None
    shots = {shot.file: shot for shot in views.read_views_json(path).shots}
    names = [photo.name for photo in photos]
    for name in sorted(shots.keys() - set(names)):
        raise FileNotFoundError(f"{folder / name}: views.json lists this photo, and it is not there. Render it again.")
    return tuple(shots.get(name, Shot(name)) for name in names)


def _corners_of(folder: Path, photos: Iterable[Path]) -> tuple[Float[Tensor, "4 2"], ...]:
    corners = views.read_corners(folder / views.CORNERS_FILE)
    if missing := [photo.name for photo in photos if photo.name not in corners]:
        raise ValueError(
            f"{folder / views.CORNERS_FILE}: {', '.join(missing)} has no corners. Mark them, or match the photos."
        )
    return tuple(corners[photo.name] for photo in photos)


def _fault_of_maps(folder: Path) -> Exception | None:
    try:
        paths = map_paths(folder)
        for name, channels in CHANNELS.items():
            check_picture(paths[name], channels, is_normal=name == "normal")
    except (FileError, OSError) as error:
        return error
    return None


def is_folder_name(name: Any) -> bool:
    """Return True for the name of a folder, nothing above or below it: strangers' metadata must not lead elsewhere."""
    if not isinstance(name, str) or not re.fullmatch(r"[^/\\\0]+", name) or name in (".", ".."):
        return False
    # A name too long, or of half a character, would be an error of the file system's at the first look.
    return len(name.encode("utf-8", "replace")) <= 255 and not re.search("[\ud800-\udfff]", name)


def _natural(name: str) -> tuple[int, str]:
    """Return a key that sorts sample_9 before sample_10, and other names last."""
    # 18 digits: a number that fits 64 bits, so that hostile names do not become huge integers
    digits = re.fullmatch(r"sample_(\d{1,18})", name)
    return (int(digits[1]) if digits else 10**18, name)


def validation_materials(materials: Iterable[str], val_ratio: float | int, seed: int) -> frozenset[str]:
    """Return the names kept for validation: `val_ratio` of them, at least one and never all; none of fewer than two.

    Whole materials are kept, so that no photo of one that is trained on validates it. Names are ordered by a hash of
    seed and name: a material that comes or goes moves few others. ValueError for a ratio outside [0, 1).
    """
    if not 0 <= val_ratio < 1:
        raise ValueError(f"val_ratio is the share of validation materials, 0 up to but not 1; got {val_ratio}.")
    names = sorted(set(materials), key=lambda name: (key_seed(seed, "split", name), name))
    if val_ratio == 0 or len(names) < 2:
        return frozenset()
    return frozenset(names[: min(max(1, round(len(names) * val_ratio)), len(names) - 1)])
