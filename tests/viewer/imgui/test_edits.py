"""Dataclasses and optimizers as controls: every kind of field, in every backend, by its label."""

import enum
import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from easel.fields.model.config import FieldConfig, Knobs
from easel.graphics.checked_record import Range
from easel.viewer.driver import Driver
from easel.viewer.imgui.edits import Edits
from easel.viewer.widgets.controls import FieldControls, ReadOnly, WidgetControl
from easel.viewer.widgets.describe import describe, field_docs, slider_over, usual_range
from easel.viewer.widgets.widgets import Slider


class Shape(enum.Enum):
    BALL = "ball"
    BOX = 2


@dataclass(frozen=True)
class Net:
    width: Annotated[int, Range(16, 256, step=16)] = 64
    """Of a hidden layer."""
    activation: Literal["relu", "sine"] = "relu"


@dataclass(frozen=True)
class Config:
    """One field of every kind."""

    lr: Annotated[float, Range(1e-5, 1e-1, log=True)] = 1e-3
    """Learning rate
    of the next step."""
    steps: int = 20
    net: Net = field(default_factory=Net)
    fast: bool = False
    loss: Literal["mse", "l1"] = "mse"
    shape: Shape = Shape.BALL
    title: str = "run"
    out: Path = Path("out")
    seed: int | None = None
    paper_color: tuple[float, float, float] = (1.0, 1.0, 1.0)
    size: tuple[int, int] = (8, 16)
    odd: object = None
    hook: Any = print
    _hidden: int = 7


@pytest.mark.slow
def test_every_field_has_a_control_and_a_frozen_object_is_replaced(open_any) -> None:
    view = open_any(width=700, height=900)
    panel = view.panel("P")
    seen = [Config()]
    panel.on_frame(lambda: seen.append(panel.edit(seen[-1])))
    driver = Driver(view)
    driver.frames(3)
    assert all(config is seen[0] for config in seen), "untouched, it is the very same"
    labels = ["lr", "steps", "fast", "loss", "shape", "title", "out", "Open ...##out", "seed", "paper color",
              "size 1", "size 2", "width##net", "activation##net"]  # fmt: skip
    assert driver.labels() == labels
    driver.drag("lr", 1e-2)
    driver.type("steps", "31")
    driver.click("fast")
    driver.select("loss", "l1")
    driver.select("shape", "BOX")
    driver.type("title", "second")
    driver.type("out", "elsewhere")
    panel.set("paper color", (0, 0.5, 1))
    driver.type("size 2", "24")
    driver.type("width##net", "125")
    driver.select("activation##net", "sine")
    driver.click("seed")
    driver.type("##seed", "5")
    assert math.log10(seen[-1].lr) == pytest.approx(-2, abs=0.05)
    assert replace(seen[-1], lr=1e-3) == Config(steps=31, fast=True, loss="l1", shape=Shape.BOX, title="second",
        out=Path("elsewhere"), seed=5, paper_color=(0, 0.5, 1), size=(8, 24),
        net=Net(width=128, activation="sine"))  # fmt: skip
    driver.click("seed")
    assert seen[-1].seed is None
    driver.click("seed")
    assert seen[-1].seed == 5, "switched on again it is what it was"
    assert seen[0] == Config()
    shown = [item.text for item in panel.items if hasattr(item, "text")]
    assert shown == ["odd: None", "hook: <built-in function print>"]


def test_a_mutable_object_is_written_into_and_followed(open_any) -> None:
    view = open_any()
    knobs, panel = Knobs(), view.panel("P")
    panel.on_frame(lambda: panel.edit(knobs, ranges={"lr": Range(1e-5, 1.0, log=True)}))
    driver = Driver(view)
    driver.select("optimizer", "sgd")
    driver.drag("lr", 0.1)
    assert knobs.optimizer == "sgd" and math.log10(knobs.lr) == pytest.approx(-1, abs=0.05)
    knobs.lr = 0.25
    driver.frames(2)
    assert driver.read("lr") == knobs.lr == 0.25
    knobs.lr = 99.0
    driver.frames(2)
    assert driver.read("lr") == 1.0 and knobs.lr == 99.0, "what is out of reach is left alone"


