"""Panel: a docked region with canvases and widgets."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Shaped
from torch import Tensor
from torch.optim import Optimizer

from easel.graphics.files import FileError
from easel.graphics.video import check_film
from easel.viewer.canvas import Canvas
from easel.viewer.containment import Guard
from easel.viewer.controls import Fields
from easel.viewer.describe import Range, describe
from easel.viewer.dialogs import Filters, Question
from easel.viewer.fonts import note_missing
from easel.viewer.pen import Pen
from easel.viewer.placement import place_canvases
from easel.viewer.readouts import Plot, Progress, Readout, Section, Text, as_curve
from easel.viewer.recording import Recordable, free_path
from easel.viewer.sketch import Number, Rgba, Sketch, Words
from easel.viewer.slots import UNSET, Slot
from easel.viewer.theme import ALARM
from easel.viewer.toolkit import imgui
from easel.viewer.turn import Turn
from easel.viewer.watch import watch
from easel.viewer.widgets import Button, Checkbox, ColorPicker, Combo, InputText, Slider, SliderInt, Widget

T = TypeVar("T")
Callback = TypeVar("Callback", bound=Callable[[], object])

SAVING = "Saving ..."
"""On a record button while its film is completed."""
TAB = "##tab"
"""The label under which scripts find a panel's tab."""


