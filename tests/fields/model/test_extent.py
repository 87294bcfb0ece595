import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings

from easel.fields.model.coordinates import axis_coordinates, pixel_centers
from easel.fields.model.extent import Extent, from_divisor

sizes = st.lists(st.integers(1, 9), min_size=1, max_size=4).map(tuple)
numbers = st.floats(-8, 8, allow_nan=False)
zooms = st.floats(0.01, 1e4)


def axis(samples, **window):
    return axis_coordinates((samples,), Extent(**window))[0]


@settings(deadline=None)
@given(st.integers(1, 60), zooms, numbers, st.floats(0.01, 64))
def test_samples_are_where_the_formula_says(samples, zoom, pan, scale):
    i = torch.arange(samples, dtype=torch.float64)
    expected = scale * ((2 * i + 1 - samples) / samples + pan) / zoom
    found = axis(samples, zoom=zoom, pan=pan, latent_scale=scale)
    assert found.dtype == torch.float32
    assert torch.allclose(found.double(), expected, rtol=1e-6, atol=1e-6 * scale / zoom)


@settings(deadline=None)
@given(st.integers(1, 60), st.sampled_from([2, 3, 4, 5, 7, 10]), st.floats(0.01, 64), st.data())
def test_a_zoomed_window_has_the_bits_of_its_part_of_the_whole(samples, zoom, scale, data):
    part = data.draw(st.integers(0, zoom - 1))
    whole = axis(samples * zoom, latent_scale=scale)[part * samples :][:samples]
    assert torch.equal(axis(samples, zoom=zoom, pan=2 * part + 1 - zoom, latent_scale=scale), whole)


@settings(deadline=None)
@given(st.integers(1, 60), st.sampled_from([1, 3, 5, 9]), st.integers(-6, 6), st.floats(0.01, 64))
def test_more_samples_have_the_bits_of_fewer(samples, times, pan, scale):
    options = {"zoom": 4, "pan": pan, "latent_scale": scale}
    assert torch.equal(axis(samples * times, **options)[times // 2 :: times], axis(samples, **options))


@settings(deadline=None)
@given(sizes, st.integers(1, 16), st.integers(-4, 4))
def test_a_center_is_a_pan_times_the_zoom(size, zoom, center):
    middle, shifted = Extent(zoom=zoom, center=center / 4), Extent(zoom=zoom, pan=zoom * center / 4)
    assert torch.equal(pixel_centers(size, window=middle), pixel_centers(size, window=shifted))


def test_a_center_stays_in_the_middle_at_any_zoom():
    for zoom in (1, 2.5, 1e6):
        for options in ({}, {"aspect": "keep"}):
            window = Extent(zoom=zoom, center=(0.25, -0.5), **options)
            assert pixel_centers((5, 9), window=window)[22].tolist() == [0.25, -0.5]


def test_the_whole_view_and_its_corners_worked_by_hand():
    assert axis(4).tolist() == [-0.75, -0.25, 0.25, 0.75]
    assert axis(3, align="corners").tolist() == [-1, 0, 1]
    assert axis(1).tolist() == axis(1, align="corners").tolist() == [0]
    assert axis(2, zoom=10, pan=5).tolist() == pytest.approx([0.45, 0.55])


def test_kept_aspect_gives_square_pixels():
    rows, columns = axis_coordinates((4, 8), Extent(aspect="keep"))
    assert (rows.diff() == columns.diff()[0]).all()
    assert rows.tolist() == axis(4).tolist() and columns.abs().max() == 1.75


@settings(deadline=None)
@given(st.integers(2, 50), st.floats(0.1, 20), st.floats(0.2, 50))
def test_the_predecessors_zoom_and_pan_are_ours(samples, zoom, pan):
    zooms, pans = from_divisor(zoom, pan, 1)
    i = torch.arange(samples, dtype=torch.float64)
    theirs = (i - (samples - 1) / pan) / (samples - 1) / zoom
    ours = axis(samples, zoom=zooms, pan=pans, align="corners").double()
    assert torch.allclose(ours, theirs, rtol=1e-5, atol=1e-5 / (zoom * min(pan, 1)))


def test_windows_are_equal_however_they_were_written():
    assert Extent(zoom=2, pan=[1, 2]) == Extent(zoom=2.0, pan=(1.0, 2.0))
    assert len({Extent(zoom=2), Extent(zoom=2.0)}) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"zoom": 0}, "above 0"),
        ({"zoom": -2}, "above 0"),
        ({"zoom": (1, math.inf)}, "finite"),
        ({"pan": math.nan}, "finite"),
        ({"pan": 1, "center": 0.5}, "one of them"),
    ],
)
def test_bad_windows_say_what_fits(options, words):
    with pytest.raises(ValueError, match=words):
        Extent(**options)


def test_a_window_with_the_wrong_number_of_axes_is_refused():
    with pytest.raises(ValueError, match=r"zoom has 3 numbers.*2 axes"):
        pixel_centers((4, 4), window=Extent(zoom=(1, 2, 3)))
