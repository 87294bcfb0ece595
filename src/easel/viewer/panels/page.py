"""Page: panels that are shown together, in their own layout."""

import os
from collections.abc import Callable
from pathlib import Path

from easel.viewer.canvas.history import FrameTimeline
from easel.viewer.imgui.arguments import check_name, check_numbers
from easel.viewer.imgui.layout import SIDES, PanelPlace
from easel.viewer.imgui.sketch import Number
from easel.viewer.panels.docking import Dock
from easel.viewer.panels.frame_state import Turn
from easel.viewer.panels.panel import Panel


class Page:
    """Panels that are shown together; made by `View.page`. A view's own panels are a page as well."""

    def __init__(self, name: str, turn: Turn, hand_out: Callable[[Path], object]) -> None:
        self.name = name
        self.shown = False
        """Its panels are those that are drawn; while it is not, it costs nothing."""
        self.panels: dict[str, Panel] = {}
        """By name, in the order of their making."""
        self.places: dict[str, PanelPlace] = {}
        self.dock = Dock(name)
        self.timeline = FrameTimeline()
        """Where in their past its canvases are that keep a history; a program may number its steps on it."""
        self._turn, self._hand_out = turn, hand_out

    def __repr__(self) -> str:
        return f"Page({self.name!r})"

    def panel(self, name: str, *, side: str | None = None, width: Number = 0.0) -> Panel:
        """The panel of that name on this page; see `View.panel`."""
        check_name(name, "a panel")
        if not name:
            raise ValueError("a panel needs a name: it is what its tab says, and what keeps its place.")
        if side is not None and side not in SIDES:
            raise ValueError(f"unknown side {side!r} for panel {name!r}. Known: {', '.join(SIDES)}, or None.")
        check_numbers(f"panel {name!r}", width=width)
        if not 0 <= width < 1:
            raise ValueError(f"the width of panel {name!r} is a share from 0 to 1 of what remains; got {width}.")
        if name not in self.panels:
            panel = Panel(name, self._turn, window=self.dock.window(name), timeline=self.timeline)
            panel.hidden = not self.shown
            panel.recall(self._turn.kept.pop((self.name, name), {}))
            self.panels[name], self.places[name] = panel, PanelPlace(name, side, width)
        return self.panels[name]

    def clear(self) -> None:
        """Take all panels away; those that are made again find the values that their widgets had."""
        for panel in self.panels.values():
            panel.leave()
            if values := panel.values:
                self._turn.kept[self.name, panel.name] = values
        self.panels, self.places, self.dock = {}, {}, Dock(self.name)
        self.timeline = FrameTimeline()

    def note_edit(self, what: str, undo: Callable[[], object], redo: Callable[[], object]) -> bool:
        """A person has changed something that no widget holds: Ctrl+Z takes it back by `undo`, `redo` repeats it.

        True where it goes on with the last edit, because the same `what` is still in the person's hand: taking that
        back then takes back all of it.
        """
        return self._turn.edits.note(self, what, undo, redo)

    def hand_out(self, path: str | os.PathLike[str]) -> None:
        """Give the person a file that was written for them; see `View.hand_out`."""
        self._hand_out(Path(path))

    def rehearse(self) -> None:
        """Between two frames: have `Panel.items` tell what the panels would show now, in sight or not."""
        for panel in self.panels.values():
            panel.draw()

    def show(self, shown: bool) -> None:
        """Come to the front, or leave it."""
        self.shown = shown
        for panel in self.panels.values():
            panel.hidden = False
            if not shown:
                panel.leave()
