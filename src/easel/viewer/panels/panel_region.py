"""Region: a docked part of a view as a thing that is drawn, with the one door that all of its widgets pass."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from jaxtyping import Shaped
from torch import Tensor

from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.history import FrameTimeline
from easel.viewer.canvas.placement import place_canvases
from easel.viewer.imgui.arguments import check_callable, check_name
from easel.viewer.imgui.error_guard import Guard
from easel.viewer.imgui.fonts import warn_missing_glyphs
from easel.viewer.imgui.item_layout import ItemLayout
from easel.viewer.imgui.sketch import Number, Sketch, Words
from easel.viewer.imgui.theme import ALARM
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.panels.frame_state import Turn
from easel.viewer.widgets.controls import FieldControls
from easel.viewer.widgets.readouts import Readout, Text
from easel.viewer.widgets.widget_state import UNSET, WidgetState
from easel.viewer.widgets.widgets import Button, Widget

T = TypeVar("T")
Callback = TypeVar("Callback", bound=Callable[[], object])

TAB = "##tab"
"""The label under which scripts find a panel's tab."""


class Region:
    """A docked region of a view: its canvases, its callbacks, and what its labels stand for."""

    def __init__(self, name: str, turn: Turn, *, window: str = "", timeline: FrameTimeline | None = None) -> None:
        self.name = name
        self.hidden = False
        """It is on a page that is not shown: nothing of it is drawn, and its callbacks rest."""
        self.canvases: dict[str, Canvas] = {}
        self.guard = Guard(f"panel {name!r}", turn.ui, turn.strict)
        self.item_layout = ItemLayout()
        self.items: list[tuple[str, Widget[Any], Any] | Readout] = []
        """What this frame's widgets are, in order, with labels and values."""
        self.closable = False
        """Its tab has a box that closes it."""
        self.open = True
        """False hides it: its callbacks go on, and nothing of it is drawn. Resetting the layout opens it again."""
        self.visible = False
        """Some of it can be seen: it is not behind another tab."""
        self.focus_wanted = False
        """A script asks for this panel to be in front of those that share its place."""
        self._turn = turn
        self._window = window or name
        """What Dear ImGui knows it by."""
        self._timeline = FrameTimeline() if timeline is None else timeline
        self._callbacks: dict[object, Callable[[], object]] = {}
        self._states: dict[str, WidgetState] = {}
        self._forms: dict[object, FieldControls] = {}
        self._entered = 0
        self._disabled = 0
        self._unnoted = 0
        self._buttons = 0
        self._widgets_top = 0.0
        self._widgets_height = 0.0

    def __repr__(self) -> str:
        return f"Panel({self.name!r})"

    def canvas(self, name: str, *, filter: str = "linear", fit: bool = True) -> Canvas:
        """This panel's canvas of that name, made when there is none yet; later calls ignore the settings."""
        check_name(name, "a canvas")
        if name not in self.canvases:
            self.canvases[name] = Canvas(name, filter=filter, fit=fit, recording_clock=self._turn.recording_clock)
            self.canvases[name].timeline = self._timeline
            self.canvases[name].share = self._turn.share
        return self.canvases[name]

    def on_frame(self, callback: Callback) -> Callback:
        """Call `callback` in every frame, inside the panel, below its canvases; defined again, it replaces itself."""
        check_callable(callback, f"a callback of panel {self.name!r}")
        self._callbacks[callback_key(callback)] = callback
        return callback

    @contextmanager
    def row(self) -> Iterator[None]:
        """Children stand side by side; rows may stand in rows."""
        with self._inside() as drawn:
            if drawn:
                self.item_layout.begin_row()
            try:
                yield
            finally:
                if drawn:
                    self.item_layout.end_row()

    @contextmanager
    def enabled(self, enabled: bool) -> Iterator[None]:
        """Children are greyed out, and cannot be used or pressed, while `enabled` is False."""
        with self._inside() as drawn:
            self._disabled += not enabled
            if drawn:
                imgui.begin_disabled(not enabled)
            try:
                yield
            finally:
                if drawn:
                    imgui.end_disabled()
                self._disabled -= not enabled

    @contextmanager
    def unnoted(self) -> Iterator[None]:
        """What a person does to children is no edit: the program notes what it makes of it, by `Page.note_edit`."""
        self._unnoted += 1
        try:
            yield
        finally:
            self._unnoted -= 1

    def button(self, label: str, width: Number = 0, height: Number = 0, *, help: str = "") -> bool:
        """True in exactly one frame per click; `width=-1` takes what is free, 0 what the label needs."""
        self._buttons += 1
        return self.ask(label, Button(width, height, self._buttons), help)

    def set(self, label: str, value: object) -> None:
        """Give a widget a value, even before it exists; it takes it, converted and in range, when it is called next."""
        self._states.setdefault(label, WidgetState()).pending = value

    def enter(self, label: str, value: object) -> None:
        """The same as a person does it: it can be undone."""
        self.set(label, value)
        self._states[label].by_hand = True

    def get(self, label: str, default: Any = None) -> Any:
        """What the widget returned last, else what was set, else `default`."""
        slot = self._states.get(label, WidgetState())
        return next((value for value in (slot.value, slot.pending) if value is not UNSET), default)

    @property
    def values(self) -> dict[str, object]:
        """What its widgets hold, by label, as JSON can keep it; also what `recall` brought and none has taken yet."""
        told = {label: slot.plain for label, slot in self._states.items()}
        return {label: value for label, value in told.items() if value is not UNSET}

    def recall(self, values: Mapping[str, object]) -> None:
        """Bring back `values`. A widget takes its own when it is called next; a button never does."""
        for label, value in values.items():
            self._states.setdefault(label, WidgetState()).restored = value

    def press(self, label: str) -> None:
        """Click a button from code: its next call returns True."""
        self.set(label, True)

    # What the view does with a panel

    def draw(self) -> None:
        """One frame of the panel: canvases, then callbacks, then what went wrong in them."""
        self.items = []
        self.item_layout.placed = {}
        self._buttons = 0
        for canvas in self.canvases.values():
            canvas.rectangle = None
        with self._inside() as drawn:
            if drawn:
                warn_missing_glyphs(self.name)
                self._draw_menu()
                canvases = self.canvases.values()
                place_canvases(canvases, self._widgets_height, self.look, self._turn.placements)
                self._widgets_top = imgui.get_cursor_pos_y()
            else:
                for canvas in self.canvases.values():
                    canvas.point_at(None)
            for key, callback in list(self._callbacks.items()):
                self.guard.run(key, callback)
            self._draw_failures()

    def arrive(self) -> None:
        """Have its window, empty, in a frame that nobody sees: Dear ImGui gives it its size one frame later."""
        was_open = self.open
        self._begin()
        self._end()
        self.open = was_open

    def leave(self) -> None:
        """Be out of sight, with all that is in it."""
        self.hidden, self.visible, self.items, self.item_layout.placed = True, False, [], {}
        for canvas in self.canvases.values():
            canvas.rectangle = None
            canvas.point_at(None)

    @property
    def works(self) -> bool:
        """Every frame means something to it, seen or not: it has callbacks, or a canvas that keeps frames."""
        keeping = (canvas.history is not None or canvas.is_recording for canvas in self.canvases.values())
        return bool(self._callbacks) or self.focus_wanted or any(keeping)

    def sketch(self) -> list[Sketch]:
        """The widgets of the last frame, for the eye alone."""
        return [item[1].sketch(item[0], item[2]) if isinstance(item, tuple) else item.sketch() for item in self.items]

    def look(self, canvas: Canvas) -> Shaped[Tensor, "h w c"] | None:
        """What a canvas shows now; None when unbound, or when a bound function failed, which the panel then tells."""
        return self.guard.run(("canvas", canvas.name, canvas.version), canvas.look)

    def remember(self, canvas: Canvas, step: int) -> None:
        """Keep what a canvas has now in its history, if it keeps one."""
        if canvas.history is not None:
            self.guard.run(("canvas", canvas.name, canvas.version), partial(canvas.remember, step))

    def slot(self, label: str) -> WidgetState | None:
        """What stands behind a label, if a widget was ever called or set under it."""
        return self._states.get(label)

    def _draw_menu(self) -> None:
        """What a right click on the panel's tab offers."""
        self.item_layout.record(TAB)
        if self.closable:
            self.item_layout.record_tab_close(TAB)
        if imgui.begin_popup_context_item("##panel"):
            if imgui.menu_item("Reset layout", "", False)[0]:
                self._turn.layout_reset = True
            self.item_layout.record(f"{TAB}/Reset layout")
            imgui.end_popup()

    def _draw_failures(self) -> None:
        for number, (key, failure) in enumerate(list(self.guard.failures.items())):
            times = f" ({failure.count} times)" if failure.count > 1 else ""
            self._tell(Text(f"{failure.message}{times}", ALARM, wrapped=True))
            if self.button("Retry" if number == 0 else f"Retry##{number}"):
                self.guard.retry(key)

    # The one door of all widgets

    @contextmanager
    def _inside(self) -> Iterator[bool]:
        """Inside the panel's window, entering it again when called from elsewhere; False where nothing is drawn."""
        self._turn.wake()
        ui = self._turn.ui
        if ui is None or not self._turn.running or not self.open or self.hidden:
            self.visible = False
            yield False
            return
        ui.activate()
        if self._entered:
            yield self.visible
            return
        if self.focus_wanted:
            imgui.set_next_window_focus()
        self._entered += 1
        try:
            self.visible = self._begin()
            yield self.visible
        finally:
            ui.activate()
            if self.visible:
                # What is below the canvases keeps its room in the next frame.
                bottom = imgui.get_cursor_pos_y() - imgui.get_style().item_spacing.y
                self._widgets_height = max(bottom - self._widgets_top, 0.0)
            self._end()
            self._entered -= 1

    def _begin(self) -> bool:
        """Begin the region's window; False when nothing of it can be seen."""
        visible, kept_open = imgui.begin(self._window, True if self.closable else None)
        self.open = kept_open is not False
        return visible

    def _end(self) -> None:
        imgui.end()

    def _tell(self, readout: Readout, label: str = "") -> None:
        with self._inside() as drawn:
            self.items.append(readout)
            if drawn:
                self.item_layout.next_item()
                readout.draw(self.item_layout)
                if label:
                    self.item_layout.record(label)

    def ask(self, label: str, widget: Widget[T], help: str = "", *, given: object = UNSET) -> T:
        """Any widget, by its own class: what the methods above are made of.

        `given` is for what the program keeps itself: the value that it holds now. The widget shows that whenever the
        program has changed it, and otherwise what a person made of it.
        """
        check_name(label, f"a widget of panel {self.name!r}")
        slot = self._states.setdefault(label, WidgetState())
        if self._turn.running:
            self._claim(label, slot, widget)
        if self._disabled and widget.momentary:
            slot.pending = UNSET
        before = slot.value
        value = taken = slot.take(widget, given)
        with self._inside() as drawn:
            if drawn:
                self.item_layout.next_item()
                value = widget.accept(widget.draw(self.item_layout, label, value))
                words = widget.sketch(label, value)
                if isinstance(words, Words):
                    warn_missing_glyphs(words.text)
                if label not in self.item_layout.placed:
                    self.item_layout.record(label)
                if help and imgui.begin_item_tooltip():
                    imgui.push_text_wrap_pos(24 * imgui.get_font_size())
                    imgui.text_unformatted(help)
                    imgui.pop_text_wrap_pos()
                    imgui.end_tooltip()
            self.items.append((label, widget, value))
            if slot.complaint:
                self._tell(Text(f"{label.partition('##')[0]}: {slot.complaint}", ALARM, wrapped=True))
        if slot.by_hand:
            taken = widget.accept(widget.default) if before is UNSET else before
        if value != taken and widget.kept and not self._unnoted:
            self._turn.edits.note(self, label, partial(self.set, label, taken), partial(self.set, label, value))
        slot.value, slot.by_hand = value, False
        return value

    def _is_claimed(self, label: str) -> bool:
        """A widget has used the label in this frame."""
        return self._turn.running and label in self._states and self._states[label].frame == self._turn.index

    def _claim(self, label: str, slot: WidgetState, widget: Widget[Any]) -> None:
        if self._is_claimed(label):
            kind = type(widget).__name__
            raise ValueError(
                f"panel {self.name!r} already has a widget {label!r} in this frame ({kind}). Labels name a widget's "
                f"value: use '{label.partition('##')[0]}##2' or another label."
            )
        slot.frame = self._turn.index


def callback_key(callback: Callable[[], object]) -> object:
    """What makes two callbacks the same one defined again: the name in full and, for a method, its object."""
    name = getattr(callback, "__qualname__", "<lambda>")
    if "<lambda>" in name:
        return id(callback)
    return getattr(callback, "__module__", ""), name, id(getattr(callback, "__self__", None))
