"""What stands behind a widget's label: its value, what code has set, and why that could not be taken."""

from dataclasses import dataclass
from typing import Any, TypeVar

from easel.viewer.widgets import Widget

T = TypeVar("T")
UNSET: Any = object()
"""No value yet; None is one."""


@dataclass
class Slot:
    """What one label of a panel stands for."""

    widget: Widget[Any] | None = None
    value: Any = UNSET
    pending: Any = UNSET
    """What code set and the widget has not taken yet."""
    complaint: str = ""
    """Why it could not take it."""
    given: Any = UNSET
    """What the program held when it was last asked; only for widgets that follow the program."""
    frame: int = 0

    def take(self, widget: Widget[T], given: object = UNSET) -> T:
        """The value that `widget` starts this frame with: what was set, else what it held, else its default.

        `given` is what the program itself holds. Where that is new, and not just what the widget answered before, it
        counts as set.
        """
        self.widget = widget
        if given is not UNSET:
            if self.pending is UNSET and given not in (self.given, self.value):
                self.pending = given
            self.given = given
        pending, self.pending = self.pending, UNSET
        if pending is not UNSET:
            try:
                value = widget.accept(pending)
                self.complaint = ""
                return value
            except (TypeError, ValueError) as error:
                self.complaint = f"cannot set to {pending!r}: {error}"
        if self.value is not UNSET and not widget.momentary:
            try:
                return widget.accept(self.value)
            except (TypeError, ValueError):
                pass  # the label has become another kind of widget: it starts from its default
        return widget.accept(widget.default)
