"""Questions for a file: asked beside the loop, answered on a later frame, exactly once."""

import os
import shutil
import sys
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from easel.viewer.imgui import toolkit
from easel.viewer.imgui.item_layout import ItemLayout
from easel.viewer.imgui.theme import ALARM
from easel.viewer.imgui.toolkit import imgui

Filters = Sequence[tuple[str, str]]
"""(description, "*.png *.jpg") pairs."""
FILTERS: Filters = (
    ("Images", "*.png *.jpg *.jpeg *.bmp *.tga *.hdr"),
    ("PNG", "*.png"),
    ("JPEG", "*.jpg *.jpeg"),
    ("HDR", "*.hdr"),
    ("All files", "*.*"),
)
"""What a program asks for that does not say."""


@dataclass(frozen=True)
class Question:
    """What is asked for: an existing file, or a name to save under."""

    title: str
    filters: Filters = ()
    folder: str = ""
    save: bool = False
    default_extension: str = ""

    def __post_init__(self) -> None:
        for pair in self.filters:
            if isinstance(pair, str) or len(pair) != 2 or not all(isinstance(text, str) for text in pair):
                raise TypeError(f"filters are pairs such as ('Images', '*.png *.jpg'); got {pair!r} among them.")

    def admits(self, name: str) -> bool:
        """Whether a file of this name passes the filters; all do where there are none."""
        patterns = [pattern for _, pattern_list in self.filters for pattern in pattern_list.split()]
        return not patterns or any(fnmatch(name.lower(), "*" if p == "*.*" else p.lower()) for p in patterns)

    def complete(self, path: str) -> str:
        """`path` with the default extension when it is to be saved and has none."""
        return path + self.default_extension if self.save and path and not Path(path).suffix else path


class Dialog(ABC):
    """A question on its way: `poll` is called once per frame until it is answered."""

    @abstractmethod
    def poll(self) -> str | None:
        """None while nobody has answered, "" when the person gave up, else the path."""

    def close(self) -> None:  # noqa: B027  most have nothing to take away
        """Take it away, answered or not."""


@dataclass
class Dialogs:
    """The file dialogs of one view."""

    show: Callable[[Question], Dialog | str]
    """Shows the dialog of the person's desktop; where that is impossible, one of our own is drawn in the window."""
    answers: deque[str] = field(default_factory=deque)
    """What a script answers to the next questions, in order, before any dialog is shown."""
    _open: dict[object, tuple[Question, Dialog]] = field(default_factory=dict)

    @property
    def waiting(self) -> bool:
        """A dialog is open."""
        return bool(self._open)

    def ask(self, key: object, question: Question) -> None:
        """Open a dialog for `key`, unless one is open for it already."""
        if key not in self._open:
            shown = self.show(question)
            self._open[key] = question, FileBrowser(question) if isinstance(shown, str) else shown

    def take(self, key: object) -> str | None:
        """The path that answers `key`'s question, once; None before, after, and when the person gave up."""
        if key not in self._open:
            return None
        question, dialog = self._open[key]
        answer = self.answers.popleft() if self.answers else dialog.poll()
        if answer is None:
            return None
        dialog.close()
        del self._open[key]
        return question.complete(answer) or None

    def draw(self) -> None:
        """Draw those that live inside the window."""
        for _, dialog in self._open.values():
            if isinstance(dialog, FileBrowser):
                dialog.draw()

    @property
    def browsers(self) -> "list[FileBrowser]":
        """Those that live inside the window, for scripts that click in them."""
        return [dialog for _, dialog in self._open.values() if isinstance(dialog, FileBrowser)]

    def close(self) -> None:
        for _, dialog in self._open.values():
            dialog.close()
        self._open.clear()


class DesktopDialog(Dialog):
    """The desktop's own dialog, in a process of its own."""

    def __init__(self, question: Question) -> None:
        from imgui_bundle import portable_file_dialogs  # pyright: ignore[reportMissingModuleSource]  compiled

        filters = [text for pair in question.filters for text in pair] or ["All files", "*"]
        kind = portable_file_dialogs.save_file if question.save else portable_file_dialogs.open_file
        self._dialog = kind(question.title, question.folder or str(Path.cwd()), filters)

    def poll(self) -> str | None:
        if not self._dialog.ready(0):
            return None
        result = self._dialog.result()
        return result if isinstance(result, str) else "".join(result[:1])

    def close(self) -> None:
        if not self._dialog.ready(0):
            self._dialog.kill()


