import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings

from easel.fields.model.coordinates import coordinates_at, pixel_centers

sizes = st.lists(st.integers(1, 9), min_size=1, max_size=4).map(tuple)


def test_pixel_centers_worked_by_hand():
    expected = [[-0.5, -2 / 3], [-0.5, 0], [-0.5, 2 / 3], [0.5, -2 / 3], [0.5, 0], [0.5, 2 / 3]]
    assert torch.equal(pixel_centers((2, 3)), torch.tensor(expected))


@pytest.mark.slow
@settings(deadline=None)
@given(sizes)
def test_centers_are_inside_symmetric_and_evenly_spread(size):
    coords = pixel_centers(size)
    assert coords.shape == (math.prod(size), len(size)) and coords.abs().max() < 1
    assert torch.equal(coords.flip(0), -coords)


@settings(deadline=None)
@given(sizes, st.data())
def test_single_coordinates_are_those_of_the_whole_array(size, data):
    index = torch.tensor(data.draw(st.lists(st.integers(0, math.prod(size) - 1), min_size=1, max_size=5)))
    assert torch.equal(coordinates_at(index, size), pixel_centers(size)[index])


@settings(deadline=None)
@given(st.integers(1, 50))
def test_the_middle_of_three_times_the_samples_has_the_same_bits(samples):
    assert torch.equal(pixel_centers((3 * samples,))[1::3], pixel_centers((samples,)))
