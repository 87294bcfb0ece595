"""Public names that load when they are first read.

A package's `__init__.pyi` is the one list of its public names: type checkers read it as a stub, and `attach` reads the
same lines when the program runs. So `import easel` loads no torch, no OpenGL and no toolkit.
"""

import os
import re
from collections.abc import Callable
from importlib import import_module

_LINE = re.compile(r"^from (?P<home>[\w.]+) import (?P<name>\w+) as (?P<public>\w+)(  #.*)?$", re.MULTILINE)


def attach(package: str, file: str) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` for a package, from the stub beside its `__init__.py`.

    `package` and `file` are the caller's `__name__` and `__file__`:

        __getattr__, __dir__, __all__ = attach(__name__, __file__)

    Every public name has a line of its own in the stub, `from easel.viewer.view import View as View`; any other line is
    for type checkers alone.
    """
    with open(f"{os.path.splitext(file)[0]}.pyi", encoding="utf-8") as stub:
        homes = {line["public"]: (line["home"], line["name"]) for line in _LINE.finditer(stub.read())}

    def load(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home, original = homes[name]
        # `from easel import fields as fields`: a module, which its package does not hold before it is imported
        if home == package:
            return import_module(f"{package}.{original}")
        return getattr(import_module(home), original)

    def names() -> list[str]:
        return sorted(homes)

    return load, names, sorted(homes)
