"""The commands of `easel`: a table of names, each read by tyro from its function's config."""

import errno
import sys
from collections.abc import Sequence
from importlib import import_module
from inspect import cleandoc
from typing import get_type_hints

from easel.commands.conf import check_options, defaults
from easel.console import BadInput, complain
from easel.graphics.files import FileError
from easel.version import __version__

COMMANDS = {
    "workstation": ("easel.workstation.app:workstation", "fit a photograph with a neural field and watch it learn"),
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
    "materials preview": (
        "easel.commands.materials.preview:preview",
        "see a material on a ball and a plane, relit",
    ),
    "materials convert": ("easel.commands.materials.convert:convert", "write a material for other programs"),
    "inspect": ("easel.commands.inspect_network:inspect", "look inside a network: weights, activations, differences"),
    "view": ("easel.commands.view:view", "look at pictures: zoom, values, exposure, two side by side"),
}
"""Command → (where its function lives, what it does). The function takes one config and returns an exit code."""

DISK_FAULTS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code: 0 done, 1 the work failed, 2 bad input, 130 interrupted."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments[:1] in (["-h"], ["--help"]):
        print(usage())
        return DONE
    if arguments[:1] == ["--version"]:
        print(f"easel {__version__}")
        return DONE
    group = arguments[0] if arguments and any(name.startswith(f"{arguments[0]} ") for name in COMMANDS) else ""
    name = " ".join(arguments[: 2 if group else 1])
    if name in COMMANDS:
        return run(name, arguments[2 if group else 1 :])
    if not group:
        return run("workstation", arguments)
    if arguments[1:] and arguments[1] not in ("-h", "--help"):
        complain(f"easel {group} has no command {arguments[1]!r}; `easel {group} --help` lists those it has.")
        return BAD_INPUT
    print(usage(group))
    return DONE


def usage(group: str = "") -> str:
    """All commands, or those of one group."""
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
    home, function = COMMANDS[name][0].split(":")
    try:
        import tyro

        module = import_module(home)
        command = getattr(module, function)
        kind = get_type_hints(command)["config"]
        # What tyro cannot know, a command looks for before: a preset's name, a run to continue
        prepare = getattr(module, f"prepare_{function}", None)
        arguments, default = prepare(arguments) if prepare else (arguments, defaults(kind, arguments))
        given = {} if default is None else {"default": default}
        if prepare:
            given["description"] = cleandoc(command.__doc__ or "")
        config = tyro.cli(kind, prog=f"easel {name}", args=arguments, **given)
        check_options(config)
        return command(config)
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
