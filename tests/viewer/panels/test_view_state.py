"""What a person made of a view comes back in another one; what is no state changes nothing."""

import json

import pytest

from easel.viewer.driver import Driver
from easel.viewer.view import View


def furnish(view: View, share: float = 0.4) -> View:
    """A page with one widget of every kind, and one with a panel of the same name."""
    first = view.page("First").panel("Controls", side="left", width=share)
    view.page("First").panel("Rest")

    def draw_first() -> None:
        first.slider("lr", 0.0, 1.0)
        first.slider_int("layers", 1, 9)
        first.checkbox("on")
        first.combo("loss", ["MSE", "L1"])
        first.color_picker("ink")
        first.input_text("note")
        first.button("Go")

    second = view.page("Second").panel("Controls")
    first.on_frame(draw_first)
    second.on_frame(lambda: second.slider("lr", 0.0, 10.0, default=3.0))
    return view


HELD = {"lr": 0.5, "layers": 7, "on": True, "loss": "L1", "ink": [1.0, 0.5, 0.0], "note": "größer"}


def with_widgets(state: dict, **values: object) -> dict:
    return {**state, "widgets": {"First": {"Controls": values}}}


def test_a_view_comes_back_in_another_one_through_json(open_view) -> None:
    view = furnish(open_view(backend="none"))
    Driver(view).frames(3)
    for label, value in HELD.items():
        view.page("First").panel("Controls").set(label, value)
    view.theme = "light"
    Driver(view).frames()
    view.show_page("Second")
    Driver(view).frames()
    state = json.loads(json.dumps(view.state()))
    assert state["widgets"] == {"First": {"Controls": HELD}, "Second": {"Controls": {"lr": 3.0}}}

    other = open_view(backend="none")
    other.restore(state)
    Driver(furnish(other)).frames(3)
    assert other.shown_page.name == "Second" and other.theme == "light"
    assert {**other.state(), "layout": ""} == {**state, "layout": ""}


def test_the_layout_comes_back(open_view) -> None:
    def width(view: View) -> float:
        Driver(view).frames(3)
        return view.panels["Controls"].item_layout.placed["lr"].rectangle.width

    wide = furnish(open_view(backend="none"), share=0.6)
    assert width(wide) > 1.2 * width(furnish(open_view(backend="none")))
    fresh, running = furnish(open_view(backend="none")), furnish(open_view(backend="none"))
    Driver(running).frames(2)
    for view in (fresh, running):
        view.restore(wide.state())
        assert width(view) == pytest.approx(width(wide), abs=2)


def test_values_wait_for_their_widgets_and_are_kept_until_then(open_view) -> None:
    view = furnish(open_view(backend="none"))
    Driver(view).frames(2)
    state = with_widgets(view.state(), later=0.25)
    state["widgets"]["Third"] = {"Late": {"deep": 4}}
    view.restore(state)
    Driver(view).frames(2)
    told = view.state()["widgets"]
    assert told["First"]["Controls"]["later"] == 0.25 and told["Third"] == {"Late": {"deep": 4}}
    controls = view.page("First").panel("Controls")
    controls.on_frame(lambda: controls.slider("later"))
    late = view.page("Third").panel("Late")
    late.on_frame(lambda: late.slider_int("deep"))
    view.show_page("Third")
    Driver(view).frames(2)
    assert late.get("deep") == 4
    view.show_page("First")
    Driver(view).frames(2)
    assert controls.get("later") == 0.25


def test_a_session_presses_no_button_and_a_value_of_another_kind_is_told(open_view) -> None:
    view = furnish(open_view(backend="none"))
    driver = Driver(view)
    driver.frames(2)
    pressed = []
    controls = view.page("First").panel("Controls")
    controls.on_frame(lambda: pressed.append(controls.button("Delete all")))
    view.restore(with_widgets(view.state(), **{"Delete all": True, "on": "no", "lr": [1], "loss": "KL"}))
    driver.frames(3)
    assert not any(pressed)
    assert (driver.read("on"), driver.read("lr"), driver.read("loss")) == (False, 0.0, 0)
    told = [item.text for item in controls.items if not isinstance(item, tuple)]
    assert len(told) == 3 and all("the session's" in text for text in told)


LAYOUT = "[Docking][Data]\nDockSpace ID=0x1 Pos=0,0\n"


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"extra": 1},
        {"page": 3},
        {"theme": "pink"},
        {"widgets": []},
        {"widgets": {"First": {"Controls": [1]}}},
        {"layout": "rm -rf"},
        {"layout": LAYOUT + "DockNode ID=0x1 Parent=0x1"},
        {"layout": LAYOUT + "DockNode ID=0x2 Parent=0x3"},
        {"layout": LAYOUT + "".join(f"DockNode ID=0x{n} Parent=0x1\n" for n in (2, 3, 4))},
    ],
)
def test_what_is_no_state_changes_nothing(open_view, change) -> None:
    view = furnish(open_view(backend="none"))
    Driver(view).frames(2)
    before = view.state()
    with pytest.raises(ValueError) as caught:
        view.restore({**before, **change})
    assert "\n" not in str(caught.value)
    assert view.state() == before


def test_undo_goes_back_drag_by_drag_and_redo_forth(open_any) -> None:
    view = furnish(open_any())
    driver = Driver(view)
    held = [(0.0, 0)]
    for value in (0.25, 0.75):
        driver.drag("lr", value)
        held.append((driver.read("lr"), 0))
    driver.select("loss", "L1")
    after = view.state()["widgets"]
    view.page("First").panel("Controls").set("layers", 5)  # the program's own doing is not undone
    driver.click("Second")
    for expected in [*reversed(held), held[0]]:
        view.undo()
        driver.frames(2)
        assert (driver.read("lr"), driver.read("loss")) == expected and view.shown_page.name == "First"
    for _ in range(4):
        view.redo()
        driver.frames(2)
    told = view.state()["widgets"]
    assert told["First"]["Controls"] == {**after["First"]["Controls"], "layers": 5}
