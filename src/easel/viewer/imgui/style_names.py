"""Colours and variables of the interface's style by name, and by the numbers that they had in Dear ImGui 1.92."""

import difflib
from collections.abc import Sequence
from enum import Enum

from easel.viewer.imgui.toolkit import imgui

# Fixed here: programs written against Dear ImGui 1.92 pass its numbers, and later versions shift them.
COLORS = (
    "text", "text_disabled", "window_bg", "child_bg", "popup_bg", "border", "border_shadow", "frame_bg",
    "frame_bg_hovered", "frame_bg_active", "title_bg", "title_bg_active", "title_bg_collapsed", "menu_bar_bg",
    "scrollbar_bg", "scrollbar_grab", "scrollbar_grab_hovered", "scrollbar_grab_active", "check_mark", "slider_grab",
    "slider_grab_active", "button", "button_hovered", "button_active", "header", "header_hovered", "header_active",
    "separator", "separator_hovered", "separator_active", "resize_grip", "resize_grip_hovered", "resize_grip_active",
    "input_text_cursor", "tab_hovered", "tab", "tab_selected", "tab_selected_overline", "tab_dimmed",
    "tab_dimmed_selected", "tab_dimmed_selected_overline", "docking_preview", "docking_empty_bg", "plot_lines",
    "plot_lines_hovered", "plot_histogram", "plot_histogram_hovered", "table_header_bg", "table_border_strong",
    "table_border_light", "table_row_bg", "table_row_bg_alt", "text_link", "text_selected_bg", "tree_lines",
    "drag_drop_target", "drag_drop_target_bg", "unsaved_marker", "nav_cursor", "nav_windowing_highlight",
    "nav_windowing_dim_bg", "modal_window_dim_bg",
)  # fmt: skip
"""Number in Dear ImGui 1.92 → name. Later versions insert colours in between; the names stay."""

VARIABLES = (
    "alpha", "disabled_alpha", "window_padding", "window_rounding", "window_border_size", "window_min_size",
    "window_title_align", "child_rounding", "child_border_size", "popup_rounding", "popup_border_size",
    "frame_padding", "frame_rounding", "frame_border_size", "item_spacing", "item_inner_spacing", "indent_spacing",
    "cell_padding", "scrollbar_size", "scrollbar_rounding", "scrollbar_padding", "grab_min_size", "grab_rounding",
    "image_rounding", "image_border_size", "tab_rounding", "tab_border_size", "tab_min_width_base",
    "tab_min_width_shrink", "tab_bar_border_size", "tab_bar_overline_size", "table_angled_headers_angle",
    "table_angled_headers_text_align", "tree_lines_size", "tree_lines_rounding", "button_text_align",
    "selectable_text_align", "separator_text_border_size", "separator_text_align", "separator_text_padding",
    "docking_separator_size",
)  # fmt: skip
"""The same for variables."""


def color_index(color: int | str) -> int:
    """Return a colour's number in the installed library, from its name or its number in Dear ImGui 1.92."""
    return imgui.Col_[_name(color, COLORS, imgui.Col_, "colour")]


def variable_index(variable: int | str, kind: type) -> int:
    """Return a variable's number likewise; ValueError unless it holds a `kind`, a float or an ImVec2."""
    name = _name(variable, VARIABLES, imgui.StyleVar_, "variable")
    if not isinstance(getattr(imgui.get_style(), name), kind):
        pushes = {float: "push_style_var_vec2 with two numbers", imgui.ImVec2: "push_style_var_float with one number"}
        raise ValueError(f"the style's {name} takes {pushes[kind]}.")
    return imgui.StyleVar_[name]


def _name(index: int | str, numbered: Sequence[str], members: type[Enum], what: str) -> str:
    if isinstance(index, str):
        known = [name for name in members.__members__ if name != "count"]
        if index in known:
            return index
        near = "".join(f" Did you mean {name!r}?" for name in difflib.get_close_matches(index, known, 1))
        raise ValueError(f"unknown style {what} {index!r}.{near} Known: {', '.join(known)}.")
    if not 0 <= index < len(numbered):
        raise ValueError(f"style {what}s have numbers from 0 to {len(numbered) - 1}, or names; got {index}.")
    return numbered[index]
