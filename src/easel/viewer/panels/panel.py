"""Panel: a docked region with canvases, in the words of widgets."""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import numpy as np
from torch import Tensor
from torch.optim import Optimizer

from easel.graphics.files import FileError
from easel.graphics.video import check_film
from easel.viewer.canvas.recording import Recordable, free_path
from easel.viewer.imgui.dialogs import Filters, Question
from easel.viewer.imgui.sketch import Number, Rgba
from easel.viewer.imgui.theme import ALARM
from easel.viewer.panels.panel_region import Region
from easel.viewer.widgets.describe import Range, describe
from easel.viewer.widgets.readouts import Hint, Plot, ProgressBar, Section, Text, as_curve
from easel.viewer.widgets.watch import watch
from easel.viewer.widgets.widget_state import UNSET
from easel.viewer.widgets.widgets import Button, Checkbox, ColorPicker, Combo, InputText, Slider, SliderInt, StepSlider

T = TypeVar("T")

SAVING = "Saving ..."
"""On a record button while its film is completed."""


class Panel(Region):
    """A docked region of a view; made by `View.panel`.

    Widgets return their value. They may be called in the panel's `on_frame` callbacks or anywhere between `step` and
    `end_step`; before the first frame they return what they hold. A widget's label names its value within the panel:
    `lr##2` reads "lr" and is another one.
    """

    def text(self, text: object, *, color: Rgba | None = None) -> None:
        """Anything, as text."""
        self._tell(Text(str(text), color))

    def text_colored(self, r: Number, g: Number, b: Number, a: Number, text: object) -> None:
        """Text in a colour with components in [0, 1]."""
        self._tell(Text(str(text), (r, g, b, a)))

    def text_wrapped(self, text: object, *, color: Rgba | None = None) -> None:
        """Text that goes on in the next line where the panel ends."""
        self._tell(Text(str(text), color, wrapped=True))

    def hint(self, text: object) -> None:
        """Quiet words in the middle of what is free: what an empty panel is for, and how it is filled."""
        self._tell(Hint(str(text)))

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
        self._tell(ProgressBar(fraction, overlay))

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
        return self.ask(label, ColorPicker(default), help)

    def combo(self, label: str, items: Sequence[str], *, default: int = 0, help: str = "") -> int:
        """The index of the chosen item; 0 when there is none to choose."""
        return self.ask(label, Combo.of(items, default), help)

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
        if not isinstance(canvas, Recordable):
            raise TypeError(f"record_button takes a canvas or a view; got {type(canvas).__name__} {canvas!r}.")
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
        timeline, steps = self._timeline, self._timeline.steps
        if not steps:
            self.text("No history yet")
            return None
        standing, slot = steps[-1] if timeline.shown is None else timeline.shown, self.slot(label)
        if slot is None or slot.pending is UNSET:
            self.set(label, standing)  # now moves on, and a program may go back as well
        chosen = self.ask(label, StepSlider(steps[0], steps[-1], standing))
        if chosen != standing:
            timeline.show(chosen)
        with self.enabled(timeline.shown is not None):
            if self.button(f"Now##{label}"):
                timeline.live()
        return timeline.shown

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
