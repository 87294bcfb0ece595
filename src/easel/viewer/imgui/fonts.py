"""Fonts: one face merged from what this machine has: Latin and Greek, then Chinese, Japanese, Korean, then symbols."""

import functools
import importlib.util
import itertools
import logging
import os
import unicodedata
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from easel.viewer.imgui.sketch import Number
from easel.viewer.imgui.toolkit import imgui

log = logging.getLogger("easel")

CJK = ("notosanscjk*", "notosanssc*", "sourcehansans*", "wqy-microhei*", "wqy-zenhei*", "droidsansfallback*",
       "pingfang*", "hiragino sans gb*", "stheiti*", "msyh.*", "simsun.*", "yugothr*", "malgun.*")  # fmt: skip
"""File name patterns of fonts with Chinese, Japanese or Korean glyphs, the better ones first."""
SYMBOLS = ("dejavusans.*", "apple symbols*", "seguisym.*")
"""File name patterns of fonts with mathematical and other symbols."""
SUFFIXES = (".ttf", ".ttc", ".otf")
LOGGED_CHARACTERS = 8

_checked: set[str] = set()
_missing: list[str] = []


def load_fonts(pixels: Number) -> None:
    """Load the merged face into the current Dear ImGui context, at a height of `pixels`."""
    fonts = imgui.get_io().fonts
    package = importlib.util.find_spec("imgui_bundle")
    assert package is not None and package.submodule_search_locations
    roboto = Path(package.submodule_search_locations[0]) / "assets/fonts/Roboto/Roboto-Regular.ttf"
    # The merged font must be the first one added: title bars use the first.
    if roboto.is_file():
        fonts.add_font_from_file_ttf(str(roboto), pixels)
    else:
        log.debug("no Roboto beside imgui-bundle: taking its bitmap font")
        fonts.add_font_default()
    # Merged, a glyph comes from the first font that has it: Latin stays Roboto's beside Chinese.
    merged = imgui.ImFontConfig()
    merged.merge_mode = True
    for names in (CJK, SYMBOLS):
        if (found := find_font(names, font_files(tuple(font_folders())))) is not None:
            fonts.add_font_from_file_ttf(str(found), pixels, merged)


def font_folders() -> list[Path]:
    """Return the font folders of Linux, macOS and Windows, this user's first."""
    home = Path.home()
    users = [Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share") / "fonts"]
    users += [home / ".fonts", home / "Library/Fonts"]
    if local := os.environ.get("LOCALAPPDATA"):
        users.append(Path(local) / "Microsoft/Windows/Fonts")
    systems = ("/usr/local/share/fonts", "/usr/share/fonts", "/Library/Fonts", "/System/Library/Fonts")
    return [*users, *map(Path, systems), Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts"]


# Cached: every view that opens asks, and a walk through all of the system's font folders is slow.
@functools.cache
def font_files(folders: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return all font files below these folders, in their order."""
    walked = itertools.chain.from_iterable(map(os.walk, folders))
    found = (Path(folder, name) for folder, _, names in walked for name in sorted(names))
    return tuple(path for path in found if path.name.lower().endswith(SUFFIXES))


def find_font(names: Sequence[str], files: Sequence[Path]) -> Path | None:
    """Return a file for the first pattern in `names` that has one, the regular weight of several; None if none has."""
    for name in names:
        # By name first, then by folder: a better font of the system beats a worse one of the user.
        if matches := [file for file in files if fnmatch(file.name.lower(), name)]:
            return next((file for file in matches if "regular" in file.name.lower()), matches[0])
    return None


def warn_missing_glyphs(text: str) -> None:
    """Log, once per process, characters of a text being drawn that no loaded font has."""
    # Called for every text of every frame: ASCII, which all faces have, must cost nothing.
    if text.isascii() or _missing:
        return
    # Control characters, combining marks and separators (C, M, Z) have no glyph of their own in many good fonts.
    new = sorted(character for character in {*text} - _checked if unicodedata.category(character)[0] not in "CMZ")
    _checked.update(text)
    _missing.extend(character for character in new if not imgui.get_font().is_glyph_in_font(ord(character)))
    if _missing:
        log.warning(
            "no font here has %s: such letters show as '?'. For Chinese, Japanese and Korean install Noto Sans CJK.",
            "".join(_missing[:LOGGED_CHARACTERS]) + " ..." * (len(_missing) > LOGGED_CHARACTERS),
        )
