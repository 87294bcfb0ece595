"""`easel fields zoom`: flights into fields."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from tyro.conf import Positional

from easel.commands.fields.models import open_model, recipes_in
from easel.console import BadInput, counted, explained, prepare_folder, progress

if TYPE_CHECKING:
    from easel.fields.artist.inrf import INRF

Schedule = Literal["linear", "geometric", "cosine", "sigmoid", "exp", "log", "sqrt", "cbrt"]


@dataclass(frozen=True)
class ZoomConfig:
    """Fly into the field of a file, or of each file of a folder: a film, or stills.

    With --pan-bounds the flight goes sideways, with --turns it turns about the middle, at the zoom that --zoom-bounds
    begins with.
    """

    file: Annotated[Positional[Path], tyro.conf.arg(metavar="FILE|FOLDER")]
    """PNG or TIFF pictures that Easel painted, or .safetensors of fields."""
    zoom_bounds: tuple[float, float] = (1.0, 20.0)
    """Magnification at the start and at the end."""
    zoom_schedule: Schedule = "geometric"
    """Course from one to the other; geometric has a constant speed on screen."""
    pan_bounds: tuple[float, float] | None = None
    """Shift at the start and at the end, in half-widths of what is seen, along both axes."""
    pan_schedule: Schedule = "linear"
    """Course from one to the other."""
    turns: float | None = None
    """Whole turns make a film that repeats without a seam."""
    center: tuple[float, float] = (0.0, 0.0)
    """The point that stays in the middle: row and column from -1 to 1 of the whole picture."""
    num_samples: int = 90
    """Frames."""
    size: tuple[int, int] | None = None
    """Rows and columns of a frame; the picture's own where it is left out."""
    supersample: int = 2
    """Samples across a pixel, 1 to 16: 2 and more keep fine patterns from shimmering."""
    fps: float = 30.0
    """Frames a second of the film."""
    film: str = "zoom.gif"
    """Name of the film: .gif, .mp4, .webm, or .png for numbered stills in a folder of that name."""
    out: Path = Path("easel-out")
    """Folder for it; each file of a folder gets its own in it."""


def zoom(config: ZoomConfig) -> int:
    """Write the films; returns 0."""
    prepare_folder(config.out)
    if config.turns is not None and config.pan_bounds is not None:
        raise BadInput("--turns and --pan-bounds are two films; give one of them.")
    files = recipes_in(config.file)
    if not files:
        raise BadInput(f"{config.file} has no PNG, TIFF or .safetensors file.")
    for file in files:
        # Films of a folder all have the same name.
        folder = config.out / file.stem if config.file.is_dir() else config.out
        print(f"wrote {_fly(open_model(file), config, folder, file.name)}")
    return 0


def _fly(model: "INRF", config: ZoomConfig, folder: Path, title: str) -> Path:
    from easel.fields.films.film import pan_film, rotation_film, write_film, zoom_film

    if model.dimensions != 2:
        raise BadInput(f"{title} is a volume; `easel fields volume` turns it about.")
    frames = config.num_samples
    start, end = config.zoom_bounds
    shared = {"size": config.size, "supersample": config.supersample}
    # Frames are made while the film is written: errors of both come out of this block.
    with explained(), progress(f"filming {title}") as bar:
        if config.turns is not None:
            pictures = rotation_film(model, frames, turns=config.turns, zoom=start, center=config.center, **shared)
        elif config.pan_bounds is not None:
            pictures = pan_film(model, *config.pan_bounds, frames, zoom=start, curve=config.pan_schedule, **shared)
        else:
            pictures = zoom_film(model, start, end, frames, center=config.center, curve=config.zoom_schedule, **shared)
        return write_film(folder / config.film, counted(pictures, frames, bar), fps=config.fps)
