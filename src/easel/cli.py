"""The commands of `easel`: a table of names, each read by tyro from its function's config."""

import errno
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import get_type_hints

from easel import __version__
from easel.console import BadInput, complain
from easel.graphics.files import FileError

COMMANDS = {
    "workstation": ("easel.workstation.app:workstation", "fit a photograph with a neural field and watch it learn"),
    "view": ("easel.workstation.viewing:view", "look at pictures: zoom, values, exposure, two side by side"),
}
"""Command → (where its function lives, what it does). The function takes one config and returns an exit code."""

DISK_FAULTS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code: 0 done, 1 the work failed, 2 bad input, 130 interrupted."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    match arguments[:1]:
        case ["-h"] | ["--help"]:
            print(usage())
            return DONE
        case ["--version"]:
            print(f"easel {__version__}")
            return DONE
        case [name] if name in COMMANDS:
            return run(name, arguments[1:])
        case _:
            return run("workstation", arguments)


def usage() -> str:
    rows = "\n".join(f"  {name:<14}{what}" for name, (_, what) in COMMANDS.items())
    return (
        f"usage: easel [COMMAND] [ARGUMENTS]\n\nEasel {__version__}, the neural rendering workstation for PyTorch.\n\n"
        f"commands:\n{rows}\n\n`easel COMMAND --help` tells a command's arguments. "
        "Without a command, `easel [IMAGE]` opens the workstation."
    )


def run(name: str, arguments: Sequence[str]) -> int:
    home, function = COMMANDS[name][0].split(":")
    try:
        import tyro

        command = getattr(import_module(home), function)
        return command(tyro.cli(get_type_hints(command)["config"], prog=f"easel {name}", args=arguments))
    except (BadInput, FileError) as error:
        complain(str(error))
        return BAD_INPUT
    except OSError as error:
        hint = "Free some space or name another folder" if error.errno in DISK_FAULTS else "Check that path"
        complain(f"{error.filename or 'a file'}: {error.strerror or error}. {hint} and try again.")
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
