"""`easel materials infer --all`: the maps of many materials, each in a folder of its own."""

import hashlib
import json
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from easel.commands.materials.engine import EngineName, engine, kept_note
from easel.commands.materials.trained import open_trained, recovery_record
from easel.console import complain, counted, prepare_folder

if TYPE_CHECKING:
    from easel.materials.models.network_files import Trained
    from easel.materials.recovery.photos import Rectify

MATERIALS_A_PROCESS = 8
"""For fewer materials another process, with the network once more, takes longer to start than it saves."""
SHOWN, SHEET_SIDE = 6, 160
"""Materials in the overview, and the pixels of each picture in it."""
RECORD = "maps.json"


@dataclass(frozen=True)
class Work:
    """Options for every material: plain data, for any process on any machine."""

    checkpoint: Path | None
    device: str
    out: Path
    rectify: "Rectify"
    size: int | None
    tile: int | None
    overlap: int | None
    tileable: bool
    bits: int
    refine: int


@dataclass(frozen=True)
class RecoveryResult:
    """One material."""

    name: str
    fault: str | None = None
    """Why it has no maps, in one line."""
    skipped: bool = False
    """Its maps were there."""


def infer_all(work: Work, folders: dict[str, Path], name: EngineName, workers: int) -> int:
    """Write maps and record of every folder of photos below `work.out`, by its name; returns 0, or 1 for any fault.

    What is there, of the same network, options and photos, is kept.
    """
    from easel.materials.engines.processes import WorkerError, in_turn

    # Under Ray this process gives out work, perhaps on a machine that has no GPU
    trained = open_trained(work.checkpoint, work.device if name == "local" else "cpu")
    device = work.device
    if name == "local":
        # An exported network has no parameters here, and runs where its own program likes.
        device = next((parameter.device.type for parameter in trained.model.parameters()), "cpu")
    # Before the workers start, which would each fail for the same reason.
    prepare_folder(work.out)
    faults = skipped = 0
    try:
        with engine(name, workers, len(folders), "maps", least=MATERIALS_A_PROCESS, device=device) as (run, bar):
            opened = (lambda: partial(recover_one, work, trained)) if run is in_turn else partial(maker, work)
            with closing(run(opened, folders.items())) as recovered:
                for one in counted(recovered, len(folders), bar, "material"):
                    skipped += one.skipped
                    faults += one.fault is not None
                    if one.fault is not None:
                        complain(f"{one.name} is left out: {one.fault}")
    except WorkerError as error:
        complain(str(error))
        return 1
    print(f"{len(folders) - faults} materials{kept_note(skipped)}")
    _write_overview(work.out, list(folders))
    print(f"wrote a folder of maps for each into {work.out}")
    return int(faults > 0)


def maker(work: Work) -> Callable[[tuple[str, Path]], RecoveryResult]:
    """Return the function that recovers materials, for a process of its own."""
    return partial(recover_one, work, open_trained(work.checkpoint, work.device))


def recover_one(work: Work, trained: "Trained", unit: tuple[str, Path]) -> RecoveryResult:
    """Write the maps of one folder of photos, unless they are there; whole or not at all."""
    from easel.graphics.files import FileError, write_json
    from easel.materials.export.running import ExportError
    from easel.materials.recovery.photos import read_photos
    from easel.materials.recovery.recovery import recover
    from easel.materials.synthesis.dataset_writer import appearing, partial_of, whole_maps

    name, folder = unit
    home = work.out / name
    # What a killed process left.
    shutil.rmtree(partial_of(home, name), ignore_errors=True)
    try:
        asked = _asked(work, trained, folder)
        # Kept only if the same network, options and photos made them.
        if whole_maps(home) and _written(home) == asked:
            return RecoveryResult(name, skipped=True)
        photos = read_photos(folder, work.rectify)
        maps, facts = recover(
            trained,
            photos,
            size=work.size,
            tile=work.tile,
            overlap=work.overlap,
            tileable=work.tileable,
            refinement=work.refine,
        )
    # One bad folder among thousands is told and left out.
    except (FileError, ValueError, ExportError) as error:
        return RecoveryResult(name, fault=" ".join(str(error).split()))
    # Maps and record appear together: one without the other would count as done.
    with appearing(home, name) as unfinished:
        maps.save(unfinished, work.bits)
        write_json(unfinished / RECORD, recovery_record(photos, maps, facts) | {"asked": asked})
    return RecoveryResult(name)


def _asked(work: Work, trained: "Trained", folder: Path) -> dict[str, Any]:
    """Return the options and digests that maps depend on: they are made again when one of these is another."""
    # Names and bytes: a photo that was replaced makes its maps old.
    photos = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        photos.update(path.name.encode())
        with path.open("rb") as file:
            photos.update(hashlib.file_digest(file, "sha256").digest())
    # The output folder and the device do not change the maps.
    options = {
        name: getattr(work, name) for name in ("rectify", "size", "tile", "overlap", "tileable", "bits", "refine")
    }
    return {**options, "photos_sha256": photos.hexdigest(), "weights_sha256": trained.digest}


def _written(home: Path) -> object:
    """Read the options that a folder's maps were made with; None where nothing tells."""
    try:
        return json.loads((home / RECORD).read_text(encoding="utf-8"))["asked"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _write_overview(out: Path, names: list[str]) -> None:
    """Write the first materials' maps side by side."""
    from easel.graphics.image import imwrite
    from easel.materials.contact import labelled_sheet, map_pictures, relit
    from easel.materials.maps import MAP_NAMES, MaterialMaps
    from easel.materials.synthesis.dataset_writer import whole_maps

    # Faults have no maps; the overview shows what is there.
    shown = [name for name in names if whole_maps(out / name)][:SHOWN]
    if not shown:
        return
    materials = [MaterialMaps.load(out / name) for name in shown]
    rows = [[*map_pictures(maps, SHEET_SIDE), relit(maps, SHEET_SIDE)] for maps in materials]
    imwrite(out / "overview.png", labelled_sheet(rows, [*MAP_NAMES, "relit"], [name[-20:] for name in shown]))
    print(f"a few of them: {out / 'overview.png'}")
