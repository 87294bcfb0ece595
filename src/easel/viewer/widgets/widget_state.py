"""What stands behind a widget's label: its value, what code has set, and why that could not be taken."""

from dataclasses import dataclass
from typing import Any, TypeVar

from easel.viewer.widgets.widgets import Widget

T = TypeVar("T")
UNSET: Any = object()
"""No value yet; None is one."""


@dataclass
class WidgetState:
    """What one label of a panel stands for."""

    widget: Widget[Any] | None = None
    value: Any = UNSET
    pending: Any = UNSET
    """What code set and the widget has not taken yet."""
    restored: Any = UNSET
    """What a session brought and no widget has taken yet, as JSON holds it."""
    by_hand: bool = False
    """What is pending was entered as a person does it."""
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
        if self.restored is not UNSET and widget.kept:
            self._recall(widget)
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

    @property
    def plain(self) -> object:
        """What a session keeps of it, as JSON holds it; UNSET when that is nothing."""
        if self.restored is not UNSET:
            return self.restored
        if self.widget is None or not self.widget.kept or self.value is UNSET:
            return UNSET
        try:
            return self.widget.plain(self.widget.accept(self.value if self.pending is UNSET else self.pending))
        except (TypeError, ValueError):
            return UNSET

    def _recall(self, widget: Widget[Any]) -> None:
        restored, self.restored = self.restored, UNSET
        try:
            self.pending, self.complaint = widget.recall(restored), ""
        except (TypeError, ValueError) as error:
            self.complaint = f"the session's {restored!r} does not fit: {error}"
