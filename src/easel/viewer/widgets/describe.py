"""What a dataclass looks like as controls: read from its annotations, its docstrings and the values it starts with."""

import ast
import enum
import functools
import inspect
import math
import textwrap
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from easel.viewer.imgui.sketch import Number
from easel.viewer.widgets.controls import (
    Control,
    FieldControls,
    OptionalControl,
    PathControl,
    ReadOnly,
    TupleControl,
    WidgetControl,
)
from easel.viewer.widgets.widgets import Checkbox, ColorPicker, Combo, InputText, Slider, SliderInt

SMALL = 0.01
"""Positive numbers up to here start in the middle of a logarithmic slider: rates and tolerances."""
LARGE = 100
"""Whole numbers from here on likewise: batches, budgets."""
DECADES = 2
"""To either side of such a number."""
MOST = 2**30
"""The largest whole number that a slider of Dear ImGui reaches."""
TEXT_CHARACTERS = 1024


@dataclass(frozen=True)
class Range:
    """How far a slider goes: `rate: Annotated[float, Range(1e-5, 1e-1, log=True)] = 1e-3`.

    With `log` every decade is equally long, and 0 may stand at the left end. `step` is the distance of its notches.
    """

    min: Number
    max: Number
    log: bool = False
    step: Number | None = None

    def __post_init__(self) -> None:
        if not self.min <= self.max:
            raise ValueError(f"a range runs from min up to max; got min={self.min}, max={self.max}.")
        if self.log and self.min < 0:
            raise ValueError(f"a logarithmic range begins at 0 or above; got min={self.min}.")
        if self.step is not None and not self.step > 0:
            raise ValueError(f"the step of a range is above 0; got {self.step}.")

    @property
    def format(self) -> str:
        """How a slider writes its numbers: with as many digits as tell its ends apart."""
        if self.log:
            least = self.min or min(self.max, 1.0) / 10**6
            return f"%.{max(math.ceil(-math.log10(least)), 4)}g"
        digits = -math.log10(self.step) if self.step else 2 - math.log10((self.max - self.min) or 1.0)
        return f"%.{min(max(math.ceil(digits), 0), 9)}f"

    def slider(self, default: Number) -> Slider:
        """A slider over it."""
        return Slider(self.min, self.max, default, self.log, self.format, self.step)


def describe(config: Any, name: str = "", ranges: Mapping[str, Range] | None = None) -> FieldControls:
    """The controls of a dataclass instance, labelled with its fields' names.

    `name` is appended to every label as `##name`, unseen. `ranges` names fields, those of nested ones with dots, and
    goes before what the annotations say.
    """
    if isinstance(config, type) or not is_dataclass(config):
        what = f"the class {config.__name__}: call it" if isinstance(config, type) else type(config).__name__
        raise TypeError(f"controls are made from an instance of a dataclass; got {what}.")
    described = _fields(config, "", name, ranges or {})
    unknown = set(ranges or {}) - set(_paths(described))
    if unknown:
        known = ", ".join(_paths(described))
        raise ValueError(f"{type(config).__name__} has no field {', '.join(map(repr, unknown))}. Known: {known}.")
    return described


def usual_range(value: Number) -> Range:
    """A range around what a number starts with."""
    if value < 0:
        return Range(4 * value, -4 * value)
    if isinstance(value, int):
        return Range(1, value * 10**DECADES, log=True) if value >= LARGE else Range(0, max(4 * value, 10))
    if 0 < value <= SMALL:
        return Range(value / 10**DECADES, value * 10**DECADES, log=True)
    return Range(0.0, 1.0 if value <= 1 else 4 * value)


@functools.cache
def field_docs(cls: type) -> Mapping[str, str]:
    """The string literal under each field of a class and its bases; none where the source cannot be read."""
    docs: dict[str, str] = {}
    for owner in reversed(cls.__mro__):
        try:
            body = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0]
        except (OSError, TypeError, SyntaxError):
            continue
        statements = body.body if isinstance(body, ast.ClassDef) else []
        for above, below in pairwise(statements):
            if isinstance(above, ast.AnnAssign) and isinstance(above.target, ast.Name):
                if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                    docs[above.target.id] = inspect.cleandoc(str(below.value.value))
    return docs


def _fields(config: Any, path: str, name: str, ranges: Mapping[str, Range]) -> FieldControls:
    cls = type(config)
    try:
        hints = typing.get_type_hints(cls, include_extras=True)
    except (NameError, TypeError):  # a type that only checkers see: what the values are has to do
        hints = {}
    described = FieldControls(_words(path), cls)
    for entry in fields(config):
        if entry.name.startswith("_"):
            continue
        reader = _Reader(f"{path}{entry.name}", name, field_docs(cls).get(entry.name, ""), ranges)
        value = getattr(config, entry.name)
        hint = hints.get(entry.name, type(value))
        control = reader.control(hint, value, _default(entry)) if entry.init else ReadOnly(reader.label)
        described.controls[entry.name] = control
    return described


