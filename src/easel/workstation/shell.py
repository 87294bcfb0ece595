"""Shell: the pages of the workstation in one window. Each is made when it is first shown, and fails alone."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from easel.graphics.files import FileError
from easel.viewer.imgui.theme import ALARM
from easel.viewer.panels.commands import KEYS
from easel.viewer.panels.pages import Page, PageTab
from easel.viewer.view import View
from easel.workstation.page import Training, WorkstationPage

log = logging.getLogger("easel")
Maker = Callable[[Page], WorkstationPage]

PROBLEM = "Problem"
"""Name of the panel that shows what a page raised."""


class Shell:
    """Shows the pages that `makers` make, in the order of the bar, and hands them frames, files and commands."""

    def __init__(self, view: View, makers: Mapping[str, Maker]) -> None:
        self.view = view
        self.hosts = {name: PageHost(view.page(name), maker) for name, maker in makers.items()}
        self.notice = ""
        """Line on the bar: the file that no page opens, or the failure of a deferred action."""
        self._deferred: list[Callable[[], object]] = []
        view.on_drop(lambda dropped: self.open(Path(dropped.paths[0])))
        view.bar.on_frame(self._draw_bar)

    @property
    def pages(self) -> dict[str, WorkstationPage]:
        """The pages that are made, by name."""
        return {name: host.content for name, host in self.hosts.items() if host.content is not None}

    @property
    def notes(self) -> list[str]:
        """Lines for the terminal about the files of the pages that are made."""
        return [note for page in self.pages.values() for note in page.notes]

    @property
    def shown(self) -> "PageHost":
        """The page that is shown, or will be in the next frame."""
        return self.hosts.get(self.view.shown_page.name) or next(iter(self.hosts.values()))

    def page(self, name: str) -> WorkstationPage | None:
        """Return a page, made now if nobody has seen it yet; None if it cannot be made, which it then shows itself."""
        host = self.hosts[name]
        host.make()
        return host.content

    def actions(self) -> dict[str, Callable[[], object]]:
        """Return the palette's commands for the page that is shown, by name."""
        host = self.shown
        if host.content is None:
            return {}
        return {f"{host.page.name}: {name}": act for name, act in host.content.actions().items()}

    def afterwards(self, action: Callable[[], object]) -> None:
        """Defer an action to the time between this frame and the next; what it raises is shown on the bar."""
        self._deferred.append(action)

    def settle(self) -> None:
        """Run the deferred actions, after a frame."""
        # Taken out first: an action may defer another, which then waits for the next frame.
        actions = self._deferred
        self._deferred = []
        for action in actions:
            try:
                action()
            except (FileError, OSError) as error:
                self.notice = " ".join(str(error).split())

    def advance(self) -> None:
        """Give every page its share of a frame, between the view's `step` and `end_step`."""
        for name, host in self.hosts.items():
            if name == self.view.shown_page.name:
                host.make()
                host.advance()
            else:
                host.background()
        # After all pages: each of them may still change what is seen in this frame.
        self.view.rest()

    def open(self, path: Path) -> bool:
        """Hand a file to the first page that opens it, the shown one before the others, and show that page."""
        shown = self.shown
        # Several pages open .png: the one in front is the one that is meant.
        for host in (shown, *(host for host in self.hosts.values() if host is not shown)):
            host.make()
            if host.open(path):
                self.notice = ""
                self.view.show_page(host.page.name)
                return True
        self.notice = f"no page opens {path.name}"
        return False

    def trainings(self) -> dict[str, Training]:
        """Return the networks that pages are training, by the page's name."""
        found = {name: page.training() for name, page in self.pages.items()}
        return {name: training for name, training in found.items() if training is not None}

    def close(self) -> None:
        """Close the pages that are made."""
        for page in self.pages.values():
            page.close()

    def _draw_bar(self) -> None:
        bar = self.view.bar
        acts = {"Undo": self.view.undo, "Redo": self.view.redo}
        if self.notice:
            bar.text(self.notice, color=ALARM)
        bar.end_with(*acts)
        for name, act in acts.items():
            if bar.ask(name, PageTab(False), KEYS[name]):
                act()


class PageHost:
    """One page of the view and its content, once that is made."""

    def __init__(self, page: Page, maker: Maker) -> None:
        self.page = page
        self.content: WorkstationPage | None = None
        self.failure = ""
        """The error that stopped the page, until somebody tries again; empty while all is well."""
        self._maker = maker

    def make(self) -> None:
        """Make the content, if there is none."""
        # A page that cannot be made would otherwise be tried again in every frame.
        if self.content is None and not self.failure:
            self._guard(self._make)

    def advance(self) -> None:
        """Do a frame's work while the page is shown."""
        if self.content is not None and not self.failure:
            self._guard(self.content.advance)

    def background(self) -> None:
        """Do a frame's work while another page is shown."""
        if self.content is not None and not self.failure:
            self._guard(self.content.background)

    def open(self, path: Path) -> bool:
        """Offer a file to the content; True if it was taken."""
        content = self.content
        return content is not None and self._guard(lambda: content.open(path)) is True

    def _make(self) -> None:
        self.content = self._maker(self.page)

    def _guard(self, action: Callable[[], object]) -> object:
        """Call code of the page; an exception stops the page and is shown on it, with a button that tries again."""
        try:
            return action()
        except Exception as error:
            # The page shows one line; the log keeps the traceback for whoever has to find the cause.
            log.error("page %r failed and rests until Retry", self.page.name, exc_info=error)
            self.failure = f"{type(error).__name__}: {error}"
            if self.content is None:
                # Half of its panels may be there already.
                self.page.clear()
            problem = self.page.panel(PROBLEM, side="bottom", width=0.2)
            # Closed by the last Retry, or by the person.
            problem.open = True
            problem.on_frame(self._draw_problem)
            return None

    def _draw_problem(self) -> None:
        problem = self.page.panel(PROBLEM)
        problem.text_wrapped(f"The {self.page.name} page has stopped. {self.failure}", color=ALARM)
        if problem.button("Retry"):
            self.failure = ""
            problem.open = False
            if self.content is None:
                self.page.clear()
