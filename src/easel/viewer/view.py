"""View: the window as a whole, and what a program asks of it. Its frames are turned by a `Loop`."""

import html
import os
import weakref
from functools import partial
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from easel.viewer.backends.base import Backend
from easel.viewer.canvas.history import FrameTimeline
from easel.viewer.canvas.recording import Recordable
from easel.viewer.feed.feeds import Feeds
from easel.viewer.feed.receiver import Receiver
from easel.viewer.imgui.arguments import check_callable
from easel.viewer.imgui.dialogs import Dialogs
from easel.viewer.imgui.events import (
    CloseAsked,
    Event,
    FilesDropped,
    KeyChanged,
    PointerButton,
    PointerMoved,
    WheelTurned,
)
from easel.viewer.imgui.sketch import Number
from easel.viewer.imgui.theme import THEMES
from easel.viewer.loop import Loop
from easel.viewer.panels.callbacks import Callbacks, EventCallback
from easel.viewer.panels.commands import Commands, Offer
from easel.viewer.panels.frame_state import Turn
from easel.viewer.panels.layout_file import LayoutFile
from easel.viewer.panels.page import Page
from easel.viewer.panels.pages import Bar, Pages
from easel.viewer.panels.panel import Panel
from easel.viewer.panels.panel_region import Callback
from easel.viewer.panels.view_state import VERSION, ViewState, recall_values, values_of
from easel.viewer.window import Window