def test_a_proposal_stays_until_the_program_gives_another_object(open_any) -> None:
    view = open_any()
    panel, state = view.panel("P"), {"config": FieldConfig(), "proposed": FieldConfig()}

    @panel.on_frame
    def draw() -> None:
        state["proposed"] = panel.edit(state["config"])

    driver = Driver(view)
    driver.type("hidden", "48")
    driver.frames(3)
    assert (state["proposed"].hidden, state["config"].hidden) == (48, 32)
    state["config"] = state["proposed"]
    driver.frames(2)
    state["config"] = FieldConfig(hidden=20)
    driver.frames(2)
    assert state["proposed"].hidden == driver.read("hidden") == 20


def test_what_the_class_refuses_is_told_and_the_object_stays(open_any) -> None:
    @dataclass(frozen=True)
    class Checked:
        layers: int = 3

        def __post_init__(self) -> None:
            if self.layers < 1:
                raise ValueError(f"Checked.layers is {self.layers}; it must be 1 or more.")

    view = open_any()
    panel, seen = view.panel("P"), [Checked()]
    panel.on_frame(lambda: seen.append(panel.edit(seen[-1])))
    driver = Driver(view)
    driver.type("layers", "0")
    driver.frames(2)
    assert seen[-1] is seen[0]
    complaint = "Checked.layers is 0; it must be 1 or more."
    assert complaint in [getattr(sketch, "text", "") for sketch in panel.sketch()]
    driver.type("layers", "4")
    assert seen[-1].layers == 4
    assert complaint not in [getattr(sketch, "text", "") for sketch in panel.sketch()]


def test_a_path_can_be_chosen_in_a_dialog_and_be_none_when_empty(open_any) -> None:
    @dataclass
    class Where:
        image: Path | None = None

    view = open_any()
    where, panel = Where(), view.panel("P")
    panel.on_frame(lambda: panel.edit(where))
    driver = Driver(view)
    driver.frames(1)
    assert where.image is None
    driver.answer_dialog("/pictures/cat.png")
    driver.click("Open ...##image")
    driver.frames(3)
    assert where.image == Path("/pictures/cat.png")
    driver.type("image", "")
    assert where.image is None


def test_two_forms_in_one_panel_are_told_apart_by_name(open_any) -> None:
    view = open_any()
    panel, pair = view.panel("P"), [Knobs(), Knobs()]
    panel.on_frame(lambda: [panel.edit(knobs, name=name) for knobs, name in zip(pair, ("a", "b"), strict=True)])
    driver = Driver(view)
    driver.type("batch##b", "512")
    assert [knobs.batch for knobs in pair] == [8192, 512]
    with pytest.raises(ValueError, match="already has a widget 'lr##a'"):
        view.step()
        panel.edit(pair[0], name="a")
    view.end_step()


def test_docstrings_are_the_help() -> None:
    assert field_docs(Config) == {"lr": "Learning rate\nof the next step."}
    assert field_docs(FieldConfig)["hidden"] == "Width of the hidden layers."
    lr = describe(Config()).controls["lr"]
    assert isinstance(lr, WidgetControl) and lr.help.startswith("Learning rate")

    @dataclass
    class Base:
        a: int = 1
        """The base's."""

    @dataclass
    class Derived(Base):
        b: int = 2
        """Its own."""
        a: int = 3

    assert field_docs(Derived) == {"a": "The base's.", "b": "Its own."}
    assert field_docs(type("Made", (), {})) == {}


def test_values_beside_their_annotations_are_shown_and_kept() -> None:
    @dataclass
    class Odd:
        count: int = None  # type: ignore[assignment]
        rate: float = math.nan
        tensor: torch.Tensor = field(default_factory=lambda: torch.zeros(1000))
        table: dict[str, int] = field(default_factory=dict)
        size: tuple[int, int] = (1, 2, 3)  # type: ignore[assignment]
        derived: int = field(init=False, default=3)
        unknown: "Nowhere" = 5  # type: ignore[name-defined]

    described = describe(Odd())
    assert {name for name, c in described.controls.items() if isinstance(c, ReadOnly)} == {
        "count", "rate", "tensor", "table", "size", "derived"}  # fmt: skip
    assert isinstance(described.controls["unknown"], WidgetControl)


def test_what_is_no_dataclass_is_named() -> None:
    for what, words in ((3, "got int"), (Config, "the class Config: call it"), ({}, "got dict")):
        with pytest.raises(TypeError, match=words):
            describe(what)
    with pytest.raises(ValueError, match=r"Config has no field 'rate'. Known: lr, steps, net, net.width"):
        describe(Config(), ranges={"rate": Range(0, 1)})
    for bad in ((2, 1), (-1, 1, True), (0, 1, False, 0)):
        with pytest.raises(ValueError):
            Range(*bad)


