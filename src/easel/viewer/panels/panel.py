"""Panel: a docked region with canvases, and a method for every kind of widget."""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Shaped
from torch import Tensor
from torch.optim import Optimizer

from easel.graphics.checked_record import Range
from easel.graphics.files import FileError
from easel.graphics.video import check_film
from easel.viewer.canvas.canvas import Canvas
from easel.viewer.canvas.history import FrameTimeline
from easel.viewer.canvas.placement import place_canvases
from easel.viewer.canvas.recording import Recordable, free_path
from easel.viewer.imgui.arguments import check_name
from easel.viewer.imgui.questions import Filters, Question
from easel.viewer.imgui.sketch import Number, Rgba
from easel.viewer.imgui.theme import ALARM
from easel.viewer.panels.frame_state import FrameState
from easel.viewer.panels.panel_region import Region
from easel.viewer.widgets.controls import FieldControls
from easel.viewer.widgets.describe import describe, watch
from easel.viewer.widgets.readouts import Hint, Plot, ProgressBar, Section, Text, as_curve
from easel.viewer.widgets.widget_state import UNSET
from easel.viewer.widgets.widgets import Button, Checkbox, ColorPicker, Combo, InputText, Slider, SliderInt, StepSlider

T = TypeVar("T")

SAVING = "Saving ..."
"""Label of a record button while its film is completed."""


