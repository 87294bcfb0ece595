"""Session: what a person made of the workstation, kept in a JSON file between two runs.

    {"easel": "session", "version": 1,
     "view": {…},                    page, theme, layout and the values of all widgets: `View.state`
     "pages": {"Fit": {…}, …}}       files, recipes: `WorkstationPage.state` of every page

It is written at the end, however that comes about, and every few minutes. A file that cannot be understood is refused
before anything begins. Where a part of it cannot be used, the session is saved beside it under another name, so that
nothing of it is lost.
"""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from easel.console import BadInput, complain
from easel.graphics.files import FileError, open_file, write_whole
from easel.viewer.canvas.recording import free_path
from easel.viewer.panels.page import Page
from easel.viewer.panels.view_state import ViewState
from easel.viewer.view import View
from easel.workstation.page import State, WorkstationPage

VERSION = 1
SAVE_SECONDS = 120.0
"""So much of a person's work is lost at most, where the end comes without notice."""
MOST_BYTES = 2**24
NAMES = {"easel", "version", "view", "pages"}


class Session:
    """The session in `file`, as far as there is one; BadInput where that is none of this version."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._view: object = None
        self._pages: dict[str, State] = {}
        """What is known of each page: from the file, until it is asked itself."""
        self._written = file
        """The file that is written: another one where a part of this one could not be used."""
        self._saved_at = time.monotonic()
        if file.exists():
            self._view, self._pages = read_session(file)

    @property
    def page(self) -> str:
        """The page that was shown last; "" where there was none."""
        return "" if self._view is None else ViewState.read(self._view).page

    def restore(self, view: View) -> None:
        """Have the view as it was; its pages follow when they are made."""
        if self._view is not None:
            view.restore(self._view)

    def restoring(self, make: Callable[[Page], WorkstationPage]) -> Callable[[Page], WorkstationPage]:
        """`make`, followed by what the session has for that page; where that fails, the page begins anew."""

        def made(page: Page) -> WorkstationPage:
            content = make(page)
            state = self._pages.get(page.name)
            try:
                if state:
                    content.restore(state)
            except (ValueError, KeyError, TypeError, FileError, OSError) as error:
                self._spoil(f"the {page.name} page begins anew: {type(error).__name__}: {error}")
            return content

        return made

    def save(self, view: View, pages: Mapping[str, WorkstationPage]) -> Path:
        """Write what there is now; returns the file, another one where a part of the old one could not be used.

        FileError or OSError where it cannot be written.
        """
        self._saved_at = time.monotonic()
        known = dict(self._pages)
        for name, page in pages.items():
            try:
                known[name] = json.loads(json.dumps(page.state(), allow_nan=False))
            except Exception as error:  # the page's own; the others are saved
                complain(f"{self.file}: the {name} page could not be saved ({type(error).__name__}: {error}).")
        told = {"easel": "session", "version": VERSION, "view": view.state(), "pages": known}
        with write_whole(self._written) as beside:
            beside.write_text(json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
        return self._written

    @property
    def due(self) -> bool:
        """It is time to save what there is."""
        return time.monotonic() - self._saved_at > SAVE_SECONDS

    def _spoil(self, reason: str) -> None:
        if self._written == self.file:
            self._written = free_path(self.file)
        complain(f"{self.file}: {reason}. The file stays as it is; what is open is saved as {self._written.name}.")


def read_session(file: Path) -> tuple[object, dict[str, State]]:
    """What a file has for the view and for the pages, by name; BadInput, in one line, for what is no session."""
    try:
        told = _parse(file)
        if not isinstance(told, dict) or told.get("easel") != "session":
            raise ValueError("it is no session of the workstation")
        if told.get("version") != VERSION:
            raise ValueError(f"it is of version {told.get('version')!r:.20}, this program reads {VERSION}")
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
    with open_file(file) as stream:
        data = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(f"a session has up to {MOST_BYTES:,} bytes, and this file has more")
    try:
        return json.loads(data.decode("utf-8"), parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number that JSON has")
