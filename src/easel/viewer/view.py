"""View: a window of docked panels, and the calls by which a program uses it. Its frames are turned by `Loop`."""

import html
import os
import weakref
from functools import partial
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from easel.viewer.backends.base import Backend
from easel.viewer.canvas.history import FrameTimeline
from easel.viewer.feed.feeds import Feeds
from easel.viewer.feed.receiver import Receiver
from easel.viewer.imgui.arguments import check_callable
from easel.viewer.imgui.sketch import Number
from easel.viewer.imgui.theme import THEMES
from easel.viewer.loop import Loop
from easel.viewer.panels.commands import Commands, Offer
from easel.viewer.panels.frame_state import FrameState
from easel.viewer.panels.layout_file import LayoutFile
from easel.viewer.panels.pages import Page, Pages
from easel.viewer.panels.panel import Panel
from easel.viewer.panels.view_state import VERSION, ViewState
from easel.viewer.window import Window


class View(Loop):
    """A window of docked panels that shows tensors live.

        view = easel.View("Training")
        canvas = view.panel("Prediction").canvas("prediction")
        while view.step():
            canvas.bind(train_step())
            view.end_step()

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
        """Title of the window; its layout is saved under this name."""
        # Training is never kept waiting for a screen: no vsync.
        window = Window(title, width, height, vsync=False, headless=headless, backend=backend, scale=scale)
        # Without this, a view that is dropped instead of closed would keep its window and its driver's memory.
        self._finalizer = weakref.finalize(self, window.drop)
        used = window.backend
        self.backend_name = used.name
        self.backend_reason = window.backend_reason
        self.headless = not used.interactive
        """True if nobody sits in front of it."""
        self.address = used.address
        """Address of this view for a browser, in backend "browser": as good as a key to it. Elsewhere ""."""
        self.dialogs = window.dialogs
        """The open file dialogs."""
        # Nobody watches a headless view: its films have one frame per frame, however long that took.
        recording_clock = "wall" if used.interactive and clock == "wall" else "frames"
        frame_state = FrameState(used.ui, self.dialogs, used.hand_out, strict, recording_clock, used.share)
        pages = Pages(title, frame_state)
        self.bar = pages.bar
        """The bar at the top of a view with pages: callbacks may add widgets to it."""
        layout = LayoutFile(title, Path(layout_file) if layout_file is not None else None, used.interactive)
        super().__init__(window, frame_state, pages, layout, clock=clock, dt=dt)
        # Made at once, as they cost nothing: `publish` may be called from any thread at any time.
        self._feeds = Feeds()
        self._receiver: Receiver | None = None
        themes = {f"Theme: {name}": partial(setattr, self, "theme", name) for name in THEMES}
        own = {"Undo": self.undo, "Redo": self.redo, "Reset layout": self.reset_layout, **themes}
        self.commands = Commands(frame_state, pages.actions, own, self._act)
        """The actions of this view by name: the palette (Ctrl+P) and the list of shortcuts (F1)."""

    def panel(self, name: str, *, side: str | None = None, width: Number = 0.0) -> Panel:
        """Return the panel of that name, made at the first call; later calls ignore `side` and `width`.

        `side` is "left", "right", "top" or "bottom"; the panel takes `width` (a share, 0.2 if 0) of what earlier
        panels left. Panels without a side share the rest.
        """
        return self._pages.own.panel(name, side=side, width=width)

    def page(self, name: str) -> Page:
        """Return the page of that name, made at the first call: panels of its own in a layout of its own.

        A bar at the top switches between pages, as do Ctrl+1, Ctrl+2 … and `show_page`. Only the page that is shown is
        drawn, and the callbacks of the others rest; the first one is shown at first.
        """
        return self._pages.page(name)

    def show_page(self, name: str) -> None:
        """Bring a page to the front in the next frame. LookupError if there is none of that name."""
        self._pages.ask(name)

    def run(self, *, max_frames: int = 0) -> None:
        """Turn frames until the window is closed, or for `max_frames` (0: no limit)."""
        if max_frames < 0:
            raise ValueError(f"max_frames is a number of frames, or 0 for no limit; got {max_frames}.")
        turned = 0
        while self.step():
            self.end_step()
            turned += 1
            # Stays open: a bounded run may be continued.
            if turned == max_frames:
                return
            # Nothing but the interface lives in this loop. A view callback is the program's work and never waits.
            if not self._each_frame:
                self._sleep()
        if self.closed:
            self.close()

    def capture(self) -> Float[Tensor, "h w 3"]:
        """Return the whole view as drawn, top row first, values in [0, 1]; without OpenGL, a sheet of its content.

        RuntimeError once the view is closed, and between `step` and `end_step`.
        """
        if not self._finalizer.alive:
            raise RuntimeError(f"view {self.title!r} is closed: capture() comes before close().")
        # A complete frame is needed: an open one has no draw lists.
        if self._frame_state.running or self._frame_state.deferred:
            raise RuntimeError(
                "capture() between step() and end_step(): the frame is not complete. Call it after end_step()."
            )
        return self._backend.capture(self._newest())

    def undo(self) -> None:
        """Take back the last change that a person made with a widget, and show its page."""
        self._pages.follow(self._frame_state.edits.undo())

    def redo(self) -> None:
        """Repeat the last change that `undo` took back."""
        self._pages.follow(self._frame_state.edits.redo())

    def offer(self, actions: Offer) -> None:
        """Add actions to the palette, beside the buttons and the pages: `actions()` returns calls by name."""
        check_callable(actions, "what offers actions")
        self.commands.offer(actions)

    def state(self) -> dict[str, object]:
        """Return the state of the view, plain enough for JSON: page, theme, layout and the values of all widgets."""
        layout = ""
        if self._backend.ui is not None:
            self._backend.ui.activate()
            layout = self._layout.text()
        page, widgets = self.shown_page.name, self._pages.values()
        return {"version": VERSION, "page": page, "theme": self.theme, "layout": layout, "widgets": widgets}

    def restore(self, state: object) -> None:
        """Return to a `state()`, in the next frame. For anything else ValueError, and nothing has changed.

        A value waits for its widget: the page, the panel and the label may come later.
        """
        checked = ViewState.read(state)
        self._pages.recall(checked.widgets)
        # In this order: the values wait for widgets, the layout for the next frame.
        self._layout.replace(checked.layout)
        self.theme = checked.theme or self.theme
        # The page may not exist yet; then it is shown when it is made.
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
        """Let other processes of this machine publish here. Returns the address that `easel.Publisher` takes.

        Put into the environment as EASEL_VIEW, it reaches every process that is started from here, such as the ranks
        of a torchrun job. Whoever has it can publish.
        """
        # One for all publishers: a second call returns the same address.
        self._receiver = self._receiver or Receiver(self._feeds)
        return str(self._receiver.address)

    def hand_out(self, path: str | os.PathLike[str]) -> None:
        """Give the person a file that was written for them: a browser tab downloads it, others have it already."""
        self._backend.hand_out(Path(path))

    def reset_layout(self) -> None:
        """Put the panels back where the program placed them, those that were closed as well."""
        self._frame_state.layout_reset = True

    def close(self) -> None:
        """Close the view and give everything back; idempotent."""
        if not self._finalizer.alive:
            return
        if self._frame_state.running:
            self._finish()
        # While the frame can still be drawn: a film is completed beside the program.
        for recordable in (self, *self._pages.canvases()):
            recordable.stop_recording()
        if self._backend.ui is not None:
            self._backend.ui.activate()
            self._layout.write()
        self.closed = True
        if self._receiver is not None:
            self._receiver.close()
        self.dialogs.close()
        # Panels outlive the view in the program's variables: their widgets then return what they hold.
        self._frame_state.ui = None
        self._finalizer.detach()
        self.window.destroy()

    def __enter__(self) -> "View":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def panels(self) -> dict[str, Panel]:
        """The panels of the page that is shown, by name, in the order in which they were made.

        Last, where there are pages, the bar that switches, and while they are shown the palette, the help and the panel
        of failures.
        """
        bar = {self.bar.name: self.bar} if self._pages.named else {}
        return self._pages.shown.panels | bar | self.commands.shown() | self._failed

    @property
    def pages(self) -> dict[str, Page]:
        """The pages by name, in the order in which they were made."""
        return dict(self._pages.named)

    @property
    def shown_page(self) -> Page:
        """The page that is shown, or will be in the next frame."""
        return self._pages.asked or self._pages.shown

    @property
    def timeline(self) -> FrameTimeline:
        """The step of the past that canvases with a history show; a program may number its steps on it."""
        return self._pages.own.timeline

    @property
    def drawn(self) -> bool:
        """True if the widgets are real and can be clicked; False where Dear ImGui cannot load."""
        return self._backend.ui is not None

    def _repr_html_(self) -> str | None:
        """The live view as a notebook's cell shows it, in backend "browser", while its loop runs in another thread."""
        if not self.address:
            return None
        width, height = self._backend.size
        style = f"width: 100%; max-width: {width}px; aspect-ratio: {width} / {height}; border: 0"
        return f'<iframe src="{html.escape(self.address)}" title="{html.escape(self.title)}" style="{style}"></iframe>'

    def _draw(self) -> None:
        self._call_each_frame()
        self._feeds.show(self.panel, headless=self.headless)
        if self._pages.named:
            self.bar.draw()
        for panel in list(self._pages.shown.panels.values()):
            panel.draw()
        # Over the panels, in the order in which they cover each other.
        self._draw_problems()
        if self._frame_state.drawing:
            self.dialogs.draw()
        self.commands.draw()
