"""The pages of a view, of which one is shown, and the bar at the top that switches."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from easel.viewer.canvas.canvas import Canvas
from easel.viewer.imgui.arguments import check_name
from easel.viewer.imgui.edits import Edit
from easel.viewer.imgui.item_layout import ItemLayout
from easel.viewer.imgui.sketch import Sketch, Words
from easel.viewer.imgui.theme import colour, current
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.panels.frame_state import Turn
from easel.viewer.panels.page import Page
from easel.viewer.panels.panel import Panel
from easel.viewer.widgets.widgets import Widget

BAR_PADDING = (10.0, 8.0)
"""Of the bar, around its words, in pixels at scale 1."""
MARGIN, LINE = 16.0, 2.0
"""Left of the title, and the line under the page that is shown, likewise."""
OWN = "More"
"""What the page of the view's own panels is called beside others."""
MOST_SHORTCUTS = 9
"""Ctrl+1 to Ctrl+9."""


class Pages:
    """The pages of one view by name, and the one of its own panels, alone where nobody asked for others."""

    def __init__(self, title: str, turn: Turn, hand_out: Callable[[Path], object]) -> None:
        self._turn, self._hand_out = turn, hand_out
        self.own = self.shown = Page("", turn, hand_out)
        self.own.show(True)
        self.named: dict[str, Page] = {}
        self.asked: Page | None = None
        """To be shown from the next frame on."""
        self.wanted = ""
        """The page to show as soon as it is made."""
        self.bar = Bar(title, turn)
        self.bar.on_frame(self._draw_tabs)

    @property
    def all(self) -> tuple[Page, ...]:
        return self.own, *self.named.values()

    def canvases(self) -> list[Canvas]:
        """Those of all pages."""
        return [canvas for page in self.all for panel in page.panels.values() for canvas in panel.canvases.values()]

    def page(self, name: str) -> Page:
        """The page of that name, made when there is none yet; the first one is shown."""
        check_name(name, "a page")
        if not name:
            raise ValueError("a page needs a name: it is what the bar at the top says.")
        if name not in self.named:
            self.named[name] = Page(name, self._turn, self._hand_out)
            if len(self.named) == 1 or name == self.wanted:
                self.asked = self.named[name]
        return self.named[name]

    def ask(self, name: str) -> None:
        """Show a page from the next frame on; LookupError when there is none of that name."""
        if name not in self.named:
            raise LookupError(f"there is no page {name!r}. Pages: {', '.join(self.named) or 'none'}.")
        self.asked = self.named[name]

    def follow(self, edit: Edit | None) -> None:
        """Show the page on which something was edited."""
        for page in self.named.values():
            if edit is not None and edit.owner in (page, *page.panels.values()):
                self.asked = page

    def turn(self) -> None:
        """Before a frame: show what was asked for."""
        asked, self.asked = self.asked, None
        if asked is None or asked is self.shown:
            return
        self.shown.show(False)
        asked.show(True)
        asked.dock.arrives = True
        self.shown = asked

    def _draw_tabs(self) -> None:
        tabs = [page for page in (*self.named.values(), self.own) if page.name or page.panels]
        for number, page in enumerate(tabs, 1):
            clicked = self.bar.ask(page.name or OWN, Tab(page is self.shown), f"Ctrl+{number}")
            if clicked or (self._turn.drawing and number <= MOST_SHORTCUTS and _pressed(number)):
                self.asked = page


class Bar(Panel):
    """The bar at the top of a view with pages: their names, and whatever a program adds in callbacks of its own."""

    def __init__(self, title: str, turn: Turn) -> None:
        super().__init__("Pages", turn)
        self.title = title
        self._begun = False

    def end_with(self, *labels: str) -> None:
        """What follows, tabs of these labels, stands at the right end."""
        if self._turn.drawing:
            style = imgui.get_style()
            widths = [imgui.calc_text_size(label).x + 2 * style.frame_padding.x for label in labels]
            right = imgui.get_window_width() - MARGIN * style.font_scale_dpi
            imgui.set_cursor_pos_x(right - sum(widths) - (len(widths) - 1) * style.item_spacing.x)

    def _begin(self) -> bool:
        scale = imgui.get_style().font_scale_dpi
        imgui.push_style_var(imgui.StyleVar_.frame_padding, (BAR_PADDING[0] * scale, BAR_PADDING[1] * scale))
        self._begun = imgui.begin_main_menu_bar()
        return self._begun

    def _end(self) -> None:
        if self._begun:
            imgui.end_main_menu_bar()
        imgui.pop_style_var()

    def _draw_menu(self) -> None:
        imgui.set_cursor_pos_x(MARGIN * imgui.get_style().font_scale_dpi)
        self.item_layout.text(self.title, current().quiet)
        imgui.set_cursor_pos_x(imgui.get_cursor_pos_x() + MARGIN * imgui.get_style().font_scale_dpi / 2)


@dataclass(frozen=True)
class Tab(Widget[bool]):
    """The name of a page, underlined while it is shown; True in the frame in which it is clicked."""

    selected: bool
    default: bool = False
    momentary: ClassVar[bool] = True

    def accept(self, value: object) -> bool:
        return bool(value)

    def draw(self, layout: ItemLayout, label: str, value: bool) -> bool:
        text, corner = imgui.calc_text_size(label), imgui.get_cursor_screen_pos()
        pad, scale = imgui.get_style().frame_padding, imgui.get_style().font_scale_dpi
        clicked = imgui.invisible_button(f"##{label}", (text.x + 2 * pad.x, imgui.get_frame_height()))
        lit = self.selected or imgui.is_item_hovered()
        draw_list = imgui.get_window_draw_list()
        draw_list.add_text(
            (corner.x + pad.x, corner.y + pad.y), colour(current().ink if lit else current().quiet), label
        )
        if self.selected:
            low = imgui.get_item_rect_max()
            line = (corner.x + pad.x, low.y - LINE * scale), (low.x - pad.x, low.y)
            draw_list.add_rect_filled(*line, colour(current().accent), LINE / 2 * scale)
        return clicked or value

    def sketch(self, label: str, value: bool) -> Sketch:
        return Words(f"[ {label} ]" if self.selected else label)


def _pressed(number: int) -> bool:
    """Ctrl and a digit were pressed, whatever has the keyboard."""
    return imgui.shortcut(imgui.Key.mod_ctrl | getattr(imgui.Key, f"_{number}"), imgui.InputFlags_.route_global)
