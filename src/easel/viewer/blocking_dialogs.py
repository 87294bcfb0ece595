"""File dialogs that block the caller while the window stays responsive. Loops use `Panel.file_dialog`."""

import logging
import os
import threading
import time

from easel.viewer.imgui.dialogs import ask_on_desktop
from easel.viewer.imgui.questions import FILTERS, Filters, Question
from easel.viewer.window import Window

log = logging.getLogger("easel")

POLL_SECONDS = 0.02
"""Longest time for which an answer lies unread."""


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
    """Ask for a file to write, like `open_file_dialog`; `default_extension` is appended when the person gives none."""
    question = Question(title, _filters(filters), os.fspath(initial_dir or ""), True, default_extension)
    return _answer("save_file_dialog", question)


def _filters(filters: Filters | None) -> Filters:
    return FILTERS if filters is None else tuple(filters)


def _answer(who: str, question: Question) -> str | None:
    window = Window._current
    # A script has answered already: nothing is shown.
    if window is not None and window.dialogs.answers:
        return question.complete(window.dialogs.answers.popleft()) or None
    dialog = ask_on_desktop(question) if window is None else window.backend.ask(question)
    # No error: a program without a desktop asks in vain, and goes on.
    if isinstance(dialog, str):
        log.warning("%s gives None: %s.", who, dialog)
        return None
    try:
        while (answer := dialog.poll()) is None:
            # Only the main thread may touch the window.
            if window is None or threading.current_thread() is not threading.main_thread():
                time.sleep(POLL_SECONDS)
            elif not window.keep_alive(POLL_SECONDS):
                return None
    # Answered, given up or interrupted: the desktop's dialog must not outlive the question.
    finally:
        dialog.close()
    return question.complete(answer) or None
