"""Callbacks: what a program wants called in every frame of a view, and when something happens at its window."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from easel.viewer.imgui.arguments import check_callable
from easel.viewer.imgui.events import Event, KeyChanged
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.panels.frame_state import Turn
from easel.viewer.panels.panel import Panel
from easel.viewer.panels.panel_region import Callback, callback_key

EventCallback = TypeVar("EventCallback", bound=Callable[..., object])

PROBLEM_EMS = 26.0
"""Width of the window that tells what a view's callback raised."""


class Callbacks:
    """The callbacks of one view. What one raises is told in a window of its own, and the others go on."""

    def __init__(self, turn: Turn) -> None:
        self.each_frame: dict[object, Callable[[], object]] = {}
        self.keys: set[str] = set()
        """The keys that are down, by name, without those that are typed into a text field."""
        self.typing = False
        """A text field has the keyboard: nobody else hears of keys."""
        self._listeners: dict[object, tuple[tuple[type, ...], Callable[..., object]]] = {}
        self._turn = turn
        self._problems = Panel("Problem", turn)

    def add(self, callback: Callback) -> Callback:
        """Call `callback` in every frame; defined again, it replaces itself."""
        check_callable(callback, "a callback of a view")
        self.each_frame[callback_key(callback)] = callback
        return callback

    def listen(self, kinds: tuple[type, ...], callback: EventCallback) -> EventCallback:
        """Call `callback` with every event of these kinds; defined again, it replaces itself."""
        check_callable(callback, "a callback for events", 1)
        self._listeners[kinds, callback_key(callback)] = kinds, callback
        return callback

    def hear(self, event: Event) -> None:
        """Something has happened: tell those who listen."""
        if isinstance(event, KeyChanged):
            (self.keys.add if event.down and not self.typing else self.keys.discard)(event.key)
        for key, (kinds, callback) in list(self._listeners.items()):
            if isinstance(event, kinds) and not (isinstance(event, KeyChanged) and self.typing):
                self._problems.guard.run(key, partial(callback, event))

    def run(self) -> None:
        """A frame is open: call those that belong to every one."""
        for key, callback in list(self.each_frame.items()):
            self._problems.guard.run(key, callback)

    def act(self, name: str, action: Callable[[], object]) -> None:
        """Do something that was chosen in the palette; what it raises is told, and choosing it again tries again."""
        self._problems.guard.failures.pop(("action", name), None)
        self._problems.guard.run(("action", name), action)

    @property
    def failed(self) -> dict[str, Panel]:
        """The window that tells what was raised, by its name, while there is something to tell."""
        return {self._problems.name: self._problems} if self._problems.guard.failures else {}

    def draw(self) -> None:
        """What was raised, at the bottom right."""
        if not self.failed:
            return
        if self._turn.drawing:
            corner, margin = imgui.get_main_viewport().size, imgui.get_font_size()
            at, appearing = (corner.x - margin, corner.y - margin), imgui.Cond_.appearing
            imgui.set_next_window_pos(at, appearing, (1.0, 1.0))
            imgui.set_next_window_size((PROBLEM_EMS * margin, 0.0), appearing)
        self._problems.draw()
