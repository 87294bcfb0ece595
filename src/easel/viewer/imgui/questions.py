"""Requests for a file and their open dialogs, without a widget library: the terms in which backends are asked."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

Filters = Sequence[tuple[str, str]]
"""(description, "*.png *.jpg") pairs."""
FILTERS: Filters = (("Images", "*.png *.jpg *.jpeg *.bmp *.tga *.hdr"), ("PNG", "*.png"), ("JPEG", "*.jpg *.jpeg"),
                    ("HDR", "*.hdr"), ("All files", "*.*"))  # fmt: skip
"""Filters of a dialog whose caller names none."""


@dataclass(frozen=True)
class Question:
    """The request of a file dialog: an existing file, or with `save` a name to save under."""

    title: str
    filters: Filters = ()
    folder: str = ""
    save: bool = False
    default_extension: str = ""

    def __post_init__(self) -> None:
        # A text is a pair too when it has two characters: ["*.png"] and "ab" are the mistakes that people make.
        for pair in self.filters:
            if isinstance(pair, str) or len(pair) != 2 or not all(isinstance(text, str) for text in pair):
                raise TypeError(f"filters are pairs such as ('Images', '*.png *.jpg'); got {pair!r} among them.")

    def admits(self, name: str) -> bool:
        """Return True if a file of this name passes the filters; every file does where there are none."""
        patterns = [pattern for _, pattern_list in self.filters for pattern in pattern_list.split()]
        # "*.*" means every file, as it does on Windows, even one without a dot.
        return not patterns or any(p == "*.*" or fnmatch(name.lower(), p.lower()) for p in patterns)

    def complete(self, path: str) -> str:
        """Return `path`, with the default extension if it is to be saved and has none."""
        return path + self.default_extension * (self.save and bool(path) and not Path(path).suffix)


class Dialog(ABC):
    """An open dialog; `poll` is called once per frame until it is answered."""

    @abstractmethod
    def poll(self) -> str | None:
        """Return None while it is open, "" once it was cancelled, else the chosen path."""

    def close(self) -> None:  # noqa: B027  most have nothing to close
        """Close it, answered or not."""
