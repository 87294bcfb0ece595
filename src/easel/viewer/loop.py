"""The frame loop of a view: takes events, opens a frame, completes it, and has it shown and recorded."""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import partial

from easel.viewer.backends.base import Frame, Pane
from easel.viewer.backends.pace import FRAMES_PER_SECOND
from easel.viewer.canvas.recording import Recordable
from easel.viewer.imgui.arguments import checked_attribute
from easel.viewer.imgui.events import CloseAsked, Event
from easel.viewer.imgui.layout import Area, Rectangle, rectangles
from easel.viewer.imgui.sketch import Number
from easel.viewer.imgui.theme import THEMES
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.panels.callbacks import Callbacks
from easel.viewer.panels.frame_state import FrameState
from easel.viewer.panels.layout_file import LayoutFile
from easel.viewer.panels.pages import Pages
from easel.viewer.panels.panel import Panel
from easel.viewer.pictures import canvas_picture
from easel.viewer.window import Window, close_dropped

FPS_SECONDS = 0.5
"""Span over which `fps` is measured."""
QUIET_SECONDS = 0.5
QUIET_STEPS = 10
"""After so long, and so many steps, without an event a step may do without a frame."""


class Loop(Callbacks, Recordable, ABC):
    """The base of a view that turns its frames. With `clock` "frames", a frame lasts `dt` seconds."""

    def __init__(
        self, window: Window, frame_state: FrameState, pages: Pages, layout: LayoutFile, *, clock: str, dt: Number
    ) -> None:
        Callbacks.__init__(self, frame_state)
        Recordable.__init__(self, frame_state.recording_clock)
        self.window = window
        self.closed = False
        """True once the person has closed the window, or `close` was called."""
        self.frame_count = 0
        """Number of complete frames."""
        self.fps = 0.0
        """Frames per second over the last half second; 0.0 before."""
        self.needs_display = False
        """True if this frame will be drawn: time to update its content. Headless, never until a capture."""
        self._backend = window.backend
        self._pages, self._layout = pages, layout
        self.theme = "dark"
        self._complete: Frame | None = None
        """The last complete frame."""
        self._outdated = False
        """True when the last step did without a frame: `_complete` is older."""
        self._posted: list[Event] = []
        """Events for the next frame that no window has sent."""
        self._clock, self._dt = clock, dt
        self._born = self._stepped_at = self._fps_since = self._stirred_at = time.perf_counter()
        self._quiet_steps = self._fps_frames = 0
        self._end_told = False

    @abstractmethod
    def _draw(self) -> None:
        """Draw the content of a frame."""

    @checked_attribute
    def theme(self, name: str) -> str:
        """Look of the interface: "dark" or "light"; pictures look the same in both."""
        if name not in THEMES:
            raise ValueError(f"unknown theme {name!r}. Known: {', '.join(THEMES)}.")
        return name

    @property
    def time(self) -> float:
        """Seconds since the view was made; with clock="frames", complete frames times dt."""
        return self.frame_count * self._dt if self._clock == "frames" else time.perf_counter() - self._born

    def step(self) -> bool:
        """Begin a frame: events, callbacks, widgets. False when the view is closed, and then there is no frame.

        Where the environment sets EASEL_MAX_FRAMES, also False after so many frames: any program then ends by itself.
        """
        close_dropped()
        # A deferred frame that nobody needed, left by a loop without end_step.
        self._frame_state.discard_frame()
        if self._frame_state.running:
            self._finish()  # the loop left out end_step
        if self.closed or self._is_over() or self._take_events():
            return False
        # Asked before the frame is drawn, so that a program can skip what nobody will see.
        self.needs_display = self._backend.due()
        if self._can_defer():
            self._frame_state.defer_frame(self._open)
        else:
            self._open()
        return True

    def end_step(self) -> None:
        """End the frame, with the tensors as they are now, and show it when it is due; without `step`, do nothing."""
        # Became due while the program worked: what the tensors show now must be drawn.
        if self._frame_state.deferred and self._backend.due():
            self._frame_state.ensure_frame()
        if self._frame_state.discard_frame():
            self._outdated = True
            self._count()
        if not self._frame_state.running:
            return
        frame = self._finish()
        self._record(frame)
        # Asked again: the program's work since `step` may have taken longer than the pause between two pictures.
        if self.needs_display or self._backend.due():
            self._backend.present(frame)
        self._count()

    def rest(self) -> None:
        """Wait until something happens or a sixtieth of a second has passed since `step`; headless, not at all.

        For loops that have nothing else to do in some of their frames.
        """
        if self._backend.interactive:
            self._sleep()

    def post(self, *events: Event) -> None:
        """Act as if these events had happened at the window; the next `step` sees them."""
        self._posted.extend(events)

    def _sleep(self) -> None:
        self._backend.wait(1 / FRAMES_PER_SECOND - (time.perf_counter() - self._stepped_at))

    def _newest(self) -> Frame:
        """Return a complete frame of the present, between two steps; made for the caller if the last one is older."""
        # Never stepped: a capture right after the view was made.
        if self._complete is None:
            self.step()
            self.end_step()
        if self._complete is None or self._outdated:
            self._open()
            return self._finish()
        return self._complete

    def _finish(self) -> Frame:
        """Close the open frame; from here on it can be drawn."""
        self._frame_state.running = False
        if (ui := self._backend.ui) is not None:
            ui.activate()
            ui.end()
        page = self._pages.shown
        self._complete = self.window.frame(partial(_panes, page.dock.area, dict(page.panels)))
        return self._complete

    def _take_events(self) -> bool:
        """Deliver what happened. True when the view is to close."""
        # Posted events reach the callbacks here and the widgets in `_begin`; those of the window have reached the
        # widgets already.
        events = (*self.window.take_events(), *self._posted)
        if events:
            self._stirred_at = time.perf_counter()
            self._quiet_steps = 0
        for event in events:
            self._dispatch(event)
            self.closed |= isinstance(event, CloseAsked)
        return self.closed

    def _is_over(self) -> bool:
        """Return whether the program is to end after this many frames; tell `on_close` callbacks of it once."""
        # None, the usual bound, equals no count.
        if self.frame_count != self.window.most_frames:
            return False
        if not self._end_told:
            self._end_told = True
            self._dispatch(CloseAsked())
        return True

    def _can_defer(self) -> bool:
        """Return True if this step can do without a frame: at a person's window nothing is due, happens or runs.

        The interface's own logic would only find what the last frame found. Whoever needs the frame opens it.
        """
        unable = not self._backend.interactive or self.needs_display or self._complete is None
        if unable or self._frame_state.layout_reset or self._pages.asked is not None:
            return False
        # Steps and time: a loop of slow steps sees the person's last drag settle, too.
        self._quiet_steps += 1
        quiet = self._quiet_steps > QUIET_STEPS and time.perf_counter() - self._stirred_at > QUIET_SECONDS
        return quiet and not (
            self._each_frame
            or self._failed
            or self.is_recording
            or self._frame_state.dialogs.waiting
            or any(panel.works for panel in self._pages.shown.panels.values())
            or any(canvas.is_recording for canvas in self._pages.canvases())
        )

    def _open(self) -> None:
        """Open a frame and draw its content."""
        self._outdated = False
        self._frame_state.index += 1
        self._frame_state.placements = self.window.pictures.begin()
        self._begin()
        self._frame_state.running = True
        try:
            self._draw()
        # An exception of a strict view, or Ctrl+C, must not leave Dear ImGui inside a frame.
        except BaseException:
            self._finish()
            raise

    def _begin(self) -> None:
        """Open the interface's frame and hand it the events that were posted."""
        now = time.perf_counter()
        seconds, self._stepped_at = now - self._stepped_at, now
        posted, self._posted = self._posted, []
        self._pages.switch()
        page = self._pages.shown
        self._reset_layout()
        self.window.activate()
        ui = self._backend.ui
        if ui is None:
            self._frame_state.edits.settle()
            page.dock.place(page.places, drawing=False)
            return
        # Before the frame begins: colours that change within one would mix two themes.
        if ui.theme is not THEMES[self.theme]:
            ui.dress(THEMES[self.theme])
        # Before the docking below: a saved arrangement wins over the program's places.
        self._layout.read(self._pages.named or page.panels)
        self._backend.prepare(seconds)
        # After the backend's own events: a script's pointer wins over the real one.
        for event in posted:
            ui.feed(event)
        ui.begin()
        if page.dock.place(page.places, drawing=True):
            # Dear ImGui gives windows that were just docked their size one frame later: let that be an empty frame.
            bar = [self._pages.bar] if self._pages.named else []
            for panel in (*bar, *page.panels.values()):
                panel.arrive()
            ui.end()
            self._backend.prepare(seconds)
            ui.begin()
            page.dock.place(page.places, drawing=True)
        # Of the frame that has just begun: it decides about the keys of the next step.
        self._typing = imgui.get_io().want_text_input
        if not imgui.is_any_item_active():
            self._frame_state.edits.settle()

    def _reset_layout(self) -> None:
        """Hand the request for the program's own layout to the page that is shown, closed panels included."""
        page = self._pages.shown
        page.dock.reset = self._frame_state.layout_reset
        self._frame_state.layout_reset = False
        if page.dock.reset:
            for panel in page.panels.values():
                panel.open = True

    def _record(self, frame: Frame) -> None:
        """Add a complete frame to the histories and to the recordings that run."""
        for page in self._pages.all:
            # A program that numbers its steps itself, such as a training, sees its own numbers in the history.
            step = self.frame_count if page.timeline.step is None else page.timeline.step
            for panel in page.panels.values():
                for canvas in panel.canvases.values():
                    if page.shown:
                        panel.remember(canvas, step)
                    # Recordings go on behind other pages, histories only on the page that is shown.
                    canvas.feed_recording(partial(panel.look, canvas))
        self.feed_recording(partial(self._backend.capture, frame))

    def _count(self) -> None:
        self.frame_count += 1
        self._fps_frames += 1
        now = time.perf_counter()
        # An average over a span: the time of single frames jumps between drawn and skipped ones.
        if now - self._fps_since >= FPS_SECONDS:
            self.fps = self._fps_frames / (now - self._fps_since)
            self._fps_since, self._fps_frames = now, 0


def _panes(area: Area, panels: Mapping[str, Panel], size: tuple[int, int]) -> list[Pane]:
    """Return a page's panels as titled rectangles of a window of `size` = (width, height)."""
    panes = []
    for name, rectangle in rectangles(area, Rectangle(0, 0, *size)).items():
        panel = panels[name]
        # A closed panel keeps its place, which stays empty.
        if panel.open:
            pictures = [canvas_picture(canvas, partial(panel.look, canvas)) for canvas in panel.canvases.values()]
            panes.append(Pane(name, rectangle, pictures, panel.sketch()))
    return panes
