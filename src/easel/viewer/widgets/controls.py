"""Controls: widgets that hold whatever Python value they are given, put together into the form of a whole object.

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
"""Of a value that nothing can edit."""


@runtime_checkable
class Form(Protocol):
    """What controls are drawn on; a Panel is one."""

    def ask(self, label: str, widget: Widget[T], help: str = "", *, given: object = ...) -> T: ...
    def text(self, text: object, *, color: Rgba | None = None) -> None: ...
    def text_wrapped(self, text: object, *, color: Rgba | None = None) -> None: ...
    def section(self, title: str) -> None: ...
    def row(self) -> AbstractContextManager[None]: ...
    def file_dialog(self, label: str, *, title: str = ...) -> str | None: ...
    def set(self, label: str, value: object) -> None: ...


class Control(ABC):
    """One value of an object, or several; `label` names its widget."""

    label: str

    @abstractmethod
    def draw(self, form: Form, value: Any) -> Any:
        """Draw it with the program's `value`; returns that or, when a person changed it, another."""


@dataclass
class ReadOnly(Control):
    """What nothing can edit, as text."""

    label: str

    def draw(self, form: Form, value: Any) -> Any:
        text = " ".join(repr(value).split())
        cut = text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]} ..."
        form.text(f"{self.label.partition('##')[0]}: {cut}")
        return value


@dataclass
class WidgetControl(Control):
    """One widget; `encode` and `decode` translate between the object's value and the widget's."""

    label: str
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
    """A path to type, with a button that asks for one."""

    def draw(self, form: Form, value: Any) -> Any:
        with form.row():
            value = super().draw(form, value)
            path = form.file_dialog(f"Open ...##{self.label}", title=f"Choose {self.label.partition('##')[0]}")
        if path is not None:
            form.set(self.label, path)
        return value


@dataclass
class OptionalControl(Control):
    """A value that may be None: a box to tick, and while it is ticked what it switches on."""

    label: str
    inner: Control
    last: Any
    """What it held before it was switched off; at first, what it starts with."""
    help: str = ""

    def draw(self, form: Form, value: Any) -> Any:
        if value is not None:
            self.last = value
        with form.row():
            if not form.ask(self.label, Checkbox(value is not None), self.help, given=value is not None):
                return None
            return self.inner.draw(form, self.last)


@dataclass
class TupleControl(Control):
    """A tuple of values of a fixed length."""

    label: str
    parts: list[Control]

    def draw(self, form: Form, value: Any) -> Any:
        if not isinstance(value, tuple) or len(value) != len(self.parts):
            return ReadOnly(self.label).draw(form, value)
        new = tuple(part.draw(form, old) for part, old in zip(self.parts, value, strict=True))
        return value if all(a is b for a, b in zip(new, value, strict=True)) else new


@dataclass
class FieldControls(Control):
    """The fields of a dataclass: a frozen one is replaced, another is written into."""

    label: str
    kind: type
    controls: dict[str, Control] = field(default_factory=dict)

    def draw(self, form: Form, value: Any) -> Any:
        if type(value) is not self.kind:
            return ReadOnly(self.label).draw(form, value)
        if self.label:
            form.section(self.label)
        changes = {}
        # What follows a section belongs to it for the eye: sections come last.
        for name, control in sorted(self.controls.items(), key=lambda item: isinstance(item[1], FieldControls)):
            old = getattr(value, name)
            new = control.draw(form, old)
            if new is not old:
                changes[name] = new
        try:
            if changes and self.kind.__dataclass_params__.frozen:
                return replace(value, **changes)
            for name, new in changes.items():
                setattr(value, name, new)
        except (TypeError, ValueError) as error:
            form.text_wrapped(error, color=ALARM)
        return value
