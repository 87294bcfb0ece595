"""`easel materials infer`: photos of a material become its four maps."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro
from tyro.conf import FlagCreatePairsOff

from easel.commands.materials.engine import EngineName, share_of
from easel.commands.materials.trained import network_record, open_trained, recovery_record
from easel.console import BadInput, complain, explained, prepare_folder, progress, require_folder
from easel.graphics.checked_record import Range

if TYPE_CHECKING:
    from easel.materials.dataset.dataset import PBRDataset
    from easel.materials.maps import MaterialMaps
    from easel.materials.models.network_files import Trained
    from easel.materials.recovery.photos import Photos
    from easel.materials.tiles import Tiling

Side = Annotated[int, Range(16, 8192)]
"""Pixels."""
SHEET_SIDE, PREVIEW_SIDE, OVERLAP_SIDE, VIEW_SIDE = 192, 512, 512, 2048
"""Pixels of a place in the sheet, of the preview, and, at most, of photos in the overlap and of those by themselves."""
UNSURE = 0.2
"""A standard deviation of the maps that is shown brightest."""
MOST_SHOWN = 3
"""Photos in the contact sheet."""


@dataclass(frozen=True)
class InferConfig:
    """Recover the maps of a material from photos of it: one or more, in any order.

    Photos of --input-dir are brought into one frame by stored cameras (views.json), by --corners, or by matching them
    with the first. Without --input-dir a sample of the network's own dataset is taken. The folder --out-dir gets
    albedo.png, normal.png, roughness.png, metallic.png, the photos as the network saw them, how they fit each other
    (overlap.png), a contact sheet, a preview and maps.json. With --all many materials are recovered, each into a
    folder of its own with the maps and maps.json; what is there already is kept, so that an interrupted run goes on
    where it ended.
    """

    model: Annotated[Path | None, tyro.conf.Positional] = None
    """The same as --checkpoint."""
    checkpoint: Path | None = None
    """A run's folder, a .pth, a .safetensors, or what `easel materials export` wrote: an .onnx or, on macOS, an
    .mlpackage. The network that comes with Easel if it is not given."""
    input_dir: Annotated[Path | None, tyro.conf.arg(aliases=["--input"])] = None
    """Folder with 1 or more photos, .png or .jpg."""
    sample_idx: int = 0
    """Number of the sample of the dataset, without --input-dir."""
    data_root: Path | None = None
    """Folder of that dataset, where it is not where the network learned from it."""
    out_dir: Annotated[Path, tyro.conf.arg(aliases=["--output"])] = Path("inference_outputs")
    """Folder for what is written."""
    device: str = "auto"
    """auto, cuda, cuda:0, mps or cpu."""
    rectify: Literal["auto", "camera", "match", "corners", "none"] = "auto"
    """Bring photos into one frame by stored cameras, by matching, by corners, or not at all."""
    corners: tuple[float, ...] = ()
    """x and y in pixels of the material's corners in the first photo: top left, then clockwise. Or of every photo."""
    size: Annotated[Side | None, tyro.conf.arg(metavar="PIXELS")] = None
    """Side of the photos in that frame; as the network learned if it is not given. Large ones go by tiles."""
    tile: Annotated[Side | None, tyro.conf.arg(metavar="PIXELS")] = None
    """Side of a tile; as the network learned if it is not given."""
    overlap: Annotated[Side | None, tyro.conf.arg(metavar="PIXELS")] = None
    """Pixels that neighbouring tiles share: 64, or half a tile that is smaller than 128."""
    tileable: Annotated[bool, FlagCreatePairsOff] = False
    """Make maps that repeat without a seam."""
    refine: Annotated[int, Range(0, 10_000), tyro.conf.arg(metavar="STEPS")] = 0
    """Afterwards bring the maps nearer to the photos by so many steps of inverse rendering; 100 are good."""
    uncertainty: Annotated[bool, FlagCreatePairsOff] = False
    """Also write uncertainty.png: how far the maps differ when one photo after the other is left out."""
    bits: Literal[8, 16] = 8
    """Of the maps' files."""
    all: Annotated[bool, FlagCreatePairsOff] = False
    """Every folder in --input-dir or, without it, every sample of the dataset."""
    shard: str = "0/1"
    """With --all, make a share of them: 3/8 is the fourth of eight. Shares may run at once, on any machines."""
    workers: Annotated[int, Range(0, 1024)] = 0
    """With --all: processes, each with the network; 0 takes one for each core, or one for a GPU."""
    engine: EngineName = "local"
    """With --all: this machine's processes, or Ray's, of the cluster that RAY_ADDRESS names or of its own."""


