"""File dialogs: opened beside the loop, answered on a later frame, exactly once."""

import os
import shutil
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from easel.viewer.imgui import toolkit
from easel.viewer.imgui.item_layout import ItemLayout
from easel.viewer.imgui.questions import Dialog, Question
from easel.viewer.imgui.theme import ALARM
from easel.viewer.imgui.toolkit import imgui


@dataclass
class Dialogs:
    """The file dialogs of one view."""

    show: Callable[[Question], Dialog | str]
    """Opens the desktop's dialog. A text says why there is none: then a `FileBrowser` is drawn in the window."""
    answers: deque[str] = field(default_factory=deque)
    """Scripted answers to the next dialogs, in order."""
    _open: dict[object, tuple[Question, Dialog]] = field(default_factory=dict)

    @property
    def waiting(self) -> bool:
        """True while a dialog is open."""
        return bool(self._open)

    def ask(self, key: object, question: Question) -> None:
        """Open a dialog for `key`, unless one is open for it already."""
        # Asked in every frame in which its button is pressed: the second frame must not open a second dialog.
        if key in self._open:
            return
        dialog = self.show(question)
        self._open[key] = question, FileBrowser(question) if isinstance(dialog, str) else dialog

    def take(self, key: object) -> str | None:
        """Return the chosen path of `key`'s dialog, once; None before, after, and if it was cancelled."""
        if key not in self._open:
            return None
        question, dialog = self._open[key]
        # Scripts answer first: where tests run there may be a desktop, too.
        answer = self.answers.popleft() if self.answers else dialog.poll()
        if answer is None:
            return None
        dialog.close()
        del self._open[key]
        return question.complete(answer) or None

    def draw(self) -> None:
        """Draw the dialogs inside the window."""
        for browser in self.browsers:
            browser.draw()

    @property
    def browsers(self) -> "list[FileBrowser]":
        """The dialogs inside the window, also for scripts that click in them."""
        return [dialog for _, dialog in self._open.values() if isinstance(dialog, FileBrowser)]

    def close(self) -> None:
        for _, dialog in self._open.values():
            dialog.close()
        self._open.clear()


class DesktopDialog(Dialog):
    """The desktop's own dialog, in a separate process."""

    def __init__(self, question: Question) -> None:
        from imgui_bundle import portable_file_dialogs  # pyright: ignore[reportMissingModuleSource]  compiled

        filters = [text for pair in question.filters for text in pair] or ["All files", "*"]
        open_dialog = portable_file_dialogs.save_file if question.save else portable_file_dialogs.open_file
        self._dialog = open_dialog(question.title, question.folder or str(Path.cwd()), filters)

    def poll(self) -> str | None:
        if not self._dialog.ready(0):
            return None
        result = self._dialog.result()
        # A dialog that saves answers with a text, one that opens with a list of at most one.
        return result if isinstance(result, str) else "".join(result[:1])

    def close(self) -> None:
        # Its process outlives ours otherwise, with a dialog that nobody reads.
        if not self._dialog.ready(0):
            self._dialog.kill()


def ask_on_desktop(question: Question) -> Dialog | str:
    """Open the desktop's dialog; a text says why there is none.

    Windows and macOS have one; elsewhere zenity or kdialog must be installed.
    """
    if toolkit.MISSING:
        return toolkit.MISSING
    # Asked before the process is started: it would fail there, where nobody sees the reason.
    if sys.platform not in ("win32", "darwin"):
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            return "there is no display"
        if not any(map(shutil.which, ("zenity", "kdialog"))):
            return "the desktop's dialogs need zenity or kdialog: install one, or use panel.file_dialog"
    return DesktopDialog(question)


class FileBrowser(Dialog):
    """A dialog drawn inside the window: a path to type, and the folder that it names to click through."""

    ROWS = 12
    """Height of the list of files, in lines."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.path = str(Path(question.folder or Path.cwd()).resolve()) + "/"
        self.item_layout = ItemLayout()
        self._answer: str | None = None

    def poll(self) -> str | None:
        return self._answer

    def draw(self) -> None:
        ems = imgui.get_font_size()
        imgui.set_next_window_pos(imgui.get_main_viewport().get_center(), imgui.Cond_.appearing, (0.5, 0.5))
        imgui.set_next_window_size((32 * ems, 0), imgui.Cond_.appearing)
        flags = imgui.WindowFlags_.no_docking | imgui.WindowFlags_.no_collapse | imgui.WindowFlags_.no_saved_settings
        # Not saved: a dialog of the last session must not come back at its old place, empty.
        _, kept_open = imgui.begin(f"{self.question.title}###file dialog", True, flags)
        imgui.set_next_item_width(-1.0)
        # The path is the state: a click on an entry writes into it, and the list shows where it leads.
        self.path = imgui.input_text("##path", self.path)[1]
        self.item_layout.record("path")
        self._draw_files()
        self._draw_buttons()
        imgui.end()
        if not kept_open or imgui.is_key_pressed(imgui.Key.escape):
            self._answer = ""

    def _draw_files(self) -> None:
        imgui.begin_child("##folder", imgui.ImVec2(-1, self.ROWS * imgui.get_text_line_height_with_spacing()))
        text, _, prefix = self.path.rpartition("/")
        folder = Path(text or "/")
        for name in entries(folder, self.question, prefix):
            if imgui.selectable(name, False)[0]:
                chosen = folder.parent if name == "../" else folder / name
                self.path = f"{chosen}" + "/" * name.endswith("/")
            self.item_layout.record(name)
        imgui.end_child()

    def _draw_buttons(self) -> None:
        if self.question.save:
            verb, acceptable = "Save", not self.path.endswith("/") and bool(self.path)
        else:
            verb, acceptable = "Open", Path(self.path).is_file()
        imgui.begin_disabled(not acceptable)
        if imgui.button(verb):
            self._answer = self.path
        self.item_layout.record(verb)
        imgui.end_disabled()
        imgui.same_line()
        if imgui.button("Cancel"):
            self._answer = ""
        self.item_layout.record("Cancel")
        if not acceptable and not self.question.save and not Path(self.path).exists():
            imgui.same_line()
            self.item_layout.text("no such file", ALARM, in_line=True)


def entries(folder: Path, question: Question, prefix: str = "") -> list[str]:
    """Return the choices in `folder`: "../", then folders with a "/", then the files that the question admits.

    Only names that begin with `prefix`, or all where none does; hidden files only if the prefix begins with a dot.
    """
    try:
        found = sorted(folder.iterdir(), key=lambda path: path.name.lower())
    except OSError:
        return ["../"]
    shown = [path for path in found if not path.name.startswith(".") or prefix.startswith(".")]
    # All of them where none begins so: a mistyped letter must not leave an empty list.
    shown = [path for path in shown if path.name.lower().startswith(prefix.lower())] or shown
    folders = [f"{path.name}/" for path in shown if path.is_dir()]
    return ["../", *folders, *(path.name for path in shown if path.is_file() and question.admits(path.name))]
