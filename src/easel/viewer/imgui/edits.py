"""What a person changed, with widgets or otherwise, in order, to go back and forth in."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

MOST_EDITS = 1000
"""The oldest are forgotten."""
Change = Callable[[], object]


@dataclass
class Edit:
    """A change that `undo` takes back and `redo` makes again."""

    owner: object
    """The panel or the page on which it was made."""
    what: str
    undo: Change
    redo: Change


class Edits:
    """The edits of one view. One drag, or one text that was typed, is one edit."""

    def __init__(self) -> None:
        self.done: deque[Edit] = deque(maxlen=MOST_EDITS)
        self.undone: list[Edit] = []
        self._going_on = False

    def note(self, owner: object, what: str, undo: Change, redo: Change) -> bool:
        """A person has changed something; what was undone before cannot be redone any more.

        True where this goes on with the last edit: the same thing is still in the person's hand.
        """
        self.undone.clear()
        last = self.done[-1] if self.done else None
        goes_on = self._going_on and last is not None and last.owner is owner and last.what == what
        if goes_on and last is not None:
            last.redo = redo
        else:
            self.done.append(Edit(owner, what, undo, redo))
        self._going_on = True
        return goes_on

    def settle(self) -> None:
        """No widget is in the person's hand: the next change is an edit of its own."""
        self._going_on = False

    def undo(self) -> Edit | None:
        """Take back the last edit; None where there is none."""
        if not self.done:
            return None
        edit = self.done.pop()
        self.undone.append(edit)
        edit.undo()
        self.settle()
        return edit

    def redo(self) -> Edit | None:
        """Repeat the edit that was taken back last; None where there is none."""
        if not self.undone:
            return None
        edit = self.undone.pop()
        self.done.append(edit)
        edit.redo()
        self.settle()
        return edit