class View(Recordable):
    """A window of docked panels that shows tensors live.

    `run()` turns the loop; with `step()` and `end_step()` the program turns it, and its work stands between them.
    `backend` is "window", "browser", "headless", "none", or None for the best that opens here (see `backend_reason`).
    `scale` enlarges letters, widgets and the window, 2 for a screen of twice the usual density; None is the
    environment's EASEL_SCALE, else what the monitor asks for.
    """

    def __init__(
        self,
        title: str = "Easel",
        width: int = 1280,
        height: int = 720,
        *,
        headless: bool = False,
        backend: str | Backend | None = None,
        scale: Number | None = None,
        strict: bool = False,
        clock: str = "wall",
        dt: Number = 1 / 60,
        layout_file: str | os.PathLike[str] | None = None,
    ) -> None:
        if clock not in ("wall", "frames"):
            raise ValueError(f"unknown clock {clock!r}. Known: wall, frames.")
        self.title = title
        """What the window is called; its layout is remembered under this name."""
        # Training is never kept waiting for a screen: no vsync.
        self.window = Window(title, width, height, vsync=False, headless=headless, backend=backend, scale=scale)
        # Without this, a view that is dropped instead of closed would keep its window and its driver's memory.
        self._finalizer = weakref.finalize(self, self.window.destroy)
        self._backend, self.backend_reason = self.window.backend, self.window.backend_reason
        self.backend_name = self._backend.name
        super().__init__("wall" if self._backend.interactive and clock == "wall" else "frames")
        self._turn = Turn(self._backend.ui, self.window.dialogs, strict, self.recording_clock, self._backend.share)
        self._pages = Pages(title, self._turn, self.hand_out)
        self._callbacks = Callbacks(self._turn)
        self._feeds = Feeds()
        self._receiver: Receiver | None = None
        themes = {f"Theme: {name}": partial(setattr, self, "theme", name) for name in THEMES}
        own = {"Undo": self.undo, "Redo": self.redo, "Reset layout": self.reset_layout, **themes}
        self.commands = Commands(self._turn, self._pages, own, self._callbacks.act)
        """What can be done here by name: the palette (Ctrl+P) and the list of shortcuts (F1)."""
        file = Path(layout_file) if layout_file is not None else None
        self._layout = LayoutFile(title, file, self._backend.interactive)
        parts = self.window, self._turn, self._pages, self._callbacks, self._layout
        self._loop = Loop(*parts, self._draw, self, clock=clock, dt=dt)

    def panel(self, name: str, *, side: str | None = None, width: Number = 0.0) -> Panel:
        """The panel of that name, made when there is none yet; later calls ignore `side` and `width`.

        `side` is "left", "right", "top" or "bottom"; the panel takes `width` (a share, 0.2 if 0) of what earlier
        panels left. Panels without a side share the rest.
        """
        return self._pages.own.panel(name, side=side, width=width)

    def page(self, name: str) -> Page:
        """The page of that name, made when there is none yet: panels of its own in a layout of its own.

        A bar at the top switches between pages, as do Ctrl+1, Ctrl+2 … and `show_page`. Only the page that is shown is
        drawn, and the callbacks of the others rest; the first one is shown at first.
        """
        return self._pages.page(name)

    def show_page(self, name: str) -> None:
        """Bring a page to the front in the next frame; LookupError when there is none of that name."""
        self._pages.ask(name)

    def on_frame(self, callback: Callback) -> Callback:
        """Call `callback` once per frame, before the panels; defined again, it replaces itself."""
        return self._callbacks.add(callback)

    def on_key(self, callback: EventCallback) -> EventCallback:
        """Call `callback(KeyChanged)` when a key goes down or up, by name, except for those that a text field takes."""
        return self._callbacks.listen((KeyChanged,), callback)

    def on_mouse(self, callback: EventCallback) -> EventCallback:
        """Call `callback` with every PointerMoved, PointerButton and WheelTurned."""
        return self._callbacks.listen((PointerMoved, PointerButton, WheelTurned), callback)

    def on_drop(self, callback: EventCallback) -> EventCallback:
        """Call `callback(FilesDropped)` when files are dropped on the window."""
        return self._callbacks.listen((FilesDropped,), callback)

    def on_close(self, callback: EventCallback) -> EventCallback:
        """Call `callback(CloseAsked)` when the person closes the window, or its last frame is over (`step`)."""
        return self._callbacks.listen((CloseAsked,), callback)

    def run(self, *, max_frames: int = 0) -> None:
        """Turn frames until the window is closed, or for `max_frames` (0: no limit)."""
        if max_frames < 0:
            raise ValueError(f"max_frames is a number of frames, or 0 for no limit; got {max_frames}.")
        turned = 0
        while self.step():
            self.end_step()
            turned += 1
            if turned == max_frames:
                return
            if not self._callbacks.each_frame:
                # Nothing but the interface lives in this loop. A view callback is the program's work and never waits.
                self._loop.wait()
        if self.closed:
            self.close()

    def step(self) -> bool:
        """Begin a frame: events, callbacks, widgets. False when the view is closed, and then there is no frame.

        Where the environment sets EASEL_MAX_FRAMES, also False after so many frames: any program then ends by itself.
        """
        return self._loop.step()

    def end_step(self) -> None:
        """End the frame, with the tensors as they are now, and show it when it is time to; without `step`, nothing."""
        self._loop.end_step()

    def rest(self) -> None:
        """Wait until something happens or a sixtieth of a second has passed since `step`; headless, not at all.

        For loops that have nothing else to do in some of their frames.
        """
        if self._backend.interactive:
            self._loop.wait()

    def capture(self) -> Float[Tensor, "h w 3"]:
        """The whole view as drawn, top row first, values in [0, 1]; without OpenGL, a sheet of its content."""
        if not self._finalizer.alive:
            raise RuntimeError(f"view {self.title!r} is closed: capture() comes before close().")
        if self._turn.running or self._turn.dozing:
            raise RuntimeError(
                "capture() between step() and end_step(): the frame is not complete. Call it after end_step()."
            )
        return self._backend.capture(self._loop.newest())

    def undo(self) -> None:
        """Take back what a person changed last with a widget, and show the page that it is on."""
        self._pages.follow(self._turn.edits.undo())

    def redo(self) -> None:
        """Repeat what `undo` took back last."""
        self._pages.follow(self._turn.edits.redo())

    def offer(self, actions: Offer) -> None:
        """Have the palette offer what `actions()` returns, calls by name, beside the buttons and the pages."""
        check_callable(actions, "what offers actions")
        self.commands.offer(actions)

    def state(self) -> dict[str, object]:
        """What a person made of the view, plain enough for JSON: page, theme, layout and the values of all widgets."""
        layout = ""
        if self._backend.ui is not None:
            self._backend.ui.activate()
            layout = self._layout.tell()
        widgets = values_of(self._pages.all, self._turn.kept)
        page, theme = self.shown_page.name, self.theme
        return {"version": VERSION, "page": page, "theme": theme, "layout": layout, "widgets": widgets}

    def restore(self, state: object) -> None:
        """Come back to what `state` told, in the next frame; ValueError, and nothing has changed, for anything else.

        A value waits for its widget: the page, the panel and the label may come later.
        """
        checked = ViewState.read(state)
        recall_values(checked.widgets, self._pages.all, self._turn.kept)
        self._layout.give(checked.layout)
        self.theme = checked.theme or self.theme
        self._pages.wanted = checked.page
        if checked.page in self._pages.named:
            self.show_page(checked.page)

    def publish(self, name: str, value: object) -> None:
        """Show `value` under `name`, from any thread: a number continues a curve, anything else is the newest picture.

        A picture gets a panel of its own, or the canvas `name` of the panel `name` that is there already. It is copied
        only when the one before it was drawn, and so seldom that copies stay below a half percent of the time; nobody
        looking, it is not copied at all. TypeError or ValueError for what no canvas shows.
        """
        self._feeds.publish(name, value)

    def listen(self) -> str:
        """Let other processes of this machine publish here; returns the address that `easel.Publisher` takes.

        Put into the environment as EASEL_VIEW, it reaches every process that is started from here, such as the ranks
        of a torchrun job. Whoever has it can publish.
        """
        if self._receiver is None:
            self._receiver = Receiver(self._feeds)
        return str(self._receiver.address)

    def hand_out(self, path: str | os.PathLike[str]) -> None:
        """Give the person a file that was written for them: a browser tab downloads it, others have it already."""
        self._backend.hand_out(Path(path))

    def close(self) -> None:
        """Close the view and give everything back; idempotent."""
        if not self._finalizer.alive:
            return
        if self._turn.running:
            self._loop.finish()
        for recordable in (self, *self._pages.canvases()):
            recordable.stop_recording()
        if self._backend.ui is not None:
            self._backend.ui.activate()
            self._layout.write()
        self._loop.closed = True
        if self._receiver is not None:
            self._receiver.close()
        self._turn.dialogs.close()
        self._turn.ui = None
        self._finalizer()

    def __enter__(self) -> "View":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def closed(self) -> bool:
        """The person has closed the window, or `close` was called."""
        return self._loop.closed

    @property
    def keys(self) -> set[str]:
        """The keys that are down now, by name, without those that are typed into a text field; see `on_key`."""
        return self._callbacks.keys

    @property
    def theme(self) -> str:
        """How the interface looks: "dark" or "light"; pictures look the same in both."""
        return self._loop.theme

    @theme.setter
    def theme(self, name: str) -> None:
        if name not in THEMES:
            raise ValueError(f"unknown theme {name!r}. Known: {', '.join(THEMES)}.")
        self._loop.theme = name

    @property
    def time(self) -> float:
        """Seconds since the view was made; with clock="frames", complete frames times dt."""
        return self._loop.time

    @property
    def frame_count(self) -> int:
        """Frames that are complete."""
        return self._loop.frame_count

    @property
    def fps(self) -> float:
        """Frames per second over the last half second; 0.0 before."""
        return self._loop.fps

    @property
    def headless(self) -> bool:
        """Nobody sits in front of it."""
        return not self._backend.interactive

    @property
    def address(self) -> str:
        """Where a browser finds this view in backend "browser": as good as a key to it. Elsewhere ""."""
        return self._backend.address

    @property
    def needs_display(self) -> bool:
        """This frame will be drawn: time to bring what it shows up to date. Headless, never until a capture."""
        return self._loop.due

    def reset_layout(self) -> None:
        """Put the panels back where the program placed them, those that were closed as well."""
        self._turn.layout_reset = True

    def post(self, *events: Event) -> None:
        """Act as if these had happened at the window; they are seen by the next `step`."""
        self._loop.posted.extend(events)

    @property
    def panels(self) -> dict[str, Panel]:
        """The panels of the page that is shown, by name, in the order of their making.

        Last, where there are pages, the bar that switches, and while they are shown the palette, the help and the panel
        that tells of failures.
        """
        bar = {self.bar.name: self.bar} if self._pages.named else {}
        return self._pages.shown.panels | bar | self.commands.shown() | self._callbacks.failed

    @property
    def pages(self) -> dict[str, Page]:
        """The pages by name, in the order of their making."""
        return dict(self._pages.named)

    @property
    def shown_page(self) -> Page:
        """The page that is shown, or will be in the next frame."""
        return self._pages.asked or self._pages.shown

    @property
    def bar(self) -> Bar:
        """The bar at the top of a view with pages: callbacks may add widgets to it."""
        return self._pages.bar

    @property
    def timeline(self) -> FrameTimeline:
        """Where in their past the canvases are that keep a history; a program may number its steps on it."""
        return self._pages.own.timeline

    @property
    def drawn(self) -> bool:
        """The widgets are real and can be clicked; False where Dear ImGui cannot load."""
        return self._backend.ui is not None

    @property
    def dialogs(self) -> Dialogs:
        """The file dialogs on their way."""
        return self._turn.dialogs

    def _repr_html_(self) -> str | None:
        """The live view as a notebook's cell shows it, in backend "browser", while its loop runs in another thread."""
        if not self.address:
            return None
        width, height = self._backend.size
        style = f"width: 100%; max-width: {width}px; aspect-ratio: {width} / {height}; border: 0"
        return f'<iframe src="{html.escape(self.address)}" title="{html.escape(self.title)}" style="{style}"></iframe>'

    def _draw(self) -> None:
        """What stands in a frame, in this order."""
        self._callbacks.run()
        self._feeds.show(self.panel, headless=self.headless)
        if self._pages.named:
            self.bar.draw()
        for panel in list(self._pages.shown.panels.values()):
            panel.draw()
        self._callbacks.draw()
        if self._turn.drawing:
            self._turn.dialogs.draw()
        self.commands.draw()