class Panel:
    """A docked region of a view; made by `View.panel`.

    Widgets return their value. They may be called in the panel's `on_frame` callbacks or anywhere between `step` and
    `end_step`; before the first frame they return what they hold. A widget's label names its value within the panel:
    `lr##2` reads "lr" and is another one.
    """

    def __init__(self, name: str, turn: Turn) -> None:
        self.name = name
        self.canvases: dict[str, Canvas] = {}
        self.guard = Guard(f"panel {name!r}", turn.ui, turn.strict)
        self.pen = Pen()
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
        self._callbacks: dict[object, Callable[[], object]] = {}
        self._slots: dict[str, Slot] = {}
        self._forms: dict[object, Fields] = {}
        self._entered = 0
        self._disabled = 0
        self._buttons = 0
        self._widgets_top = 0.0
        self._widgets_height = 0.0

    def __repr__(self) -> str:
        return f"Panel({self.name!r})"

    def canvas(self, name: str, *, filter: str = "linear", fit: bool = True) -> Canvas:
        """This panel's canvas of that name, made when there is none yet; later calls ignore the settings."""
        if name not in self.canvases:
            self.canvases[name] = Canvas(name, filter=filter, fit=fit, recording_clock=self._turn.recording_clock)
            self.canvases[name].timeline = self._turn.timeline
        return self.canvases[name]

    def on_frame(self, callback: Callback) -> Callback:
        """Call `callback` in every frame, inside the panel, below its canvases; defined again, it replaces itself."""
        self._callbacks[callback_key(callback)] = callback
        return callback

    @contextmanager
    def row(self) -> Iterator[None]:
        """Children stand side by side; rows may stand in rows."""
        with self._inside() as drawn:
            if drawn:
                self.pen.begin_row()
            try:
                yield
            finally:
                if drawn:
                    self.pen.end_row()

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

    def text(self, text: object, *, color: Rgba | None = None) -> None:
        """Anything, as text."""
        self._tell(Text(str(text), color))

    def text_colored(self, red: Number, green: Number, blue: Number, alpha: Number, text: object) -> None:
        """Text in a colour with components in [0, 1]."""
        self._tell(Text(str(text), (red, green, blue, alpha)))

    def text_wrapped(self, text: object, *, color: Rgba | None = None) -> None:
        """Text that goes on in the next line where the panel ends."""
        self._tell(Text(str(text), color, wrapped=True))

    def separator(self) -> None:
        """A line across the panel."""
        self._tell(Section())

    def section(self, title: str) -> None:
        """A heading over the widgets that follow."""
        self._tell(Section(title))

    def plot(
        self,
        values: Iterable[Any] | np.ndarray | Tensor,
        *,
        label: str = "##plot",
        overlay: str = "",
        width: Number = 0.0,
        height: Number = 80.0,
    ) -> None:
        """Values as a line over their own range, `overlay` written over it; non-finite ones leave gaps."""
        self._tell(Plot(as_curve(values), overlay, width, height, label), label)

    def progress(self, fraction: Number, *, overlay: str = "") -> None:
        """A bar for a share in [0, 1]; the percentage is written over it unless `overlay` is."""
        self._tell(Progress(float(fraction), overlay))

    def button(self, label: str, width: Number = 0, height: Number = 0, *, help: str = "") -> bool:
        """True in exactly one frame per click; `width=-1` takes what is free, 0 what the label needs."""
        self._buttons += 1
        return self.ask(label, Button(width, height, self._buttons), help)

    def checkbox(self, label: str, *, default: bool = False, help: str = "") -> bool:
        return self.ask(label, Checkbox(default), help)

    def slider(
        self,
        label: str,
        min: Number = 0.0,
        max: Number = 1.0,
        *,
        default: Number | None = None,
        log: bool = False,
        format: str = "%.3f",
        help: str = "",
    ) -> float:
        """A number in [min, max], from min when there is no default; Ctrl+click types one.

        With `log` every decade is equally long; where `min` is 0, it stands at the left end before the decades that
        `format` shows.
        """
        return self.ask(label, Slider(min, max, min if default is None else default, log, format), help)

    def slider_int(
        self, label: str, min: int = 0, max: int = 100, *, default: int = 0, format: str = "%d", help: str = ""
    ) -> int:
        """A whole number in [min, max]."""
        return self.ask(label, SliderInt(min, max, default, format), help)

    def color_picker(
        self, label: str, *, default: Sequence[Number] = (1.0, 1.0, 1.0), help: str = ""
    ) -> tuple[float, float, float]:
        """Red, green and blue in [0, 1], display-referred like every picture."""
        return self.ask(label, ColorPicker(tuple(default)), help)

    def combo(self, label: str, items: Sequence[str], *, default: int = 0, help: str = "") -> int:
        """The index of the chosen item; 0 when there is none to choose."""
        return self.ask(label, Combo(tuple(map(str, items)), default), help)

    def input_text(self, label: str, *, default: str = "", max_length: int = 256, help: str = "") -> str:
        """A line of text of up to `max_length` characters."""
        return self.ask(label, InputText(default, max_length), help)

    def edit(self, config: T, *, name: str = "", ranges: Mapping[str, Range] | None = None) -> T:
        """A control for every field of a dataclass instance, its docstring as help; returns the changed object.

        A frozen one is replaced by another, the very same comes back while nobody changes it; a mutable one is
        written into. What a person made of a field stays until the program itself gives another value, so both
        `config = panel.edit(config)` and `proposed = panel.edit(config)` do what they say. What the class refuses is
        told, and the object stays as it was.

        `Annotated[float, Range(...)]` says how far a slider goes, as does `ranges` by field name ("net.width" for a
        field of a nested one); else it is taken from the value at first. Fields that nothing can edit are shown as
        text. Labels are the fields' names, with spaces for underscores; `name` tells two such forms in one panel
        apart ("lr##name").
        """
        key = (name, type(config), *(ranges or {}).items())
        if key not in self._forms:
            self._forms[key] = describe(config, name, ranges)
        return self._forms[key].draw(self, config)

    def watch(self, optimizer: Optimizer, *, name: str = "") -> None:
        """Sliders for learning rate, weight decay and momentum (or betas) of every parameter group.

        They act at the next step, and follow when a schedule or the program changes a value. Labels: "lr", "weight
        decay", "momentum", "beta 1", "beta 2", with "##group 0" (or the group's own name) where there are several.
        """
        watch(self, optimizer, name)

    def file_dialog(
        self,
        label: str,
        *,
        title: str = "Open File",
        filters: Filters | None = None,
        initial_dir: str | None = None,
        help: str = "",
    ) -> str | None:
        """A button that asks for a file beside the loop; the path is returned once, in the frame after the answer."""
        return self._ask_file(label, Question(title, tuple(filters or ()), initial_dir or ""), help)

    def save_file_dialog(
        self,
        label: str,
        *,
        title: str = "Save File",
        filters: Filters | None = None,
        initial_dir: str | None = None,
        default_extension: str = ".png",
        help: str = "",
    ) -> str | None:
        """The same for a file to write; `default_extension` is appended when the person gives none."""
        question = Question(title, tuple(filters or ()), initial_dir or "", True, default_extension)
        return self._ask_file(label, question, help)

    def record_button(
        self,
        canvas: Recordable,
        path: str | os.PathLike[str] = "recording.gif",
        *,
        fps: Number = 30,
        quality: Number = 0.8,
        start_label: str = "Record",
        stop_label: str = "Stop Recording",
        help: str = "",
    ) -> bool:
        """A button that starts and stops the recording of a canvas, or of a view; True while it records.

        An existing file is kept, the film is then called "recording-2.gif", and so on. What goes wrong with the film
        is told below the button.
        """
        check_film(path, fps)
        label = stop_label if canvas.is_recording else SAVING if canvas.is_saving else start_label
        if label != start_label and self._is_claimed(label):
            label = f"{label}##{start_label}"
        self._buttons += 1
        with self.enabled(canvas.is_recording or not canvas.is_saving):
            color = ALARM if canvas.is_recording else None
            if self.ask(label, Button(0, 0, self._buttons, color), help):
                _toggle_recording(canvas, path, fps, quality)
        if canvas.save_error:
            self.text_wrapped(canvas.save_error, color=ALARM)
        return canvas.is_recording

    def timeline(self, label: str = "Step") -> int | None:
        """A slider over all steps that canvases of the view keep, and a way back; the step shown, None for now."""
        timeline, steps = self._turn.timeline, self._turn.timeline.steps
        if not steps:
            self.text("No history yet")
            return None
        standing, slot = steps[-1] if timeline.shown is None else timeline.shown, self.slot(label)
        if slot is None or slot.pending is UNSET:
            self.set(label, standing)  # now moves on, and a program may go back as well
        chosen = self.slider_int(label, steps[0], steps[-1])
        if chosen != standing:
            timeline.show(chosen)
        with self.enabled(timeline.shown is not None):
            if self.button(f"Now##{label}"):
                timeline.live()
        return timeline.shown

    def set(self, label: str, value: object) -> None:
        """Give a widget a value, even before it exists; it takes it, converted and in range, when it is called next."""
        self._slots.setdefault(label, Slot()).pending = value

    def get(self, label: str, default: Any = None) -> Any:
        """What the widget returned last, else what was set, else `default`."""
        slot = self._slots.get(label, Slot())
        return next((value for value in (slot.value, slot.pending) if value is not UNSET), default)

    def press(self, label: str) -> None:
        """Click a button from code: its next call returns True."""
        self.set(label, True)

    # What the view does with a panel

    def draw(self) -> None:
        """One frame of the panel: canvases, then callbacks, then what went wrong in them."""
        self.items = []
        self.pen.spots = {}
        self._buttons = 0
        for canvas in self.canvases.values():
            canvas.rectangle = None
        with self._inside() as drawn:
            if drawn:
                note_missing(self.name)
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

    def slot(self, label: str) -> Slot | None:
        """What stands behind a label, if a widget was ever called or set under it."""
        return self._slots.get(label)

    def _draw_menu(self) -> None:
        """What a right click on the panel's tab offers."""
        self.pen.keep_spot(TAB)
        if self.closable:
            self.pen.keep_tab_close(TAB)
        if imgui.begin_popup_context_item("##panel"):
            if imgui.menu_item("Reset layout", "", False)[0]:
                self._turn.layout_reset = True
            self.pen.keep_spot(f"{TAB}/Reset layout")
            imgui.end_popup()

    def _draw_failures(self) -> None:
        for number, (key, failure) in enumerate(list(self.guard.failures.items())):
            times = f" ({failure.count} times)" if failure.count > 1 else ""
            self.text_wrapped(f"{failure.message}{times}", color=ALARM)
            if self.button("Retry" if number == 0 else f"Retry##{number}"):
                self.guard.retry(key)

    # The one door of all widgets

    @contextmanager
    def _inside(self) -> Iterator[bool]:
        """Inside the panel's window, entering it again when called from elsewhere; False where nothing is drawn."""
        ui = self._turn.ui
        if ui is None or not self._turn.running or not self.open:
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
            self.visible, kept_open = imgui.begin(self.name, True if self.closable else None)
            yield self.visible
        finally:
            ui.activate()
            if self.visible:
                # What is below the canvases keeps its room in the next frame.
                bottom = imgui.get_cursor_pos_y() - imgui.get_style().item_spacing.y
                self._widgets_height = max(bottom - self._widgets_top, 0.0)
            imgui.end()
            self._entered -= 1
        self.open = kept_open is not False

    def _tell(self, readout: Readout, label: str = "") -> None:
        with self._inside() as drawn:
            self.items.append(readout)
            if drawn:
                self.pen.advance()
                readout.draw(self.pen)
                if label:
                    self.pen.keep_spot(label)

    def ask(self, label: str, widget: Widget[T], help: str = "", *, given: object = UNSET) -> T:
        """Any widget, by its own class: what the methods above are made of.

        `given` is for what the program keeps itself: the value that it holds now. The widget shows that whenever the
        program has changed it, and otherwise what a person made of it.
        """
        slot = self._slots.setdefault(label, Slot())
        if self._turn.running:
            self._claim(label, slot, widget)
        if self._disabled and widget.momentary:
            slot.pending = UNSET
        value = slot.take(widget, given)
        with self._inside() as drawn:
            if drawn:
                self.pen.advance()
                value = widget.accept(widget.draw(self.pen, label, value))
                words = widget.sketch(label, value)
                if isinstance(words, Words):
                    note_missing(words.text)
                if label not in self.pen.spots:
                    self.pen.keep_spot(label)
                if help and imgui.begin_item_tooltip():
                    imgui.push_text_wrap_pos(24 * imgui.get_font_size())
                    imgui.text_unformatted(help)
                    imgui.pop_text_wrap_pos()
                    imgui.end_tooltip()
            self.items.append((label, widget, value))
            if slot.complaint:
                self._tell(Text(f"{label.partition('##')[0]}: {slot.complaint}", ALARM, wrapped=True))
        slot.value = value
        return value

    def _is_claimed(self, label: str) -> bool:
        """A widget has used the label in this frame."""
        return self._turn.running and label in self._slots and self._slots[label].frame == self._turn.index

    def _claim(self, label: str, slot: Slot, widget: Widget[Any]) -> None:
        if self._is_claimed(label):
            kind = type(widget).__name__
            raise ValueError(
                f"panel {self.name!r} already has a widget {label!r} in this frame ({kind}). Labels name a widget's "
                f"value: use '{label.partition('##')[0]}##2' or another label."
            )
        slot.frame = self._turn.index

    def _ask_file(self, label: str, question: Question, help: str) -> str | None:
        key = (self.name, label)
        answer = self._turn.dialogs.take(key)
        if self.button(label, help=help):
            self._turn.dialogs.ask(key, question)
        return answer


def _toggle_recording(canvas: Recordable, path: str | os.PathLike[str], fps: Number, quality: Number) -> None:
    if canvas.is_recording:
        canvas.stop_recording()
        return
    with suppress(ImportError, OSError, FileError):  # it is in `save_error`
        canvas.start_recording(free_path(path), fps=fps, quality=quality)


def callback_key(callback: Callable[[], object]) -> object:
    """What makes two callbacks the same one defined again: the name in full and, for a method, its object."""
    name = getattr(callback, "__qualname__", "<lambda>")
    if "<lambda>" in name:
        return id(callback)
    return getattr(callback, "__module__", ""), name, id(getattr(callback, "__self__", None))
