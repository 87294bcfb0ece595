"""The one door of every widget: whatever comes, what leaves it is of its kind and in its range."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from easel.viewer.widgets.readouts import ProgressBar, as_curve, finite_range, finite_runs
from easel.viewer.widgets.widgets import Checkbox, ColorPicker, Combo, InputText, Slider, SliderInt

numbers = st.floats(allow_nan=False, width=32) | st.integers(-1000, 1000)
ends = st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)).map(sorted)


@given(ends, numbers)
def test_a_slider_stays_in_its_range_and_keeps_what_is_in_it(ends, value) -> None:
    low, high = ends
    accepted = Slider(low, high, low).accept(value)
    assert isinstance(accepted, float) and low <= accepted <= high
    assert accepted == value or not low <= value <= high
    assert 0 <= Slider(low, high, low).position(value) <= 1


@given(st.integers(-50, 50), st.integers(0, 100), numbers)
def test_an_integer_slider_rounds_and_stays_in_its_range(low, extent, value) -> None:
    accepted = SliderInt(low, low + extent, low).accept(min(max(value, -1e9), 1e9))
    assert isinstance(accepted, int) and low <= accepted <= low + extent


def test_positions_of_a_logarithmic_slider_are_its_decades() -> None:
    slider = Slider(1e-4, 1.0, 1e-2, log=True)
    assert [slider.position(10.0**n) for n in range(-4, 1)] == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    assert Slider(0.0, 1.0, 0.5, log=True, format="%.4g").position(0.0) == 0.0
    with pytest.raises(ValueError, match="from 0 or above"):
        Slider(-1.0, 1.0, 0.5, log=True)


@pytest.mark.parametrize("widget", [Slider(0, 1, 0), SliderInt(0, 1, 0), Combo(("a",), 0)])
def test_nothing_that_is_no_number_gets_in(widget) -> None:
    for value in (math.nan, None, "fast", [1]):
        with pytest.raises((ValueError, TypeError)):
            widget.accept(value)
    with pytest.raises(ValueError, match="from min up to max"):
        Slider(2, 1, 0)


@given(st.lists(st.floats(-2, 3), min_size=3, max_size=3))
def test_colours_are_three_numbers_from_0_to_1(channels) -> None:
    for given_ in (channels, tuple(channels), np.array(channels), torch.tensor(channels)):
        assert all(0 <= channel <= 1 for channel in ColorPicker((1, 1, 1)).accept(given_))
    with pytest.raises(ValueError, match="three numbers"):
        ColorPicker((1, 1, 1)).accept(channels[:2])


@given(st.lists(st.text(min_size=1), max_size=5, unique=True), st.integers(-10, 10))
def test_a_combo_takes_an_index_or_an_item(items, index) -> None:
    combo = Combo(tuple(items), 0)
    assert 0 <= combo.accept(index) <= max(len(items) - 1, 0)
    assert [combo.accept(item) for item in items] == list(range(len(items)))


@given(st.text(), st.integers(1, 8))
def test_text_is_cut_at_characters(text, length) -> None:
    assert InputText("", length).accept(text) == text[:length]
    assert Checkbox(False).accept(text) == bool(text)


def test_progress_is_a_share() -> None:
    assert [ProgressBar(f, "").fraction for f in (math.nan, -1, 0.5, 7, math.inf)] == [0, 0, 0.5, 1, 1]


@given(st.lists(st.floats() | st.integers(-9, 9), max_size=30))
def test_curves_are_cut_at_their_gaps(values) -> None:
    curve = as_curve(values)
    assert curve.dtype == np.float64 and len(curve) == len(values)
    runs = finite_runs(curve)
    assert [v for start, stop in runs for v in curve[start:stop]] == [v for v in values if math.isfinite(v)]
    assert all(first[1] < second[0] for first, second in pairwise(runs))
    low, high = finite_range(curve)
    assert all(low <= v <= high for v in values if math.isfinite(v))


def test_curves_come_from_anything_with_numbers() -> None:
    expected = [0.0, 0.5, 1.0]
    half = torch.tensor(expected, dtype=torch.bfloat16, requires_grad=True)
    for values in (
        expected,
        tuple(expected),
        np.array(expected, "f4"),
        half,
        iter(expected),
        [torch.tensor(v) for v in expected],
    ):
        assert as_curve(values).tolist() == expected
