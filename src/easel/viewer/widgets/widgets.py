"""Widgets that hold a value: the values that each accepts, its drawing, and its description for a contact sheet."""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from easel.viewer.imgui.arguments import check_numbers
from easel.viewer.imgui.item_layout import ItemLayout, imgui_name, pushed_colors, tinted
from easel.viewer.imgui.sketch import Number, Rgba, Sketch, Words
from easel.viewer.imgui.toolkit import imgui

T = TypeVar("T")
N = TypeVar("N", float, int)

MOST_FLOAT = 1e38
"""Largest number that Dear ImGui's sliders of real numbers take."""
MOST_INT = 2**30
"""Largest number that Dear ImGui's sliders of whole numbers take."""
DIRECTIVE = re.compile(r"[^%]*(%[-+ #0]*\d*(\.\d+)?[{kinds}][^%]*)?".replace("{kinds}", "aefgAEFGdiuxX"))
"""A text with at most one printf directive for a number; "%%" is taken out before."""


class Widget(ABC, Generic[T]):
    """One kind of widget. Defaults, values set from code and typed values all pass through `accept`."""

    momentary: ClassVar[bool] = False
    """The value lasts for one frame only, as a click does."""
    default: Any
    """The value before anybody touched the widget; passes through `accept` as well."""

    @property
    def kept(self) -> bool:
        """True if sessions store the value and undo restores it."""
        return not self.momentary

    def plain(self, value: T) -> object:
        """Convert `value` for JSON; the inverse of `recall`."""
        return value

    def recall(self, plain: object) -> T:
        """Convert a value that `plain` wrote; ValueError or TypeError if it is of another kind."""
        # `accept` alone is too generous: a text for what was a number means that the label has another widget now.
        usual = self.plain(self.accept(self.default))
        # By exact type: a bool is an int for Python, and not for JSON, which has one type for all numbers.
        if type(plain) is not type(usual) and {type(plain), type(usual)} != {int, float}:
            raise ValueError(f"it holds something like {usual!r}")
        return self.accept(plain)

    @abstractmethod
    def accept(self, value: object) -> T:
        """Convert `value` and clamp it to the range; ValueError or TypeError if that makes no sense."""

    @abstractmethod
    def draw(self, layout: ItemLayout, label: str, value: T) -> T:
        """Draw the widget as the layout's next item; return `value`, or what a person has changed it to."""

    @abstractmethod
    def sketch(self, label: str, value: T) -> Sketch:
        """Describe the widget for a contact sheet."""


class Switch(Widget[bool]):
    """A widget that is on or off."""

    def accept(self, value: object) -> bool:
        return bool(value)


@dataclass(frozen=True)
class Button(Switch):
    """A button; its value is True in the frame in which it is clicked."""

    width: Number
    height: Number
    identity: int
    """Its number in the panel's frame: a label may change between press and release without losing the click."""
    color: Rgba | None = None
    """Replaces the theme's colour of buttons."""
    default: bool = False
    momentary: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_numbers("a button", width=self.width, height=self.height)

    def draw(self, layout: ItemLayout, label: str, value: bool) -> bool:
        # By its number: Dear ImGui identifies a button by its label, which a program may rewrite in every frame.
        identity = f"{imgui_name(label)[0]}###button{self.identity}"
        with pushed_colors(tinted(self.color)):
            # A click set from code, `value`, counts like a person's.
            return imgui.button(identity, (self.width, self.height)) or value

    def sketch(self, label: str, value: bool) -> Sketch:
        return Words(f"[ {imgui_name(label)[0]} ]", self.color)


@dataclass(frozen=True)
class Checkbox(Switch):
    """A box to tick."""

    default: bool

    def draw(self, layout: ItemLayout, label: str, value: bool) -> bool:
        return imgui.checkbox(label, value)[1]

    def sketch(self, label: str, value: bool) -> Sketch:
        return Words(f"[{'x' if value else ' '}] {imgui_name(label)[0]}")


