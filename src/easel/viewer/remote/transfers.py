"""Files between a browser tab and the program: uploads to open, downloads of what was saved.

Both lie in a folder of their own that goes with the server. A path never comes from the tab: it sends a name, of which
only letters, digits and a few signs are kept.
"""

import re
import tempfile
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

MOST_UPLOAD_BYTES = 256 << 20
"""Largest file of one upload."""
MOST_FOLDER_BYTES = 4 << 30
"""Largest sum of all uploads that were not deleted: the disk belongs to others as well."""
MOST_NAME = 120
"""Most characters of a file name."""


@dataclass
class Transfers:
    """The folder of one server, made when it is first needed."""

    most_bytes: int = MOST_UPLOAD_BYTES
    _folder: tempfile.TemporaryDirectory[str] | None = None
    _count: int = 0
    offered: dict[int, Path] = field(default_factory=dict)
    """Files that a tab may download, by number."""
    _expected: dict[int, Path] = field(default_factory=dict)
    """Paths that were given out to be saved under, until a file lies there."""

    def room(self) -> int:
        """Return the bytes that may still be uploaded, in one file."""
        taken = sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())
        return max(min(self.most_bytes, MOST_FOLDER_BYTES - taken), 0)

    def place(self, name: str) -> Path:
        """Return a path for a file of about this name, in a folder where nothing else lies."""
        self._count += 1
        # A folder each: names may repeat, and none has to be changed for that.
        folder = self.folder / f"{self._count}"
        folder.mkdir()
        return folder / plain_name(name)

    def expect(self, name: str) -> Path:
        """Return a path for the program to save under; `arrived` has it once the file is there."""
        self._expected[self._count] = path = self.place(name)
        return path

    def arrived(self) -> list[tuple[int, Path]]:
        """Return (number, path) of files that were saved since the last call; from now on they are `offered`."""
        done = [(number, path) for number, path in self._expected.items() if path.is_file()]
        for number, _ in done:
            self.offered[number] = self._expected.pop(number)
        return done

    def offer(self, path: Path) -> int:
        """Offer a file of the program. Returns the number under which a tab may download it."""
        self._count += 1
        self.offered[self._count] = path
        return self._count

    @property
    def folder(self) -> Path:
        if self._folder is None:
            # Windows refuses to delete a file that the program still has open.
            self._folder = tempfile.TemporaryDirectory(prefix="easel-", ignore_cleanup_errors=True)
        return Path(self._folder.name)

    def close(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def plain_name(name: str) -> str:
    """Return a file name that is safe in any folder: no path, no control characters, not hidden, not too long."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    # Dots and blanks at the ends go: ".." names a folder, ".x" is hidden, and Windows drops them at the end.
    kept = re.sub(r"[^\w.()+ -]", "_", last).strip(". ")
    stem, dot, suffix = kept.rpartition(".")
    # The suffix is kept, since programs choose a reader by it.
    room = MOST_NAME - len(dot + suffix[:16])
    return f"{stem[:room]}{dot}{suffix[:16]}" if stem else kept[:MOST_NAME] or "file"