def _paths(described: FieldControls, before: str = "") -> list[str]:
    """The names of all fields, those of nested ones with dots."""
    names = []
    for name, control in described.controls.items():
        names += [before + name, *(_paths(control, f"{before}{name}.") if isinstance(control, FieldControls) else [])]
    return names


@dataclass(frozen=True)
class _Reader:
    """Finds the control for one field."""

    path: str
    name: str
    help: str
    ranges: Mapping[str, Range]

    @property
    def label(self) -> str:
        owner, _, field = self.path.rpartition(".")
        scope = ".".join(filter(None, (self.name, owner)))
        return f"{_words(field)}##{scope}" if scope else _words(field)

    def control(self, hint: Any, value: Any, default: Any) -> Control:
        """For a value annotated with `hint` that starts as `value`; `default` is what the class says."""
        annotated = [note for note in get_args(hint)[1:] if isinstance(note, Range)]
        if get_origin(hint) is Annotated:
            hint = get_args(hint)[0]
        span = next(iter([*filter(None, [self.ranges.get(self.path)]), *annotated]), None)
        if get_origin(hint) in (Union, types.UnionType):
            return self._union(hint, value, default, span)
        if get_origin(hint) is tuple and Ellipsis not in get_args(hint):
            return self._tuple(get_args(hint), value, span)
        if is_dataclass(value) and not isinstance(value, type):
            return _fields(value, f"{self.path}.", self.name, self.ranges)
        return self._entry(hint, value, default, span, self.label)

    def _union(self, hint: Any, value: Any, default: Any, span: Range | None) -> Control:
        choices = [choice for choice in get_args(hint) if choice is not type(None)]
        kind = type(value) if type(value) in choices else choices[0]
        if len(choices) == len(get_args(hint)):
            return self._entry(kind, value, default, span, self.label)
        if kind is Path:
            empty = {"encode": lambda path: path or "", "decode": lambda text: Path(text) if text else None}
            return PathControl(self.label, InputText("", TEXT_CHARACTERS), self.help, **empty)
        start = next((v for v in (value, default) if v is not None), _blank(kind, span))
        inner = self._entry(kind, start, start, span, f"##{self.label}")
        return inner if isinstance(inner, ReadOnly) else OptionalControl(self.label, inner, start, self.help)

    def _tuple(self, hints: tuple[Any, ...], value: Any, span: Range | None) -> Control:
        if not isinstance(value, tuple) or len(value) != len(hints):
            return ReadOnly(self.label)
        if len(hints) == 3 and {*hints} <= {float, int} and "colo" in self.path.rpartition(".")[2]:
            return WidgetControl(self.label, ColorPicker(value), self.help)
        words, _, scope = self.label.partition("##")
        labels = [f"{words} {number}" + f"##{scope}" * bool(scope) for number in range(1, len(hints) + 1)]
        parts = zip(hints, value, labels, strict=True)
        return TupleControl(self.label, [self._entry(hint, part, part, span, label) for hint, part, label in parts])

    def _entry(self, hint: Any, value: Any, default: Any, span: Range | None, label: str) -> Control:
        if get_origin(hint) is Literal:
            return self._choice(get_args(hint), [str(choice) for choice in get_args(hint)], label)
        kind = hint if isinstance(hint, type) and hint is not object else type(value)
        if issubclass(kind, enum.Enum):
            return self._choice(tuple(kind), [choice.name for choice in kind], label)
        if issubclass(kind, bool):
            return WidgetControl(label, Checkbox(bool(value)), self.help)
        if issubclass(kind, int | float) and _is_number(value):
            return WidgetControl(label, _slider(kind, value, default, span), self.help)
        if issubclass(kind, str):
            return WidgetControl(label, InputText("", TEXT_CHARACTERS), self.help)
        if issubclass(kind, Path):
            return PathControl(label, InputText("", TEXT_CHARACTERS), self.help, decode=Path)
        return ReadOnly(label)

    def _choice(self, choices: tuple[Any, ...], names: list[str], label: str) -> Control:
        return WidgetControl(label, Combo(tuple(names), 0), self.help, encode=choices.index, decode=choices.__getitem__)


def _slider(kind: type, value: Number, default: Any, span: Range | None) -> Slider | SliderInt:
    if issubclass(kind, int):
        span = span or usual_range(next((n for n in (value, default) if _is_number(n) and n), 0))
        low, high = max(math.ceil(span.min), -MOST), min(math.floor(span.max), MOST)
        step = max(round(span.step or 1), 1)
        return SliderInt(low, high, value, log=span.log, step=step)
    start = next((float(n) for n in (value, default) if _is_number(n) and n), 0.0)
    return (span or usual_range(start)).slider(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _blank(kind: Any, span: Range | None) -> Any:
    """What an empty value of this kind starts with when it is switched on."""
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return next(iter(kind))
    if kind in (int, float) and span:
        return kind(span.min)
    return kind() if kind in (bool, int, float, str) else None


def _default(entry: Field[Any]) -> Any:
    return None if entry.default is MISSING else entry.default


def _words(path: str) -> str:
    """A field's name as it is read: "weight_decay" is "weight decay", and nested ones are told apart by a dot."""
    return " · ".join(path.strip(".").replace("_", " ").split("."))