@dataclass(frozen=True)
class NumberSlider(Widget[N]):
    """A number in [min, max]."""

    min: Number
    max: Number
    default: Number
    log: bool = False
    """Every decade is equally long; where `min` is 0, it stands at the left end before the first decade."""
    format: str = "%.3f"
    """A text with one printf directive for the number."""
    step: Number | None = None
    """Distance of its notches, counted from `min`."""
    most: ClassVar[Number] = MOST_FLOAT
    function: ClassVar[str] = "slider_float"
    """Dear ImGui's name of the slider."""

    def __post_init__(self) -> None:
        low, high = self.min, self.max
        check_numbers("a slider", min=low, max=high)
        if max(abs(low), abs(high)) > self.most:
            raise ValueError(f"a slider's ends are at most {self.most:g} from 0; got min={low}, max={high}")
        # The format goes to C's printf: a directive for a text would read memory that no text lies in.
        if not DIRECTIVE.fullmatch(self.format.replace("%%", "")):
            raise ValueError(f"the format of a slider has one number in it, such as '%.3f'; got {self.format!r}")
        if not low <= high:
            raise ValueError(f"a slider runs from min up to max; got min={low}, max={high}")
        if self.log and low < 0:
            raise ValueError(f"a logarithmic slider needs a range from 0 or above; got {low} to {high}")

    def draw(self, layout: ItemLayout, label: str, value: N) -> N:
        # Clamped also when typed: the value has to pass `accept` anyhow, and should not jump a frame later.
        flags = imgui.SliderFlags_.always_clamp
        if self.log:
            flags |= imgui.SliderFlags_.logarithmic
        identity = layout.caption(label)
        with layout.track(self.position(value)):
            slide = getattr(imgui, self.function)
            changed, moved = slide(identity, value, self.min, self.max, self.format, flags)
        # Untouched, a value keeps the digits that float32 lacks.
        return moved if changed else value

    def position(self, value: Number) -> float:
        """Return where `value` stands along the slider, 0 at the left end and 1 at the right."""
        accepted = self.accept(value)
        # A list of one step makes a slider of no length, and 0/0 of its only position.
        if self.max == self.min:
            return 0.0
        if not self.log:
            return (accepted - self.min) / (self.max - self.min)
        floor = self.min or self._least_decade()
        return 0.0 if accepted <= floor else math.log(accepted / floor) / math.log(self.max / floor)

    def _least_decade(self) -> float:
        """Return the number at which the first decade begins when `min` is 0."""
        # Dear ImGui takes its least number above 0 from the decimals that the format shows.
        digits = re.search(r"%\.(\d+)", self.format)
        return 10.0 ** -int(digits[1] if digits else 3)

    def _notched(self, value: Number) -> Number:
        """Return `value` in the range and, with a `step`, at the nearest notch."""
        inside = min(max(value, self.min), self.max)
        if self.step is None:
            return inside
        # The last notch may lie beyond the end where the step does not divide the range.
        return min(self.min + round((inside - self.min) / self.step) * self.step, self.max)

    def sketch(self, label: str, value: N) -> Sketch:
        # As printf does; a format without a directive stands for itself, as in "off" at the end of a scale.
        return _named(label, self.format % value if "%" in self.format else self.format)


@dataclass(frozen=True)
class Slider(NumberSlider[float]):
    """A real number in [min, max]."""

    def accept(self, value: object) -> float:
        return float(self._notched(_number(value)))


@dataclass(frozen=True)
class SliderInt(NumberSlider[int]):
    """A whole number in [min, max]."""

    format: str = "%d"
    step: Number | None = 1
    most: ClassVar[Number] = MOST_INT
    function: ClassVar[str] = "slider_int"

    def __post_init__(self) -> None:
        if not all(isinstance(end, int | np.integer) for end in (self.min, self.max)):
            raise TypeError(f"slider_int runs between whole numbers; got min={self.min!r}, max={self.max!r}.")
        super().__post_init__()

    def accept(self, value: object) -> int:
        return int(self._notched(round(_number(value))))

    def _least_decade(self) -> float:
        # Dear ImGui gives the decade below 1 to the 0 of a logarithmic slider of whole numbers.
        return 0.1