def test_ranges_of_nested_fields_go_by_their_path() -> None:
    net = describe(Config(), ranges={"net.width": Range(1, 9)}).controls["net"]
    assert isinstance(net, FieldControls) and net.controls["width"].widget.max == 9


@given(st.floats(-1e6, 1e6) | st.integers(-(10**9), 10**9))
def test_a_usual_range_holds_what_it_is_made_for(value) -> None:
    span = usual_range(value)
    assert span.min <= value <= span.max and span.min < span.max
    slider = slider_over(span, value)
    assert slider.accept(value) == pytest.approx(value)
    assert [slider.position(end) for end in (span.min, span.max)] == pytest.approx([0, 1], abs=1e-6)


@given(st.floats(0, 100), st.sampled_from([0.5, 1, 3, 7.25]))
def test_steps_are_notches_from_the_least_on(value, step) -> None:
    slider = Slider(0, 100, 0, step=step)
    notched = slider.accept(value)
    assert (0 <= notched <= 100 and abs(notched - value) <= step / 2 + 1e-9) or notched == 100
    assert slider.accept(notched) == notched


def test_logarithmic_sliders_reach_zero_and_every_decade_with_the_mouse(open_headless) -> None:
    @dataclass
    class Decay:
        decay: Annotated[float, Range(0.0, 1.0, log=True)] = 0.01
        batch: Annotated[int, Range(1, 100_000, log=True)] = 100

    view = open_headless()
    decay, panel = Decay(), view.panel("P")
    panel.on_frame(lambda: panel.edit(decay))
    driver = Driver(view)
    for exponent in (-4, -1, -3):
        driver.drag("decay", 10.0**exponent)
        assert math.log10(decay.decay) == pytest.approx(exponent, abs=0.1)
    driver.type("decay", "0")
    assert decay.decay == 0.0
    driver.drag("batch", 10_000)
    assert math.log10(decay.batch) == pytest.approx(4, abs=0.1)


def test_an_optimizer_is_turned_while_it_runs(open_any) -> None:
    view = open_any()
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.AdamW([weight], lr=1e-3, weight_decay=0.0)
    panel = view.panel("P")
    panel.on_frame(lambda: panel.watch(optimizer))
    driver = Driver(view)
    driver.frames(2)
    group = optimizer.param_groups[0]
    assert driver.labels() == ["lr", "weight decay", "beta 1", "beta 2"]
    assert (group["lr"], group["betas"], group["weight_decay"]) == (1e-3, (0.9, 0.999), 0.0)
    driver.type("lr", "0.5")
    driver.type("beta 1", "0.5")
    assert group["lr"] == 0.5 and group["betas"] == (0.5, 0.999)
    weight.grad = torch.ones(1)
    optimizer.step()
    assert weight.item() == pytest.approx(0.5)
    group["lr"] = 0.25  # a schedule's doing
    driver.frames(2)
    assert driver.read("lr") == group["lr"] == 0.25


def test_groups_are_told_apart_and_a_tensor_s_rate_stays_its_tensor(open_any) -> None:
    view = open_any()
    rate = torch.tensor(0.01)
    parameters = [torch.nn.Parameter(torch.ones(1)) for _ in range(2)]
    groups = [{"params": parameters[:1]}, {"params": parameters[1:], "momentum": 0.9, "name": "head"}]
    optimizer = torch.optim.SGD(groups, lr=rate)
    panel = view.panel("P")
    panel.on_frame(lambda: panel.watch(optimizer))
    driver = Driver(view)
    driver.type("momentum##head", "0.8")
    driver.type("lr##group 0", "0.125")
    assert [group["momentum"] for group in optimizer.param_groups] == [0, 0.8]
    assert optimizer.param_groups[0]["lr"] is rate and rate.item() == 0.125


def test_an_edit_continues_only_that_of_the_very_same_owner() -> None:
    edits = Edits()
    one, equal = [1], [1]
    assert not edits.note(one, "name", list, list)
    assert edits.note(one, "name", list, list)
    assert not edits.note(equal, "name", list, list)
    assert len(edits.done) == 2
