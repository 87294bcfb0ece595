"""The pages of a view, of which one is shown, and the bar at the top that switches between them."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.history import FrameTimeline
from easel.viewer.imgui.arguments import check_name, check_numbers
from easel.viewer.imgui.edits import Edit
from easel.viewer.imgui.item_layout import ItemLayout
from easel.viewer.imgui.layout import SIDES, PanelPlace
from easel.viewer.imgui.sketch import Number, Sketch, Words
from easel.viewer.imgui.theme import colour, current
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.panels.docking import Dock
from easel.viewer.panels.frame_state import FrameState
from easel.viewer.panels.panel import Panel
from easel.viewer.widgets.widgets import Button, Switch

BAR_PADDING = (10.0, 8.0)
"""Frame padding of the bar, (x, y) in pixels at scale 1."""
BAR_MARGIN = 16.0
"""Room left of the title, in pixels at scale 1."""
UNDERLINE = 2.0
"""Thickness of the line under the page that is shown, in pixels at scale 1."""
OWN_PAGE = "More"
"""Tab of the view's own panels beside other pages."""
MOST_SHORTCUTS = 9
"""Ctrl+1 to Ctrl+9."""


class Page:
    """Panels that are shown together in a layout of their own; made by `View.page`. A view's own panels are one."""

    def __init__(self, name: str, frame_state: FrameState) -> None:
        self.name = name
        self.shown = False
        """While False, its panels are not drawn and cost nothing."""
        self.panels: dict[str, Panel] = {}
        """Panels by name, in the order in which they were made."""
        self.places: dict[str, PanelPlace] = {}
        self.dock = Dock(name)
        self.timeline = FrameTimeline()
        """The step of the past that its canvases with a history show; a program may number its steps on it."""
        self._frame_state = frame_state

    def __repr__(self) -> str:
        return f"Page({self.name!r})"

    def panel(self, name: str, *, side: str | None = None, width: Number = 0.0) -> Panel:
        """Return the panel of that name on this page, made at the first call; see `View.panel`."""
        check_name(name, "a panel")
        if not name:
            raise ValueError("a panel needs a name: it is what its tab says, and what keeps its place.")
        if side is not None and side not in SIDES:
            raise ValueError(f"unknown side {side!r} for panel {name!r}. Known: {', '.join(SIDES)}, or None.")
        check_numbers(f"panel {name!r}", width=width)
        if not 0 <= width < 1:
            raise ValueError(f"the width of panel {name!r} is a share from 0 to 1 of what remains; got {width}.")
        if name not in self.panels:
            panel = Panel(name, self._frame_state, window=self.dock.window(name), timeline=self.timeline)
            # Made by a callback while another page is shown, it must not appear there.
            panel.hidden = not self.shown
            # Restored state comes before the program makes its panels, and waits for them.
            panel.recall(self._frame_state.kept.pop((self.name, name), {}))
            self.panels[name] = panel
            self.places[name] = PanelPlace(name, side, width)
        return self.panels[name]

    def clear(self) -> None:
        """Remove all panels. Those that are made again find the values that their widgets had."""
        for panel in self.panels.values():
            panel.leave()
            # The same page may be filled anew, with the same labels: a person's settings survive that.
            if values := panel.values:
                self._frame_state.kept[self.name, panel.name] = values
        self.panels, self.places = {}, {}
        self.dock = Dock(self.name)
        self.timeline = FrameTimeline()

    def note_edit(self, what: str, undo: Callable[[], object], redo: Callable[[], object]) -> bool:
        """Record a person's change that no widget holds: Ctrl+Z calls `undo`, redoing calls `redo`.

        Returns True if it continues the last edit, because the same `what` is still being dragged: one `undo` then
        takes back all of it.
        """
        return self._frame_state.edits.note(self, what, undo, redo)

    def hand_out(self, path: str | os.PathLike[str]) -> None:
        """Give the person a file that was written for them; see `View.hand_out`."""
        self._frame_state.hand_out(Path(path))

    def rehearse(self) -> None:
        """Run the panels' callbacks between two frames, in sight or not: `Panel.items` is up to date afterwards."""
        for panel in self.panels.values():
            panel.draw()

    def show(self, shown: bool) -> None:
        """Bring the page to the front, or take it away."""
        self.shown = shown
        for panel in self.panels.values():
            panel.hidden = False
            if not shown:
                panel.leave()


