"""Pages: panels of their own in layouts of their own, of which one is shown, drawn and paid for."""

import pytest
import torch

from easel.viewer.driver import Driver
from easel.viewer.imgui.events import KeyChanged


@pytest.fixture
def view(open_view, gl):
    view = open_view("Paged", 640, 360, backend="headless", strict=True)
    for name, side in (("Fit", "left"), ("Art", "right")):
        controls = view.page(name).panel("Controls", side=side, width=0.4)
        controls.on_frame(lambda panel=controls, name=name: panel.slider(f"of {name}"))
        view.page(name).panel("Picture").canvas(name).bind(torch.full((20, 30, 3), 0.5))
    return view


@pytest.fixture
def driver(view):
    driver = Driver(view)
    driver.frames(1)
    return driver


def test_the_first_page_is_shown_and_the_bar_switches(view, driver):
    assert view.shown_page is view.page("Fit") and driver.labels("Controls") == ["of Fit"]
    driver.click("Art")
    assert view.shown_page is view.page("Art") and driver.labels("Controls") == ["of Art"]


def test_ctrl_and_a_number_switches(view, driver):
    view.post(KeyChanged("ctrl", True))
    driver.key("2")
    view.post(KeyChanged("ctrl", False))
    driver.frames(1)
    assert view.shown_page is view.page("Art")


def test_a_program_switches_from_the_next_frame_on(view, driver):
    view.show_page("Art")
    driver.frames(1)
    assert driver.labels("Controls") == ["of Art"]
    with pytest.raises(LookupError, match=r"no page 'art'\. Pages: Fit, Art"):
        view.show_page("art")


def test_each_page_has_its_own_layout_and_comes_back_as_it_was(view, driver):
    fit, art = (view.page(name).panels["Picture"].canvases[name] for name in ("Fit", "Art"))
    before, picture = fit.rectangle, view.capture()
    assert before.x > 0.4 * 640 and art.rectangle is None
    driver.click("Art")
    assert fit.rectangle is None and art.rectangle.x + art.rectangle.width < 0.6 * 640
    driver.click("Fit")
    assert fit.rectangle == before
    assert torch.equal(view.capture()[80:], picture[80:])  # above, the pointer lights what it is on


def test_only_the_shown_page_is_drawn_and_called(view, driver):
    calls = []
    view.page("Art").panel("Controls").on_frame(lambda: calls.append(view.frame_count))
    art = view.page("Art").panel("Picture").canvas("Art").bind(lambda: calls.append("bound") or torch.zeros(2, 2))
    art.keep_history()
    driver.frames(3)
    assert calls == [] and art.history.steps == []
    driver.click("Art")
    assert "bound" in calls and art.history.steps


def test_widgets_of_a_hidden_page_hold_their_values(view, driver):
    driver.drag("of Fit", 0.5)
    held = driver.read("of Fit")
    driver.click("Art")
    assert view.page("Fit").panel("Controls").slider("of Fit") == held
    assert held == pytest.approx(0.5, abs=0.02)


def test_the_views_own_panels_are_a_page_beside_the_others(view, driver):
    view.publish("loss", 1.0)
    driver.frames(2)
    driver.click("More")
    assert list(view.panels) == ["Curves", "Pages"]


def test_layouts_are_kept_for_every_page(open_view, gl, tmp_path):
    def left_edge(page, drag_to=None):
        with open_view("Kept", 600, 300, backend="headless", layout_file=tmp_path / "layout.ini") as view:
            for name in ("One", "Two"):
                view.page(name).panel("A", side="left", width=0.5).text("a")
                panel = view.page(name).panel("B")
                panel.on_frame(lambda panel=panel: panel.button("b"))
            driver = Driver(view)
            driver.click(page)
            if drag_to is not None:
                driver._drag([(300, 150), (drag_to, 150), (drag_to, 150)], 0)
            driver.frames(2)
            return view.page(page).panel("B").item_layout.placed["b"].rectangle.x

    first = left_edge("Two")
    moved = left_edge("Two", drag_to=400)
    assert moved == pytest.approx(first + 100, abs=4)
    assert left_edge("One") == first
    assert left_edge("Two") == moved


def test_a_programs_own_changes_stand_in_one_history_with_those_of_widgets(view, driver):
    art, history = view.page("Art"), ["a"]
    driver.drag("of Fit", 0.5)
    turned = driver.read("of Fit")
    assert not art.note_edit("name", lambda: history.append("a"), lambda: history.append("b"))
    view.undo()
    driver.frames(1)
    assert history == ["a", "a"] and view.shown_page is art
    view.undo()
    driver.frames(2)
    assert driver.read("of Fit") == 0.0 and view.shown_page is view.page("Fit")
    for _ in range(2):
        view.redo()
        driver.frames(2)
    assert history[-1] == "b" and view.shown_page is art
    driver.click("Fit")
    assert driver.read("of Fit") == turned
