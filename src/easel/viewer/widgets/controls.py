"""Controls: widgets for Python values of any type, put together into the form of a whole object.

A control is drawn with the value that the program holds and returns what a person made of it: the very same object
as long as nobody touched it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar, runtime_checkable

from easel.viewer.imgui.sketch import Rgba
from easel.viewer.imgui.theme import ALARM
from easel.viewer.widgets.widgets import Checkbox, Widget

T = TypeVar("T")
SHOWN_CHARACTERS = 60
"""Longest text of a value that no widget can edit."""


@runtime_checkable
class Form(Protocol):
    """The surface that controls are drawn on; a Panel is one."""

    def ask(self, label: str, widget: Widget[T], help: str = "", *, given: object = ...) -> T: ...
    def text(self, text: object, *, color: Rgba | None = None) -> None: ...
    def text_wrapped(self, text: object, *, color: Rgba | None = None) -> None: ...
    def section(self, title: str) -> None: ...
    def row(self) -> AbstractContextManager[None]: ...
    def file_dialog(self, label: str, *, title: str = ...) -> str | None: ...
    def set(self, label: str, value: object) -> None: ...


@dataclass
class Control(ABC):
    """A control for one value of an object, or several; `label` names its widget."""

    label: str

    @abstractmethod
    def draw(self, form: Form, value: Any) -> Any:
        """Draw it with the program's `value`; return that or, if a person changed it, another."""


class ReadOnly(Control):
    """A value that no widget can edit, as text."""

    def draw(self, form: Form, value: Any) -> Any:
        # In one line and cut: the representation of a tensor would fill the panel.
        text = " ".join(repr(value).split())
        if len(text) > SHOWN_CHARACTERS:
            text = f"{text[:SHOWN_CHARACTERS]} ..."
        form.text(f"{self.label.partition('##')[0]}: {text}")
        return value


@dataclass
class WidgetControl(Control):
    """One widget; `encode` and `decode` translate between the object's value and the widget's."""

    widget: Widget[Any]
    help: str = ""
    encode: Callable[[Any], Any] = lambda value: value
    decode: Callable[[Any], Any] = lambda value: value

    def draw(self, form: Form, value: Any) -> Any:
        try:
            given = self.widget.accept(self.encode(value))
        except (TypeError, ValueError):
            return ReadOnly(self.label).draw(form, value)  # the type promised something else
        answer = form.ask(self.label, self.widget, self.help, given=given)
        # Untouched, a value keeps what the widget cannot hold: its digits, or a place outside the slider.
        return value if answer == given else self.decode(answer)


@dataclass
class PathControl(WidgetControl):
    """A path to type, with a button that opens a file dialog."""

    def draw(self, form: Form, value: Any) -> Any:
        with form.row():
            value = super().draw(form, value)
            path = form.file_dialog(f"Open ...##{self.label}", title=f"Choose {self.label.partition('##')[0]}")
        # Set as if typed, and so returned in the next frame, by the same way as all that a person enters.
        if path is not None:
            form.set(self.label, path)
        return value


@dataclass
class OptionalControl(Control):
    """A value that may be None: a box to tick and, while it is ticked, another control."""

    inner: Control
    last: Any
    """The value before it was switched off; at first, an initial one."""
    help: str = ""

    def draw(self, form: Form, value: Any) -> Any:
        # Remembered while it is on: a person who ticks the box again expects what was there.
        if value is not None:
            self.last = value
        with form.row():
            if not form.ask(self.label, Checkbox(value is not None), self.help, given=value is not None):
                return None
            return self.inner.draw(form, self.last)


@dataclass
class TupleControl(Control):
    """A tuple of values of a fixed length."""

    parts: list[Control]

    def draw(self, form: Form, value: Any) -> Any:
        if not isinstance(value, tuple) or len(value) != len(self.parts):
            return ReadOnly(self.label).draw(form, value)
        new = tuple(part.draw(form, old) for part, old in zip(self.parts, value, strict=True))
        # By identity: a tuple of equal parts is another object, which would count as a change in every frame.
        if all(a is b for a, b in zip(new, value, strict=True)):
            return value
        return new


@dataclass
class FieldControls(Control):
    """The fields of a dataclass: a frozen instance is replaced, another is written into."""

    kind: type
    controls: dict[str, Control] = field(default_factory=dict)
    """Name of a field → its control."""

    def draw(self, form: Form, value: Any) -> Any:
        # The controls were read from one class: an object of another has other fields.
        if type(value) is not self.kind:
            return ReadOnly(self.label).draw(form, value)
        if self.label:
            form.section(self.label)
        # Gathered first: a frozen instance is replaced once, with all that a frame has changed.
        changes = {}
        # What follows a section belongs to it for the eye: sections come last.
        for name, control in sorted(self.controls.items(), key=lambda item: isinstance(item[1], FieldControls)):
            old = getattr(value, name)
            if (new := control.draw(form, old)) is not old:
                changes[name] = new
        # A class checks itself when it is made or written: what it refuses is told, and the old value stays.
        try:
            if changes and self.kind.__dataclass_params__.frozen:
                return replace(value, **changes)
            for name, new in changes.items():
                setattr(value, name, new)
        except (TypeError, ValueError) as error:
            form.text_wrapped(error, color=ALARM)
        return value
