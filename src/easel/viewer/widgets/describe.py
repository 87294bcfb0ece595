"""Controls of a dataclass, read from its annotations, docstrings and initial values, and of a torch optimizer."""

import ast
import enum
import functools
import inspect
import math
import textwrap
import types
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from torch import Tensor
from torch.optim import Optimizer

from easel.graphics.checked_record import Range, annotations, bare
from easel.viewer.imgui.sketch import Number
from easel.viewer.widgets.controls import (
    Control,
    FieldControls,
    Form,
    OptionalControl,
    PathControl,
    ReadOnly,
    TupleControl,
    WidgetControl,
)
from easel.viewer.widgets.widgets import MOST_INT, Checkbox, ColorPicker, Combo, InputText, Slider, SliderInt

SMALL = 0.01
"""Largest positive number that starts in the middle of a logarithmic slider: rates and tolerances."""
TINY = 1e-30
"""Largest positive number that counts as 0: decades below it leave the range of floating point."""
LARGE = 100
"""Smallest whole number that does likewise: batches, budgets."""
DECADES = 2
"""Decades to either side of such a number."""
TEXT_CHARACTERS = 1024
"""Longest text that a field of a form takes."""

RATE = Range(1e-6, 1.0, log=True)
DECAY = Range(0.0, 1.0, log=True)
MOMENTUM = Range(0.0, 0.9999, step=1e-4)


def describe(config: Any, name: str = "", ranges: Mapping[str, Range] | None = None) -> FieldControls:
    """Return the controls of a dataclass instance, labelled with its fields' names.

    `name` is appended to every label as `##name`, unseen. `ranges` names fields, those of nested ones with dots, and
    takes precedence over annotations. TypeError for anything but an instance, ValueError for an unknown field.
    """
    if isinstance(config, type) or not is_dataclass(config):
        what = f"the class {config.__name__}: call it" if isinstance(config, type) else type(config).__name__
        raise TypeError(f"controls are made from an instance of a dataclass; got {what}.")
    # Ranges are checked afterwards: a misspelled one would else be ignored, and its slider silently be another.
    described = _fields(config, "", name, ranges or {})
    known = list(_paths(described))
    if unknown := set(ranges or {}).difference(known):
        names = ", ".join(map(repr, unknown))
        raise ValueError(f"{type(config).__name__} has no field {names}. Known: {', '.join(known)}.")
    return described


def watch(form: Form, optimizer: Optimizer, name: str) -> None:
    """Draw sliders for learning rate, weight decay and momentum of every parameter group, and apply their values.

    An optimizer reads them anew at every step. TypeError for anything but a torch optimizer.
    """
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"watch takes a torch optimizer; got {type(optimizer).__name__}.")
    for number, group in enumerate(optimizer.param_groups):
        title = ""
        if len(optimizer.param_groups) > 1:
            title = str(group.get("name", f"group {number}"))
            form.section(title)
        for key, control in _group_controls(group, ".".join(filter(None, (name, title)))):
            # Read in every frame: a schedule may have changed it since the last one.
            old = group[key]
            new = control.draw(form, old)
            if isinstance(old, Tensor) and new is not old:
                old.fill_(new)  # captured graphs and compiled steps read this very tensor
            else:
                group[key] = new


def _group_controls(group: dict[str, Any], scope: str) -> list[tuple[str, Control]]:
    """Return the controls of the settings that this kind of optimizer has, with their keys in the group."""

    def slider(words: str, span: Range, help: str) -> WidgetControl:
        return WidgetControl(_label(words, scope), slider_over(span, span.min), f"{help} Acts at the next step.")

    # Several kinds of optimizers at once: each group has the keys of its own kind.
    means = "Running mean of gradients: the share that stays."
    squares = f"{means[:-1]}, for their squares."
    known = {
        "lr": slider("lr", RATE, "Learning rate."),
        "weight_decay": slider("weight decay", DECAY, "Pull of the weights towards zero; off at the left end."),
        "momentum": slider("momentum", MOMENTUM, means),
        "betas": TupleControl("betas", [slider("beta 1", MOMENTUM, means), slider("beta 2", MOMENTUM, squares)]),
    }
    return [(key, control) for key, control in known.items() if key in group]


