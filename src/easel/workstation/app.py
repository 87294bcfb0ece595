"""The workstation as a program: opens the View, turns the loop, leaves the results in a folder."""

import contextlib
import json
import math
import signal
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from tyro.conf import Positional

from easel.console import BadInput, prepare_folder, progress

if TYPE_CHECKING:
    from easel.viewer.view import View
    from easel.workstation.fit_page import FitPage


@dataclass(frozen=True, kw_only=True)
class HostConfig:
    """Where a program's window is shown."""

    backend: Literal["auto", "window", "browser", "headless", "none"] = "auto"
    """How the window is shown: on the display, in a browser tab, off screen, or not at all; auto takes the best."""
    headless: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Short for --backend headless."""
    browser: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Short for --backend browser: the window is served to a browser tab, whose address is printed."""
    host: str = "127.0.0.1"
    """Where a browser reaches it. Any other address than this opens it to other machines, without encryption."""
    port: int = 0
    """Where a browser reaches it; 0 is any free one."""


@dataclass(frozen=True)
class WorkstationConfig(HostConfig):
    """Fit a photograph with a neural field and watch it learn.

    With a display this opens a window that stays until you close it. Without one the same window is drawn off screen
    and the program ends with the fit. Either way the results land in --out.
    """

    image: Annotated[Positional[Path | None], tyro.conf.arg(metavar="[IMAGE]")] = None
    """PNG, JPEG, BMP, TGA, TIFF, WebP or HDR; without one, the astronaut that comes with scikit-image."""
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
    """Where the field is fitted; auto takes CUDA where there is one."""


def workstation(config: WorkstationConfig) -> int:
    """Open the workstation; returns 0, or 130 / 143 when SIGINT / SIGTERM ended the fit early.

    Raises FileError for a photograph that cannot be read or a folder that cannot be written, before the fit begins.
    """
    prepare_folder(config.out)
    from easel.workstation.photograph import load_photograph

    photograph = load_photograph(config.image, config.max_size)
    for note in photograph.notes:
        print(f"{photograph.name}: {note}")

    from easel.fields.config import FieldConfig, Knobs
    from easel.workstation.fit_page import FitPage
    from easel.workstation.live_fit import USUAL_STEPS, End, LiveFit

    device = choose_device(config.device)
    with signals() as received, open_view("Easel", config) as view:
        end = End(config.steps, config.seconds, config.psnr)
        if view.headless and end == End():
            end = End(steps=USUAL_STEPS)
        fit = LiveFit(photograph.picture.to(device), FieldConfig(), Knobs(), end, seed=config.seed)
        page = FitPage(view, fit, photograph, config.out, config.max_size)
        try:
            with progress(f"fitting {photograph.name}") as bar:
                while not received and view.step():
                    page.advance()
                    view.end_step()
                    bar.update(fit.progress, fit.summary)
                    if fit.finished and view.headless:
                        break
        finally:
            for file in save_results(config, page, view):
                print(f"wrote {file}")
            page.close()
    return 128 + received[0] if received else 0


def open_view(title: str, config: HostConfig, size: tuple[int, int] = (1280, 800)) -> "View":
    """The program's window, with a line that says which host shows it and why."""
    from easel.viewer.backends.browser import BrowserBackend
    from easel.viewer.view import View

    name = "browser" if config.browser else "headless" if config.headless else config.backend
    backend = BrowserBackend(config.host, config.port) if name == "browser" else None if name == "auto" else name
    if not 0 <= config.port < 2**16:
        raise BadInput(f"--port is a number from 0 to {2**16 - 1}; got {config.port}.")
    try:
        view = View(title, *size, backend=backend)
    except ValueError as error:  # of EASEL_BACKEND or EASEL_MAX_FRAMES
        raise BadInput(str(error)) from error
    if name == "browser" != view.backend_name:
        view.close()
        raise BadInput(f"--browser: {view.backend_reason.partition(';')[0]}.")
    print(f"host: {view.backend_name} ({view.backend_reason})", flush=True)
    return view


def choose_device(device: str) -> str:
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise BadInput("--device cuda: torch finds no CUDA device here. Use --device cpu or auto.")
    return "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"


@contextlib.contextmanager
def signals() -> Generator[list[int]]:
    """Collects SIGINT and SIGTERM, so that the step ends and what there is gets saved; a second one ends at once."""
    received: list[int] = []

    def note(number: int, _frame: object) -> None:
        received.append(number)
        restore()

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    try:
        yield received
    finally:
        restore()


def save_results(config: WorkstationConfig, page: "FitPage", view: "View") -> list[Path]:
    """Write the pictures as they are shown and the figures that belong to them."""
    import torch

    from easel.graphics.files import write_whole
    from easel.graphics.image import imwrite
    from easel.graphics.metrics import ssim

    fit = page.fit
    page.look()
    # One more frame, so that the window's figures are those of the files. A window that was closed keeps its last one.
    if view.step():
        view.end_step()
    files = [*page.save(), config.out / "workstation.png", config.out / "metrics.json"]
    imwrite(files[-2], view.capture())
    height, width, _ = fit.picture.shape
    metrics = {
        "picture": page.photograph.name,
        "image_size": [height, width],
        "psnr": fit.psnr,
        "ssim": ssim(fit.shown, fit.picture).item(),
        "steps": fit.index,
        "seconds": fit.step.seconds if fit.step else 0.0,
        "cpu_seconds": fit.cpu_seconds,
        "parameters": fit.field.size,
        "seed": config.seed,
        "device": str(fit.picture.device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "backend": view.backend_name,
        "backend_reason": view.backend_reason,
    }
    # JSON knows no infinity, and a perfect fit has an infinite PSNR.
    told = {
        key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in metrics.items()
    }
    with write_whole(files[-1]) as beside:
        beside.write_text(json.dumps(told, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    return files
