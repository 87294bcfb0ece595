"""Where an explorer looks: hands move and magnify what is under them, and windows become places."""

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from easel.fields.model.coordinates import axis_coordinates
from easel.fields.model.extent import Extent
from easel.workstation.art.viewport import Viewport

SIZE = (48, 80)
VIEWPORT = Viewport((0.25, -1.5), (4.0, 2.0))


def coordinates(viewport: Viewport, at: tuple[float, float]) -> tuple[float, float]:
    """(row, column) of the unit view at the pixel (x, y)."""
    down, right = viewport.steps(SIZE)
    return viewport.center[0] + (at[1] - SIZE[0] / 2) * down, viewport.center[1] + (at[0] - SIZE[1] / 2) * right


def test_steps_and_centre_are_those_of_the_window():
    rows, columns = axis_coordinates(SIZE, VIEWPORT.extent)
    down, right = VIEWPORT.steps(SIZE)
    assert rows[1] - rows[0] == pytest.approx(down, rel=1e-4) and columns[1] - columns[0] == pytest.approx(
        right, rel=1e-4
    )
    assert (rows.mean(), columns.mean()) == pytest.approx(VIEWPORT.center, abs=1e-5)


@given(st.floats(0.2, 5), st.floats(0, 80), st.floats(0, 48))
def test_what_is_under_the_pointer_stays_there(factor, x, y):
    moved = VIEWPORT.magnified(factor, (x, y), SIZE)
    assert coordinates(moved, (x, y)) == pytest.approx(coordinates(VIEWPORT, (x, y)), abs=1e-9)
    assert moved.zoom == pytest.approx((4 * factor, 2 * factor))


def test_a_drag_takes_the_picture_along():
    moved = VIEWPORT.dragged((7, -3), SIZE)
    assert coordinates(moved, (27, 17)) == pytest.approx(coordinates(VIEWPORT, (20, 20)))


def test_zoom_ends_where_float32_no_longer_tells_pixels_apart():
    viewport = VIEWPORT
    for _ in range(200):
        viewport = viewport.magnified(2.0, (40, 24), SIZE)
    assert viewport == viewport.magnified(2.0, (40, 24), SIZE)
    rows, columns = axis_coordinates(SIZE, viewport.extent)
    assert len(rows.unique()) == len(rows) and len(columns.unique()) == len(columns)
    for _ in range(100):
        viewport = viewport.magnified(0.1, (40, 24), SIZE)
    assert min(viewport.zoom) == pytest.approx(1e-3)


@pytest.mark.parametrize(
    "window",
    [Extent(), Extent(3.0, pan=(0.5, -2.0)), Extent((2.0, 5.0), center=(0.1, 0.2)), Extent(2.0, align="corners")],
)
def test_a_window_of_any_kind_is_a_place(window):
    mine, theirs = axis_coordinates(SIZE, Viewport.of(window, SIZE).extent), axis_coordinates(SIZE, window)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(mine, theirs, strict=True))


def test_a_place_shows_the_same_at_every_size():
    zoom = VIEWPORT.stretched(SIZE)
    coarse = axis_coordinates((6, 10), Extent(zoom, center=VIEWPORT.center))
    fine = axis_coordinates(SIZE, VIEWPORT.extent)
    for few, many in zip(coarse, fine, strict=True):
        assert torch.allclose(few, many.view(-1, 8).mean(1), atol=1e-5)


def test_a_place_survives_json():
    assert Viewport.from_json(json.loads(json.dumps(VIEWPORT.to_json()))) == VIEWPORT


@pytest.mark.parametrize(
    "data", [None, {}, {"center": [0, 0]}, {"center": [0, 0], "zoom": [0, 1]}, {"center": ["a", 0], "zoom": [1, 1]},
             {"center": [0], "zoom": [1, 1]}, {"center": [float("nan"), 0], "zoom": [1, 1]}],
)  # fmt: skip
def test_what_is_no_place_is_refused(data):
    with pytest.raises((ValueError, KeyError, TypeError)):
        Viewport.from_json(data)