def slider_over(span: Range, default: Number) -> Slider:
    """Return a slider over a bounded range, with as many digits as tell its ends apart."""
    if span.log:
        # Six decades below the top where the range begins at 0: `NumberSlider` takes its first decade from the digits.
        least = span.min or min(span.max, 1.0) / 10**6
        format = f"%.{max(math.ceil(-math.log10(least)), 4)}g"
    else:
        # To two digits below the length of the range, or as fine as its notches.
        digits = -math.log10(span.step) if span.step else 2 - math.log10((span.max - span.min) or 1.0)
        format = f"%.{min(max(math.ceil(digits), 0), 9)}f"
    return Slider(span.min, span.max, default, span.log, format, span.step)


def usual_range(value: Number) -> Range:
    """Return a bounded range around an initial number, for fields that state none."""
    if value < 0:
        return Range(4 * value, -4 * value)
    if isinstance(value, int) and value >= LARGE:
        return Range(1, value * 10**DECADES, log=True)
    if isinstance(value, int):
        return Range(0, max(4 * value, 10))
    if TINY < value <= SMALL:
        return Range(value / 10**DECADES, value * 10**DECADES, log=True)
    return Range(0.0, 1.0 if value <= 1 else 4 * value)


@functools.cache
def field_docs(cls: type) -> Mapping[str, str]:
    """Return the string literal under each field of a class and its bases; none where the source cannot be read."""
    docs: dict[str, str] = {}
    # Bases first: a derived class that documents a field again replaces the sentence.
    for owner in reversed(cls.__mro__):
        try:
            body = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0]
        except (OSError, TypeError, SyntaxError):
            continue
        if not isinstance(body, ast.ClassDef):
            continue
        # Python drops these literals when it compiles: only the source has them.
        for above, below in pairwise(body.body):
            if isinstance(above, ast.AnnAssign) and isinstance(above.target, ast.Name):
                if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                    docs[above.target.id] = inspect.cleandoc(str(below.value.value))
    return docs


def _fields(config: Any, path: str, name: str, ranges: Mapping[str, Range]) -> FieldControls:
    cls = type(config)
    try:
        hints = annotations(cls)
    except (NameError, TypeError):  # a type that only checkers see: the values have to tell their types
        hints = {}
    described = FieldControls(_words(path), cls)
    for entry in fields(config):
        # Private by Python's convention: not for the person at the panel either.
        if entry.name.startswith("_"):
            continue
        reader = _Reader(f"{path}{entry.name}", name, field_docs(cls).get(entry.name, ""), ranges)
        if entry.init:
            value = getattr(config, entry.name)
            control = reader.control(hints.get(entry.name, type(value)), value, entry.default)
        else:
            # `dataclasses.replace` cannot set what the constructor does not take.
            control = ReadOnly(reader.label)
        described.controls[entry.name] = control
    return described


def _paths(described: FieldControls, before: str = "") -> Iterator[str]:
    """Yield the names of all fields, those of nested ones with dots."""
    for name, control in described.controls.items():
        yield before + name
        if isinstance(control, FieldControls):
            yield from _paths(control, f"{before}{name}.")


