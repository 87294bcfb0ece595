"""The widgets that hold a value: what each accepts, how it is drawn, and what it looks like on a contact sheet."""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from easel.viewer.imgui.arguments import check_numbers
from easel.viewer.imgui.item_layout import ItemLayout, imgui_name, tinted
from easel.viewer.imgui.sketch import Number, Rgba, Sketch, Words
from easel.viewer.imgui.toolkit import imgui

T = TypeVar("T")

MOST_FLOAT, MOST_INT = 1e38, 2**30
"""Dear ImGui's sliders go no further from 0."""
DIRECTIVE = re.compile(r"[^%]*(%[-+ #0]*\d*(\.\d+)?[{kinds}][^%]*)?".replace("{kinds}", "aefgAEFGdiuxX"))
"""A text with at most one number in it, as printf writes it; "%%" is taken out before."""


class Widget(ABC, Generic[T]):
    """One kind of widget. `accept` is its only door: defaults, values set from code and typed ones all pass it."""

    momentary: ClassVar[bool] = False
    """The value lasts for one frame only, as a click does."""
    default: Any
    """What it holds before anybody touched it; goes through `accept` as well."""

    @property
    def kept(self) -> bool:
        """A session keeps what it holds, and undo goes back to it."""
        return not self.momentary

    def plain(self, value: T) -> object:
        """`value` as JSON can hold it; `recall` is the way back."""
        return list(value) if isinstance(value, tuple) else value

    def recall(self, plain: object) -> T:
        """What `plain` stands for; ValueError or TypeError where it is of another kind."""
        usual = self.plain(self.accept(self.default))
        if _kind(plain) is not _kind(usual):
            raise ValueError(f"it holds something like {usual!r}")
        return self.accept(plain)

    @abstractmethod
    def accept(self, value: object) -> T:
        """`value` converted and brought into range; raises ValueError or TypeError where that makes no sense."""

    @abstractmethod
    def draw(self, layout: ItemLayout, label: str, value: T) -> T:
        """Draw it where the pen is and return what the person made of `value`."""

    @abstractmethod
    def sketch(self, label: str, value: T) -> Sketch:
        """The same for the eye alone."""


@dataclass(frozen=True)
class Button(Widget[bool]):
    width: Number
    height: Number
    identity: int
    """Its number in the panel's frame: a label may change between press and release without losing the click."""
    color: Rgba | None = None
    """In place of a button's own."""
    default: bool = False
    momentary: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_numbers("a button", width=self.width, height=self.height)

    def accept(self, value: object) -> bool:
        return bool(value)

    def draw(self, layout: ItemLayout, label: str, value: bool) -> bool:
        visible, _ = imgui_name(label)
        with tinted(self.color):
            clicked = imgui.button(f"{visible}###button{self.identity}", imgui.ImVec2(self.width, self.height))
        return clicked or value

    def sketch(self, label: str, value: bool) -> Sketch:
        return Words(f"[ {imgui_name(label)[0]} ]", self.color)


@dataclass(frozen=True)
class Checkbox(Widget[bool]):
    default: bool

    def accept(self, value: object) -> bool:
        return bool(value)

    def draw(self, layout: ItemLayout, label: str, value: bool) -> bool:
        return imgui.checkbox(label, value)[1]

    def sketch(self, label: str, value: bool) -> Sketch:
        return Words(f"[{'x' if value else ' '}] {imgui_name(label)[0]}")


@dataclass(frozen=True)
class Slider(Widget[float]):
    min: Number
    max: Number
    default: Number
    log: bool = False
    """Every decade is equally long; where `min` is 0 it stands at the left end, before the decades of `format`."""
    format: str = "%.3f"
    step: Number | None = None
    """The distance of its notches, from `min` on."""

    def __post_init__(self) -> None:
        _check_range(self.min, self.max, MOST_FLOAT, self.log, self.format)

    def accept(self, value: object) -> float:
        return float(_notch(_number(value), self.min, self.max, self.step))

    def draw(self, layout: ItemLayout, label: str, value: float) -> float:
        flags = imgui.SliderFlags_.always_clamp | (imgui.SliderFlags_.logarithmic if self.log else 0)
        identity = layout.caption(label)
        with layout.track(self.position(value)):
            changed, moved = imgui.slider_float(identity, value, self.min, self.max, self.format, flags)
        return moved if changed else value  # an untouched value keeps the digits that float32 has not

    def position(self, value: Number) -> float:
        """Where along the slider `value` is, 0 at the left end and 1 at the right."""
        # Dear ImGui takes its least number above 0 from the decimals that the format shows.
        digits = re.search(r"%\.(\d+)", self.format)
        floor = self.min or 10.0 ** -int(digits[1] if digits else 3)
        return _position(self.accept(value), self.min, self.max, floor if self.log else None)

    def sketch(self, label: str, value: float) -> Sketch:
        return _named(label, _formatted(self.format, value))


