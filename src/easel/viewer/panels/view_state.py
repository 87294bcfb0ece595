"""The saved state of a view, as JSON holds it: its page, its theme, its layout and the values of its widgets.

    {"version": 1, "page": "Fit", "theme": "dark", "layout": "…",
     "widgets": {"Fit": {"Controls": {"Learning rate": 0.01, "Loss": "MSE"}}}}

The panels of a view without pages are on the page "". The layout is Dear ImGui's own text, and "" where none is known.
"""

import re
from dataclasses import dataclass
from typing import Any

from easel.viewer.imgui.theme import THEMES

VERSION = 1
MOST_LAYOUT_CHARACTERS = 2**20
# A layout is handed to Dear ImGui's parser, which trusts its own files: only lines that it writes itself may pass.
LINE = re.compile(r"\[\w+\]\[.*\]|[A-Za-z]+ ?\w*=.*|")
NODE = re.compile(r"\s*(?:DockSpace|DockNode)\s+ID=0x([0-9A-Fa-f]{1,8})\b(?:.*?\bParent=0x([0-9A-Fa-f]{1,8})\b)?.*")

Widgets = dict[str, dict[str, dict[str, object]]]
"""Value by page, panel and label."""


@dataclass(frozen=True)
class ViewState:
    """A state that has been checked."""

    page: str
    theme: str
    layout: str
    widgets: Widgets

    @classmethod
    def read(cls, state: object) -> "ViewState":
        """Check a state that came from a file. Raises ValueError, of one line, if it is none of this version."""
        table = _table(state, "the state of a view")
        if table.get("version") != VERSION:
            raise ValueError(f"the state of a view has version {VERSION}; got {table.get('version')!r:.40}.")
        # A misspelt entry would otherwise be ignored in silence.
        if unknown := table.keys() - {"version", *cls.__dataclass_fields__}:
            raise ValueError(f"the state of a view has no {min(unknown)!r:.60}. Known: version, page, …, widgets.")
        page, theme, layout = (_text(table, name) for name in ("page", "theme", "layout"))
        if theme and theme not in THEMES:
            raise ValueError(f"unknown theme {theme!r:.40}. Known: {', '.join(THEMES)}.")
        # Before anything is changed: a state is taken as a whole or not at all.
        _check_layout(layout)
        widgets: Widgets = {}
        for page_name, panels in _table(table.get("widgets", {}), "'widgets'").items():
            for panel, values in _table(panels, f"page {page_name!r:.60}").items():
                widgets.setdefault(page_name, {})[panel] = dict(_table(values, f"panel {panel!r:.60}"))
        return cls(page, theme, layout, widgets)


def _table(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is a table of names; got {type(value).__name__} {value!r:.40}.")
    return value


def _text(state: dict[str, Any], name: str) -> str:
    value = state.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"{name!r} is a text; got {value!r:.40}.")
    return value


def _check_layout(text: str) -> None:
    """Raise ValueError for a layout that would crash Dear ImGui: a tree of nodes with rings, or unknown lines."""
    # A layout of a view has some kilobytes; more is no layout.
    if len(text) > MOST_LAYOUT_CHARACTERS:
        raise ValueError(f"a layout has up to {MOST_LAYOUT_CHARACTERS} characters; got {len(text)}.")
    children: dict[str, int] = {}
    for line in text.splitlines():
        node = NODE.fullmatch(line)
        if node is None and not LINE.fullmatch(line):
            raise ValueError(f"no line of a layout: {line!r:.60}.")
        if node is not None:
            name, parent = (number and number.lower().lstrip("0") for number in node.groups())
            # Parents come first, so there is no ring; every node is cut in two at most.
            if name in children or (parent is not None and children.get(parent, 2) > 1):
                raise ValueError(f"a layout's areas are a tree of halves; this one is not: {line.strip()!r:.60}.")
            # Every node is listed once, its children after it.
            children[name or ""] = 0
            if parent is not None:
                children[parent] += 1
