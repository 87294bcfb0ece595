"""A trained network from a file, for the commands that use one."""

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from easel.console import BadInput

if TYPE_CHECKING:
    from easel.materials.models.network_files import Trained


def open_trained(checkpoint: Path | None, device: str) -> "Trained":
    """Open the network of a checkpoint, of an exported file, or of Easel itself for None.

    BadInput or FileError of one line.
    """
    from easel.materials.export.running import SUFFIXES, ExportError, load_exported
    from easel.materials.models.network_files import SHIPPED, load_generator
    from easel.materials.training.engine import DeviceError, pick_device

    try:
        place = pick_device(device)
    except (ValueError, DeviceError) as error:
        raise BadInput(f"--device: {error}") from None
    # Exported files run elsewhere than in torch: the device is theirs to choose.
    if checkpoint is not None and checkpoint.suffix in SUFFIXES:
        try:
            return load_exported(checkpoint)
        except ExportError as error:
            raise BadInput(str(error)) from None
    # A checkout, or a build without the network's file.
    if checkpoint is None and not SHIPPED.exists():
        raise BadInput("this installation has no network of its own. Train one and name it with --checkpoint.")
    # A .pth may stand for the run's folder beside it.
    if checkpoint is not None and not checkpoint.exists() and not checkpoint.with_suffix("").exists():
        beside = []
        if checkpoint.parent.is_dir():
            beside = [path.name for path in checkpoint.parent.iterdir()]
        near = get_close_matches(checkpoint.name, beside, n=1)
        hint = "Name a run's folder, a .pth or a .safetensors."
        if near:
            hint = f"Did you mean {checkpoint.parent / near[0]}?"
        raise BadInput(f"--checkpoint {checkpoint}: there is no such file. {hint}")
    return load_generator(checkpoint or SHIPPED, place)
