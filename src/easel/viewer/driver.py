"""Driver: clicks, drags and types in a view as a person would, by its widgets' labels; for tests and scripts."""

import os
from collections.abc import Callable, Sequence
from typing import Any

from easel.viewer.canvas.canvas import Canvas
from easel.viewer.imgui.events import Event, KeyChanged, PointerButton, PointerMoved, TextTyped, WheelTurned
from easel.viewer.imgui.layout import Rectangle
from easel.viewer.imgui.sketch import Number
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.panels.panel import Panel
from easel.viewer.scene import SceneView
from easel.viewer.view import View
from easel.viewer.widgets.widgets import Checkbox, Combo, Slider, SliderInt

DRAG_STEPS = 4
"""Pointer positions of one drag."""
SEARCH_ROUNDS = 3
"""Attempts to scroll to something that is out of sight."""
GRAB_PADDING = 2.0
"""Pixels between a slider's frame and its grab."""


class Driver:
    """Clicks, drags, types and reads; every action turns the frames that a person's hand would take.

        driver = easel.Driver(view)
        driver.drag("learning rate", 0.01)
        driver.click("Start")

    `turn` runs one frame of the program and defaults to the view's own; give it where the program turns the loop.
    """

    def __init__(self, view: View, turn: Callable[[], object] | None = None) -> None:
        self._view = view
        self._turn = turn
        self._pointer = PointerMoved(-1.0, -1.0)

    def frames(self, count: int = 1) -> None:
        """Turn `count` frames; fewer when the view closes."""
        for _ in range(count):
            self._frame()

    def labels(self, panel: str | None = None) -> list[str]:
        """Return the labels of the last frame's widgets, in order."""
        return [item[0] for owner in self._panels(panel) for item in owner.items if isinstance(item, tuple)]

    def read(self, label: str, panel: str | None = None) -> Any:
        """Return the value of a widget."""
        return self._panel_of(label, panel).get(label)

    def click(self, label: str, panel: str | None = None) -> None:
        """Click a widget, wherever it is: its tab comes to the front, its panel scrolls."""
        if self._view.drawn:
            self._click(_center(self._spot(label, panel)))
            return
        owner = self._panel_of(label, panel)
        state = owner.widget_state(label)
        checked = state is not None and isinstance(state.widget, Checkbox) and state.value
        # Nothing is drawn, so nothing can be clicked: a box changes, a button is pressed.
        owner.enter(label, not checked)
        self.frames(2)

    def drag(self, label: str, to: Number, panel: str | None = None) -> None:
        """Drag a slider's grab to the value `to`, as near as its pixels allow."""
        owner, widget = self._owner(label, panel, Slider, SliderInt)
        if not self._view.drawn:
            return self._enter(owner, label, to)
        area = self._spot(label, panel)
        xs = _grab_track(widget, area.width, owner.get(label), to)
        self._drag([(area.x + x, area.y + area.height / 2) for x in xs])

    def type(self, label: str, text: str, panel: str | None = None) -> None:
        """Type into a text field in place of what it held, or a number into a slider."""
        owner = self._panel_of(label, panel)
        if not self._view.drawn:
            return self._enter(owner, label, text)
        state = owner.widget_state(label)
        at = _center(self._spot(label, panel))
        # Ctrl+click turns a slider into a text field.
        if state is not None and isinstance(state.widget, Slider | SliderInt):
            self._frame(KeyChanged("ctrl", True))
            self._click(at)
            self._frame(KeyChanged("ctrl", False))
        else:
            self._click(at)
            self._frame(KeyChanged("ctrl", True))
            # All of the old text is selected and deleted: what is typed replaces it.
            self.key("a")
            self._frame(KeyChanged("ctrl", False))
            self.key("backspace")
        self._frame(TextTyped(text))
        self.key("enter")

    def select(self, label: str, item: str | int, panel: str | None = None) -> None:
        """Choose an item of a drop-down list, by its text or its index."""
        owner, widget = self._owner(label, panel, Combo)
        text = widget.items[widget.accept(item)]
        if not self._view.drawn:
            return self._enter(owner, label, text)
        self.click(label, panel)
        # The list is open now, and its items have places of their own.
        self._click(_center(self._spot(f"{label}/{text}", owner.name)))

    def move(self, canvas: Canvas | SceneView, x: Number, y: Number) -> None:
        """Move the pointer to (x, y) in the pixels of a canvas's tensor, or of a scene's picture."""
        self._bring_into_sight(canvas)
        self._pointer = PointerMoved(*_on_canvas(canvas, x, y))
        self.frames(2)

    def stroke(self, canvas: Canvas | SceneView, points: Sequence[tuple[Number, Number]], *, button: int = 0) -> None:
        """Drag over a canvas through `points` in its tensor's pixels; button 0 is left, 1 right, 2 middle."""
        self._bring_into_sight(canvas)
        self._drag([_on_canvas(canvas, x, y) for x, y in points], button)

    def wheel(self, canvas: Canvas | SceneView, notches: Number, at: tuple[Number, Number] | None = None) -> None:
        """Turn the wheel over a canvas: at (x, y) in its tensor's pixels, else in the middle."""
        self._bring_into_sight(canvas)
        # Known now: a canvas in sight has a size.
        height, width = canvas.size or (1, 1)
        self.move(canvas, *(at or (width / 2, height / 2)))
        self._frame(WheelTurned(0.0, notches))
        self.frames(1)

    def key(self, name: str) -> None:
        """Press and release a key: "a", "enter", "left", "f5" …"""
        self._frame(KeyChanged(name, True))
        self._frame(KeyChanged(name, False))

    def answer_dialog(self, path: str | os.PathLike[str]) -> None:
        """Answer the file dialog that is open, or the next one; an empty path gives up."""
        self._view.dialogs.answers.append(os.fspath(path))

    def _frame(self, *events: Event) -> None:
        # The position every time: in a window the real pointer would otherwise move back in between.
        self._view.post(self._pointer, *events)
        # A program that turns its own loop ends its frames itself.
        if self._turn is not None:
            self._turn()
        elif self._view.step():
            self._view.end_step()

    def _enter(self, owner: Panel, label: str, value: object) -> None:
        """Give a widget a value where nothing is drawn that a pointer could find."""
        owner.enter(label, value)
        self._frame()

    def _click(self, at: tuple[Number, Number]) -> None:
        self._drag([at])

    def _drag(self, path: Sequence[tuple[Number, Number]], button: int = 0) -> None:
        # Moving, pressing and releasing need a frame each: widgets see one change per frame.
        self._pointer = PointerMoved(*path[0])
        self._frame()
        self._frame(PointerButton(button, True))
        for x, y in path[1:]:
            self._pointer = PointerMoved(x, y)
            self._frame()
        self._frame(PointerButton(button, False))
        self.frames(2)

    def _panel_of(self, label: str, panel: str | None) -> Panel:
        if panel is not None and panel not in self._view.panels:
            raise LookupError(f"there is no panel {panel!r}. Panels: {', '.join(self._view.panels)}.")
        if not self._holders(label, panel):
            self.frames(2)  # before the first frame there are no widgets, and the second one moves those below canvases
        owners = self._holders(label, panel)
        if not owners:
            raise LookupError(f"there is no widget {label!r}. Labels: {', '.join(self.labels(panel))}.")
        # Not the first one: a script that clicks the wrong panel is hard to debug.
        if len(owners) > 1:
            names = ", ".join(repr(owner.name) for owner in owners)
            raise LookupError(f"widget {label!r} is in the panels {names}: say which with panel=.")
        return owners[0]

    def _panels(self, panel: str | None) -> list[Panel]:
        """Return the panel of this name, or all of them."""
        return [owner for name, owner in self._view.panels.items() if panel in (None, name)]

    def _holders(self, label: str, panel: str | None) -> list[Panel]:
        return [owner for owner in self._panels(panel) if owner.widget_state(label) is not None]

    def _owner(self, label: str, panel: str | None, *kinds: Any) -> tuple[Panel, Any]:
        owner = self._panel_of(label, panel)
        state = owner.widget_state(label)
        if state is None or not isinstance(state.widget, kinds):
            raise LookupError(f"widget {label!r} is no {' or '.join(kind.__name__ for kind in kinds)}.")
        return owner, state.widget

    def _bring_into_sight(self, canvas: Canvas | SceneView) -> None:
        """Turn frames until a canvas is in sight: before the first one nothing has a place, nor has it behind a tab."""
        owners = [panel for panel in self._view.panels.values() if canvas in panel.canvases.values()]
        for _ in range(SEARCH_ROUNDS):
            if canvas.rectangle is not None and canvas.size is not None:
                return
            self._look_for(owners)
        raise LookupError(f"{canvas!r} is not in sight.")

    def _spot(self, label: str, panel: str | None) -> Rectangle:
        """Return the rectangle of a labelled item, brought into sight first."""
        # A file browser lies over all panels: its labels come first.
        for browser in self._view.dialogs.browsers:
            if label in browser.item_layout.placed:
                return browser.item_layout.placed[label].rectangle
        owner = self._panel_of(label, None) if panel is None else self._view.panels[panel]
        for _ in range(SEARCH_ROUNDS):
            spot = owner.item_layout.placed.get(label)
            if spot is not None and spot.visible:
                return spot.rectangle
            self._look_for([owner], label)
        raise LookupError(f"{label!r} does not come into sight in panel {owner.name!r}.")

    def _look_for(self, owners: Sequence[Panel], label: str = "") -> None:
        """Bring panels to the front, and scroll to `label` in them."""
        # Two frames: its tab comes to the front in the first, and its place is known in the second.
        for owner in owners:
            owner.focus_wanted, owner.item_layout.scroll_target = True, label
        self.frames(2)
        for owner in owners:
            owner.focus_wanted, owner.item_layout.scroll_target = False, ""


