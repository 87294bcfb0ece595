"""The workstation as a program: opens the View, turns the loop, leaves the results in a folder."""

import contextlib
import json
import math
import signal
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from tyro.conf import Positional

from easel.console import BadInput, complain, prepare_folder, progress

if TYPE_CHECKING:
    from easel.viewer.view import View
    from easel.workstation.fit.fit_page import FitPage
    from easel.workstation.fit.photograph import Photograph
    from easel.workstation.session import Session
    from easel.workstation.shell import Shell

PageName = Literal["fit", "art", "network", "materials"]
PAGES: dict[PageName, str] = {"fit": "Fit", "art": "Art", "network": "Network", "materials": "Materials"}
"""Values of --page → pages, in the order of the bar at the top."""
LEAST_FRAMES = 4
"""Where nobody watches, a page is turned at least so often before its picture is taken."""


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
    """Four pages in one window: fit a photograph, explore random fields, look into networks, recover materials.

    With a display this opens a window that stays until you close it. Without one the same window is drawn off screen
    and the program ends with the fit, or when the page that --page names has come to rest. Either way the results land
    in --out.
    """

    image: Annotated[Positional[Path | None], tyro.conf.arg(metavar="[IMAGE]")] = None
    """PNG, JPEG, BMP, TGA, TIFF, WebP or HDR; without one, the astronaut that comes with scikit-image. With another
    --page, a file that it opens."""
    page: PageName | None = None
    """The page that is shown first: the session's, or fit."""
    session: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """JSON file of a session: where it exists the workstation is as it was. It is written at the end, also by Ctrl+C
    or when the program is told to end, and every two minutes."""
    report: Annotated[Path | None, tyro.conf.arg(metavar="FILE.html")] = None
    """HTML file to write at the end, with all pictures, curves and settings in it."""
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
    """Open the workstation; returns 0, or 128 and the number of the signal that ended it, such as 130 for SIGINT.

    Raises FileError for a photograph that cannot be read or a folder that cannot be written, before the fit begins.
    """
    prepare_folder(config.out)
    from easel.workstation.fit.photograph import load_photograph

    session = open_session(config)
    config = replace(config, page=config.page or first_page(session))
    photograph = load_photograph(config.image if config.page == "fit" else None, config.max_size)
    for note in photograph.notes:
        print(f"{photograph.name}: {note}")
    device = choose_device(config.device)
    with signals() as received, open_view("Easel", config) as view:
        shell = open_shell(view, config, photograph, device, session)
        try:
            failure = turn(shell, received, session)
        finally:
            with contextlib.ExitStack() as ending:  # from the last to the first, whatever becomes of one of them
                ending.callback(shell.close)
                ending.callback(lambda: tell(save_results(config, shell)))
                ending.callback(lambda: tell(keep(config, shell, session)))
    if failure:
        complain(failure)
        return 1
    return 128 + received[0] if received else 0


def tell(files: list[Path]) -> None:
    for file in files:
        print(f"wrote {file}")


def open_session(config: WorkstationConfig) -> "Session | None":
    """What --session names; BadInput for a file that is none, and for names that cannot be written."""
    from easel.workstation.session import Session

    for name, file, suffix in (("session", config.session, ".json"), ("report", config.report, ".html")):
        if file is not None and file.suffix.lower() != suffix:
            raise BadInput(f"--{name} {file}: its name ends in {suffix}.")
        if file is not None:
            prepare_folder(file.parent)
    return Session(config.session) if config.session is not None else None


def first_page(session: "Session | None") -> PageName:
    """The page that the session ended with, else fit."""
    ended = session.page if session is not None else ""
    names: dict[str, PageName] = {page: name for name, page in PAGES.items()}
    return names.get(ended, "fit")


def keep(config: WorkstationConfig, shell: "Shell", session: "Session | None") -> list[Path]:
    """Write the session and the report that were asked for."""
    from easel.workstation.report import write_report

    files = [] if session is None else [session.save(shell.view, shell.pages)]
    if config.report is not None:
        write_report(shell.view, config.report)
        files.append(config.report)
    return files