class Pages:
    """The pages of one view by name, and the page of its own panels, which is alone until others are made."""

    def __init__(self, title: str, frame_state: FrameState) -> None:
        self._frame_state = frame_state
        self.own = self.shown = Page("", frame_state)
        # Shown until the first page is made: most views have no pages.
        self.own.show(True)
        self.named: dict[str, Page] = {}
        self.asked: Page | None = None
        """Page to show from the next frame on."""
        self.wanted = ""
        """Name of a page to show as soon as it is made."""
        self.bar = PageBar(title, frame_state)
        self.bar.on_frame(self._draw_tabs)

    @property
    def all(self) -> tuple[Page, ...]:
        return self.own, *self.named.values()

    def canvases(self) -> list[Canvas]:
        """Return the canvases of all pages."""
        return [canvas for page in self.all for panel in page.panels.values() for canvas in panel.canvases.values()]

    def page(self, name: str) -> Page:
        """Return the page of that name, made at the first call; the first page is shown."""
        check_name(name, "a page")
        if not name:
            raise ValueError("a page needs a name: it is what the bar at the top says.")
        if name not in self.named:
            self.named[name] = Page(name, self._frame_state)
            # `wanted` comes from a saved state: that page may be made long after `restore`.
            if len(self.named) == 1 or name == self.wanted:
                self.asked = self.named[name]
        return self.named[name]

    def ask(self, name: str) -> None:
        """Show a page from the next frame on. LookupError if there is none of that name."""
        if name not in self.named:
            raise LookupError(f"there is no page {name!r}. Pages: {', '.join(self.named) or 'none'}.")
        self.asked = self.named[name]

    def follow(self, edit: Edit | None) -> None:
        """Show the page on which an edit was made, from the next frame on."""
        for page in self.named.values():
            # An edit belongs to a panel (a widget) or to a page (`note_edit`).
            if edit is not None and edit.owner in (page, *page.panels.values()):
                self.asked = page

    def switch(self) -> None:
        """Show the page that was asked for, before a frame begins."""
        asked, self.asked = self.asked, None
        if asked is None or asked is self.shown:
            return
        self.shown.show(False)
        asked.show(True)
        # Its windows were not submitted while it was away, and must find their sizes again.
        asked.dock.arrives = True
        self.shown = asked

    def actions(self) -> dict[str, Callable[[], object]]:
        """Return what can be done with panels and pages now, by name: press a button, go to a page."""
        actions: dict[str, Callable[[], object]] = {}
        for panel in self.shown.panels.values():
            for item in panel.items:
                # A label such as "##x" shows nothing: nobody could find it by name.
                if isinstance(item, tuple) and isinstance(item[1], Button) and item[0].partition("##")[0]:
                    actions[f"{panel.name}: {item[0]}"] = partial(panel.press, item[0])
        return actions | {f"Go to {name}": partial(self.ask, name) for name in self.named}

    def values(self) -> dict[str, dict[str, dict[str, object]]]:
        """Return all widget values by page, panel and label, also those kept for panels that do not exist yet."""
        values: dict[str, dict[str, dict[str, object]]] = {}
        for page in self.all:
            for name, panel in page.panels.items():
                if held := panel.values:
                    values.setdefault(page.name, {})[name] = held
        for (page_name, name), kept in self._frame_state.kept.items():
            values.setdefault(page_name, {})[name] = kept
        return values

    def recall(self, values: dict[str, dict[str, dict[str, object]]]) -> None:
        """Restore widget values by page, panel and label; keep those of panels that do not exist yet."""
        existing = {(page.name, name): panel for page in self.all for name, panel in page.panels.items()}
        for page_name, panels in values.items():
            for name, held in panels.items():
                # One that exists takes its values now; the others are kept for when it is made.
                if panel := existing.get((page_name, name)):
                    panel.recall(held)
                else:
                    self._frame_state.kept[page_name, name] = held

    def _draw_tabs(self) -> None:
        # The view's own panels get a tab only where there are any.
        tabs = [page for page in (*self.named.values(), self.own) if page.name or page.panels]
        for number, page in enumerate(tabs, 1):
            keys = f"Ctrl+{number}"
            clicked = self.bar.ask(page.name or OWN_PAGE, PageTab(page is self.shown), keys)
            if clicked or (number <= MOST_SHORTCUTS and self._frame_state.pressed(keys)):
                self.asked = page