def _center(area: Rectangle) -> tuple[Number, Number]:
    return area.x + area.width / 2, area.y + area.height / 2


def _on_canvas(canvas: Canvas | SceneView, x: Number, y: Number) -> tuple[Number, Number]:
    """Convert a point from pixels of the canvas's tensor to window pixels."""
    assert canvas.rectangle is not None and canvas.size is not None
    height, width = canvas.size
    area = canvas.rectangle
    return area.x + x / width * area.width, area.y + y / height * area.height


def _grab_track(slider: Slider | SliderInt, width: float, start: Number, to: Number) -> list[float]:
    """Return the pointer's way, from a slider's left end, that drags its grab from one value to another."""
    # The arithmetic of Dear ImGui's SliderBehavior: an integer's grab is as wide as its share of the range.
    style = imgui.get_style()
    track = width - 2 * GRAB_PADDING
    grab = max(track / (slider.max - slider.min + 1) if isinstance(slider, SliderInt) else 0.0, style.grab_min_size)
    ends = [GRAB_PADDING + grab / 2 + slider.position(value) * (track - grab) for value in (start, to)]
    # In steps: a jump to the end would be a click, and sliders follow only a pointer that moves.
    return [ends[0] + (ends[1] - ends[0]) * step / DRAG_STEPS for step in range(DRAG_STEPS + 1)]
