"""`easel materials render`: a dataset to train on, photographed from materials."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from easel.commands.materials.engine import EngineName, engine, kept_note, share_of
from easel.console import BadInput, complain, counted, prepare_folder
from easel.graphics.checked_record import Range

if TYPE_CHECKING:
    from easel.materials.synthesis.render_dataset import DatasetPlan, Folders, Procedural

OVERVIEW_SAMPLES = 8
SAMPLES_A_PROCESS = 20
"""For fewer samples another process takes longer to start than it saves."""
Side = Annotated[int, Range(8, 8192)]
"""Pixels."""
Count = Annotated[int, Range(1, 100_000)]
"""As many seeds of the library belong to one seed of a dataset."""


@dataclass(frozen=True)
class DatasetRenderConfig:
    """Photograph materials and write a dataset: input/clean, input/dirty, input/render_metadata.json and output.

    What is there already is kept, so an interrupted run goes on where it ended. The same seed gives the same files,
    however the work is shared among --workers and --shard.
    """

    out: Path = Path("data")
    """Folder of the dataset; its input and output are what `easel materials train` takes."""
    materials: Count = 200
    """Number of materials to make up from noise."""
    maps: Path | None = None
    """Photograph these instead: a folder of material folders with albedo, roughness, metallic and normal each."""
    samples_per_material: Count = 1
    """Sets of photos of every material."""
    views: Annotated[int, Range(1, 100)] = 3
    """Photos in a set."""
    size: Side = 128
    """Pixels a side of the photos."""
    map_size: Side | None = None
    """Texels a side of the maps; as the photos' size if it is not given."""
    bits: Literal[8, 16] = 8
    """Of the maps' files."""
    seed: Annotated[int, Range(0, 2**31 - 1)] = 0
    """Another seed is another dataset."""
    light: Literal["flash", "room", "mixed", "environment"] = "flash"
    """The phone's flash in a dim room; a room, a studio or the sky alone; flash and any of them, weak or strong; or
    --environment."""
    environment: Path | None = None
    """Radiance file (.hdr, .exr) of surroundings, for --light environment."""
    p_dirty: Annotated[float, Range(0, 1)] = 0.25
    """Share of samples that are photographed as by hand: shadows, dirt on the lens, shake, noise, JPEG."""
    both: bool = False
    """Photograph every sample both ways."""
    clean_only: bool = False
    """No dirty photos: the same as --p-dirty 0."""
    continuing: Annotated[bool, tyro.conf.arg(aliases=["-c"])] = False
    """Add as many samples after those that are there, and make up for photos that those lack."""
    shard: str = "0/1"
    """Make a share of the samples: 3/8 is the fourth of eight. Shards may run at once, on any machines."""
    workers: Annotated[int, Range(0, 1024)] = 0
    """Processes; 0 takes one for each core."""
    engine: EngineName = "local"
    """Workers: this machine's processes, or Ray's, of the cluster that RAY_ADDRESS names or of its own."""
    import_only: bool = False
    """Photograph real materials and none from noise: --maps is a folder of downloads, which are first brought into
    OUT/materials as `easel materials import` does it."""


def render(config: DatasetRenderConfig) -> int:
    """Write the dataset; returns 0, or 1 when a process was lost."""
    shard, shards = _check(config)
    from easel.graphics.image import imwrite
    from easel.materials.engines.processes import WorkerError
    from easel.materials.synthesis.render_dataset import make, missing, next_index, overview

    # Everything that can be wrong with the plan is told before the first sample.
    plan = _plan(config)
    prepare_folder(config.out)
    count = plan.collection.count * config.samples_per_material
    # Numbers go on after the last sample of any run, and missing photos are made up for.
    if config.continuing:
        first = next_index(config.out)
        indices: Sequence[int] = [*missing(plan, config.out), *range(first, first + count)]
    else:
        indices = range(shard, count, shards)
    skipped = 0
    try:
        at_work = engine(config.engine, config.workers, len(indices), "photographing", least=SAMPLES_A_PROCESS)
        with at_work as (workers, bar):
            for made in counted(make(plan, config.out, indices, engine=workers), len(indices), bar, "sample"):
                skipped += made.skipped
    except WorkerError as error:
        complain(str(error))
        return 1
    print(f"{len(indices)} samples of {plan.collection.count} materials{kept_note(skipped)}")
    sheet = overview(config.out, OVERVIEW_SAMPLES, config.views)
    if sheet is not None:
        imwrite(config.out / "overview.png", sheet)
        print(f"a few of them: {config.out / 'overview.png'}")
    print(f"wrote {config.out / 'input'} and {config.out / 'output'}")
    return 0


def _check(config: DatasetRenderConfig) -> tuple[int, int]:
    """Return the shard and the number of shards; BadInput for options that cannot be, alone or together."""
    if config.clean_only and config.both:
        raise BadInput("--clean-only and --both say opposite things. Give one of them.")
    if (config.light == "environment") != (config.environment is not None):
        raise BadInput("--light environment and --environment FILE belong together: give both or neither.")
    shard, shards = share_of(config.shard)
    if config.continuing and shards > 1:
        raise BadInput("--continuing counts from what is there, which shards would count differently. Run it alone.")
    if config.import_only and (config.maps is None or shards > 1):
        raise BadInput(
            "--import-only takes the folder of --maps as a whole. For shards run `easel materials import` once, and "
            "name what it wrote as --maps."
        )
    return shard, shards


def _plan(config: DatasetRenderConfig) -> "DatasetPlan":
    from easel.materials.rendering.environment import Environment
    from easel.materials.synthesis.photo_setups import PhotoSetups
    from easel.materials.synthesis.render_dataset import DatasetPlan

    if config.environment is not None:
        # What is wrong with it is said before anything is written.
        Environment.load(config.environment)
    scenes = PhotoSetups(
        seed=config.seed,
        views=config.views,
        size=config.size,
        light=config.light,
        environment=config.environment,
        p_dirty=0.0 if config.clean_only else config.p_dirty,
        both=config.both,
    )
    return DatasetPlan(_library(config), scenes, config.map_size or config.size, config.bits)


def _imported(source: Path, out: Path) -> Path:
    """Import real materials, as far as they are not there yet; return their folder."""
    from easel.commands.materials.import_ import take
    from easel.materials.collection.importing import MANIFEST, ImportOptions

    home = out / "materials"
    take(source, home, ImportOptions(), home / MANIFEST)
    return home


def _library(config: DatasetRenderConfig) -> "Procedural | Folders":
    from easel.graphics.files import FileError
    from easel.materials.maps import map_paths
    from easel.materials.synthesis.render_dataset import Folders, Procedural

    if config.maps is None:
        return Procedural(config.seed, config.materials)
    if not config.maps.is_dir():
        raise BadInput(f"--maps {config.maps} is no folder. Name the one that holds folders of materials.")
    home = _imported(config.maps, config.out) if config.import_only else config.maps
    whole = []
    for folder in sorted(home.iterdir()):
        if folder.is_dir() and not folder.name.startswith("."):
            try:
                map_paths(folder)
                whole.append(folder)
            except FileError as error:
                complain(f"{folder.name} is left out: {error}")
    if not whole:
        raise BadInput(
            f"--maps {config.maps} has no folder with albedo, roughness, metallic and normal. "
            "`easel materials import` makes such folders of downloaded materials."
        )
    return Folders(tuple(whole))
