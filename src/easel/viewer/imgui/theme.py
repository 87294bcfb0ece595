"""How Easel looks: colours, spacing and sizes. The letters are in `fonts`; none of it ever passes through a picture."""

from dataclasses import dataclass
from functools import lru_cache

from easel.viewer.imgui.fonts import load_fonts
from easel.viewer.imgui.sketch import Number, Rgba
from easel.viewer.imgui.toolkit import imgui, implot


def _rgb(code: int, alpha: float = 1.0) -> Rgba:
    return (code >> 16 & 255) / 255, (code >> 8 & 255) / 255, (code & 255) / 255, alpha


@dataclass(frozen=True)
class Theme:
    """One look: every colour of the interface."""

    ink: Rgba
    quiet: Rgba
    """Captions, ranges: there to be found, not to be read first."""
    accent: Rgba
    bright: Rgba
    """The accent under the pointer."""
    alarm: Rgba
    backdrop: Rgba
    """Behind the panels."""
    paper: Rgba
    """A panel."""
    popup: Rgba
    well: tuple[Rgba, Rgba, Rgba]
    """A control at rest, under the pointer and in use."""
    button: tuple[Rgba, Rgba]
    grab: tuple[Rgba, Rgba, Rgba]
    """Of a scroll bar."""
    edge: Rgba
    plot: Rgba
    """Behind a curve."""


DARK = Theme(
    ink=_rgb(0xE4E7EC),
    quiet=_rgb(0x8F97A5),
    accent=_rgb(0x5AA2FF),
    bright=_rgb(0x7DB6FF),
    alarm=_rgb(0xFF6B61),
    backdrop=_rgb(0x101216),
    paper=_rgb(0x191C22),
    popup=_rgb(0x20242B, 0.98),
    well=(_rgb(0x262A33), _rgb(0x303540), _rgb(0x363C48)),
    button=(_rgb(0x2E3440), _rgb(0x3A4250)),
    grab=(_rgb(0x3A404C), _rgb(0x4A515F), _rgb(0x5A6272)),
    edge=_rgb(0x2C313B),
    plot=_rgb(0x14161B),
)
LIGHT = Theme(
    ink=_rgb(0x1B1F27),
    quiet=_rgb(0x5A6371),
    accent=_rgb(0x1F6FEB),
    bright=_rgb(0x1559C7),
    alarm=_rgb(0xC4281F),
    backdrop=_rgb(0xD9DDE4),
    paper=_rgb(0xF7F8FA),
    popup=_rgb(0xFFFFFF, 0.98),
    well=(_rgb(0xE3E7ED), _rgb(0xD9DEE6), _rgb(0xCED5DF)),
    button=(_rgb(0xDDE2EA), _rgb(0xCFD7E2)),
    grab=(_rgb(0xC1C8D2), _rgb(0xACB5C2), _rgb(0x97A2B1)),
    edge=_rgb(0xCCD2DB),
    plot=_rgb(0xECEFF3),
)
THEMES = {"dark": DARK, "light": LIGHT}

INK, QUIET, ACCENT, ALARM = DARK.ink, DARK.quiet, DARK.accent, DARK.alarm
"""What is written on veils over pictures, whose theme nobody chooses, and on contact sheets; `readable` elsewhere."""
BACKDROP, PAPER, WELL, EDGE = DARK.backdrop, DARK.paper, DARK.well[0], DARK.edge

LEAST_CONTRAST = 4.5
"""Of a text and its paper (WCAG 2.2, 1.4.3)."""
TEXT_PIXELS = 15.0
SMALL_TEXT_PIXELS = 12.0
CAPTION_SHARE = 0.42
"""What captions may take of a panel's width; a longer one stands above its control."""


def colour(rgba: Rgba, share: Number = 1.0) -> int:
    """A colour as draw lists take it, `share` of its alpha; greyed out inside a disabled block."""
    return imgui.get_color_u32(imgui.ImVec4(*rgba[:3], rgba[3] * share))


_current = DARK


def use_theme(theme: Theme) -> None:
    """What is drawn from now on is drawn in `theme`; there is one per view, as there is one Dear ImGui context."""
    global _current
    _current = theme


def current() -> Theme:
    """The theme of the view that is drawn."""
    return _current


@lru_cache(maxsize=256)
def readable(color: Rgba, theme: Theme) -> Rgba:
    """A colour for text that was chosen for the dark theme, as far towards another theme's ink as it must be."""
    if theme is DARK:
        return color
    shades = (_mix(color, theme.ink, n / 10) for n in range(11))
    return next((shade for shade in shades if contrast(shade, theme.paper) >= LEAST_CONTRAST), theme.ink)