def ask_on_desktop(question: Question) -> Dialog | str:
    """The desktop's dialog, or why there is none: Windows and macOS bring one, elsewhere a program must be there."""
    if toolkit.MISSING:
        return toolkit.MISSING
    if sys.platform not in ("win32", "darwin"):
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            return "there is no display"
        if not any(map(shutil.which, ("zenity", "kdialog"))):
            return "the desktop's dialogs need zenity or kdialog: install one, or use panel.file_dialog"
    return DesktopDialog(question)


class FileBrowser(Dialog):
    """A small window inside the window: a path to type, and the folder that it names to click through."""

    ROWS = 12

    def __init__(self, question: Question) -> None:
        self.question = question
        self.path = str(Path(question.folder or Path.cwd()).resolve()) + "/"
        self.item_layout = ItemLayout()
        self._answer: str | None = None

    def poll(self) -> str | None:
        return self._answer

    def draw(self) -> None:
        ems = imgui.get_font_size()
        center = imgui.get_main_viewport().get_center()
        imgui.set_next_window_pos(center, imgui.Cond_.appearing, imgui.ImVec2(0.5, 0.5))
        imgui.set_next_window_size(imgui.ImVec2(32 * ems, 0), imgui.Cond_.appearing)
        flags = imgui.WindowFlags_.no_docking | imgui.WindowFlags_.no_collapse | imgui.WindowFlags_.no_saved_settings
        _, kept_open = imgui.begin(f"{self.question.title}###file dialog", True, flags)
        imgui.set_next_item_width(-1.0)
        self.path = imgui.input_text("##path", self.path)[1]
        self.item_layout.record("path")
        self._draw_folder()
        self._draw_choice()
        imgui.end()
        if not kept_open or imgui.is_key_pressed(imgui.Key.escape):
            self._answer = ""

    def _draw_folder(self) -> None:
        imgui.begin_child("##folder", imgui.ImVec2(-1, self.ROWS * imgui.get_text_line_height_with_spacing()))
        folder, prefix = self.path.rpartition("/")[::2]
        for name in entries(Path(folder or "/"), self.question, prefix):
            if imgui.selectable(name, False)[0]:
                parent = Path(folder or "/")
                self.path = f"{parent.parent if name == '../' else parent / name}" + "/" * name.endswith("/")
            self.item_layout.record(name)
        imgui.end_child()

    def _draw_choice(self) -> None:
        verb = "Save" if self.question.save else "Open"
        fits = bool(self.path.rpartition("/")[2]) if self.question.save else Path(self.path).is_file()
        imgui.begin_disabled(not fits)
        if imgui.button(verb):
            self._answer = self.path
        self.item_layout.record(verb)
        imgui.end_disabled()
        imgui.same_line()
        if imgui.button("Cancel"):
            self._answer = ""
        self.item_layout.record("Cancel")
        if not fits and not self.question.save and not Path(self.path).exists():
            imgui.same_line()
            self.item_layout.text("no such file", ALARM, in_line=True)


def entries(folder: Path, question: Question, prefix: str = "") -> list[str]:
    """What can be chosen in `folder`: "../", then folders with a "/", then the files that the question admits.

    Names that begin with `prefix` only, but all of them where none does; hidden ones when the prefix asks for them.
    """
    try:
        found = sorted(folder.iterdir(), key=lambda path: path.name.lower())
    except OSError:
        return ["../"]
    shown = [path for path in found if not path.name.startswith(".") or prefix.startswith(".")]
    shown = [path for path in shown if path.name.lower().startswith(prefix.lower())] or shown
    folders = [f"{path.name}/" for path in shown if path.is_dir()]
    return ["../", *folders, *(path.name for path in shown if path.is_file() and question.admits(path.name))]
