"""`easel workstation`: all pages in one window, or drawn off screen until the one that is asked for has settled."""

import contextlib
import signal
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from easel.console import BadInput, complain, prepare_folder
from easel.workstation.app import (
    FIRST,
    PAGES,
    WorkstationConfig,
    open_shell,
    open_view,
    prepare_page,
    run,
    save_results,
)

if TYPE_CHECKING:
    from easel.workstation.session import Session
    from easel.workstation.shell import Shell


def workstation(config: WorkstationConfig) -> int:
    """Open the workstation; returns 0, or 128 and the number of the signal that ended it, such as 130 for SIGINT.

    Raises FileError for a photograph that cannot be read or a folder that cannot be written, before the fit begins.
    """
    prepare_folder(config.out)
    session = open_session(config)
    config = replace(config, page=config.page or first_page(session), device=choose_device(config.device))
    # Whatever is wrong with an option is said before a window opens.
    first = prepare_page(config.page or FIRST, config)
    with signals() as received, open_view("Easel", config) as view:
        shell = open_shell(view, config, session, first)
        for note in shell.notes:
            print(note)
        try:
            failure = run(shell, received, session)
        finally:
            # Called from the last to the first, each whatever becomes of the others.
            with contextlib.ExitStack() as ending:
                ending.callback(shell.close)
                ending.callback(lambda: tell(save_results(shell, config.out)))
                ending.callback(lambda: tell(keep(config, shell, session)))
    if failure:
        complain(failure)
        return 1
    # As shells count a program that a signal has ended.
    return 128 + received[0] if received else 0


def tell(files: list[Path]) -> None:
    for file in files:
        print(f"wrote {file}")


def open_session(config: WorkstationConfig) -> "Session | None":
    """Open the session that --session names; BadInput for a file that is none, and for names that cannot be written."""
    from easel.workstation.session import Session

    for name, file, suffix in (("session", config.session, ".json"), ("report", config.report, ".html")):
        if file is None:
            continue
        if file.suffix.lower() != suffix:
            raise BadInput(f"--{name} {file}: its name ends in {suffix}.")
        # Both are written at the end: then it would be too late to name another folder.
        prepare_folder(file.parent)
    return config.session and Session(config.session)


def first_page(session: "Session | None") -> str:
    """Return the page that the session ended with, else the usual one."""
    rows = {page: row for row, (page, _) in PAGES.items()}
    return FIRST if session is None else rows.get(session.page, FIRST)


def keep(config: WorkstationConfig, shell: "Shell", session: "Session | None") -> list[Path]:
    """Write the session and the report that were asked for; returns the files."""
    from easel.workstation.report import write_report

    files: list[Path] = []
    if session is not None:
        files.append(session.save(shell.view, shell.pages))
    if config.report is not None:
        write_report(shell.view, config.report)
        files.append(config.report)
    return files


def choose_device(device: str) -> str:
    """Return cpu or cuda; BadInput for a CUDA device that torch does not find."""
    import torch

    # Not left to the page: a window that opens in order to show this error helps nobody.
    if device == "cuda" and not torch.cuda.is_available():
        raise BadInput("--device cuda: torch finds no CUDA device here. Use --device cpu or auto.")
    return "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"


@contextlib.contextmanager
def signals() -> Generator[list[int]]:
    """Collect SIGINT, SIGTERM and SIGHUP, so that the step ends and results are saved; a second one ends at once."""
    received: list[int] = []

    def note(number: int, _frame: object) -> None:
        # The loop looks at it after each frame; nothing else is safe to do in a handler.
        received.append(number)
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    # A terminal that is closed hangs up, unless nohup has the program go on. Windows has no such signal.
    numbers = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield received
    finally:
        restore()
