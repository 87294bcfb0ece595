"""`easel fields fit`: photographs and volumes as neural fields."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from tyro.conf import Positional

from easel.console import BadInput, explained, prepare_folder, progress
from easel.graphics.picture_formats import PICTURE_SUFFIXES

if TYPE_CHECKING:
    from torch import Tensor

    from easel.fields.artist.inrf import INRF
    from easel.fields.fitting.losses import LossWeights
    from easel.fields.fitting.result import FitResult
    from easel.fields.fitting.run import Step


@dataclass(frozen=True)
class FitConfig:
    """Fit a photograph, each of a folder, or a volume (.npy, .nii, .nii.gz) with a neural field.

    Writes prediction.png, of a volume its middle slice, error.png (the absolute difference, four times as bright),
    curve.png (PSNR over steps), field.safetensors, which `easel fields render` paints at any size, and metrics.json.
    """

    file: Annotated[Positional[Path], tyro.conf.arg(metavar="IMAGE|VOLUME|FOLDER")]
    """A photograph, a volume, or a folder of photographs."""
    preset: str = "fast"
    """fast, balanced, quality, tiny, tutorial, siren, finer, wire or fourier."""
    steps: int | None = None
    """Gradient steps; the preset's where no limit is given."""
    seconds: float | None = None
    """Stop after so much time."""
    target_psnr: float | None = None
    """Stop at this PSNR in dB."""
    num_epochs: int | None = None
    """With --num-iters-per-epoch: their product is --steps."""
    num_iters_per_epoch: int | None = None
    """See --num-epochs."""
    lr: float | None = None
    """Learning rate; the preset's where it is left out."""
    weight_decay: float | None = None
    """Pull of the weights towards zero."""
    l1: float = 0.0
    """Weight of the mean absolute difference in the loss."""
    l2: float = 0.0
    """Weight of the mean squared difference; with no weight at all it is the loss."""
    ssim: float = 0.0
    """Weight of 1 - SSIM, on patches."""
    mask: Path | None = None
    """A picture of the same size: only where it is bright does a pixel count, the rest is made up."""
    seed: int = 0
    """Seed of weights and batches."""
    conf: Path | None = None
    """YAML file of these options; the command line overrides it."""
    out: Path = Path("easel-out")
    """Folder for the results; each photograph of a folder gets its own in it."""


def fit(config: FitConfig) -> int:
    """Fit and write; returns 0."""
    prepare_folder(config.out)
    for file, folder in _files(config):
        result = _fit(file, folder, config)
        print(f"{file.name}: {result}")
        print(f"wrote {folder}")
    return 0


def _files(config: FitConfig) -> list[tuple[Path, Path]]:
    """Return each file with the folder for its results."""
    if not config.file.is_dir():
        return [(config.file, config.out)]
    files = sorted(file for file in config.file.iterdir() if file.suffix.lower() in PICTURE_SUFFIXES)
    if not files:
        raise BadInput(f"{config.file} has no picture ({' '.join(PICTURE_SUFFIXES)}).")
    return [(file, config.out / file.stem) for file in files]


def _fit(file: Path, folder: Path, config: FitConfig) -> "FitResult":
    from easel.fields.artist.inrf import INRF2D, INRF3D
    from easel.fields.fitting.presets import preset_named
    from easel.fields.fitting.targets import as_target
    from easel.fields.volumes.volume_files import read_volume, volume_suffix
    from easel.graphics.image import imread

    # A TIFF may be a volume as well, but who names one mostly means a photograph.
    is_volume = volume_suffix(file) in (".npy", ".nii", ".nii.gz")
    with explained(f"{file}: "), progress(f"fitting {file.name}") as bar:
        model = (INRF3D if is_volume else INRF2D)(seed=config.seed)
        target = as_target(read_volume(file).volume if is_volume else file, dimensions=model.dimensions)
        mask = config.mask and imread(config.mask, channels=1, device="cpu")[..., 0] > 0.5
        steps = _steps(config)
        # Without any limit the preset's own; with one it must not be cut short by it.
        if (steps, config.seconds, config.target_psnr) == (None, None, None):
            steps = preset_named(config.preset).steps

        def show(step: "Step") -> None:
            if step.psnr is not None:
                # Whichever limit is nearer, steps or seconds; a target's distance in dB tells nothing about time.
                done = max((step.index + 1) / (steps or math.inf), step.seconds / (config.seconds or math.inf))
                bar.update(min(1.0, done), f"{step.psnr:.2f} dB")

        result = model.fit(
            target,
            steps=steps,
            preset=config.preset,
            seconds=config.seconds,
            target_psnr=config.target_psnr,
            lr=config.lr,
            weight_decay=config.weight_decay,
            loss=_loss(config),
            mask=mask,
            on_step=show,
        )
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder, model, target, result, config)
    return result


def _steps(config: FitConfig) -> int | None:
    """Return the gradient steps that the options ask for; None where they do not."""
    if config.num_epochs is None and config.num_iters_per_epoch is None:
        return config.steps
    if config.steps is not None:
        raise BadInput("--steps and --num-epochs both say how long; give one of them.")
    return (config.num_epochs or 1) * (config.num_iters_per_epoch or 1)


def _loss(config: FitConfig) -> "LossWeights | None":
    """Return the weights of the losses; None where all are 0, which leaves the loss to the preset."""
    from easel.fields.fitting.losses import LossWeights

    if not (config.l1 or config.l2 or config.ssim):
        return None
    return LossWeights(l1=config.l1, l2=config.l2, ssim=config.ssim)


def _write(folder: Path, model: "INRF", target: "Tensor", result: "FitResult", config: FitConfig) -> None:
    from easel.commands.fields.curve import curve
    from easel.fields.volumes.volume import slice_picture
    from easel.graphics.files import write_json
    from easel.graphics.image import imwrite

    # Painted from the field as it is saved, not taken from the last step of the fit.
    prediction = model.generate()
    if model.dimensions == 3:
        prediction, target = slice_picture(prediction), slice_picture(target)
    imwrite(folder / "prediction.png", prediction)
    # Four times as bright: the errors of a good fit are a few levels, too dark to see.
    imwrite(folder / "error.png", ((prediction - target)[..., :3].abs() * 4).clamp(0, 1))
    # Not every step is measured, and a curve needs two points.
    points = [(step.index + 1, step.psnr) for step in result.history if step.psnr is not None]
    if len(points) > 1:
        imwrite(folder / "curve.png", curve(points, "PSNR in dB over steps"))
    model.save(folder / "field.safetensors")
    facts = {
        "psnr": round(result.psnr, 3),
        "ssim": round(result.ssim, 5),
        "loss": result.loss,
        "steps": result.steps,
        "seconds": round(result.seconds, 3),
        "cpu_seconds": round(result.cpu_seconds, 3),
        "stopped_by": result.stopped_by,
        "preset": config.preset,
        "parameters": model.size,
        "bits_per_pixel": round(model.bpp, 4),
        "shape": list(model.output_shape),
        "seed": config.seed,
    }
    # Last, so that a script that waits for it finds all the other files complete.
    write_json(folder / "metrics.json", facts, indent=2)
