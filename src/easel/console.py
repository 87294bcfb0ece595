"""Messages of commands to the person who runs them: progress while they work, one line when they cannot."""

import contextlib
import difflib
import errno
import sys
import tempfile
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

Thing = TypeVar("Thing")


class BadInput(Exception):  # noqa: N818 - it is the user's input that is bad; nothing in the program failed
    """An argument cannot be used; the message is one line: what came, what fits, what to do."""


@contextlib.contextmanager
def explained(
    before: str = "", after: str = "", *, errors: type[Exception] | tuple[type[Exception], ...] = ValueError
) -> Generator[None]:
    """Turn a ValueError of the block, or other `errors`, into BadInput, with words before and after it.

    with explained("photo.png: "):
        fit(photo)
    """
    try:
        yield
    except errors as error:
        # Python puts the text of a KeyError into quotes.
        told = error.args[0] if isinstance(error, KeyError) and error.args else error
        raise BadInput(f"{before}{told}{after}") from None


@runtime_checkable
class Progress(Protocol):
    """A display of how far long work has come."""

    def update(self, fraction: float, note: str) -> None:
        """Show that `fraction` of the work, in [0, 1], is done; `note` says in a few words how it goes."""
        ...


@dataclass
class _Lines:
    """Plain lines for logs and pipes: one when enough seconds have passed since the last."""

    title: str
    interval_seconds: float
    printed_at: float = field(default_factory=time.monotonic)

    def update(self, fraction: float, note: str) -> None:
        now = time.monotonic()
        if now - self.printed_at >= self.interval_seconds:
            self.printed_at = now
            print(f"{self.title}: {fraction:4.0%}  {note}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def progress(title: str, *, interval_seconds: float = 5.0) -> Generator[Progress]:
    """Show a bar where standard error is a terminal; elsewhere a plain line every `interval_seconds`.

    with progress("rendering") as bar:
        bar.update(0.5, "row 256 of 512")
    """
    if not sys.stderr.isatty():
        yield _Lines(title, interval_seconds)
        return
    # Here, since most commands end before they have any progress to show.
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    # On standard error: what a command prints may go into a pipe.
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[note]}"))
    with RichProgress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=1.0, note="")

        class Bar:
            def update(self, fraction: float, note: str) -> None:
                bar.update(task, completed=fraction, note=note)

        yield Bar()


def counted(things: Iterable[Thing], total: int, bar: Progress, noun: str = "frame") -> Iterator[Thing]:
    """Yield the things one by one; each counts as done when the next one is asked for."""
    for number, thing in enumerate(things, 1):
        yield thing
        bar.update(number / total, f"{noun} {number} of {total}")


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'mobile'?" for the known name that is nearest; empty where none is near."""
    return "".join(f" Did you mean {near!r}?" for near in difflib.get_close_matches(name, known, n=1))


def complain(sentence: str) -> None:
    """Print one line on standard error, where a user and a log look for what went wrong."""
    # One line whatever came in: messages of libraries may have several.
    print("easel: " + " ".join(sentence.split()), file=sys.stderr, flush=True)


def prepare_folder(out: Path) -> None:
    """Make the folder and try to write there, so that no work is lost to a folder that was never writable."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        # Permission bits do not tell: a disk may be mounted read-only, a network share may refuse.
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        # A full disk is no mistake of the user's in naming a folder.
        if error.errno == errno.ENOSPC:
            raise
        raise BadInput(f"cannot write into the folder {out}: {error.strerror}. Name another one with --out.") from error


def require_folder(folder: Path, name: str) -> None:
    """Raise BadInput where there is no such folder, with the nearest name beside it; `name` is how it was asked for."""
    if folder.is_dir():
        return
    if folder.exists():
        raise BadInput(f"{name} {folder} is a file. Name the folder that holds it: {folder.parent}.")
    with contextlib.suppress(OSError):
        beside = [entry.name for entry in folder.parent.iterdir() if entry.is_dir()]
        for near in difflib.get_close_matches(folder.name, beside, n=1):
            raise BadInput(f"{name} {folder}: there is no such folder. Did you mean {folder.parent / near}?")
    raise BadInput(f"{name} {folder}: there is no such folder. Check its name.")
