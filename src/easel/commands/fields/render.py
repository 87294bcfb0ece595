"""`easel fields render`: a field from a file, as a picture of any size."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional

from easel.commands.fields.models import open_model
from easel.console import explained, prepare_folder, progress


@dataclass(frozen=True)
class FieldRenderConfig:
    """Paint the field of a file again: larger, another part of it, or both.

    Pictures of any size stream into a PNG, TIFF or NPY file; they never lie in memory as a whole.
    """

    file: Annotated[Positional[Path], tyro.conf.arg(metavar="FILE")]
    """A PNG or TIFF that Easel painted, or the .safetensors of a field."""
    size: tuple[int, ...] = ()
    """Rows and columns, of a volume three sizes; what the file has where it is left out."""
    zoom: float | None = None
    """Magnification: 10 shows a tenth of each axis."""
    pan: tuple[float, ...] = ()
    """Shift along each axis, in half-widths of what is seen."""
    center: tuple[float, ...] = ()
    """The point in the middle, in place of --pan: from -1 to 1 along each axis of the whole picture."""
    supersample: int = 1
    """Samples across a pixel, 1 to 16."""
    dtype: str | None = None
    """uint8, uint16, float16 or float32; in a PNG uint8, elsewhere float32."""
    force: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Go on where a size is beyond what is usually meant."""
    out: Path = Path("easel-out/render.png")
    """The file to write: .png, .tif or .npy."""


def render(config: FieldRenderConfig) -> int:
    """Write the picture; returns 0."""
    prepare_folder(config.out.parent)
    model = open_model(config.file)
    # With `out` samples flow into the file as they are computed: the picture that returns is a view of it, or empty.
    with progress("rendering") as bar, explained():
        picture = model.generate(
            output_shape=config.size or None,
            zoom=config.zoom,
            pan=config.pan or None,
            center=config.center or None,
            supersample=config.supersample,
            dtype=config.dtype,
            force=config.force,
            out=config.out,
            progress=lambda done: bar.update(float(done), ""),
        )
    print(f"wrote {config.out}, {' x '.join(map(str, picture.shape))}")
    return 0
