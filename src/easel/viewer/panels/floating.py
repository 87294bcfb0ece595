"""A panel in a window of its own over all others, in the middle of the view, until it is dismissed."""

from easel.viewer.imgui.toolkit import imgui
from easel.viewer.panels.frame_state import Turn
from easel.viewer.panels.panel import Panel

TOP_SHARE = 0.12
"""Of the view's height, above it."""


class Floating(Panel):
    """Escape dismisses it, as does a click elsewhere."""

    def __init__(self, name: str, turn: Turn, width_ems: float) -> None:
        super().__init__(name, turn)
        self.shown = False
        self._width_ems = width_ems
        self._frames = 0

    def show(self) -> None:
        """Come to the front in the next frame."""
        self.shown, self._frames = True, 0

    def dismiss(self) -> None:
        """Be gone from the next frame on."""
        self.shown = False

    def _begin(self) -> bool:
        screen, em = imgui.get_main_viewport().size, imgui.get_font_size()
        width = min(self._width_ems * em, screen.x * 0.9)
        imgui.set_next_window_pos((screen.x / 2, screen.y * TOP_SHARE), imgui.Cond_.always, (0.5, 0.0))
        imgui.set_next_window_size_constraints((width, 0), (width, screen.y * (1 - 2 * TOP_SHARE)))
        if self._frames == 0:
            imgui.set_next_window_focus()
        imgui.push_style_color(imgui.Col_.window_bg, imgui.get_style().color_(imgui.Col_.popup_bg))
        flags = imgui.WindowFlags_
        plain = flags.no_title_bar | flags.no_resize | flags.no_move | flags.no_docking | flags.no_saved_settings
        visible, _ = imgui.begin(f"{self.name}##floating", None, plain | flags.always_auto_resize)
        return visible

    def _end(self) -> None:
        left = self._frames > 1 and not imgui.is_window_focused(imgui.FocusedFlags_.root_and_child_windows)
        imgui.end()
        imgui.pop_style_color()
        self._frames += 1
        if left or imgui.is_key_pressed(imgui.Key.escape):
            self.dismiss()

    def _draw_menu(self) -> None:
        """It has no tab."""
