"""`easel materials import`: folders of real materials become a library for `easel materials render`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from tyro.conf import Positional

from easel.console import prepare_folder, progress

if TYPE_CHECKING:
    from easel.materials.collection.importing import ImportOptions, ImportReport


@dataclass(frozen=True)
class ImportConfig:
    """Take materials from MatSynth, ambientCG, Poly Haven and other folders of texture files, and say why not."""

    source: Annotated[Positional[Path], tyro.conf.arg(metavar="SOURCE")]
    """Folder that is searched, with all below it."""
    destination: Annotated[Positional[Path], tyro.conf.arg(metavar="DESTINATION")]
    """Folder that gets one folder per material: albedo, roughness, metallic, normal."""
    flatten: bool = True
    """One folder per material, named by all its folders; --no-flatten keeps the tree of the source."""
    require_all: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Leave out materials without a metallic map, instead of taking them as no metal."""
    link: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Link to files that need no change instead of copying them."""
    overwrite: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Take materials again that are already in DESTINATION."""
    dry_run: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Look and tell only."""
    verbose: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Tell of every material which files were taken."""
    ext: tuple[str, ...] = ()
    """Only files with these suffixes, such as png exr; all that are known without it."""
    keep_ext: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Keep JPEG, EXR, TIFF and WebP files that need no change; otherwise all become PNG."""
    manifest: Path | None = None
    """File of the report, as JSON; DESTINATION/import_manifest.json if it is not given."""
    resize: int = 2048
    """The most texels a side; 0 keeps all sizes."""


def import_(config: ImportConfig) -> int:
    """Write the materials and the report; returns 0, or 1 if there was nothing to take."""
    from easel.materials.collection.finding import EXTENSIONS
    from easel.materials.collection.importing import MANIFEST, ImportOptions

    options = ImportOptions(
        flatten=config.flatten,
        require_all=config.require_all,
        link=config.link,
        overwrite=config.overwrite,
        dry_run=config.dry_run,
        keep_ext=config.keep_ext,
        extensions=tuple(f".{suffix.lower().lstrip('.')}" for suffix in config.ext) or EXTENSIONS,
        resize=config.resize or None,
    )
    manifest = config.manifest or config.destination / MANIFEST
    report = take(config.source, config.destination, options, manifest, verbose=config.verbose)
    return 0 if report.taken else 1


def take(
    source: Path, destination: Path, options: "ImportOptions", manifest: Path, *, verbose: bool = False
) -> "ImportReport":
    """Take the materials of `source`, write the report and say what it says."""
    from easel.materials.collection.importing import Imported, import_each, report_of, write_manifest

    if not options.dry_run:
        prepare_folder(destination)
    results = []
    with progress("importing") as bar:
        for result in import_each(source, destination, options):
            results.append(result)
            # how many there are is only known at the end: a fraction that nears 1
            bar.update(1 - 1 / (1 + len(results) / 100), f"{len(results)} folders")
            if verbose and isinstance(result, Imported):
                print(f"{result.name}: " + ", ".join(f"{name} from {file}" for name, file in result.files.items()))
    report = report_of(source, destination, results)
    for left_out in report.left_out:
        print(f"left out {left_out.place}: {left_out.reason}")
    for material in report.taken:
        for note in material.notes:
            print(f"{material.name}: {note}")
    counts = f"{len(report.taken)} materials, {len(report.left_out)} left out"
    if options.dry_run:
        print(f"would take {counts}")
    else:
        write_manifest(report, manifest)
        print(f"wrote {counts}; {manifest} tells from which files")
    return report
