"""Puts the layout's rectangles into Dear ImGui's dock space, and keeps what a person made of them."""

import hashlib
import logging
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from easel.graphics.files import FileError, write_whole
from easel.viewer.layout import Area, Place, arrange, insert
from easel.viewer.toolkit import imgui

log = logging.getLogger("easel")

DIRECTIONS = {"left": "left", "right": "right", "top": "up", "bottom": "down"}
"""What Dear ImGui calls the sides."""


class Dock:
    """Where the panels of one view are. The program places them; a person may move them, and finds them there again."""

    def __init__(self, title: str, file: Path | None, remembers: bool) -> None:
        self.area: Area = None
        """The places that the program asked for."""
        self.reset = False
        """Put the panels back where the program placed them, in the next frame."""
        self._title, self._file, self._remembers = title, file, remembers
        self._known: dict[str, Place] = {}
        self._restored = False

    def prepare(self, panels: Iterable[str]) -> None:
        """Before the first frame: find the arrangement of these panels that was kept."""
        if self._known or self._restored:
            return
        if self._file is None and self._remembers:
            self._file = layout_file(self._title, list(panels))
        self._restored = self._file is not None and restore(self._file)

    def place(self, places: Mapping[str, Place], *, drawing: bool) -> bool:
        """In every frame: show the dock space, where something is drawn, and give panels that are new their place.

        True when something was placed.
        """
        space = imgui.dock_space_over_viewport(flags=imgui.DockNodeFlags_.passthru_central_node) if drawing else 0
        new = [place for name, place in places.items() if name not in self._known]
        if not new and not self.reset:
            return False
        if not self._known or self.reset:
            self.area = arrange(list(places.values()))
            if drawing and (self.reset or not self._restored):
                _apply(self.area, space)
        else:
            self._insert(new, space, drawing=drawing)
        self.reset, self._known = False, dict(places)
        return True

    def _insert(self, new: Sequence[Place], space: int, *, drawing: bool) -> None:
        """Give panels that were made later a place beside the last one without a side."""
        for place in new:
            neighbour = next((name for name in reversed(self._known) if self._known[name].side is None), None)
            self.area = insert(self.area, place, neighbour)
            if drawing:
                _apply(self.area, space) if neighbour is None else _dock_beside(place, neighbour)
            self._known[place.panel] = place

    def keep(self) -> None:
        """Save the arrangement; a folder that cannot be written costs a line in the log and nothing else."""
        if self._file is None or not self._known:
            return
        try:
            with write_whole(self._file) as file:
                file.write_text(imgui.save_ini_settings_to_memory(), encoding="utf-8")
        except (OSError, FileError) as error:
            log.warning("the window's layout was not saved: %s", error)


def _apply(area: Area, space: int) -> None:
    """Dock every panel of `area` in its place, from scratch."""
    builder = imgui.internal
    builder.dock_builder_remove_node(space)
    builder.dock_builder_add_node(space, imgui.internal.DockNodeFlagsPrivate_.dock_space)
    builder.dock_builder_set_node_size(space, imgui.get_main_viewport().size)
    _dock(area, space)
    builder.dock_builder_finish(space)


def _dock(area: Area, node: int) -> None:
    if area is None:
        return
    if isinstance(area, str):
        imgui.internal.dock_builder_dock_window(area, node)
        return
    split = imgui.internal.dock_builder_split_node(node, imgui.Dir[DIRECTIONS[area.side]], area.share)
    _dock(area.first, split.id_at_dir)
    _dock(area.rest, split.id_at_opposite_dir)


def _dock_beside(place: Place, neighbour: str) -> None:
    """Cut the node that `neighbour` is in now, wherever the person has put it."""
    window = imgui.internal.find_window_by_name(neighbour)
    if window is not None and window.dock_id:
        _dock(insert(neighbour, place, neighbour), window.dock_id)


def layout_file(title: str, panels: Sequence[str]) -> Path:
    """Where the arrangement of these panels under this title is kept, in the user's own config folder."""
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or Path.home() / "AppData/Roaming")
    elif sys.platform == "darwin":
        base = Path.home() / "Library/Application Support"
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    key = hashlib.sha256("\0".join([title, *sorted(panels)]).encode()).hexdigest()[:12]
    name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "view"
    return base / "easel" / "layouts" / f"{name}-{key}.ini"


def restore(path: Path) -> bool:
    """Load an arrangement before the first frame; False when there is none."""
    try:
        imgui.load_ini_settings_from_memory(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return False
    return True
