"""Layout of a panel's items: captions, rows, and the rectangles that scripts click."""

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


class PlacedItem(NamedTuple):
    """The rectangle of an item in this frame, and True if any of it was visible."""

    rectangle: Rectangle
    visible: bool


@dataclass
class ItemLayout:
    """Places items in the panel whose window is begun, and records the rectangle of every labelled one."""

    placed: dict[str, PlacedItem] = field(default_factory=dict)
    """Label → place in this frame."""
    scroll_target: str = ""
    """A label that a script looks for: scrolled into view when it is placed."""
    _row_fill: list[int] = field(default_factory=list)
    """Numbers of items so far in the open rows, the innermost last."""

    def next_item(self) -> None:
        """Move on to the next item: in a row it stands beside the one before."""
        if self._row_fill:
            if self._row_fill[-1]:
                imgui.same_line()
            self._row_fill[-1] += 1

    def begin_row(self) -> None:
        """Open a row, in which items stand side by side; a row in a row is one item of the outer."""
        self.next_item()
        imgui.begin_group()
        self._row_fill.append(0)

    def end_row(self) -> None:
        self._row_fill.pop()
        imgui.end_group()

    def caption(self, label: str) -> str:
        """Write the visible part of `label`, reserve the control's width, and return the control's hidden identity.

        Captions share a column at the left, so that the controls of a sidebar align. One that is too long for the
        column stands above its control instead of being cut.
        """
        # In a row there is no column to align with: each caption stands right before its control.
        visible, identity = imgui_name(label)
        if self._row_fill:
            if visible:
                self.text(visible, current().quiet, in_line=True)
                imgui.same_line(0, imgui.get_style().item_inner_spacing.x)
            imgui.set_next_item_width(ROW_CONTROL_EMS * imgui.get_font_size())
            return identity
        if visible:
            start = imgui.get_cursor_pos_x()
            column = CAPTION_SHARE * imgui.get_content_region_avail().x
            fits = imgui.calc_text_size(visible).x <= column - imgui.get_style().item_inner_spacing.x
            self.text(visible, current().quiet, in_line=fits)
            if fits:
                imgui.same_line(start + column)
        imgui.set_next_item_width(-1.0)
        return identity

    @contextmanager
    def track(self, position: Number) -> Iterator[None]:
        """Draw a slider's track filled up to `position` in [0, 1], under the slider drawn inside."""
        # The library's own grab, a block as wide as a digit or two, would hide the number that it stands on.
        style = imgui.get_style()
        corner = imgui.get_cursor_screen_pos()
        width = imgui.calc_item_width()
        line = 3.0 * style.font_scale_dpi
        bottom = corner.y + imgui.get_frame_height()
        tip = corner.x + max(position * width, line)
        draw_list = imgui.get_window_draw_list()
        draw_list.add_rect_filled(corner, (corner.x + width, bottom), colour(current().well[0]), style.frame_rounding)
        draw_list.add_rect_filled(corner, (tip, bottom), colour(current().accent, 0.35), style.frame_rounding)
        draw_list.add_rect_filled((tip - line, corner.y), (tip, bottom), colour(current().accent), line / 2)
        col = imgui.Col_
        # White at these alphas: the slider's own frame must let the track below it through.
        alphas = {col.frame_bg: 0.0, col.frame_bg_hovered: 0.04, col.frame_bg_active: 0.07}
        alphas |= {col.slider_grab: 0.0, col.slider_grab_active: 0.0}
        with pushed_colors({index: (1.0, 1.0, 1.0, alpha) for index, alpha in alphas.items()}):
            yield

    def text(self, text: str, color: Rgba | None = None, *, in_line: bool = False) -> None:
        """Write text verbatim, `%` included; `in_line` sets it on the baseline of a control that follows it."""
        if in_line:
            imgui.align_text_to_frame_padding()
        warn_missing_glyphs(text)
        # Colours of programs are chosen for the dark theme, which was there first.
        with pushed_colors({imgui.Col_.text: readable(color, current()) if color else current().ink}):
            imgui.text_unformatted(text)

    def record(self, label: str) -> None:
        """Record the rectangle of the item just drawn; scroll to it if a script asked for it."""
        # At once: the library tells about the last item alone.
        low, size = imgui.get_item_rect_min(), imgui.get_item_rect_size()
        self.placed[label] = PlacedItem(Rectangle(low.x, low.y, size.x, size.y), imgui.is_item_visible())
        if self.scroll_target == label:
            imgui.set_scroll_here_y()

    def record_tab_close(self, tab: str) -> None:
        """Record, as `tab`/close, the close box of the tab just drawn."""
        # Reckoned as the library does it, which does not tell: a square at the right, inside the frame's padding.
        area, visible = self.placed[tab]
        padding = imgui.get_style().frame_padding
        side = imgui.get_font_size()
        box = Rectangle(area.x + area.width - padding.x - side, area.y + padding.y, side, side)
        self.placed[f"{tab}/close"] = PlacedItem(box, visible)


@contextmanager
def pushed_colors(colors: "dict[imgui.Col_, Rgba]") -> Iterator[None]:
    """Draw what is drawn inside with these style colours."""
    for index, rgba in colors.items():
        imgui.push_style_color(index, rgba)
    try:
        yield
    finally:
        imgui.pop_style_color(len(colors))


def tinted(color: Rgba | None) -> "dict[imgui.Col_, Rgba]":
    """Return the style colours of a button in `color`; none for the theme's own."""
    if color is None:
        return {}
    col = imgui.Col_
    alphas = {col.button: 0.65, col.button_hovered: 0.8, col.button_active: 1.0}
    return {index: (*color[:3], alpha) for index, alpha in alphas.items()}


def imgui_name(label: str) -> tuple[str, str]:
    """Return (the visible part, the hidden identity): Dear ImGui's `##suffix` names a widget without showing."""
    return label.partition("##")[0], f"##{label}"
