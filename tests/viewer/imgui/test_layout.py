"""Sides and shares → rectangles: nothing overlaps, nothing is lost, and hand-worked cases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easel.viewer.imgui.layout import SIDES, PanelPlace, Rectangle, arrange, fit, insert, native, panels, rectangles

ROOM = Rectangle(0, 0, 1000, 500)
sides = st.sampled_from([None, *SIDES])


@st.composite
def places(draw: st.DrawFn) -> list[PanelPlace]:
    wanted = draw(st.lists(st.tuples(sides, st.floats(0, 0.9)), max_size=7))
    return [PanelPlace(f"panel {n}", side, width) for n, (side, width) in enumerate(wanted)]


@given(places())
def test_panels_tile_the_window(wanted: list[PanelPlace]) -> None:
    placed = rectangles(arrange(wanted), ROOM)
    assert set(placed) == {place.panel for place in wanted}
    free = 0.0 if any(place.side is None for place in wanted) else None
    area = sum(r.width * r.height for r in placed.values())
    if free is not None:
        assert area == pytest.approx(ROOM.width * ROOM.height)
    for first in placed.values():
        for second in placed.values():
            across = min(first.x + first.width, second.x + second.width) - max(first.x, second.x)
            down = min(first.y + first.height, second.y + second.height) - max(first.y, second.y)
            assert first is second or min(across, down) < 1e-6


def test_a_side_takes_its_share_of_what_remains() -> None:
    placed = rectangles(arrange([PanelPlace("a", "left", 0.2), PanelPlace("b", "bottom", 0.5), PanelPlace("c")]), ROOM)
    assert placed == {"a": (0, 0, 200, 500), "b": (200, 250, 800, 250), "c": (200, 0, 800, 250)}


def test_the_default_share_is_a_fifth() -> None:
    assert rectangles(arrange([PanelPlace("a", "right"), PanelPlace("b")]), ROOM)["a"] == (800, 0, 200, 500)


def test_panels_without_a_side_stack_with_equal_heights() -> None:
    wanted = [PanelPlace("r"), PanelPlace("g"), PanelPlace("b"), PanelPlace("all", "right", 0.5)]
    placed = rectangles(arrange(wanted), Rectangle(0, 0, 800, 1200))
    assert [placed[name] for name in "rgb"] == [pytest.approx((0, y, 400, 400)) for y in (0, 400, 800)]
    assert placed["all"] == (400, 0, 400, 1200)


@given(places(), sides, st.integers(0, 6))
def test_a_panel_made_later_takes_room_from_its_neighbour_only(wanted: list[PanelPlace], side, index: int) -> None:
    area = arrange(wanted)
    names = panels(area)
    neighbour = names[index % len(names)] if names else None
    before = rectangles(area, ROOM)
    after = rectangles(insert(area, PanelPlace("new", side), neighbour), ROOM)
    assert set(after) == {*before, "new"}
    if neighbour is not None:
        assert all(after[name] == before[name] for name in before if name != neighbour)


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 3000), st.integers(1, 3000))
def test_a_fitted_picture_keeps_its_aspect_inside_its_room(height: int, width: int, room_width: int, room_height: int):
    x, y, shown_width, shown_height = fit((height, width), Rectangle(10, 20, room_width, room_height))
    assert 10 <= x and x + shown_width <= 10 + room_width + 1
    assert 20 <= y and y + shown_height <= 20 + room_height + 1
    assert all(value == int(value) for value in (x, y, shown_width, shown_height))
    assert shown_width == room_width or shown_height == room_height
    assert (
        abs(shown_width * height - shown_height * width) <= max(height, width) / 2 + 1
        or min(shown_width, shown_height) == 1
    )


def test_native_size_is_one_pixel_per_pixel() -> None:
    assert native((30, 40), Rectangle(10.6, 5.2, 100, 100)) == (11, 5, 40, 30)
