"""A trained network from a file, for the commands that use one."""

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from easel.console import BadInput, explained

if TYPE_CHECKING:
    from easel.materials.maps import MaterialMaps
    from easel.materials.models.network_files import Trained
    from easel.materials.recovery.photos import Photos


def open_trained(checkpoint: Path | None, device: str) -> "Trained":
    """Open the network of a checkpoint, of an exported file, or of Easel itself for None.

    BadInput or FileError of one line.
    """
    from easel.materials.export.running import SUFFIXES, ExportError, load_exported
    from easel.materials.models.network_files import SHIPPED, load_generator
    from easel.materials.training.engine import DeviceError, pick_device

    with explained("--device: ", errors=(ValueError, DeviceError)):
        place = pick_device(device)
    # Exported files run elsewhere than in torch: the device is theirs to choose.
    if checkpoint is not None and checkpoint.suffix in SUFFIXES:
        with explained(errors=ExportError):
            return load_exported(checkpoint)
    # A checkout, or a build without the network's file.
    if checkpoint is None and not SHIPPED.exists():
        raise BadInput("this installation has no network of its own. Train one and name it with --checkpoint.")
    # A .pth may stand for the run's folder beside it.
    if checkpoint is not None and not checkpoint.exists() and not checkpoint.with_suffix("").exists():
        # Of a folder that is not there either, nothing is near.
        beside = [path.name for path in checkpoint.parent.glob("*")]
        hint = "Name a run's folder, a .pth or a .safetensors."
        for near in get_close_matches(checkpoint.name, beside, n=1):
            hint = f"Did you mean {checkpoint.parent / near}?"
        raise BadInput(f"--checkpoint {checkpoint}: there is no such file. {hint}")
    return load_generator(checkpoint or SHIPPED, place)


def network_record(trained: "Trained") -> dict[str, Any]:
    """Return what a result's record says of the network that it came from."""
    return {"weights_sha256": trained.digest, "step": trained.step, "config": trained.config.to_dict()}


def recovery_record(photos: "Photos", maps: "MaterialMaps", facts: dict[str, Any]) -> dict[str, Any]:
    """Return what maps.json says of the photos and of the way to the maps."""
    names = [photo.path.name for photo in photos.photos]
    found = {"photos": names, "registered_by": photos.how, "left_out": list(photos.notes)}
    return {**found, **facts, "map_size": list(maps.size)}
