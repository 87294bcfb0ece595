"""A config by its name or from a file: presets, JSON, and Python files that somebody trusts.

Standard library only: help texts must not wait for torch.
"""

import json
import os
import runpy
import traceback
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from easel.graphics.files import FileError, open_file
from easel.materials.config import TrainConfig
from easel.materials.presets import PRESETS

LIMIT_BYTES = 2**20
"""Larger config files are not read."""


def open_config(name: str | os.PathLike[str]) -> TrainConfig:
    """Open the preset of that name, or the config in a .json or .py file; not yet resolved.

    A .py file is run as it is: open trusted files only. It defines `get_config()` or `config`. Where there is no file
    of that name, a preset's name with any folder and suffix means the preset: configs/high_quality.py.
    ValueError names the nearest preset; FileError says what is wrong with a file.
    """
    path = Path(name)
    read = {".json": _from_json, ".py": _from_python}.get(path.suffix)
    if read is not None and path.is_file():
        return read(path)
    if path.stem in PRESETS:
        return PRESETS[path.stem]()
    # A bare word is a preset; with a folder or a suffix it is a file's name.
    is_path = path.name != os.fspath(name) or path.suffix != ""
    near = get_close_matches(path.stem, PRESETS, 1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(PRESETS)}; or a .py or .json file."
    raise ValueError(f"{'no config file' if is_path else 'unknown preset'} {os.fspath(name)!r}. {hint}")


def _from_json(path: Path) -> TrainConfig:
    with open_file(path) as file:
        data = file.read(LIMIT_BYTES + 1)
    if len(data) > LIMIT_BYTES:
        _refuse(path, f"it is larger than {LIMIT_BYTES // 1024} KiB")
    try:
        # NaN and Infinity are no JSON, though Python writes and reads them.
        found = json.loads(data, parse_constant=_refuse_constant)
        if not isinstance(found, Mapping):
            raise ValueError(f"it is a {type(found).__name__}, not an object")
        return TrainConfig.from_dict(found)
    except (ValueError, RecursionError) as error:
        _refuse(path, " ".join(str(error).split()).rstrip("."))


def _from_python(path: Path) -> TrainConfig:
    try:
        names = runpy.run_path(os.fspath(path))
        make = names.get("get_config")
        found: Any = make() if callable(make) else names.get("config")
    # Whatever the file does wrong is one line for the person who wrote it.
    except Exception as error:
        line = _line_within(error, path)
        _refuse(path, f"{line}{type(error).__name__}: {' '.join(str(error).split())}".rstrip("."))
    if not isinstance(found, TrainConfig):
        _refuse(path, f"get_config() or config must be a TrainConfig, it is a {type(found).__name__}")
    return found


def _line_within(error: BaseException, path: Path) -> str:
    """Return "line 7: " for the deepest line of the file that led to the error."""
    steps = traceback.walk_tb(error.__traceback__)
    numbers = [number for frame, number in steps if Path(frame.f_code.co_filename) == path]
    return "".join(f"line {number}: " for number in numbers[-1:])


def _refuse(path: Path, reason: str) -> NoReturn:
    raise FileError(f"cannot use the config {os.fspath(path)!r}: {reason}.") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
