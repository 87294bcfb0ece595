"""The workstation as a program: its table of pages, its window, and the loop that turns the pages.

Nothing heavy is imported before it is needed, so that a command can print its help at once.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from easel.console import BadInput, explained, progress, suggestion
from easel.workstation.options import HostConfig, PageOptions

if TYPE_CHECKING:
    from easel.viewer.panels.pages import Page
    from easel.viewer.view import View
    from easel.workstation.page import PageMaker, WorkstationPage
    from easel.workstation.session import Session
    from easel.workstation.shell import Shell

PAGES = {
    "fit": ("Fit", "easel.workstation.fit.fit_page:FitPage"),
    "art": ("Art", "easel.workstation.art.art_page:ArtPage"),
    "network": ("Network", "easel.workstation.network.inspector_page:InspectorPage"),
    "materials": ("Materials", "easel.workstation.materials.materials_page:MaterialsPage"),
}
"""Value of --page → (name on the bar, class), in the order of the bar. A row here is all that registers a page."""
FIRST = "fit"
"""The page that is shown where nothing says which."""
INSPECTOR = "network"
"""The page that looks into networks."""
LEAST_FRAMES = 4
"""Frames that an unwatched page is drawn at least: only then has its layout found its place."""


@dataclass(frozen=True)
class WorkstationConfig(HostConfig, PageOptions):
    """Four pages in one window: fit a photograph, explore random fields, look into networks, recover materials.

    With a display this opens a window that stays until you close it. Without one the same window is drawn off screen
    and the program ends with the fit, or when the page that --page names has come to rest. Either way the results land
    in --out.
    """

    page: Annotated[str | None, tyro.conf.arg(metavar="{" + ",".join(PAGES) + "}")] = None
    """The page that is shown first: the session's, or fit."""
    session: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """JSON file of a session: where it exists the workstation is as it was. It is written at the end, also by Ctrl+C
    or when the program is told to end, and every two minutes."""
    report: Annotated[Path | None, tyro.conf.arg(metavar="FILE.html")] = None
    """HTML file to write at the end, with all pictures, curves and settings in it."""


def prepare_page(name: str, options: PageOptions) -> "PageMaker":
    """Return what makes the page of that row; BadInput or FileError for an option that it cannot use."""
    if name not in PAGES:
        raise BadInput(f"unknown --page {name!r}.{suggestion(name, PAGES)} Known: {', '.join(PAGES)}.")
    home, page_class = PAGES[name][1].split(":")
    return getattr(import_module(home), page_class).prepare(options)


def open_view(title: str, config: HostConfig, size: tuple[int, int] = (1280, 800)) -> "View":
    """Open the program's window, and print one line that says which host shows it and why.

    Raises BadInput for a host that cannot be had or a port out of range.
    """
    from easel.viewer.backends.browser import BrowserBackend
    from easel.viewer.view import View

    # Before anything is opened: a socket would say so much later, and in other words.
    if not 0 <= config.port < 2**16:
        raise BadInput(f"--port is a number from 0 to {2**16 - 1}; got {config.port}.")
    asked = config.backend
    if config.headless:
        asked = "headless"
    if config.browser:
        asked = "browser"
    hosts = {"auto": None, "browser": BrowserBackend(config.host, config.port)}
    with explained():  # of EASEL_BACKEND or EASEL_MAX_FRAMES
        view = View(title, *size, backend=hosts.get(asked, asked))
    # The viewer falls back to another host. For a person who waits at a browser that would be no answer.
    if asked == "browser" and view.backend_name != "browser":
        view.close()
        raise BadInput(f"--browser: {view.backend_reason.partition(';')[0]}.")
    print(f"host: {view.backend_name} ({view.backend_reason})", flush=True)
    return view


def open_shell(
    view: "View", config: WorkstationConfig, session: "Session | None" = None, first: "PageMaker | None" = None
) -> "Shell":
    """Put all pages into `view`, and make the one that is shown first, by `first` if it was prepared before.

    Raises BadInput or FileError for a file that this page refuses.
    """
    from easel.workstation.page import PageContext
    from easel.workstation.report import write_report
    from easel.workstation.shell import Maker, Shell

    # The page that is shown first is made below; the others when somebody first looks at them.
    name = config.page or FIRST
    prepared = {name: first or prepare_page(name, config)}

    def make(row: str, page: "Page") -> "WorkstationPage":
        # The image is for the page that is shown first; the others begin with files of their own.
        maker = prepared.pop(row, None) or prepare_page(row, replace(config, image=None))
        return maker(page, context)

    def look_inside(page: str) -> None:
        view.show_page(PAGES[INSPECTOR][0])
        inspector = shell.page(PAGES[INSPECTOR][0])
        if inspector is not None:
            inspector.follow(page)

    def actions() -> dict[str, Callable[[], object]]:
        # A report holds a picture of the whole window, which is complete only after the frame.
        report = partial(write_report, view, config.report or config.out / "report.html")
        found: dict[str, Callable[[], object]] = {"Save report": lambda: shell.afterwards(report)}
        if session is not None:
            found["Save session"] = partial(session.save, view, shell.pages)
        return shell.actions() | found

    makers: dict[str, Maker] = {PAGES[row][0]: partial(make, row) for row in PAGES}
    if session is not None:
        session.restore(view)
        for page, maker in makers.items():
            # A file that is named beside the session is what its page is to show.
            if config.image is None or page != PAGES[name][0]:
                makers[page] = session.restoring(maker)
    shell = Shell(view, makers)
    # After the shell, whose pages it leads to; `make` is called only from here on.
    context = PageContext(view.headless, view.backend_name, view.backend_reason, shell.trainings, look_inside)
    view.offer(actions)
    view.show_page(PAGES[name][0])
    content = shell.page(PAGES[name][0])
    if config.image is not None and content is not None and not content.reads_image and not shell.open(config.image):
        raise BadInput(f"no page opens {config.image}.")
    return shell


def run(shell: "Shell", received: Sequence[int] = (), session: "Session | None" = None) -> str:
    """Turn the pages until the window is closed or a signal is in `received`; unwatched, until the page has settled.

    The session is saved whenever that is due. Returns what stopped the page that was shown, if nobody watches.
    """
    view = shell.view
    shown = shell.shown.content
    measured = shown if shown is not None and shown.task else None
    with progress(measured.task) if measured else nullcontext() as bar:
        while not received and view.step():
            shell.advance()
            view.end_step()
            if session is not None and session.due:
                shell.afterwards(partial(session.save, view, shell.pages))
            shell.settle()
            if bar is not None and measured is not None:
                bar.update(measured.progress, measured.summary)
            if not view.headless:
                continue
            # Nobody will press Retry.
            if shell.shown.failure:
                return f"the {shell.shown.page.name} page has stopped: {shell.shown.failure}"
            content = shell.shown.content
            # A page with a task has been drawn as often as its task took; the others need some frames to be complete.
            if content is not None and content.settled and (measured or view.frame_count >= LEAST_FRAMES):
                break
    return ""


def save_results(shell: "Shell", out: Path) -> list[Path]:
    """Write the results of all pages and a picture of the window into `out`; returns the files."""
    from easel.graphics.image import imwrite

    # Pages that nobody looked at were never made, and have nothing to write.
    files = [file for page in shell.pages.values() for file in page.finish()]
    # One more frame, so that the window's figures are those of the files. A window that was closed keeps its last one.
    if shell.view.step():
        shell.view.end_step()
    files.append(out / "workstation.png")
    imwrite(files[-1], shell.view.capture())
    return files