def contrast(one: Rgba, other: Rgba) -> float:
    """From 1 to 21, as WCAG 2.2 has it."""
    dark, light = sorted(_luminance(color) for color in (one, other))
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: Rgba) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _mix(one: Rgba, other: Rgba, share: float) -> Rgba:
    red, green, blue = (a + (b - a) * share for a, b in zip(one[:3], other[:3], strict=True))
    return red, green, blue, one[3]


def apply_theme(scale: Number = 1.0) -> None:
    """Give the current Dear ImGui and ImPlot contexts Easel's look; `scale` is the monitor's, 1.0 for 96 dpi."""
    load_fonts(TEXT_PIXELS)
    imgui.get_style().font_size_base = TEXT_PIXELS
    scale_theme(scale)
    colour_theme(_current)
    _measure_plots()


def colour_theme(theme: Theme) -> None:
    """Give the current contexts the colours of `theme`."""
    use_theme(theme)
    (imgui.style_colors_light if theme is LIGHT else imgui.style_colors_dark)(imgui.get_style())
    _colour(imgui.get_style(), theme)
    plots = implot.get_style()
    plots.set_color_(implot.Col_.frame_bg, imgui.ImVec4(*theme.plot))
    plots.set_color_(implot.Col_.plot_bg, imgui.ImVec4(0, 0, 0, 0))


def scale_theme(scale: Number) -> None:
    """Give letters and measures of the current context the size for a screen; the last call counts."""
    style = imgui.get_style()
    _measure(style)
    style.scale_all_sizes(scale)
    style.font_scale_dpi = scale


def _colour(style: "imgui.Style", theme: Theme) -> None:
    col = imgui.Col_
    clear = (0.0, 0.0, 0.0, 0.0)
    accent, tint = theme.accent, theme.accent[:3]
    table: dict[imgui.Col_, Rgba] = {
        col.text: theme.ink,
        col.text_disabled: theme.quiet,
        col.window_bg: theme.paper,
        col.child_bg: clear,
        col.popup_bg: theme.popup,
        col.border: theme.edge,
        col.border_shadow: clear,
        col.frame_bg: theme.well[0],
        col.frame_bg_hovered: theme.well[1],
        col.frame_bg_active: theme.well[2],
        col.title_bg: theme.backdrop,
        col.title_bg_active: theme.backdrop,
        col.title_bg_collapsed: theme.backdrop,
        col.menu_bar_bg: theme.backdrop,
        col.scrollbar_bg: clear,
        col.scrollbar_grab: theme.grab[0],
        col.scrollbar_grab_hovered: theme.grab[1],
        col.scrollbar_grab_active: theme.grab[2],
        col.check_mark: accent,
        col.checkbox_selected_bg: (*tint, 0.18),
        col.slider_grab: accent,
        col.slider_grab_active: theme.bright,
        col.button: theme.button[0],
        col.button_hovered: theme.button[1],
        col.button_active: (*tint, 0.55),
        col.header: (*tint, 0.22),
        col.header_hovered: (*tint, 0.32),
        col.header_active: (*tint, 0.42),
        col.separator: theme.edge,
        col.separator_hovered: (*tint, 0.6),
        col.separator_active: accent,
        col.resize_grip: clear,
        col.resize_grip_hovered: (*tint, 0.4),
        col.resize_grip_active: (*tint, 0.7),
        col.input_text_cursor: accent,
        col.tab_hovered: theme.well[0],
        col.tab: theme.backdrop,
        col.tab_selected: theme.paper,
        col.tab_selected_overline: accent,
        col.tab_dimmed: theme.backdrop,
        col.tab_dimmed_selected: theme.paper,
        col.tab_dimmed_selected_overline: accent,
        col.docking_preview: (*tint, 0.35),
        col.docking_empty_bg: theme.backdrop,
        col.plot_lines: accent,
        col.plot_lines_hovered: theme.bright,
        col.plot_histogram: (*tint, 0.35),
        col.plot_histogram_hovered: theme.bright,
        col.text_selected_bg: (*tint, 0.35),
        col.nav_cursor: (*tint, 0.8),
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


def _measure_plots() -> None:
    style = implot.get_style()
    style.plot_padding = imgui.ImVec2(0, 4)
    style.plot_border_size = 0
    style.plot_min_size = imgui.ImVec2(16, 16)
    style.fit_padding = imgui.ImVec2(0, 0.12)
