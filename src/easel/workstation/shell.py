"""Shell: the pages of the workstation in one window. Each is made when it is first shown, and fails alone."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from easel.graphics.files import FileError
from easel.viewer.imgui.theme import ALARM
from easel.viewer.panels.commands import KEYS
from easel.viewer.panels.page import Page
from easel.viewer.panels.pages import Tab
from easel.viewer.view import View
from easel.workstation.page import Training, WorkstationPage

log = logging.getLogger("easel")
Maker = Callable[[Page], WorkstationPage]

PROBLEM = "Problem"
"""The panel on which a page tells what its product raised."""


class Shell:
    """Turns the pages of a view, made by `makers` in the order of the bar at the top."""

    def __init__(self, view: View, makers: Mapping[str, Maker]) -> None:
        self.view = view
        self.hosts = {name: Host(view.page(name), maker) for name, maker in makers.items()}
        self.notice = ""
        """What became of the file that was dropped last, where no page opens it."""
        self._waiting: list[Callable[[], object]] = []
        view.on_drop(lambda dropped: self.open(Path(dropped.paths[0])))
        view.bar.on_frame(self._draw_bar)

    @property
    def pages(self) -> dict[str, WorkstationPage]:
        """Those that are made, by name."""
        return {name: host.content for name, host in self.hosts.items() if host.content is not None}

    @property
    def shown(self) -> "Host":
        """The page that is shown, or will be in the next frame."""
        return self.hosts.get(self.view.shown_page.name) or next(iter(self.hosts.values()))

    def page(self, name: str) -> WorkstationPage | None:
        """A page, made now if nobody has seen it yet; None where it fails, which it then tells itself."""
        host = self.hosts[name]
        host.make()
        return host.content

    def actions(self) -> dict[str, Callable[[], object]]:
        """What the palette offers for the page that is shown, by name."""
        content, page = self.shown.content, self.shown.page.name
        return {} if content is None else {f"{page}: {name}": act for name, act in content.actions().items()}

    def afterwards(self, action: Callable[[], object]) -> None:
        """Do something between this frame and the next; what it raises is told in the bar."""
        self._waiting.append(action)

    def settle(self) -> None:
        """After a frame: do what waited for it."""
        waiting, self._waiting = self._waiting, []
        for action in waiting:
            try:
                action()
            except (FileError, OSError) as error:
                self.notice = " ".join(str(error).split())

    def advance(self) -> None:
        """The pages' share of a frame, between the view's `step` and `end_step`."""
        for name, host in self.hosts.items():
            if name == self.view.shown_page.name:
                host.make()
                host.advance()
            else:
                host.background()
        self.view.rest()

    def open(self, path: Path) -> bool:
        """Hand a file to the first page that takes it: the one that is shown, then the others, which is then shown."""
        shown = self.shown
        for host in (shown, *(host for host in self.hosts.values() if host is not shown)):
            host.make()
            if host.open(path):
                self.notice = ""
                self.view.show_page(host.page.name)
                return True
        self.notice = f"no page opens {path.name}"
        return False

    def trainings(self) -> dict[str, Training]:
        """The networks that pages are training, by the page's name."""
        found = {name: page.training() for name, page in self.pages.items()}
        return {name: training for name, training in found.items() if training is not None}

    def close(self) -> None:
        for page in self.pages.values():
            page.close()

    def _draw_bar(self) -> None:
        bar, acts = self.view.bar, {"Undo": self.view.undo, "Redo": self.view.redo}
        if self.notice:
            bar.text(self.notice, color=ALARM)
        bar.end_with(*acts)
        for name, act in acts.items():
            if bar.ask(name, Tab(False), KEYS[name]):
                act()


class Host:
    """One page and what it holds, as far as it is made."""

    def __init__(self, page: Page, maker: Maker) -> None:
        self.page = page
        self.content: WorkstationPage | None = None
        self.failure = ""
        """What it raised last; until somebody tries again, it rests."""
        self._maker = maker

    def make(self) -> None:
        """Make its content, if there is none."""
        if self.content is None and not self.failure:
            self._guard(self._make)

    def advance(self) -> None:
        if self.content is not None and not self.failure:
            self._guard(self.content.advance)

    def background(self) -> None:
        if self.content is not None and not self.failure:
            self._guard(self.content.background)

    def open(self, path: Path) -> bool:
        content = self.content
        return content is not None and self._guard(lambda: content.open(path)) is True

    def _make(self) -> None:
        self.content = self._maker(self.page)

    def _guard(self, action: Callable[[], object]) -> object:
        """Do something of the page's own; what it raises is told on the page."""
        try:
            return action()
        except Exception as error:
            log.error("page %r failed and rests until Retry", self.page.name, exc_info=error)
            self.failure = f"{type(error).__name__}: {error}"
            if self.content is None:
                self.page.clear()  # half of its panels
            problem = self.page.panel(PROBLEM, side="bottom", width=0.2)
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
