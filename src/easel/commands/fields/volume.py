"""`easel fields volume`: volumes painted by random fields or read from files, and pictures of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro
from tyro.conf import Positional

from easel.commands.fields.models import FieldOptions, open_model, options_by_seed, seed_or_any, visible_model
from easel.console import BadInput, counted, explained, prepare_folder, progress
from easel.fields.volumes.look import Look

if TYPE_CHECKING:
    from easel.fields.volumes.volume import Volume


@dataclass(frozen=True)
class VolumeConfig(FieldOptions):
    """Paint a volume with a random field, or take one from a file, and look at it.

    Writes the three slices through the middle, a ray-marched picture and, where asked for, a sheet of the twelve
    transfer functions, a turntable, a mesh, and the volume itself for other programs (Fiji opens the TIFF).
    """

    file: Annotated[Positional[Path | None], tyro.conf.arg(metavar="[FILE]")] = None
    """The .safetensors or TIFF of a field, or a volume: NPY, TIFF stack, NIfTI; without it a new field is drawn."""
    seed: int | None = None
    """Seed of the new field."""
    random_settings: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Draw the options of the new field at random."""
    x_dim: int = 128
    """Samples along X."""
    y_dim: int = 128
    """Samples along Y, which stands upright."""
    z_dim: int = 128
    """Samples along Z."""
    c_dim: int = 3
    """Channels."""
    size: tuple[int, int] = (512, 512)
    """Rows and columns of the pictures."""
    transfer: str = Look.transfer
    """Measure of opacity: constant, linear, or gradient/reduction such as norm/mean, X/mean, sum/norm."""
    shape: Literal["box", "ball"] = "box"
    """Look at the whole box or at the ball inside it."""
    up: Literal["Y", "Z"] = "Y"
    """The axis that stands upright; of medical scans that is Z."""
    sheet: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Write the sheet of twelve transfer functions."""
    turntable: int = 0
    """Frames of a turntable, turntable.gif; 0 makes none."""
    level: float | None = None
    """Write surface.glb, the surface where the mean of the channels passes this value."""
    save: Literal["none", "npy", "tif"] = "none"
    """Write the volume itself."""
    splits: int = 0
    """Parts that are computed at a time; 0 chooses. The values do not depend on it."""
    conf: Path | None = None
    """YAML file of these options; the command line overrides it."""
    out: Path = Path("easel-out")
    """Folder for it all."""


def volume(config: VolumeConfig) -> int:
    """Write the pictures and files; returns 0."""
    prepare_folder(config.out)
    with explained():
        values, spacing = _volume(config)
        _show(values, spacing, config)
    return 0


def _volume(config: VolumeConfig) -> tuple["Volume", tuple[float, float, float]]:
    """Return the volume of the file or of a new field, and the sides of a voxel."""
    from easel.fields.volumes.volume_files import read_volume, volume_suffix

    file = config.file
    shape = None
    if file is None:
        shape = (config.x_dim, config.y_dim, config.z_dim, config.c_dim)
        model, _ = visible_model(options_by_seed(config, 3, config.random_settings), shape, seed_or_any(config.seed))
        model.save(config.out / "field.safetensors")
        print(f"wrote {config.out / 'field.safetensors'}, seed {model.seed}")
    else:
        suffix = volume_suffix(file)
        try:
            # A TIFF may be either: one without a recipe is a stack.
            model = None if suffix in (".npy", ".nii", ".nii.gz") else open_model(file)
        except BadInput:
            if suffix not in (".tif", ".tiff"):
                raise
            model = None
        if model is None:
            scan = read_volume(file)
            return scan.volume, scan.spacing
    if model.dimensions != 3:
        raise BadInput(f"{file} is the field of a picture; `easel fields render` paints it.")
    # Bytes, not floats: a volume of 512³ voxels in colour then takes 400 MB instead of 1.6 GB.
    settings: dict[str, Any] = {"splits": config.splits} if config.splits else {}
    with progress("filling the volume") as bar:
        values = model.generate(
            output_shape=shape, dtype="uint8", progress=lambda done: bar.update(float(done), ""), **settings
        )
    return values, (1.0, 1.0, 1.0)


def _show(values: "Volume", spacing: tuple[float, float, float], config: VolumeConfig) -> None:
    from easel.fields.films.film import write_film
    from easel.fields.volumes.mesh_export import isosurface, write_mesh
    from easel.fields.volumes.views import render_volume, turntable, twelve_views
    from easel.fields.volumes.volume import slice_picture
    from easel.fields.volumes.volume_files import write_volume
    from easel.graphics.image import imwrite

    # The slices first: they are quick, and show whether the slow pictures below are worth waiting for.
    look = Look(transfer=config.transfer, shape=config.shape, up=config.up)
    for view in ("front", "side", "top"):
        _written(config.out / f"{view}.png", lambda path, view=view: imwrite(path, slice_picture(values, view)))
    picture = render_volume(values, config.size, look, spacing=spacing)
    _written(config.out / "volume.png", lambda path: imwrite(path, picture))
    if config.sheet:
        sheet = twelve_views(values, look=look, spacing=spacing)
        _written(config.out / "transfers.png", lambda path: imwrite(path, sheet))
    if config.turntable:
        # Lazily: a frame is marched when the film asks for it, so a long turntable takes the memory of one.
        frames = turntable(values, config.turntable, config.size, look, spacing=spacing)
        with progress("turning") as bar:
            film = counted(frames, config.turntable, bar)
            _written(config.out / "turntable.gif", lambda path: write_film(path, film))
    # Not `if config.level`: 0 is a level like any other.
    if config.level is not None:
        surface = isosurface(values, config.level, spacing=spacing)
        _written(config.out / "surface.glb", lambda path: write_mesh(surface, path))
    if config.save != "none":
        _written(config.out / f"volume.{config.save}", lambda path: write_volume(values, path, spacing=spacing))


def _written(path: Path, write: Callable[[Path], object]) -> None:
    write(path)
    print(f"wrote {path}")
