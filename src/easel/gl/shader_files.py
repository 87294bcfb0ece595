"""Shaders: GLSL in files beside the package that draws with them."""

import re
from collections.abc import Mapping
from importlib import resources

_INCLUDE = re.compile(r'^#include "([\w.]+)"$', re.MULTILINE)


def read_shader(package: str, name: str, generated: Mapping[str, str] | None = None) -> str:
    """Return the GLSL text of the file `shaders/NAME` in a package.

    A line `#include "FILE"` is replaced by that file of the same folder, or by `generated["FILE"]`: GLSL has no include
    of its own.

        read_shader("easel.gl", "line.vert")
    """
    generated = generated or {}

    def included(line: re.Match[str]) -> str:
        file = line[1]
        return generated[file] if file in generated else read_shader(package, file, generated)

    text = resources.files(package).joinpath("shaders", name).read_text(encoding="utf-8")
    return _INCLUDE.sub(included, text)