@dataclass(frozen=True)
class SliderInt(Widget[int]):
    min: int
    max: int
    default: Number
    format: str = "%d"
    log: bool = False
    step: int = 1

    def __post_init__(self) -> None:
        if not all(isinstance(end, int | np.integer) for end in (self.min, self.max)):
            raise TypeError(f"slider_int runs between whole numbers; got min={self.min!r}, max={self.max!r}.")
        _check_range(self.min, self.max, MOST_INT, self.log, self.format)

    def accept(self, value: object) -> int:
        return int(_notch(round(_number(value)), self.min, self.max, self.step))

    def draw(self, layout: ItemLayout, label: str, value: int) -> int:
        flags = imgui.SliderFlags_.always_clamp | (imgui.SliderFlags_.logarithmic if self.log else 0)
        identity = layout.caption(label)
        with layout.track(self.position(value)):
            return imgui.slider_int(identity, value, self.min, self.max, self.format, flags)[1]

    def position(self, value: Number) -> float:
        """Where along the slider `value` is, 0 at the left end and 1 at the right."""
        # Dear ImGui gives the decade below 1 to the 0 of a logarithmic slider of whole numbers.
        return _position(self.accept(value), self.min, self.max, (self.min or 0.1) if self.log else None)

    def sketch(self, label: str, value: int) -> Sketch:
        return _named(label, _formatted(self.format, value))


@dataclass(frozen=True)
class StepSlider(SliderInt):
    """A place in time, not a setting."""

    @property
    def kept(self) -> bool:
        return False


@dataclass(frozen=True)
class ColorPicker(Widget[tuple[float, float, float]]):
    default: object

    def accept(self, value: object) -> tuple[float, float, float]:
        try:
            red, green, blue = (min(max(_number(channel), 0.0), 1.0) for channel in value)  # pyright: ignore[reportGeneralTypeIssues]
        except (TypeError, ValueError) as error:
            raise ValueError(f"a colour is three numbers in [0, 1]; got {value!r}") from error
        return red, green, blue

    def draw(self, layout: ItemLayout, label: str, value: tuple[float, float, float]) -> tuple[float, float, float]:
        changed, picked = imgui.color_edit3(layout.caption(label), list(value))
        return self.accept(picked) if changed else value

    def sketch(self, label: str, value: tuple[float, float, float]) -> Sketch:
        return _named(label, "({:.2f}, {:.2f}, {:.2f})".format(*value))


@dataclass(frozen=True)
class Combo(Widget[int]):
    items: Sequence[str]
    default: int

    @classmethod
    def of(cls, items: Iterable[object], default: int) -> "Combo":
        """One whose items are any objects, as text."""
        if isinstance(items, str) or not isinstance(items, Iterable):
            raise TypeError(f"the items of a combo are several texts; got {type(items).__name__} {items!r}.")
        return cls(tuple(map(str, items)), default)

    @property
    def kept(self) -> bool:
        return bool(self.items)

    def plain(self, value: int) -> object:
        return self.items[value]  # its place may change from one version of a program to the next

    def accept(self, value: object) -> int:
        if isinstance(value, str):
            if value not in self.items:
                raise ValueError(f"unknown item {value!r}. Known: {', '.join(self.items)}")
            return list(self.items).index(value)
        return min(max(round(_number(value)), 0), max(len(self.items) - 1, 0))

    def draw(self, layout: ItemLayout, label: str, value: int) -> int:
        if imgui.begin_combo(layout.caption(label), self.items[value] if self.items else ""):
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
        return _named(label, self.items[value] if self.items else "")


@dataclass(frozen=True)
class InputText(Widget[str]):
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


def _kind(plain: object) -> type:
    """What sort of thing JSON has for a value; all numbers are of one."""
    return float if isinstance(plain, int | float) and not isinstance(plain, bool) else type(plain)


def _number(value: object) -> float:
    try:
        number = float(value)  # pyright: ignore[reportArgumentType]  float() itself says what it cannot take
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"a number is needed; got {value!r}") from error
    if math.isnan(number):
        raise ValueError("not a number (NaN) cannot be shown on a scale")
    return number


def _check_range(low: Number, high: Number, most: Number, log: bool, format: str) -> None:
    check_numbers("a slider", min=low, max=high)
    if max(abs(low), abs(high)) > most:
        raise ValueError(f"a slider's ends are at most {most:g} from 0; got min={low}, max={high}")
    if not DIRECTIVE.fullmatch(format.replace("%%", "")):
        raise ValueError(f"the format of a slider has one number in it, such as '%.3f'; got {format!r}")
    if not low <= high:
        raise ValueError(f"a slider runs from min up to max; got min={low}, max={high}")
    if log and low < 0:
        raise ValueError(f"a logarithmic slider needs a range from 0 or above; got {low} to {high}")


def _notch(value: Number, low: Number, high: Number, step: Number | None) -> Number:
    """`value` in the range and, with a `step`, at the nearest notch."""
    inside = min(max(value, low), high)
    return inside if step is None else min(low + round((inside - low) / step) * step, high)


def _position(value: Number, low: Number, high: Number, floor: Number | None) -> float:
    """The share of a slider that `value` is along; with a `floor`, the decades from there on are equally long."""
    if high == low:
        return 0.0
    if floor is None:
        return (value - low) / (high - low)
    return math.log(value / floor) / math.log(high / floor) if value > floor else 0.0


def _formatted(format: str, value: float | int) -> str:
    """As printf does; a format without a directive stands for itself, as in "off" at the end of a scale."""
    return format % value if "%" in format else format


def _named(label: str, value: str) -> Words:
    visible, _ = imgui_name(label)
    return Words(f"{visible}: {value}" if visible else value)