@dataclass(frozen=True)
class _Reader:
    """Finds the control of one field."""

    path: str
    name: str
    help: str
    ranges: Mapping[str, Range]

    @property
    def label(self) -> str:
        owner, _, field = self.path.rpartition(".")
        return _label(_words(field), ".".join(filter(None, (self.name, owner))))

    def control(self, hint: Any, value: Any, default: Any) -> Control:
        """Return the control of a value annotated with `hint`; `default` is the one that the class states."""
        hint, annotated = bare(hint)
        span = self.ranges.get(self.path, annotated)
        # A range without an end is for the class to check: no slider is that long.
        if span is not None and not (math.isfinite(span.min) and math.isfinite(span.max)):
            span = None
        if get_origin(hint) in (Union, types.UnionType):
            return self._union(hint, value, default, span)
        if get_origin(hint) is tuple and Ellipsis not in get_args(hint):
            return self._tuple(get_args(hint), value, span)
        if is_dataclass(value) and not isinstance(value, type):
            return _fields(value, f"{self.path}.", self.name, self.ranges)
        return self._single(hint, value, default, span, self.label)

    def _union(self, hint: Any, value: Any, default: Any, span: Range | None) -> Control:
        choices = [choice for choice in get_args(hint) if choice is not type(None)]
        # Of int | str, the type that the value has now; a person cannot change it.
        kind = next((choice for choice in choices if choice is type(value)), choices[0])
        if len(choices) == len(get_args(hint)):
            return self._single(kind, value, default, span, self.label)
        if kind is Path:
            return PathControl(
                self.label,
                InputText("", TEXT_CHARACTERS),
                self.help,
                encode=lambda path: path or "",
                decode=lambda text: Path(text) if text else None,
            )
        start = next((v for v in (value, default) if v is not None and v is not MISSING), _blank(kind, span))
        inner = self._single(kind, start, start, span, f"##{self.label}")
        # Ticked, a box before what nobody can edit would set it to a value that nobody chose.
        if isinstance(inner, ReadOnly):
            return inner
        return OptionalControl(self.label, inner, start, self.help)

    def _tuple(self, hints: tuple[Any, ...], value: Any, span: Range | None) -> Control:
        if not isinstance(value, tuple) or len(value) != len(hints):
            return ReadOnly(self.label)
        # "colo": color and colour, as the start of a longer name too.
        if len(hints) == 3 and {*hints} <= {float, int} and "colo" in self.path.rpartition(".")[2]:
            return WidgetControl(self.label, ColorPicker(value), self.help)
        words, separator, scope = self.label.partition("##")
        labels = [f"{words} {number}{separator}{scope}" for number in range(1, len(hints) + 1)]
        parts = zip(hints, value, labels, strict=True)
        return TupleControl(self.label, [self._single(hint, part, part, span, label) for hint, part, label in parts])

    def _single(self, hint: Any, value: Any, default: Any, span: Range | None, label: str) -> Control:
        if get_origin(hint) is Literal:
            return self._choice(get_args(hint), [str(choice) for choice in get_args(hint)], label)
        kind = hint if isinstance(hint, type) and hint is not object else type(value)
        if issubclass(kind, enum.Enum):
            return self._choice(tuple(kind), [choice.name for choice in kind], label)
        # Before int, which bool is a subclass of.
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
    # Around the value or, where that is 0, around the class's default: 0 says nothing about a magnitude.
    start = next((number for number in (value, default) if _is_number(number) and number), 0)
    if not issubclass(kind, int):
        return slider_over(span or usual_range(float(start)), value)
    span = span or usual_range(start)
    low, high = max(math.ceil(span.min), -MOST_INT), min(math.floor(span.max), MOST_INT)
    return SliderInt(low, high, value, log=span.log, step=max(round(span.step or 1), 1))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _blank(kind: Any, span: Range | None) -> Any:
    """Return the initial value of an empty field when it is switched on."""
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return next(iter(kind))
    if kind in (int, float) and span:
        return kind(span.min)
    return {bool: False, int: 0, float: 0.0, str: ""}.get(kind)


def _label(words: str, scope: str) -> str:
    """Return a label that shows `words`, and that `scope`, unseen, tells from others that show the same."""
    return "##".join(filter(None, (words, scope)))


def _words(path: str) -> str:
    """Return a field's name as it is read: "weight_decay" is "weight decay", "net.width" is "net · width"."""
    return " · ".join(path.strip(".").replace("_", " ").split("."))
