"""`easel fields walk`: films through the latents of a field."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import Positional

from easel.commands.fields.models import FieldOptions, open_model, seed_or_any, visible_model
from easel.console import BadInput, counted, explained, prepare_folder, progress


@dataclass(frozen=True)
class WalkConfig(FieldOptions):
    """Film a field while its latent wanders from key to key: of a file, or of a new random field."""

    file: Annotated[Positional[Path | None], tyro.conf.arg(metavar="[FILE]")] = None
    """A PNG or TIFF that Easel painted, or the .safetensors of a field; without it --topology and its like count."""
    seed: int | None = None
    """Seed of the new field."""
    keys: int = 4
    """Latents that the walk passes: the field's own first."""
    frames: int = 120
    """Frames of the film."""
    path: Literal["slerp", "lerp"] = "slerp"
    """Along the sphere, or straight."""
    no_loop: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """End at the last key; else the walk comes back to the first and the film repeats without a seam."""
    size: tuple[int, int] = (256, 256)
    """Rows and columns."""
    supersample: int = 2
    """Samples across a pixel, 1 to 16."""
    fps: float = 30.0
    """Frames a second."""
    conf: Path | None = None
    """YAML file of these options; the command line overrides it."""
    out: Path = Path("easel-out/walk.gif")
    """The film: .gif, .mp4, .webm, or .png for numbered stills in a folder of that name."""


def walk(config: WalkConfig) -> int:
    """Write the film; returns 0."""
    prepare_folder(config.out.parent)
    from easel.fields.films.film import latent_film, latent_keys, write_film

    if config.file is not None:
        model = open_model(config.file)
    else:
        # A walk through a field that shows nothing would be a film of one colour.
        model, _ = visible_model(lambda _: config, (*config.size, 3), seed_or_any(config.seed))
    if model.dimensions != 2:
        raise BadInput(f"{config.file} is a volume; films of latents are of pictures.")
    # The film is lazy: errors of the walk come while it is written, so both stand in one block.
    with explained(), progress("walking") as bar:
        pictures = latent_film(
            model,
            latent_keys(model, config.keys),
            config.frames,
            path=config.path,
            loop=not config.no_loop,
            size=config.size,
            supersample=config.supersample,
        )
        film = write_film(config.out, counted(pictures, config.frames, bar), fps=config.fps)
    print(f"wrote {film}, seed {model.seed}")
    return 0
