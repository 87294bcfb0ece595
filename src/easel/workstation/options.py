"""Options of programs that open a window, in the form from which tyro makes the flags of a command."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import Positional


@dataclass(frozen=True, kw_only=True)
class HostConfig:
    """The host that shows a program's window."""

    backend: Literal["auto", "window", "browser", "headless", "none"] = "auto"
    """On the display, in a browser tab, off screen, or nowhere at all; auto takes the best that there is."""
    headless: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Short for --backend headless."""
    browser: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Short for --backend browser: the window is served to a browser tab, whose address is printed."""
    host: str = "127.0.0.1"
    """Address at which a browser reaches it. Any other than this opens it to other machines, without encryption."""
    port: int = 0
    """Port at which a browser reaches it; 0 is any free one."""


@dataclass(frozen=True)
class PageOptions:
    """The options that pages are made from; each page reads those that concern it."""

    image: Annotated[Positional[Path | None], tyro.conf.arg(metavar="[IMAGE]")] = None
    """PNG, JPEG, BMP, TGA, TIFF, WebP, HDR or EXR; without one, the astronaut that comes with scikit-image. With
    another --page, a file that it opens."""
    out: Path = Path("easel-out")
    """Folder for prediction.png, error.png, workstation.png and metrics.json."""
    steps: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    """Stop the fit after this many steps. Without a window and without any end given, it stops after 25000."""
    seconds: Annotated[float | None, tyro.conf.arg(metavar="S")] = None
    """Stop the fit after this many seconds of fitting."""
    psnr: Annotated[float | None, tyro.conf.arg(metavar="DB")] = None
    """Stop the fit at this PSNR, in decibels."""
    max_size: int = 1024
    """Longest side in pixels; a larger photograph is reduced to it. 0 keeps every pixel."""
    seed: int = 0
    """Seed of the weights and of the pixels drawn: the same seed and steps give the same bytes."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Device that the field is fitted on; auto takes CUDA where there is one."""
