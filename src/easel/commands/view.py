"""`easel view`: pictures from files in a window, or what they hold in words where nobody sits in front of one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional

from easel.console import BadInput, prepare_folder
from easel.workstation.app import HostConfig, open_view

SETTLING_FRAMES = 3
"""A window's layout has found its place after so many."""


@dataclass(frozen=True)
class ViewConfig(HostConfig):
    """Look at pictures: flip through them, zoom to single values, compare two, drag their range, save what is shown.

    The wheel zooms and the middle button drags; the left and right arrow keys flip. Without a display the window is
    drawn once into --out, and the size and the range of every picture are printed.
    """

    files: Annotated[Positional[tuple[Path, ...]], tyro.conf.arg(metavar="FILE...")]
    """PNG, JPEG, BMP, TGA, TIFF, WebP, HDR, EXR or NPY."""
    out: Path = Path("easel-out")
    """Folder for view.png and for what is saved from the window."""


def view(config: ViewConfig) -> int:
    """Show the files; returns 0. Raises FileError for one that is no picture, before anything opens."""
    if not config.files:
        raise BadInput("view needs at least one picture, as in `easel view photo.png render.hdr`.")
    prepare_folder(config.out)
    from easel.graphics.image import imwrite
    from easel.workstation.view_page import ViewPage, describe, load

    pictures = [load(file) for file in config.files]
    for picture in pictures:
        print(describe(picture))
    with open_view(f"Easel - {config.files[0].name}", config) as window:
        ViewPage(window, pictures, config.out)
        window.run(max_frames=SETTLING_FRAMES if window.headless else 0)
        if window.headless:
            imwrite(config.out / "view.png", window.capture())
            print(f"wrote {config.out / 'view.png'}")
    return 0
