"""Commands of a view by name: keyboard shortcuts, the command palette, and the help that lists both.

The palette finds an action by a few of its letters; the arrow keys and Enter choose it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from easel.viewer.imgui.item_layout import ItemLayout, imgui_name
from easel.viewer.imgui.sketch import Sketch, Words
from easel.viewer.imgui.theme import colour, current
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.panels.frame_state import FrameState
from easel.viewer.panels.panel import Panel
from easel.viewer.widgets.widgets import InputText, Switch

KEYS = {"Undo": "Ctrl+Z", "Redo": "Ctrl+Shift+Z", "Command palette": "Ctrl+P", "Help": "F1"}
"""Shortcuts by action, as they are written."""
MORE_KEYS = {"Redo": "Ctrl+Y", "Command palette": "Ctrl+K"}
"""Second shortcuts, which the help leaves out."""
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
"""Gestures that are no command, and their effects, as the help lists them."""
WIDTH_EMS = 34.0
"""Width of the palette and of the help."""
TOP_SHARE = 0.12
"""Share of the view's height above a floating panel."""
SEARCH = "##search"
"""Label of the palette's text field."""
MOST_ROWS = 12
"""Actions shown at once."""

Action = Callable[[], object]
Offer = Callable[[], Mapping[str, Action]]
"""Returns actions by name."""
Do = Callable[[str, Action], object]
"""Runs an action of that name, and reports its exceptions."""


class Commands:
    """The actions of one view: those of its offers, asked anew each time, and its `own`."""

    def __init__(self, frame_state: FrameState, offer: Offer, own: Mapping[str, Action], do: Do) -> None:
        self._frame_state = frame_state
        self._offers = [offer]
        self.palette = CommandPalette(frame_state, self.actions, do)
        self.help = Help(frame_state)
        self._own = {**own, "Help": self.help.show, "Command palette": self.palette.show}

    def offer(self, actions: Offer) -> None:
        """Add the actions that `actions` returns; it is called whenever the palette is shown."""
        # Before the view's own offer, the last one: of two actions of one name the later wins, the button or the page.
        self._offers.insert(-1, actions)

    def actions(self) -> dict[str, Action]:
        """Return every action that is possible now, by name."""
        actions: dict[str, Action] = {}
        for offer in self._offers:
            actions |= offer()
        return actions | self._own

    def shown(self) -> "dict[str, Floating]":
        """Return the palette and the help by name, while they are shown."""
        return {panel.name: panel for panel in (self.palette, self.help) if panel.shown}

    def draw(self) -> None:
        """Handle shortcuts, and draw what floats over everything: last in a frame."""
        for name, keys in (*KEYS.items(), *MORE_KEYS.items()):
            if self._frame_state.pressed(keys):
                self._own[name]()
        for panel in self.shown().values():
            panel.draw()


class Floating(Panel):
    """A panel in a window of its own over all others, in the middle of the view.

    Escape dismisses it, as does a click elsewhere.
    """

    def __init__(self, name: str, frame_state: FrameState) -> None:
        super().__init__(name, frame_state)
        self.shown = False
        self._frames = 0

    def show(self) -> None:
        """Come to the front in the next frame."""
        self.shown, self._frames = True, 0

    def dismiss(self) -> None:
        """Disappear from the next frame on."""
        self.shown = False

    def _begin(self) -> bool:
        screen = imgui.get_main_viewport().size
        # In ems, so that it grows with the letters; a narrow window leaves a margin of 5 % at each side.
        width = min(WIDTH_EMS * imgui.get_font_size(), screen.x * 0.9)
        imgui.set_next_window_pos((screen.x / 2, screen.y * TOP_SHARE), imgui.Cond_.always, (0.5, 0.0))
        # The height follows the content, up to as much room below as there is above.
        imgui.set_next_window_size_constraints((width, 0), (width, screen.y * (1 - 2 * TOP_SHARE)))
        # Only when it appears: a window that asked for the focus in every frame could never be left.
        if self._frames == 0:
            imgui.set_next_window_focus()
        imgui.push_style_color(imgui.Col_.window_bg, imgui.get_style().color_(imgui.Col_.popup_bg))
        flags = imgui.WindowFlags_
        # Not saved: its place is no part of the layout that a person arranges.
        plain = flags.no_title_bar | flags.no_resize | flags.no_move | flags.no_docking | flags.no_saved_settings
        visible, _ = imgui.begin(f"{self.name}##floating", None, plain | flags.always_auto_resize)
        return visible

    def _end(self) -> None:
        # The focus arrives a frame after it was asked for: before that, nobody can have clicked elsewhere.
        left = self._frames > 1 and not imgui.is_window_focused(imgui.FocusedFlags_.root_and_child_windows)
        imgui.end()
        imgui.pop_style_color()
        self._frames += 1
        if left or imgui.is_key_pressed(imgui.Key.escape):
            self.dismiss()

    def _draw_menu(self) -> None:
        """Draw nothing: it has no tab."""


class Help(Floating):
    """The list of keyboard shortcuts and gestures."""

    def __init__(self, frame_state: FrameState) -> None:
        super().__init__("Help", frame_state)
        self.on_frame(self._draw_table)

    def _draw_table(self) -> None:
        self.section("Keyboard and mouse")
        # Shortcuts first, then gestures, each in the order of its table.
        rows = {keys: name for name, keys in KEYS.items()} | GESTURES
        for keys, effect in rows.items():
            self.text(keys)
            if self._frame_state.drawing:
                imgui.same_line(WIDTH_EMS / 2 * imgui.get_font_size())
            self.text(effect, color=current().quiet)


