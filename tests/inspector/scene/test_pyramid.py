"""No weight is lost at any level, however odd the size and however small the values."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from easel.inspector.scene.pyramid import AGGREGATES, build, scaled, tiles_of

SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40))


@given(SIZES, st.data())
@settings(max_examples=80, deadline=None)
def test_one_weight_reaches_the_top(size, data):
    values = torch.zeros(size)
    row, column = data.draw(st.integers(0, size[0] - 1)), data.draw(st.integers(0, size[1] - 1))
    values[row, column] = -1e-30
    pyramid = build(values)
    for number, level in enumerate(pyramid.levels[0], 1):
        at = min(row >> number, level.shape[0] - 1), min(column >> number, level.shape[1] - 1)
        assert level[at] == -1 * 2.0 ** math.log2(abs(level[at])) and np.count_nonzero(level) == 1
    if max(size) > 1:
        assert pyramid.levels[0][-1].shape == (1, 1)


@given(SIZES, st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_peaks_are_what_a_slow_search_finds(size, seed):
    values = torch.randn(size, generator=torch.Generator().manual_seed(seed))
    pyramid = build(values)
    cells = scaled(values, pyramid.exponent)
    for number, level in enumerate(pyramid.levels[0], 1):
        for row in range(level.shape[0]):
            for column in range(level.shape[1]):
                bottom = size[0] if row == level.shape[0] - 1 else (row + 1) << number
                right = size[1] if column == level.shape[1] - 1 else (column + 1) << number
                part = cells[row << number : bottom, column << number : right].flatten()
                assert level[row, column] == part[part.abs().argmax()].half().item()


@given(SIZES)
@settings(max_examples=30, deadline=None)
def test_means_count_every_cell_once(size):
    values = torch.randn(size, generator=torch.Generator().manual_seed(0))
    cells = values.double() * 2.0 ** build(values).exponent
    if max(size) > 1:
        assert build(values, "mean").levels[0][-1].item() == pytest.approx(cells.mean().item(), abs=2e-3)
        assert abs(build(values, "rms").levels[0][-1].item()) == pytest.approx(
            cells.square().mean().sqrt().item(), rel=2e-3
        )


@pytest.mark.parametrize("sigma", [1e-40, 1e-20, 1e-9, 1e-7, 1.0, 1e5, 1e30])
def test_halves_hold_any_scale(sigma):
    values = torch.randn(64, 64, generator=torch.Generator().manual_seed(0)).double().mul(sigma).float()
    pyramid = build(values)
    halves = scaled(values, pyramid.exponent).half().double()
    assert 1 <= halves.abs().max() < 2.0005 and halves.isfinite().all()
    back = halves * 2.0**-pyramid.exponent
    used = values != 0
    error = ((back - values.double()).abs() / values.double().abs())[used]
    assert error.median() < 3e-4


@pytest.mark.parametrize("power", [-30, 20])
def test_a_power_of_two_changes_nothing_but_the_exponent(power):
    values = torch.randn(33, 47, generator=torch.Generator().manual_seed(0))
    for aggregate in AGGREGATES:
        one, other = build(values, aggregate), build(values * 2.0**power, aggregate)
        assert one.limits == other.limits and one.exponent == other.exponent + power
        assert all((a == b).all() for a, b in zip(one.levels[0], other.levels[0], strict=True))


def test_nan_and_infinity_reach_every_level_and_no_limit():
    values = torch.randn(37, 41, generator=torch.Generator().manual_seed(0))
    clean = build(values)
    values[36, 40], values[3, 5] = math.nan, math.inf
    for aggregate in AGGREGATES:
        pyramid = build(values, aggregate)
        assert pyramid.bad == 2 and math.isfinite(pyramid.peak)
        assert all(not np.isfinite(level).all() for level in pyramid.levels[0])
        assert all(math.isfinite(limit) for limit in pyramid.limits)
    assert build(values).limits[0] == pytest.approx(clean.limits[0], rel=0.1)


def test_limits_grow_with_the_peaks():
    values = torch.randn(512, 512, generator=torch.Generator().manual_seed(0))
    limits = build(values).limits
    assert all(low < high for low, high in itertools.pairwise(limits[:6]))
    assert limits[0] / 2.0 ** build(values).exponent == pytest.approx(2.81, rel=0.05)  # 99.5 % of |N(0, 1)|


@given(st.tuples(st.integers(1, 300), st.integers(1, 300)), st.integers(8, 64))
@settings(max_examples=60, deadline=None)
def test_tiles_cover_a_sheet_once(grid, largest):
    covered = np.zeros(grid, int)
    for top, bottom, left, right in tiles_of(grid, largest):
        assert 0 < bottom - top <= largest and 0 < right - left <= largest
        covered[top:bottom, left:right] += 1
    assert (covered == 1).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64, torch.int64, torch.bool, torch.uint8])
def test_any_type_of_number(dtype):
    values = (10 * torch.randn(9, 11, generator=torch.Generator().manual_seed(0))).to(dtype)
    pyramid = build(values)
    assert pyramid.high == values.double().max() and pyramid.low == values.double().min()