class PageBar(Panel):
    """The bar at the top of a view with pages: their tabs, and widgets of the program's own callbacks."""

    def __init__(self, title: str, frame_state: FrameState) -> None:
        super().__init__("Pages", frame_state)
        self.title = title
        self._begun = False

    def end_with(self, *labels: str) -> None:
        """Right-align the tabs that follow; `labels` are theirs."""
        if self._frame_state.drawing:
            style = imgui.get_style()
            # Dear ImGui lays out from the left: the widths must be known before the first of them is drawn.
            widths = [imgui.calc_text_size(label).x + 2 * style.frame_padding.x for label in labels]
            right = imgui.get_window_width() - BAR_MARGIN * style.font_scale_dpi
            imgui.set_cursor_pos_x(right - sum(widths) - (len(widths) - 1) * style.item_spacing.x)

    def _begin(self) -> bool:
        scale = imgui.get_style().font_scale_dpi
        imgui.push_style_var(imgui.StyleVar_.frame_padding, (BAR_PADDING[0] * scale, BAR_PADDING[1] * scale))
        self._begun = imgui.begin_main_menu_bar()
        return self._begun

    def _end(self) -> None:
        # Unlike a window, a menu bar is ended only where it was begun.
        if self._begun:
            imgui.end_main_menu_bar()
        imgui.pop_style_var()

    def _draw_menu(self) -> None:
        """Draw the title: a bar has no tab with a menu."""
        margin = BAR_MARGIN * imgui.get_style().font_scale_dpi
        imgui.set_cursor_pos_x(margin)
        self.item_layout.text(self.title, current().quiet)
        imgui.set_cursor_pos_x(imgui.get_cursor_pos_x() + margin / 2)


@dataclass(frozen=True)
class PageTab(Switch):
    """The name of a page, underlined while it is shown; True in the frame in which it is clicked."""

    selected: bool
    default: bool = False
    momentary: ClassVar[bool] = True

    def draw(self, layout: ItemLayout, label: str, value: bool) -> bool:
        theme = current()
        style = imgui.get_style()
        text, corner = imgui.calc_text_size(label), imgui.get_cursor_screen_pos()
        pad = style.frame_padding
        scale = style.font_scale_dpi
        # The item is invisible and the text drawn over it: a menu item would have the padding of menus.
        clicked = imgui.invisible_button(f"##{label}", (text.x + 2 * pad.x, imgui.get_frame_height()))
        lit = self.selected or imgui.is_item_hovered()
        draw_list = imgui.get_window_draw_list()
        draw_list.add_text((corner.x + pad.x, corner.y + pad.y), colour(theme.ink if lit else theme.quiet), label)
        if self.selected:
            low = imgui.get_item_rect_max()
            line = (corner.x + pad.x, low.y - UNDERLINE * scale), (low.x - pad.x, low.y)
            draw_list.add_rect_filled(*line, colour(theme.accent), UNDERLINE / 2 * scale)
        return clicked or value

    def sketch(self, label: str, value: bool) -> Sketch:
        return Words(f"[ {label} ]" if self.selected else label)