def infer(config: InferConfig) -> int:
    """Write the maps; returns 0, or 1 where --all could not make them all."""
    from easel.materials.export.running import ExportError

    _check(config)
    # A misspelt folder is told at once, not after the network has been read.
    if config.input_dir is not None:
        require_folder(config.input_dir, "--input-dir")
    if config.all:
        return _infer_all(config)
    trained = open_trained(config.model or config.checkpoint, config.device)
    # Photos before the folder of the output: nothing is made for photos that cannot be read.
    photos = _photos(config, trained)
    prepare_folder(config.out_dir)
    for note in photos.notes:
        complain(f"{note}.")
    with explained(after=" --size and --tile say which.", errors=ExportError), explained():
        maps, facts = _maps(config, trained, photos)
    _write(config, trained, photos, maps, facts)
    return 0


def _check(config: InferConfig) -> None:
    if config.model is not None and config.checkpoint is not None:
        raise BadInput(f"{config.model} and --checkpoint {config.checkpoint} are two networks: name one.")
    if config.sample_idx < 0:
        raise BadInput(f"--sample-idx counts from 0; got {config.sample_idx}.")
    # Corners that are given and not used would be a surprise.
    if config.corners and config.rectify not in ("auto", "corners"):
        raise BadInput(f"--corners goes with --rectify corners; got --rectify {config.rectify}.")
    if config.all and (config.uncertainty or config.corners or config.sample_idx):
        raise BadInput("--uncertainty, --corners and --sample-idx are of one material: leave them out, or --all.")
    if not config.all and (config.workers or config.engine != "local" or config.shard != "0/1"):
        raise BadInput("--workers, --shard and --engine share out many materials: add --all.")


def _infer_all(config: InferConfig) -> int:
    from easel.commands.materials.infer_all import Work, infer_all

    share, shares = share_of(config.shard)
    checkpoint = config.model or config.checkpoint
    if config.input_dir is not None:
        found = {folder.name: folder for folder in sorted(config.input_dir.iterdir()) if folder.is_dir()}
        folders = {name: folder for name, folder in found.items() if not name.startswith(".")}
        if not folders:
            raise BadInput(
                f"--all takes every folder in --input-dir, and {config.input_dir} has none. Leave --all out?"
            )
    else:
        # On the CPU: only the config is needed, and --device belongs to the workers.
        entries = _dataset(config, open_trained(checkpoint, "cpu")).entries
        folders = {
            entry.id if entry.source == "clean" else f"{entry.id}_{entry.source}": entry.photos[0].parent
            for entry in entries
        }
    # Every n-th, not a block: shards then take equally long.
    mine = dict(list(folders.items())[share::shares])
    options = (config.rectify, config.size, config.tile, config.overlap, config.tileable, config.bits, config.refine)
    work = Work(checkpoint, config.device, config.out_dir, *options)
    return infer_all(work, mine, config.engine, config.workers)


def _photos(config: InferConfig, trained: "Trained") -> "Photos":
    """Read the photos of the folder, or of a sample of the dataset; BadInput for what does not fit together."""
    from easel.materials.recovery.photos import read_photos

    folder = config.input_dir or _sample_folder(config, trained)
    with explained():
        return read_photos(folder, config.rectify, config.corners)


def _sample_folder(config: InferConfig, trained: "Trained") -> Path:
    dataset = _dataset(config, trained)
    if config.sample_idx >= len(dataset):
        raise BadInput(f"--sample-idx {config.sample_idx}: the dataset has samples 0 to {len(dataset) - 1}.")
    return dataset.entries[config.sample_idx].photos[0].parent


def _dataset(config: InferConfig, trained: "Trained") -> "PBRDataset":
    """Open the dataset of --data-root, or the one that the network learned from; BadInput where there is none."""
    from easel.materials.models.training_data import training_dataset

    data = trained.data
    root = config.data_root
    if root is None and not Path(data.input_dir or "nowhere").is_dir():
        # Not its path: on the machine of whoever trained the network it may be private, and here it leads nowhere.
        raise BadInput("the dataset that this network learned from is not here: name photos with --input-dir.")
    folders = root and root / "input", root and root / "output"
    with explained(after=" Or name photos of your own with --input-dir.", errors=(FileNotFoundError, ValueError)):
        return training_dataset(trained, *folders, num_views=1, rectify="camera")


