"""Theme: colours, spacing and sizes of the interface; fonts are in `fonts`. None of it changes a shown picture."""

from dataclasses import dataclass
from functools import lru_cache

from easel.viewer.imgui.sketch import Number, Rgba
from easel.viewer.imgui.toolkit import imgui, implot


def _rgb(code: int, alpha: float = 1.0) -> Rgba:
    return (code >> 16 & 255) / 255, (code >> 8 & 255) / 255, (code & 255) / 255, alpha


@dataclass(frozen=True)
class Theme:
    """The colours of one theme."""

    # Names of paper and ink: a theme is chosen by contrast, and these say which colours stand on which.
    ink: Rgba
    """Text."""
    quiet: Rgba
    """Text to be found rather than read first: captions, ranges."""
    accent: Rgba
    bright: Rgba
    """The accent under the pointer."""
    alarm: Rgba
    backdrop: Rgba
    """Background of the window, behind the panels."""
    paper: Rgba
    """Background of a panel."""
    popup: Rgba
    well: tuple[Rgba, Rgba, Rgba]
    """Background of a control: at rest, under the pointer and in use."""
    button: tuple[Rgba, Rgba]
    """A button at rest and under the pointer."""
    grab: tuple[Rgba, Rgba, Rgba]
    """The grab of a scroll bar: at rest, under the pointer and in use."""
    edge: Rgba
    plot: Rgba
    """Background of a curve."""


DARK = Theme(
    ink=_rgb(0xE4E7EC), quiet=_rgb(0x8F97A5), accent=_rgb(0x5AA2FF), bright=_rgb(0x7DB6FF), alarm=_rgb(0xFF6B61),
    backdrop=_rgb(0x101216), paper=_rgb(0x191C22), popup=_rgb(0x20242B, 0.98), edge=_rgb(0x2C313B), plot=_rgb(0x14161B),
    well=(_rgb(0x262A33), _rgb(0x303540), _rgb(0x363C48)), button=(_rgb(0x2E3440), _rgb(0x3A4250)),
    grab=(_rgb(0x3A404C), _rgb(0x4A515F), _rgb(0x5A6272)),
)  # fmt: skip
LIGHT = Theme(
    ink=_rgb(0x1B1F27), quiet=_rgb(0x5A6371), accent=_rgb(0x1F6FEB), bright=_rgb(0x1559C7), alarm=_rgb(0xC4281F),
    backdrop=_rgb(0xD9DDE4), paper=_rgb(0xF7F8FA), popup=_rgb(0xFFFFFF, 0.98), edge=_rgb(0xCCD2DB), plot=_rgb(0xECEFF3),
    well=(_rgb(0xE3E7ED), _rgb(0xD9DEE6), _rgb(0xCED5DF)), button=(_rgb(0xDDE2EA), _rgb(0xCFD7E2)),
    grab=(_rgb(0xC1C8D2), _rgb(0xACB5C2), _rgb(0x97A2B1)),
)  # fmt: skip
THEMES = {"dark": DARK, "light": LIGHT}

INK, QUIET, ACCENT, ALARM = DARK.ink, DARK.quiet, DARK.accent, DARK.alarm
"""Colours over pictures, on dark veils in every theme, and on contact sheets; elsewhere `readable` adapts them."""
BACKDROP, PAPER, WELL, EDGE = DARK.backdrop, DARK.paper, DARK.well[0], DARK.edge

LEAST_CONTRAST = 4.5
"""Least contrast ratio of a text and its background (WCAG 2.2, 1.4.3)."""
TEXT_PIXELS = 15.0
SMALL_TEXT_PIXELS = 12.0
CAPTION_SHARE = 0.42
"""Share of a panel's width that captions may take; a longer one stands above its control."""
SIZES: dict[str, float | tuple[float, float]] = {
    "window_padding": (12, 10), "frame_padding": (9, 5), "item_spacing": (8, 7), "item_inner_spacing": (7, 5),
    "separator_text_align": (0.0, 0.5), "separator_text_padding": (0, 4), "indent_spacing": 16, "scrollbar_size": 11,
    "grab_min_size": 11, "docking_separator_size": 3, "window_border_size": 1, "child_border_size": 1,
    "popup_border_size": 1, "frame_border_size": 0, "tab_bar_border_size": 0, "separator_text_border_size": 1,
    "tab_bar_overline_size": 2, "window_rounding": 6, "child_rounding": 6, "popup_rounding": 6, "frame_rounding": 5,
    "grab_rounding": 4, "scrollbar_rounding": 6, "tab_rounding": 5,
}  # fmt: skip
"""Sizes in pixels before scaling, and places in shares, by their names in Dear ImGui's style."""
TINTS = {
    0.18: "checkbox_selected_bg", 0.22: "header", 0.32: "header_hovered", 0.42: "header_active", 0.55: "button_active",
    0.4: "resize_grip_hovered", 0.7: "resize_grip_active", 0.6: "separator_hovered", 0.8: "nav_cursor",
    0.35: "docking_preview plot_histogram text_selected_bg",
}  # fmt: skip
"""Share of the accent's opacity → the elements of Dear ImGui that are tinted with it."""
LIBRARY_SIZES = ("cell_padding", "color_marker_size", "columns_min_spacing", "display_safe_area_padding",
                 "display_window_padding", "drag_drop_target_border_size", "drag_drop_target_padding",
                 "input_text_cursor_size", "log_slider_deadzone", "mouse_cursor_scale", "scrollbar_padding",
                 "separator_size", "tab_min_width_base", "tab_min_width_shrink", "touch_extra_padding",
                 "tree_lines_size", "window_border_hover_padding", "window_min_size")  # fmt: skip
