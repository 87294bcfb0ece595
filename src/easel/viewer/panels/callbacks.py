"""Callbacks of a view: in every frame, and when something happens at its window."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from easel.viewer.imgui import events
from easel.viewer.imgui.arguments import check_callable
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.panels.frame_state import FrameState
from easel.viewer.panels.panel import Panel
from easel.viewer.panels.panel_region import Callback, callback_key

EventCallback = TypeVar("EventCallback", bound=Callable[..., object])

PROBLEM_EMS = 26.0
"""Width of the window that shows the exceptions of a view's callbacks."""


class Callbacks:
    """The base of a view that holds its callbacks. A failing one is reported in a window, and the others go on."""

    def __init__(self, frame_state: FrameState) -> None:
        self.keys: set[str] = set()
        """Names of the keys that are down now, without those that are typed into a text field; see `on_key`."""
        self._frame_state = frame_state
        self._typing = False
        """True while a text field has the keyboard: keys then reach nobody else."""
        self._each_frame: dict[object, Callable[[], object]] = {}
        self._listeners: dict[object, tuple[tuple[type, ...], Callable[..., object]]] = {}
        # A panel of its own, so that its guard and its Retry buttons are those of every other panel. It is on no page
        # and has no place in a layout.
        self._problems = Panel("Problem", frame_state)

    def on_frame(self, callback: Callback) -> Callback:
        """Call `callback` once per frame, before the panels; defined again, it replaces itself."""
        check_callable(callback, "a callback of a view")
        self._each_frame[callback_key(callback)] = callback
        return callback

    def on_key(self, callback: EventCallback) -> EventCallback:
        """Call `callback(KeyChanged)` when a key goes down or up, by name, except for those that a text field takes."""
        return self._listen((events.KeyChanged,), callback)

    def on_mouse(self, callback: EventCallback) -> EventCallback:
        """Call `callback` with every PointerMoved, PointerButton and WheelTurned."""
        return self._listen((events.PointerMoved, events.PointerButton, events.WheelTurned), callback)

    def on_drop(self, callback: EventCallback) -> EventCallback:
        """Call `callback(FilesDropped)` when files are dropped on the window."""
        return self._listen((events.FilesDropped,), callback)

    def on_close(self, callback: EventCallback) -> EventCallback:
        """Call `callback(CloseAsked)` when the person closes the window, or its last frame is over (`step`)."""
        return self._listen((events.CloseAsked,), callback)

    def _listen(self, kinds: tuple[type, ...], callback: EventCallback) -> EventCallback:
        check_callable(callback, "a callback for events", 1)
        # By kinds as well: one function may listen for keys and for the mouse.
        self._listeners[kinds, callback_key(callback)] = kinds, callback
        return callback

    def _dispatch(self, event: events.Event) -> None:
        """Call the callbacks that listen for this kind of event."""
        if isinstance(event, events.KeyChanged):
            # A release always counts: a key that went down before the text field took the keyboard must not stay down.
            (self.keys.add if event.down and not self._typing else self.keys.discard)(event.key)
            if self._typing:
                return
        # A copy, here and below: a callback may define another one.
        for key, (kinds, callback) in list(self._listeners.items()):
            if isinstance(event, kinds):
                self._problems.guard.run(key, partial(callback, event))

    def _call_each_frame(self) -> None:
        for key, callback in list(self._each_frame.items()):
            self._problems.guard.run(key, callback)

    def _act(self, name: str, action: Callable[[], object]) -> None:
        """Run an action of the palette and report its exception; choosing it again runs it again."""
        # The guard pauses whatever has failed until Retry; choosing an action a second time is a retry.
        self._problems.guard.failures.pop(("action", name), None)
        self._problems.guard.run(("action", name), action)

    @property
    def _failed(self) -> dict[str, Panel]:
        """The window of exceptions by its name, while there are any."""
        return {self._problems.name: self._problems} if self._problems.guard.failures else {}

    def _draw_problems(self) -> None:
        """Draw the exceptions, at the bottom right."""
        if not self._failed:
            return
        if self._frame_state.drawing:
            corner, margin = imgui.get_main_viewport().size, imgui.get_font_size()
            appearing = imgui.Cond_.appearing
            # When it appears only: a person may drag it elsewhere.
            imgui.set_next_window_pos((corner.x - margin, corner.y - margin), appearing, (1.0, 1.0))
            imgui.set_next_window_size((PROBLEM_EMS * margin, 0.0), appearing)
        self._problems.draw()
