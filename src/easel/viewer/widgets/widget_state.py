"""The state behind a widget's label: its value, a value set by code, and why that was refused."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from easel.viewer.widgets.widgets import Widget

T = TypeVar("T")
UNSET: Any = object()
"""No value yet; None is one."""


@dataclass
class WidgetState:
    """The state of one label of a panel."""

    widget: Widget[Any] | None = None
    value: Any = UNSET
    pending: Any = UNSET
    """Value set by code that the widget has not taken yet."""
    restored: Any = UNSET
    """Value from a session that no widget has taken yet, as JSON holds it."""
    by_hand: bool = False
    """The pending value was entered as a person does it."""
    complaint: str = ""
    """Reason why the widget refused the last value that was set."""
    given: Any = UNSET
    """Value that the program held in the last frame; only for widgets that follow the program."""
    frame: int = 0
    """Number of the last frame that used the label."""

    def take(self, widget: Widget[T], given: object = UNSET) -> T:
        """Return the value that `widget` starts this frame with: the one set, else the one held, else its default.

        `given` is the value that the program itself holds. It counts as set when it is new and is not the widget's own
        last answer.
        """
        self.widget = widget
        if given is not UNSET:
            # A program that took the last answer holds it, one that ignored it holds what it held: neither is news.
            if self.pending is UNSET and given not in (self.given, self.value):
                self.pending = given
            self.given = given
        # Before the pending value is taken: what a session brings counts as set by code.
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
            # The label may have become another kind of widget: it starts from its default then.
            with suppress(TypeError, ValueError):
                return widget.accept(self.value)
        return widget.accept(widget.default)

    @property
    def plain(self) -> object:
        """The value that a session stores, as JSON holds it; UNSET for none."""
        # A value from the last session whose widget was not created this time must not be lost.
        if self.restored is not UNSET:
            return self.restored
        if self.widget is None or not self.widget.kept or self.value is UNSET:
            return UNSET
        newest = next(value for value in (self.pending, self.value) if value is not UNSET)
        with suppress(TypeError, ValueError):
            return self.widget.plain(self.widget.accept(newest))
        return UNSET

    def _recall(self, widget: Widget[Any]) -> None:
        # Once: a value that does not fit is reported, not tried again in every frame.
        restored, self.restored = self.restored, UNSET
        try:
            self.pending = widget.recall(restored)
            self.complaint = ""
        except (TypeError, ValueError) as error:
            self.complaint = f"the session's {restored!r} does not fit: {error}"
