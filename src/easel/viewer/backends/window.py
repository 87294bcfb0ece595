"""The window backend: a native window through GLFW. With vsync off nothing waits for it: `Pace` says when to draw."""

import ctypes
import os
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor

from easel.gl.context import GLUnavailable, of_current_window
from easel.gl.cuda import interop_of
from easel.viewer.backends.base import Backend, BackendUnavailableError, Frame
from easel.viewer.backends.frame_renderer import FrameRenderer
from easel.viewer.backends.pace import Pace
from easel.viewer.imgui import events, toolkit
from easel.viewer.imgui.context import UI
from easel.viewer.imgui.dialogs import ask_on_desktop
from easel.viewer.imgui.questions import Dialog, Question
from easel.viewer.imgui.sketch import Number
from easel.viewer.imgui.toolkit import imgui

if TYPE_CHECKING:
    import moderngl

_open_windows = 0
"""Number of windows: GLFW is one per process, and ends with the last of them."""


class WindowBackend(Backend):
    """A window of the desktop, which a person sees and acts in."""

    name = "window"
    interactive = True

    def __init__(self) -> None:
        self._glfw: Any = None
        self._window: Any = None
        self._context: moderngl.Context | None = None
        self._renderer: FrameRenderer | None = None
        self._events: list[events.Event] = []
        self._pace = Pace()
        self._vsync = False
        self._moved = False
        """True when something happened since the last frame."""
        self._damaged = False
        """True when the desktop has lost some of what was drawn."""

    def open(self, title: str, width: int, height: int, scale: Number | None = None) -> None:
        if toolkit.MISSING:
            raise BackendUnavailableError(toolkit.MISSING)
        # Asked before GLFW: the reason then names the variables that would help.
        if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise BackendUnavailableError("no display (neither DISPLAY nor WAYLAND_DISPLAY is set)")
        # Over Dear ImGui's own copy of the library, which toolkit's import has named already.
        try:
            self._glfw = import_module("glfw")
        except ImportError as error:
            raise BackendUnavailableError(f"glfw does not load ({error})") from error
        self._window = _create_window(self._glfw, title, width, height, scale)
        try:
            self._context = of_current_window()
        except GLUnavailable as error:
            raise BackendUnavailableError(str(error)) from error
        # Off until `set_vsync`: a swap that waits for the screen would pace the training.
        self._glfw.swap_interval(0)
        self._listen()
        # Asked of the window, not of the monitor: it may have opened on another one.
        self.scale = float(scale or self._glfw.get_window_content_scale(self._window)[0])
        self.ui = UI(self.scale)
        # Dear ImGui's platform layer goes on to call the callbacks that it finds installed.
        address = ctypes.cast(self._window, ctypes.c_void_p).value
        assert address is not None
        imgui.backends.glfw_init_for_opengl(address, True)
        self._renderer = FrameRenderer(self._context)
        self.size = self._glfw.get_framebuffer_size(self._window)
        # Only now: until here any failure gives way to another backend, and nobody has seen a window flash.
        self._glfw.show_window(self._window)

    def set_vsync(self, on: bool) -> None:
        self._vsync = on
        self._glfw.make_context_current(self._window)
        self._glfw.swap_interval(int(on))

    def poll(self) -> list[events.Event]:
        self._glfw.poll_events()
        happened = self._events.copy()
        self._events.clear()
        if happened:
            self._moved = True
            self._pace.touched()
        self._damaged |= any(isinstance(event, events.Resized) for event in happened)
        return happened

    def prepare(self, seconds: float) -> None:
        assert self.ui is not None
        self.ui.activate()
        self._glfw.make_context_current(self._window)
        if self._moved or self._may_draw:
            # Asks the desktop for sizes and tells it the pointer's shape, and waits for each of its answers: many times
            # what the frame itself takes, so not before every step of a training.
            self.size = self._glfw.get_framebuffer_size(self._window)
            imgui.backends.glfw_new_frame()
        self._moved = False
        self.ui.pass_time(seconds)

    def due(self) -> bool:
        # Minimised, a window keeps its size but shows nothing.
        return self._may_draw and not self._glfw.get_window_attrib(self._window, self._glfw.ICONIFIED)

    def wait(self, seconds: float) -> None:
        # GLFW refuses a negative time: a frame may have taken longer than it should.
        self._glfw.wait_events_timeout(max(seconds, 1e-3))

    def present(self, frame: Frame) -> None:
        started = time.perf_counter()
        renderer, context = self._activate()
        # Detected anew: the window's own framebuffer changes its size with it.
        target = context.detect_framebuffer(0)
        # With vsync it is the swap of buffers that waits for the screen.
        drawn = renderer.refresh(frame, target, self.size, anew=self._vsync or self._damaged)
        if drawn:
            self._glfw.swap_buffers(self._window)
        self._damaged = False
        (self._pace.drawn if drawn else self._pace.looked)(time.perf_counter() - started)

    def capture(self, frame: Frame) -> Float[Tensor, "h w 3"]:
        renderer, _ = self._activate()
        return renderer.capture(frame, self.size)

    def ask(self, question: Question) -> Dialog | str:
        return ask_on_desktop(question)

    def share(self, height: int, width: int, channels: int, device: torch.device) -> Tensor | None:
        if self._renderer is None or self._context is None:
            return None  # closed
        # Not `_activate`: the call may come from within another window's frame of Dear ImGui.
        self._glfw.make_context_current(self._window)
        return interop_of(self._context).share(height, width, channels, device)

    def close(self) -> None:
        global _open_windows
        if self._window is None:
            return
        unused = True
        self._glfw.make_context_current(self._window)
        if self.ui is not None:
            self.ui.activate()
            if self._renderer is not None:
                unused = self._renderer.close()
                imgui.backends.glfw_shutdown()
            self.ui.close()
        if not unused:
            # Tensors live in the context's memory: it must outlast the window, which is only hidden.
            self._glfw.hide_window(self._window)
            self._window = self._renderer = self.ui = None
            return
        if self._context is not None:
            self._context.release()
        self._glfw.destroy_window(self._window)
        self._window = self._context = self._renderer = self.ui = None
        _open_windows -= 1
        if not _open_windows:
            self._glfw.terminate()

    @property
    def _may_draw(self) -> bool:
        """True when it is time to draw and the window has pixels."""
        return min(self.size) > 0 and (self._vsync or self._pace.seconds_left() == 0)

    def _activate(self) -> "tuple[FrameRenderer, moderngl.Context]":
        assert self._renderer is not None and self._context is not None and self.ui is not None
        self.ui.activate()
        self._glfw.make_context_current(self._window)
        return self._renderer, self._context

    def _listen(self) -> None:
        glfw, window, add = self._glfw, self._window, self._events.append
        keys = _key_names(glfw)

        def on_key(_window: Any, code: int, _scancode: int, action: int, _mods: int) -> None:
            # Dear ImGui repeats held keys itself.
            if code in keys and action != glfw.REPEAT:
                add(events.KeyChanged(keys[code], action == glfw.PRESS))

        glfw.set_key_callback(window, on_key)
        glfw.set_char_callback(window, lambda _, code: add(events.TextTyped(chr(code))))
        glfw.set_cursor_pos_callback(window, lambda _, x, y: add(events.PointerMoved(x, y)))
        glfw.set_mouse_button_callback(window, lambda _, n, action, __: add(events.PointerButton(n, action == 1)))
        glfw.set_scroll_callback(window, lambda _, x, y: add(events.WheelTurned(x, y)))
        glfw.set_drop_callback(window, lambda _, paths: add(events.FilesDropped(tuple(paths))))
        glfw.set_framebuffer_size_callback(window, lambda *_: add(events.Resized()))
        glfw.set_window_refresh_callback(window, lambda _: add(events.Resized()))
        glfw.set_window_close_callback(window, lambda _: add(events.CloseAsked()))


