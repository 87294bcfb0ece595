"""Window: raw frames of tensors and widgets in any backend. A View puts panels into one."""

import atexit
import os
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from easel.graphics.image import check_tensor
from easel.viewer.backends.base import MOST_PIXELS, Backend, Frame, Pane
from easel.viewer.backends.pace import FRAMES_PER_SECOND
from easel.viewer.backends.select import select
from easel.viewer.canvas.canvas import blank, check_filter
from easel.viewer.imgui import toolkit
from easel.viewer.imgui.arguments import check_numbers, check_pixels
from easel.viewer.imgui.context import require_frame
from easel.viewer.imgui.dialogs import Dialogs
from easel.viewer.imgui.events import CloseAsked, Event
from easel.viewer.imgui.layout import Rectangle
from easel.viewer.imgui.sketch import Number
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.pictures import Pictures, canvas_picture


class Window:
    """A surface for tensors and widgets: a window on the display, an off-screen target, or no pixels at all.

    A program that turns its own frames polls, begins a frame, draws with `easel.ui` and `easel.show`, and ends it:

        while window.poll():
            if not window.begin_frame():
                continue
            ui.begin("Panel")
            show(tensor)
            ui.end()
            window.end_frame()

    `headless` and `backend` choose as for a View. `scale` enlarges everything but pictures, the window included: 2 for
    a screen of twice the usual density; None takes the environment's EASEL_SCALE, else what the monitor asks for. With
    `vsync` every frame is drawn, in the rhythm of the screen; without, frames turn as fast as the program does and are
    drawn as often as a small share of its time allows.
    """

    _current: ClassVar["Window | None"] = None
    """The window of `show` and `create_tensor`."""

    def __init__(
        self,
        title: str = "Easel",
        width: int = 1280,
        height: int = 720,
        vsync: bool = True,
        *,
        headless: bool = False,
        backend: str | Backend | None = None,
        scale: Number | None = None,
    ) -> None:
        close_dropped()
        # Before anything opens: a size that no driver draws fails with a sentence, not in the driver.
        check_pixels("a window", MOST_PIXELS, width=width, height=height)
        self.most_frames = _most_frames()
        """Frames after which the program is to end by itself, the environment's EASEL_MAX_FRAMES; None: never."""
        self.title, self.vsync = title, vsync
        self.backend, self.backend_reason = select(backend, headless, title, width, height, scale)
        self.backend.set_vsync(vsync)
        # A window that is dropped instead of destroyed, or still open at exit, gives its driver's memory back, too.
        self._finalizer = weakref.finalize(self, _drop, self.backend.close)
        self.dialogs = Dialogs(self.backend.ask)
        """The open file dialogs."""
        self.closed = False
        """True once somebody has asked it to close, or it is destroyed."""
        self.frame_count = 0
        """Number of complete frames."""
        self.pictures = Pictures()
        """The pictures outside panels."""
        self._frame: Frame | None = None
        self._last: Callable[[], Frame | None] = lambda: None
        """Returns the last complete frame, as long as anybody keeps it."""
        self._held: list[Event] = []
        self._begun_at = time.perf_counter()
        self.activate()

    @property
    def width(self) -> int:
        """Current width in pixels."""
        return self.backend.size[0]

    @property
    def height(self) -> int:
        """Current height in pixels."""
        return self.backend.size[1]

    def poll(self) -> bool:
        """Process the window's events. False once it should close, or after EASEL_MAX_FRAMES frames."""
        if not self._finalizer.alive:
            return False
        # All events are taken, even if the first one closes the window.
        self.closed |= any(isinstance(event, CloseAsked) for event in self.take_events())
        return not self.closed and self.frame_count != self.most_frames

    def begin_frame(self) -> bool:
        """Open a frame for `easel.ui` and `easel.show`. False when the window is destroyed, and then there is none.

        Minimised, frames go on without being drawn, so that the program's work in them goes on as well.
        """
        close_dropped()
        if not self._finalizer.alive:
            return False
        # A View can do without widgets, a program that draws its own cannot.
        if self.backend.ui is None:
            raise RuntimeError(f"the frames of a Window need Dear ImGui: {toolkit.MISSING}.")
        self.end_frame()  # one that an exception left open
        self.activate()
        now = time.perf_counter()
        self.backend.prepare(now - self._begun_at)
        self._begun_at = now
        self.pictures.begin()
        self.backend.ui.begin()
        return True

    def end_frame(self) -> None:
        """Close the frame and show it; without one, do nothing. With `vsync` it returns when the screen took it."""
        ui = self.backend.ui
        if not self._finalizer.alive or ui is None or not ui.open:
            return
        self.activate()
        ui.end()
        self._frame = self.frame()
        self.frame_count += 1
        # Not every frame is drawn: without vsync a share of the program's time must suffice.
        if self.backend.due():
            self.backend.present(self._frame)
        elif self.vsync and self.backend.interactive:
            # Minimised, no screen paces the loop: without this it would spin.
            self.backend.wait(1 / FRAMES_PER_SECOND - (time.perf_counter() - self._begun_at))

    def activate(self) -> None:
        """Make this the window of `easel.ui`, `show` and `create_tensor`."""
        Window._current = self
        if self._finalizer.alive and self.backend.ui is not None:
            self.backend.ui.activate()

    def upload_tensor(self, tensor: Tensor | np.ndarray | Image.Image, *, name: str = "tensor") -> None:
        """Copy `tensor` under `name`, for `ui.image` with `get_texture_id`; the rules of a canvas apply."""
        self.pictures.keep(name, tensor, f"upload_tensor(name={name!r})")

    def share(self, height: int, width: int, channels: int, device: torch.device) -> Tensor | None:
        """Return a zero-filled float32 tensor in memory that this window draws from; None where there is none such."""
        return self.backend.share(height, width, channels, device)

    def get_texture_id(self, name: str = "tensor") -> int:
        """Return the number by which `ui.image` draws the tensor of this name; 0 if there is none."""
        return self.pictures.number(name)

    def get_texture_size(self, name: str = "tensor") -> tuple[int, int]:
        """Return (width, height) of the tensor of this name; (0, 0) if there is none."""
        return self.pictures.size(name)

    @property
    def tensor_texture_id(self) -> int:
        """`get_texture_id` of the tensor without a name of its own."""
        return self.get_texture_id()

    @property
    def tensor_size(self) -> tuple[int, int]:
        """(width, height) of the tensor without a name of its own."""
        return self.get_texture_size()

    def capture(self) -> Float[Tensor, "h w 3"]:
        """Return the last frame as drawn, top row first, values in [0, 1]; without OpenGL, its pictures in place."""
        if not self._finalizer.alive:
            raise RuntimeError(f"window {self.title!r} is destroyed: capture() comes before destroy().")
        # An open frame has no draw lists yet.
        if self._frame is None or (self.backend.ui is not None and self.backend.ui.open):
            raise RuntimeError(f"window {self.title!r} has no complete frame: capture() comes after end_frame().")
        return self.backend.capture(self._frame)

    def destroy(self) -> None:
        """Close the window and give everything back; idempotent."""
        self.drop()
        close_dropped()

    def drop(self) -> None:
        """Close the window as soon as no frame is open: before the next one of any window begins."""
        self.closed = True
        self._finalizer()
        # Another window may have become the current one since.
        if Window._current is self:
            Window._current = None

    def __enter__(self) -> "Window":
        return self

    def __exit__(self, *_: object) -> None:
        self.destroy()

    def keep_alive(self, seconds: Number) -> bool:
        """Stay responsive while the program waits `seconds`: hold events for later, show the last frame again.

        False once somebody has asked to close the window. Within a frame that is begun, nothing is shown anew.
        """
        # Taken now, or the desktop calls the window unresponsive; delivered later, when the program asks.
        self._held += self.backend.poll()
        within = self.backend.ui is not None and self.backend.ui.open
        if (frame := self._last()) is not None and not within and self.backend.due():
            self.activate()
            self.backend.present(frame)
        self.backend.wait(seconds)
        return not any(isinstance(event, CloseAsked) for event in self._held)

    # For `show` and View

    def take_events(self) -> list[Event]:
        """Return what happened at the window since the last call."""
        held, self._held = self._held, []
        return [*held, *self.backend.poll()]

    @property
    def is_inside(self) -> bool:
        """True while items go into a Dear ImGui window of this one."""
        ui = self.backend.ui
        if not self._finalizer.alive or ui is None or not ui.open:
            return False
        self.activate()
        # Dear ImGui's own "Debug" window catches items that are drawn outside of any.
        return not imgui.internal.get_current_window_read().is_fallback_window

    def frame(self, panes: Callable[[tuple[int, int]], Sequence[Pane]] | None = None) -> Frame:
        """Return the frame that is complete now, of `panes` or of bare pictures."""
        placements = tuple(self.pictures.placements)

        def bare(size: tuple[int, int]) -> list[Pane]:
            pictures = [canvas_picture(placed.canvas, placed.look, placed.room) for placed in placements]
            return [Pane("", Rectangle(0, 0, *size), pictures, ())]

        frame = Frame(panes or bare, placements, self.pictures.numbered(), tuple(self.pictures.drawings))
        self.pictures.begin()
        # Callbacks hang on a frame, and those often know their view: held here, a view that is dropped would never end.
        self._last = weakref.ref(frame)
        return frame