class Panel(Region):
    """A docked region of a view; made by `View.panel`.

    Widgets return their value. They may be called in the panel's `on_frame` callbacks or anywhere between `step` and
    `end_step`; before the first frame they return what they hold. A widget's label names its value within the panel:
    `lr##2` reads "lr" and is another one.
    """

    def __init__(
        self, name: str, frame_state: FrameState, *, window: str = "", timeline: FrameTimeline | None = None
    ) -> None:
        super().__init__(name, frame_state, window=window)
        self.canvases: dict[str, Canvas] = {}
        # A panel outside pages, such as the palette, has one of its own.
        self._timeline = timeline or FrameTimeline()
        self._forms: dict[object, FieldControls] = {}

    def canvas(self, name: str, *, filter: str = "linear", fit: bool = True) -> Canvas:
        """Return this panel's canvas of that name, made at the first call; later calls ignore the settings.

        `filter` is "linear" or "nearest". With `fit` the picture is scaled to the room that the panel has, else one
        of its pixels takes one of the screen.
        """
        check_name(name, "a canvas")
        if name not in self.canvases:
            canvas = Canvas(name, filter=filter, fit=fit, recording_clock=self._frame_state.recording_clock)
            canvas.timeline = self._timeline
            canvas.share = self._frame_state.share
            self.canvases[name] = canvas
        return self.canvases[name]

    def text(self, text: object, *, color: Rgba | None = None) -> None:
        """Draw anything as text; `color` is RGBA in [0, 1]."""
        self._show(Text(str(text), color))

    def text_colored(self, r: Number, g: Number, b: Number, a: Number, text: object) -> None:
        """Draw text in a colour with components in [0, 1]."""
        self._show(Text(str(text), (r, g, b, a)))

    def text_wrapped(self, text: object, *, color: Rgba | None = None) -> None:
        """Draw text that wraps at the panel's edge."""
        self._show(Text(str(text), color, wrapped=True))

    def hint(self, text: object) -> None:
        """Draw quiet words in the middle of the free room: the purpose of an empty panel, and how it is filled."""
        self._show(Hint(str(text)))

    def separator(self) -> None:
        """Draw a line across the panel."""
        self._show(Section())

    def section(self, title: str) -> None:
        """Draw a heading over the widgets that follow."""
        self._show(Section(title))

    def plot(
        self,
        values: Iterable[Any] | np.ndarray | Tensor,
        *,
        label: str = "##plot",
        overlay: str = "",
        width: Number = 0.0,
        height: Number = 80.0,
    ) -> None:
        """Draw values as a line over their own range, `overlay` written over it; non-finite ones leave gaps.

        `width` and `height` in pixels; width 0 takes what is free.
        """
        self._show(Plot(as_curve(values), overlay, width, height, label), label)

    def progress(self, fraction: Number, *, overlay: str = "") -> None:
        """Draw a bar for a share in [0, 1]; the percentage is written over it unless `overlay` is."""
        self._show(ProgressBar(fraction, overlay))

    def checkbox(self, label: str, *, default: bool = False, help: str = "") -> bool:
        """Draw a checkbox. Returns whether it is checked."""
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
        """Draw a slider. Returns a number in [min, max], at first `default` or else `min`; Ctrl+click types one.

        With `log` every decade is equally long; where `min` is 0, it stands at the left end before the decades that
        `format` shows.
        """
        return self.ask(label, Slider(min, max, min if default is None else default, log, format), help)

    def slider_int(
        self, label: str, min: int = 0, max: int = 100, *, default: int = 0, format: str = "%d", help: str = ""
    ) -> int:
        """Draw a slider. Returns a whole number in [min, max]."""
        return self.ask(label, SliderInt(min, max, default, format=format), help)

    def color_picker(
        self, label: str, *, default: Sequence[Number] = (1.0, 1.0, 1.0), help: str = ""
    ) -> tuple[float, float, float]:
        """Draw a colour picker. Returns red, green and blue in [0, 1], display-referred like every picture."""
        return self.ask(label, ColorPicker(default), help)

    def combo(self, label: str, items: Sequence[str], *, default: int = 0, help: str = "") -> int:
        """Draw a drop-down list. Returns the index of the chosen item; 0 when there is none to choose."""
        return self.ask(label, Combo.of(items, default), help)

    def input_text(self, label: str, *, default: str = "", max_length: int = 256, help: str = "") -> str:
        """Draw a field for a line of text. Returns up to `max_length` characters."""
        return self.ask(label, InputText(default, max_length), help)

    def edit(self, config: T, *, name: str = "", ranges: Mapping[str, Range] | None = None) -> T:
        """Draw a control for every field of a dataclass instance, its docstring as help. Returns the changed object.

            config = panel.edit(config, ranges={"lr": Range(1e-5, 1e-1, log=True)})

        A frozen instance is replaced by another, and comes back itself while nobody changes it; a mutable one is
        written into. A person's value stays until the program itself gives another one, so both
        `config = panel.edit(config)` and `proposed = panel.edit(config)` do what they say. Values that the class
        refuses are reported in the panel, and the object stays as it was.

        A slider's range is `Annotated[float, Range(...)]`, or `ranges` by field name ("net.width" for a field of a
        nested one), or else derived from the first value. Fields that nothing can edit are shown as text. Labels are
        the fields' names, with spaces for underscores; `name` tells two forms in one panel apart ("lr##name").
        """
        # Described once per form, not in every frame: a class's docstrings are read from its source.
        key = (name, type(config), *(ranges or {}).items())
        if key not in self._forms:
            self._forms[key] = describe(config, name, ranges)
        return self._forms[key].draw(self, config)

    def watch(self, optimizer: Optimizer, *, name: str = "") -> None:
        """Draw sliders for learning rate, weight decay and momentum (or betas) of every parameter group.

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
        """Draw a button that asks for a file beside the loop. Returns its path once, in the frame after the answer.

        `filters` are (description, "*.png *.jpg") pairs.
        """
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
        """Draw a button that asks for a file to write; `default_extension` is appended when the person gives none."""
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
        """Draw a button that starts and stops the recording of a canvas or a view. Returns True while it records.

        `quality` is a share from 0 to 1. An existing file is kept; the film is then called "recording-2.gif", and so
        on. Errors are shown below the button.
        """
        if not isinstance(canvas, Recordable):
            raise TypeError(f"record_button takes a canvas or a view; got {type(canvas).__name__} {canvas!r}.")
        check_film(path, fps)
        idle = SAVING if canvas.is_saving else start_label
        label = stop_label if canvas.is_recording else idle
        # Two record buttons of one panel may both say "Stop Recording", and a label names one widget.
        if label != start_label and self._is_claimed(label):
            label = f"{label}##{start_label}"
        # Counted like a button of `button`: its label changes while it is pressed.
        self._buttons += 1
        button = Button(0, 0, self._buttons, ALARM if canvas.is_recording else None)
        # While a film is completed the button can stop a recording, but start none.
        with self.enabled(canvas.is_recording or not canvas.is_saving):
            if self.ask(label, button, help):
                _toggle_recording(canvas, path, fps, quality)
        if canvas.save_error:
            self.text_wrapped(canvas.save_error, color=ALARM)
        return canvas.is_recording

    def timeline(self, label: str = "Step") -> int | None:
        """Draw a slider over all steps that canvases of the view keep, and a button back to the present.

        Returns the step shown; None in the present.
        """
        timeline = self._timeline
        if not (steps := timeline.steps):
            self.text("No history yet")
            return None
        standing = steps[-1] if timeline.shown is None else timeline.shown
        state = self.widget_state(label)
        if state is None or state.pending is UNSET:
            self.set(label, standing)  # the present moves on, and a program may go back as well
        chosen = self.ask(label, StepSlider(steps[0], steps[-1], standing))
        if chosen != standing:
            timeline.show(chosen)
        # In the present there is nothing to go back to.
        with self.enabled(timeline.shown is not None):
            if self.button(f"Now##{label}"):
                timeline.live()
        return timeline.shown

    # The view's side of a panel

    @property
    def works(self) -> bool:
        """True when every frame matters, seen or not: also for a canvas that keeps or records frames."""
        keeping = (canvas.history is not None or canvas.is_recording for canvas in self.canvases.values())
        return super().works or any(keeping)

    def look(self, canvas: Canvas) -> Shaped[Tensor, "h w c"] | None:
        """Return the current content of a canvas; None when unbound, or when a bound function failed.

        The panel then shows the function's error.
        """
        # By version: another tensor is another attempt, and needs no Retry.
        return self.guard.run(("canvas", canvas.name, canvas.version), canvas.look)

    def remember(self, canvas: Canvas, step: int) -> None:
        """Add the current content of a canvas to its history, if it keeps one."""
        if canvas.history is not None:
            self.guard.run(("canvas", canvas.name, canvas.version), partial(canvas.remember, step))

    def _draw_canvases(self, drawn: bool) -> None:
        for canvas in self.canvases.values():
            canvas.rectangle = None
            if not drawn:
                canvas.point_at(None)
        if drawn:
            place_canvases(self.canvases.values(), self._widgets_height, self.look, self._frame_state.placements)

    def _ask_file(self, label: str, question: Question, help: str) -> str | None:
        key = (self.name, label)
        # Taken before the button is drawn: an answer and a second click may fall into one frame.
        answer = self._frame_state.dialogs.take(key)
        if self.button(label, help=help):
            self._frame_state.dialogs.ask(key, question)
        return answer


def _toggle_recording(canvas: Recordable, path: str | os.PathLike[str], fps: Number, quality: Number) -> None:
    if canvas.is_recording:
        canvas.stop_recording()
        return
    # A missing encoder or a full disk is shown below the button, and the loop goes on.
    with suppress(ImportError, OSError, FileError):  # `save_error` has the message
        canvas.start_recording(free_path(path), fps=fps, quality=quality)
