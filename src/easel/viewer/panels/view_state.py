"""What a person made of a view, as JSON can hold it: its page, its theme, its layout and the values of its widgets.

    {"version": 1, "page": "Fit", "theme": "dark", "layout": "…",
     "widgets": {"Fit": {"Controls": {"Learning rate": 0.01, "Loss": "MSE"}}}}

The panels of a view without pages are on the page "". The layout is Dear ImGui's own text, and "" where none is known.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from easel.viewer.imgui.theme import THEMES
from easel.viewer.panels.page import Page

VERSION = 1
MOST_CHARACTERS = 2**20
"""Of a layout."""
LINE = re.compile(r"\[\w+\]\[.*\]|[A-Za-z]+ ?\w*=.*|")
NODE = re.compile(r"\s*(?:DockSpace|DockNode)\s+ID=0x([0-9A-Fa-f]{1,8})\b(?:.*?\bParent=0x([0-9A-Fa-f]{1,8})\b)?.*")

Widgets = dict[str, dict[str, dict[str, object]]]
"""Value by page, panel and label."""


@dataclass(frozen=True)
class ViewState:
    """A state that was checked."""

    page: str
    theme: str
    layout: str
    widgets: Widgets

    @classmethod
    def read(cls, state: object) -> "ViewState":
        """ValueError, in one line, for what is no state of this version."""
        told = _table(state, "the state of a view")
        if told.get("version") != VERSION:
            raise ValueError(f"the state of a view has version {VERSION}; got {told.get('version')!r:.40}.")
        if unknown := told.keys() - {"version", *cls.__dataclass_fields__}:
            raise ValueError(
                f"the state of a view has no {sorted(unknown)[0]!r:.60}. Known: version, page, …, widgets."
            )
        page, theme, layout = (_text(told, name) for name in ("page", "theme", "layout"))
        if theme and theme not in THEMES:
            raise ValueError(f"unknown theme {theme!r:.40}. Known: {', '.join(THEMES)}.")
        _check_layout(layout)
        widgets: Widgets = {}
        for on, panels in _table(told.get("widgets", {}), "'widgets'").items():
            for panel, values in _table(panels, f"page {on!r:.60}").items():
                widgets.setdefault(on, {})[panel] = dict(_table(values, f"panel {panel!r:.60}"))
        return cls(page, theme, layout, widgets)


def values_of(pages: Iterable[Page], kept: dict[tuple[str, str], dict[str, object]]) -> Widgets:
    """What the widgets of these pages hold, and what is `kept` for panels that are not there yet."""
    told: Widgets = {}
    for page in pages:
        for name, panel in page.panels.items():
            if values := panel.values:
                told.setdefault(page.name, {})[name] = values
    for (page_name, name), values in kept.items():
        told.setdefault(page_name, {})[name] = values
    return told


def recall_values(widgets: Widgets, pages: Iterable[Page], kept: dict[tuple[str, str], dict[str, object]]) -> None:
    """Hand values to the panels that are there; those for others are `kept`."""
    there = {(page.name, name): panel for page in pages for name, panel in page.panels.items()}
    for page_name, panels in widgets.items():
        for name, values in panels.items():
            if panel := there.get((page_name, name)):
                panel.recall(values)
            else:
                kept[page_name, name] = values


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
    """ValueError for a layout that Dear ImGui would not survive: its tree of nodes has rings, or its lines are none."""
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"a layout has up to {MOST_CHARACTERS} characters; got {len(text)}.")
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
            children[name or ""] = 0
            if parent is not None:
                children[parent] += 1
