"""Session: the state of the workstation in a JSON file, from one run to the next.

    {"easel": "session", "version": 1,
     "view": {…},                    page, theme, layout and the values of all widgets: `View.state`
     "pages": {"Fit": {…}, …}}       files, recipes: `WorkstationPage.state` of every page

The file is written every few minutes and at the end, whatever ends the program. A file that cannot be parsed is refused
before anything begins. If a part of it cannot be used, the session is saved beside it under another name: nothing that
the file holds is ever lost.
"""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from easel.console import BadInput, complain
from easel.graphics.files import FileError, open_file, write_whole
from easel.viewer.canvas.recording import free_path
from easel.viewer.panels.pages import Page
from easel.viewer.panels.view_state import ViewState
from easel.viewer.view import View
from easel.workstation.page import State, WorkstationPage

VERSION = 1
SAVE_SECONDS = 120.0
"""Seconds between two saves: as much work is lost at most when the program is killed."""
MOST_BYTES = 2**24
"""Size of a file, at most: a session of megabytes is none, and parsing it would take memory for nothing."""
NAMES = {"easel", "version", "view", "pages"}
"""Keys of the outermost object."""


class Session:
    """The session in `file`, or a new one if there is no such file; BadInput for a file that is no session."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._view: object = None
        self._pages: dict[str, State] = {}
        """State of each page: as the file has it, until the page is made and saved."""
        self._written = file
        """The file to write: another one once a part of `file` could not be used."""
        self._saved_at = time.monotonic()
        if file.exists():
            self._view, self._pages = read_session(file)

    @property
    def page(self) -> str:
        """Name of the page that was shown last; empty for a new session."""
        if self._view is None:
            return ""
        return ViewState.read(self._view).page

    def restore(self, view: View) -> None:
        """Restore the view; its pages follow when they are made."""
        if self._view is not None:
            view.restore(self._view)

    def restoring(self, make: Callable[[Page], WorkstationPage]) -> Callable[[Page], WorkstationPage]:
        """Return `make` followed by `restore` with the page's state; if that fails, the page begins anew."""

        def made(page: Page) -> WorkstationPage:
            content = make(page)
            state = self._pages.get(page.name)
            try:
                if state:
                    content.restore(state)
            except (ValueError, KeyError, TypeError, FileError, OSError) as error:
                self._protect(f"the {page.name} page begins anew: {type(error).__name__}: {error}")
            return content

        return made

    def save(self, view: View, pages: Mapping[str, WorkstationPage]) -> Path:
        """Write the present state; returns the file, another one if a part of the old one could not be used.

        Raises FileError or OSError if it cannot be written.
        """
        self._saved_at = time.monotonic()
        # Pages that were never made keep the state that the file had for them.
        known = dict(self._pages)
        for name, page in pages.items():
            try:
                known[name] = json.loads(json.dumps(page.state(), allow_nan=False))
            # Whatever a page raises is its own fault: its last known state stays, and the others are saved.
            except Exception as error:
                complain(f"{self.file}: the {name} page could not be saved ({type(error).__name__}: {error}).")
        told = {"easel": "session", "version": VERSION, "view": view.state(), "pages": known}
        # Whole or not at all: a program that is killed while it saves leaves the session before.
        with write_whole(self._written) as beside:
            beside.write_text(json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
        return self._written

    @property
    def due(self) -> bool:
        """True when it is time to save again."""
        return time.monotonic() - self._saved_at > SAVE_SECONDS

    def _protect(self, reason: str) -> None:
        """Leave the file as it is from now on, and say so."""
        if self._written == self.file:
            self._written = free_path(self.file)
        complain(f"{self.file}: {reason}. The file stays as it is; what is open is saved as {self._written.name}.")


def read_session(file: Path) -> tuple[object, dict[str, State]]:
    """Return the state of the view and those of the pages, by name; BadInput, in one line, for what is no session."""
    try:
        told = _parse(file)
        if not isinstance(told, dict) or told.get("easel") != "session":
            raise ValueError("it is no session of the workstation")
        # A later version may mean other things by the same names; reading it by halves would lose the rest at the next
        # save.
        if told.get("version") != VERSION:
            raise ValueError(f"it is of version {told.get('version')!r:.20}, this program reads {VERSION}")
        # A misspelt name would be dropped silently, and be gone after the next save.
        if unknown := told.keys() - NAMES:
            raise ValueError(f"a session has no {sorted(unknown)[0]!r:.60}")
        ViewState.read(told.get("view"))
        pages = told.get("pages")
        if not isinstance(pages, dict) or not all(isinstance(state, dict) for state in pages.values()):
            raise ValueError("'pages' is a table with a table for every page")
    except (ValueError, FileError, OSError) as error:
        reason = " ".join(str(error).split())
        raise BadInput(
            f"--session {file}: {reason.rstrip('.')}. It stays as it is: repair it, or name another."
        ) from error
    return told["view"], pages


def _parse(file: Path) -> Any:
    """Parse JSON, as the standard has it; ValueError, FileError or OSError for anything else."""
    with open_file(file) as stream:
        # One more tells a longer file from a full one.
        data = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(f"a session has up to {MOST_BYTES:,} bytes, and this file has more")
    try:
        # Python's parser takes NaN and Infinity, which no other program could read and no widget could show.
        return json.loads(data.decode("utf-8"), parse_constant=_refuse)
    # Thousands of nested brackets take a kilobyte.
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number that JSON has")
