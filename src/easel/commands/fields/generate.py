"""`easel fields generate`: random fields as pictures."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from easel.commands.fields.models import FieldOptions, make_model, options_by_seed, seed_or_any, visible_model
from easel.console import explained, prepare_folder, progress
from easel.graphics.checked_record import Range

THUMBNAIL = 256
"""Longest side of a picture on the contact sheet."""


@dataclass(frozen=True)
class GenerateConfig(FieldOptions):
    """Paint pictures with random neural fields.

    Every PNG keeps its recipe: `easel fields render picture.png --size 8192 8192` paints it again at any size, and
    `easel fields zoom` flies into it. Several pictures come with a contact sheet.
    """

    num_samples: Annotated[int, Range(1)] = 1
    """Pictures; the second has the next seed."""
    x_dim: int = 512
    """Rows."""
    y_dim: int = 512
    """Columns."""
    c_dim: int = 3
    """Channels, 1 to 4."""
    seed: int | None = None
    """One seed, one picture; without it a new one every time."""
    random_settings: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Draw the options anew for every picture; --topology and its like have no effect then."""
    keep_blank: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Keep flat pictures and noise; else the next seed is tried, up to 20 times."""
    supersample: int = 1
    """Samples across a pixel, 1 to 16: 2 and more smooth fine patterns."""
    tiff: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Write float32 TIFF files beside the PNGs."""
    conf: Path | None = None
    """YAML file of these options; the command line overrides it."""
    out: Path = Path("easel-out")
    """Folder for the pictures."""


def generate(config: GenerateConfig) -> int:
    """Write the pictures; returns 0."""
    prepare_folder(config.out)
    from easel.graphics.contact_sheet import contact_sheet
    from easel.graphics.image import imwrite

    options = options_by_seed(config, 2, config.random_settings)
    first = seed_or_any(config.seed)
    shape = (config.x_dim, config.y_dim, config.c_dim)
    thumbnails = []
    with progress("painting") as bar:
        for number in range(config.num_samples):
            seed = first + number
            redraws = 0
            if config.keep_blank:
                model = make_model(options(seed), shape, seed)
            else:
                # In steps of the number of pictures, so that no two of them try the same seed.
                model, redraws = visible_model(options, shape, seed, step=config.num_samples)
            name = f"field-{model.seed}"
            with explained():
                model.save_image(config.out / f"{name}.png", supersample=config.supersample)
                if config.tiff:
                    model.save_image(config.out / f"{name}.tif", dtype="float32", supersample=config.supersample)
            scale = THUMBNAIL / max(shape[:2])
            size = tuple(max(1, round(side * scale)) for side in shape[:2])
            # Painted again, not reduced: of a large picture nothing may lie in memory.
            thumbnails.append(model.generate(output_shape=size, supersample=2))
            note = f"{config.out / name}.png"
            if redraws:
                note += f" ({redraws} before it showed nothing)"
            bar.update((number + 1) / config.num_samples, note)
            print(f"wrote {note}")
    # A sheet of one picture would only be that picture, smaller.
    if len(thumbnails) > 1:
        imwrite(config.out / "contact-sheet.png", contact_sheet(thumbnails))
        print(f"wrote {config.out / 'contact-sheet.png'}")
    return 0