_dropped: deque[Callable[[], None]] = deque()
"""Closes the backend of a window that nobody destroyed, one for each."""
_ending = False
"""True once the program is about to end, and no frame begins any more."""


def _drop(close: Callable[[], None]) -> None:
    # The collector runs at any moment and on any thread: inside another window's frame, too, which would go on in a
    # context of Dear ImGui that is no more, and the process with it.
    _dropped.append(close)
    if _ending:
        close_dropped()


def close_dropped() -> None:
    """Close the windows that were dropped instead of destroyed. Call it between frames."""
    while _dropped:
        _dropped.popleft()()


@atexit.register
def _end() -> None:
    global _ending
    _ending = True
    close_dropped()


def show(
    tensor: Tensor | np.ndarray | Image.Image,
    *,
    name: str = "tensor",
    width: Number = 0,
    height: Number = 0,
    filter: str = "linear",
    window: Window | None = None,
) -> None:
    """Show a tensor as the next item of the interface: in a frame of a `Window`, or in a callback of a View.

        easel.show(prediction, name="prediction", width=512)

    The tensor's values are those that it has when the frame is drawn. `width` and `height` in pixels; without them
    one pixel shows one of the tensor's, and one alone keeps the aspect. `filter` is "linear" or "nearest".
    """
    window = window_in_use(window)
    picture = check_tensor(tensor, f"show(name={name!r})")
    check_filter(filter, f"show(name={name!r})")
    check_numbers(f"show(name={name!r})", width=width, height=height)
    rows, columns = picture.shape[:2]
    # Width first: where both are free, both become the tensor's own.
    if width <= 0:
        width = columns if height <= 0 else columns * height / rows
    if height <= 0:
        height = rows * width / columns
    if window.backend.ui is not None:
        window.activate()
        require_frame("show")
        # Whole pixels, and at least one: an item of no size cannot be seen or clicked.
        window.pictures.show(name, picture, filter, (max(round(width), 1), max(round(height), 1)))