class CommandPalette(Floating):
    """A search field over the actions that `find` returns when it is shown; `do` runs the chosen one."""

    def __init__(self, frame_state: FrameState, find: Callable[[], dict[str, Action]], do: Do) -> None:
        super().__init__("Palette", frame_state)
        self._find, self._do = find, do
        self._actions: dict[str, Action] = {}
        self._sought = ""
        self._selected = 0
        self.on_frame(self._draw_actions)

    def show(self) -> None:
        super().show()
        # Asked once per opening: the list must not move under the pointer while a person reads it.
        self._actions = self._find()
        self.set(SEARCH, "")

    def _draw_actions(self) -> None:
        sought = self.ask(SEARCH, SearchField("", 100, focused=self._frames == 0))
        # Another search has another best match, which Enter is to take.
        if sought != self._sought:
            self._sought = sought
            self._selected = 0
        found = search(sought, self._actions)
        if not found:
            self.text("No action has these letters in this order.")
        chosen = self._choose(found)
        # The selected row stays in the middle of the window of rows, except near the ends of the list.
        first = max(0, min(self._selected - MOST_ROWS // 2, len(found) - MOST_ROWS))
        for number, name in enumerate(found[first : first + MOST_ROWS], first):
            if self.ask(name, ActionRow(number == self._selected, KEYS.get(name, ""))):
                chosen = name
        if len(found) > MOST_ROWS:
            self.text(f"{len(found)} actions", color=current().quiet)
        if chosen is not None:
            self.dismiss()
            # Dismissed before: an action may open the palette again.
            self._do(chosen, self._actions[chosen])

    def _choose(self, found: list[str]) -> str | None:
        """Move the selection by the arrow keys. Returns the selected action when Enter is pressed."""
        if not self._frame_state.drawing or not found:
            return None
        down, up = (imgui.is_key_pressed(key) for key in (imgui.Key.down_arrow, imgui.Key.up_arrow))
        self._selected = (min(self._selected, len(found) - 1) + down - up) % len(found)
        return found[self._selected] if imgui.is_key_pressed(imgui.Key.enter, False) else None


def search(sought: str, names: Mapping[str, object]) -> list[str]:
    """Return the names that have all letters of `sought` in this order: best match first, equal ones as they come."""
    letters = sought.lower().replace(" ", "")
    scores = {name: score for name in names if (score := _score(letters, name)) is not None}
    # `sorted` is stable: equal scores stay in the order of the table.
    return sorted(scores, key=lambda name: -scores[name])


def _score(letters: str, name: str) -> float | None:
    """Return the quality of a match; None if `name` lacks the letters in this order.

    A letter that begins a word counts 3, one that follows the letter before counts 2, and earlier places count
    slightly more.
    """
    at = -1
    score = 0.0
    for letter in letters:
        # A slice, since `at + 1` may be past the end.
        follows = name[at + 1 : at + 2].lower() == letter
        heads = (n for n in range(at + 1, len(name)) if name[n].lower() == letter and _begins_word(name, n))
        found = at + 1 if follows else next(heads, name.lower().find(letter, at + 1))
        if found < 0:
            return None
        # The last term only breaks ties: of two matches of the same kind the earlier one is better.
        score += 3.0 * _begins_word(name, found) + 2.0 * (found == at + 1) - 0.01 * found
        at = found
    return score


def _begins_word(name: str, at: int) -> bool:
    return at == 0 or not name[at - 1].isalnum()


@dataclass(frozen=True)
class SearchField(InputText):
    """A text field across the panel, whose text is neither undone nor saved."""

    focused: bool = False
    """It takes the keyboard in this frame."""

    @property
    def kept(self) -> bool:
        return False

    def draw(self, layout: ItemLayout, label: str, value: str) -> str:
        if self.focused:
            # Before the field: Dear ImGui gives the focus to the item that follows.
            imgui.set_keyboard_focus_here()
        imgui.set_next_item_width(-1.0)
        return imgui.input_text_with_hint(label, "What do you want to do?", value)[1]


@dataclass(frozen=True)
class ActionRow(Switch):
    """One action of the palette; True in the frame in which it is clicked."""

    lit: bool
    keys: str = ""
    """Its shortcut, to be learned in passing."""
    default: bool = False
    momentary: ClassVar[bool] = True

    def draw(self, layout: ItemLayout, label: str, value: bool) -> bool:
        clicked, _ = imgui.selectable(f"{imgui_name(label)[0]}##{label}", self.lit)
        if self.keys:
            high = imgui.get_item_rect_max()
            # Drawn over the row instead of beside it, so that all of the row can be clicked.
            x = high.x - imgui.calc_text_size(self.keys).x - imgui.get_style().item_inner_spacing.x
            y = (imgui.get_item_rect_min().y + high.y - imgui.get_font_size()) / 2
            imgui.get_window_draw_list().add_text((x, y), colour(current().quiet), self.keys)
        return clicked or value

    def sketch(self, label: str, value: bool) -> Sketch:
        return Words(f"{'> ' if self.lit else '  '}{imgui_name(label)[0]}  {self.keys}".rstrip())
