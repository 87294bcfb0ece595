"""The Dear ImGui context of one view: its frames, its input, its end."""

import logging
from collections.abc import Callable
from typing import ClassVar

from easel.viewer.imgui import events, toolkit
from easel.viewer.imgui.fonts import load_fonts
from easel.viewer.imgui.theme import DARK, TEXT_PIXELS, Theme, apply_theme, colour_theme, scale_theme, use_theme
from easel.viewer.imgui.toolkit import imgui, implot

log = logging.getLogger("easel")

SHORTEST_FRAME_SECONDS = 1e-4
"""Least time between two frames: Dear ImGui refuses a frame that took none."""

frame_openers: list[Callable[[], object]] = []
"""Functions that each open the deferred frame of a view, the newest last; see `panels.frame_state`."""


class UI:
    """The Dear ImGui context of one view; a frame is open between `begin` and `end`."""

    _in_frame: ClassVar["list[UI]"] = []
    """Those whose frame is open, the latest last."""

    def __init__(self, scale: float = 1.0) -> None:
        self._imgui = imgui.create_context()
        self._implot = implot.create_context()
        self.theme = DARK
        self.activate()
        io = imgui.get_io()
        io.set_ini_filename("")  # else imgui.ini lands in the working directory
        # Panels are docked in each other by their tabs, and dragged by nothing else: a drag inside is for its widgets.
        io.config_flags |= imgui.ConfigFlags_.docking_enable
        io.config_windows_move_from_title_bar_only = True
        # A callback that raises leaves groups and styles open; with these two off, recovery closes them in silence.
        io.config_error_recovery_enable_assert = False
        io.config_error_recovery_enable_tooltip = False
        # Not to the program's standard output: `end` hands it to our log.
        imgui.get_current_context().debug_log_flags &= ~imgui.internal.DebugLogFlags_.output_to_tty
        # Before the style, whose font size refers to what is loaded.
        load_fonts(TEXT_PIXELS)
        apply_theme(scale)
        self.open = False
        self._log_read = 0
        """Bytes of the library's debug log that have been read."""
        self._logged: set[str] = set()

    def activate(self) -> None:
        """Make this view's context the current one; several views take turns in one process."""
        # ImPlot draws into whatever Dear ImGui context is current: always both together.
        imgui.set_current_context(self._imgui)
        implot.set_current_context(self._implot)
        use_theme(self.theme)

    def prepare(self, size: tuple[int, int], seconds: float) -> None:
        """Set the next frame's `size` = (width, height) in pixels, and its time since the last one."""
        imgui.get_io().display_size = imgui.ImVec2(*size)
        self.pass_time(seconds)

    def pass_time(self, seconds: float) -> None:
        """Set the time between the last frame and the next one."""
        imgui.get_io().delta_time = max(seconds, SHORTEST_FRAME_SECONDS)

    def rescale(self, scale: float) -> None:
        """Set font size and spacing for a screen of another scale, from the next frame on."""
        scale_theme(scale)

    def dress(self, theme: Theme) -> None:
        """Change the theme, from the next frame on."""
        self.theme = theme
        self.activate()
        colour_theme(theme)

    def begin(self) -> None:
        """Open a frame; one that an exception left open is closed before."""
        # Dear ImGui takes no second frame inside of one.
        if self.open:
            self.end()
        imgui.new_frame()
        self.open = True
        self._in_frame.append(self)

    def end(self) -> None:
        """Close the frame and generate its draw lists; no pixel is touched yet."""
        # Cleared first: should rendering raise, the next `begin` must not end this frame once more.
        self.open = False
        self._in_frame.remove(self)
        imgui.render()
        # Once per text: a window that is not ended would be reported in every frame.
        for error in set(self.new_errors()) - self._logged:
            self._logged.add(error)
            log.warning("Dear ImGui: %s", error)

    def new_errors(self) -> list[str]:
        """Return the errors of use since the last call, such as a window that was begun and not ended."""
        buffer = imgui.get_current_context().debug_log_buf
        # The text is copied out of the library at each `c_str`: not in frames without news.
        if (size := buffer.size()) == self._log_read:
            return []
        new = buffer.c_str().encode()[self._log_read :].decode()
        self._log_read = size
        lines = [line.partition("[imgui-error] ")[2] for line in new.splitlines()]
        return [line for line in lines if line and not line.startswith("(current settings")]

    def feed(self, event: events.Event) -> None:
        """Hand an event to the widgets; it acts in the frame that begins next."""
        io = imgui.get_io()
        match event:
            case events.PointerMoved(x, y):
                io.add_mouse_pos_event(x, y)
            case events.PointerButton(button, down):
                io.add_mouse_button_event(button, down)
            case events.WheelTurned(x, y):
                io.add_mouse_wheel_event(x, y)
            case events.TextTyped(text):
                io.add_input_characters_utf8(text)
            case events.KeyChanged(key, down):
                for code in _codes(key):
                    io.add_key_event(code, down)

    def close(self) -> None:
        """Destroy both contexts; the renderer must have been shut down before. Others go on where they are."""
        self.activate()
        if self.open:
            self.end()
        # ImPlot was made inside of the other context, and goes first.
        implot.destroy_context(self._implot)
        imgui.destroy_context(self._imgui)
        # A view may be closed within the frame of another, whose next widget needs its context.
        if self._in_frame:
            self._in_frame[-1].activate()


def require_frame(who: str) -> None:
    """Raise RuntimeError unless a frame is open in the current context or can be opened; `who` needs it."""
    if toolkit.MISSING:
        raise RuntimeError(f"{who} needs Dear ImGui: {toolkit.MISSING}.")
    # A view defers its frame as long as nothing asks for one; this call does.
    if not _frame_is_open() and frame_openers:
        frame_openers[-1]()
    if not _frame_is_open():
        raise RuntimeError(
            f"{who}: no frame is open. Call it in a callback of a View, or between begin_frame() and end_frame() of a "
            "Window."
        )


def _frame_is_open() -> bool:
    context = imgui.get_current_context()
    return context is not None and context.within_frame_scope


def _codes(key: str) -> "tuple[imgui.Key, ...]":
    """Return Dear ImGui's codes of a key in `KEYS`; ValueError for any other name."""
    if key not in events.KEYS:
        raise ValueError(f"unknown key {key!r}. Known: {', '.join(events.KEYS)}")
    # A modifier is two codes: the key itself, and the state that the library's shortcuts ask for.
    if key in events.MODIFIERS:
        return imgui.Key[f"mod_{key}"], imgui.Key[f"left_{key}"]
    renamed = {arrow: f"{arrow}_arrow" for arrow in ("left", "right", "up", "down")}
    renamed |= {digit: f"_{digit}" for digit in events.DIGITS}
    return (imgui.Key[renamed.get(key, key)],)
