"""Undo history of a view: what a person changed, by widgets or otherwise, in order."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

MOST_EDITS = 1000
"""Capacity of the history; the oldest edits are dropped."""
Change = Callable[[], object]


@dataclass
class Edit:
    """A change, with the functions that take it back and make it again."""

    owner: object
    """The panel or the page on which it was made."""
    what: str
    """The label of the widget, or another name of what changed."""
    undo: Change
    redo: Change


class Edits:
    """The edits of one view. One drag, or one typed text, is one edit."""

    def __init__(self) -> None:
        self.done: deque[Edit] = deque(maxlen=MOST_EDITS)
        self.undone: list[Edit] = []
        self._continues = False

    def note(self, owner: object, what: str, undo: Change, redo: Change) -> bool:
        """Record a change, and forget the undone edits: they can no longer be redone.

        Returns True if it continues the last edit, because `settle` was not called since.
        """
        # A redone edit could undo, unseen, what has been done in between.
        self.undone.clear()
        if self._continues and self.done and self.done[-1].owner is owner and self.done[-1].what == what:
            # A drag changes the value in every frame: its first `undo` and its newest `redo` span all of it.
            self.done[-1].redo = redo
            return True
        self.done.append(Edit(owner, what, undo, redo))
        self._continues = True
        return False

    def settle(self) -> None:
        """End the current edit, as no widget is held any more: the next change is an edit of its own."""
        self._continues = False

    def undo(self) -> Edit | None:
        """Take back the last edit and return it; None if there is none."""
        if not self.done:
            return None
        edit = self.done.pop()
        self.undone.append(edit)
        edit.undo()
        self.settle()
        return edit

    def redo(self) -> Edit | None:
        """Repeat the edit that was undone last and return it; None if there is none."""
        if not self.undone:
            return None
        edit = self.undone.pop()
        self.done.append(edit)
        edit.redo()
        self.settle()
        return edit
