"""What a person changed with widgets, in order, to go back and forth in."""

from collections import deque
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

MOST_EDITS = 1000
"""The oldest are forgotten."""


@runtime_checkable
class Holder(Protocol):
    """Holds the values of widgets by label; a Panel is one."""

    def set(self, label: str, value: object) -> None: ...


@dataclass
class Edit:
    """A widget held `before` and holds `after`."""

    panel: Holder
    label: str
    before: Any
    after: Any


class Edits:
    """The edits of one view. One drag, or one text that was typed, is one edit."""

    def __init__(self) -> None:
        self.done: deque[Edit] = deque(maxlen=MOST_EDITS)
        self.undone: list[Edit] = []
        self._going_on = False

    def note(self, panel: Holder, label: str, before: object, after: object) -> None:
        """A person has changed a widget; what was undone before cannot be redone any more."""
        self.undone.clear()
        last = self.done[-1] if self.done else None
        if self._going_on and last is not None and last.panel is panel and last.label == label:
            last.after = after
        else:
            self.done.append(Edit(panel, label, before, after))
        self._going_on = True

    def settle(self) -> None:
        """No widget is in the person's hand: the next change is an edit of its own."""
        self._going_on = False

    def undo(self) -> Edit | None:
        """Take back the last edit; None where there is none."""
        if not self.done:
            return None
        edit = self.done.pop()
        self.undone.append(edit)
        edit.panel.set(edit.label, edit.before)
        self.settle()
        return edit

    def redo(self) -> Edit | None:
        """Repeat the edit that was taken back last; None where there is none."""
        if not self.undone:
            return None
        edit = self.undone.pop()
        self.done.append(edit)
        edit.panel.set(edit.label, edit.after)
        self.settle()
        return edit
