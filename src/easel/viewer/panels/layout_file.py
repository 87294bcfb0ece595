"""The file in which a view's layout is saved from one run of a program to the next."""

import hashlib
import logging
import os
import re
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from easel.graphics.files import FileError, write_whole
from easel.viewer.imgui.toolkit import imgui

log = logging.getLogger("easel")


class LayoutFile:
    """The layout of one view, on all its pages: read before the first frame and written after the last.

    Without a `file` a view that `remembers` has one in the user's config folder.
    """

    def __init__(self, title: str, file: Path | None, remembers: bool) -> None:
        self._title, self._file, self._remembers = title, file, remembers
        self._read = False
        self._given = ""

    def replace(self, text: str) -> None:
        """Use the layout `text`, from the next frame on, instead of the saved one."""
        self._given = text

    def read(self, names: Iterable[str]) -> None:
        """Load the layout that was saved for these pages or panels, once, unless another was given."""
        given, self._given = self._given, ""
        # Given by `restore`, at any time; the file is read once, before the first frame.
        if given:
            imgui.load_ini_settings_from_memory(given)
        if self._read:
            return
        if self._file is None and self._remembers:
            self._file = layout_file(self._title, list(names))
        self._read = True
        if self._file is not None and not given:
            # A first run has no file, and a damaged one costs the layout, not the program.
            with suppress(OSError, UnicodeDecodeError):
                imgui.load_ini_settings_from_memory(self._file.read_text(encoding="utf-8"))

    def text(self) -> str:
        """Return the current layout as Dear ImGui's text."""
        return self._given or imgui.save_ini_settings_to_memory()

    def write(self) -> None:
        """Save the layout. A folder that cannot be written costs a line in the log and nothing else."""
        # Never read means never shown: Dear ImGui has no layout yet, and writing that would erase a saved one.
        if self._file is None or not self._read:
            return
        try:
            # Written aside and renamed: two programs of one title, or a crash, never leave half a file.
            with write_whole(self._file) as file:
                file.write_text(imgui.save_ini_settings_to_memory(), encoding="utf-8")
        except (OSError, FileError) as error:
            log.warning("the window's layout was not saved: %s", error)


def layout_file(title: str, names: Sequence[str]) -> Path:
    """Return the file for the layout of these pages or panels under this title, in the user's config folder."""
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or Path.home() / "AppData/Roaming")
    elif sys.platform == "darwin":
        base = Path.home() / "Library/Application Support"
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    # A program whose panels change has another file: the layout of other panels would not fit them.
    key = hashlib.sha256("\0".join([title, *sorted(names)]).encode()).hexdigest()[:12]
    # For the eye; the hash beside it is what tells titles apart.
    name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "view"
    return base / "easel" / "layouts" / f"{name}-{key}.ini"
