"""What the workstation asks of its pages."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from torch import nn

from easel.viewer.panels.page import Page

State = dict[str, object]
"""What JSON can hold."""


@dataclass(frozen=True)
class Training:
    """A network that a page trains now."""

    model: nn.Module
    """Its tensors change from step to step; another model is another training."""
    step: int


class WorkstationPage:
    """Joins the widgets of one page to a product; made when its page is first shown.

    What a subclass raises while it is made, in `advance` or in `background`, is told on the page, with a button that
    tries again; the other pages go on.
    """

    name: ClassVar[str]
    """What the menu calls it: "Fit", "Art", "Network" or "Materials"."""

    def __init__(self, page: Page, out: Path) -> None:
        self.page = page
        """Where it makes its panels, as in a view: `page.panel("Controls", side="left", width=0.25)`."""
        self.out = out
        """The folder for what it writes."""

    def advance(self) -> None:
        """Its share of a frame, between the view's `step` and `end_step`, while it is shown."""

    def background(self) -> None:
        """The same while another page is shown: what goes on nevertheless, such as a training."""

    @property
    def settled(self) -> bool:
        """Nothing is under way: where nobody watches, it is time for its picture."""
        return True

    def training(self) -> Training | None:
        """The network that it trains, for the Network page to look into."""
        return None

    def open(self, path: Path) -> bool:
        """Take in a file that was dropped or asked for, if it is of a kind that this page opens."""
        return False

    def state(self) -> State:
        """What a session keeps besides the values of the widgets: files, recipes; plain enough for JSON."""
        return {}

    def restore(self, state: State) -> None:
        """Come back to what `state` told; ValueError, KeyError or TypeError where that makes no sense."""

    def actions(self) -> dict[str, Callable[[], object]]:
        """What the palette offers, by what it calls them: "Save snapshots" …"""
        return {}

    def close(self) -> None:
        """Give back what it holds: files, threads, memory of the GPU."""