"""Scaled sizes whose values are the library's own."""


def colour(rgba: Rgba, share: Number = 1.0) -> int:
    """Return a colour packed for draw lists, `share` times its alpha; greyed out inside a disabled block."""
    return imgui.get_color_u32(imgui.ImVec4(*rgba[:3], rgba[3] * share))


# A module's variable, as Dear ImGui's own current context is one: widgets are drawn without a view at hand.
_current = DARK


def use_theme(theme: Theme) -> None:
    """Make `theme` the one that `current` returns, for what is drawn from now on.

    There is one per view, as there is one Dear ImGui context.
    """
    global _current
    _current = theme


def current() -> Theme:
    """Return the theme of the view being drawn."""
    return _current


# Asked for every coloured text of every frame, and a program uses few colours.
@lru_cache(maxsize=256)
def readable(color: Rgba, theme: Theme) -> Rgba:
    """Return a text colour chosen for the dark theme, moved towards another theme's text colour until it is legible."""
    if theme is DARK:
        return color
    # The least change that is legible: a warning stays as red as it can be.
    shades = (_mix(color, theme.ink, n / 10) for n in range(11))
    return next((shade for shade in shades if contrast(shade, theme.paper) >= LEAST_CONTRAST), theme.ink)


def contrast(one: Rgba, other: Rgba) -> float:
    """Return the contrast ratio of two colours, from 1 to 21 (WCAG 2.2)."""
    dark, light = sorted(_luminance(color) for color in (one, other))
    # +0.05: the light that even a black screen reflects, by the definition of the ratio.
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: Rgba) -> float:
    """Return the relative luminance of an sRGB colour (WCAG 2.2)."""
    # sRGB decoding: linear near black, where a power's slope would be infinite.
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _mix(one: Rgba, other: Rgba, share: float) -> Rgba:
    red, green, blue = (a + (b - a) * share for a, b in zip(one[:3], other[:3], strict=True))
    return red, green, blue, one[3]


def apply_theme(scale: Number = 1.0) -> None:
    """Style the current Dear ImGui and ImPlot contexts; `scale` is the monitor's, 1.0 for 96 dpi."""
    imgui.get_style().font_size_base = TEXT_PIXELS
    scale_theme(scale)
    colour_theme(_current)
    # Plots fill their items: the panel's own spacing is enough around them.
    plots = implot.get_style()
    plots.plot_padding = imgui.ImVec2(0, 4)
    plots.plot_border_size = 0
    plots.plot_min_size = imgui.ImVec2(16, 16)
    plots.fit_padding = imgui.ImVec2(0, 0.12)


def colour_theme(theme: Theme) -> None:
    """Give the current contexts the colours of `theme`."""
    use_theme(theme)
    style = imgui.get_style()
    # The library's own set first: it colours what later versions add and `_element_colours` does not name.
    base = imgui.style_colors_light if theme is LIGHT else imgui.style_colors_dark
    base(style)
    for rgba, elements in _element_colours(theme):
        for element in elements.split():
            style.set_color_(imgui.Col_[element], imgui.ImVec4(*rgba))
    plots = implot.get_style()
    plots.set_color_(implot.Col_.frame_bg, imgui.ImVec4(*theme.plot))
    plots.set_color_(implot.Col_.plot_bg, imgui.ImVec4(0, 0, 0, 0))


def scale_theme(scale: Number) -> None:
    """Set font size and spacing of the current context for a screen of this scale; the last call counts."""
    style = imgui.get_style()
    # Unscaled sizes first, also those that we leave as they are: `scale_all_sizes` multiplies what it finds.
    usual = imgui.Style()
    for name in LIBRARY_SIZES:
        setattr(style, name, getattr(usual, name))
    for name, size in SIZES.items():
        setattr(style, name, imgui.ImVec2(*size) if isinstance(size, tuple) else size)
    style.window_menu_button_position = imgui.Dir.none
    style.color_button_position = imgui.Dir.left
    style.scale_all_sizes(scale)
    style.font_scale_dpi = scale


def _element_colours(theme: Theme) -> list[tuple[Rgba, str]]:
    """Return (colour, the elements of Dear ImGui that have it) pairs."""
    # By colour, not by element: what looks alike stands together, and a theme is read off at a glance.
    return [
        (theme.ink, "text"),
        (theme.quiet, "text_disabled"),
        (theme.paper, "window_bg tab_selected tab_dimmed_selected"),
        (theme.popup, "popup_bg"),
        (theme.backdrop, "title_bg title_bg_active title_bg_collapsed menu_bar_bg tab tab_dimmed docking_empty_bg"),
        (theme.edge, "border separator"),
        *zip(theme.well, ("frame_bg tab_hovered", "frame_bg_hovered", "frame_bg_active"), strict=True),
        *zip(theme.button, ("button", "button_hovered"), strict=True),
        *zip(theme.grab, ("scrollbar_grab", "scrollbar_grab_hovered", "scrollbar_grab_active"), strict=True),
        (theme.accent, "check_mark slider_grab separator_active input_text_cursor tab_selected_overline plot_lines"),
        (theme.accent, "tab_dimmed_selected_overline"),
        (theme.bright, "slider_grab_active plot_lines_hovered plot_histogram_hovered"),
        *(((*theme.accent[:3], alpha), elements) for alpha, elements in TINTS.items()),
        ((0.0, 0.0, 0.0, 0.45), "modal_window_dim_bg"),
        ((0.0, 0.0, 0.0, 0.0), "child_bg border_shadow scrollbar_bg resize_grip"),
    ]
