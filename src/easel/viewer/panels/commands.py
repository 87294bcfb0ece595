"""What can be done in a view, by name: its keyboard shortcuts, its palette and the list of both."""

from collections.abc import Callable, Mapping
from functools import partial

from easel.viewer.imgui.theme import current
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.panels.floating import Floating
from easel.viewer.panels.frame_state import Turn
from easel.viewer.panels.pages import OWN, Pages
from easel.viewer.panels.palette import Action, Do, Palette
from easel.viewer.widgets.widgets import Button

KEYS = {
    "Undo": "Ctrl+Z",
    "Redo": "Ctrl+Shift+Z",
    "Command palette": "Ctrl+P",
    "Help": "F1",
}
"""Action → its shortcut, as it is written; Ctrl+K also opens the palette, Ctrl+Y also redoes."""
GESTURES = {
    "Ctrl+1, Ctrl+2 …": "go to a page",
    "Ctrl+click on a slider": "type its value",
    "Wheel over a picture": "zoom",
    "Space+drag over a picture": "move it",
    "0 over a picture": "show all of it",
    "1 over a picture": "one pixel of it on one of the screen",
    "Ctrl+H over a picture": "its histogram",
    "Alt over a picture": "read the pixel under the pointer",
    "Right click on a tab": "reset the layout",
    "Escape": "leave this, or the palette",
}
"""What else a person may do, in words."""
HELP_EMS = 34.0

Offer = Callable[[], Mapping[str, Action]]


class Commands:
    """The actions of one view: `own` are those that it brings itself; `do` does one and tells what it raises."""

    def __init__(self, turn: Turn, pages: Pages, own: Mapping[str, Action], do: Do) -> None:
        self._turn, self._pages = turn, pages
        self._offers: list[Offer] = []
        self.palette = Palette(turn, self.actions, do, KEYS)
        self.help = Help(turn)
        self._own = {**own, "Help": self.help.show, "Command palette": self.palette.show}

    def offer(self, actions: Offer) -> None:
        """From now on also offer what `actions` returns, by name; asked whenever the palette is shown."""
        self._offers.append(actions)

    def actions(self) -> dict[str, Action]:
        """Everything that can be done now, by name."""
        told = {name: action for offer in self._offers for name, action in offer().items()}
        for panel in self._pages.shown.panels.values():
            for item in panel.items:
                if isinstance(item, tuple) and isinstance(item[1], Button) and item[0].partition("##")[0]:
                    told[f"{panel.name}: {item[0]}"] = partial(panel.press, item[0])
        pages = self._pages.named.values()
        told |= {f"Go to {page.name or OWN}": partial(self._pages.ask, page.name) for page in pages}
        return told | self._own

    def shown(self) -> dict[str, Floating]:
        """The palette and the help, while they are shown, by name."""
        return {panel.name: panel for panel in (self.palette, self.help) if panel.shown}

    def draw(self) -> None:
        """Last in a frame: act on shortcuts, and draw what is shown over everything."""
        if self._turn.drawing:
            self._press()
        for panel in self.shown().values():
            panel.draw()

    def _press(self) -> None:
        key = imgui.Key
        ctrl, shift = key.mod_ctrl, key.mod_shift
        chords = {
            ctrl | key.z: "Undo",
            ctrl | shift | key.z: "Redo",
            ctrl | key.y: "Redo",
            ctrl | key.p: "Command palette",
            ctrl | key.k: "Command palette",
            key.f1: "Help",
        }
        for chord, name in chords.items():
            if imgui.shortcut(chord, imgui.InputFlags_.route_global):
                self._own[name]()


class Help(Floating):
    """The keyboard shortcuts and what the mouse does."""

    def __init__(self, turn: Turn) -> None:
        super().__init__("Help", turn, HELP_EMS)
        self.on_frame(self._draw_table)

    def _draw_table(self) -> None:
        self.section("Keyboard and mouse")
        told = {keys: name for name, keys in KEYS.items()} | GESTURES
        for keys, words in told.items():
            self.text(keys)
            if self._turn.drawing:
                imgui.same_line(HELP_EMS / 2 * imgui.get_font_size())
            self.text(words, color=current().quiet)
