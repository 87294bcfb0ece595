"""The command palette: every action by name, found by a few of its letters, chosen with the keyboard."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from easel.viewer.imgui.item_layout import ItemLayout, imgui_name
from easel.viewer.imgui.sketch import Sketch, Words
from easel.viewer.imgui.theme import colour, current
from easel.viewer.imgui.toolkit import imgui
from easel.viewer.panels.floating import Floating
from easel.viewer.panels.frame_state import Turn
from easel.viewer.widgets.widgets import InputText, Widget

SEARCH = "##search"
"""The label of the field that is typed into."""
WIDTH_EMS = 34.0
MOST_ROWS = 12
"""Shown at once."""

Action = Callable[[], object]
Do = Callable[[str, Action], object]
"""Does an action of that name, and tells what it raises."""


class Palette(Floating):
    """Offers what `find` returns when it is shown, and has `do` do it.

    `keys` are the shortcuts of some actions, to be learned in passing.
    """

    def __init__(self, turn: Turn, find: Callable[[], dict[str, Action]], do: Do, keys: Mapping[str, str]) -> None:
        super().__init__("Palette", turn, WIDTH_EMS)
        self._find, self._do, self._keys = find, do, keys
        self._actions: dict[str, Action] = {}
        self._sought = ""
        self._at = 0
        self.on_frame(self._draw_actions)

    def show(self) -> None:
        super().show()
        self._actions = self._find()
        self.set(SEARCH, "")

    def _draw_actions(self) -> None:
        sought = self.ask(SEARCH, SearchField("", 100, focused=self._frames == 0))
        if sought != self._sought:
            self._sought, self._at = sought, 0
        found = search(sought, self._actions)
        if not found:
            self.text("No action has these letters in this order.")
        chosen = self._walk(found)
        first = max(0, min(self._at - MOST_ROWS // 2, len(found) - MOST_ROWS))
        for number, name in enumerate(found[first : first + MOST_ROWS], first):
            if self.ask(name, Row(number == self._at, self._keys.get(name, ""))):
                chosen = name
        if len(found) > MOST_ROWS:
            self.text(f"{len(found)} actions", color=current().quiet)
        if chosen is not None:
            self.dismiss()
            self._do(chosen, self._actions[chosen])

    def _walk(self, found: list[str]) -> str | None:
        """Up and down move on through the actions, Enter takes the one that is lit."""
        if not self._turn.drawing or not found:
            return None
        down, up = (imgui.is_key_pressed(key) for key in (imgui.Key.down_arrow, imgui.Key.up_arrow))
        self._at = (min(self._at, len(found) - 1) + down - up) % len(found)
        return found[self._at] if imgui.is_key_pressed(imgui.Key.enter, False) else None


def search(sought: str, names: Mapping[str, object]) -> list[str]:
    """The names that have all letters of `sought` in this order, the best match first, else in their own order."""
    scores = {name: score for name in names if (score := _score(sought.lower().replace(" ", ""), name)) is not None}
    return sorted(scores, key=lambda name: -scores[name])


def _score(letters: str, name: str) -> float | None:
    """How well `letters` stand for `name`: those that begin a word count most, then those that follow one another."""
    at, score = -1, 0.0
    for letter in letters:
        heads = (n for n in range(at + 1, len(name)) if name[n].lower() == letter and _begins_word(name, n))
        follows = at + 1 < len(name) and name[at + 1].lower() == letter
        found = at + 1 if follows else next(heads, name.lower().find(letter, at + 1))
        if found < 0:
            return None
        score += 3.0 * _begins_word(name, found) + 2.0 * (found == at + 1) - 0.01 * found
        at = found
    return score


def _begins_word(name: str, at: int) -> bool:
    return at == 0 or not name[at - 1].isalnum()


@dataclass(frozen=True)
class SearchField(InputText):
    focused: bool = False
    """It takes the keyboard."""

    @property
    def kept(self) -> bool:
        return False

    def draw(self, layout: ItemLayout, label: str, value: str) -> str:
        if self.focused:
            imgui.set_keyboard_focus_here()
        imgui.set_next_item_width(-1.0)
        return imgui.input_text_with_hint(label, "What do you want to do?", value)[1]


@dataclass(frozen=True)
class Row(Widget[bool]):
    """One action; True in the frame in which it is clicked."""

    lit: bool
    keys: str = ""
    default: bool = False
    momentary: ClassVar[bool] = True

    def accept(self, value: object) -> bool:
        return bool(value)

    def draw(self, layout: ItemLayout, label: str, value: bool) -> bool:
        clicked, _ = imgui.selectable(f"{imgui_name(label)[0]}##{label}", self.lit)
        if self.keys:
            low, high = imgui.get_item_rect_min(), imgui.get_item_rect_max()
            x = high.x - imgui.calc_text_size(self.keys).x - imgui.get_style().item_inner_spacing.x
            y = (low.y + high.y - imgui.get_font_size()) / 2
            imgui.get_window_draw_list().add_text((x, y), colour(current().quiet), self.keys)
        return clicked or value

    def sketch(self, label: str, value: bool) -> Sketch:
        return Words(f"{'> ' if self.lit else '  '}{imgui_name(label)[0]}  {self.keys}".rstrip())
