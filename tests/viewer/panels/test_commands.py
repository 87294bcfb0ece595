"""Everything that can be done in a view is found by a few letters and done with the keyboard alone."""

import pytest
import torch

from easel.viewer.driver import Driver
from easel.viewer.imgui.events import KeyChanged, PointerButton, PointerMoved, TextTyped
from easel.viewer.imgui.theme import DARK, LEAST_CONTRAST, LIGHT, THEMES, contrast, readable
from easel.viewer.panels.commands import search


def chord(view, driver: Driver, *keys: str) -> None:
    view.post(*(KeyChanged(key, True) for key in keys[:-1]))
    driver.key(keys[-1])
    view.post(*(KeyChanged(key, False) for key in keys[:-1]))
    driver.frames(2)


@pytest.fixture
def furnished(open_view):
    view = open_view(backend="none")
    controls, told = view.panel("Controls"), []
    controls.on_frame(lambda: told.append("saved") if controls.button("Save snapshot") else None)
    controls.on_frame(lambda: controls.slider("lr"))
    view.offer(lambda: {"Look inside": lambda: told.append("inside"), "Break": lambda: 1 / 0})
    driver = Driver(view)
    driver.frames(2)
    return view, driver, told


@pytest.mark.parametrize(
    ("sought", "first"),
    [
        ("snap", "Controls: Save snapshot"),
        ("css", "Controls: Save snapshot"),
        ("li", "Look inside"),
        ("tl", "Theme: light"),
    ],
)
def test_a_few_letters_find_an_action(furnished, sought, first) -> None:
    view, _, _ = furnished
    names = view.commands.actions()
    assert search(sought, names)[0] == first
    assert search("", names) == list(names) and search("qqq", names) == []


def test_the_palette_is_used_with_the_keyboard_alone(furnished) -> None:
    view, driver, told = furnished
    for keys in (("ctrl", "p"), ("ctrl", "k")):
        chord(view, driver, *keys)
        assert "Palette" in view.panels
        view.post(TextTyped("snap"))
        driver.frames(2)
        driver.key("enter")
        driver.frames(2)
    assert told == ["saved", "saved"] and "Palette" not in view.panels
    chord(view, driver, "ctrl", "p")
    for key in ("down", "up", "up", "down", "enter"):  # round and back to the first: what the program offers
        driver.key(key)
    driver.frames(2)
    assert told == ["saved", "saved", "inside"]


def test_the_palette_is_used_by_label(open_any) -> None:
    view = open_any()
    told: list[str] = []
    view.offer(lambda: {"Look inside": lambda: told.append("inside")})
    driver = Driver(view)
    view.commands.palette.show()
    driver.frames(2)
    driver.type("##search", "look", panel="Palette")
    if "Palette" in view.panels:  # where keys are real, Enter has taken it already
        driver.click("Look inside", panel="Palette")
    driver.frames(2)
    assert told == ["inside"] and "Palette" not in view.panels


def test_an_action_that_raises_is_told_and_the_palette_goes_on(open_view) -> None:
    view = open_view(backend="none", strict=False)
    view.offer(lambda: {"Break": lambda: 1 / 0})
    driver = Driver(view)
    for _ in range(2):
        view.commands.palette.show()
        driver.frames(2)
        driver.click("Break", panel="Palette")
        driver.frames(2)
        assert "Problem" in view.panels and "Palette" not in view.panels


def test_escape_leaves_the_help_and_a_click_elsewhere_the_palette(furnished) -> None:
    view, driver, _ = furnished
    driver.key("f1")
    driver.frames(2)
    words = " ".join(item.text for item in view.panels["Help"].items if hasattr(item, "text"))
    assert "Ctrl+Shift+Z" in words and "Command palette" in words
    driver.key("escape")
    driver.frames(2)
    assert "Help" not in view.panels
    chord(view, driver, "ctrl", "p")
    driver.frames(2)
    for happens in (PointerMoved(20, 460), PointerButton(0, True), PointerButton(0, False)):
        driver._pointer = PointerMoved(20, 460)
        view.post(happens)
        driver.frames(2)
    assert "Palette" not in view.panels


def test_undo_by_keyboard_is_not_that_of_a_text_field(furnished) -> None:
    view, driver, _ = furnished
    driver.drag("lr", 0.5)
    chord(view, driver, "ctrl", "z")
    assert driver.read("lr") == 0.0
    chord(view, driver, "ctrl", "shift", "z")
    assert driver.read("lr") > 0.4


def test_every_theme_is_readable_and_pictures_are_the_same_in_both(open_headless) -> None:
    for theme in THEMES.values():
        for color in (theme.ink, theme.quiet):
            assert min(contrast(color, ground) for ground in (theme.paper, theme.popup)) >= LEAST_CONTRAST
        assert contrast(theme.ink, theme.well[0]) >= LEAST_CONTRAST
    for color in ((1.0, 0.8, 0.0, 1.0), DARK.alarm, (1.0, 1.0, 1.0, 1.0)):
        assert contrast(readable(color, LIGHT), LIGHT.paper) >= LEAST_CONTRAST
        assert readable(color, DARK) == color
    view = open_headless()
    canvas = view.panel("Picture").canvas("picture").bind(torch.rand(32, 32, 3))
    driver, means, looks = Driver(view), [], []
    for view.theme in ("dark", "light", "dark"):
        driver.frames(3)
        means.append(view.capture().mean().item())
        looks.append(canvas.look())
    assert means[1] > means[0] + 0.2 and means[2] == pytest.approx(means[0], abs=0.02)
    assert torch.equal(looks[0], looks[1])
    with pytest.raises(ValueError, match="Known: dark, light"):
        view.theme = "pink"