@dataclass(frozen=True)
class StepSlider(SliderInt):
    """A position in time: neither kept in a session nor undone."""

    @property
    def kept(self) -> bool:
        return False


@dataclass(frozen=True)
class ColorPicker(Widget[tuple[float, float, float]]):
    """Red, green and blue in [0, 1]."""

    default: object

    def accept(self, value: object) -> tuple[float, float, float]:
        try:
            red, green, blue = (min(max(_number(channel), 0.0), 1.0) for channel in value)  # pyright: ignore[reportGeneralTypeIssues]
        except (TypeError, ValueError) as error:
            raise ValueError(f"a colour is three numbers in [0, 1]; got {value!r}") from error
        return red, green, blue

    def plain(self, value: tuple[float, float, float]) -> object:
        return list(value)

    def draw(self, layout: ItemLayout, label: str, value: tuple[float, float, float]) -> tuple[float, float, float]:
        changed, picked = imgui.color_edit3(layout.caption(label), list(value))
        return self.accept(picked) if changed else value

    def sketch(self, label: str, value: tuple[float, float, float]) -> Sketch:
        return _named(label, "({:.2f}, {:.2f}, {:.2f})".format(*value))


@dataclass(frozen=True)
class Combo(Widget[int]):
    """A choice among several texts; its value is the index of one."""

    items: Sequence[str]
    default: int

    @classmethod
    def of(cls, items: Iterable[object], default: int) -> "Combo":
        """Return a combo whose items are any objects, as text; TypeError for a single text."""
        if isinstance(items, str) or not isinstance(items, Iterable):
            raise TypeError(f"the items of a combo are several texts; got {type(items).__name__} {items!r}.")
        return cls(tuple(map(str, items)), default)

    @property
    def kept(self) -> bool:
        return bool(self.items)

    def plain(self, value: int) -> object:
        # By its text: the index may change from one version of a program to the next.
        return self.items[value]

    def accept(self, value: object) -> int:
        if isinstance(value, str):
            if value not in self.items:
                raise ValueError(f"unknown item {value!r}. Known: {', '.join(self.items)}")
            return list(self.items).index(value)
        return max(min(round(_number(value)), len(self.items) - 1), 0)

    def draw(self, layout: ItemLayout, label: str, value: int) -> int:
        if imgui.begin_combo(layout.caption(label), self._text(value)):
            # Inside, the last item is the popup's: the control itself has to be recorded first.
            layout.record(label)
            for index, item in enumerate(self.items):
                if imgui.selectable(f"{item}##{index}", index == value)[0]:
                    value = index
                layout.record(f"{label}/{item}")
                if index == value:
                    imgui.set_item_default_focus()
            imgui.end_combo()
        return value

    def sketch(self, label: str, value: int) -> Sketch:
        return _named(label, self._text(value))

    def _text(self, value: int) -> str:
        return self.items[value] if self.items else ""


@dataclass(frozen=True)
class InputText(Widget[str]):
    """A line of at most `max_length` characters."""

    default: str
    max_length: int

    def __post_init__(self) -> None:
        check_numbers("input_text", max_length=self.max_length)
        if self.max_length < 1:
            raise ValueError(f"input_text holds at least one character; got max_length={self.max_length}.")

    def accept(self, value: object) -> str:
        return str(value)[: self.max_length]

    def draw(self, layout: ItemLayout, label: str, value: str) -> str:
        return imgui.input_text(layout.caption(label), value)[1]

    def sketch(self, label: str, value: str) -> Sketch:
        return _named(label, value)


def _number(value: object) -> float:
    try:
        number = float(value)  # pyright: ignore[reportArgumentType]  float() itself says what it cannot take
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"a number is needed; got {value!r}") from error
    if math.isnan(number):
        raise ValueError("not a number (NaN) cannot be shown on a scale")
    return number


def _named(label: str, value: str) -> Words:
    # Unnamed, a value stands alone.
    return Words(f"{imgui_name(label)[0]}: {value}".removeprefix(": "))