def _maps(config: InferConfig, trained: "Trained", photos: "Photos") -> "tuple[MaterialMaps, dict[str, Any]]":
    """Recover the maps; return them with the facts that maps.json tells of how they were made."""
    from easel.materials.recovery.infer import usual_tile
    from easel.materials.recovery.recovery import recover
    from easel.materials.tiles import Tiling

    tile = config.tile or usual_tile(trained)
    with explained("--overlap and --tile do not fit: "):
        len(Tiling((tile, tile), tile, config.overlap or 1))
    with progress("maps") as bar:
        maps, facts = recover(
            trained,
            photos,
            size=config.size,
            tile=tile,
            overlap=config.overlap,
            tileable=config.tileable,
            refinement=config.refine,
            progress=lambda share: bar.update(float(share), f"windows of {tile} pixels"),
            refining=lambda step: bar.update(
                (step.index + 1) / config.refine, f"step {step.index + 1}, {step.difference:.4f} from the photos"
            ),
        )
    # With the tiling that the maps were made with: the spread is of the same crops.
    if config.uncertainty:
        size = facts["photo_size"]
        _write_uncertainty(config, trained, photos, Tiling((size, size), tile, facts["overlap"]))
    return maps, facts


def _write(
    config: InferConfig, trained: "Trained", photos: "Photos", maps: "MaterialMaps", facts: dict[str, Any]
) -> None:
    """Write the maps, the photos as the network saw them, the pictures and the record."""
    from easel.graphics.files import write_json
    from easel.graphics.image import imwrite
    from easel.materials.contact import ball, labelled_sheet, map_pictures, relit, square
    from easel.materials.dataset.registration import Registered, overlap_picture
    from easel.materials.tiles import Crop

    out = config.out_dir
    # The maps first: they are what was asked for.
    maps.save(out, config.bits)
    side = min(facts["photo_size"], VIEW_SIDE)
    views, valid = photos.cut(Crop(0, 0, side, side), (side, side))
    pictures = [picture.permute(1, 2, 0) for picture in views * valid]
    for number, picture in enumerate(pictures):
        imwrite(out / f"view_{number}.png", picture)
    if len(pictures) > 1:
        small = min(side, OVERLAP_SIDE)
        seen = photos.cut(Crop(0, 0, small, small), (small, small))
        imwrite(out / "overlap.png", overlap_picture(Registered(*seen, photos.cameras)))
    shown = [square(picture, SHEET_SIDE) for picture in pictures[:MOST_SHOWN]]
    row = [*shown, *map_pictures(maps, SHEET_SIDE), relit(maps, SHEET_SIDE)]
    record = {**recovery_record(photos, maps, facts), "network": network_record(trained)}
    labels = [*record["photos"][:MOST_SHOWN], *maps, "relit"]
    imwrite(out / "contact_sheet.png", labelled_sheet([row], labels, [out.name[:16]]))
    imwrite(out / "preview.png", ball(maps, PREVIEW_SIDE))
    write_json(out / "maps.json", record)
    height, width = maps.size
    print(f"{len(pictures)} photo{'s' * (len(pictures) > 1)}, registered by {photos.how}: {width} x {height} texels")
    if "refined" in facts:
        print(_refined(facts["refined"]))
    for name, ratio in facts.get("seams", {}).items():
        print(f"seam of {name}: {ratio:.2f} of the steps inside")
    print(f"wrote the maps, preview.png, contact_sheet.png and maps.json into {out}")


def _refined(facts: dict[str, Any]) -> str:
    """Describe what a refinement changed, in one line."""
    before, after = facts["difference"]
    if after >= before:
        return (
            f"refining brought the maps no nearer to the photos ({before:.4f}, {after:.4f} after it): left as they were"
        )
    return (
        f"refined at {facts['side']} x {facts['side']} texels under {facts['light']} light: rendered again, the maps "
        f"are {after:.4f} from the photos, {before:.4f} before"
    )


def _write_uncertainty(config: InferConfig, trained: "Trained", photos: "Photos", tiling: "Tiling") -> None:
    """Write how far the maps of all photos but one differ, from dark for not at all to bright."""
    from easel.graphics.color import colormap
    from easel.graphics.image import imwrite
    from easel.materials.recovery.infer import spread_windows

    count = len(photos.photos)
    if count < 2:
        raise BadInput("--uncertainty leaves out one photo after the other: it needs 2 or more.")
    with progress("uncertainty") as bar:
        spread = spread_windows(
            trained,
            lambda window: photos.cut(window, tiling.size),
            photos.cameras,
            tiling,
            progress=lambda share: bar.update(float(share), f"{count} times without a photo"),
        )
    imwrite(config.out_dir / "uncertainty.png", colormap(spread[0], "magma", vmin=0.0, vmax=UNSURE))
    print(f"wrote {config.out_dir / 'uncertainty.png'}: {spread.mean():.4f} in the mean, {UNSURE} is brightest")
