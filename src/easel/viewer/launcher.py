"""The view of a program that is started from a command line, with the same flags everywhere."""

import argparse
import sys
from pathlib import Path
from typing import Any

from easel.graphics.image import imwrite
from easel.viewer.view import View


def launch(title: str, width: int = 1280, height: int = 720, *, frames: int = 60, **settings: Any) -> View:
    """Open a view as the command line of the program asks; `settings` are those of `View`.

        view = easel.launch("Reaction-diffusion")

    Without a flag it is a window until somebody closes it. With `--headless` it is drawn off screen, `view.time` counts
    frames, and after `frames` of them the loop ends and a picture of the view is left where the program was started,
    under the program's name. `--frames N` ends either after N frames. A program with other flags makes its own `View`.
    """
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--headless", action="store_true", help=f"draw off screen, {frames} frames, and keep a picture")
    parser.add_argument("--frames", type=_count, metavar="N", help="end after N frames")
    flags = parser.parse_args()
    if flags.headless:
        # The program's own settings win over those of the flag.
        settings = {"clock": "frames", "headless": True} | settings
    view = View(title, width, height, **settings)
    # EASEL_MAX_FRAMES bounds every program, whatever its flags ask for.
    bounds = (flags.frames or (frames if flags.headless else None), view.window.most_frames)
    view.window.most_frames = min(filter(None, bounds), default=None)
    if flags.headless:
        # Where the program was started, not where it lies: its folder may be read-only.
        path = Path(sys.argv[0]).with_suffix(".png").name

        @view.on_close
        def leave_picture(_: object) -> None:
            imwrite(path, view.capture())
            print(f"wrote {path}")

    return view


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a number of frames from 1 on is needed; got {text!r}")
    return int(text)
