"""File dialogs that the caller waits for; the window goes on living meanwhile. Loops use `Panel.file_dialog`."""

import logging
import os
import sys
import threading
import time

from easel.viewer import toolkit
from easel.viewer.dialogs import FILTERS, DesktopDialog, Filters, Question, desktop_can_ask
from easel.viewer.window import Window

log = logging.getLogger("easel")

POLL_SECONDS = 0.02
"""How long an answer may lie unread."""


def open_file_dialog(
    title: str = "Open File", filters: Filters | None = None, initial_dir: str | os.PathLike[str] | None = None
) -> str | None:
    """Ask for a file with the desktop's dialog and wait for the answer; None when the person gives up.

    `filters` are (description, "*.png *.jpg") pairs, usually images, PNG, JPEG, HDR and all files. The window takes
    its events and shows its last picture again while the caller waits; from another thread it is not touched at all,
    and goes on. Where no dialog can be shown the answer is None at once, and the log says why.
    """
    return _answer("open_file_dialog", Question(title, _filters(filters), os.fspath(initial_dir or "")))


def save_file_dialog(
    title: str = "Save File",
    filters: Filters | None = None,
    initial_dir: str | os.PathLike[str] | None = None,
    default_extension: str = ".png",
) -> str | None:
    """The same for a file to write; `default_extension` is appended when the person gives none."""
    question = Question(title, _filters(filters), os.fspath(initial_dir or ""), True, default_extension)
    return _answer("save_file_dialog", question)


def _filters(filters: Filters | None) -> Filters:
    return FILTERS if filters is None else tuple(filters)


def _answer(who: str, question: Question) -> str | None:
    window = Window._current
    if window is not None and window.dialogs.answers:
        return question.complete(window.dialogs.answers.popleft()) or None
    obstacle = _obstacle(window)
    if obstacle:
        log.warning("%s gives None: %s", who, obstacle)
        return None
    dialog = DesktopDialog(question)
    try:
        while (answer := dialog.poll()) is None:
            if window is None or threading.current_thread() is not threading.main_thread():
                time.sleep(POLL_SECONDS)
            elif not window.keep_alive(POLL_SECONDS):
                return None
    finally:
        dialog.close()
    return question.complete(answer) or None


def _obstacle(window: Window | None) -> str:
    """Why no dialog can be shown here; empty when it can."""
    if window is not None and not window.backend.interactive:
        return f"nobody sits in front of {window.title!r}, which runs in backend {window.backend.name}."
    if toolkit.MISSING:
        return f"{toolkit.MISSING}."
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return "there is no display."
    if not desktop_can_ask():
        return "the desktop's dialogs need zenity or kdialog: install one, or use panel.file_dialog, which needs none."
    return ""