def open_shell(
    view: "View", config: WorkstationConfig, photograph: "Photograph", device: str, session: "Session | None" = None
) -> "Shell":
    """The four pages in `view`, of which the one that is shown first is made; BadInput for a file that it refuses."""
    from easel.viewer.panels.page import Page
    from easel.workstation.page import WorkstationPage
    from easel.workstation.shell import Shell

    def make_fit(page: Page) -> WorkstationPage:
        from easel.fields.model.config import FieldConfig, Knobs
        from easel.workstation.fit.fit_page import FitPage
        from easel.workstation.fit.live_fit import USUAL_STEPS, End, LiveFit

        end = End(config.steps, config.seconds, config.psnr)
        if view.headless and end == End():
            end = End(steps=USUAL_STEPS)
        fit = LiveFit(photograph.picture.to(device), FieldConfig(), Knobs(), end, seed=config.seed)
        return FitPage(page, fit, photograph, config.out, config.max_size, look_inside=look_inside)

    def make_art(page: Page) -> WorkstationPage:
        from easel.workstation.art.art_page import ArtPage

        return ArtPage(page, config.out)

    def make_network(page: Page) -> WorkstationPage:
        from easel.workstation.network.inspector_page import InspectorPage

        return InspectorPage(page, config.out, shell.trainings)

    def make_materials(page: Page) -> WorkstationPage:
        from easel.workstation.materials.materials_page import MaterialsPage

        return MaterialsPage(page, config.out)

    def look_inside() -> None:
        from easel.workstation.network.inspector_page import InspectorPage

        network = shell.page(PAGES["network"])
        view.show_page(PAGES["network"])
        if isinstance(network, InspectorPage):
            network.follow(PAGES["fit"])

    def actions() -> dict[str, Callable[[], object]]:
        from easel.workstation.report import write_report

        # After the frame: a report holds a picture of the whole window.
        report = config.report or config.out / "report.html"
        told: dict[str, Callable[[], object]] = {
            "Save report": lambda: shell.afterwards(partial(write_report, view, report))
        }
        if session is not None:
            told["Save session"] = partial(session.save, view, shell.pages)
        return shell.actions() | told

    makers = dict(zip(PAGES.values(), (make_fit, make_art, make_network, make_materials), strict=True))
    if session is not None:
        session.restore(view)
        # A file that is named beside the session is what its page is to show.
        named = PAGES[config.page or "fit"] if config.image is not None else None
        makers = {name: make if name == named else session.restoring(make) for name, make in makers.items()}
    shell = Shell(view, makers)
    view.offer(actions)
    first = PAGES[config.page or "fit"]
    view.show_page(first)
    shell.page(first)
    if config.page != "fit" and config.image is not None and not shell.open(config.image):
        raise BadInput(f"no page opens {config.image}.")
    return shell


def turn(shell: "Shell", received: list[int], session: "Session | None" = None) -> str:
    """Turn the pages until the window is closed or a signal is received; where nobody watches, until the page rests.

    The session is saved whenever that is due.
    Returns what stopped the page that was shown, where nobody watches; else "".
    """
    from easel.workstation.fit.fit_page import FitPage

    view = shell.view
    fitted = shell.shown.content if isinstance(shell.shown.content, FitPage) else None
    with progress(f"fitting {fitted.photograph.name}") if fitted else contextlib.nullcontext() as bar:
        while not received and view.step():
            shell.advance()
            view.end_step()
            if session is not None and session.due:
                shell.afterwards(partial(session.save, view, shell.pages))
            shell.settle()
            if bar is not None and fitted is not None:
                bar.update(fitted.fit.progress, fitted.fit.summary)
            if view.headless and shell.shown.failure:
                return f"the {shell.shown.page.name} page has stopped: {shell.shown.failure}"
            at_rest = shell.shown.content is not None and shell.shown.content.settled
            if view.headless and at_rest and (fitted is not None or view.frame_count >= LEAST_FRAMES):
                break
    return ""


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
    """Collects SIGINT, SIGTERM and SIGHUP, so that the step ends and what there is is saved; a second ends at once."""
    received: list[int] = []

    def note(number: int, _frame: object) -> None:
        received.append(number)
        restore()

    # A terminal that is closed hangs up, unless nohup has the program go on.
    numbers = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, note) for number in numbers}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    try:
        yield received
    finally:
        restore()


def save_results(config: WorkstationConfig, shell: "Shell") -> list[Path]:
    """Write the window as it is shown and, where there was a fit, its pictures and figures."""
    from easel.graphics.image import imwrite
    from easel.workstation.fit.fit_page import FitPage

    view, page = shell.view, shell.pages.get(PAGES["fit"])
    fitted = page if isinstance(page, FitPage) else None
    if fitted is not None:
        fitted.show_plain()
    # One more frame, so that the window's figures are those of the files. A window that was closed keeps its last one.
    if view.step():
        view.end_step()
    files = [*(fitted.save() if fitted else ()), config.out / "workstation.png"]
    imwrite(files[-1], view.capture())
    return [*files, *([save_metrics(config, fitted, view)] if fitted else [])]


def save_metrics(config: WorkstationConfig, page: "FitPage", view: "View") -> Path:
    """Write the figures of a fit."""
    import torch

    from easel.graphics.files import write_whole
    from easel.graphics.metrics import ssim

    fit, file = page.fit, config.out / "metrics.json"
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
    with write_whole(file) as beside:
        beside.write_text(json.dumps(told, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    return file
