"""Where the next widget of a panel goes: captions, rows, and the rectangles that scripts click."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from easel.viewer.imgui.fonts import warn_missing_glyphs
from easel.viewer.imgui.layout import Rectangle
from easel.viewer.imgui.sketch import Number, Rgba
from easel.viewer.imgui.theme import CAPTION_SHARE, colour, current, readable
from easel.viewer.imgui.toolkit import imgui

ROW_CONTROL_EMS = 9.0
"""Width of a captioned control that shares its line with others."""


class Spot(NamedTuple):
    """Where an item was drawn, and whether any of it could be seen."""

    rectangle: Rectangle
    visible: bool


@dataclass
class ItemLayout:
    """Draws on the panel whose window is begun; keeps where every labelled thing ended up this frame."""

    placed: dict[str, Spot] = field(default_factory=dict)
    scroll_target: str = ""
    """A label that a script looks for: it is scrolled into view when it comes by."""
    _row_fill: list[int] = field(default_factory=list)

    def next_item(self) -> None:
        """Move on to the next item: in a row it stands beside the one before."""
        if self._row_fill:
            if self._row_fill[-1]:
                imgui.same_line()
            self._row_fill[-1] += 1

    def begin_row(self) -> None:
        """From here on items stand side by side; a row in a row is one item of the outer."""
        self.next_item()
        imgui.begin_group()
        self._row_fill.append(0)

    def end_row(self) -> None:
        self._row_fill.pop()
        imgui.end_group()

    def caption(self, label: str) -> str:
        """Write the visible part of `label` and reserve the control's width; returns the control's own identity.

        Captions share a column at the left, so that the controls of a sidebar align. One that is too long for the
        column stands above its control instead of being cut.
        """
        visible, identity = imgui_name(label)
        if self._row_fill:
            if visible:
                self.text(visible, current().quiet, in_line=True)
                imgui.same_line(0, imgui.get_style().item_inner_spacing.x)
            imgui.set_next_item_width(ROW_CONTROL_EMS * imgui.get_font_size())
            return identity
        if visible:
            start, column = imgui.get_cursor_pos_x(), CAPTION_SHARE * imgui.get_content_region_avail().x
            fits = imgui.calc_text_size(visible).x <= column - imgui.get_style().item_inner_spacing.x
            self.text(visible, current().quiet, in_line=fits)
            if fits:
                imgui.same_line(start + column)
        imgui.set_next_item_width(-1.0)
        return identity

    @contextmanager
    def track(self, position: Number) -> Iterator[None]:
        """A slider drawn inside fills up to `position`, in [0, 1]: the library's own grab would hide the number."""
        col, style = imgui.Col_, imgui.get_style()
        corner, width, line = imgui.get_cursor_screen_pos(), imgui.calc_item_width(), 3.0 * style.font_scale_dpi
        bottom, tip = corner.y + imgui.get_frame_height(), corner.x + max(position * width, line)
        draw_list = imgui.get_window_draw_list()
        draw_list.add_rect_filled(corner, (corner.x + width, bottom), colour(current().well[0]), style.frame_rounding)
        draw_list.add_rect_filled(corner, (tip, bottom), colour(current().accent, 0.35), style.frame_rounding)
        draw_list.add_rect_filled((tip - line, corner.y), (tip, bottom), colour(current().accent), line / 2)
        veils = {col.frame_bg: 0.0, col.frame_bg_hovered: 0.04, col.frame_bg_active: 0.07}
        for index, alpha in (veils | {col.slider_grab: 0.0, col.slider_grab_active: 0.0}).items():
            imgui.push_style_color(index, (1.0, 1.0, 1.0, alpha))
        try:
            yield
        finally:
            imgui.pop_style_color(5)

    def text(self, text: str, color: Rgba | None = None, *, in_line: bool = False) -> None:
        """Text as it is, `%` included; `in_line` sets it on the baseline of a control that follows on the same line."""
        if in_line:
            imgui.align_text_to_frame_padding()
        warn_missing_glyphs(text)
        imgui.push_style_color(imgui.Col_.text, readable(color, current()) if color else current().ink)
        imgui.text_unformatted(text)
        imgui.pop_style_color()

    def record(self, label: str) -> None:
        """Remember where the item just drawn is; scroll to it if a script asked for it."""
        low, high = imgui.get_item_rect_min(), imgui.get_item_rect_max()
        self.placed[label] = Spot(Rectangle(low.x, low.y, high.x - low.x, high.y - low.y), imgui.is_item_visible())
        if self.scroll_target == label:
            imgui.set_scroll_here_y()

    def record_tab_close(self, tab: str) -> None:
        """Remember, as `tab`/close, where the tab just drawn has its close box; Dear ImGui does not tell."""
        (area, visible), pad, side = self.placed[tab], imgui.get_style().frame_padding, imgui.get_font_size()
        box = Rectangle(area.x + area.width - pad.x - side, area.y + pad.y, side, side)
        self.placed[f"{tab}/close"] = Spot(box, visible)


@contextmanager
def tinted(color: Rgba | None) -> Iterator[None]:
    """Buttons drawn inside have `color` in place of their own, if there is one."""
    col = imgui.Col_
    alphas = {col.button: 0.65, col.button_hovered: 0.8, col.button_active: 1.0} if color else {}
    for index, alpha in alphas.items():
        assert color is not None
        imgui.push_style_color(index, (*color[:3], alpha))
    try:
        yield
    finally:
        imgui.pop_style_color(len(alphas))


def imgui_name(label: str) -> tuple[str, str]:
    """(what is read, what identifies): Dear ImGui's `##suffix` names a widget without showing."""
    return label.partition("##")[0], f"##{label}"
