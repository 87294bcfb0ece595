"""How Easel looks: colours, spacing and sizes. The letters are in `fonts`; none of it ever passes through a picture."""

from easel.viewer.fonts import load_fonts
from easel.viewer.sketch import Number, Rgba
from easel.viewer.toolkit import imgui, implot


def _rgb(code: int, alpha: float = 1.0) -> Rgba:
    return (code >> 16 & 255) / 255, (code >> 8 & 255) / 255, (code & 255) / 255, alpha


INK = _rgb(0xE4E7EC)
QUIET = _rgb(0x8F97A5)
"""Captions, ranges: there to be found, not to be read first."""
ACCENT = _rgb(0x5AA2FF)
ALARM = _rgb(0xFF6B61)
DESK = _rgb(0x101216)
"""Behind the panels."""
PAPER = _rgb(0x191C22)
"""A panel."""
WELL = _rgb(0x262A33)
"""A control at rest."""
EDGE = _rgb(0x2C313B)

TEXT_PIXELS = 15.0
SMALL_TEXT_PIXELS = 12.0
CAPTION_SHARE = 0.42
"""What captions may take of a panel's width; a longer one stands above its control."""


def colour(rgba: Rgba, share: Number = 1.0) -> int:
    """A colour as draw lists take it, `share` of its alpha; greyed out inside a disabled block."""
    return imgui.get_color_u32(imgui.ImVec4(*rgba[:3], rgba[3] * share))


def apply_theme(scale: Number = 1.0) -> None:
    """Give the current Dear ImGui and ImPlot contexts Easel's look; `scale` is the monitor's, 1.0 for 96 dpi."""
    load_fonts(TEXT_PIXELS)
    style = imgui.get_style()
    imgui.style_colors_dark(style)
    _colour(style)
    style.font_size_base = TEXT_PIXELS
    scale_theme(scale)
    _theme_plots()


def scale_theme(scale: Number) -> None:
    """Give letters and measures of the current context the size for a screen; the last call counts."""
    style = imgui.get_style()
    _measure(style)
    style.scale_all_sizes(scale)
    style.font_scale_dpi = scale


def _colour(style: "imgui.Style") -> None:
    col = imgui.Col_
    clear = (0.0, 0.0, 0.0, 0.0)
    accent, bright = ACCENT[:3], _rgb(0x7DB6FF)
    table: dict[imgui.Col_, Rgba] = {
        col.text: INK,
        col.text_disabled: QUIET,
        col.window_bg: PAPER,
        col.child_bg: clear,
        col.popup_bg: _rgb(0x20242B, 0.98),
        col.border: EDGE,
        col.border_shadow: clear,
        col.frame_bg: WELL,
        col.frame_bg_hovered: _rgb(0x303540),
        col.frame_bg_active: _rgb(0x363C48),
        col.title_bg: DESK,
        col.title_bg_active: DESK,
        col.title_bg_collapsed: DESK,
        col.menu_bar_bg: DESK,
        col.scrollbar_bg: clear,
        col.scrollbar_grab: _rgb(0x3A404C),
        col.scrollbar_grab_hovered: _rgb(0x4A515F),
        col.scrollbar_grab_active: _rgb(0x5A6272),
        col.check_mark: ACCENT,
        col.checkbox_selected_bg: (*accent, 0.18),
        col.slider_grab: ACCENT,
        col.slider_grab_active: bright,
        col.button: _rgb(0x2E3440),
        col.button_hovered: _rgb(0x3A4250),
        col.button_active: (*accent, 0.55),
        col.header: (*accent, 0.22),
        col.header_hovered: (*accent, 0.32),
        col.header_active: (*accent, 0.42),
        col.separator: EDGE,
        col.separator_hovered: (*accent, 0.6),
        col.separator_active: ACCENT,
        col.resize_grip: clear,
        col.resize_grip_hovered: (*accent, 0.4),
        col.resize_grip_active: (*accent, 0.7),
        col.input_text_cursor: ACCENT,
        col.tab_hovered: _rgb(0x262A33),
        col.tab: DESK,
        col.tab_selected: PAPER,
        col.tab_selected_overline: ACCENT,
        col.tab_dimmed: DESK,
        col.tab_dimmed_selected: PAPER,
        col.tab_dimmed_selected_overline: ACCENT,
        col.docking_preview: (*accent, 0.35),
        col.docking_empty_bg: DESK,
        col.plot_lines: ACCENT,
        col.plot_lines_hovered: bright,
        col.plot_histogram: ACCENT,
        col.plot_histogram_hovered: bright,
        col.text_selected_bg: (*accent, 0.35),
        col.nav_cursor: (*accent, 0.8),
        col.modal_window_dim_bg: (0.0, 0.0, 0.0, 0.45),
    }
    for index, rgba in table.items():
        style.set_color_(index, imgui.ImVec4(*rgba))


def _measure(style: "imgui.Style") -> None:
    vec = imgui.ImVec2
    style.window_padding = vec(12, 10)
    style.frame_padding = vec(9, 5)
    style.item_spacing = vec(8, 7)
    style.item_inner_spacing = vec(7, 5)
    style.indent_spacing = 16
    style.scrollbar_size = 11
    style.grab_min_size = 11
    style.window_border_size = 1
    style.child_border_size = 1
    style.popup_border_size = 1
    style.frame_border_size = 0
    style.window_rounding = 6
    style.child_rounding = 6
    style.popup_rounding = 6
    style.frame_rounding = 5
    style.grab_rounding = 4
    style.scrollbar_rounding = 6
    style.tab_rounding = 5
    style.tab_bar_border_size = 0
    style.tab_bar_overline_size = 2
    style.docking_separator_size = 3
    style.separator_text_border_size = 1
    style.separator_text_align = vec(0.0, 0.5)
    style.separator_text_padding = vec(0, 4)
    style.window_menu_button_position = imgui.Dir.none
    style.color_button_position = imgui.Dir.left


def _theme_plots() -> None:
    style = implot.get_style()
    style.plot_padding = imgui.ImVec2(0, 4)
    style.plot_border_size = 0
    style.plot_min_size = imgui.ImVec2(16, 16)
    style.fit_padding = imgui.ImVec2(0, 0.12)
    style.set_color_(implot.Col_.frame_bg, imgui.ImVec4(*_rgb(0x14161B)))
    style.set_color_(implot.Col_.plot_bg, imgui.ImVec4(0, 0, 0, 0))
