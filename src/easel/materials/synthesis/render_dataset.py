"""Making a dataset: materials are photographed and everything is written where training looks for it.

A sample is a function of the plan and of its index alone, so that any number of processes, on any machines, write the
same files. What is whole already is not made again: an interrupted run goes on where it ended.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from easel.graphics.files import FileError
from easel.graphics.image import imwrite
from easel.materials.collection.procedural import name_of, procedural
from easel.materials.dataset.listing import METADATA_FILE, read_metadata
from easel.materials.dataset.views import SOURCES, VIEWS_FILE, ShotList, Source, write_views_json
from easel.materials.engines.processes import Engine, in_turn
from easel.materials.maps import MaterialMaps
from easel.materials.synthesis.dataset_writer import (
    appearing,
    merge_metadata,
    partial_of,
    png_size,
    sample_folders,
    sample_index,
    sample_name,
    whole_maps,
    whole_photos,
)
from easel.materials.synthesis.photo_setups import Scenes

FLUSH_SAMPLES = 10
"""Samples after which the metadata is written."""
SEEDS_A_RUN = 100_000
"""Seeds of the library that belong to one seed of a dataset."""


@dataclass(frozen=True)
class Procedural:
    """Materials that are made from noise."""

    seed: int
    count: int

    def name(self, number: int) -> str:
        """The folder of material `number`."""
        return name_of(self.seed * SEEDS_A_RUN + number)

    def maps(self, number: int, size: int) -> MaterialMaps:
        return procedural(self.seed * SEEDS_A_RUN + number, size)


@dataclass(frozen=True)
class Folders:
    """Materials that lie on disk, each in a folder of four maps."""

    paths: tuple[Path, ...]

    @property
    def count(self) -> int:
        return len(self.paths)

    def name(self, number: int) -> str:
        """The folder of material `number`."""
        return self.paths[number].name

    def maps(self, number: int, size: int) -> MaterialMaps:
        return MaterialMaps.load(self.paths[number], size=(size, size))


@dataclass(frozen=True)
class Plan:
    """A dataset: which materials are in it and how they are photographed."""

    collection: Procedural | Folders
    scenes: Scenes
    map_size: int = 128
    """Texels a side of the maps that are written, and photographed."""
    bits: int = 8
    """Of the maps' files: 8 or 16."""

    def material(self, index: int) -> int:
        """The material of a sample: all have their turn before one comes again."""
        return index % self.collection.count


@dataclass(frozen=True)
class Made:
    """A sample that is on disk."""

    index: int
    material: str
    skipped: bool
    """It was there already."""

    @property
    def name(self) -> str:
        return sample_name(self.index)


def make(plan: Plan, out: Path, indices: Iterable[int], *, engine: Engine = in_turn) -> Iterator[Made]:
    """Write the samples of these indices below `out`, one by one; closing the generator stops.

    The metadata knows every sample that was yielded, `FLUSH_SAMPLES` later at the latest. `engine` says who does the
    work. FileError where something in `out` cannot be continued, OSError for a disk that is full.
    """
    metadata = out / "input" / METADATA_FILE
    (out / "input" / "clean").mkdir(parents=True, exist_ok=True)
    if plan.scenes.p_dirty > 0:
        (out / "input" / "dirty").mkdir(exist_ok=True)
    known = read_metadata(metadata) if metadata.exists() else {}
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


def _unclaimed(plan: Plan, indices: Iterable[int], known: Mapping[str, object]) -> Iterator[int]:
    """The indices; FileError at one whose name is that of another material's sample."""
    for index in indices:
        sample, material = sample_name(index), plan.collection.name(plan.material(index))
        if known.get(sample, material) != material:
            raise FileError(
                f"{sample} shows {known[sample]!r} there, this run would make it of {material!r}. Name another folder, "
                "repeat that run's options, or continue after it."
            )
        yield index


def _maker(plan: Plan, out: Path) -> Callable[[int], Made]:
    return partial(make_sample, plan, out)


def make_sample(plan: Plan, out: Path, index: int) -> Made:
    """Write one sample and its material, unless they are there."""
    sample, number = sample_name(index), plan.material(index)
    material = plan.collection.name(number)
    scenes = plan.scenes
    maps_folder = out / "output" / material
    homes: dict[Source, Path] = {source: out / "input" / source / sample for source in scenes.sources(index)}
    lacking: list[Source] = [
        source for source, home in homes.items() if not whole_photos(home, scenes.seed, scenes.views, scenes.size)
    ]
    # What a killed run left: whoever makes this sample now is the only one who may remove it.
    for folder in (maps_folder, *homes.values()):
        shutil.rmtree(partial_of(folder, sample), ignore_errors=True)
    has_maps = whole_maps(maps_folder)
    if has_maps and not lacking:
        return Made(index, material, skipped=True)
    maps = plan.collection.maps(number, plan.map_size)
    if not has_maps:
        _write_maps(maps, maps_folder, sample, plan.bits)
    for source in lacking:
        taken = scenes.take(maps, index, source)
        with appearing(homes[source], sample) as folder:
            for picture, shot in taken:
                imwrite(folder / shot.file, picture)
            write_views_json(folder / VIEWS_FILE, ShotList(scenes.seed, tuple(shot for _, shot in taken)))
    return Made(index, material, skipped=False)


def _write_maps(maps: MaterialMaps, folder: Path, owner: str, bits: int) -> None:
    """Another sample of the same material may write the same files at this moment: whoever comes second lets go."""
    try:
        with appearing(folder, owner) as partial:
            maps.save(partial, bits)
    except OSError:
        if not whole_maps(folder):
            raise


def next_index(out: Path) -> int:
    """The first number after those of all samples in `out`."""
    folders = (path.name for source in SOURCES for path in sample_folders(out / "input" / source))
    metadata = out / "input" / METADATA_FILE
    listed = read_metadata(metadata) if metadata.exists() else {}
    return max((number + 1 for name in (*folders, *listed) if (number := sample_index(name)) is not None), default=0)


def missing(plan: Plan, out: Path) -> list[int]:
    """The samples up to the last in `out` that this plan makes and that lack photos there.

    What another plan took the other way, clean for dirty, or of another material, is not of this plan.
    """
    metadata = out / "input" / METADATA_FILE
    listed = read_metadata(metadata) if metadata.exists() else {}
    scenes, found = plan.scenes, []
    for index in range(next_index(out)):
        name, material = sample_name(index), plan.collection.name(plan.material(index))
        planned = scenes.sources(index)
        there = [source for source in SOURCES if (out / "input" / source / name).is_dir()] or planned
        homes = [out / "input" / source / name for source in planned if source in there]
        photos = [home / f"{view}.png" for home in homes for view in range(scenes.views)]
        if listed.get(name, material) == material and any(png_size(photo) is None for photo in photos):
            found.append(index)
    return found
