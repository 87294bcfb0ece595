"""Where an explorer looks: hands move and magnify what is under them, and windows become places."""

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from easel.fields.model.coordinates import axis_coordinates
from easel.fields.model.extent import Window
from easel.workstation.art.viewport import Place

SIZE = (48, 80)
PLACE = Place((0.25, -1.5), (4.0, 2.0))


def coordinates(place: Place, at: tuple[float, float]) -> tuple[float, float]:
    """(row, column) of the unit view at the pixel (x, y)."""
    down, right = place.steps(SIZE)
    return place.center[0] + (at[1] - SIZE[0] / 2) * down, place.center[1] + (at[0] - SIZE[1] / 2) * right


def test_steps_and_centre_are_those_of_the_window():
    rows, columns = axis_coordinates(SIZE, PLACE.window)
    down, right = PLACE.steps(SIZE)
    assert rows[1] - rows[0] == pytest.approx(down, rel=1e-4) and columns[1] - columns[0] == pytest.approx(
        right, rel=1e-4
    )
    assert (rows.mean(), columns.mean()) == pytest.approx(PLACE.center, abs=1e-5)


@given(st.floats(0.2, 5), st.floats(0, 80), st.floats(0, 48))
def test_what_is_under_the_pointer_stays_there(factor, x, y):
    moved = PLACE.magnified(factor, (x, y), SIZE)
    assert coordinates(moved, (x, y)) == pytest.approx(coordinates(PLACE, (x, y)), abs=1e-9)
    assert moved.zoom == pytest.approx((4 * factor, 2 * factor))


def test_a_drag_takes_the_picture_along():
    moved = PLACE.dragged((7, -3), SIZE)
    assert coordinates(moved, (27, 17)) == pytest.approx(coordinates(PLACE, (20, 20)))


def test_zoom_ends_where_float32_no_longer_tells_pixels_apart():
    place = PLACE
    for _ in range(200):
        place = place.magnified(2.0, (40, 24), SIZE)
    assert place == place.magnified(2.0, (40, 24), SIZE)
    rows, columns = axis_coordinates(SIZE, place.window)
    assert len(rows.unique()) == len(rows) and len(columns.unique()) == len(columns)
    for _ in range(100):
        place = place.magnified(0.1, (40, 24), SIZE)
    assert min(place.zoom) == pytest.approx(1e-3)


@pytest.mark.parametrize(
    "window",
    [Window(), Window(3.0, pan=(0.5, -2.0)), Window((2.0, 5.0), center=(0.1, 0.2)), Window(2.0, align="corners")],
)
def test_a_window_of_any_kind_is_a_place(window):
    mine, theirs = axis_coordinates(SIZE, Place.of(window, SIZE).window), axis_coordinates(SIZE, window)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(mine, theirs, strict=True))


def test_a_place_shows_the_same_at_every_size():
    zoom = PLACE.stretched(SIZE)
    coarse = axis_coordinates((6, 10), Window(zoom, center=PLACE.center))
    fine = axis_coordinates(SIZE, PLACE.window)
    for few, many in zip(coarse, fine, strict=True):
        assert torch.allclose(few, many.view(-1, 8).mean(1), atol=1e-5)


def test_a_place_survives_json():
    assert Place.from_json(json.loads(json.dumps(PLACE.to_json()))) == PLACE


@pytest.mark.parametrize(
    "data", [None, {}, {"center": [0, 0]}, {"center": [0, 0], "zoom": [0, 1]}, {"center": ["a", 0], "zoom": [1, 1]},
             {"center": [0], "zoom": [1, 1]}, {"center": [float("nan"), 0], "zoom": [1, 1]}],
)  # fmt: skip
def test_what_is_no_place_is_refused(data):
    with pytest.raises((ValueError, KeyError, TypeError)):
        Place.from_json(data)
