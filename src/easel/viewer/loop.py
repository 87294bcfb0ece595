"""Loop: turns the frames of a view. It takes what happened, opens a frame, completes it and has it shown."""

import time
from collections.abc import Callable
from functools import partial

from easel.viewer.backends.base import Frame
from easel.viewer.backends.pace import FRAMES_PER_SECOND
from easel.viewer.canvas.recording import Recordable
from easel.viewer.imgui.events import CloseAsked, Event
from easel.viewer.imgui.sketch import Number
from easel.viewer.imgui.theme import THEMES
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.panels.callbacks import Callbacks
from easel.viewer.panels.frame_state import Turn
from easel.viewer.panels.layout_file import LayoutFile
from easel.viewer.panels.pages import Pages
from easel.viewer.window import Window

FPS_SECONDS = 0.5
"""Over which `fps` is measured."""
QUIET_SECONDS, QUIET_STEPS = 0.5, 10
"""After so long without an event a step may do without a frame, and not before so many steps."""


class Loop:
    """The frames of one view, one after another: `draw` draws what stands in each, `film` is what records the whole.

    With `clock` "frames", a frame lasts `dt` seconds.
    """

    def __init__(
        self,
        window: Window,
        turn: Turn,
        pages: Pages,
        callbacks: Callbacks,
        layout: LayoutFile,
        draw: Callable[[], object],
        film: Recordable,
        *,
        clock: str,
        dt: Number,
    ) -> None:
        self.closed = False
        """Somebody has closed the window."""
        self.frame_count = 0
        """Frames that are complete."""
        self.fps = 0.0
        """Frames per second over the last half second."""
        self.theme = "dark"
        self.due = False
        """The frame of this step will be drawn."""
        self.frame: Frame | None = None
        """The last one that is complete."""
        self.posted: list[Event] = []
        """What is to happen in the next frame, as if at the window."""
        self._window, self._backend = window, window.backend
        self._turn, self._pages, self._callbacks, self._layout = turn, pages, callbacks, layout
        self._draw, self._film = draw, film
        self._clock, self._dt = clock, dt
        self._born = self._stepped_at = self._fps_since = self._stirred_at = time.perf_counter()
        self._quiet_steps = 0
        self._outdated = False
        """The last step did without a frame: the one that is complete is older."""
        self._end_told = False
        self._fps_frames = 0

    @property
    def time(self) -> float:
        """Seconds since the beginning, by the clock that was asked for."""
        return self.frame_count * self._dt if self._clock == "frames" else time.perf_counter() - self._born

    def step(self) -> bool:
        """Begin a frame; False when the view is closed, and then there is none."""
        self._turn.rise()
        if self._turn.running:
            self.finish()  # the loop left out end_step
        if self.closed or self._is_over() or self._take_events():
            return False
        self.due = self._backend.due()
        if self._can_doze():
            self._turn.doze(self._open)
        else:
            self._open()
        return True

    def end_step(self) -> None:
        """End the frame and show it when it is time to; without `step`, nothing."""
        if self._turn.dozing and self._backend.due():
            self._turn.wake()
        if self._turn.rise():
            self._outdated = True
            self._count()
        if not self._turn.running:
            return
        frame = self.finish()
        self._record(frame)
        if self.due or self._backend.due():
            self._backend.present(frame)
        self._count()

    def wait(self) -> None:
        """Until something happens, or a sixtieth of a second has passed since `step`."""
        self._backend.wait(1 / FRAMES_PER_SECOND - (time.perf_counter() - self._stepped_at))

    def newest(self) -> Frame:
        """A complete frame with what there is now, between two steps: the last one, or one that is made for it."""
        if self.frame is None:
            self.step()
            self.end_step()
        if self.frame is None or self._outdated:
            self._open()
            return self.finish()
        return self.frame

    def finish(self) -> Frame:
        """Close the frame that is open; from here on it can be drawn."""
        self._turn.running = False
        if self._backend.ui is not None:
            self._backend.ui.activate()
            self._backend.ui.end()
        self.frame = self._window.frame(self._pages.shown.dock.area, self._pages.shown.panels)
        return self.frame

    def _take_events(self) -> bool:
        """Deliver what happened; True when the view is to close."""
        events = (*self._window.take_events(), *self.posted)
        if events:
            self._stirred_at, self._quiet_steps = time.perf_counter(), 0
        for event in events:
            self._callbacks.hear(event)
            self.closed |= isinstance(event, CloseAsked)
        return self.closed

    def _is_over(self) -> bool:
        """So many frames are complete that the program is to end by itself; who listens for the end hears it once."""
        if self.frame_count != self._window.most_frames:
            return False
        if not self._end_told:
            self._end_told = True
            self._callbacks.hear(CloseAsked())
        return True

    def _can_doze(self) -> bool:
        """Whether this step can do without a frame: a person's window in which nothing is due, happens or runs.

        The interface's own logic would only find what the last frame found. Whoever needs the frame wakes it.
        """
        if not self._backend.interactive or self.due or self.frame is None:
            return False
        if self._turn.layout_reset or self._pages.asked is not None:
            return False
        self._quiet_steps += 1
        quiet = self._quiet_steps > QUIET_STEPS and time.perf_counter() - self._stirred_at > QUIET_SECONDS
        return quiet and not (
            self._callbacks.each_frame
            or self._callbacks.failed
            or self._film.is_recording
            or self._turn.dialogs.waiting
            or any(panel.works for panel in self._pages.shown.panels.values())
            or any(canvas.is_recording for canvas in self._pages.canvases())
        )

    def _open(self) -> None:
        """Open a frame and draw what stands in it."""
        self._outdated = False
        self._turn.index += 1
        self._turn.placements = self._window.pictures.begin()
        self._begin()
        self._turn.running = True
        try:
            self._draw()
        except BaseException:
            self.finish()
            raise

    def _begin(self) -> None:
        """Open the interface's frame and hand it the events that were posted."""
        now = time.perf_counter()
        seconds, self._stepped_at = now - self._stepped_at, now
        posted, self.posted = self.posted, []
        self._pages.turn()
        page = self._pages.shown
        page.dock.reset, self._turn.layout_reset = self._turn.layout_reset, False
        for panel in page.panels.values() if page.dock.reset else ():
            panel.open = True
        self._window.activate()
        ui = self._backend.ui
        if ui is None:
            self._turn.edits.settle()
            page.dock.place(page.places, drawing=False)
            return
        if ui.theme is not THEMES[self.theme]:
            ui.dress(THEMES[self.theme])
        self._layout.read(self._pages.named or page.panels)
        self._backend.prepare(seconds)
        for event in posted:
            ui.feed(event)
        ui.begin()
        if page.dock.place(page.places, drawing=True):
            # Dear ImGui gives windows that were just docked their size one frame later: let that be an empty frame.
            for panel in (*((self._pages.bar,) if self._pages.named else ()), *page.panels.values()):
                panel.arrive()
            ui.end()
            self._backend.prepare(seconds)
            ui.begin()
            page.dock.place(page.places, drawing=True)
        self._callbacks.typing = imgui.get_io().want_text_input
        if not imgui.is_any_item_active():
            self._turn.edits.settle()

    def _record(self, frame: Frame) -> None:
        """Show a complete frame to the histories and to the recordings that run."""
        for page in self._pages.all:
            step = self.frame_count if page.timeline.step is None else page.timeline.step
            for panel in page.panels.values():
                for canvas in panel.canvases.values():
                    if page.shown:
                        panel.remember(canvas, step)
                    canvas.feed_recording(partial(panel.look, canvas))
        self._film.feed_recording(partial(self._backend.capture, frame))

    def _count(self) -> None:
        self.frame_count += 1
        self._fps_frames += 1
        now = time.perf_counter()
        if now - self._fps_since >= FPS_SECONDS:
            self.fps = self._fps_frames / (now - self._fps_since)
            self._fps_since, self._fps_frames = now, 0
