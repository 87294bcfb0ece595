"""`easel view`: pictures from files in a window; without one, a picture of it and a line about each file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional

from easel.console import BadInput, prepare_folder
from easel.workstation.app import open_view
from easel.workstation.options import HostConfig

SETTLING_FRAMES = 3
"""Frames after which a window's layout has found its place."""


@dataclass(frozen=True)
class ViewConfig(HostConfig):
    """Look at pictures: flip through them, zoom to single values, compare two, drag their range, save what is shown.

    The wheel zooms and the middle button drags; the left and right arrow keys flip. Without a display the window is
    drawn once into --out, and the size and the range of every picture are printed.
    """

    files: Annotated[Positional[tuple[Path, ...]], tyro.conf.arg(metavar="FILE...")]
    """PNG, JPEG, BMP, TGA, TIFF, WebP, HDR, EXR or NPY."""
    out: Path = Path("easel-out")
    """Folder for view.png and for files that are saved from the window."""


def view(config: ViewConfig) -> int:
    """Show the files; returns 0. Raises FileError for one that is no picture, before a window opens."""
    if not config.files:
        raise BadInput("view needs at least one picture, as in `easel view photo.png render.hdr`.")
    prepare_folder(config.out)
    from easel.graphics.image import imwrite
    from easel.workstation.view_page import ViewPage, describe, load

    # All before the window: one bad file of many is then one line, and no half-filled window.
    pictures = [load(file) for file in config.files]
    for picture in pictures:
        print(describe(picture))
    with open_view(f"Easel - {config.files[0].name}", config) as window:
        ViewPage(window, pictures, config.out)
        # 0 frames are no limit: somebody watches and closes the window.
        window.run(max_frames=SETTLING_FRAMES if window.headless else 0)
        if window.headless:
            file = config.out / "view.png"
            imwrite(file, window.capture())
            print(f"wrote {file}")
    return 0