def _create_window(glfw: Any, title: str, width: int, height: int, scale: Number | None) -> Any:
    """Return a hidden window, current on this thread, not larger than the monitor's free area."""
    global _open_windows
    width, height = (round(pixels * (scale or 1.0)) for pixels in (width, height))
    problems = ["no reason given"]
    # GLFW reports problems by a callback only, and the one that glfw installs would only warn of them.
    previous = glfw.set_error_callback(lambda _code, text: problems.append(text.decode(errors="replace")))
    try:
        if not glfw.init():
            raise BackendUnavailableError(f"GLFW finds no display ({problems[-1]})")
        # Hints are global: another library of this process may have set some.
        glfw.default_window_hints()
        hints = {
            glfw.CONTEXT_VERSION_MAJOR: 3,
            glfw.CONTEXT_VERSION_MINOR: 3,
            glfw.OPENGL_PROFILE: glfw.OPENGL_CORE_PROFILE,
            glfw.OPENGL_FORWARD_COMPAT: True,
            glfw.SCALE_TO_MONITOR: scale is None,
            glfw.VISIBLE: False,
        }
        for hint, value in hints.items():
            glfw.window_hint(hint, value)
        if monitor := glfw.get_primary_monitor():
            _, _, free_width, free_height = glfw.get_monitor_workarea(monitor)
            # 0 where the platform tells no work area.
            width = min(width, free_width or width)
            height = min(height, free_height or height)
        window = glfw.create_window(width, height, title, None, None)
        if not window:
            if not _open_windows:
                glfw.terminate()
            raise BackendUnavailableError(f"GLFW opens no OpenGL window ({problems[-1]})")
    finally:
        glfw.set_error_callback(previous)
    _open_windows += 1
    glfw.make_context_current(window)
    return window


def _key_names(glfw: Any) -> dict[int, str]:
    # Both sides are one key for a program.
    sides = {f"{side}_{name}": name for side in ("left", "right") for name in events.MODIFIERS}
    names = {name: name for name in events.KEYS if name not in events.MODIFIERS} | sides
    return {getattr(glfw, f"KEY_{code.replace('ctrl', 'control').upper()}"): name for code, name in names.items()}
