"""Region: a docked window of a view, and the one door through which all of its widgets are drawn."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, TypeVar

from easel.viewer.imgui.arguments import check_callable, check_name
from easel.viewer.imgui.error_guard import Guard
from easel.viewer.imgui.fonts import warn_missing_glyphs
from easel.viewer.imgui.item_layout import ItemLayout
from easel.viewer.imgui.sketch import Number, Sketch, Words
from easel.viewer.imgui.theme import ALARM
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.panels.frame_state import FrameState
from easel.viewer.widgets.readouts import Readout, Text
from easel.viewer.widgets.widget_state import UNSET, WidgetState
from easel.viewer.widgets.widgets import Button, Widget

T = TypeVar("T")
Callback = TypeVar("Callback", bound=Callable[[], object])

TAB = "##tab"
"""Label under which scripts find a panel's tab."""
TOOLTIP_EMS = 24.0
"""Width at which a widget's help wraps."""


class Region:
    """A docked window of a view: its callbacks, its widgets, and the values behind their labels."""

    def __init__(self, name: str, frame_state: FrameState, *, window: str = "") -> None:
        self.name = name
        self.hidden = False
        """True on a page that is not shown: nothing is drawn, and callbacks are not called."""
        self.guard = Guard(f"panel {name!r}", frame_state.ui, frame_state.strict)
        self.item_layout = ItemLayout()
        self.items: list[tuple[str, Widget[Any], Any] | Readout] = []
        """This frame's widgets in order: (label, widget, value), or a readout."""
        self.closable = False
        """Its tab has a close box."""
        self.open = True
        """False hides it while its callbacks go on. Resetting the layout opens it again."""
        self.visible = False
        """False behind another tab, or while nothing is drawn."""
        self.focus_wanted = False
        """Request of a script: bring this panel in front of those that share its place."""
        self._frame_state = frame_state
        self._window = window or name
        """Dear ImGui's name of the window."""
        self._callbacks: dict[object, Callable[[], object]] = {}
        self._states: dict[str, WidgetState] = {}
        self._entered = self._disabled = self._unnoted = self._buttons = 0
        self._widgets_top = self._widgets_height = 0.0

    def __repr__(self) -> str:
        return f"Panel({self.name!r})"

    def on_frame(self, callback: Callback) -> Callback:
        """Call `callback` in every frame, inside the panel, below its canvases; defined again, it replaces itself."""
        check_callable(callback, f"a callback of panel {self.name!r}")
        self._callbacks[callback_key(callback)] = callback
        return callback

    @contextmanager
    def row(self) -> Iterator[None]:
        """Place the widgets called inside side by side; rows nest."""
        with self._inside() as drawn, ExitStack() as leaving:
            if drawn:
                self.item_layout.begin_row()
                leaving.callback(self.item_layout.end_row)
            yield

    @contextmanager
    def enabled(self, enabled: bool) -> Iterator[None]:
        """Grey out the widgets called inside while `enabled` is False; they cannot be used or pressed then."""
        with self._inside() as drawn:
            # Counted, not set: `enabled` blocks may be nested, and all must agree.
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
        """Keep changes of the widgets called inside out of undo; the program notes its own with `Page.note_edit`."""
        self._unnoted += 1
        try:
            yield
        finally:
            self._unnoted -= 1

    def button(self, label: str, width: Number = 0, height: Number = 0, *, help: str = "") -> bool:
        """Draw a button. Returns True in exactly one frame per click.

        Sizes are in pixels: `width=-1` takes the free width, 0 what the label needs.
        """
        self._buttons += 1
        return self.ask(label, Button(width, height, self._buttons), help)

    def set(self, label: str, value: object) -> None:
        """Give a widget a value, before it exists if need be; its next call takes it, converted and in range."""
        self._states.setdefault(label, WidgetState()).pending = value

    def enter(self, label: str, value: object) -> None:
        """Give a widget a value as a person would: the change can be undone."""
        self.set(label, value)
        self._states[label].by_hand = True

    def get(self, label: str, default: Any = None) -> Any:
        """Return the widget's last value, else the one that was set, else `default`."""
        state = self._states.get(label, WidgetState())
        return next((value for value in (state.value, state.pending) if value is not UNSET), default)

    @property
    def values(self) -> dict[str, object]:
        """Widget values by label, plain enough for JSON; values of `recall` that no widget has taken yet included."""
        return {label: plain for label, state in self._states.items() if (plain := state.plain) is not UNSET}

    def recall(self, values: Mapping[str, object]) -> None:
        """Restore `values`. Each widget takes its own at its next call; a button never does."""
        for label, value in values.items():
            self._states.setdefault(label, WidgetState()).restored = value

    def press(self, label: str) -> None:
        """Click a button from code: its next call returns True."""
        self.set(label, True)

    # The view's side of a panel

    def draw(self) -> None:
        """Draw one frame: canvases, then callbacks, then the errors of either."""
        self.items, self.item_layout.placed = [], {}
        self._buttons = 0
        with self._inside() as drawn:
            if drawn:
                warn_missing_glyphs(self.name)
                self._draw_menu()
            self._draw_canvases(drawn)
            if drawn:
                self._widgets_top = imgui.get_cursor_pos_y()
            # A copy: a callback may define another one.
            for key, callback in list(self._callbacks.items()):
                self.guard.run(key, callback)
            self._draw_failures()

    def arrive(self) -> None:
        """Submit the empty window in a frame that nobody sees: Dear ImGui sizes docked windows one frame late."""
        # The empty frame must not close it: `_begin` writes what Dear ImGui says of the box.
        was_open = self.open
        self._begin()
        self._end()
        self.open = was_open

    def leave(self) -> None:
        """Go out of sight with all content."""
        self.hidden = True
        self.visible = False
        self.items, self.item_layout.placed = [], {}
        self._draw_canvases(False)

    @property
    def works(self) -> bool:
        """True when every frame matters, seen or not: there are callbacks, or a script wants the focus."""
        return bool(self._callbacks) or self.focus_wanted

    def sketch(self) -> list[Sketch]:
        """Return last frame's widgets as toolkit-free shapes."""
        return [item[1].sketch(item[0], item[2]) if isinstance(item, tuple) else item.sketch() for item in self.items]

    def widget_state(self, label: str) -> WidgetState | None:
        """Return the state behind a label, if a widget was ever called or set under it."""
        return self._states.get(label)

    def _draw_canvases(self, drawn: bool) -> None:
        """Draw what stands above the widgets; `drawn` is False where the window cannot be seen."""

    def _draw_menu(self) -> None:
        """Draw the context menu of the panel's tab."""
        self.item_layout.record(TAB)
        if self.closable:
            self.item_layout.record_tab_close(TAB)
        if imgui.begin_popup_context_item("##panel"):
            if imgui.menu_item("Reset layout", "", False)[0]:
                self._frame_state.layout_reset = True
            self.item_layout.record(f"{TAB}/Reset layout")
            imgui.end_popup()

    def _draw_failures(self) -> None:
        # A copy: Retry takes a failure out of the table.
        for number, (key, failure) in enumerate(list(self.guard.failures.items())):
            times = f" ({failure.count} times)" if failure.count > 1 else ""
            self._show(Text(f"{failure.message}{times}", ALARM, wrapped=True))
            # A label names one widget: the second button needs a name of its own.
            if self.button("Retry" if number == 0 else f"Retry##{number}"):
                self.guard.retry(key)

    # The one door of all widgets

    @contextmanager
    def _inside(self) -> Iterator[bool]:
        """Enter the panel's window unless it is entered already. Yields False where nothing is drawn."""
        self._frame_state.ensure_frame()
        ui = self._frame_state.ui
        if ui is None or not self._frame_state.running or not self.open or self.hidden:
            self.visible = False
            yield False
            return
        ui.activate()
        # A widget called between `step` and `end_step` enters its window once more, and Dear ImGui appends to it;
        # inside a callback the window is the current one already.
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
            ui.activate()  # the code inside may have stepped another view
            if self.visible:
                # The canvases of the next frame leave this height to the widgets below them.
                bottom = imgui.get_cursor_pos_y() - imgui.get_style().item_spacing.y
                self._widgets_height = max(bottom - self._widgets_top, 0.0)
            self._end()
            self._entered -= 1

    def _begin(self) -> bool:
        """Begin the region's window. False when nothing of it can be seen."""
        visible, kept_open = imgui.begin(self._window, True if self.closable else None)
        self.open = kept_open is not False  # None, of a window without a close box, is open
        return visible

    def _end(self) -> None:
        imgui.end()

    def _show(self, readout: Readout, label: str = "") -> None:
        """Draw something that holds no value."""
        with self._inside() as drawn:
            self.items.append(readout)
            if drawn:
                self.item_layout.next_item()
                readout.draw(self.item_layout)
                if label:
                    self.item_layout.record(label)

    def ask(self, label: str, widget: Widget[T], help: str = "", *, given: object = UNSET) -> T:
        """Draw any widget, by its own class, and return its value: the basis of the methods above.

        `given` is the value that the program itself holds. The widget shows it whenever the program has changed it,
        and otherwise what a person made of it. ValueError for a label that was used in this frame already.
        """
        check_name(label, f"a widget of panel {self.name!r}")
        state = self._states.setdefault(label, WidgetState())
        if self._frame_state.running:
            self._claim(label, state, widget)
        # A press set by code would otherwise come true in the frame in which the button is enabled.
        if self._disabled and widget.momentary:
            state.pending = UNSET
        before = state.value
        value = taken = state.take(widget, given)
        with self._inside() as drawn:
            if drawn:
                value = self._draw_widget(label, widget, taken, help)
            self.items.append((label, widget, value))
            # Below its widget, in the frame in which it occurs.
            if state.complaint:
                self._show(Text(f"{label.partition('##')[0]}: {state.complaint}", ALARM, wrapped=True))
        if state.by_hand:
            # A script entered it: the value to go back to is the one before, not the one that was taken.
            taken = widget.accept(widget.default) if before is UNSET else before
        if value != taken and widget.kept and not self._unnoted:
            self._frame_state.edits.note(self, label, partial(self.set, label, taken), partial(self.set, label, value))
        state.value = value
        state.by_hand = False
        return value

    def _draw_widget(self, label: str, widget: Widget[T], value: T, help: str) -> T:
        self.item_layout.next_item()
        value = widget.accept(widget.draw(self.item_layout, label, value))
        words = widget.sketch(label, value)
        if isinstance(words, Words):
            warn_missing_glyphs(words.text)
        # A drop-down list has recorded its own place already, before those of its items.
        if label not in self.item_layout.placed:
            self.item_layout.record(label)
        if help and imgui.begin_item_tooltip():
            imgui.push_text_wrap_pos(TOOLTIP_EMS * imgui.get_font_size())
            imgui.text_unformatted(help)
            imgui.pop_text_wrap_pos()
            imgui.end_tooltip()
        return value

    def _is_claimed(self, label: str) -> bool:
        """True when a widget has used the label in this frame."""
        state = self._states.get(label)
        return self._frame_state.running and state is not None and state.frame == self._frame_state.index

    def _claim(self, label: str, state: WidgetState, widget: Widget[Any]) -> None:
        if self._is_claimed(label):
            raise ValueError(
                f"panel {self.name!r} already has a widget {label!r} in this frame ({type(widget).__name__}). Labels "
                f"name a widget's value: use '{label.partition('##')[0]}##2' or another label."
            )
        state.frame = self._frame_state.index


def callback_key(callback: Callable[[], object]) -> object:
    """Return the identity under which a callback that is defined again replaces itself.

    A function's is its full name, a method's also its object; a lambda, which has no name, is only itself.
    """
    name = getattr(callback, "__qualname__", "<lambda>")
    # All lambdas of a module have the same name; replacing one by another would lose the first.
    if "<lambda>" in name:
        return id(callback)
    return getattr(callback, "__module__", ""), name, id(getattr(callback, "__self__", None))
