"""The commands of `easel`: a table of names; tyro makes the flags of each from its function's config."""

import errno
import sys
from collections.abc import Sequence
from importlib import import_module
from inspect import cleandoc
from typing import Any, get_type_hints

from easel.commands.conf import check_options, defaults
from easel.console import BadInput, complain
from easel.graphics.files import FileError
from easel.version import __version__

COMMANDS = {
    "workstation": (
        "easel.commands.workstation:workstation",
        "fit a photograph with a neural field and watch it learn",
    ),
    "fields generate": ("easel.commands.fields.generate:generate", "paint pictures with random neural fields"),
    "fields fit": ("easel.commands.fields.fit:fit", "turn photographs into neural fields"),
    "fields render": ("easel.commands.fields.render:render", "paint a field again, at any size"),
    "fields zoom": ("easel.commands.fields.zoom:zoom", "film a flight into a field"),
    "fields walk": ("easel.commands.fields.walk:walk", "film a walk through a field's latents"),
    "fields volume": ("easel.commands.fields.volume:volume", "paint volumes, and look at volumes"),
    "fields compress": ("easel.commands.fields.compress:compress", "store a photograph as a field of few bytes"),
    "fields decompress": ("easel.commands.fields.compress:decompress", "turn a compressed field back into a picture"),
    "fields export": ("easel.commands.fields.export:export", "write a field as a web page and as ONNX"),
    "fields analyze": ("easel.commands.fields.analyze:analyze", "see how the pictures of a folder differ"),
    "materials render": ("easel.commands.materials.render:render", "photograph materials: a dataset to train on"),
    "materials import": ("easel.commands.materials.import_:import_", "take real materials from folders of textures"),
    "materials check": ("easel.commands.materials.check:check", "find what is wrong with a dataset"),
    "materials train": ("easel.commands.materials.train:train", "teach a network to see materials in photographs"),
    "materials shards": ("easel.commands.materials.shards:shards", "store a network's answers, for students to learn"),
    "materials distill": ("easel.commands.materials.distill:distill", "teach a small network what a large one knows"),
    "materials evaluate": ("easel.commands.materials.evaluate:evaluate", "measure a network beside the true maps"),
    "materials infer": ("easel.commands.materials.infer:infer", "recover the maps of a material from photos"),
    "materials export": ("easel.commands.materials.export:export", "write a network as ONNX and as Core ML"),
    "materials preview": ("easel.commands.materials.preview:preview", "see a material on a ball and a plane, relit"),
    "materials convert": ("easel.commands.materials.convert:convert", "write a material for other programs"),
    "inspect": ("easel.commands.inspect_network:inspect", "look inside a network: weights, activations, differences"),
    "view": ("easel.commands.view:view", "look at pictures: zoom, values, exposure, two side by side"),
}
"""Command → (module:function, its line in the help). The function takes one config and returns an exit code."""

DISK_FAULTS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code: 0 done, 1 the work failed, 2 bad input, 130 interrupted.

    Without a command, the arguments are those of the workstation.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments[:1] in (["-h"], ["--help"]):
        print(usage())
        return DONE
    if arguments[:1] == ["--version"]:
        print(f"easel {__version__}")
        return DONE
    # A first word such as `fields` is a group; a path or a flag is the workstation's.
    group = next((name.split()[0] for name in COMMANDS if arguments and name.startswith(f"{arguments[0]} ")), "")
    words = 2 if group else 1
    name = " ".join(arguments[:words])
    if name in COMMANDS:
        return run(name, arguments[words:])
    if not group:
        return run("workstation", arguments)
    if arguments[1:] and arguments[1] not in ("-h", "--help"):
        complain(f"easel {group} has no command {arguments[1]!r}; `easel {group} --help` lists those it has.")
        return BAD_INPUT
    print(usage(group))
    return DONE


def usage(group: str = "") -> str:
    """Return the help that lists all commands, or those of one group."""
    table = {name: what for name, (_, what) in COMMANDS.items() if not group or name.startswith(f"{group} ")}
    column = max(map(len, table)) + 2
    rows = "\n".join(f"  {name:<{column}}{what}" for name, what in table.items())
    if group:
        return (
            f"usage: easel {group} COMMAND [ARGUMENTS]\n\n{rows}\n\n`easel {group} COMMAND --help` tells its arguments."
        )
    return (
        f"usage: easel [COMMAND] [ARGUMENTS]\n\nEasel {__version__}, the neural rendering workstation for PyTorch.\n\n"
        f"commands:\n{rows}\n\n`easel COMMAND --help` tells a command's arguments. "
        "Without a command, `easel [IMAGE]` opens the workstation."
    )


def run(name: str, arguments: Sequence[str]) -> int:
    """Run a command of the table on its arguments; errors of the user and of the disk become one line."""
    home, function = COMMANDS[name][0].split(":")
    try:
        import tyro

        module = import_module(home)
        command = getattr(module, function)
        # The command's annotation is the one place that names its config.
        kind = get_type_hints(command)["config"]
        given: dict[str, Any] = {}
        # What tyro cannot know, such as a preset's name or a run to continue, a command looks for before.
        prepare = getattr(module, f"prepare_{function}", None)
        if prepare is None:
            default = defaults(kind, arguments)
        else:
            arguments, default = prepare(arguments)
            given["description"] = cleandoc(command.__doc__ or "")
        if default is not None:
            given["default"] = default
        config = tyro.cli(kind, prog=f"easel {name}", args=arguments, **given)
        check_options(config)
        return command(config)
    except (BadInput, FileError) as error:
        complain(str(error))
        return BAD_INPUT
    except OSError as error:
        # A full disk needs another answer than a wrong path.
        hint = "Free some space or name another folder" if error.errno in DISK_FAULTS else "Check that path"
        complain(f"{error.filename or 'a file'}: {error.strerror or error}. {hint} and try again.")
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
