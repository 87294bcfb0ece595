"""WorkstationPage: the contract between the workstation and its pages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from torch import nn

from easel.viewer.panels.pages import Page
from easel.workstation.options import PageOptions

State = dict[str, object]
"""Plain data that JSON can hold."""


@dataclass(frozen=True)
class Training:
    """A network that a page is training now."""

    model: nn.Module
    """The same object for the whole training; its tensors change from step to step."""
    step: int


@dataclass(frozen=True)
class PageContext:
    """The program around a page: its host, and the ways that lead to other pages."""

    headless: bool
    """Nobody watches: the program ends when the page that is shown has settled."""
    backend: str
    """Name of the host that shows the window."""
    backend_reason: str
    trainings: Callable[[], Mapping[str, Training]]
    """Returns the networks in training, by the names of their pages."""
    look_inside: Callable[[str], object]
    """Shows the network that the page of that name trains, on the page for networks."""


PageMaker = Callable[[Page, PageContext], "WorkstationPage"]


class WorkstationPage:
    """Joins the widgets of one page to a product; made when its page is first shown.

    Whatever a subclass raises while it is made, in `advance` or in `background`, is shown on the page with a button
    that tries again; the other pages go on. A page enters the program by one row of `app.PAGES`.
    """

    name: ClassVar[str]
    """Its name on the bar: "Fit", "Art", "Network" or "Materials"."""
    reads_image: ClassVar[bool] = False
    """`prepare` reads the file that the options name. For other pages, `open` is called with it."""
    notes: tuple[str, ...] = ()
    """Lines for the terminal about the files that the page was made from."""

    def __init__(self, page: Page, out: Path) -> None:
        self.page = page
        """Makes its panels, as a view does: `page.panel("Controls", side="left", width=0.25)`."""
        self.out = out
        """Folder for the files that it writes."""

    @classmethod
    def prepare(cls, options: PageOptions) -> PageMaker:
        """Read, before a window opens, the files that the options name; return the function that makes the page.

        Raises FileError or BadInput where an option cannot be used.
        """
        return lambda page, context: cls(page, options.out)

    def advance(self) -> None:
        """Do a frame's work, between the view's `step` and `end_step`; called while the page is shown."""

    def background(self) -> None:
        """Do a frame's work while another page is shown: whatever must go on, such as a training."""

    @property
    def settled(self) -> bool:
        """True while nothing is under way: a program that nobody watches may take its picture and end."""
        return True

    @property
    def task(self) -> str:
        """Name of the work that `progress` measures, such as "fitting photo.png"; empty for a page without an end."""
        return ""

    @property
    def progress(self) -> float:
        """Share of `task` that is done, in [0, 1]."""
        return 1.0

    @property
    def summary(self) -> str:
        """State of `task` in a few words, shown beside its progress bar."""
        return ""

    def finish(self) -> list[Path]:
        """Write the page's results into `out` at the end of the program; returns the files."""
        return []

    def training(self) -> Training | None:
        """Return the network in training, which the page for networks may look into."""
        return None

    def follow(self, page: str) -> None:
        """Show the network that another page trains, if this is a page for networks."""

    def open(self, path: Path) -> bool:
        """Take in a file that was dropped or named; False for a kind that this page does not open."""
        return False

    def state(self) -> State:
        """Return what a session keeps besides the values of widgets: files, recipes."""
        return {}

    def restore(self, state: State) -> None:
        """Return to what `state` gave; raises ValueError, KeyError or TypeError for data that it never gives."""

    def actions(self) -> dict[str, Callable[[], object]]:
        """Return the commands that the palette offers, by name, such as "Save snapshots"."""
        return {}

    def close(self) -> None:
        """Release files, threads and memory of the GPU."""
