"""A dataset rendered: materials are photographed and everything is written into the folders that training reads.

A sample is a function of the plan and of its index alone, so that any number of processes, on any machines, write the
same files. What is whole already is not made again: an interrupted run goes on where it ended.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from easel.graphics.contact_sheet import contact_sheet
from easel.graphics.files import FileError
from easel.graphics.image import imread, imwrite
from easel.materials.collection.procedural import name_of, procedural
from easel.materials.dataset.listing import METADATA_FILE, read_metadata
from easel.materials.dataset.views import SOURCES, VIEWS_FILE, ShotList, Source, write_views_json
from easel.materials.engines.processes import Engine, in_turn
from easel.materials.maps import MAP_NAMES, MaterialMaps
from easel.materials.synthesis.dataset_writer import (
    appearing,
    merge_metadata,
    partial_of,
    png_size,
    sample_index,
    sample_name,
    subfolders,
    whole_maps,
    whole_photos,
)
from easel.materials.synthesis.photo_setups import PhotoSetups

FLUSH_SAMPLES = 10
"""Samples after which the metadata is written."""
SEEDS_A_RUN = 100_000
"""Seeds of the library that belong to one seed of a dataset."""

CELL = 160
"""Pixels a side of each picture in the overview."""


@dataclass(frozen=True)
class Procedural:
    """Materials that are made from noise."""

    seed: int
    count: int

    def name(self, number: int) -> str:
        """Return the folder of material `number`."""
        return name_of(self.seed * SEEDS_A_RUN + number)

    def maps(self, number: int, size: int) -> MaterialMaps:
        """Make material `number`, (C, size, size)."""
        return procedural(self.seed * SEEDS_A_RUN + number, size)


@dataclass(frozen=True)
class Folders:
    """Materials that lie on disk, each in a folder of four maps."""

    paths: tuple[Path, ...]

    @property
    def count(self) -> int:
        """Number of materials."""
        return len(self.paths)

    def name(self, number: int) -> str:
        """Return the folder of material `number`."""
        return self.paths[number].name

    def maps(self, number: int, size: int) -> MaterialMaps:
        """Load material `number`, (C, size, size)."""
        return MaterialMaps.load(self.paths[number], size=(size, size))


@dataclass(frozen=True)
class DatasetPlan:
    """Materials of a dataset, and the setups in which they are photographed."""

    collection: Procedural | Folders
    setups: PhotoSetups
    map_size: int = 128
    """Texels a side of the maps that are written, and photographed."""
    bits: int = 8
    """Bits of the maps' files: 8 or 16."""

    def material(self, index: int) -> int:
        """Return the material of a sample: all have their turn before one comes again."""
        return index % self.collection.count


@dataclass(frozen=True)
class RenderedSample:
    """A sample that is on disk."""

    index: int
    material: str
    """Folder of its maps."""
    skipped: bool
    """It was there already."""

    @property
    def name(self) -> str:
        """Folder of its photos, such as sample_0012."""
        return sample_name(self.index)


def make(plan: DatasetPlan, out: Path, indices: Iterable[int], *, engine: Engine = in_turn) -> Iterator[RenderedSample]:
    """Write the samples of these indices below `out`, one by one; closing the generator stops.

    The metadata knows every sample that was yielded, `FLUSH_SAMPLES` later at the latest. `engine` says who does the
    work. FileError where something in `out` cannot be continued, OSError for a disk that is full.
    """
    metadata = out / "input" / METADATA_FILE
    (out / "input" / "clean").mkdir(parents=True, exist_ok=True)
    if plan.setups.p_dirty > 0:
        (out / "input" / "dirty").mkdir(exist_ok=True)
    known = known_metadata(out)
    pending: dict[str, str] = {}
    try:
        with closing(engine(partial(_maker, plan, out), _unclaimed(plan, indices, known))) as samples:
            for made in samples:
                pending[made.name] = made.material
                if len(pending) >= FLUSH_SAMPLES:
                    merge_metadata(metadata, pending)
                    pending.clear()
                yield made
    finally:
        merge_metadata(metadata, pending)


def _unclaimed(plan: DatasetPlan, indices: Iterable[int], known: Mapping[str, object]) -> Iterator[int]:
    """Yield the indices; FileError at one whose name is that of another material's sample."""
    for index in indices:
        sample = sample_name(index)
        material = plan.collection.name(plan.material(index))
        if known.get(sample, material) != material:
            raise FileError(
                f"{sample} shows {known[sample]!r} there, this run would make it of {material!r}. Name another folder, "
                "repeat that run's options, or continue after it."
            )
        yield index