def create_tensor(
    height: int,
    width: int,
    channels: int = 4,
    device: str | torch.device = "cuda:0",
    *,
    name: str = "tensor",
    window: Window | None = None,
    shared: bool = False,
) -> Float[Tensor, "height width channels"]:
    """Return a zero-filled float32 picture tensor to bind and write into; its memory may outlive the window.

    A CUDA `device` on a machine without CUDA gives a CPU tensor and one warning. `name` only labels. `shared` puts it
    into memory that OpenGL draws from, where CUDA and OpenGL have such memory. RuntimeError without a `window` when
    none is open.
    """
    window = window_in_use(window)
    return blank(height, width, channels, device, name=name, share=window.share if shared else None)


def _most_frames() -> int | None:
    """Return the environment's EASEL_MAX_FRAMES, if it is set to more than 0."""
    text = os.environ.get("EASEL_MAX_FRAMES", "")
    if text and not text.isdigit():
        raise ValueError(f"EASEL_MAX_FRAMES is a number of frames; got {text!r}.")
    return int(text or 0) or None


def window_in_use(window: Window | None) -> Window:
    """Return `window`, or else the active one. RuntimeError if there is none."""
    window = window or Window._current
    if window is None:
        raise RuntimeError("No active easel.Window - create one first")
    if not isinstance(window, Window):
        raise TypeError(f"window= takes an easel.Window, such as view.window; got {type(window).__name__}.")
    return window