def _maker(plan: DatasetPlan, out: Path) -> Callable[[int], RenderedSample]:
    # A function of the module and no lambda: processes of an engine unpickle it
    return partial(make_sample, plan, out)


def make_sample(plan: DatasetPlan, out: Path, index: int) -> RenderedSample:
    """Write one sample and its material, unless they are there."""
    sample = sample_name(index)
    number = plan.material(index)
    material = plan.collection.name(number)
    setups = plan.setups
    maps_folder = out / "output" / material
    homes: dict[Source, Path] = {source: out / "input" / source / sample for source in setups.sources(index)}
    lacking: list[Source] = [
        source for source, home in homes.items() if not whole_photos(home, setups.seed, setups.views, setups.size)
    ]
    # Remains of a killed run: whoever makes this sample now is the only one who may remove them.
    for folder in (maps_folder, *homes.values()):
        shutil.rmtree(partial_of(folder, sample), ignore_errors=True)
    has_maps = whole_maps(maps_folder)
    if has_maps and not lacking:
        return RenderedSample(index, material, skipped=True)
    maps = plan.collection.maps(number, plan.map_size)
    if not has_maps:
        _write_maps(maps, maps_folder, sample, plan.bits)
    for source in lacking:
        taken = setups.take(maps, index, source)
        with appearing(homes[source], sample) as folder:
            for picture, shot in taken:
                imwrite(folder / shot.file, picture)
            write_views_json(folder / VIEWS_FILE, ShotList(setups.seed, tuple(shot for _, shot in taken)))
    return RenderedSample(index, material, skipped=False)


def _write_maps(maps: MaterialMaps, folder: Path, owner: str, bits: int) -> None:
    """Write the maps of a material, unless another process does so at this moment."""
    try:
        with appearing(folder, owner) as partial:
            maps.save(partial, bits)
    except OSError:
        # The rename of whoever comes second may fail: the same files are there already
        if not whole_maps(folder):
            raise


def next_index(out: Path) -> int:
    """Return the first number after those of all samples in `out`."""
    # Any folder may stand there; only those of samples have a number.
    folders = (path.name for source in SOURCES for path in subfolders(out / "input" / source))
    listed = known_metadata(out)
    return max((number + 1 for name in (*folders, *listed) if (number := sample_index(name)) is not None), default=0)


def missing(plan: DatasetPlan, out: Path) -> list[int]:
    """Return the samples up to the last in `out` that this plan makes and that lack photos there.

    Samples that another plan took the other way, clean for dirty, or of another material, are not of this plan.
    """
    listed = known_metadata(out)
    setups = plan.setups
    found = []
    for index in range(next_index(out)):
        name = sample_name(index)
        material = plan.collection.name(plan.material(index))
        planned = setups.sources(index)
        there = [source for source in SOURCES if (out / "input" / source / name).is_dir()] or planned
        homes = [out / "input" / source / name for source in planned if source in there]
        photos = [home / f"{view}.png" for home in homes for view in range(setups.views)]
        if listed.get(name, material) == material and any(png_size(photo) is None for photo in photos):
            found.append(index)
    return found


def known_metadata(out: Path) -> dict[str, Any]:
    """Return sample → material of the dataset in `out`; nothing before the first sample is written."""
    metadata = out / "input" / METADATA_FILE
    return read_metadata(metadata) if metadata.exists() else {}


def overview(out: Path, samples: int, views: int) -> Float[Tensor, "rows columns 3"] | None:
    """Return a contact sheet of the first `samples` of the dataset in `out`, a row each: photos, then maps.

    Samples taken both ways show their clean photos. None without a sample of so many views.
    """
    pictures = []
    for sample, material in islice(sorted(known_metadata(out).items()), samples):
        for source in SOURCES:
            files = [out / "input" / source / sample / f"{view}.png" for view in range(views)]
            if all(file.exists() for file in files):
                files += [out / "output" / material / f"{name}.png" for name in MAP_NAMES]
                pictures += [imread(file, channels=3, size=(CELL, CELL), device="cpu") for file in files]
                break
    return contact_sheet(pictures, columns=views + len(MAP_NAMES)) if pictures else None
